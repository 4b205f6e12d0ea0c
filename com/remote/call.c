#include "com/remote/call.h"

#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "com/remote/binding.h"
#include "com/remote/frames.h"
#include "com/remote/handles.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/reference.h"
#include "com/remote/runtime.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* Bytes of results that are copied out of the connection's buffer. */
#define REPLY_ROOM 512u

static _Thread_local bool awaits_next;

void call_await_next(bool awaits)
{
    awaits_next = awaits;
}

/* What a call takes along besides its payload. */
struct outward {
    struct reference_out references;
    struct handles_out handles;
    struct link_connection *connection;
    struct link_blocks *blocks; /* NULL: none */
};

/* What a reply brings besides its payload. */
struct inward {
    struct reference_in references;
    struct link_message *reply;
};

static HRESULT get_pointer(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct inward *in = context;
    return reference_in_get(&in->references, index, iid, pointer);
}

static HRESULT take_handle(void *context, uint32_t index, uint32_t kind, intptr_t *handle)
{
    struct inward *in = context;
    return link_handle_in(in->reply, index, (enum os_handle_kind)kind, handle);
}

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

static bool lend(void *context, const void *data, size_t size, size_t position)
{
    struct outward *out = context;
    return link_blocks_add(&out->blocks, out->connection, data, size, position);
}

HRESULT call_path(struct import *import, struct peer **peer)
{
    *peer = import->peer;
    if (import->peer == NULL)
        return import_never_reached(import);
    if (link_connection_is_closed(import->peer->connection))
        return peer_disconnected(import->peer);
    return S_OK;
}

HRESULT call_exchange(struct import *import, const struct link_request *request,
                      struct link_message *reply)
{
    struct peer *peer;
    HRESULT hr = call_path(import, &peer);
    if (FAILED(hr))
        return hr;
    hr = link_call(peer->connection, request, runtime_deadline(import), reply);
    if (hr == RPC_E_DISCONNECTED && link_connection_is_closed(peer->connection))
        return peer_disconnected(peer);
    return hr;
}

/* Reads the answer of a call; the deadline is for the owners of third parties' objects in it. */
static HRESULT read_reply(struct import *import, const struct marshal_method *method,
                          const struct call_form *form, void *context, struct link_message *reply)
{
    struct inward in = {.reply = reply};
    HRESULT code = frame_read_reply(reply);
    HRESULT hr = reference_in_take(&in.references, import->peer, reply);
    if (SUCCEEDED(hr) && (in.references.has_third || in.references.has_local))
        hr = link_message_own(reply); /* the reader must not wait for what comes now */
    if (SUCCEEDED(hr) && in.references.has_third)
        hr = reference_in_connect(&in.references, runtime_deadline(import));
    if (SUCCEEDED(hr))
        hr = FAILED(code) ? code : S_OK;
    if (SUCCEEDED(hr)) {
        const struct marshal_pointers pointers = {
            .context = &in, .get = get_pointer, .take_handle = take_handle};
        hr = form->decode(context, method, &pointers, reply->payload, reply->payload_size);
    }
    link_message_release(reply);
    reference_in_deinit(&in.references);
    return FAILED(hr) ? hr : code;
}

static HRESULT send_call(struct import *import, const struct marshal_method *method,
                         const struct call_form *form, void *context,
                         const struct link_request *request, bool *sent)
{
    struct link_message reply;
    if (request->kind == WIRE_ONEWAY) {
        struct peer *peer;
        HRESULT hr = call_path(import, &peer);
        if (SUCCEEDED(hr))
            hr = link_post(peer->connection, request, runtime_coarse_deadline(import));
        *sent = SUCCEEDED(hr);
        return hr;
    }
    reply.call_id = 0; /* the rest comes with success */
    HRESULT hr = call_exchange(import, request, &reply);
    *sent = SUCCEEDED(hr) || reply.call_id != 0;
    if (hr == RPC_E_TIMEOUT || hr == RPC_E_CALL_CANCELED)
        hr = error_wrap(hr, "%s.%s", method->owner->name, marshal_method_name(method));
    return FAILED(hr) ? hr : read_reply(import, method, form, context, &reply);
}

HRESULT call_remote(struct import *import, const struct marshal_interface *itf,
                    _Atomic uint32_t *bound, const struct marshal_method *method,
                    const struct call_form *form, void *context)
{
    struct peer *peer;
    bool is_oneway = marshal_method_is_oneway(method) && !awaits_next;
    awaits_next = false;
    HRESULT hr = call_path(import, &peer);
    uint32_t index = atomic_load_explicit(bound, memory_order_relaxed);
    if (SUCCEEDED(hr) && index == 0)
        hr = binding_out(peer, itf, &index);
    if (FAILED(hr))
        return hr;
    atomic_store_explicit(bound, index, memory_order_relaxed);
    struct buffer payload;
    uint8_t few[CALL_FEW_BYTES];
    buffer_init_in(&payload, peer_info(peer)->max_message, few, sizeof few);
    /* Nobody says when a one-way call has run: what it passes is copied into its payload. */
    struct outward out;
    out.connection = peer->connection;
    out.blocks = NULL;
    reference_out_init(&out.references, peer);
    handles_out_init(&out.handles, peer->connection);
    const struct marshal_pointers pointers = {.context = &out,
                                              .add = add_pointer,
                                              .add_handle = add_handle,
                                              .lend = is_oneway ? NULL : lend};
    hr = form->encode(context, method, &pointers, &payload);
    bool sent = false;
    if (SUCCEEDED(hr)) {
        uint8_t body[FRAME_CALL_BODY];
        uint64_t reply_room[REPLY_ROOM / 8];
        frame_write_call(body, import->id, index, marshal_method_slot(method));
        if (import->promise != NULL)
            promise_aim(import->promise, body);
        struct link_request request = {.kind = is_oneway ? WIRE_ONEWAY : WIRE_CALL,
                                       .n_references = out.references.n_entries,
                                       .references = out.references.table,
                                       .references_size = out.references.size,
                                       .n_handles = out.handles.n,
                                       .handles = out.handles.carried,
                                       .body = body,
                                       .body_size = sizeof body,
                                       .payload = payload.data,
                                       .payload_size = payload.size,
                                       .reply_room = reply_room,
                                       .reply_room_size = sizeof reply_room,
                                       .blocks = out.blocks};
        hr = send_call(import, method, form, context, &request, &sent);
    }
    reference_out_deinit(&out.references, sent);
    handles_out_deinit(&out.handles);
    if (!sent)
        link_blocks_free(out.blocks);
    buffer_deinit(&payload);
    return hr;
}
