#include "bench/workload.h"
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char workload_usage[] =
    "call|promise|oneway ADDRESS CALLS | payload|inplace ADDRESS CALLS SIZE | "
    "clients ADDRESS MS";

/* One sample: `n` calls that count as one measurement. */
typedef bool (*step_function)(const struct workload *, const struct workload_peer *, void *,
                              size_t i);

/* A tenth goes first, and does not count. Prints the line; `n_calls` calls are in each step. */
static bool measure_steps(const struct workload *self, const struct workload_peer *peer,
                          void *context, step_function step, size_t n_steps, size_t n_calls)
{
    struct measure measure;
    uint64_t cpu_before = 0;
    uint64_t cpu_after = 0;
    size_t n_warm_up = n_steps / 10 + 1;
    bool works = true;
    for (size_t i = 0; i < n_warm_up && works; i++)
        works = step(self, peer, context, i);
    measure_init(&measure, n_steps);
    works = works && peer->server_cpu(context, &cpu_before);
    cpu_before += measure_cpu_ns();
    measure_start(&measure);
    uint64_t before = measure.started_ns;
    for (size_t i = 0; i < n_steps && works; i++) {
        works = step(self, peer, context, n_warm_up + i);
        uint64_t after = measure_now_ns();
        measure_add(&measure, after - before);
        before = after;
    }
    measure_stop(&measure);
    works = works && peer->server_cpu(context, &cpu_after);
    if (!works) {
        free(measure.samples_ns);
        return false;
    }
    measure.cpu_ns = cpu_after + measure_cpu_ns() - cpu_before;
    measure_print(&measure, n_calls);
    return true;
}

static bool step_call(const struct workload *self, const struct workload_peer *peer, void *context,
                      size_t i)
{
    (void)self;
    return peer->call(context, (uint32_t)i);
}

static bool run_calls(const struct workload *self, const struct workload_peer *peer, void *context)
{
    return measure_steps(self, peer, context, step_call, self->count, 1);
}

static bool step_promise(const struct workload *self, const struct workload_peer *peer,
                         void *context, size_t i)
{
    (void)self;
    return peer->get_and_call(context, (uint32_t)i);
}

static bool run_promises(const struct workload *self, const struct workload_peer *peer,
                         void *context)
{
    if (peer->get_and_call != NULL)
        return measure_steps(self, peer, context, step_promise, self->count, 1);
    fprintf(stderr, "bench: this contender has no calls on what is still to come\n");
    return false;
}

static bool step_window(const struct workload *self, const struct workload_peer *peer,
                        void *context, size_t i)
{
    bool works = true;
    (void)self;
    for (uint32_t j = 0; j < MEASURE_WINDOW && works; j++)
        works = peer->notify(context, j);
    return works && peer->settle(context, (uint32_t)(i + 1) * MEASURE_WINDOW);
}

static bool run_windows(const struct workload *self, const struct workload_peer *peer,
                        void *context)
{
    size_t n_windows = (self->count + MEASURE_WINDOW - 1) / MEASURE_WINDOW;
    return measure_steps(self, peer, context, step_window, n_windows, MEASURE_WINDOW);
}

/* The bytes and their sum are made once: what a call costs is measured. */
static uint8_t *the_payload;
static uint32_t the_sum;

static bool step_payload(const struct workload *self, const struct workload_peer *peer,
                         void *context, size_t i)
{
    (void)i;
    return peer->sink(context, the_payload, self->size, the_sum);
}

static bool step_in_place(const struct workload *self, const struct workload_peer *peer,
                          void *context, size_t i)
{
    (void)i;
    return peer->sink_in_place(context, the_payload, self->size, the_sum);
}

static bool run_with_payload(const struct workload *self, const struct workload_peer *peer,
                             void *context, step_function step)
{
    the_payload = malloc(self->size);
    if (the_payload == NULL) {
        fprintf(stderr, "bench: no memory for a payload of %zu bytes\n", self->size);
        return false;
    }
    for (size_t i = 0; i < self->size; i++)
        the_payload[i] = (uint8_t)(i * 7 + i / 64);
    the_sum = measure_sink(the_payload, self->size);
    bool works = measure_steps(self, peer, context, step, self->count, 1);
    free(the_payload);
    return works;
}

static bool run_payload(const struct workload *self, const struct workload_peer *peer,
                        void *context)
{
    return run_with_payload(self, peer, context, step_payload);
}

static bool run_in_place(const struct workload *self, const struct workload_peer *peer,
                         void *context)
{
    if (peer->sink_in_place != NULL)
        return run_with_payload(self, peer, context, step_in_place);
    fprintf(stderr, "bench: this contender has no arguments in place\n");
    return false;
}

static bool run_for_a_time(const struct workload *self, const struct workload_peer *peer,
                           void *context)
{
    uint32_t n_calls = 0;
    bool works = true;
    for (uint32_t i = 0; i < 100 && works; i++)
        works = peer->call(context, i);
    if (works)
        measure_wait_for_start();
    uint64_t end_ns = measure_now_ns() + self->count * UINT64_C(1000000);
    while (works && measure_now_ns() < end_ns)
        works = peer->call(context, n_calls++);
    if (works) {
        printf("calls=%u\n", (unsigned)n_calls);
        fflush(stdout);
    }
    return works;
}

bool workload_parse(int argc, char **argv, struct workload *workload)
{
    static const struct {
        const char *name;
        int argc;
        bool (*run)(const struct workload *, const struct workload_peer *, void *);
    } all[] = {{"call", 4, run_calls},       {"promise", 4, run_promises},
               {"oneway", 4, run_windows},   {"payload", 5, run_payload},
               {"inplace", 5, run_in_place}, {"clients", 4, run_for_a_time}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (argc != all[i].argc || strcmp(argv[1], all[i].name) != 0)
            continue;
        *workload = (struct workload){.run = all[i].run,
                                      .address = argv[2],
                                      .count = strtoul(argv[3], NULL, 10),
                                      .size = argc > 4 ? strtoul(argv[4], NULL, 10) : 1};
        return workload->count > 0 && workload->size > 0;
    }
    return false;
}
