/* Three texts on a shelf. One client, and one thread at a time: the class is serial. */
#include "shelf.h"

#include "shelf_own.h"

#include <stdio.h>
#include <string.h>
#include <viaduct/component.h>
#include <viaduct/dispatch.h>
#include <viaduct/enumerators.h>
#include <viaduct/error_info.h>
#include <viaduct/object.h>
#include <viaduct/safearray.h>

#define N_TEXTS 3

struct shelf {
    struct via_object object;
    IShelf IShelf_iface;
    BSTR texts[N_TEXTS];
    enum ShelfColour colour;
};

static struct shelf *shelf_from_IShelf(IShelf *iface)
{
    return VIA_OBJECT_OF(iface, struct shelf, IShelf);
}

VIA_OBJECT_METHODS(Shelf, struct shelf, IShelf)

static HRESULT fail(HRESULT code, const WCHAR *why)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;

    if (FAILED(CreateErrorInfo(&writer)))
        return code;
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)VIA_STR("The shelf"));
    ICreateErrorInfo_SetDescription(writer, (LPOLESTR)why);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
    return code;
}

static HRESULT STDMETHODCALLTYPE Shelf_get_Item(IShelf *iface, LONG index, BSTR *text)
{
    const struct shelf *shelf = shelf_from_IShelf(iface);

    *text = NULL;
    if (index < 0 || index >= N_TEXTS)
        return fail(DISP_E_BADINDEX, VIA_STR("there is nothing at that place"));
    *text = SysAllocString(shelf->texts[index]);
    return *text ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Shelf_put_Item(IShelf *iface, LONG index, BSTR text)
{
    struct shelf *shelf = shelf_from_IShelf(iface);

    if (index < 0 || index >= N_TEXTS)
        return fail(DISP_E_BADINDEX, VIA_STR("there is nothing at that place"));
    return SysReAllocString(&shelf->texts[index], text ? text : VIA_STR("")) ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Shelf_get__NewEnum(IShelf *iface, IUnknown **enumerator)
{
    const struct shelf *shelf = shelf_from_IShelf(iface);
    VARIANT items[N_TEXTS];

    for (int i = 0; i < N_TEXTS; i++) {
        VariantInit(&items[i]);
        V_VT(&items[i]) = VT_BSTR;
        V_BSTR(&items[i]) = shelf->texts[i];
    }
    return via_enum_variants(items, N_TEXTS, (IEnumVARIANT **)(void *)enumerator);
}

static HRESULT STDMETHODCALLTYPE Shelf_get_Count(IShelf *iface, LONG *count)
{
    (void)iface;
    *count = N_TEXTS;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_get_Colour(IShelf *iface, enum ShelfColour *colour)
{
    *colour = shelf_from_IShelf(iface)->colour;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_put_Colour(IShelf *iface, enum ShelfColour colour)
{
    shelf_from_IShelf(iface)->colour = colour;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_Swap(IShelf *iface, VARIANT *a, VARIANT *b)
{
    VARIANT kept = *a;

    (void)iface;
    *a = *b;
    *b = kept;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_Split(IShelf *iface, LONG n, LONG *tens, LONG *ones)
{
    (void)iface;
    *tens = n / 10;
    *ones = n % 10;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_Label(IShelf *iface, BSTR text, LONG times, VARIANT end,
                                             BSTR *label)
{
    UINT n = SysStringLen(text), n_end = V_VT(&end) == VT_BSTR ? SysStringLen(V_BSTR(&end)) : 0;
    UINT n_times = times > 0 ? (UINT)times : 0;

    (void)iface;
    *label = SysAllocStringLen(NULL, n * n_times + n_end);
    if (!*label)
        return E_OUTOFMEMORY;
    for (UINT i = 0; i < n_times; i++)
        memcpy(*label + (size_t)i * n, text, n * sizeof(WCHAR));
    if (n_end > 0)
        memcpy(*label + (size_t)n_times * n, V_BSTR(&end), n_end * sizeof(WCHAR));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_Fail(IShelf *iface, LONG code, BSTR text)
{
    (void)iface;
    return fail(code, text);
}

static HRESULT tell_script(IDispatch *callback, LONG index, BSTR text, LONG *sum)
{
    static const GUID none;
    VARIANT arguments[2], answer;
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    EXCEPINFO exception = {0};
    HRESULT hr;

    V_VT(&arguments[0]) = VT_BSTR;
    V_BSTR(&arguments[0]) = text;
    V_VT(&arguments[1]) = VT_I4;
    V_I4(&arguments[1]) = index;
    VariantInit(&answer);
    hr = IDispatch_Invoke(callback, DISPID_VALUE, (REFIID)&none, 0, DISPATCH_METHOD, &params,
                          &answer, &exception, NULL);
    if (hr == DISP_E_EXCEPTION)
        hr = fail(exception.scode, exception.bstrDescription ? exception.bstrDescription
                                                             : VIA_STR("the callback has failed"));
    SysFreeString(exception.bstrSource);
    SysFreeString(exception.bstrDescription);
    SysFreeString(exception.bstrHelpFile);
    if (SUCCEEDED(hr))
        hr = VariantChangeType(&answer, &answer, 0, VT_I4);
    if (SUCCEEDED(hr))
        *sum += V_I4(&answer);
    VariantClear(&answer);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Shelf_Each(IShelf *iface, IDispatch *callback, LONG *sum)
{
    const struct shelf *shelf = shelf_from_IShelf(iface);
    HRESULT hr = callback ? S_OK : E_POINTER;

    *sum = 0;
    for (LONG i = 0; i < N_TEXTS && SUCCEEDED(hr); i++)
        hr = tell_script(callback, i, shelf->texts[i], sum);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Shelf_Tell(IShelf *iface, IShelfListener *listener, LONG n,
                                            LONG *sum)
{
    HRESULT hr = listener ? S_OK : E_POINTER;

    (void)iface;
    *sum = 0;
    for (LONG i = 0; i < n && SUCCEEDED(hr); i++) {
        LONG answer;

        hr = IShelfListener_Heard(listener, i, &answer);
        if (SUCCEEDED(hr))
            *sum += answer;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE Shelf_Measure(IShelf *iface, const struct ShelfBox *box,
                                               BSTR *text)
{
    char numbers[80];
    UINT n = SysStringLen(box->label), n_numbers;
    LONG product = 1;

    (void)iface;
    for (ULONG i = 0; box->sizes && i < box->sizes->rgsabound[0].cElements; i++)
        product *= ((const LONG *)box->sizes->pvData)[i];
    n_numbers = (UINT)snprintf(numbers, sizeof(numbers), " at %d, %d: %d", (int)box->place.row,
                               (int)box->place.column, (int)product);
    *text = SysAllocStringLen(NULL, n + n_numbers);
    if (!*text)
        return E_OUTOFMEMORY;
    memcpy(*text, box->label ? box->label : VIA_STR(""), n * sizeof(WCHAR));
    for (UINT i = 0; i < n_numbers; i++)
        (*text)[n + i] = (WCHAR)numbers[i];
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_Pack(IShelf *iface, BSTR label, struct ShelfBox *box)
{
    static const LONG sizes[] = {3, 4};

    (void)iface;
    box->label = SysAllocStringLen(label, SysStringLen(label));
    box->place.row = 1;
    box->place.column = 2;
    box->sizes = SafeArrayCreateVector(VT_I4, 0, 2);
    if (!box->label || !box->sizes) {
        SysFreeString(box->label);
        SafeArrayDestroy(box->sizes);
        memset(box, 0, sizeof(*box));
        return E_OUTOFMEMORY;
    }
    memcpy(box->sizes->pvData, sizes, sizeof(sizes));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shelf_get_Own(IShelf *iface, IDispatch **object)
{
    (void)iface;
    return shelf_own(object);
}

static const IShelfVtbl shelf_vtable = {
    Shelf_QueryInterface, Shelf_AddRef,    Shelf_Release,    Shelf_get_Item,   Shelf_put_Item,
    Shelf_get__NewEnum,   Shelf_get_Count, Shelf_get_Colour, Shelf_put_Colour, Shelf_Swap,
    Shelf_Split,          Shelf_Label,     Shelf_Fail,       Shelf_Each,       Shelf_Tell,
    Shelf_Measure,        Shelf_Pack,      Shelf_get_Own,
};

static void end_shelf(struct via_object *object)
{
    for (int i = 0; i < N_TEXTS; i++)
        SysFreeString(((struct shelf *)object)->texts[i]);
}

static const struct via_object_interface shelf_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct shelf, IShelf, shelf_vtable),
    {.iid = NULL},
};
static struct via_module module;
static const struct via_object_kind shelf_kind = {.size = sizeof(struct shelf),
                                                  .interfaces = shelf_interfaces,
                                                  .module = &module,
                                                  .end = end_shelf};

static HRESULT make_shelf(REFIID iid, void **object)
{
    static const WCHAR *const texts[N_TEXTS] = {VIA_STR("one"), VIA_STR("two"), VIA_STR("three")};
    struct shelf *shelf = via_object_new(&shelf_kind);
    HRESULT hr = shelf ? S_OK : E_OUTOFMEMORY;

    if (!shelf)
        return hr;
    shelf->colour = SHELF_GREEN;
    for (int i = 0; i < N_TEXTS && SUCCEEDED(hr); i++) {
        shelf->texts[i] = SysAllocString(texts[i]);
        hr = shelf->texts[i] ? S_OK : E_OUTOFMEMORY;
    }
    if (SUCCEEDED(hr))
        hr = via_object_query(&shelf->object, iid, object);
    via_object_release(&shelf->object);
    return hr;
}

static struct via_factory factory = VIA_FACTORY(&shelf_kind, make_shelf);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    return IsEqualCLSID(clsid, &CLSID_Shelf) ? via_factory_get(&factory, iid, object)
                                             : CLASS_E_CLASSNOTAVAILABLE;
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
}

static const struct via_component_class classes[] = {
    {&CLSID_Shelf, "Test.Shelf", "for tests", VIA_THREADING_SERIAL, "Shelf"},
};
static const struct via_typelib *const typelibs[] = {&shelf_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "shelf",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
