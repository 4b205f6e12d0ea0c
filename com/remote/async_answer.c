/*
 * The answer of an asynchronous call. The first thread that wants it makes it ready, and the others
 * wait for that one; from then on results can be decoded as often as they are wanted. A call on a
 * promised object that has turned out to live elsewhere is made again there, with the arguments
 * that it has kept, by whoever makes it ready.
 */
#include "com/remote/async_parts.h"

#include <viaduct/runtime.h>

#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "com/remote/frames.h"
#include "com/remote/handles.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/runtime.h"
#include "core/os/clock.h"
#include "core/os/handle.h"
#include "core/util/error.h"

/* --- one thread, and the others --- */

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

/* --- what it has come with --- */

static HRESULT get_pointer(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct via_call *call = context;
    return reference_in_get(&call->in, index, iid, pointer);
}

/* A copy: the results may be asked for again. */
static HRESULT take_handle(void *context, uint32_t index, uint32_t kind, intptr_t *handle)
{
    struct via_call *call = context;
    return link_handle_copy_in(call->reply, index, (enum os_handle_kind)kind, handle);
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

void async_take_parcel(struct via_call *call)
{
    call->payload = call->parcel.payload.data;
    call->payload_size = call->parcel.payload.size;
    call->pointers = parcel_pointers(&call->parcel);
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
    async_take_parcel(call);
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
    else if (hr == RPC_E_TIMEOUT || hr == RPC_E_CALL_CANCELED)
        hr = error_wrap(hr, "%s.%s", call->method->owner->name, marshal_method_name(call->method));
    call->code = hr;
    if (FAILED(hr))
        call->error = error_take();
    publish_ready(call);
}

/* --- waiting --- */

HRESULT async_wait_for_answer(struct via_call *call, uint64_t deadline_ns)
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

HRESULT async_wait_until_ready(struct via_call *call, uint64_t deadline_ns)
{
    HRESULT hr = async_wait_for_answer(call, deadline_ns);
    if (FAILED(hr))
        return hr;
    if (claim(call))
        make_ready(call);
    return S_OK;
}

/* --- results --- */

HRESULT async_object(struct via_call *call, unsigned index, uint64_t deadline_ns, IUnknown **object,
                     bool *is_over)
{
    *object = NULL;
    HRESULT hr = async_wait_until_ready(call, deadline_ns);
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
    hr = async_wait_until_ready(call, LINK_NO_DEADLINE);
    if (FAILED(hr)) {
        /* via_cancel(), or the deadline of the method that this thread runs. */
        link_async_end(call->async, hr == RPC_E_CALL_CANCELED ? hr : RPC_E_TIMEOUT);
        async_wait_until_ready(call, LINK_NO_DEADLINE);
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
