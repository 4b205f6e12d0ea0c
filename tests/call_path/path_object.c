#include "tests/call_path/path_object.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

struct slot {
    _Atomic uint64_t entered_ns;
    _Atomic uint64_t cancelled_ns;
};

static struct slot slots[PATH_N_SLOTS];

/* --- data that is checked to the last byte --- */

/* xorshift32: each word depends on the seed and on its place. `n` is a multiple of 4. */
static uint32_t next_word(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

static void fill(BYTE *data, uint32_t n, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;
    for (uint32_t i = 0; i < n; i += 4) {
        x = next_word(x);
        memcpy(data + i, &x, sizeof x);
    }
}

/* Where a word first differs, or `n`. */
static uint32_t first_wrong(const BYTE *data, uint32_t n, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;
    for (uint32_t i = 0; i < n; i += 4) {
        uint32_t found;
        memcpy(&found, data + i, sizeof found);
        x = next_word(x);
        if (found != x)
            return i;
    }
    return n;
}

static HRESULT exchange_once(ICallPath *other, BYTE *data, uint32_t n, uint32_t seed)
{
    ULONG n_back = 0;
    BYTE *back = NULL;
    fill(data, n, seed);
    HRESULT hr = ICallPath_Exchange(other, seed, n, data, &n_back, &back);
    if (FAILED(hr))
        return hr;
    uint32_t wrong = n_back == n ? first_wrong(back, n, seed + 1) : n;
    if (n_back != n || wrong != n) {
        printf("  %u bytes came back, not %u; wrong at %u\n", (unsigned)n_back, (unsigned)n,
               (unsigned)wrong);
        hr = E_UNEXPECTED;
    }
    CoTaskMemFree(back);
    return hr;
}

struct storm {
    ICallPath *other;
    struct os_thread *thread;
    uint32_t first_seed, n_calls, size;
    uint32_t n_right;
};

static void run_storm(void *argument)
{
    struct storm *storm = argument;
    char text[1024];
    BYTE *data = malloc(storm->size);
    for (uint32_t i = 0; i < storm->n_calls && data != NULL; i++) {
        HRESULT hr = exchange_once(storm->other, data, storm->size, storm->first_seed + i * 2);
        if (FAILED(hr)) {
            printf("  call %u: %s\n", (unsigned)i, via_error_message(hr, text, sizeof text));
            break;
        }
        storm->n_right++;
    }
    free(data);
}

uint32_t path_storm(ICallPath *other, uint32_t n_threads, uint32_t n_calls, uint32_t size)
{
    uint32_t n_right = 0;
    uint32_t n_started = 0;
    struct storm *storms = calloc(n_threads, sizeof *storms);
    if (storms == NULL)
        return 0;
    for (; n_started < n_threads; n_started++) {
        struct storm *storm = &storms[n_started];
        *storm = (struct storm){
            .other = other, .first_seed = n_started * 1000, .n_calls = n_calls, .size = size};
        if (FAILED(os_thread_start(run_storm, storm, "storm", &storm->thread)))
            break;
    }
    for (uint32_t i = 0; i < n_started; i++) {
        os_thread_join(storms[i].thread);
        n_right += storms[i].n_right;
    }
    free(storms);
    return n_right;
}

/* --- the methods --- */

static HRESULT STDMETHODCALLTYPE Path_QueryInterface(ICallPath *self, REFIID iid, void **object)
{
    bool known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ICallPath);
    *object = known ? self : NULL;
    return known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Path_AddRef(ICallPath *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Path_Release(ICallPath *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Path_Add(ICallPath *self, LONG a, LONG b, LONG *sum)
{
    (void)self;
    *sum = (LONG)((ULONG)a + (ULONG)b);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_Work(ICallPath *self, ULONG ms)
{
    (void)self;
    os_sleep_ms(ms);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_GetTime(ICallPath *self, LONGLONG *now_ns)
{
    (void)self;
    *now_ns = (LONGLONG)os_now_ns();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_Block(ICallPath *self, ULONG number, ULONG ms)
{
    (void)self;
    if (number >= PATH_N_SLOTS)
        return E_INVALIDARG;
    struct slot *slot = &slots[number];
    uint64_t end_ns = os_deadline_ms(ms);
    atomic_store(&slot->cancelled_ns, 0);
    atomic_store(&slot->entered_ns, os_now_ns());
    while (!via_call_is_cancelled() && os_now_ns() < end_ns)
        os_sleep_ms(number == 0 ? 1 : 10); /* slot 0 is measured, the others have to be there */
    if (via_call_is_cancelled())
        atomic_store(&slot->cancelled_ns, os_now_ns());
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_GetBlock(ICallPath *self, ULONG number, LONGLONG *entered_ns,
                                               LONGLONG *cancelled_ns)
{
    (void)self;
    if (number >= PATH_N_SLOTS)
        return E_INVALIDARG;
    *entered_ns = (LONGLONG)atomic_load(&slots[number].entered_ns);
    *cancelled_ns = (LONGLONG)atomic_load(&slots[number].cancelled_ns);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_Nest(ICallPath *self, ICallPath *other, LONG depth, LONG *sum,
                                           ULONG *stack_size)
{
    /* A chain runs on one thread of each side, so that the outermost level's place tells what the
     * inner ones use. */
    static _Thread_local uintptr_t outermost;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    LONG below = 0;
    ULONG deepest = 0;
    HRESULT hr = S_OK;
    bool is_outermost = outermost == 0;
    if (is_outermost)
        outermost = here;
    if (depth > 1)
        hr = ICallPath_Nest(other, self, depth - 1, &below, &deepest);
    ULONG used = (ULONG)(outermost - here);
    if (is_outermost)
        outermost = 0;
    *sum = below + depth;
    *stack_size = used > deepest ? used : deepest;
    return hr;
}

static HRESULT STDMETHODCALLTYPE Path_Exchange(ICallPath *self, ULONG seed, ULONG n, BYTE *data,
                                               ULONG *n_back, BYTE **back)
{
    (void)self;
    *n_back = 0;
    *back = NULL;
    if (n == 0 || n % 4 != 0)
        return E_INVALIDARG;
    uint32_t wrong = first_wrong(data, n, seed);
    if (wrong != n) {
        printf("  wrong at %u of %u bytes that came in\n", (unsigned)wrong, (unsigned)n);
        return E_UNEXPECTED;
    }
    *back = CoTaskMemAlloc(n);
    if (*back == NULL)
        return E_OUTOFMEMORY;
    fill(*back, n, seed + 1);
    *n_back = n;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_Storm(ICallPath *self, ICallPath *other, ULONG n_threads,
                                            ULONG n_calls, ULONG size, ULONG *n_right)
{
    (void)self;
    *n_right = path_storm(other, n_threads, n_calls, size);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Path_LimitBuffers(ICallPath *self, ULONG size, ULONG *n_sockets)
{
    (void)self;
    *n_sockets = path_limit_buffers(size);
    return S_OK;
}

static ICallPath the_other;

static HRESULT STDMETHODCALLTYPE Path_GetOther(ICallPath *self, ICallPath **other)
{
    (void)self;
    *other = &the_other;
    return S_OK;
}

static const ICallPathVtbl the_vtable = {
    .QueryInterface = Path_QueryInterface,
    .AddRef = Path_AddRef,
    .Release = Path_Release,
    .Add = Path_Add,
    .Work = Path_Work,
    .GetTime = Path_GetTime,
    .Block = Path_Block,
    .GetBlock = Path_GetBlock,
    .Nest = Path_Nest,
    .Exchange = Path_Exchange,
    .Storm = Path_Storm,
    .GetOther = Path_GetOther,
    .LimitBuffers = Path_LimitBuffers,
};

static ICallPath the_other = {&the_vtable};

ICallPath *path_object(void)
{
    static ICallPath object = {&the_vtable};
    return &object;
}
