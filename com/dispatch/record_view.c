#include "com/dispatch/record_view.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <viaduct/value.h>

#include "com/abi/error_border.h"
#include "com/dispatch/invoke.h"
#include "com/dispatch/script.h"
#include "com/marshal/marshal.h"
#include "com/marshal/types.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/ref.h"
#include "core/util/utf.h"

/* Read-only but for the count. The id of a field is its index and 1: 0 would be the default member,
 * which a struct has not. */
struct record_view {
    IDispatch IDispatch_iface;
    struct ref refs;
    const struct plan_struct *record;
    struct via_value fields;
};

static struct record_view *record_view_from_IDispatch(IDispatch *iface)
{
    return (struct record_view *)(void *)iface;
}

static HRESULT publish(HRESULT hr)
{
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}

static HRESULT STDMETHODCALLTYPE View_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IDispatch))
        return E_NOINTERFACE;
    IDispatch_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE View_AddRef(IDispatch *iface)
{
    return ref_inc(&record_view_from_IDispatch(iface)->refs);
}

static ULONG STDMETHODCALLTYPE View_Release(IDispatch *iface)
{
    struct record_view *self = record_view_from_IDispatch(iface);
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    via_value_clear(&self->fields);
    free(self);
    return 0;
}

static HRESULT STDMETHODCALLTYPE View_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    if (count == NULL)
        return E_POINTER;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE View_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    if (info == NULL)
        return E_POINTER;
    *info = NULL;
    return E_NOTIMPL;
}

/* DISPID_UNKNOWN: there is none. */
static DISPID id_of(const struct plan_struct *record, LPOLESTR name)
{
    CLEANUP(cleanup_free)
    char *text = name != NULL ? utf_from_wide(name, utf16_length(name)) : NULL;
    for (uint16_t i = 0; text != NULL && i < record->n_fields; i++)
        if (strcasecmp(record->fields[i].name, text) == 0)
            return i + 1;
    return DISPID_UNKNOWN;
}

static HRESULT STDMETHODCALLTYPE View_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names,
                                                    UINT n_names, LCID lcid, DISPID *ids)
{
    const struct plan_struct *record = record_view_from_IDispatch(iface)->record;
    (void)lcid;
    HRESULT hr = dispatch_check_names(iid, names, n_names, ids);
    if (FAILED(hr))
        return publish(hr);
    ids[0] = id_of(record, names[0]);
    if (ids[0] == DISPID_UNKNOWN)
        hr = error_set(DISP_E_UNKNOWNNAME, "struct %s has no field of that name", record->name);
    else if (n_names > 1)
        hr = error_set(DISP_E_UNKNOWNNAME, "field %s.%s takes no arguments", record->name,
                       record->fields[ids[0] - 1].name);
    return publish(hr);
}

/* The value becomes its element. */
static HRESULT pick(const char *record, const char *field, const DISPPARAMS *params, VARIANT *value)
{
    VARIANT element;
    HRESULT hr = script_element(value, params, &element);
    if (hr == S_FALSE)
        hr = error_set(DISP_E_BADPARAMCOUNT, "field %s.%s takes no arguments, or others", record,
                       field);
    VariantClear(value);
    *value = element;
    return hr;
}

static HRESULT read(const struct record_view *self, DISPID id, WORD flags, const DISPPARAMS *params,
                    VARIANT *value)
{
    const struct plan_struct *record = self->record;
    if (id < 1 || id > record->n_fields)
        return error_set(DISP_E_MEMBERNOTFOUND, "struct %s has no member %d", record->name,
                         (int)id);
    uint16_t field = (uint16_t)(id - 1);
    const char *name = record->fields[field].name;
    if ((flags & (DISPATCH_PROPERTYGET | DISPATCH_METHOD)) == 0)
        return error_set(DISP_E_MEMBERNOTFOUND,
                         "field %s.%s cannot be set: what a call has returned is a value. Pass an "
                         "object with properties of these names",
                         record->name, name);
    const struct via_value *found = via_value_field(&self->fields, name);
    HRESULT hr = found != NULL
                     ? marshal_field_to_variant(record, field, found, value)
                     : error_set(E_UNEXPECTED, "field %s.%s has no value", record->name, name);
    if (FAILED(hr))
        return hr;
    script_simplify(value);
    return params->cArgs > 0 ? pick(record->name, name, params, value) : S_OK;
}

static HRESULT STDMETHODCALLTYPE View_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    VARIANT value;
    (void)lcid, (void)exception, (void)wrong;
    VariantInit(&value);
    if (result != NULL)
        VariantInit(result);
    HRESULT hr = dispatch_check_params(iid, params);
    if (SUCCEEDED(hr))
        hr = read(record_view_from_IDispatch(iface), id, flags, params, &value);
    if (result != NULL)
        *result = value;
    else
        VariantClear(&value);
    return publish(hr);
}

static const IDispatchVtbl view_vtable = {
    View_QueryInterface, View_AddRef,        View_Release, View_GetTypeInfoCount,
    View_GetTypeInfo,    View_GetIDsOfNames, View_Invoke,
};

HRESULT record_view_new(const VARIANT *record, IDispatch **view)
{
    struct record_view *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a struct");
    HRESULT hr = marshal_record_from_variant(record, &self->record, &self->fields);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    self->IDispatch_iface.lpVtbl = (IDispatchVtbl *)&view_vtable;
    ref_init(&self->refs);
    *view = &self->IDispatch_iface;
    return S_OK;
}

HRESULT record_view_open(IDispatch *object, const struct plan_struct *record, VARIANT *opened)
{
    const struct record_view *self = record_view_from_IDispatch(object);
    if (object->lpVtbl != &view_vtable || self->record != record)
        return S_FALSE;
    return marshal_record_to_variant(record, &self->fields, opened);
}
