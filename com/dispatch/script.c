#include "com/dispatch/script.h"

#include <stdio.h>
#include <string.h>
#include <viaduct/value.h>

#include "com/dispatch/record_view.h"
#include "com/marshal/automation.h"
#include "com/marshal/marshal.h"
#include "com/marshal/types.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* Elements of an array that an object may claim to have. */
#define MAX_LENGTH 16777216

static const GUID none;

/* --- objects --- */

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

/* The same of an array of VARIANTs. */
static SAFEARRAY *array_of(const VARIANT *given)
{
    VARIANT inner;
    SAFEARRAY *array;
    if (V_VT(given) == (VT_BYREF | VT_VARIANT)) {
        memcpy(&inner, V_VARIANTREF(given), sizeof inner);
        given = &inner;
    }
    if (V_VT(given) != (VT_BYREF | VT_ARRAY | VT_VARIANT))
        return V_VT(given) == (VT_ARRAY | VT_VARIANT) ? V_ARRAY(given) : NULL;
    memcpy(&array, V_ARRAYREF(given), sizeof array);
    return array;
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

/* --- an object as what a parameter wants --- */

static bool is_array(const struct plan_type *type)
{
    return type->kind == VIA_TYPE_SIZED || type->kind == VIA_TYPE_ARRAY ||
           type->kind == VIA_TYPE_SAFEARRAY;
}

/* Whether elements of that type are made of objects. */
static bool takes_objects(const struct plan_type *element)
{
    while (element->kind == VIA_TYPE_POINTER)
        element = element->element;
    return element->kind == VIA_TYPE_STRUCT || is_array(element);
}

static HRESULT change(const struct plan_type *type, const VARIANT *given, unsigned depth,
                      VARIANT *made);

/* In place. */
static HRESULT change_element(const struct plan_type *type, unsigned depth, VARIANT *element)
{
    VARIANT made;
    HRESULT hr = change(type, element, depth, &made);
    if (hr == S_OK) {
        VariantClear(element);
        *element = made;
    }
    return hr;
}

static void set_array(VARIANT *made, SAFEARRAY *array)
{
    V_VT(made) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(made) = array;
}

/* S_FALSE: the object is no array. */
static HRESULT change_to_array(const struct plan_type *element, IDispatch *object, unsigned depth,
                               VARIANT *made)
{
    LONG length = 0;
    HRESULT hr = get_length(object, &length);
    if (hr != S_OK)
        return hr;
    SAFEARRAY *array = SafeArrayCreateVector(VT_VARIANT, 0, (ULONG)length);
    if (array == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an array of %d elements", (int)length);
    VARIANT *elements = array->pvData;
    for (LONG i = 0; i < length && SUCCEEDED(hr); i++) {
        hr = get_element(object, i, &elements[i]);
        if (SUCCEEDED(hr))
            hr = change_element(element, depth, &elements[i]);
    }
    set_array(made, array);
    return FAILED(hr) ? hr : S_OK;
}

/* Of an array of VBScript the objects in it. */
static HRESULT change_array(const struct plan_type *element, SAFEARRAY *given, unsigned depth,
                            VARIANT *made)
{
    SAFEARRAY *copy = NULL;
    HRESULT hr = SafeArrayCopy(given, &copy);
    if (FAILED(hr))
        return hr;
    VARIANT *elements = copy->pvData;
    ULONG n = copy->cDims == 1 ? copy->rgsabound[0].cElements : 0;
    for (ULONG i = 0; i < n && SUCCEEDED(hr); i++)
        hr = change_element(element, depth, &elements[i]);
    set_array(made, copy);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT get_field(const struct plan_struct *record, uint16_t i, IDispatch *object,
                         unsigned depth, struct via_value *fields)
{
    const struct plan_field *field = &record->fields[i];
    CLEANUP(cleanup_free) WCHAR *name = utf_to_wide(field->name);
    VARIANT given, made;
    struct via_value *value;
    HRESULT hr = name != NULL ? get(object, name, &given) : E_OUTOFMEMORY;
    if (hr == S_FALSE && field->is_size)
        return S_OK; /* the array says it */
    if (hr != S_OK)
        return error_set(FAILED(hr) ? hr : DISP_E_TYPEMISMATCH,
                         "the object has no property %s, as struct %s has", field->name,
                         record->name);
    hr = change(field->type, &given, depth, &made);
    if (SUCCEEDED(hr)) {
        HRESULT added = via_value_add_field(fields, field->name, &value);
        hr = FAILED(added)
                 ? error_set(added, "no memory for a struct")
                 : marshal_field_from_variant(record, i, hr == S_OK ? &made : &given, value);
    }
    automation_clear(&made);
    VariantClear(&given);
    return hr;
}

static HRESULT change_to_record(const struct plan_struct *record, IDispatch *object, unsigned depth,
                                VARIANT *made)
{
    struct via_value fields = {.kind = VIA_VALUE_STRUCT};
    HRESULT hr = record_view_open(object, record, made);
    if (hr != S_FALSE)
        return hr;
    hr = S_OK;
    for (uint16_t i = 0; i < record->n_fields && SUCCEEDED(hr); i++)
        hr = get_field(record, i, object, depth, &fields);
    if (SUCCEEDED(hr))
        hr = marshal_record_to_variant(record, &fields, made);
    via_value_clear(&fields);
    return hr;
}

/* As script_argument(); what is half made goes. */
static HRESULT change(const struct plan_type *type, const VARIANT *given, unsigned depth,
                      VARIANT *made)
{
    HRESULT hr = S_FALSE;
    VariantInit(made);
    IDispatch *object = object_of(given);
    SAFEARRAY *array = array_of(given);
    while (type->kind == VIA_TYPE_POINTER)
        type = type->element;
    if (depth == TYPELIB_MAX_NESTING) /* an object may be a part of itself */
        return error_set(VIA_E_LIMIT, "an object is nested too deeply");
    if (type->kind == VIA_TYPE_STRUCT && object != NULL)
        hr = change_to_record(type->record, object, depth + 1, made);
    else if (is_array(type) && object != NULL)
        hr = change_to_array(type->element, object, depth + 1, made);
    else if (is_array(type) && array != NULL && takes_objects(type->element))
        hr = change_array(type->element, array, depth + 1, made);
    if (FAILED(hr))
        automation_clear(made);
    return hr;
}

HRESULT script_argument(const struct plan_type *type, const VARIANT *given, VARIANT *made)
{
    return change(type, given, 0, made);
}

/* --- what an engine can hold --- */

/* VariantChangeType() makes a negative LONG of 32 bits that are too many for one. */
static void simplify_number(VARIANT *value)
{
    bool is_too_large = V_VT(value) == VT_UI4 && V_UI4(value) > INT32_MAX;
    if (is_too_large || FAILED(VariantChangeType(value, value, 0, VT_I4)))
        VariantChangeType(value, value, 0, VT_R8);
}

static void simplify_record(VARIANT *value)
{
    IDispatch *view;
    if (FAILED(record_view_new(value, &view))) {
        error_clear();
        return;
    }
    automation_clear(value);
    V_VT(value) = VT_DISPATCH;
    V_DISPATCH(value) = view;
}

static ULONG count_elements(const SAFEARRAY *array)
{
    ULONG n = 1;
    for (USHORT i = 0; i < array->cDims; i++)
        n *= array->rgsabound[i].cElements;
    return n;
}

static HRESULT copy_element(void *place, VARTYPE vt, IRecordInfo *info, VARIANT *element)
{
    VARIANT reference;
    if (info != NULL) {
        V_VT(&reference) = VT_RECORD;
        V_RECORD(&reference) = place;
        V_RECORDINFO(&reference) = info;
        HRESULT hr = record_view_new(&reference, &V_DISPATCH(element));
        V_VT(element) = SUCCEEDED(hr) ? VT_DISPATCH : VT_EMPTY;
        return hr;
    }
    V_VT(&reference) = VT_BYREF | vt;
    V_BYREF(&reference) = place;
    HRESULT hr = VariantCopyInd(element, &reference);
    script_simplify(element);
    return hr;
}

/* One after the other, as they lie in memory. */
static HRESULT copy_elements(SAFEARRAY *from, VARTYPE vt, SAFEARRAY *to)
{
    VARIANT *elements = to->pvData;
    IRecordInfo *info = NULL;
    ULONG n = count_elements(from);
    HRESULT hr = vt == VT_RECORD ? SafeArrayGetRecordInfo(from, &info) : S_OK;
    for (ULONG i = 0; i < n && SUCCEEDED(hr); i++)
        hr = copy_element((char *)from->pvData + (size_t)i * from->cbElements, vt, info,
                          &elements[i]);
    if (info != NULL)
        IRecordInfo_Release(info);
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
    if (from == NULL)
        return;
    if (vt == VT_VARIANT) {
        for (ULONG i = 0; i < count_elements(from); i++)
            script_simplify((VARIANT *)from->pvData + i);
        return;
    }
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
    case VT_RECORD:
        simplify_record(value);
        break;
    default:
        if (V_VT(value) & VT_ARRAY && !(V_VT(value) & VT_BYREF))
            simplify_array(value);
    }
}

/* The last index comes first in DISPPARAMS. */
HRESULT script_element(const VARIANT *array, const DISPPARAMS *params, VARIANT *element)
{
    LONG indices[16];
    UINT n = params->cArgs;
    VariantInit(element);
    if (V_VT(array) != (VT_ARRAY | VT_VARIANT) || V_ARRAY(array) == NULL ||
        V_ARRAY(array)->cDims != n || n > sizeof indices / sizeof *indices ||
        params->cNamedArgs > 0)
        return S_FALSE;
    for (UINT i = 0; i < n; i++) {
        VARIANT index;
        VariantInit(&index);
        HRESULT hr = VariantCopyInd(&index, &params->rgvarg[n - 1 - i]);
        if (SUCCEEDED(hr))
            hr = VariantChangeType(&index, &index, 0, VT_I4);
        if (SUCCEEDED(hr))
            indices[i] = V_I4(&index);
        VariantClear(&index);
        if (FAILED(hr))
            return error_set(hr, "an index is no number");
    }
    HRESULT hr = SafeArrayGetElement(V_ARRAY(array), indices, element);
    return FAILED(hr) ? error_set(hr, "the array has no such element") : S_OK;
}
