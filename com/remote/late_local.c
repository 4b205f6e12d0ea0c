/*
 * IDispatch for an object of this process that has none: a pointer of its own that calls the
 * object's vtables. All other interfaces, IUnknown among them, are the object's.
 */
#include <stdlib.h>
#include <viaduct/late.h>

#include "com/dispatch/invoke.h"
#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/invoke.h"
#include "com/remote/late.h"
#include "com/remote/runtime.h"
#include "com/typeinfo/objects.h"
#include "core/util/error.h"
#include "core/util/ref.h"

/* Read-only but for the count. */
struct late_local {
    const void *const *vtable; /* first, as in every COM object */
    struct ref refs;
    IUnknown *object; /* a reference */
    struct dispatch_set set;
};

static HRESULT STDMETHODCALLTYPE local_QueryInterface(void *pointer, REFIID iid, void **object)
{
    struct late_local *self = pointer;
    if (object == NULL)
        return E_POINTER;
    if (!IsEqualGUID(iid, &IID_IDispatch))
        return self->object->lpVtbl->QueryInterface(self->object, iid, object);
    ref_inc(&self->refs);
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE local_AddRef(void *pointer)
{
    return ref_inc(&((struct late_local *)pointer)->refs);
}

static ULONG STDMETHODCALLTYPE local_Release(void *pointer)
{
    struct late_local *self = pointer;
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    self->object->lpVtbl->Release(self->object);
    free(self);
    return 0;
}

const struct marshal_interface *late_type_info_subject(const struct dispatch_set *set,
                                                       bool has_dispatch)
{
    if (set->n == 0 ||
        (has_dispatch && !marshal_interface_has_base(set->interfaces[0], &IID_IDispatch)))
        return NULL;
    return set->interfaces[0];
}

HRESULT late_type_info(const struct marshal_interface *subject, UINT index, ITypeInfo **info)
{
    if (subject == NULL)
        return E_NOTIMPL;
    if (index != 0)
        return error_set(DISP_E_BADINDEX, "an object has one type information, number 0");
    return type_info_of_dispatch(subject, info);
}

static HRESULT STDMETHODCALLTYPE local_GetTypeInfoCount(void *pointer, UINT *count)
{
    struct late_local *self = pointer;
    if (count == NULL)
        return E_POINTER;
    *count = late_type_info_subject(&self->set, false) != NULL;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE local_GetTypeInfo(void *pointer, UINT index, LCID lcid,
                                                   ITypeInfo **info)
{
    struct late_local *self = pointer;
    (void)lcid;
    if (info == NULL)
        return E_POINTER;
    *info = NULL;
    return runtime_publish(late_type_info(late_type_info_subject(&self->set, false), index, info));
}

HRESULT late_object_get_ids(const struct dispatch_set *set, REFIID iid, LPOLESTR *names,
                            UINT n_names, DISPID *ids)
{
    HRESULT hr = dispatch_check_names(iid, names, n_names, ids);
    if (SUCCEEDED(hr))
        hr = dispatch_set_get_ids(set, names, n_names, ids);
    return runtime_publish(hr);
}

static HRESULT call_by_values(void *context, const struct marshal_method *method,
                              const struct via_value *in, struct via_value *out, bool *is_called)
{
    HRESULT hr = invoke_object(context, method, in, out, is_called);
    return *is_called ? hr : runtime_publish(hr);
}

HRESULT late_object_invoke(IUnknown *object, const struct dispatch_set *set, DISPID id, REFIID iid,
                           WORD flags, DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                           UINT *wrong)
{
    struct dispatch_target target = {.call = call_by_values, .context = object};
    HRESULT hr = dispatch_check_params(iid, params);
    if (SUCCEEDED(hr) && (target.itf = dispatch_set_find(set, &id)) == NULL)
        hr = DISP_E_MEMBERNOTFOUND;
    if (SUCCEEDED(hr))
        hr = dispatch_invoke(&target, id, flags, params, result, exception, wrong);
    return hr == DISP_E_EXCEPTION ? hr : runtime_publish(hr);
}

static HRESULT STDMETHODCALLTYPE local_GetIDsOfNames(void *pointer, REFIID iid, LPOLESTR *names,
                                                     UINT n_names, LCID lcid, DISPID *ids)
{
    struct late_local *self = pointer;
    (void)lcid;
    return late_object_get_ids(&self->set, iid, names, n_names, ids);
}

static HRESULT STDMETHODCALLTYPE local_Invoke(void *pointer, DISPID id, REFIID iid, LCID lcid,
                                              WORD flags, DISPPARAMS *params, VARIANT *result,
                                              EXCEPINFO *exception, UINT *wrong)
{
    struct late_local *self = pointer;
    (void)lcid;
    return late_object_invoke(self->object, &self->set, id, iid, flags, params, result, exception,
                              wrong);
}

static const void *const local_vtable[7] = {
    (const void *)(uintptr_t)local_QueryInterface, (const void *)(uintptr_t)local_AddRef,
    (const void *)(uintptr_t)local_Release,        (const void *)(uintptr_t)local_GetTypeInfoCount,
    (const void *)(uintptr_t)local_GetTypeInfo,    (const void *)(uintptr_t)local_GetIDsOfNames,
    (const void *)(uintptr_t)local_Invoke,
};

HRESULT late_local_new(IUnknown *object, IDispatch **dispatch)
{
    struct dispatch_set set;
    bool has_dispatch;
    HRESULT hr = interfaces_of_object(object, &set, &has_dispatch);
    if (FAILED(hr))
        return hr;
    if (set.n == 0)
        return error_set(E_NOINTERFACE, "this process describes none of the object's interfaces: "
                                        "register its type library with via_register_typelib()");
    struct late_local *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an IDispatch");
    self->vtable = local_vtable;
    ref_init(&self->refs);
    object->lpVtbl->AddRef(object);
    self->object = object;
    self->set = set;
    *dispatch = (IDispatch *)(void *)self;
    return S_OK;
}

HRESULT via_get_dispatch(IUnknown *object, IDispatch **dispatch)
{
    *dispatch = NULL;
    if (object == NULL)
        return runtime_publish(error_set(E_POINTER, "via_get_dispatch() needs an object"));
    HRESULT hr = object->lpVtbl->QueryInterface(object, &IID_IDispatch, (void **)dispatch);
    if (SUCCEEDED(hr) || import_of(object) != NULL)
        return hr;
    return runtime_publish(late_local_new(object, dispatch));
}
