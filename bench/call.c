/*
 * Viaduct's contender: calls on an object of another process.
 *
 *   bench-call serve ADDRESS           serves until its standard input ends
 *   bench-call WORKLOAD ADDRESS ...    measures; bench/workload.h
 *   bench-call first ADDRESS           after a line on its standard input calls as soon as somebody
 *                                      answers there, and prints when that was: "at_ns=N"
 *
 * VIADUCT_BENCH_NO_SPIN=1 makes waiting threads sleep at once, as the blocking raw contender does.
 */
#include "bench.h"
#include "bench/measure.h"
#include "bench/workload.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/payload.h>
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

static atomic_uint n_notified;

static HRESULT STDMETHODCALLTYPE Bench_Notify(IBench *self, LONG a, LONG b)
{
    (void)self;
    (void)a;
    (void)b;
    atomic_fetch_add_explicit(&n_notified, 1, memory_order_relaxed);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Bench_GetNotified(IBench *self, ULONG *n_calls)
{
    (void)self;
    *n_calls = atomic_load(&n_notified);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Bench_Sink(IBench *self, ULONG n, const BYTE *data, ULONG *sum)
{
    (void)self;
    *sum = measure_sink(data, n);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Bench_SinkInPlace(IBench *self, ULONG n, const BYTE *data,
                                                   ULONG *sum)
{
    return Bench_Sink(self, n, data, sum);
}

static HRESULT STDMETHODCALLTYPE Bench_GetCpuTime(IBench *self, LONGLONG *ns)
{
    (void)self;
    *ns = (LONGLONG)measure_cpu_ns();
    return S_OK;
}

static IBench the_other;

static HRESULT STDMETHODCALLTYPE Bench_GetOther(IBench *self, IBench **other)
{
    (void)self;
    *other = &the_other;
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
    static IBenchVtbl vtbl = {
        Bench_QueryInterface, Bench_AddRef, Bench_Release,     Bench_Add,        Bench_Notify,
        Bench_GetNotified,    Bench_Sink,   Bench_SinkInPlace, Bench_GetCpuTime, Bench_GetOther};
    static IBench bench = {&vtbl};
    the_other.lpVtbl = &vtbl;
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

/* --- the client --- */

static bool works(const char *what, HRESULT hr)
{
    return SUCCEEDED(hr) || (fail(what, hr), false);
}

static bool call(void *context, uint32_t i)
{
    LONG sum = 0;
    HRESULT hr = IBench_Add((IBench *)context, (LONG)i, 7, &sum);
    if (SUCCEEDED(hr) && sum != (LONG)i + 7)
        hr = E_UNEXPECTED;
    return works("Add", hr);
}

/* Gets an object, and calls it before it is there. */
static bool get_and_call(void *context, uint32_t i)
{
    struct via_call *getting = NULL;
    IBench *other = NULL;
    HRESULT hr = IBench_GetOther_begin((IBench *)context, &getting);
    if (SUCCEEDED(hr))
        hr = via_call_object(getting, 0, &IID_IBench, (void **)&other);
    bool succeeded = works("GetOther", hr) && call(other, i);
    if (other != NULL)
        IBench_Release(other);
    via_call_release(getting);
    return succeeded;
}

static bool notify(void *context, uint32_t i)
{
    return works("Notify", IBench_Notify((IBench *)context, (LONG)i, 7));
}

static bool settle(void *context, uint32_t n)
{
    ULONG n_there = 0;
    HRESULT hr = IBench_GetNotified((IBench *)context, &n_there);
    if (SUCCEEDED(hr) && n_there != n)
        hr = E_UNEXPECTED;
    return works("GetNotified", hr);
}

static bool sink(void *context, const void *data, size_t size, uint32_t expected)
{
    ULONG sum = 0;
    HRESULT hr = IBench_Sink((IBench *)context, (ULONG)size, data, &sum);
    if (SUCCEEDED(hr) && sum != expected)
        hr = E_UNEXPECTED;
    return works("Sink", hr);
}

static bool sink_in_place(void *context, const void *data, size_t size, uint32_t expected)
{
    static BYTE *block; /* of the one size that a run has, until its end */
    ULONG sum = 0;
    if (block == NULL && (block = via_payload_alloc(context, size)) == NULL)
        return works("via_payload_alloc", E_OUTOFMEMORY);
    memcpy(block, data, size);
    HRESULT hr = IBench_SinkInPlace((IBench *)context, (ULONG)size, block, &sum);
    if (SUCCEEDED(hr) && sum != expected)
        hr = E_UNEXPECTED;
    return works("SinkInPlace", hr);
}

static bool server_cpu(void *context, uint64_t *ns)
{
    LONGLONG there = 0;
    HRESULT hr = IBench_GetCpuTime((IBench *)context, &there);
    *ns = (uint64_t)there;
    return works("GetCpuTime", hr);
}

static int run(const struct workload *workload)
{
    static const struct workload_peer peer = {.call = call,
                                              .notify = notify,
                                              .settle = settle,
                                              .sink = sink,
                                              .sink_in_place = sink_in_place,
                                              .server_cpu = server_cpu,
                                              .get_and_call = get_and_call};
    IBench *bench = NULL;
    HRESULT hr = via_connect(workload->address, &IID_IBench, (void **)&bench);
    if (FAILED(hr))
        return fail(workload->address, hr);
    bool succeeded = workload->run(workload, &peer, bench);
    IBench_Release(bench);
    return !succeeded;
}

/* The runtime knows INode, but does not export its name. */
static const IID iid_of_node = {
    0x8c1d5a34, 0x6f0b, 0x4b7e, {0x9a, 0x52, 0x3f, 0x6f, 0x0f, 0x2f, 0x1b, 0x01}};

static int call_first(const char *address)
{
    IUnknown *root = NULL;
    INode *node = NULL;
    BSTR text = NULL;
    HRESULT hr;
    measure_wait_for_start();
    uint64_t end_ns = measure_now_ns() + UINT64_C(10000000000);
    do {
        hr = via_connect(address, &IID_IUnknown, (void **)&root);
    } while (FAILED(hr) && measure_now_ns() < end_ns);
    if (SUCCEEDED(hr))
        hr = IUnknown_QueryInterface(root, &iid_of_node, (void **)&node);
    if (SUCCEEDED(hr))
        hr = INode_GetStatistics(node, &text);
    if (FAILED(hr))
        return fail(address, hr);
    printf("at_ns=%llu\n", (unsigned long long)measure_now_ns());
    SysFreeString(text);
    INode_Release(node);
    IUnknown_Release(root);
    return 0;
}

int main(int argc, char **argv)
{
    struct workload workload;
    bool is_server = argc == 3 && !strcmp(argv[1], "serve");
    bool is_first = argc == 3 && !strcmp(argv[1], "first");
    if (!is_server && !is_first && !workload_parse(argc, argv, &workload)) {
        fprintf(stderr, "usage: bench-call serve|first ADDRESS | %s\n", workload_usage);
        return 2;
    }
    HRESULT hr = join();
    if (FAILED(hr))
        return fail("joining the runtime", hr);
    int status = is_server ? serve(argv[2]) : is_first ? call_first(argv[2]) : run(&workload);
    via_uninitialize();
    return status;
}
