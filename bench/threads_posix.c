/*
 * Threads of one process that call one object over one connection: bench-threads ADDRESS MS N calls
 * a server of bench-call for so long, and prints "calls=N mean_ns=X", the time divided by all
 * calls.
 */
#include "bench.h"
#include "bench/measure.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <viaduct/runtime.h>

#define MAX_THREADS 256u

extern const struct via_typelib bench_typelib;

struct caller {
    pthread_t thread;
    IBench *bench;
    uint64_t end_ns;
    unsigned long n_calls;
    HRESULT hr;
};

static void *call(void *argument)
{
    struct caller *self = argument;
    while (SUCCEEDED(self->hr) && measure_now_ns() < self->end_ns) {
        LONG sum = 0;
        self->hr = IBench_Add(self->bench, (LONG)self->n_calls, 7, &sum);
        if (SUCCEEDED(self->hr) && sum != (LONG)self->n_calls + 7)
            self->hr = E_UNEXPECTED;
        self->n_calls++;
    }
    return NULL;
}

static HRESULT run(IBench *bench, uint64_t ms, size_t n)
{
    static struct caller callers[MAX_THREADS];
    uint64_t started_ns = measure_now_ns();
    unsigned long n_calls = 0;
    HRESULT hr = S_OK;
    for (size_t i = 0; i < n; i++) {
        callers[i] = (struct caller){.bench = bench, .end_ns = started_ns + ms * UINT64_C(1000000)};
        if (pthread_create(&callers[i].thread, NULL, call, &callers[i]) != 0)
            exit(1);
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(callers[i].thread, NULL);
        n_calls += callers[i].n_calls;
        if (FAILED(callers[i].hr))
            hr = callers[i].hr;
    }
    printf("calls=%lu mean_ns=%.1f\n", n_calls,
           (double)(measure_now_ns() - started_ns) / (double)n_calls);
    return hr;
}

int main(int argc, char **argv)
{
    size_t n = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    IBench *bench = NULL;
    if (n == 0 || n > MAX_THREADS) {
        fprintf(stderr, "usage: bench-threads ADDRESS MS N; N is at most %u\n", MAX_THREADS);
        return 2;
    }
    struct via_options options = {.size = sizeof(options), .agent = "bench-threads"};
    HRESULT hr = via_initialize(&options);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&bench_typelib);
    if (SUCCEEDED(hr))
        hr = via_connect(argv[1], &IID_IBench, (void **)&bench);
    if (SUCCEEDED(hr))
        hr = run(bench, strtoul(argv[2], NULL, 10), n);
    if (FAILED(hr)) {
        char text[1024];
        fprintf(stderr, "bench-threads: %s\n", via_error_message(hr, text, sizeof(text)));
    }
    if (bench != NULL)
        IBench_Release(bench);
    via_uninitialize();
    return FAILED(hr);
}
