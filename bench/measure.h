/*
 * What every contender of the benchmark shares: clocks, samples, and one line of results.
 *
 * A client prints exactly one line of results, "calls=N mean_ns=X p50_ns=X p99_ns=X cpu_ns=X",
 * which bench/run reads. `cpu_ns` is of both processes, for each call.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* What a two-int call and its reply have on the wire: the raw contenders move the same bytes. */
#define MEASURE_REQUEST_SIZE 96
#define MEASURE_REPLY_SIZE   48

/* One-way calls that a client sends before it waits until the server has had them all. */
#define MEASURE_WINDOW 64u

struct measure {
    uint64_t *samples_ns;
    size_t n;
    size_t size;
    uint64_t started_ns;
    uint64_t ended_ns;
    uint64_t cpu_ns; /* set by the caller */
};

uint64_t measure_now_ns(void);
/* Of this process so far. */
uint64_t measure_cpu_ns(void);
/* What the server of a payload does with it: one word of every cache line is read. */
uint32_t measure_sink(const void *data, size_t size);
/* Room for `n_calls` samples; ends the process when there is no memory. */
void measure_init(struct measure *measure, size_t n_calls);
void measure_start(struct measure *measure);
void measure_add(struct measure *measure, uint64_t duration_ns);
void measure_stop(struct measure *measure);
/* Prints the line and frees the samples. There are `n_each` calls in every sample; all figures are
 * for one of them. */
void measure_print(struct measure *measure, size_t n_each);
/* Says "ready" and waits for a line on the standard input: clients begin together. */
void measure_wait_for_start(void);

#endif
