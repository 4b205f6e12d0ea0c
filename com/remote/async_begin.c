/*
 * The beginning of an asynchronous call: on a proxy its frame leaves, on a promised object as a
 * call on the result that is to come, where that is possible. On an object of this process the
 * method runs here, and only its results wait.
 */
#include "com/remote/async_parts.h"

#include <viaduct/async.h>

#include "com/marshal/marshal.h"
#include "com/remote/binding.h"
#include "com/remote/call.h"
#include "com/remote/frames.h"
#include "com/remote/handles.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* What goes with a call besides its payload. */
struct outward {
    struct reference_out references;
    struct handles_out handles;
};

static HRESULT add_pointer(void *context, IUnknown *object, uint32_t *index)
{
    struct outward *out = context;
    return reference_out_add(&out->references, object, index);
}

static HRESULT add_handle(void *context, intptr_t handle, uint32_t kind, uint32_t *index)
{
    struct outward *out = context;
    return handles_out_add(&out->handles, handle, kind, index);
}

/* Its results may be named before they are there. */
static bool keep(struct peer *peer, const struct marshal_method *method, uint8_t *body)
{
    if (!peer_info(peer)->takes_results || !marshal_method_has_object(method, 0))
        return false;
    if (atomic_fetch_add_explicit(&peer->n_kept_out, 1, memory_order_relaxed) >= WIRE_MAX_KEPT) {
        atomic_fetch_sub_explicit(&peer->n_kept_out, 1, memory_order_relaxed);
        return false;
    }
    frame_keep_results(body);
    return true;
}

static HRESULT send_call(struct via_call *call, struct peer *peer, uint32_t index,
                         const struct outward *out, const struct buffer *payload)
{
    struct import *import = call->import;
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, import->id, index, marshal_method_slot(call->method));
    if (import->promise != NULL)
        promise_aim(import->promise, body);
    struct link_request request = {.kind = WIRE_CALL,
                                   .n_references = out->references.n_entries,
                                   .references = out->references.table,
                                   .references_size = out->references.size,
                                   .n_handles = out->handles.n,
                                   .handles = out->handles.carried,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload->data,
                                   .payload_size = payload->size};
    call->is_kept = keep(peer, call->method, body);
    atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
    if (import->promise != NULL)
        async_hold(call); /* until it has ended: it may have to be made again */
    HRESULT hr = link_begin(peer->connection, &request, runtime_deadline(import), async_link_ended,
                            call, &call->async);
    if (SUCCEEDED(hr))
        return hr;
    if (call->is_kept)
        atomic_fetch_sub_explicit(&peer->n_kept_out, 1, memory_order_relaxed);
    call->is_kept = false;
    async_unref(call);
    return hr;
}

static HRESULT begin_remote(struct via_call *call, uint32_t index, void **arguments)
{
    struct import *import = call->import;
    struct peer *peer;
    HRESULT hr = call_path(import, &peer);
    if (FAILED(hr))
        return hr;
    struct buffer payload;
    uint8_t few[CALL_FEW_BYTES];
    buffer_init_in(&payload, peer_info(peer)->max_message, few, sizeof few);
    struct outward out;
    reference_out_init(&out.references, peer);
    handles_out_init(&out.handles, peer->connection);
    /* Everything is copied: nobody says how long the caller's memory stays. */
    const struct marshal_pointers pointers = {
        .context = &out, .add = add_pointer, .add_handle = add_handle};
    hr = marshal_encode_arguments(call->method, arguments, &pointers, &payload);
    if (SUCCEEDED(hr) && import->promise != NULL) {
        const struct marshal_pointers again = parcel_pointers(&call->arguments);
        hr = marshal_encode_arguments(call->method, arguments, &again, &call->arguments.payload);
    }
    if (SUCCEEDED(hr))
        hr = send_call(call, peer, index, &out, &payload);
    reference_out_deinit(&out.references, SUCCEEDED(hr));
    handles_out_deinit(&out.handles);
    buffer_deinit(&payload);
    return hr;
}

/* The call is made here and now; what it returned waits. */
static HRESULT run_local(struct via_call *call, void *object, void **arguments)
{
    struct parcel in;
    parcel_init(&in);
    struct marshal_pointers pointers = parcel_pointers(&in);
    HRESULT hr = marshal_encode_arguments(call->method, arguments, &pointers, &in.payload);
    if (SUCCEEDED(hr)) {
        call->code = parcel_invoke(call->method, object, &in, &call->parcel);
        call->error = FAILED(call->code) ? error_take() : NULL;
        async_take_parcel(call);
        call->state = ASYNC_READY;
        call->is_over = true;
    }
    parcel_deinit(&in);
    return hr;
}

/* The interface that a proxy's pointer is of knows the slots of its bases, too. */
static const struct marshal_interface *interface_of(struct import *import, void *object,
                                                    const GUID *iid)
{
    const struct face *face = import != NULL ? object : NULL;
    if (face != NULL && face->itf != NULL &&
        (IsEqualGUID(&face->iid, iid) || marshal_interface_has_base(face->itf, iid)))
        return face->itf;
    return marshal_interface_find(iid);
}

static HRESULT bind(struct import *import, struct face *face, const struct marshal_interface *itf,
                    uint32_t *index)
{
    struct peer *peer;
    *index =
        face->itf == itf ? atomic_load_explicit(&face->index, memory_order_relaxed) : (uint32_t)0;
    if (*index != 0)
        return S_OK;
    HRESULT hr = call_path(import, &peer);
    if (SUCCEEDED(hr))
        hr = binding_out(peer, itf, index);
    if (SUCCEEDED(hr) && face->itf == itf)
        atomic_store_explicit(&face->index, *index, memory_order_relaxed);
    return hr;
}

static HRESULT begin(void *object, struct import *import, const GUID *iid, unsigned slot, void **in,
                     struct via_call **result)
{
    const struct marshal_interface *itf = interface_of(import, object, iid);
    const struct marshal_method *method = itf != NULL ? marshal_interface_method(itf, slot) : NULL;
    uint32_t index = 0;
    if (itf == NULL)
        return error_get()->code;
    if (method == NULL)
        return error_set(E_INVALIDARG, "the interface has no method in slot %u", slot);
    HRESULT hr = import != NULL ? bind(import, object, itf, &index) : S_OK;
    if (FAILED(hr))
        return hr;
    struct via_call *call = async_new(import, method);
    if (call == NULL)
        return E_OUTOFMEMORY;
    void *arguments[MARSHAL_MAX_PARAMS];
    marshal_join_arguments(method, in, arguments);
    marshal_note_sizes(method, arguments, call->sizes);
    hr = import != NULL ? begin_remote(call, index, arguments) : run_local(call, object, arguments);
    if (FAILED(hr)) {
        struct error_record *why = error_take();
        async_unref(call);
        error_give(why);
        return hr;
    }
    *result = call;
    return S_OK;
}

/* On a promised object: at once where that is possible, else on what it turns out to be. */
static HRESULT begin_promised(void *object, struct import *import, const GUID *iid, unsigned slot,
                              void **in, struct via_call **result)
{
    struct via_call *target;
    IUnknown *real;
    IUnknown *pointer;
    HRESULT hr;
    if (promise_enter(import->promise, &target)) {
        hr = begin(object, import, iid, slot, in, result);
        via_call_release(target);
        return hr;
    }
    hr = promise_object(import, &real);
    if (FAILED(hr))
        return hr;
    hr = real->lpVtbl->QueryInterface(real, iid, (void **)&pointer);
    real->lpVtbl->Release(real);
    if (FAILED(hr))
        return hr;
    hr = begin(pointer, import_of(pointer), iid, slot, in, result);
    pointer->lpVtbl->Release(pointer);
    return hr;
}

HRESULT via_call_begin(void *object, REFIID iid, unsigned slot, void **arguments,
                       struct via_call **call)
{
    *call = NULL;
    struct import *import = import_of(object);
    bool is_promised = import != NULL && import->promise != NULL;
    return runtime_publish(is_promised ? begin_promised(object, import, iid, slot, arguments, call)
                                       : begin(object, import, iid, slot, arguments, call));
}
