/*
 * What marshalling and dispatch cost, with no transport: a call goes through a proxy's slot, is
 * encoded, decoded, run on the object and comes back the same way, all in one process.
 *
 *   bench-marshal [CALLS [SHAPE]]
 *
 * The raw contender is the same two-int call marshalled by hand. Shapes take turns, and the fastest
 * repetition of each counts: other load only ever makes one slower.
 */
#include "bench/measure.h"
#include "com/marshal/marshal.h"
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPETITIONS   7
#define DEFAULT_CALLS 200000
#define MAX_PAYLOAD   (1u << 20)
#define N_NUMBERS     256
#define FEW_BYTES     512

/* --- the object --- */

static HRESULT STDMETHODCALLTYPE Shapes_QueryInterface(IShapes *self, REFIID iid, void **object)
{
    (void)iid;
    *object = self;
    return S_OK;
}

/* The one object lives as long as the process. */
static ULONG STDMETHODCALLTYPE Shapes_AddRef(IShapes *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Shapes_Release(IShapes *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Shapes_Add(IShapes *self, LONG a, LONG b, LONG *sum)
{
    (void)self;
    *sum = (LONG)((ULONG)a + (ULONG)b);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shapes_Scale(IShapes *self, double factor, VARIANT_BOOL round,
                                              GUID key, double *scaled)
{
    (void)self;
    *scaled = round ? factor * key.Data2 : factor;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shapes_Move(IShapes *self, const Point *from, Point by, Point *to)
{
    (void)self;
    *to = (Point){from->x + by.x, from->y + by.y, from->weight};
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Shapes_Name(IShapes *self, BSTR text, BSTR *same)
{
    (void)self;
    *same = SysAllocStringByteLen((const char *)text, SysStringByteLen(text));
    return *same ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Shapes_Sum(IShapes *self, ULONG n, const LONG *numbers,
                                            LONGLONG *sum)
{
    (void)self;
    *sum = 0;
    for (ULONG i = 0; i < n; i++)
        *sum += numbers[i];
    return S_OK;
}

static const IShapesVtbl shapes_vtbl = {
    Shapes_QueryInterface, Shapes_AddRef, Shapes_Release, Shapes_Add,
    Shapes_Scale,          Shapes_Move,   Shapes_Name,    Shapes_Sum};
static IShapes the_object = {&shapes_vtbl};

/* --- the proxy --- */

struct proxy {
    const void *const *vtable;
};

/* No shape has objects in it. */
static const struct marshal_pointers pointers = {0};

static HRESULT reply(const struct marshal_method *method, void **arguments,
                     struct marshal_invocation *invocation)
{
    struct buffer payload;
    uint8_t few[FEW_BYTES];
    buffer_init_in(&payload, MAX_PAYLOAD, few, sizeof(few));
    HRESULT result = marshal_invoke(invocation, &the_object);
    HRESULT hr = FAILED(result) ? result : marshal_encode_results(invocation, &pointers, &payload);
    if (SUCCEEDED(hr))
        hr = marshal_decode_results(method, arguments, &pointers, payload.data, payload.size);
    buffer_deinit(&payload);
    return FAILED(hr) ? hr : result;
}

static HRESULT call(void *pointer, const struct marshal_method *method, void **arguments)
{
    struct marshal_invocation *invocation = NULL;
    struct marshal_scratch scratch;
    struct buffer payload;
    uint8_t few[FEW_BYTES];
    (void)pointer;
    buffer_init_in(&payload, MAX_PAYLOAD, few, sizeof(few));
    HRESULT hr = marshal_encode_arguments(method, arguments, &pointers, &payload);
    if (SUCCEEDED(hr))
        hr = marshal_decode_arguments(method, payload.data, payload.size, &pointers, &scratch,
                                      &invocation);
    if (SUCCEEDED(hr))
        hr = reply(method, arguments, invocation);
    marshal_invocation_free(invocation);
    buffer_deinit(&payload);
    return hr;
}

/* --- the raw contender --- */

/* Kept out of line, as the transport's send and receive are. */
static __attribute__((noinline)) HRESULT raw_serve(IShapes *object, uint8_t *message)
{
    LONG numbers[2];
    LONG sum;
    memcpy(numbers, message, sizeof(numbers));
    HRESULT hr = IShapes_Add(object, numbers[0], numbers[1], &sum);
    memcpy(message, &sum, sizeof(sum));
    return hr;
}

static __attribute__((noinline)) HRESULT raw_add(IShapes *object, LONG a, LONG b, LONG *sum)
{
    uint8_t message[8];
    memcpy(message, &a, sizeof(a));
    memcpy(message + sizeof(a), &b, sizeof(b));
    HRESULT hr = raw_serve(object, message);
    memcpy(sum, message, sizeof(*sum));
    return hr;
}

/* --- shapes --- */

static HRESULT run_raw(IShapes *face, LONG i)
{
    LONG sum = 0;
    (void)face;
    HRESULT hr = raw_add(&the_object, i, 7, &sum);
    return sum == i + 7 ? hr : E_UNEXPECTED;
}

static HRESULT run_add(IShapes *face, LONG i)
{
    LONG sum = 0;
    HRESULT hr = IShapes_Add(face, i, 7, &sum);
    return sum == i + 7 ? hr : E_UNEXPECTED;
}

static HRESULT run_scale(IShapes *face, LONG i)
{
    GUID key = {0, 2, 0, {0}};
    double scaled = 0;
    HRESULT hr = IShapes_Scale(face, (double)i, VARIANT_TRUE, key, &scaled);
    return scaled == 2.0 * i ? hr : E_UNEXPECTED;
}

static HRESULT run_move(IShapes *face, LONG i)
{
    Point from = {i, 1, 0.5}, by = {1, 2, 0}, to = {0, 0, 0};
    HRESULT hr = IShapes_Move(face, &from, by, &to);
    return to.x == i + 1 ? hr : E_UNEXPECTED;
}

static BSTR the_text;

static HRESULT run_name(IShapes *face, LONG i)
{
    BSTR same = NULL;
    (void)i;
    HRESULT hr = IShapes_Name(face, the_text, &same);
    SysFreeString(same);
    return hr;
}

static HRESULT run_sum(IShapes *face, LONG i)
{
    static LONG numbers[N_NUMBERS];
    LONGLONG sum = 0;
    numbers[0] = i;
    HRESULT hr = IShapes_Sum(face, N_NUMBERS, numbers, &sum);
    return sum == i ? hr : E_UNEXPECTED;
}

static struct shape {
    const char *name;
    HRESULT (*run)(IShapes *face, LONG i);
    uint64_t best_ns; /* for all calls of a repetition */
} all_shapes[] = {{"raw", run_raw, 0},   {"add", run_add, 0},   {"scale", run_scale, 0},
                  {"move", run_move, 0}, {"name", run_name, 0}, {"sum", run_sum, 0}};

#define N_SHAPES (sizeof(all_shapes) / sizeof(all_shapes[0]))

static HRESULT measure(struct shape *shape, IShapes *face, LONG n_calls)
{
    HRESULT hr = S_OK;
    uint64_t start = measure_now_ns();
    for (LONG i = 0; i < n_calls && SUCCEEDED(hr); i++)
        hr = shape->run(face, i);
    uint64_t took = measure_now_ns() - start;
    if (shape->best_ns == 0 || took < shape->best_ns)
        shape->best_ns = took;
    return hr;
}

static HRESULT run_all(IShapes *face, LONG n_calls, const char *only)
{
    HRESULT hr = S_OK;
    for (int repetition = 0; repetition < (only ? 1 : REPETITIONS); repetition++)
        for (size_t i = 0; i < N_SHAPES && SUCCEEDED(hr); i++)
            if (!only || !strcmp(only, all_shapes[i].name))
                hr = measure(&all_shapes[i], face, n_calls);
    return hr;
}

static void print_all(LONG n_calls)
{
    for (size_t i = 0; i < N_SHAPES; i++)
        if (all_shapes[i].best_ns)
            printf("shape=%-5s calls=%ld mean_ns=%.1f ratio=%.1f\n", all_shapes[i].name,
                   (long)n_calls, (double)all_shapes[i].best_ns / n_calls,
                   all_shapes[0].best_ns
                       ? (double)all_shapes[i].best_ns / (double)all_shapes[0].best_ns
                       : 0.0);
}

static HRESULT make_proxy(struct proxy *proxy)
{
    static const void *const unknown[3] = {(const void *)(uintptr_t)Shapes_QueryInterface,
                                           (const void *)(uintptr_t)Shapes_AddRef,
                                           (const void *)(uintptr_t)Shapes_Release};
    static const struct marshal_vtable_kind kind = {.unknown = unknown, .call = call};
    HRESULT hr = typelib_catalog_add(&shapes_typelib);
    const struct marshal_interface *itf =
        SUCCEEDED(hr) ? marshal_interface_find(&IID_IShapes) : NULL;
    proxy->vtable = itf ? marshal_interface_vtable(itf, &kind) : NULL;
    return proxy->vtable ? S_OK : E_FAIL;
}

int main(int argc, char **argv)
{
    LONG n_calls = argc > 1 ? (LONG)strtol(argv[1], NULL, 10) : DEFAULT_CALLS;
    struct proxy proxy;
    if (n_calls <= 0 || argc > 3) {
        fprintf(stderr, "usage: bench-marshal [CALLS [SHAPE]]\n");
        return 2;
    }
    the_text = SysAllocString(VIA_STR("Viaduct.Calculator"));
    HRESULT hr = make_proxy(&proxy);
    if (SUCCEEDED(hr))
        hr = run_all((IShapes *)&proxy, n_calls, argc > 2 ? argv[2] : NULL);
    if (FAILED(hr))
        fprintf(stderr, "bench-marshal: a call failed: 0x%08lx\n", (unsigned long)(ULONG)hr);
    else
        print_all(n_calls);
    SysFreeString(the_text);
    return FAILED(hr);
}
