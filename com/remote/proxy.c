#include "com/remote/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "com/abi/error_border.h"
#include "com/marshal/marshal.h"
#include "com/remote/agile.h"
#include "com/remote/call.h"
#include "com/remote/class_info.h"
#include "com/remote/describe.h"
#include "com/remote/frames.h"
#include "com/remote/guest.h"
#include "com/remote/import.h"
#include "com/remote/late.h"
#include "com/remote/local_slots.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/reference.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* --- IUnknown --- */

HRESULT STDMETHODCALLTYPE proxy_QueryInterface(void *pointer, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    struct import *import = ((struct face *)pointer)->import;
    return runtime_publish(proxy_query(import, iid, object));
}

ULONG STDMETHODCALLTYPE proxy_AddRef(void *pointer)
{
    struct import *import = ((struct face *)pointer)->import;
    return (ULONG)atomic_fetch_add_explicit(&import->refs, 1, memory_order_relaxed) + 1;
}

ULONG STDMETHODCALLTYPE proxy_Release(void *pointer)
{
    return import_unref(((struct face *)pointer)->import);
}

const void *const proxy_unknown_vtable[3] = {
    (const void *)(uintptr_t)proxy_QueryInterface,
    (const void *)(uintptr_t)proxy_AddRef,
    (const void *)(uintptr_t)proxy_Release,
};

/* Asks the object's owner. */
static HRESULT ask(struct import *import, const GUID *iid)
{
    uint8_t body[FRAME_QUERY_BODY];
    frame_write_query(body, import->id, iid);
    struct link_request request = {
        .kind = WIRE_QUERY_INTERFACE, .body = body, .body_size = sizeof body};
    struct link_message reply;
    HRESULT hr = call_exchange(import, &request, &reply);
    if (SUCCEEDED(hr)) {
        reference_drop(import->peer, &reply);
        link_message_release(&reply);
    } else if (hr == E_NOINTERFACE) {
        import_refused(import, iid);
    }
    return hr;
}

/* What the object has, and this process may have no description of. */
static HRESULT find_face(struct import *import, const GUID *iid, struct face **face)
{
    HRESULT hr = import_face(import, iid, face);
    if (hr != REGDB_E_IIDNOTREG || !guest_is_there())
        return hr;
    const struct marshal_interface *itf;
    error_clear();
    hr = describe_interface(import, iid, &itf);
    return SUCCEEDED(hr) ? import_face(import, iid, face) : hr;
}

HRESULT proxy_query(struct import *import, const GUID *iid, void **object)
{
    struct face *face = NULL;
    HRESULT side = guest_knows(iid);
    if (FAILED(side))
        return side;
    if (import->promise != NULL && side == S_FALSE)
        return promise_query(import, iid, object);
    HRESULT hr = side == S_OK ? S_OK : import_known(import, iid, &face);
    if (IsEqualGUID(iid, &IID_IDispatch))
        hr = late_query(import, &face);
    else if (class_info_is(iid))
        hr = class_info_query(import, iid, &face);
    else if (agile_is(iid))
        hr = S_OK;
    else if (hr == S_FALSE)
        hr = ask(import, iid);
    if (SUCCEEDED(hr) && face == NULL)
        hr = find_face(import, iid, &face);
    if (FAILED(hr))
        return hr;
    import_ref(import);
    *object = face;
    return S_OK;
}

/* --- every other slot --- */

static HRESULT encode_typed(void *context, const struct marshal_method *method,
                            const struct marshal_pointers *pointers, struct buffer *payload)
{
    return marshal_encode_arguments(method, context, pointers, payload);
}

static HRESULT decode_typed(void *context, const struct marshal_method *method,
                            const struct marshal_pointers *pointers, const uint8_t *payload,
                            size_t size)
{
    return marshal_decode_results(method, context, pointers, payload, size);
}

HRESULT proxy_call(void *pointer, const struct marshal_method *method, void **arguments)
{
    struct face *face = pointer;
    if (face->import->promise != NULL)
        return runtime_publish(promise_call(face, method, arguments));
    return runtime_publish(proxy_call_typed(face, method, arguments));
}

HRESULT proxy_call_typed(struct face *face, const struct marshal_method *method, void **arguments)
{
    static const struct call_form typed = {encode_typed, decode_typed};
    HRESULT hr = call_remote(face->import, face->itf, &face->index, method, &typed, arguments);
    if (FAILED(hr))
        marshal_clear_results(method, arguments);
    return hr;
}

const void *const *proxy_vtable(const struct marshal_interface *itf)
{
    static const struct marshal_vtable_kind kind = {proxy_unknown_vtable, proxy_call,
                                                    late_proxy_slots};
    const void *const *own = local_slots_find(itf);
    return own != NULL ? own : marshal_interface_vtable(itf, &kind);
}
