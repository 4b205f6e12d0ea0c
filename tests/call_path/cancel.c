/*
 * How long a cancel takes from via_cancel() in this process to the running method in the other, by
 * the monotonic clock, whose offset between two systems is measured too. The method may have run
 * for a while, and the connection may be quiet, hot, or shared: each changes who reads it when the
 * cancel arrives. Other load only ever makes a cancel slower, so the best of some tries counts.
 */
#include "tests/call_path/cases.h"
#include "tests/call_path/path_object.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

#define LIMIT_NS    UINT64_C(10000000)
#define MIN_TRIES   2u
#define MAX_TRIES   30u
#define N_OTHERS    3u
#define BLOCK_MS    20000u
#define CALLS_FIRST 300u

enum others { OTHERS_NONE, OTHERS_WAIT, OTHERS_CALL };

struct situation {
    const char *name;
    uint32_t quiet_ms; /* before the call */
    uint32_t n_calls;  /* before it, by the same thread */
    enum others others;
};

static const struct situation situations[] = {
    {"the connection was quiet", 100, 0, OTHERS_NONE},
    {"the connection was busy", 0, CALLS_FIRST, OTHERS_NONE},
    {"others wait in calls", 0, 0, OTHERS_WAIT},
    {"others wait, and it was busy", 0, CALLS_FIRST, OTHERS_WAIT},
    {"others call", 0, 0, OTHERS_CALL},
};

/* From the begin of the call to its cancel. Around the ticks of a connection that frames come from.
 */
static const uint32_t delays_ms[] = {0, 2, 12};

struct caller {
    ICallPath *path;
    struct os_thread *thread;
    uint32_t slot;
    uint32_t n_calls;
    _Atomic uint64_t thread_id; /* 0: does not call Block yet */
    atomic_bool *stop;
    HRESULT hr; /* the thread's, until it is joined */
};

static HRESULT call_often(ICallPath *path, uint32_t n_calls)
{
    HRESULT hr = S_OK;
    for (uint32_t i = 0; i < n_calls && SUCCEEDED(hr); i++) {
        LONG sum = 0;
        hr = ICallPath_Add(path, (LONG)i, 1, &sum);
    }
    return hr;
}

static void run_block(void *argument)
{
    struct caller *caller = argument;
    caller->hr = call_often(caller->path, caller->n_calls);
    atomic_store(&caller->thread_id, via_thread_id());
    if (SUCCEEDED(caller->hr))
        caller->hr = ICallPath_Block(caller->path, caller->slot, BLOCK_MS);
}

static void run_calls(void *argument)
{
    struct caller *caller = argument;
    while (!atomic_load(caller->stop) && SUCCEEDED(caller->hr))
        caller->hr = call_often(caller->path, 10);
}

static HRESULT start_block(struct caller *caller)
{
    HRESULT hr = os_thread_start(run_block, caller, "block", &caller->thread);
    while (SUCCEEDED(hr) && atomic_load(&caller->thread_id) == 0)
        os_thread_yield();
    return hr;
}

/* When the cancel was given, in *at_ns. */
static HRESULT cancel(struct caller *caller, uint64_t *at_ns)
{
    uint64_t end_ns = os_deadline_ms(BLOCK_MS);
    HRESULT hr;
    do {
        *at_ns = os_now_ns();
        hr = via_cancel(atomic_load(&caller->thread_id));
    } while (hr == S_FALSE && os_now_ns() < end_ns);
    os_thread_join(caller->thread);
    caller->thread = NULL;
    return hr == S_OK && caller->hr == RPC_E_CALL_CANCELED ? S_OK : E_UNEXPECTED;
}

/* What the other process' clock shows when this one's shows 0. */
static HRESULT clock_offset(ICallPath *path, int64_t *offset_ns)
{
    uint64_t best_ns = UINT64_MAX;
    HRESULT hr = S_OK;
    for (int i = 0; i < 20 && SUCCEEDED(hr); i++) {
        LONGLONG there_ns = 0;
        uint64_t before_ns = os_now_ns();
        hr = ICallPath_GetTime(path, &there_ns);
        uint64_t took_ns = os_now_ns() - before_ns;
        if (took_ns < best_ns) {
            best_ns = took_ns;
            *offset_ns = there_ns - (int64_t)(before_ns + took_ns / 2);
        }
    }
    return hr;
}

/* One call and its cancel: from the cancel, or the begin of the method where that came later, until
 * it saw it. */
static HRESULT try_once(ICallPath *path, const struct situation *situation, uint32_t delay_ms,
                        uint32_t factor, uint64_t *took_ns)
{
    struct caller caller = {.path = path, .n_calls = situation->n_calls};
    uint64_t at_ns = 0;
    int64_t offset_ns = 0;
    LONGLONG entered_ns = 0;
    LONGLONG seen_ns = 0;
    HRESULT hr = clock_offset(path, &offset_ns);
    if (situation->quiet_ms > 0)
        os_sleep_ms(situation->quiet_ms);
    if (SUCCEEDED(hr))
        hr = start_block(&caller);
    if (FAILED(hr))
        return hr;
    if (delay_ms > 0)
        os_sleep_ms(delay_ms);
    hr = cancel(&caller, &at_ns);
    /* Frames of ours would be read in its stead: the question comes when all should be over. */
    for (int i = 0; i < 100 && SUCCEEDED(hr) && seen_ns == 0; i++) {
        os_sleep_ms(15 * factor);
        hr = ICallPath_GetBlock(path, 0, &entered_ns, &seen_ns);
    }
    if (SUCCEEDED(hr) && seen_ns == 0)
        hr = RPC_E_TIMEOUT;
    int64_t from_ns = (int64_t)at_ns + offset_ns;
    from_ns = from_ns > entered_ns ? from_ns : entered_ns;
    *took_ns = seen_ns > from_ns ? (uint64_t)(seen_ns - from_ns) : 0;
    return hr;
}

static HRESULT begin_others(ICallPath *path, enum others others, struct caller *callers,
                            atomic_bool *stop)
{
    HRESULT hr = S_OK;
    for (uint32_t i = 0; i < N_OTHERS && others != OTHERS_NONE && SUCCEEDED(hr); i++) {
        callers[i] = (struct caller){.path = path, .slot = i + 1, .stop = stop};
        hr = others == OTHERS_WAIT
                 ? start_block(&callers[i])
                 : os_thread_start(run_calls, &callers[i], "calls", &callers[i].thread);
    }
    os_sleep_ms(others == OTHERS_WAIT ? 30 : 0); /* until their methods run */
    return hr;
}

static HRESULT end_others(enum others others, struct caller *callers, atomic_bool *stop)
{
    HRESULT hr = S_OK;
    atomic_store(stop, true);
    for (uint32_t i = 0; i < N_OTHERS; i++) {
        uint64_t at_ns;
        HRESULT own = S_OK;
        if (callers[i].thread == NULL)
            continue;
        if (others == OTHERS_WAIT) {
            own = cancel(&callers[i], &at_ns);
        } else {
            os_thread_join(callers[i].thread);
            own = callers[i].hr;
        }
        hr = FAILED(own) ? own : hr;
    }
    return hr;
}

/* True: in time. */
static bool try_delay(ICallPath *path, const struct situation *situation, uint32_t delay_ms,
                      uint32_t factor)
{
    uint64_t best_ns = UINT64_MAX;
    uint64_t worst_ns = 0;
    for (uint32_t i = 0; i < MIN_TRIES || (i < MAX_TRIES && best_ns >= LIMIT_NS * factor); i++) {
        uint64_t took_ns = 0;
        HRESULT hr = try_once(path, situation, delay_ms, factor, &took_ns);
        if (FAILED(hr)) {
            path_fail(situation->name, hr);
            return false;
        }
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        worst_ns = took_ns > worst_ns ? took_ns : worst_ns;
    }
    bool in_time = best_ns < LIMIT_NS * factor;
    printf("  %s, cancelled after %u ms: it takes %.2f to %.2f ms%s\n", situation->name,
           (unsigned)delay_ms, (double)best_ns / 1e6, (double)worst_ns / 1e6,
           in_time ? "" : ": too late");
    return in_time;
}

int path_cancel(ICallPath *path, uint32_t factor)
{
    bool good = true;
    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        const struct situation *situation = &situations[i];
        struct caller callers[N_OTHERS] = {0};
        atomic_bool stop = false;
        HRESULT hr = begin_others(path, situation->others, callers, &stop);
        for (size_t j = 0; j < sizeof delays_ms / sizeof delays_ms[0] && SUCCEEDED(hr); j++)
            good &= try_delay(path, situation, delays_ms[j], factor);
        HRESULT ended = end_others(situation->others, callers, &stop);
        if (FAILED(hr) || FAILED(ended)) {
            path_fail(situation->name, FAILED(hr) ? hr : ended);
            good = false;
        }
    }
    return good ? 0 : 1;
}
