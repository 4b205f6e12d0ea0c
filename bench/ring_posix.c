/*
 * The plugin `shm` against a raw ring with a futex, both as ping-pong of two processes.
 *
 *   bench-ring PLUGIN [REPETITIONS]
 *
 * On one CPU the readers sleep at once, on two they look for bytes, with sched_yield between, and
 * sleep after a while without. Contenders take turns; what counts is the best median of all
 * repetitions, and its ratio to the raw ring's.
 */
#include "bench/measure.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_CALLS   20000u
#define N_WARM_UP 2000u
#define SPIN_NS   100000u

static void die(const char *what)
{
    fprintf(stderr, "bench-ring: %s\n", what);
    exit(1);
}

static void pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        die("cannot be pinned to its CPU");
}

/* --- the raw ring --- */

struct raw_direction {
    _Alignas(128) _Atomic uint32_t sequence;
    _Alignas(128) _Atomic uint32_t sleeps;
    uint8_t bytes[128];
};

static void raw_put(struct raw_direction *to, const void *bytes, size_t size)
{
    memcpy(to->bytes, bytes, size);
    atomic_fetch_add(&to->sequence, 1);
    if (atomic_load(&to->sleeps) && atomic_exchange(&to->sleeps, 0))
        syscall(SYS_futex, &to->sleeps, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void raw_take(struct raw_direction *from, uint32_t expected, void *bytes, size_t size,
                     bool spins)
{
    uint64_t until = spins ? os_now_ns() + SPIN_NS : 0;
    while (atomic_load(&from->sequence) != expected) {
        if (spins && os_now_ns() < until) {
            sched_yield();
            continue;
        }
        atomic_store(&from->sleeps, 1);
        if (atomic_load(&from->sequence) != expected)
            syscall(SYS_futex, &from->sleeps, FUTEX_WAIT, 1, NULL, NULL, 0);
        atomic_store(&from->sleeps, 0);
    }
    memcpy(bytes, from->bytes, size);
}

static void run_raw(struct raw_direction *directions, bool is_client, bool spins, uint64_t *samples)
{
    uint8_t request[MEASURE_REQUEST_SIZE] = {1};
    uint8_t reply[MEASURE_REPLY_SIZE] = {2};
    for (uint32_t i = 1; i <= N_CALLS + N_WARM_UP; i++) {
        uint64_t start = os_now_ns();
        if (is_client) {
            raw_put(&directions[0], request, sizeof request);
            raw_take(&directions[1], i, reply, sizeof reply, spins);
            if (i > N_WARM_UP)
                samples[i - N_WARM_UP - 1] = os_now_ns() - start;
        } else {
            raw_take(&directions[0], i, request, sizeof request, spins);
            raw_put(&directions[1], reply, sizeof reply);
        }
    }
}

/* --- the plugin --- */

static void expect(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    if (FAILED(hr))
        die(error_format(error_get(), hr, text, sizeof text));
}

static void plugin_put(const struct via_transport *t, struct via_stream *stream, size_t size)
{
    uint8_t *span;
    size_t room;
    expect(t->reserve(stream, size, &span, &room));
    memset(span, 3, size);
    expect(t->commit(stream, size, NULL, 0, VIA_COMMIT_FLUSH));
}

static void plugin_take(const struct via_transport *t, struct via_stream *stream, size_t size,
                        bool spins)
{
    static uint8_t bytes[MEASURE_REQUEST_SIZE];
    const uint8_t *span;
    size_t there;
    HRESULT hr;
    uint64_t until = spins ? os_now_ns() + SPIN_NS : 0;
    while ((hr = t->peek(stream, size, &span, &there)) == VIA_S_WOULD_BLOCK) {
        if (spins && os_now_ns() < until)
            sched_yield();
        else
            expect(t->wait(stream, UINT64_MAX));
    }
    expect(hr);
    memcpy(bytes, span, size);
    t->consume(stream, size);
}

static void run_plugin(const struct via_transport *t, struct via_stream *stream, bool is_client,
                       bool spins, uint64_t *samples)
{
    for (uint32_t i = 0; i < N_CALLS + N_WARM_UP; i++) {
        uint64_t start = os_now_ns();
        if (is_client) {
            plugin_put(t, stream, MEASURE_REQUEST_SIZE);
            plugin_take(t, stream, MEASURE_REPLY_SIZE, spins);
            if (i >= N_WARM_UP)
                samples[i - N_WARM_UP] = os_now_ns() - start;
        } else {
            plugin_take(t, stream, MEASURE_REQUEST_SIZE, spins);
            plugin_put(t, stream, MEASURE_REPLY_SIZE);
        }
    }
}

/* --- one repetition --- */

static void on_ready(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

/* In each process on its own, after the fork. */
static void talk_by_plugin(const char *file, const char *path, bool is_client, bool spins,
                           uint64_t *samples)
{
    struct os_poller *poller;
    struct plugin_set *set;
    const struct via_transport *t;
    struct via_stream *stream;
    struct via_listener *listener = NULL;
    HRESULT hr;
    expect(os_poller_new(&poller));
    expect(plugin_set_new(poller, NULL, &set));
    expect(plugin_set_load(set, file));
    expect(plugin_set_find(set, "shm", &t));
    struct via_listen_options listening = {sizeof listening, VIA_ACCESS_SAME_USER, 4, 0};
    struct via_connect_options connecting = {sizeof connecting, 1, 0};
    if (!is_client)
        expect(t->listen(path, &listening, on_ready, NULL, &listener));
    do {
        hr = is_client ? t->connect(path, &connecting, &stream)
                       : t->listener_accept(listener, &stream);
        sched_yield();
    } while (hr == VIA_S_WOULD_BLOCK || hr == VIA_WIN32(2));
    expect(hr);
    run_plugin(t, stream, is_client, spins, samples);
    t->close(stream);
    if (listener != NULL)
        t->listener_close(listener);
    plugin_set_free(set);
    os_poller_free(poller);
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

static uint64_t median(uint64_t *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, compare);
    return samples[n / 2];
}

static uint64_t repetition(const char *file, bool by_plugin, int n_cpus)
{
    static unsigned n_repetitions;
    char path[64];
    uint64_t *samples = calloc(N_CALLS, sizeof *samples);
    struct raw_direction *directions = mmap(NULL, 2 * sizeof *directions, PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (samples == NULL || directions == MAP_FAILED)
        die("no memory");
    snprintf(path, sizeof path, "/tmp/bench-ring-%d-%u", (int)getpid(), n_repetitions++);
    pid_t server = fork();
    bool is_client = server != 0;
    pin(is_client && n_cpus > 1 ? 1 : 0);
    if (by_plugin)
        talk_by_plugin(file, path, is_client, n_cpus > 1, samples);
    else
        run_raw(directions, is_client, n_cpus > 1, samples);
    if (!is_client)
        _exit(0);
    waitpid(server, NULL, 0);
    munmap(directions, 2 * sizeof *directions);
    uint64_t result = median(samples, N_CALLS);
    free(samples);
    return result;
}

int main(int argc, char **argv)
{
    int n_repetitions = argc > 2 ? atoi(argv[2]) : 5;
    if (argc < 2)
        die("PLUGIN [REPETITIONS]");
    for (int n_cpus = 1; n_cpus <= 2; n_cpus++) {
        uint64_t best[2] = {UINT64_MAX, UINT64_MAX};
        for (int i = 0; i < n_repetitions; i++) {
            for (int by_plugin = 0; by_plugin < 2; by_plugin++) {
                uint64_t ns = repetition(argv[1], by_plugin, n_cpus);
                if (ns < best[by_plugin])
                    best[by_plugin] = ns;
            }
        }
        printf("%d cpu%s: raw ring %.3f us, plugin %.3f us, ratio %.2f\n", n_cpus,
               n_cpus > 1 ? "s" : "", (double)best[0] / 1000, (double)best[1] / 1000,
               (double)best[1] / (double)best[0]);
    }
    return 0;
}
