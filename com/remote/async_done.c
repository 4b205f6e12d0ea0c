/*
 * Completion callbacks of asynchronous calls: the node's reactor reads the answer while nobody
 * waits for it, and a timer keeps the deadline.
 */
#include "com/remote/async_parts.h"

#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

void async_run_done(void *argument)
{
    struct via_call *call = argument;
    async_wait_until_ready(call, LINK_NO_DEADLINE);
    call->done(call->done_context, call);
    async_drop(call);
}

void async_stop_timer(struct via_call *call, struct link_timer *timer)
{
    if (link_timer_cancel(timer))
        async_unref(call);
}

static void run_deadline(void *argument)
{
    struct via_call *call = argument;
    link_async_end(call->async, RPC_E_TIMEOUT);
    async_unref(call);
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
        async_unref(call);
        return hr;
    }
    os_mutex_lock(&call->lock);
    bool is_over = call->is_over;
    if (!is_over)
        call->timer = timer;
    os_mutex_unlock(&call->lock);
    if (is_over)
        async_stop_timer(call, timer);
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
        node_submit(node, &call->done_job, async_run_done, call);
    else if (FAILED(expect(call)))
        error_clear(); /* memory is short, or threads: then whoever waits for the call reads */
    return S_OK;
}

HRESULT via_call_on_done(struct via_call *call, via_call_done done, void *context)
{
    return runtime_publish(set_done(call, done, context));
}
