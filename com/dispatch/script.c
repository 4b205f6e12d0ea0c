#include "com/dispatch/script.h"

#include <stdio.h>
#include <string.h>

#include "com/marshal/types.h"
#include "core/util/error.h"

/* Elements of an array that an object may claim to have. */
#define MAX_LENGTH 16777216

static const GUID none;

/* --- an object as an array --- */

static bool is_array(const struct plan_type *type)
{
    return type->kind == VIA_TYPE_SIZED || type->kind == VIA_TYPE_ARRAY ||
           type->kind == VIA_TYPE_SAFEARRAY;
}

/* What is referred to may lie at any multiple of 4, as VARIANTs of Wine's VBScript do. */
static IDispatch *object_of(const VARIANT *given)
{
    VARIANT inner;
    IDispatch *object;
    if (V_VT(given) == (VT_BYREF | VT_VARIANT)) {
        memcpy(&inner, V_VARIANTREF(given), sizeof inner);
        given = &inner;
    }
    if (V_VT(given) != (VT_BYREF | VT_DISPATCH))
        return V_VT(given) == VT_DISPATCH ? V_DISPATCH(given) : NULL;
    memcpy(&object, V_DISPATCHREF(given), sizeof object);
    return object;
}

/* --- members by name --- */

/* As far as it is needed. */
struct dispatch_ex_vtable {
    IDispatchVtbl dispatch;
    HRESULT(STDMETHODCALLTYPE *GetDispID)(void *self, BSTR name, DWORD flags, DISPID *id);
};
static const IID iid_dispatch_ex = {
    0xa6ef9860, 0xc720, 0x11d0, {0x93, 0x37, 0x00, 0xa0, 0xc9, 0x0d, 0xca, 0xa9}};
#define NAME_CASE_INSENSITIVE 8u

static HRESULT get_id_ex(IDispatch *object, const WCHAR *name, DISPID *id)
{
    const struct dispatch_ex_vtable **ex;
    HRESULT hr = IDispatch_QueryInterface(object, (REFIID)&iid_dispatch_ex, (void **)&ex);
    if (FAILED(hr))
        return E_NOTIMPL;
    BSTR text = SysAllocString(name);
    hr = text != NULL ? (*ex)->GetDispID(ex, text, NAME_CASE_INSENSITIVE, id) : E_OUTOFMEMORY;
    SysFreeString(text);
    (*ex)->dispatch.Release((IDispatch *)(void *)ex);
    return hr;
}

HRESULT script_get_id(IDispatch *object, const WCHAR *name, DISPID *id)
{
    LPOLESTR names = (LPOLESTR)name;
    *id = DISPID_UNKNOWN;
    HRESULT hr = IDispatch_GetIDsOfNames(object, (REFIID)&none, &names, 1, 0, id);
    return hr == E_NOTIMPL ? get_id_ex(object, name, id) : hr;
}

/* S_FALSE: there is no such member. */
static HRESULT get(IDispatch *object, const WCHAR *name, VARIANT *value)
{
    DISPPARAMS no_arguments = {0};
    DISPID id;
    VariantInit(value);
    HRESULT hr = script_get_id(object, name, &id);
    if (hr == DISP_E_UNKNOWNNAME)
        return S_FALSE;
    return FAILED(hr) ? hr
                      : IDispatch_Invoke(object, id, (REFIID)&none, 0, DISPATCH_PROPERTYGET,
                                         &no_arguments, value, NULL, NULL);
}

static HRESULT get_length(IDispatch *object, LONG *length)
{
    const WCHAR *name = VIA_STR("length");
    VARIANT value;
    HRESULT hr = get(object, name, &value);
    if (hr != S_OK)
        return S_FALSE;
    hr = VariantChangeType(&value, &value, 0, VT_I4);
    *length = SUCCEEDED(hr) ? V_I4(&value) : -1;
    VariantClear(&value);
    return *length >= 0 && *length <= MAX_LENGTH ? S_OK : S_FALSE;
}

/* A hole is an empty element. */
static HRESULT get_element(IDispatch *object, LONG i, VARIANT *element)
{
    char digits[16];
    WCHAR name[16];
    snprintf(digits, sizeof digits, "%d", (int)i);
    for (size_t k = 0; k < sizeof digits; k++)
        name[k] = (WCHAR)digits[k];
    HRESULT hr = get(object, name, element);
    return FAILED(hr)
               ? error_set(hr, "element %d of an array that is an object cannot be had", (int)i)
               : S_OK;
}

HRESULT script_array(const struct plan_type *type, const VARIANT *given, VARIANT *array)
{
    IDispatch *object = object_of(given);
    LONG length = 0;
    VariantInit(array);
    HRESULT hr = is_array(type) && object != NULL ? get_length(object, &length) : S_FALSE;
    if (hr != S_OK)
        return hr;
    SAFEARRAY *made = SafeArrayCreateVector(VT_VARIANT, 0, (ULONG)length);
    if (made == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an array of %d elements", (int)length);
    VARIANT *elements = made->pvData;
    for (LONG i = 0; i < length && SUCCEEDED(hr); i++)
        hr = get_element(object, i, &elements[i]);
    if (FAILED(hr)) {
        SafeArrayDestroy(made);
        return hr;
    }
    V_VT(array) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(array) = made;
    return S_OK;
}

/* --- what an engine can hold --- */

static void simplify_number(VARIANT *value)
{
    if (FAILED(VariantChangeType(value, value, 0, VT_I4)))
        VariantChangeType(value, value, 0, VT_R8);
}

/* One after the other, as they lie in memory. */
static HRESULT copy_elements(SAFEARRAY *from, VARTYPE vt, SAFEARRAY *to)
{
    VARIANT *elements = to->pvData;
    ULONG n = 1;
    HRESULT hr = S_OK;
    for (USHORT i = 0; i < from->cDims; i++)
        n *= from->rgsabound[i].cElements;
    for (ULONG i = 0; i < n && SUCCEEDED(hr); i++) {
        VARIANT element;
        V_VT(&element) = VT_BYREF | vt;
        V_BYREF(&element) = (char *)from->pvData + (size_t)i * from->cbElements;
        hr = VariantCopyInd(&elements[i], &element);
        script_simplify(&elements[i]);
    }
    return hr;
}

/* Bounds stand in the struct with the last one first; SafeArrayCreate() takes the first one first.
 */
static SAFEARRAY *make_similar(const SAFEARRAY *from)
{
    SAFEARRAYBOUND bounds[16];
    USHORT n = from->cDims;
    if (n == 0 || n > sizeof bounds / sizeof *bounds)
        return NULL;
    for (USHORT i = 0; i < n; i++)
        bounds[i] = from->rgsabound[n - 1 - i];
    return SafeArrayCreate(VT_VARIANT, n, bounds);
}

static void simplify_array(VARIANT *value)
{
    VARTYPE vt = V_VT(value) & VT_TYPEMASK;
    SAFEARRAY *from = V_ARRAY(value);
    if (vt == VT_VARIANT || vt == VT_RECORD || from == NULL)
        return;
    SAFEARRAY *made = make_similar(from);
    if (made != NULL && SUCCEEDED(copy_elements(from, vt, made))) {
        SafeArrayDestroy(from);
        V_VT(value) = VT_ARRAY | VT_VARIANT;
        V_ARRAY(value) = made;
    } else if (made != NULL) {
        SafeArrayDestroy(made);
    }
}

void script_simplify(VARIANT *value)
{
    switch (V_VT(value)) {
    case VT_I1:
    case VT_UI2:
    case VT_UI4:
    case VT_I8:
    case VT_UI8:
        simplify_number(value);
        break;
    default:
        if (V_VT(value) & VT_ARRAY && !(V_VT(value) & VT_BYREF))
            simplify_array(value);
    }
}
