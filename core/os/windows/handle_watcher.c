/*
 * Handles that the reactor watches: processes, events. The system's thread pool waits for them and
 * posts a packet to the port. (A wait that completes on the port by itself is younger than the
 * systems that are supported, and Wine 8 has none.)
 */
#include "core/os/windows/poller_parts.h"

#include "core/os/windows/text.h"

/* On a thread of the pool, which waits for other handles as well. */
static void report(struct os_watch *watch, uint32_t events)
{
    struct os_poller *poller = watch->poller;
    os_mutex_lock(&poller->lock);
    watch->is_over = !watch->has_edges;
    if (watch->armed != 0)
        poller_report(watch, events);
    os_mutex_unlock(&poller->lock);
}

static void CALLBACK on_signal(void *argument, BOOLEAN timed_out)
{
    (void)timed_out;
    report(argument, VIA_READY_READ);
}

static void CALLBACK on_end(void *argument, BOOLEAN timed_out)
{
    (void)timed_out;
    report(argument, VIA_READY_CLOSED);
}

bool handle_watcher_start(struct os_watch *watch, uint32_t events, bool once)
{
    watch->is_over = false;
    watch->has_edges = !once;
    if (RegisterWaitForSingleObject(
            &watch->wait, watch->handle, events == VIA_READY_CLOSED ? on_end : on_signal, watch,
            INFINITE, WT_EXECUTEINWAITTHREAD | (once ? WT_EXECUTEONLYONCE : 0)))
        return true;
    watch->wait = NULL;
    return false;
}

void handle_watcher_stop(struct os_watch *watch)
{
    os_mutex_lock(&watch->poller->lock);
    HANDLE wait = watch->wait;
    watch->wait = NULL;
    os_mutex_unlock(&watch->poller->lock);
    if (wait)
        UnregisterWaitEx(wait, INVALID_HANDLE_VALUE); /* waits for a report that is under way */
}

HRESULT handle_watcher_arm(struct os_watch *watch, uint32_t events, bool once)
{
    struct os_poller *poller = watch->poller;
    os_mutex_lock(&poller->lock);
    watch->armed = events & VIA_READY_READ;
    bool is_started = watch->wait && !watch->is_over && watch->has_edges == !once;
    os_mutex_unlock(&poller->lock);
    if (is_started || !(events & VIA_READY_READ))
        return S_OK;
    handle_watcher_stop(watch);
    os_mutex_lock(&poller->lock);
    bool started = handle_watcher_start(watch, VIA_READY_READ, once);
    os_mutex_unlock(&poller->lock);
    return started ? S_OK : windows_fail(GetLastError(), "handle", "watch it");
}
