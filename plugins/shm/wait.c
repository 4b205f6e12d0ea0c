/*
 * Waiting: the thread sleeps on its word in shared memory.
 *
 * Nothing in the memory can be relied on to end a sleep, since the peer may be dead or hostile.
 * Each sleep is therefore short, at first 10 ms and then longer, up to 400; one that runs out looks
 * whether the peer is still there. A timer costs a tenth of a round trip, though. So a wait without
 * a deadline, on a peer that is the same user, has none: the reactor watches for the end, and kicks
 * the waiter.
 *
 * A kick (an interrupt, the end) is said in a flag of ours; then the word is woken. The waiter
 * looks at the flags after it has said that it sleeps. A peer that writes into the word could make
 * the wake miss, so it is repeated until the waiter has been seen to wake.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"

#define FIRST_SLEEP_NS 10000000u
#define LAST_SLEEP_NS  400000000u
/* While the set-up is awaited there is no word to sleep on. */
#define SETUP_POLL_MS 10
/* A thread that has been woken and does not run in that time has been woken all the same. */
#define MAX_KICK_NS 2000000u

static bool take_interruption(struct via_stream *stream)
{
    return atomic_load(&stream->interrupted) && atomic_exchange(&stream->interrupted, false);
}

/* Whether there is something beyond what the last peek saw. */
static bool has_news(struct via_stream *stream)
{
    return shm_has_ended(stream) || atomic_load(&stream->in->head) != stream->receiver.ring.seen;
}

/* True: it may have slept for all of the time. */
static bool sleep_once(struct via_stream *stream, uint64_t timeout_ns)
{
    _Atomic uint32_t *word = &stream->in->reader_sleep;
    atomic_fetch_add(&stream->n_waits, 1);
    atomic_store(word, RING_THREAD);
    if (!has_news(stream) && !atomic_load(&stream->interrupted))
        system_sleep(word, RING_THREAD, timeout_ns, stream->own_bell);
    bool ran_out = atomic_exchange(word, RING_AWAKE) == RING_THREAD;
    atomic_fetch_add(&stream->n_waits, 1);
    if (atomic_load(&stream->readiness.armed) != 0)
        shm_ready_look(stream); /* the word is free for it again */
    return ran_out;
}

static HRESULT await_setup(struct via_stream *stream, uint64_t deadline_ns)
{
    const struct carrier_line *line = &stream->carrier.line;
    for (;;) {
        HRESULT hr = setup_finish(stream);
        if (hr != VIA_S_WOULD_BLOCK || shm_has_ended(stream))
            return hr == VIA_S_WOULD_BLOCK ? RPC_E_DISCONNECTED : hr;
        if (take_interruption(stream))
            return VIA_S_INTERRUPTED;
        uint64_t now = socket_host->now_ns();
        if (now >= deadline_ns)
            return RPC_E_TIMEOUT;
        uint64_t left_ms = (deadline_ns - now + 999999) / 1000000;
        if (!system_wait_readable(line->descriptor,
                                  left_ms < SETUP_POLL_MS ? (int32_t)left_ms : SETUP_POLL_MS) &&
            line->life >= 0 && system_life_is_over(line->life))
            shm_end(stream, STREAM_GONE);
    }
}

static HRESULT await_news(struct via_stream *stream, uint64_t deadline_ns)
{
    uint64_t sleep_ns = FIRST_SLEEP_NS;
    for (;;) {
        if (take_interruption(stream))
            return VIA_S_INTERRUPTED;
        if (has_news(stream))
            return S_OK;
        uint64_t timeout_ns = sleep_ns;
        if (deadline_ns == UINT64_MAX && stream->carrier.line.is_same_user &&
            shm_ready_watch(stream))
            timeout_ns = SYSTEM_FOR_EVER;
        if (deadline_ns != UINT64_MAX) {
            uint64_t now = socket_host->now_ns();
            if (now >= deadline_ns)
                return RPC_E_TIMEOUT;
            if (deadline_ns - now < timeout_ns)
                timeout_ns = deadline_ns - now;
        }
        if (sleep_once(stream, timeout_ns) && timeout_ns == sleep_ns) {
            carrier_check(stream);
            sleep_ns = sleep_ns < LAST_SLEEP_NS / 2 ? sleep_ns * 2 : LAST_SLEEP_NS;
        }
    }
}

HRESULT shm_wait(struct via_stream *stream, uint64_t deadline_ns)
{
    if (stream->receiver.broken != S_OK)
        return S_OK;
    HRESULT hr = shm_is_up(stream) ? S_OK : await_setup(stream, deadline_ns);
    if (hr == S_OK) {
        shm_meet(stream);
        shm_release(stream);
        hr = await_news(stream, deadline_ns);
    }
    if (hr == RPC_E_TIMEOUT)
        return socket_fail(hr, "nothing arrived before the deadline");
    return FAILED(hr) ? S_OK : hr; /* peek says what is wrong */
}

void wait_kick(struct via_stream *stream)
{
    uint32_t n_waits = atomic_load(&stream->n_waits);
    uint64_t until = 0;
    while ((n_waits & 1) && atomic_load(&stream->n_waits) == n_waits) {
        uint64_t now = socket_host->now_ns();
        if (until == 0)
            until = now + MAX_KICK_NS;
        else if (now >= until)
            break;
        /* Not if it says something else by now: it may have left, and be parked. */
        uint32_t thread = RING_THREAD;
        atomic_compare_exchange_strong(&stream->in->reader_sleep, &thread, RING_AWAKE);
        system_wake(&stream->in->reader_sleep, stream->own_bell);
        socket_yield();
    }
}

void shm_interrupt(struct via_stream *stream)
{
    atomic_store(&stream->interrupted, true);
    wait_kick(stream);
}
