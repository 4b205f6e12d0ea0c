/*
 * What every contender of the benchmark shares: a clock, samples, and one line of results.
 *
 * A client prints exactly one line, "calls=N mean_ns=X p50_ns=X p99_ns=X", which bench/run reads.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* What a two-int call and its reply have on the wire: the raw contenders move the same bytes. */
#define MEASURE_REQUEST_SIZE 96
#define MEASURE_REPLY_SIZE   48

struct measure {
    uint64_t *samples_ns;
    size_t n;
    size_t size;
    uint64_t started_ns;
    uint64_t ended_ns;
};

uint64_t measure_now_ns(void);
/* Room for `n_calls` samples; ends the process when there is no memory. */
void measure_init(struct measure *measure, size_t n_calls);
void measure_start(struct measure *measure);
void measure_add(struct measure *measure, uint64_t duration_ns);
void measure_stop(struct measure *measure);
/* Prints the line and frees the samples. */
void measure_print(struct measure *measure);

#endif
