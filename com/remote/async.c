#include "com/remote/async.h"

#include <stdlib.h>

#include "com/abi/error_border.h"
#include "com/remote/binding.h"
#include "com/remote/call.h"
#include "com/remote/frames.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
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
    unref(call);
}

static struct via_call *new_call(struct import *import, const struct marshal_method *method)
{
    uint16_t n = marshal_method_n_params(method);
    struct via_call *call = calloc(1, sizeof *call + n * sizeof call->sizes[0]);
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
    return call;
}

/* --- the end of core/link's part --- */

static void run_done(void *argument)
{
    struct via_call *call = argument;
    call->done(call->done_context, call);
    drop_handle(call);
}

/* Takes the timer's reference with it; the lock is not held. */
static void stop_timer(struct via_call *call, struct link_timer *timer)
{
    if (link_timer_cancel(timer))
        unref(call);
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
    unref(call);
}

/* --- beginning --- */

static HRESULT add_pointer(void *context, IUnknown *object, uint32_t *index)
{
    return reference_out_add(context, object, index);
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
    struct reference_out out;
    reference_out_init(&out, peer);
    /* Everything is copied: nobody says how long the caller's memory stays. */
    const struct marshal_pointers pointers = {.context = &out, .add = add_pointer};
    hr = marshal_encode_arguments(call->method, arguments, &pointers, &payload);
    if (SUCCEEDED(hr)) {
        uint8_t body[FRAME_CALL_BODY];
        frame_write_call(body, import->id, index, marshal_method_slot(call->method));
        struct link_request request = {.kind = WIRE_CALL,
                                       .n_references = out.n_entries,
                                       .references = out.table,
                                       .references_size = out.size,
                                       .body = body,
                                       .body_size = sizeof body,
                                       .payload = payload.data,
                                       .payload_size = payload.size};
        atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
        hr = link_begin(peer->connection, &request, runtime_deadline(import), ended, call,
                        &call->async);
        if (FAILED(hr))
            unref(call);
    }
    reference_out_deinit(&out, SUCCEEDED(hr));
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
        call->payload = call->parcel.payload.data;
        call->payload_size = call->parcel.payload.size;
        call->pointers = parcel_pointers(&call->parcel);
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

static HRESULT begin(void *object, const GUID *iid, unsigned slot, void **in,
                     struct via_call **result)
{
    struct import *import = import_of(object);
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

HRESULT via_call_begin(void *object, REFIID iid, unsigned slot, void **arguments,
                       struct via_call **call)
{
    *call = NULL;
    return runtime_publish(begin(object, iid, slot, arguments, call));
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
    return reference_in_get(context, index, iid, pointer);
}

static HRESULT take_reply(struct via_call *call, struct link_message *reply)
{
    HRESULT code = frame_read_reply(reply);
    HRESULT hr = reference_in_take(&call->in, call->import->peer, reply);
    if (SUCCEEDED(hr) && call->in.has_third)
        hr = reference_in_connect(&call->in, runtime_deadline(call->import));
    call->pointers = (struct marshal_pointers){.context = &call->in, .get = get_pointer};
    call->payload = reply->payload;
    call->payload_size = reply->payload_size;
    return FAILED(hr) ? hr : code;
}

/* What core/link says becomes the call's. */
static void make_ready(struct via_call *call)
{
    struct link_message *reply;
    HRESULT hr = link_async_result(call->async, &reply);
    if (SUCCEEDED(hr))
        hr = take_reply(call, reply);
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

static HRESULT finish(struct via_call *call, void **results)
{
    struct marshal_joined joined;
    HRESULT hr = marshal_join_results(call->method, results, call->sizes, &joined);
    if (FAILED(hr))
        return hr;
    hr = wait_for_answer(call, LINK_NO_DEADLINE);
    if (FAILED(hr) && hr != RPC_E_TIMEOUT)
        link_async_end(call->async, hr == RPC_E_CALL_CANCELED ? hr : E_ABORT);
    else if (FAILED(hr)) /* of the method that this thread runs */
        link_async_end(call->async, RPC_E_TIMEOUT);
    error_clear();
    if (claim(call))
        make_ready(call);
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
