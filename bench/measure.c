#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t measure_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t measure_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint32_t measure_sink(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t sum = 0;
    for (size_t i = 0; i + sizeof(sum) <= size; i += 64) {
        uint32_t word;
        memcpy(&word, bytes + i, sizeof(word));
        sum += word;
    }
    return sum;
}

void measure_wait_for_start(void)
{
    puts("ready");
    fflush(stdout);
    while (getchar() != '\n')
        if (feof(stdin))
            exit(1);
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

void measure_print(struct measure *measure, size_t n_each)
{
    size_t n = measure->n;
    double each = (double)n_each;
    qsort(measure->samples_ns, n, sizeof(*measure->samples_ns), compare_samples);
    printf("calls=%zu mean_ns=%.1f p50_ns=%.1f p99_ns=%.1f cpu_ns=%.1f\n", n * n_each,
           (double)(measure->ended_ns - measure->started_ns) / (double)n / each,
           (double)measure->samples_ns[n / 2] / each,
           (double)measure->samples_ns[n * 99 / 100] / each,
           (double)measure->cpu_ns / (double)n / each);
    fflush(stdout);
    free(measure->samples_ns);
    measure->samples_ns = NULL;
}
