/*
 * A row of texts: an object without IDispatch, whose callers by name have nothing but its type
 * library. In that one, which is made when the class is registered, the functions stand the other
 * way round than the slots of the vtable.
 */
#include "lab_object.h"

#include <stdlib.h>
#include <string.h>

#define N_CELLS   4
#define MAX_NAMES 8

const GUID lab_row_library = {
    0xb8f3a1d0, 0x6a53, 0x4f0e, {0x9c, 0x55, 0x3d, 0x9b, 0x6d, 0x1d, 0x0a, 0x09}};

/* --- the object --- */

struct row {
    ILabRow ILabRow_iface;
    LONG refs;
    BSTR cells[N_CELLS];
};

static HRESULT WINAPI Row_QueryInterface(ILabRow *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_ILabRow))
        return E_NOINTERFACE;
    *object = iface;
    ILabRow_AddRef(iface);
    return S_OK;
}

static ULONG WINAPI Row_AddRef(ILabRow *iface)
{
    return (ULONG)InterlockedIncrement(&((struct row *)iface)->refs);
}

static ULONG WINAPI Row_Release(ILabRow *iface)
{
    struct row *self = (struct row *)iface;
    LONG left = InterlockedDecrement(&self->refs);
    if (left > 0)
        return (ULONG)left;
    for (LONG i = 0; i < N_CELLS; i++)
        SysFreeString(self->cells[i]);
    free(self);
    InterlockedDecrement(&lab_n_alive);
    return 0;
}

static HRESULT WINAPI Row_get_Cell(ILabRow *iface, LONG column, BSTR *text)
{
    *text = NULL;
    if (column < 0 || column >= N_CELLS)
        return DISP_E_BADINDEX;
    *text = SysAllocString(((struct row *)iface)->cells[column]);
    return S_OK;
}

static HRESULT WINAPI Row_put_Cell(ILabRow *iface, LONG column, BSTR text)
{
    if (column < 0 || column >= N_CELLS)
        return DISP_E_BADINDEX;
    SysFreeString(((struct row *)iface)->cells[column]);
    ((struct row *)iface)->cells[column] = SysAllocString(text);
    return S_OK;
}

static HRESULT WINAPI Row_Join(ILabRow *iface, BSTR separator, SAFEARRAY *parts, BSTR *text)
{
    (void)iface;
    return lab_join(separator, parts, text);
}

static HRESULT WINAPI Row_Label(ILabRow *iface, BSTR text, LONG times, VARIANT end, BSTR *label)
{
    WCHAR all[128] = L"";
    (void)iface;
    for (LONG i = 0; i < times; i++)
        wcsncat(all, text, 127 - wcslen(all));
    if (V_VT(&end) == VT_BSTR)
        wcsncat(all, V_BSTR(&end), 127 - wcslen(all));
    *label = SysAllocString(all);
    return S_OK;
}

static HRESULT WINAPI Row_get_Length(ILabRow *iface, LONG *n)
{
    (void)iface;
    *n = N_CELLS;
    return S_OK;
}

static const ILabRowVtbl row_vtable = {
    Row_QueryInterface, Row_AddRef, Row_Release, Row_get_Cell,
    Row_put_Cell,       Row_Join,   Row_Label,   Row_get_Length,
};

HRESULT lab_row_new(REFIID iid, void **object)
{
    struct row *self = calloc(1, sizeof *self);
    *object = NULL;
    if (self == NULL)
        return E_OUTOFMEMORY;
    InterlockedIncrement(&lab_n_alive);
    self->ILabRow_iface.lpVtbl = (ILabRowVtbl *)&row_vtable;
    self->refs = 1;
    HRESULT hr = Row_QueryInterface(&self->ILabRow_iface, iid, object);
    Row_Release(&self->ILabRow_iface);
    return hr;
}

/* --- the type library --- */

/* The slot stays in the description. */
static HRESULT copy_function(ITypeInfo *from, ICreateTypeInfo *to, UINT i, UINT at)
{
    FUNCDESC *function;
    BSTR names[MAX_NAMES] = {NULL};
    UINT n = 0;
    HRESULT hr = ITypeInfo_GetFuncDesc(from, i, &function);
    if (FAILED(hr))
        return hr;
    hr = ICreateTypeInfo_AddFuncDesc(to, at, function);
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetNames(from, function->memid, names, MAX_NAMES, &n);
    UINT max = (UINT)function->cParams + (function->invkind != INVOKE_PROPERTYPUT);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_SetFuncAndParamNames(to, at, names, n < max ? n : max);
    for (UINT k = 0; k < n; k++)
        SysFreeString(names[k]);
    ITypeInfo_ReleaseFuncDesc(from, function);
    return hr;
}

static HRESULT copy_base(ITypeInfo *from, ICreateTypeInfo *to)
{
    HREFTYPE reference;
    ITypeInfo *base = NULL;
    HRESULT hr = ITypeInfo_GetRefTypeOfImplType(from, 0, &reference);
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetRefTypeInfo(from, reference, &base);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_AddRefTypeInfo(to, base, &reference);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_AddImplType(to, 0, reference);
    if (base != NULL)
        ITypeInfo_Release(base);
    return hr;
}

static HRESULT write_interface(ITypeInfo *from, ICreateTypeInfo *to)
{
    TYPEATTR *attributes;
    HRESULT hr = ITypeInfo_GetTypeAttr(from, &attributes);
    if (FAILED(hr))
        return hr;
    UINT n = attributes->cFuncs;
    ITypeInfo_ReleaseTypeAttr(from, attributes);
    ICreateTypeInfo_SetGuid(to, &IID_ILabRow);
    ICreateTypeInfo_SetTypeFlags(to, TYPEFLAG_FOLEAUTOMATION);
    hr = copy_base(from, to);
    for (UINT i = 0; i < n && SUCCEEDED(hr); i++)
        hr = copy_function(from, to, n - 1 - i, i);
    return SUCCEEDED(hr) ? ICreateTypeInfo_LayOut(to) : hr;
}

static HRESULT write_class(ICreateTypeInfo *face, ICreateTypeInfo *to)
{
    ITypeInfo *info;
    HREFTYPE reference;
    HRESULT hr = ICreateTypeInfo_QueryInterface(face, &IID_ITypeInfo, (void **)&info);
    if (FAILED(hr))
        return hr;
    ICreateTypeInfo_SetGuid(to, &CLSID_LabRow);
    hr = ICreateTypeInfo_AddRefTypeInfo(to, info, &reference);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_AddImplType(to, 0, reference);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_SetImplTypeFlags(to, 0, IMPLTYPEFLAG_FDEFAULT);
    ITypeInfo_Release(info);
    return SUCCEEDED(hr) ? ICreateTypeInfo_LayOut(to) : hr;
}

static HRESULT write_library(ICreateTypeLib2 *library, ITypeInfo *from)
{
    ICreateTypeInfo *face = NULL, *class = NULL;
    ICreateTypeLib2_SetGuid(library, &lab_row_library);
    ICreateTypeLib2_SetVersion(library, 1, 0);
    ICreateTypeLib2_SetName(library, (WCHAR *)L"ViaductLabRow");
    HRESULT hr =
        ICreateTypeLib2_CreateTypeInfo(library, (WCHAR *)L"ILabRow", TKIND_INTERFACE, &face);
    if (SUCCEEDED(hr))
        hr = write_interface(from, face);
    if (SUCCEEDED(hr))
        hr = ICreateTypeLib2_CreateTypeInfo(library, (WCHAR *)L"LabRow", TKIND_COCLASS, &class);
    if (SUCCEEDED(hr))
        hr = write_class(face, class);
    if (class != NULL)
        ICreateTypeInfo_Release(class);
    if (face != NULL)
        ICreateTypeInfo_Release(face);
    return SUCCEEDED(hr) ? ICreateTypeLib2_SaveAllChanges(library) : hr;
}

HRESULT lab_row_register(const WCHAR *path)
{
    ICreateTypeLib2 *library;
    ITypeLib *written;
    ITypeInfo *from;
    HRESULT hr = lab_type_info(&IID_ILabRow, &from);
    if (FAILED(hr))
        return hr;
    hr = CreateTypeLib2(SYS_WIN64, path, &library);
    if (SUCCEEDED(hr)) {
        hr = write_library(library, from);
        ICreateTypeLib2_Release(library);
    }
    ITypeInfo_Release(from);
    if (FAILED(hr))
        return hr;
    hr = LoadTypeLibEx(path, REGKIND_REGISTER, &written);
    if (SUCCEEDED(hr))
        ITypeLib_Release(written);
    return hr;
}
