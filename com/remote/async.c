#include "com/remote/async.h"

#include <stdlib.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/remote/binding.h"
#include "com/remote/call.h"
#include "com/remote/frames.h"
#include "com/remote/handles.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/runtime.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* --- counting --- */

static void unref(struct via_call *call)
{
    if (atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct link_message *reply;
    if (call->state == ASYNC_RAW && call->async != NULL &&
        SUCCEEDED(link_async_result(call->async, &reply)))
        reference_drop(call->import->peer, reply); /* nobody has looked at it */
    error_clear();
    reference_in_deinit(&call->in);
    parcel_deinit(&call->parcel);
    parcel_deinit(&call->arguments);
    link_async_free(call->async);
    error_record_free(call->error);
    if (call->import != NULL)
        import_unref(call->import);
    if (call->node != NULL)
        node_unref(call->node);
    os_mutex_deinit(&call->lock);
    free(call);
}

static void drop_handle(struct via_call *call)
{
    if (atomic_fetch_sub_explicit(&call->handles, 1, memory_order_acq_rel) != 1)
        return;
    if (call->async != NULL)
        link_async_end(call->async, E_ABORT);
    if (call->is_kept) {
        link_async_tell_finish(call->async);
        atomic_fetch_sub_explicit(&call->import->peer->n_kept_out, 1, memory_order_relaxed);
    }
    unref(call);
}

void async_hold(struct via_call *call)
{
    atomic_fetch_add_explicit(&call->handles, 1, memory_order_relaxed);
}

static struct via_call *new_call(struct import *import, const struct marshal_method *method)
{
    uint16_t n = marshal_method_n_params(method);
    struct via_call *call =
        calloc(1, sizeof *call + n * MARSHAL_KEPT_WORDS * sizeof call->sizes[0]);
    if (call == NULL) {
        error_set(E_OUTOFMEMORY, "no memory for an asynchronous call");
        return NULL;
    }
    atomic_init(&call->refs, 1);
    atomic_init(&call->handles, 1);
    call->method = method;
    call->import = import;
    if (import != NULL) {
        import_ref(import);
        call->node = node_ref(import->node);
    }
    os_mutex_init(&call->lock);
    list_init(&call->waiting);
    parcel_init(&call->parcel);
    parcel_init(&call->arguments);
    return call;
}

/* --- the end of core/link's part --- */

/* Blocks. A failure: the wait was ended, or its time is over, before the call is. */
static HRESULT wait_until_ready(struct via_call *call, uint64_t deadline_ns);

static void run_done(void *argument)
{
    struct via_call *call = argument;
    wait_until_ready(call, LINK_NO_DEADLINE);
    call->done(call->done_context, call);
    drop_handle(call);
}

/* Takes the timer's reference with it; the lock is not held. */
static void stop_timer(struct via_call *call, struct link_timer *timer)
{
    if (link_timer_cancel(timer))
        unref(call);
}

/* It was sent to a process that its object does not live in. */
static void run_again(void *argument)
{
    struct via_call *call = argument;
    wait_until_ready(call, LINK_NO_DEADLINE);
    drop_handle(call);
}

static void ended(void *context)
{
    struct via_call *call = context;
    os_mutex_lock(&call->lock);
    call->is_over = true;
    bool runs = call->done != NULL;
    struct link_timer *timer = call->timer;
    call->timer = NULL;
    os_mutex_unlock(&call->lock);
    stop_timer(call, timer);
    if (runs)
        node_submit(call->node, &call->done_job, run_done, call);
    if (call->import->promise != NULL && link_async_code(call->async) == VIA_E_ELSEWHERE)
        node_submit(call->node, &call->again_job, run_again, call);
    else if (call->import->promise != NULL)
        drop_handle(call);
    unref(call);
}

/* --- beginning --- */

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
    HRESULT hr =
        link_begin(peer->connection, &request, runtime_deadline(import), ended, call, &call->async);
    if (SUCCEEDED(hr))
        return hr;
    if (call->is_kept)
        atomic_fetch_sub_explicit(&peer->n_kept_out, 1, memory_order_relaxed);
    call->is_kept = false;
    unref(call);
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

static void take_parcel(struct via_call *call)
{
    call->payload = call->parcel.payload.data;
    call->payload_size = call->parcel.payload.size;
    call->pointers = parcel_pointers(&call->parcel);
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
        take_parcel(call);
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
    struct via_call *call = new_call(import, method);
    if (call == NULL)
        return E_OUTOFMEMORY;
    void *arguments[MARSHAL_MAX_PARAMS];
    marshal_join_arguments(method, in, arguments);
    marshal_note_sizes(method, arguments, call->sizes);
    hr = import != NULL ? begin_remote(call, index, arguments) : run_local(call, object, arguments);
    if (FAILED(hr)) {
        struct error_record *why = error_take();
        unref(call);
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

/* --- taking the answer --- */

/* A thread that waits until another has made the call ready; on its stack. */
struct waiting {
    struct list link; /* call->waiting */
    struct os_waiter waiter;
};

/* True: this thread makes it ready, and nobody else. */
static bool claim(struct via_call *call)
{
    struct waiting self;
    os_mutex_lock(&call->lock);
    bool is_mine = call->state == ASYNC_RAW;
    bool waits = call->state == ASYNC_BUSY;
    if (is_mine)
        call->state = ASYNC_BUSY;
    if (waits) {
        os_waiter_init(&self.waiter);
        list_append(&call->waiting, &self.link);
    }
    os_mutex_unlock(&call->lock);
    if (waits) {
        os_waiter_wait(&self.waiter, OS_NEVER);
        os_waiter_deinit(&self.waiter);
    }
    return is_mine;
}

static void publish_ready(struct via_call *call)
{
    struct list *link;
    os_mutex_lock(&call->lock);
    call->state = ASYNC_READY;
    while ((link = list_pop(&call->waiting)) != NULL)
        os_waiter_wake(&list_entry(link, struct waiting, link)->waiter);
    os_mutex_unlock(&call->lock);
}

static HRESULT get_pointer(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct via_call *call = context;
    return reference_in_get(&call->in, index, iid, pointer);
}

/* Once: a handle that was taken is the caller's. */
static HRESULT take_handle(void *context, uint32_t index, uint32_t kind, intptr_t *handle)
{
    struct via_call *call = context;
    return link_handle_in(call->reply, index, (enum os_handle_kind)kind, handle);
}

static HRESULT take_reply(struct via_call *call, struct link_message *reply)
{
    HRESULT code = frame_read_reply(reply);
    HRESULT hr = reference_in_take(&call->in, call->import->peer, reply);
    if (SUCCEEDED(hr) && call->in.has_third)
        hr = reference_in_connect(&call->in, runtime_deadline(call->import));
    call->reply = reply;
    call->pointers =
        (struct marshal_pointers){.context = call, .get = get_pointer, .take_handle = take_handle};
    call->payload = reply->payload;
    call->payload_size = reply->payload_size;
    return FAILED(hr) ? hr : code;
}

/* What was sent to a promised object is called where that has turned out to live. */
static HRESULT call_again(struct via_call *call)
{
    IUnknown *object;
    IUnknown *pointer;
    HRESULT hr = promise_object(call->import, &object);
    if (FAILED(hr))
        return hr;
    hr =
        object->lpVtbl->QueryInterface(object, marshal_method_iid(call->method), (void **)&pointer);
    object->lpVtbl->Release(object);
    if (FAILED(hr))
        return hr;
    uint64_t now_ns = os_now_ns();
    uint64_t until_ns = link_async_deadline(call->async);
    uint64_t left_ms = until_ns > now_ns ? (until_ns - now_ns) / 1000000u + 1 : 1;
    uint32_t usual =
        via_thread_set_deadline(left_ms < VIA_NO_DEADLINE ? (uint32_t)left_ms : VIA_NO_DEADLINE);
    hr = parcel_invoke(call->method, pointer, &call->arguments, &call->parcel);
    via_thread_set_deadline(usual);
    pointer->lpVtbl->Release(pointer);
    take_parcel(call);
    return hr;
}

/* What core/link says becomes the call's. */
static void make_ready(struct via_call *call)
{
    struct link_message *reply;
    HRESULT hr = link_async_result(call->async, &reply);
    if (SUCCEEDED(hr))
        hr = take_reply(call, reply);
    else if (hr == VIA_E_ELSEWHERE && call->import->promise != NULL)
        hr = call_again(call);
    else if (hr == RPC_E_DISCONNECTED && link_connection_is_closed(call->import->peer->connection))
        hr = peer_disconnected(call->import->peer);
    call->code = hr;
    if (FAILED(hr))
        call->error = error_take();
    publish_ready(call);
}

/* Blocks until core/link's part is over, or until the deadline; the call's own ends it. */
static HRESULT wait_for_answer(struct via_call *call, uint64_t deadline_ns)
{
    if (call->async == NULL)
        return S_OK;
    uint64_t own_ns = link_async_deadline(call->async);
    HRESULT hr = link_async_wait(call->async, own_ns < deadline_ns ? own_ns : deadline_ns);
    if (hr == RPC_E_TIMEOUT && os_now_ns() >= own_ns) {
        link_async_end(call->async, RPC_E_TIMEOUT);
        hr = S_OK;
    }
    return hr;
}

static HRESULT wait_until_ready(struct via_call *call, uint64_t deadline_ns)
{
    HRESULT hr = wait_for_answer(call, deadline_ns);
    if (FAILED(hr))
        return hr;
    if (claim(call))
        make_ready(call);
    return S_OK;
}

uint64_t async_id(const struct via_call *call)
{
    return link_async_id(call->async);
}

bool async_is_over(const struct via_call *call)
{
    return call->async == NULL || link_async_is_done(call->async);
}

bool async_is_kept(const struct via_call *call)
{
    return call->is_kept;
}

HRESULT async_object(struct via_call *call, unsigned index, uint64_t deadline_ns, IUnknown **object,
                     bool *is_over)
{
    *object = NULL;
    HRESULT hr = wait_until_ready(call, deadline_ns);
    *is_over = SUCCEEDED(hr);
    if (FAILED(hr))
        return hr;
    error_clear();
    if (SUCCEEDED(call->code))
        return marshal_decode_object(call->method, index, &call->pointers, call->payload,
                                     call->payload_size, object);
    error_give(error_record_copy(call->error));
    return call->code;
}

static HRESULT finish(struct via_call *call, void **results)
{
    struct marshal_joined joined;
    HRESULT hr = marshal_join_results(call->method, results, call->sizes, &joined);
    if (FAILED(hr))
        return hr;
    hr = wait_until_ready(call, LINK_NO_DEADLINE);
    if (FAILED(hr)) {
        /* via_cancel(), or the deadline of the method that this thread runs. */
        link_async_end(call->async, hr == RPC_E_CALL_CANCELED ? hr : RPC_E_TIMEOUT);
        wait_until_ready(call, LINK_NO_DEADLINE);
    }
    error_clear();
    hr = call->code;
    if (FAILED(hr))
        error_give(error_record_copy(call->error));
    else
        hr = marshal_decode_results(call->method, joined.arguments, &call->pointers, call->payload,
                                    call->payload_size);
    if (FAILED(hr))
        marshal_clear_results(call->method, joined.arguments);
    return FAILED(hr) ? hr : call->code;
}

HRESULT via_call_finish(struct via_call *call, REFIID iid, unsigned slot, void **results)
{
    if (slot != marshal_method_slot(call->method) || !marshal_method_is_of(call->method, iid))
        return runtime_publish(error_set(E_INVALIDARG,
                                         "this is a call of %s, which is to be finished as that",
                                         marshal_method_name(call->method)));
    return runtime_publish(finish(call, results));
}

HRESULT via_call_wait(struct via_call *call, uint32_t timeout_ms)
{
    uint64_t deadline_ns = timeout_ms == UINT32_MAX ? LINK_NO_DEADLINE : os_deadline_ms(timeout_ms);
    HRESULT hr = wait_for_answer(call, deadline_ns);
    if (hr != RPC_E_TIMEOUT)
        return runtime_publish(hr);
    error_clear();
    return S_FALSE;
}

HRESULT via_call_cancel(struct via_call *call)
{
    if (call->async == NULL || link_async_is_done(call->async))
        return S_FALSE;
    link_async_end(call->async, RPC_E_CALL_CANCELED);
    return S_OK;
}

void via_call_release(struct via_call *call)
{
    if (call != NULL)
        drop_handle(call);
}

/* --- completion callbacks --- */

static void run_deadline(void *argument)
{
    struct via_call *call = argument;
    link_async_end(call->async, RPC_E_TIMEOUT);
    unref(call);
}

/* Somebody reads the answer, and looks at the deadline, while nobody waits. */
static HRESULT expect(struct via_call *call)
{
    uint64_t deadline_ns = link_async_deadline(call->async);
    link_async_flush(call->async);
    HRESULT hr = link_async_expect(call->async);
    if (FAILED(hr) || deadline_ns == LINK_NO_DEADLINE)
        return hr;
    struct link_timer *timer;
    atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
    hr = link_node_timer(call->node->link, deadline_ns, run_deadline, call, &timer);
    if (FAILED(hr)) {
        unref(call);
        return hr;
    }
    os_mutex_lock(&call->lock);
    bool is_over = call->is_over;
    if (!is_over)
        call->timer = timer;
    os_mutex_unlock(&call->lock);
    if (is_over)
        stop_timer(call, timer);
    return S_OK;
}

static HRESULT set_done(struct via_call *call, via_call_done done, void *context)
{
    struct node *node = call->node != NULL ? call->node : runtime_node();
    if (node == NULL)
        return error_get()->code;
    os_mutex_lock(&call->lock);
    bool is_first = call->done == NULL;
    bool is_over = call->is_over;
    if (is_first) {
        atomic_fetch_add_explicit(&call->handles, 1, memory_order_relaxed);
        call->done = done;
        call->done_context = context;
    }
    os_mutex_unlock(&call->lock);
    if (!is_first)
        return error_set(E_UNEXPECTED, "the call has a completion callback already");
    if (is_over)
        node_submit(node, &call->done_job, run_done, call);
    else if (FAILED(expect(call)))
        error_clear(); /* memory is short, or threads: then whoever waits for the call reads */
    return S_OK;
}

HRESULT via_call_on_done(struct via_call *call, via_call_done done, void *context)
{
    return runtime_publish(set_done(call, done, context));
}
