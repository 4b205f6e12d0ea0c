#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t measure_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void measure_init(struct measure *measure, size_t n_calls)
{
    *measure = (struct measure){.size = n_calls};
    measure->samples_ns = calloc(n_calls, sizeof(*measure->samples_ns));
    if (!measure->samples_ns) {
        fprintf(stderr, "bench: no memory for %zu samples\n", n_calls);
        exit(1);
    }
}

void measure_start(struct measure *measure)
{
    measure->n = 0;
    measure->started_ns = measure_now_ns();
}

void measure_add(struct measure *measure, uint64_t duration_ns)
{
    if (measure->n < measure->size)
        measure->samples_ns[measure->n++] = duration_ns;
}

void measure_stop(struct measure *measure)
{
    measure->ended_ns = measure_now_ns();
}

static int compare_samples(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

void measure_print(struct measure *measure)
{
    size_t n = measure->n;
    qsort(measure->samples_ns, n, sizeof(*measure->samples_ns), compare_samples);
    printf("calls=%zu mean_ns=%llu p50_ns=%llu p99_ns=%llu\n", n,
           (unsigned long long)((measure->ended_ns - measure->started_ns) / n),
           (unsigned long long)measure->samples_ns[n / 2],
           (unsigned long long)measure->samples_ns[n * 99 / 100]);
    fflush(stdout);
    free(measure->samples_ns);
    measure->samples_ns = NULL;
}
