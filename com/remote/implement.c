/*
 * Objects by name: a vtable of closures whose calls all come to one handler.
 *
 * An object has one interface pointer for its interface, all bases of that and IUnknown, whose
 * slots begin every one of those vtables; so identity needs nothing more. The vtable belongs to the
 * interface and is shared by all objects of it.
 */
#include "com/remote/implement.h"

#include <stdlib.h>

#include "com/abi/guid.h"
#include "com/dispatch/invoke.h"
#include "com/marshal/marshal.h"
#include "com/remote/describe.h"
#include "com/remote/import.h"
#include "com/remote/late.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/util/ref.h"

/* Read-only but for the count. */
struct implemented {
    const void *const *vtable; /* first, as in every COM object */
    const struct marshal_interface *itf;
    struct ref refs;
    via_method_handler handler;
    void (*released)(void *context);
    void *context;
};

static HRESULT STDMETHODCALLTYPE Implemented_QueryInterface(void *pointer, REFIID iid,
                                                            void **object)
{
    struct implemented *self = pointer;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!marshal_interface_has_base(self->itf, iid))
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Implemented_AddRef(void *pointer)
{
    return ref_inc(&((struct implemented *)pointer)->refs);
}

static ULONG STDMETHODCALLTYPE Implemented_Release(void *pointer)
{
    struct implemented *self = pointer;
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    if (self->released != NULL)
        self->released(self->context);
    free(self);
    return 0;
}

static HRESULT answer(void *pointer, const struct marshal_method *method, void **arguments)
{
    struct implemented *self = pointer;
    return marshal_answer_values(method, arguments, self->handler, self->context);
}

static const void *const unknown_slots[3] = {
    (const void *)(uintptr_t)Implemented_QueryInterface,
    (const void *)(uintptr_t)Implemented_AddRef,
    (const void *)(uintptr_t)Implemented_Release,
};

/* --- IDispatch, where the interface derives from that --- */

static HRESULT STDMETHODCALLTYPE Implemented_GetTypeInfoCount(void *pointer, UINT *count)
{
    (void)pointer;
    if (count == NULL)
        return E_POINTER;
    *count = 1;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Implemented_GetTypeInfo(void *pointer, UINT index, LCID lcid,
                                                         ITypeInfo **info)
{
    struct implemented *self = pointer;
    (void)lcid;
    if (info == NULL)
        return E_POINTER;
    *info = NULL;
    return runtime_publish(late_type_info(self->itf, index, info));
}

static HRESULT STDMETHODCALLTYPE Implemented_GetIDsOfNames(void *pointer, REFIID iid,
                                                           LPOLESTR *names, UINT n_names, LCID lcid,
                                                           DISPID *ids)
{
    struct implemented *self = pointer;
    const struct dispatch_set set = {.n = 1, .interfaces = {self->itf}};
    (void)lcid;
    return late_object_get_ids(&set, iid, names, n_names, ids);
}

/* A member of a dispinterface has no slot to be called by; the handler gets values of its
 * parameters' types all the same. */
static HRESULT call_handler(void *context, const struct marshal_method *method,
                            const struct via_value *in, struct via_value *out, bool *is_called)
{
    struct implemented *self = context;
    struct marshal_invocation *invocation;
    HRESULT hr = marshal_values_to_invocation(method, in, &invocation);
    if (FAILED(hr))
        return runtime_publish(hr);
    *is_called = true;
    hr = answer(self, method, marshal_invocation_arguments(invocation));
    if (SUCCEEDED(hr)) {
        HRESULT given = marshal_invocation_to_values(invocation, true, out);
        hr = FAILED(given) ? runtime_publish(given) : hr;
    }
    marshal_invocation_free(invocation);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Implemented_Invoke(void *pointer, DISPID id, REFIID iid, LCID lcid,
                                                    WORD flags, DISPPARAMS *params, VARIANT *result,
                                                    EXCEPINFO *exception, UINT *wrong)
{
    struct implemented *self = pointer;
    const struct dispatch_set set = {.n = 1, .interfaces = {self->itf}};
    (void)lcid;
    if (!marshal_interface_is_dispinterface(self->itf))
        return late_object_invoke(pointer, &set, id, iid, flags, params, result, exception, wrong);
    const struct dispatch_target target = {.itf = self->itf, .call = call_handler, .context = self};
    HRESULT hr = dispatch_check_params(iid, params);
    if (SUCCEEDED(hr))
        hr = dispatch_invoke(&target, id, flags, params, result, exception, wrong);
    return hr == DISP_E_EXCEPTION ? hr : runtime_publish(hr);
}

static const void *const dispatch_slots[4] = {
    (const void *)(uintptr_t)Implemented_GetTypeInfoCount,
    (const void *)(uintptr_t)Implemented_GetTypeInfo,
    (const void *)(uintptr_t)Implemented_GetIDsOfNames,
    (const void *)(uintptr_t)Implemented_Invoke,
};

static const struct marshal_vtable_kind implemented_kind = {unknown_slots, answer, dispatch_slots};

static HRESULT make(const struct marshal_interface *itf, struct implemented **result)
{
    char text[GUID_TEXT_SIZE];
    struct implemented *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an object that implements interface %s",
                         guid_format(marshal_interface_iid(itf), text));
    self->vtable = marshal_interface_vtable(itf, &implemented_kind);
    if (self->vtable == NULL) {
        free(self);
        return error_wrap(E_OUTOFMEMORY, "interface %s cannot be implemented",
                          guid_format(marshal_interface_iid(itf), text));
    }
    self->itf = itf;
    ref_init(&self->refs);
    *result = self;
    return S_OK;
}

HRESULT implement_interface(const struct marshal_interface *itf, via_method_handler handler,
                            void *context, void (*released)(void *context), void **object)
{
    struct implemented *self = NULL;
    HRESULT hr = make(itf, &self);
    if (FAILED(hr))
        return hr;
    self->handler = handler;
    self->released = released;
    self->context = context;
    *object = self;
    return S_OK;
}

HRESULT via_implement(REFIID iid, IUnknown *described_by, via_method_handler handler, void *context,
                      void (*released)(void *context), void **object)
{
    const struct marshal_interface *itf;
    *object = NULL;
    if (handler == NULL)
        return runtime_publish(error_set(E_POINTER, "via_implement() needs a handler"));
    HRESULT hr = describe_interface(import_of(described_by), iid, &itf);
    if (SUCCEEDED(hr))
        hr = implement_interface(itf, handler, context, released, object);
    return runtime_publish(hr);
}
