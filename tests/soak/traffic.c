#include "tests/soak/traffic.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/soak/soak_object.h"

static struct {
    struct os_mutex lock;
    char servers[2][256];                           /* lock */
    struct os_thread *threads[TRAFFIC_MAX_THREADS]; /* of who starts and stops */
    unsigned n_threads;                             /* the same */
    unsigned factor;                                /* read-only */
    atomic_bool stops;
    atomic_uint_fast64_t started, returned, failed, wrong, unexplained, late;
} the = {.lock = OS_MUTEX_INITIALIZER, .factor = 1};

/* What a call may fail with when processes are killed, and nothing else. */
static bool is_explained(HRESULT hr)
{
    static const HRESULT causes[] = {RPC_E_DISCONNECTED, VIA_E_UNREACHABLE, RPC_E_TIMEOUT,
                                     RPC_E_INVALID_OBJECT};
    char text[1024];
    via_error_message(hr, text, sizeof text);
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (hr == causes[i] && strchr(text, ' ') != NULL)
            return true;
    fprintf(stderr, "unexplained: 0x%08x %s\n", (unsigned)hr, text);
    return false;
}

#define end_call(...) end_call_at(__LINE__, __VA_ARGS__)

static uint64_t begin_call(void)
{
    atomic_fetch_add(&the.started, 1);
    return os_now_ns();
}

/* True when the call has returned. */
static bool end_call_at(unsigned line, uint64_t began_ns, HRESULT hr, bool is_right)
{
    uint64_t took_ms = (os_now_ns() - began_ns) / 1000000u;
    if (took_ms > (uint64_t)SOAK_LATE_MS * the.factor)
        atomic_fetch_add(&the.late, 1);
    if (FAILED(hr)) {
        atomic_fetch_add(&the.unexplained, !is_explained(hr));
        atomic_fetch_add(&the.failed, 1);
        SetErrorInfo(0, NULL);
        return false;
    }
    if (!is_right) {
        atomic_fetch_add(&the.wrong, 1);
        fprintf(stderr, "wrong: the call of line %u\n", line);
    }
    atomic_fetch_add(&the.returned, 1);
    return true;
}

static bool connect_to(unsigned index, ISoak **root)
{
    char address[256];
    os_mutex_lock(&the.lock);
    memcpy(address, the.servers[index], sizeof address);
    os_mutex_unlock(&the.lock);
    uint64_t began = begin_call();
    HRESULT hr = via_connect(address, &IID_ISoak, (void **)root);
    return end_call(began, hr, SUCCEEDED(hr) && *root != NULL);
}

static bool add(ISoak *object, LONG a)
{
    LONG sum = 0;
    uint64_t began = begin_call();
    HRESULT hr = ISoak_Add(object, a, 5, &sum);
    return end_call(began, hr, sum == a + 5);
}

static bool is_dead(ISoak *object)
{
    struct via_peer_info info = {.size = sizeof info};
    return object != NULL && via_get_peer((IUnknown *)object, &info) == S_OK && info.is_dead;
}

/* A reference that comes when its owner is dying is a proxy of its own: one that is dead from the
 * start, or, for the moment that the news of one connection's end is ahead of another's, one beside
 * the dead one. */
static bool is_same(ISoak *object, ISoak *other)
{
    return object == other || is_dead(object) || is_dead(other);
}

/* One of the first server's objects goes to the second, which connects to the first itself, and
 * comes back; one of ours goes out and comes home. */
static void pass_about(ISoak *first, ISoak *second, ISoak *child, ULONG turn)
{
    LONG sum = 0;
    ISoak *same = NULL;
    uint64_t began = begin_call();
    HRESULT hr = ISoak_CallAdd(second, child, (LONG)turn, 7, &sum);
    end_call(began, hr, sum == (LONG)turn + 7);
    began = begin_call();
    hr = ISoak_Hold(second, turn, child);
    end_call(began, hr, true);
    began = begin_call();
    hr = ISoak_Echo(second, child, &same);
    end_call(began, hr, is_same(same, child));
    if (same != NULL)
        ISoak_Release(same);
    ISoak *mine = soak_object_new();
    if (mine == NULL)
        return;
    same = NULL;
    began = begin_call();
    hr = ISoak_Echo(first, mine, &same);
    end_call(began, hr, same == mine);
    if (same != NULL)
        ISoak_Release(same);
    began = begin_call();
    hr = ISoak_Hold(second, turn + 1, mine);
    end_call(began, hr, true);
    ISoak_Release(mine);
}

static void one_round(ISoak *first, ISoak *second, ULONG turn)
{
    ISoak *child = NULL;
    uint64_t began = begin_call();
    HRESULT hr = ISoak_Make(first, &child);
    if (!end_call(began, hr, child != NULL) || child == NULL)
        return;
    if (add(child, (LONG)turn))
        pass_about(first, second, child, turn);
    ISoak_Release(child);
}

static void run_thread(void *argument)
{
    unsigned first = (unsigned)(uintptr_t)argument % 2;
    via_thread_set_deadline(SOAK_DEADLINE_MS * the.factor);
    while (!atomic_load(&the.stops)) {
        ISoak *roots[2] = {NULL, NULL};
        bool connected = connect_to(first, &roots[0]);
        connected = connect_to(1 - first, &roots[1]) && connected;
        for (ULONG turn = 0; connected && turn < 20 && !atomic_load(&the.stops); turn++)
            one_round(roots[0], roots[1], turn);
        for (int i = 0; i < 2; i++)
            if (roots[i] != NULL)
                ISoak_Release(roots[i]);
        if (!connected)
            os_sleep_ms(5); /* it is being replaced */
    }
}

void traffic_init(unsigned factor)
{
    the.factor = factor;
}

void traffic_set_servers(const char *first, const char *second)
{
    os_mutex_lock(&the.lock);
    snprintf(the.servers[0], sizeof the.servers[0], "%s", first);
    snprintf(the.servers[1], sizeof the.servers[1], "%s", second);
    os_mutex_unlock(&the.lock);
}

void traffic_start(unsigned n_threads)
{
    atomic_store(&the.stops, false);
    for (unsigned i = 0; i < n_threads && i < TRAFFIC_MAX_THREADS; i++)
        if (SUCCEEDED(os_thread_start(run_thread, (void *)(uintptr_t)i, "traffic",
                                      &the.threads[the.n_threads])))
            the.n_threads++;
}

void traffic_stop(void)
{
    atomic_store(&the.stops, true);
    while (the.n_threads > 0)
        os_thread_join(the.threads[--the.n_threads]);
}

void traffic_account(struct SoakAccount *account)
{
    account->started = atomic_load(&the.started);
    account->returned = atomic_load(&the.returned);
    account->failed = atomic_load(&the.failed);
    account->wrong = atomic_load(&the.wrong);
    account->unexplained = atomic_load(&the.unexplained);
    account->late = atomic_load(&the.late);
}
