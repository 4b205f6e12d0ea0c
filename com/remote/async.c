/*
 * The record of an asynchronous call: who holds it, what its end at core/link sets off, and what
 * the application can do with it while it is under way. Beginning is in async_begin.c, taking the
 * answer in async_answer.c, completion callbacks are in async_done.c.
 */
#include "com/remote/async_parts.h"

#include <stdlib.h>
#include <viaduct/runtime.h>

#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/runtime.h"
#include "core/os/clock.h"
#include "core/util/error.h"

/* --- counting --- */

void async_unref(struct via_call *call)
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

void async_drop(struct via_call *call)
{
    if (atomic_fetch_sub_explicit(&call->handles, 1, memory_order_acq_rel) != 1)
        return;
    if (call->async != NULL)
        link_async_end(call->async, E_ABORT);
    if (call->is_kept) {
        link_async_tell_finish(call->async);
        atomic_fetch_sub_explicit(&call->import->peer->n_kept_out, 1, memory_order_relaxed);
    }
    async_unref(call);
}

void async_hold(struct via_call *call)
{
    atomic_fetch_add_explicit(&call->handles, 1, memory_order_relaxed);
}

struct via_call *async_new(struct import *import, const struct marshal_method *method)
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

/* --- the end of core/link's part --- */

/* It was sent to a process that its object does not live in. */
static void run_again(void *argument)
{
    struct via_call *call = argument;
    async_wait_until_ready(call, LINK_NO_DEADLINE);
    async_drop(call);
}

void async_link_ended(void *context)
{
    struct via_call *call = context;
    os_mutex_lock(&call->lock);
    call->is_over = true;
    bool runs = call->done != NULL;
    struct link_timer *timer = call->timer;
    call->timer = NULL;
    os_mutex_unlock(&call->lock);
    async_stop_timer(call, timer);
    if (runs)
        node_submit(call->node, &call->done_job, async_run_done, call);
    if (call->import->promise != NULL && link_async_code(call->async) == VIA_E_ELSEWHERE)
        node_submit(call->node, &call->again_job, run_again, call);
    else if (call->import->promise != NULL)
        async_drop(call);
    async_unref(call);
}

/* --- while it is under way --- */

HRESULT via_call_wait(struct via_call *call, uint32_t timeout_ms)
{
    uint64_t deadline_ns = timeout_ms == UINT32_MAX ? LINK_NO_DEADLINE : os_deadline_ms(timeout_ms);
    HRESULT hr = async_wait_for_answer(call, deadline_ns);
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
        async_drop(call);
}
