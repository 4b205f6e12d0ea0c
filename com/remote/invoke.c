/* Calls by name: values in, values out, by the same payloads as a typed call. */
#include "com/remote/invoke.h"

#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "com/dispatch/invoke.h"
#include "com/marshal/marshal.h"
#include "com/remote/call.h"
#include "com/remote/describe.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/promise.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

struct values {
    const struct via_value *in;
    struct via_value *out;
    bool *is_called;
};

static HRESULT encode_values(void *context, const struct marshal_method *method,
                             const struct marshal_pointers *pointers, struct buffer *payload)
{
    struct values *values = context;
    HRESULT hr = marshal_encode_values(method, values->in, pointers, payload);
    *values->is_called = SUCCEEDED(hr);
    return hr;
}

static HRESULT decode_values(void *context, const struct marshal_method *method,
                             const struct marshal_pointers *pointers, const uint8_t *payload,
                             size_t size)
{
    struct values *values = context;
    return marshal_decode_values(method, values->in, pointers, payload, size, values->out);
}

HRESULT invoke_proxy(struct import *import, const struct marshal_method *method,
                     const struct via_value *in, struct via_value *out, bool *is_called)
{
    const struct marshal_interface *itf = marshal_method_interface(method);
    struct values values = {in, out, is_called};
    struct face *face;
    *is_called = false;
    HRESULT hr = import_face(import, marshal_interface_iid(itf), &face);
    if (FAILED(hr))
        return hr;
    if (marshal_interface_is_dispinterface(itf))
        return dispatch_pass_on((IDispatch *)(void *)face, method, in, out, is_called);
    static const struct call_form by_name = {encode_values, decode_values};
    return call_remote(import, itf, &face->index, method, &by_name, &values);
}

/* What the method has left stays; what is wrong with its results is not there yet. */
static void publish_missing(HRESULT hr)
{
    IErrorInfo *info = NULL;
    if (GetErrorInfo(0, &info) != S_OK) {
        error_border_publish(hr);
        return;
    }
    SetErrorInfo(0, info);
    IErrorInfo_Release(info);
}

HRESULT invoke_object(IUnknown *object, const struct marshal_method *method,
                      const struct via_value *in, struct via_value *out, bool *is_called)
{
    const GUID *iid = marshal_interface_iid(marshal_method_interface(method));
    struct marshal_invocation *invocation;
    void *pointer;
    *is_called = false;
    HRESULT hr = object->lpVtbl->QueryInterface(object, iid, &pointer);
    if (FAILED(hr)) {
        char text[GUID_TEXT_SIZE];
        return error_set(hr, "the object does not have the interface %s", guid_format(iid, text));
    }
    if (marshal_interface_is_dispinterface(marshal_method_interface(method))) {
        hr = dispatch_pass_on(pointer, method, in, out, is_called);
        ((IUnknown *)pointer)->lpVtbl->Release(pointer);
        return hr;
    }
    hr = marshal_values_to_invocation(method, in, &invocation);
    if (SUCCEEDED(hr)) {
        *is_called = true;
        error_border_clear();
        hr = marshal_run_values(invocation, pointer, out);
        if (FAILED(hr))
            publish_missing(hr);
        marshal_invocation_free(invocation);
    }
    ((IUnknown *)pointer)->lpVtbl->Release(pointer);
    return hr;
}

static HRESULT invoke_values(IUnknown *object, struct import *import, const GUID *iid,
                             const char *name, const struct via_value *in, struct via_value *out)
{
    const struct marshal_interface *itf;
    const struct marshal_method *method = NULL;
    bool is_called = false;
    GUID own;
    if (iid == NULL && import != NULL && import_default(import, &own))
        iid = &own;
    if (iid == NULL)
        return runtime_publish(error_set(
            E_INVALIDARG, "name the interface: the object was received as IUnknown only"));
    HRESULT hr = describe_interface(import, iid, &itf);
    if (SUCCEEDED(hr) && (method = marshal_interface_method_named(itf, name)) == NULL)
        hr = error_get()->code;
    if (SUCCEEDED(hr))
        hr = import != NULL ? invoke_proxy(import, method, in, out, &is_called)
                            : invoke_object(object, method, in, out, &is_called);
    return import == NULL && is_called ? hr : runtime_publish(hr);
}

HRESULT via_invoke_values(IUnknown *object, const GUID *iid, const char *name,
                          const struct via_value *in, struct via_value *out)
{
    struct import *import;
    IUnknown *real;
    HRESULT hr = promise_unwrap(object, &real, &import);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = invoke_values(real, import, iid, name, in, out);
    real->lpVtbl->Release(real);
    return hr;
}
