/*
 * Waiting for a Unix socket from a Windows program under Wine: a poll of the socket and of an event
 * descriptor, made at the first wait, which an interrupt sets. A poll that ends with nothing looks
 * at the peer's life, so none is long.
 */
#include "plugins/unixsock/socket.h"

#include <viaduct/plugin/unix_calls.h>

#define WAITER_INTERRUPTED 1u /* sticky: ends the wait that runs, or the next */
#define WAITER_POLLING     2u /* a thread may sleep; `event` is there */

#define LONGEST_POLL_MS 400

void socket_waiter_init(struct socket_waiter *waiter, int32_t descriptor, int32_t life)
{
    waiter->descriptor = descriptor;
    waiter->life = life;
    atomic_init(&waiter->state, 0);
    atomic_init(&waiter->thread, 0);
    atomic_init(&waiter->event, -1);
    waiter->timeout_us = 0;
}

void socket_waiter_deinit(struct socket_waiter *waiter)
{
    int32_t event = atomic_load(&waiter->event);
    if (event >= 0)
        socket_host->unix_calls->close(event);
}

/* Milliseconds until the deadline, rounded up. */
static int32_t left_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        return LONGEST_POLL_MS;
    uint64_t now = socket_host->now_ns();
    if (now >= deadline_ns)
        return 0;
    uint64_t ms = (deadline_ns - now + 999999) / 1000000;
    return ms < LONGEST_POLL_MS ? (int32_t)ms : LONGEST_POLL_MS;
}

/* Sleeps until the socket is readable, somebody interrupts, or the deadline. */
static void sleep_in_poll(struct socket_waiter *waiter, uint64_t deadline_ns)
{
    const struct via_plugin_unix_calls *calls = socket_host->unix_calls;
    int32_t bits = 0;
    if (!(atomic_fetch_or(&waiter->state, WAITER_POLLING) & WAITER_INTERRUPTED))
        bits = calls->wait_readable(waiter->descriptor, waiter->event, left_ms(deadline_ns));
    atomic_fetch_and(&waiter->state, ~WAITER_POLLING);
    if (bits > 0 && (bits & 2))
        calls->event_clear(waiter->event);
}

HRESULT socket_waiter_receive(struct socket_waiter *waiter, void *data, size_t size, size_t *n,
                              struct socket_received *received, uint64_t deadline_ns)
{
    if (atomic_load(&waiter->event) < 0) {
        int32_t event = socket_host->unix_calls->event_new();
        if (event < 0)
            return socket_fail(VIA_E_LIMIT, "no event descriptor to wait with: Linux error %d",
                               -event);
        atomic_store(&waiter->event, event);
    }
    for (;;) {
        if (atomic_fetch_and(&waiter->state, ~WAITER_INTERRUPTED) & WAITER_INTERRUPTED)
            return VIA_S_INTERRUPTED;
        sleep_in_poll(waiter, deadline_ns);
        HRESULT hr = socket_receive(waiter->descriptor, data, size, n, received);
        if (hr != VIA_S_WOULD_BLOCK)
            return hr;
        if (atomic_fetch_and(&waiter->state, ~WAITER_INTERRUPTED) & WAITER_INTERRUPTED)
            return VIA_S_INTERRUPTED;
        if (waiter->life >= 0 && socket_life_is_over(waiter->life))
            return S_OK;
        if (deadline_ns != UINT64_MAX && socket_host->now_ns() >= deadline_ns)
            return socket_fail(RPC_E_TIMEOUT, "nothing arrived before the deadline");
    }
}

void socket_waiter_interrupt(struct socket_waiter *waiter)
{
    if (atomic_fetch_or(&waiter->state, WAITER_INTERRUPTED) & WAITER_POLLING)
        socket_host->unix_calls->event_set(waiter->event);
}
