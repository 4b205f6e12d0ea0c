/*
 * Many objects that a client holds of a server.
 *
 *   bench-objects serve ADDRESS          hands out objects, until its standard input ends
 *   bench-objects hold ADDRESS N CALLS   holds N objects. Each line on its standard input is a
 * step, which ends with a line of results: make, call (CALLS to random ones), release, settle (wait
 * until the server has none) bench-objects probe ADDRESS          calls, one after the other, until
 * its standard input ends; then prints how many, and the longest
 */
#include "bench/measure.h"
#include "objects.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

/* Objects in one reply; less than the protocol's limit. */
#define BATCH 1000u

extern const struct via_typelib objects_typelib;

/* --- the server's objects --- */

struct thing {
    IBenchThing IBenchThing_iface;
    atomic_uint refs;
    ULONG number;
};

static atomic_uint n_live;

static ULONG STDMETHODCALLTYPE Thing_AddRef(IBenchThing *iface)
{
    return atomic_fetch_add(&((struct thing *)iface)->refs, 1) + 1;
}

static HRESULT STDMETHODCALLTYPE Thing_QueryInterface(IBenchThing *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IBenchThing))
        return E_NOINTERFACE;
    Thing_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Thing_Release(IBenchThing *iface)
{
    ULONG refs = atomic_fetch_sub(&((struct thing *)iface)->refs, 1) - 1;
    if (refs == 0) {
        free(iface);
        atomic_fetch_sub(&n_live, 1);
    }
    return refs;
}

static HRESULT STDMETHODCALLTYPE Thing_GetNumber(IBenchThing *iface, ULONG *number)
{
    *number = ((struct thing *)iface)->number;
    return S_OK;
}

static IBenchThingVtbl thing_vtbl = {Thing_QueryInterface, Thing_AddRef, Thing_Release,
                                     Thing_GetNumber};

/* The maker lives as long as the process. */
static ULONG STDMETHODCALLTYPE Maker_AddRef(IBenchMaker *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Maker_Release(IBenchMaker *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Maker_QueryInterface(IBenchMaker *iface, REFIID iid, void **object)
{
    bool known = IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IBenchMaker);
    *object = known ? iface : NULL;
    return known ? S_OK : E_NOINTERFACE;
}

static HRESULT STDMETHODCALLTYPE Maker_Make(IBenchMaker *iface, ULONG first, ULONG n,
                                            IBenchThing **things)
{
    (void)iface;
    for (ULONG i = 0; i < n; i++) {
        struct thing *thing = malloc(sizeof(*thing));
        if (thing == NULL) {
            while (i-- > 0)
                Thing_Release(things[i]);
            memset(things, 0, n * sizeof(*things));
            return E_OUTOFMEMORY;
        }
        *thing = (struct thing){{&thing_vtbl}, 1, first + i};
        atomic_fetch_add(&n_live, 1);
        things[i] = &thing->IBenchThing_iface;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Maker_GetLive(IBenchMaker *iface, ULONG *n)
{
    (void)iface;
    *n = atomic_load(&n_live);
    return S_OK;
}

static int fail(const char *what, HRESULT code)
{
    char text[1024];
    fprintf(stderr, "bench-objects: %s: %s\n", what, via_error_message(code, text, sizeof(text)));
    return 1;
}

static int serve(const char *address)
{
    static IBenchMakerVtbl vtbl = {Maker_QueryInterface, Maker_AddRef, Maker_Release, Maker_Make,
                                   Maker_GetLive};
    static IBenchMaker maker = {&vtbl};
    HRESULT hr = via_set_root_object((IUnknown *)&maker);
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

/* --- who holds them --- */

struct holder {
    IBenchMaker *maker;
    IBenchThing **things;
    ULONG n;
    size_t n_calls;
};

static HRESULT make(struct holder *self)
{
    HRESULT hr = S_OK;
    uint64_t started_ns = measure_now_ns();
    uint64_t longest_ns = 0;
    for (ULONG i = 0; i < self->n && SUCCEEDED(hr); i += BATCH) {
        uint64_t before_ns = measure_now_ns();
        hr = IBenchMaker_Make(self->maker, i, self->n - i < BATCH ? self->n - i : BATCH,
                              self->things + i);
        uint64_t took_ns = measure_now_ns() - before_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
    }
    printf("made_s=%.3f longest_ms=%.2f\n", (double)(measure_now_ns() - started_ns) / 1e9,
           (double)longest_ns / 1e6);
    return hr;
}

static HRESULT call(struct holder *self)
{
    uint64_t random = 88172645463325252u;
    HRESULT hr = S_OK;
    struct measure measure;
    measure_init(&measure, self->n_calls);
    measure_start(&measure);
    for (size_t i = 0; i < self->n_calls && SUCCEEDED(hr); i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ULONG which = (ULONG)(random % self->n);
        ULONG number = 0;
        uint64_t before_ns = measure_now_ns();
        hr = IBenchThing_GetNumber(self->things[which], &number);
        measure_add(&measure, measure_now_ns() - before_ns);
        if (SUCCEEDED(hr) && number != which)
            hr = E_UNEXPECTED;
    }
    measure_stop(&measure);
    measure.cpu_ns = measure_cpu_ns();
    measure_print(&measure, 1);
    return hr;
}

static HRESULT release(struct holder *self)
{
    uint64_t started_ns = measure_now_ns();
    for (ULONG i = 0; i < self->n; i++)
        IBenchThing_Release(self->things[i]);
    printf("released_s=%.3f\n", (double)(measure_now_ns() - started_ns) / 1e9);
    return S_OK;
}

static HRESULT settle(struct holder *self)
{
    uint64_t started_ns = measure_now_ns();
    ULONG n = 1;
    HRESULT hr = S_OK;
    while (n != 0 && SUCCEEDED(hr) && measure_now_ns() - started_ns < UINT64_C(60000000000)) {
        hr = IBenchMaker_GetLive(self->maker, &n);
        if (n != 0)
            usleep(1000);
    }
    printf("settled_s=%.3f live=%u\n", (double)(measure_now_ns() - started_ns) / 1e9, (unsigned)n);
    return hr;
}

static int hold(const char *address, ULONG n, size_t n_calls)
{
    static const struct {
        const char *name;
        HRESULT (*run)(struct holder *self);
    } steps[] = {{"make\n", make}, {"call\n", call}, {"release\n", release}, {"settle\n", settle}};
    struct holder self = {.n = n, .n_calls = n_calls, .things = calloc(n, sizeof(IBenchThing *))};
    HRESULT hr = self.things != NULL ? via_connect(address, &IID_IBenchMaker, (void **)&self.maker)
                                     : E_OUTOFMEMORY;
    char line[32];
    memset(self.things, 1, n * sizeof(*self.things)); /* its memory is not what is measured */
    if (FAILED(hr))
        return fail(address, hr);
    puts("ready");
    fflush(stdout);
    while (SUCCEEDED(hr) && fgets(line, sizeof(line), stdin) != NULL)
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
            if (strcmp(line, steps[i].name) == 0) {
                hr = steps[i].run(&self);
                fflush(stdout);
            }
    return SUCCEEDED(hr) ? 0 : fail("a step", hr);
}

/* --- who is served meanwhile --- */

static atomic_bool is_over;

static void *wait_for_end(void *argument)
{
    while (getchar() != EOF)
        ;
    atomic_store(&is_over, true);
    return argument;
}

static int probe(const char *address)
{
    IBenchMaker *maker = NULL;
    pthread_t thread;
    uint64_t longest_ns = 0;
    unsigned n_calls = 0;
    ULONG n;
    HRESULT hr = via_connect(address, &IID_IBenchMaker, (void **)&maker);
    if (FAILED(hr))
        return fail(address, hr);
    hr = IBenchMaker_GetLive(maker, &n);
    if (pthread_create(&thread, NULL, wait_for_end, NULL) != 0)
        return fail("a thread", E_OUTOFMEMORY);
    puts("ready");
    fflush(stdout);
    while (SUCCEEDED(hr) && !atomic_load(&is_over)) {
        uint64_t before_ns = measure_now_ns();
        hr = IBenchMaker_GetLive(maker, &n);
        uint64_t took_ns = measure_now_ns() - before_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
        n_calls++;
        usleep(200);
    }
    pthread_join(thread, NULL);
    if (FAILED(hr))
        return fail("GetLive", hr);
    printf("calls=%u longest_ms=%.2f\n", n_calls, (double)longest_ns / 1e6);
    IBenchMaker_Release(maker);
    return 0;
}

int main(int argc, char **argv)
{
    struct via_options options = {.size = sizeof(options), .agent = "bench-objects"};
    const char *mode = argc > 2 ? argv[1] : "";
    size_t n = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    bool is_known = (argc == 3 && (!strcmp(mode, "serve") || !strcmp(mode, "probe"))) ||
                    (!strcmp(mode, "hold") && n > 0);
    if (!is_known) {
        fprintf(stderr, "usage: bench-objects serve|probe ADDRESS | hold ADDRESS N CALLS\n");
        return 2;
    }
    options.no_spin = getenv("VIADUCT_BENCH_NO_SPIN") != NULL;
    HRESULT hr = via_initialize(&options);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&objects_typelib);
    if (FAILED(hr))
        return fail("joining the runtime", hr);
    int status = !strcmp(mode, "serve")   ? serve(argv[2])
                 : !strcmp(mode, "probe") ? probe(argv[2])
                                          : hold(argv[2], (ULONG)n, strtoul(argv[4], NULL, 10));
    via_uninitialize();
    return status;
}
