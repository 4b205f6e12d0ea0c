/* Calls by name: values in, values out, by the same payloads as a typed call. */
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/marshal/marshal.h"
#include "com/remote/call.h"
#include "com/remote/describe.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

struct values {
    const struct via_value *in;
    struct via_value *out;
};

static HRESULT encode_values(void *context, const struct marshal_method *method,
                             const struct marshal_pointers *pointers, struct buffer *payload)
{
    struct values *values = context;
    return marshal_encode_values(method, values->in, pointers, payload);
}

static HRESULT decode_values(void *context, const struct marshal_method *method,
                             const struct marshal_pointers *pointers, const uint8_t *payload,
                             size_t size)
{
    struct values *values = context;
    return marshal_decode_values(method, pointers, payload, size, values->out);
}

static HRESULT invoke_proxy(struct import *import, const GUID *iid, const char *name,
                            struct values *values)
{
    const struct marshal_interface *itf;
    HRESULT hr = describe_interface(import, iid, &itf);
    if (FAILED(hr))
        return hr;
    const struct marshal_method *method = marshal_interface_method_named(itf, name);
    if (method == NULL)
        return error_get()->code;
    struct face *face;
    hr = import_face(import, iid, &face);
    if (FAILED(hr))
        return hr;
    static const struct call_form by_name = {encode_values, decode_values};
    return call_remote(import, itf, &face->index, method, &by_name, values);
}

static HRESULT invoke_own(IUnknown *object, const GUID *iid, const char *name,
                          struct values *values)
{
    const struct marshal_interface *itf;
    HRESULT hr = describe_interface(NULL, iid, &itf);
    if (FAILED(hr))
        return hr;
    const struct marshal_method *method = marshal_interface_method_named(itf, name);
    if (method == NULL)
        return error_get()->code;
    void *pointer;
    hr = object->lpVtbl->QueryInterface(object, iid, &pointer);
    if (FAILED(hr)) {
        char text[GUID_TEXT_SIZE];
        return error_set(hr, "the object does not have the interface %s", guid_format(iid, text));
    }
    hr = marshal_invoke_values(method, pointer, values->in, values->out);
    ((IUnknown *)pointer)->lpVtbl->Release(pointer);
    return hr;
}

HRESULT via_invoke(IUnknown *object, const GUID *iid, const char *method,
                   const struct via_value *in, struct via_value *out)
{
    struct values values = {in, out};
    struct import *import = import_of(object);
    GUID own;
    if (iid == NULL && import != NULL && import_default(import, &own))
        iid = &own;
    if (iid == NULL)
        return runtime_publish(error_set(
            E_INVALIDARG, "name the interface: the object was received as IUnknown only"));
    return runtime_publish(import != NULL ? invoke_proxy(import, iid, method, &values)
                                          : invoke_own(object, iid, method, &values));
}
