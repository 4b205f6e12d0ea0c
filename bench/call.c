/*
 * Viaduct's contender: a two-int call on an object of another process.
 *
 *   bench-call serve ADDRESS           serves until its standard input ends
 *   bench-call call ADDRESS CALLS      measures
 *
 * VIADUCT_BENCH_NO_SPIN=1 makes waiting threads sleep at once, as the blocking raw contender does.
 */
#include "bench.h"
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

extern const struct via_typelib bench_typelib;

static HRESULT STDMETHODCALLTYPE Bench_QueryInterface(IBench *self, REFIID iid, void **object)
{
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IBench)) {
        *object = NULL;
        return E_NOINTERFACE;
    }
    *object = self;
    return S_OK;
}

/* The one object lives as long as the process. */
static ULONG STDMETHODCALLTYPE Bench_AddRef(IBench *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Bench_Release(IBench *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Bench_Add(IBench *self, LONG a, LONG b, LONG *sum)
{
    (void)self;
    *sum = (LONG)((ULONG)a + (ULONG)b);
    return S_OK;
}

static int fail(const char *what, HRESULT code)
{
    char text[1024];
    fprintf(stderr, "bench-call: %s: %s\n", what, via_error_message(code, text, sizeof(text)));
    return 1;
}

static HRESULT join(void)
{
    struct via_options options = {.size = sizeof(options), .agent = "bench-call"};
    options.no_spin = getenv("VIADUCT_BENCH_NO_SPIN") != NULL;
    HRESULT hr = via_initialize(&options);
    return FAILED(hr) ? hr : via_register_typelib(&bench_typelib);
}

static int serve(const char *address)
{
    static IBenchVtbl vtbl = {Bench_QueryInterface, Bench_AddRef, Bench_Release, Bench_Add};
    static IBench bench = {&vtbl};
    HRESULT hr = via_set_root_object((IUnknown *)&bench);
    if (SUCCEEDED(hr))
        hr = via_listen(address);
    if (FAILED(hr))
        return fail(address, hr);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}

static HRESULT add_once(IBench *bench, LONG i)
{
    LONG sum = 0;
    HRESULT hr = IBench_Add(bench, i, 7, &sum);
    if (SUCCEEDED(hr) && sum != i + 7)
        hr = E_UNEXPECTED;
    return hr;
}

static HRESULT measure_calls(IBench *bench, size_t n_calls)
{
    struct measure measure;
    measure_init(&measure, n_calls);
    HRESULT hr = S_OK;
    for (size_t i = 0; i < n_calls / 10 && SUCCEEDED(hr); i++)
        hr = add_once(bench, (LONG)i);
    measure_start(&measure);
    uint64_t before = measure.started_ns;
    for (size_t i = 0; i < n_calls && SUCCEEDED(hr); i++) {
        hr = add_once(bench, (LONG)i);
        uint64_t after = measure_now_ns();
        measure_add(&measure, after - before);
        before = after;
    }
    measure_stop(&measure);
    if (SUCCEEDED(hr))
        measure_print(&measure);
    else
        free(measure.samples_ns);
    return hr;
}

static int call(const char *address, size_t n_calls)
{
    IBench *bench = NULL;
    HRESULT hr = via_connect(address, &IID_IBench, (void **)&bench);
    if (SUCCEEDED(hr)) {
        hr = measure_calls(bench, n_calls);
        IBench_Release(bench);
    }
    return FAILED(hr) ? fail(address, hr) : 0;
}

int main(int argc, char **argv)
{
    int is_server = argc == 3 && !strcmp(argv[1], "serve");
    size_t n_calls = argc == 4 && !strcmp(argv[1], "call") ? strtoul(argv[3], NULL, 10) : 0;
    if (!is_server && n_calls == 0) {
        fprintf(stderr, "usage: bench-call serve ADDRESS | bench-call call ADDRESS CALLS\n");
        return 2;
    }
    HRESULT hr = join();
    if (FAILED(hr))
        return fail("joining the runtime", hr);
    int status = is_server ? serve(argv[2]) : call(argv[2], n_calls);
    via_uninitialize();
    return status;
}
