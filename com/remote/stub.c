#include "com/remote/stub.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/abi/error_border.h"
#include "com/marshal/marshal.h"
#include "com/remote/call.h"
#include "com/remote/export.h"
#include "com/remote/foreign.h"
#include "com/remote/forward.h"
#include "com/remote/frames.h"
#include "com/remote/handles.h"
#include "com/remote/hang.h"
#include "com/remote/kept.h"
#include "com/abi/guid.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/stream_slots.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/wire/frame.h"

/* --- arrival --- */

static void run_queued(struct gate_item *item)
{
    struct stub_call *call = (struct stub_call *)item;
    link_message_run(call->message);
}

/* Answers a call that is not run, with the thread's error; a one-way call's is only counted. */
static void answer_failure(struct peer *peer, struct link_message *message, HRESULT code, bool ran)
{
    if (message->kind == WIRE_CALL) {
        link_reply_error(message, ran && code == VIA_E_ELSEWHERE ? E_UNEXPECTED : code, ran);
        return;
    }
    char text[ERROR_TEXT_SIZE];
    atomic_fetch_add_explicit(&peer->node->n_failed_oneways, 1, memory_order_relaxed);
    log_debug("remote", "a one-way call of process %" PRIu32 " failed: %s",
              peer_info(peer)->process_id, error_format(error_get(), code, text, sizeof text));
    error_clear();
}

/* Before its references are looked at. */
static enum link_route refuse(struct peer *peer, struct stub_call *call, HRESULT code)
{
    struct link_message *message = call->message;
    struct error_record *why = error_take();
    reference_settle(peer, message->references, message->references_size, message->n_references);
    error_give(why);
    kept_answer(call->kept, NULL, NULL, NULL, code);
    answer_failure(peer, message, code, false);
    return LINK_ROUTE_REFUSED;
}

_Static_assert(sizeof(struct stub_call) <= LINK_ROOM_SIZE, "it is in the message's room");

static void start(struct stub_call *ready)
{
    gate_pass(&ready->item);
}

/* The end of a call, but for its context; what may start now that a one-way call is done does. */
static void end_call(struct stub_call *call)
{
    if (call->item.refusal != NULL)
        error_record_free(call->item.refusal);
    reference_in_deinit(&call->references);
    if (call->resolve_error != NULL)
        error_record_free(call->resolve_error);
    kept_unref(call->target);
    if (call->entry != NULL)
        peer_leave(call->entry, call, start);
}

/* After that, before it runs. */
static enum link_route refuse_resolved(struct peer *peer, struct stub_call *call, HRESULT code)
{
    kept_answer(call->kept, NULL, NULL, NULL, code);
    answer_failure(peer, call->message, code, false);
    end_call(call);
    return LINK_ROUTE_REFUSED;
}

static enum link_route queue(struct peer *peer, struct stub_call *call, bool is_ordered)
{
    HRESULT hr = link_message_own(call->message); /* it outlives the receive buffer */
    if (FAILED(hr)) {
        call->has_order &= is_ordered;
        return refuse_resolved(peer, call, hr);
    }
    if (is_ordered || peer_order_enter(call->entry, call))
        gate_pass(&call->item);
    return LINK_ROUTE_QUEUED;
}

/* A probe must not wait for what it looks for: a one-way call on the same root object may. */
static bool is_probe(struct peer *peer, const struct link_message *message,
                     const struct frame_call *frame)
{
    return frame->object == 0 && message->kind == WIRE_ONEWAY &&
           binding_is(peer, frame->interface_index, &IID_INode);
}

/* Field by field: most of the item is for calls that queue. */
static void init_call(struct stub_call *call, struct peer *peer, struct link_message *message,
                      const struct frame_call *frame)
{
    call->message = message;
    call->entry = NULL;
    call->target = call->kept = NULL;
    call->is_oneway = message->kind == WIRE_ONEWAY;
    call->has_order = !is_probe(peer, message, frame);
    call->resolve_error = NULL;
    call->item.refusal = NULL;
    call->item.call = (struct gate_call){.peer = peer,
                                         .call_id = call->is_oneway ? 0 : message->call_id,
                                         .chain = frame->chain,
                                         .interface_index = frame->interface_index,
                                         .slot = frame->slot};
    call->item.is_awaited = !call->is_oneway;
    call->item.node = peer->node;
    call->item.run = run_queued;
}

static void resolve(struct peer *peer, struct stub_call *call)
{
    struct link_message *message = call->message;
    message->user = call;
    call->resolved = reference_in_resolve(&call->references, peer, message->references,
                                          message->references_size, message->n_references);
    if (FAILED(call->resolved))
        call->resolve_error = error_take();
}

static enum link_route enter_gate(struct peer *peer, struct stub_call *call, bool may_run)
{
    call->item.context = call->entry->exported->context;
    if (!may_run)
        return queue(peer, call, false);
    if (!gate_enter(&call->item))
        return queue(peer, call, true);
    return LINK_ROUTE_ANY;
}

/* --- on the result of a call --- */

/* The call gets its entry. */
static HRESULT aim(struct peer *peer, struct stub_call *call)
{
    struct exported *exported;
    HRESULT hr = kept_result(call->target, call->result_index, &exported);
    if (FAILED(hr))
        return hr;
    call->entry = peer_enter_exported(peer, exported);
    export_unref(exported);
    return call->entry != NULL ? S_OK : error_get()->code;
}

void stub_start_aimed(struct stub_call *call)
{
    HRESULT hr = aim(call->item.call.peer, call);
    call->item.context = NULL;
    if (FAILED(hr)) {
        call->item.refusal = error_take(); /* it is run, and answers so */
        gate_pass(&call->item);
        return;
    }
    call->item.context = call->entry->exported->context;
    if (peer_order_enter(call->entry, call))
        gate_pass(&call->item);
}

static enum link_route route_on_result(struct peer *peer, struct stub_call *call,
                                       const struct frame_call *frame)
{
    call->target = kept_find(peer, frame->object);
    if (call->target == NULL)
        return refuse(peer, call, RPC_E_INVALID_OBJECT);
    call->result_index = frame->result_index;
    resolve(peer, call);
    HRESULT hr = S_OK;
    if (!kept_is_answered(call->target)) {
        hr = link_message_own(call->message);
        if (SUCCEEDED(hr) && kept_wait(call->target, call))
            return LINK_ROUTE_QUEUED;
    }
    if (SUCCEEDED(hr))
        hr = aim(peer, call);
    if (FAILED(hr))
        return refuse_resolved(peer, call, hr);
    return enter_gate(peer, call, peer_may_run(call->entry, call));
}

enum link_route stub_route(struct peer *peer, struct link_message *message)
{
    struct frame_call frame;
    struct stub_call *call = message->room;
    bool may_run;
    frame_read_call(message, &frame);
    init_call(call, peer, message, &frame);
    if (frame.is_kept && !call->is_oneway) {
        HRESULT hr = kept_begin(peer, message->call_id, &call->kept);
        if (FAILED(hr))
            return refuse(peer, call, hr);
    }
    if (frame.is_on_result)
        return route_on_result(peer, call, &frame);
    call->entry = peer_enter(peer, frame.object, call, &may_run);
    if (call->entry == NULL)
        return refuse(peer, call, RPC_E_INVALID_OBJECT);
    resolve(peer, call);
    return enter_gate(peer, call, may_run);
}

/* --- the call --- */

static HRESULT find_method(struct peer *peer, const struct stub_call *call,
                           const struct marshal_interface **itf,
                           const struct marshal_method **method)
{
    HRESULT hr = binding_find(peer, call->item.call.interface_index, itf);
    if (FAILED(hr))
        return hr;
    *method = marshal_interface_method(*itf, call->item.call.slot);
    if (*method == NULL) {
        char text[GUID_TEXT_SIZE];
        return error_set(RPC_E_INVALIDMETHOD, "interface %s has no method in slot %u",
                         guid_format(marshal_interface_iid(*itf), text), call->item.call.slot);
    }
    /* Who calls a one-way method may want to know when it has run; who does not wait for another
     * one would lose its results. */
    if (call->is_oneway && !marshal_method_is_oneway(*method))
        return error_set(RPC_E_INVALIDMETHOD, "method %s is not one-way",
                         marshal_method_name(*method));
    return S_OK;
}

/* The same for an object that stands in for another process' (forward.h): its interfaces may be
 * unknown here. */
static HRESULT find_any_method(struct peer *peer, const struct stub_call *call,
                               const struct marshal_interface **itf,
                               const struct marshal_method **method)
{
    GUID iid;
    HRESULT hr = find_method(peer, call, itf, method);
    if (hr != REGDB_E_IIDNOTREG || !export_is_stand_in(call->entry->exported) ||
        !binding_iid(peer, call->item.call.interface_index, &iid))
        return hr;
    hr = link_message_own(call->message); /* the owner is asked: the reader must not wait */
    if (FAILED(hr))
        return hr;
    error_clear();
    forward_learn(call->entry->exported, &iid);
    return find_method(peer, call, itf, method);
}

/* The references in the frame, up to where interface pointers can be made of them. */
static HRESULT connect(struct stub_call *call)
{
    struct link_message *message = call->message;
    if (FAILED(call->resolved)) {
        error_give(call->resolve_error);
        call->resolve_error = NULL;
        return call->resolved;
    }
    if (!call->references.has_local && !call->references.has_third)
        return S_OK;
    /* User code or a connection comes before the arguments are read: the reader must not wait for
     * it. */
    HRESULT hr = link_message_own(message);
    if (SUCCEEDED(hr) && call->references.has_third)
        hr = reference_in_connect(&call->references, link_current()->deadline_ns);
    return hr;
}

/* What has come with a call besides its payload. */
struct inward {
    struct reference_in *references;
    struct link_message *message;
    uint32_t n_borrowed; /* of the message's blocks: they come in order */
};

static HRESULT get_pointer(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct inward *in = context;
    return reference_in_get(in->references, index, iid, pointer);
}

static HRESULT borrow(void *context, size_t position, size_t size, bool in_place, const void **data)
{
    struct inward *in = context;
    size_t its_position;
    size_t its_size;
    if (in->n_borrowed == link_message_n_blocks(in->message))
        return S_FALSE;
    link_message_block_at(in->message, in->n_borrowed, &its_position, &its_size);
    if (its_position != position)
        return S_FALSE;
    if (its_size != size)
        return error_set(RPC_E_INVALID_DATA, "an array of %zu bytes has %zu beside the payload",
                         size, its_size);
    return link_message_block(in->message, in->n_borrowed++, in_place, data);
}

static HRESULT take_handle(void *context, uint32_t index, uint32_t kind, intptr_t *handle)
{
    struct inward *in = context;
    return link_handle_in(in->message, index, (enum os_handle_kind)kind, handle);
}

/* What goes with a reply besides its payload. */
struct outward {
    struct reference_out references;
    struct handles_out handles;
    struct kept_notes notes; /* of a call whose results are kept */
    bool is_kept;
};

static HRESULT add_pointer(void *context, IUnknown *object, uint32_t *index)
{
    struct outward *out = context;
    HRESULT hr = reference_out_add(&out->references, object, index);
    if (SUCCEEDED(hr) && out->is_kept)
        kept_note(&out->notes, object, *index);
    return hr;
}

static HRESULT add_handle(void *context, intptr_t handle, uint32_t kind, uint32_t *index)
{
    struct outward *out = context;
    return handles_out_add(&out->handles, handle, kind, index);
}

static HRESULT send_reply(struct link_message *message, const struct outward *out,
                          const struct buffer *payload, HRESULT code)
{
    uint8_t body[FRAME_REPLY_BODY];
    frame_write_reply(body, code);
    struct link_request reply = {.kind = WIRE_REPLY, .body = body, .body_size = sizeof body};
    if (out != NULL) {
        reply.n_references = out->references.n_entries;
        reply.references = out->references.table;
        reply.references_size = out->references.size;
        reply.n_handles = out->handles.n;
        reply.handles = out->handles.carried;
    }
    if (payload != NULL) {
        reply.payload = payload->data;
        reply.payload_size = payload->size;
    }
    return link_reply(message, &reply);
}

/* The method has come back without a failure: what it returned goes to the caller. */
static HRESULT answer(struct peer *peer, struct stub_call *call,
                      struct marshal_invocation *invocation, HRESULT code)
{
    struct link_message *message = call->message;
    struct buffer payload;
    uint8_t few[CALL_FEW_BYTES];
    buffer_init_in(&payload, peer_info(peer)->max_message, few, sizeof few);
    struct outward out;
    reference_out_init(&out.references, peer);
    handles_out_init(&out.handles, peer->connection);
    out.notes.n = 0;
    out.is_kept = call->kept != NULL;
    const struct marshal_pointers pointers = {
        .context = &out, .add = add_pointer, .add_handle = add_handle};
    HRESULT hr = marshal_encode_results(invocation, &pointers, &payload);
    bool sent = false;
    if (SUCCEEDED(hr)) {
        kept_answer(call->kept, invocation, &out.references, &out.notes, code);
        hr = send_reply(message, &out, &payload, code);
        sent = SUCCEEDED(hr);
        if (!sent)
            error_clear(); /* the caller is gone */
    } else {
        error_wrap(hr, "the results of the call cannot be sent");
        kept_answer(call->kept, NULL, NULL, NULL, hr);
        link_reply_error(message, hr, true);
    }
    reference_out_deinit(&out.references, sent);
    handles_out_deinit(&out.handles);
    buffer_deinit(&payload);
    return hr;
}

/* What is called: the object, or what stands for it. */
struct target {
    void *object;
    const struct marshal_method *method;
    bool is_foreign; /* a proxy of COM's own */
    struct stream_face face;
};

static HRESULT decode(struct peer *peer, struct stub_call *call, struct target *target,
                      struct marshal_scratch *scratch, struct marshal_invocation **invocation)
{
    const struct marshal_interface *itf;
    const struct marshal_method *method;
    struct exported *exported = call->entry->exported;
    struct link_message *message = call->message;
    HRESULT hr = find_any_method(peer, call, &itf, &method);
    if (FAILED(hr))
        return hr;
    target->method = method;
    const GUID *iid = marshal_interface_iid(itf);
    if (!export_knows(exported, iid) && FAILED(hr = link_message_own(message)))
        return hr; /* the object is asked, which may take its time: the reader goes on */
    hr = export_query(exported, iid, &target->object);
    /* The runtime's own interface is not the object's. */
    target->is_foreign = export_is_foreign(exported) && !IsEqualGUID(iid, &IID_INodeDispatch);
    if (SUCCEEDED(hr) && stream_needs_face(iid, call->item.call.slot))
        target->object = stream_face_init(&target->face, target->object);
    if (SUCCEEDED(hr))
        hr = connect(call);
    if (FAILED(hr))
        return hr;
    struct inward in = {.references = &call->references, .message = message};
    uint32_t n_blocks = link_message_n_blocks(message);
    const struct marshal_pointers pointers = {.context = &in,
                                              .get = get_pointer,
                                              .take_handle = take_handle,
                                              .borrow = n_blocks != 0 ? borrow : NULL,
                                              .keeps_payload = message->storage != NULL};
    hr = marshal_decode_arguments(method, message->payload, message->payload_size, &pointers,
                                  scratch, invocation);
    if (FAILED(hr) || (in.n_borrowed == n_blocks && !link_message_has_handles(message)))
        return hr;
    marshal_invocation_free(*invocation);
    *invocation = NULL;
    return error_set(RPC_E_INVALID_DATA,
                     "%s: something beside the payload, memory or an OS handle, belongs to no "
                     "argument",
                     marshal_method_name(method));
}

/* Whether the call was let in; if not, why. */
static HRESULT enter(struct stub_call *call)
{
    struct error_record *refusal = call->item.refusal;
    if (refusal == NULL)
        return S_OK;
    call->item.refusal = NULL;
    error_give(refusal);
    return refusal->code;
}

static HRESULT call_object(struct marshal_invocation *invocation, const struct target *target)
{
    struct hang_entry entry;
    error_border_clear();
    bool is_watched = hang_begin_method(&entry, target->method);
    HRESULT hr = target->is_foreign ? foreign_call(invocation, target->method, target->object)
                                    : marshal_invoke(invocation, target->object);
    if (is_watched)
        hang_end(&entry);
    if (FAILED(hr))
        error_border_capture(hr);
    return hr;
}

static void leave(struct stub_call *call)
{
    struct context *context = context_ref(call->item.context); /* the export may go with the call */
    end_call(call);
    if (context != NULL)
        context_leave(context, &call->item);
    context_unref(context);
}

void stub_run(struct link_message *message)
{
    struct stub_call *call = message->user;
    struct peer *peer = peer_of(message->connection);
    struct marshal_scratch scratch;
    struct marshal_invocation *invocation = NULL;
    struct target target;
    HRESULT hr = enter(call);
    /* Results are handed out in it, too. */
    struct context *previous = context_set_running(call->item.context);
    if (SUCCEEDED(hr))
        hr = decode(peer, call, &target, &scratch, &invocation);
    link_message_decoded(message);
    bool ran = SUCCEEDED(hr);
    if (ran) {
        /* What the payload did not use is given back before the method runs, which may take long.
         */
        reference_in_deinit(&call->references);
        hr = call_object(invocation, &target);
    }
    if (FAILED(hr)) {
        kept_answer(call->kept, NULL, NULL, NULL, hr);
        answer_failure(peer, message, hr, ran);
    } else if (!call->is_oneway) {
        answer(peer, call, invocation, hr);
    }
    marshal_invocation_free(invocation);
    export_drop_marks();
    context_set_running(previous);
    leave(call);
}
