#include "com/std/enumerate.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/util/ref.h"

struct enumerator {
    const void *const *vtable; /* first, as in every COM object */
    struct ref refs;
    const IID *iid;      /* read-only: which of the two it is */
    atomic_uint at;      /* index of the next item */
    ULONG n_items;       /* read-only once it is handed out */
    CONNECTDATA items[]; /* the same; references */
};

static HRESULT STDMETHODCALLTYPE Enumerator_QueryInterface(void *pointer, REFIID iid, void **object)
{
    struct enumerator *self = pointer;

    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, self->iid))
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Enumerator_AddRef(void *pointer)
{
    return ref_inc(&((struct enumerator *)pointer)->refs);
}

static ULONG STDMETHODCALLTYPE Enumerator_Release(void *pointer)
{
    struct enumerator *self = pointer;
    ULONG left = ref_dec(&self->refs);

    if (left > 0)
        return left;
    for (ULONG i = 0; i < self->n_items; i++)
        IUnknown_Release(self->items[i].pUnk);
    free(self);
    return 0;
}

/* Moves on by up to `n`; how many that are, and where they begin. */
static ULONG take(struct enumerator *self, ULONG n, ULONG *first)
{
    unsigned at = atomic_load(&self->at);
    ULONG taken;

    do {
        taken = self->n_items - at < n ? self->n_items - at : n;
    } while (!atomic_compare_exchange_weak(&self->at, &at, at + taken));
    *first = at;
    return taken;
}

static HRESULT STDMETHODCALLTYPE Enumerator_Next(void *pointer, ULONG n, void *items,
                                                 ULONG *fetched)
{
    struct enumerator *self = pointer;
    ULONG first, taken;

    if (fetched)
        *fetched = 0;
    if (!items || (!fetched && n != 1))
        return E_POINTER;
    taken = take(self, n, &first);
    for (ULONG i = 0; i < taken; i++) {
        CONNECTDATA *item = &self->items[first + i];

        IUnknown_AddRef(item->pUnk);
        if (IsEqualIID(self->iid, &IID_IEnumConnections))
            ((CONNECTDATA *)items)[i] = *item;
        else
            ((IUnknown **)items)[i] = item->pUnk;
    }
    if (fetched)
        *fetched = taken;
    return taken == n ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Enumerator_Skip(void *pointer, ULONG n)
{
    ULONG first;

    return take(pointer, n, &first) == n ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Enumerator_Reset(void *pointer)
{
    atomic_store(&((struct enumerator *)pointer)->at, 0);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Enumerator_Clone(void *pointer, void **clone)
{
    struct enumerator *self = pointer;
    struct enumerator *copy = NULL;
    HRESULT hr;

    if (!clone)
        return E_POINTER;
    *clone = NULL;
    hr = enumerator_new(self->iid, self->n_items, &copy);
    if (FAILED(hr))
        return runtime_publish(hr);
    for (ULONG i = 0; i < self->n_items; i++)
        enumerator_add(copy, self->items[i].pUnk, self->items[i].dwCookie);
    atomic_store(&copy->at, atomic_load(&self->at));
    *clone = copy;
    return S_OK;
}

static const void *const enumerator_vtable[] = {
    (const void *)(uintptr_t)Enumerator_QueryInterface, (const void *)(uintptr_t)Enumerator_AddRef,
    (const void *)(uintptr_t)Enumerator_Release,        (const void *)(uintptr_t)Enumerator_Next,
    (const void *)(uintptr_t)Enumerator_Skip,           (const void *)(uintptr_t)Enumerator_Reset,
    (const void *)(uintptr_t)Enumerator_Clone,
};

HRESULT enumerator_new(REFIID iid, ULONG n, struct enumerator **result)
{
    struct enumerator *self = calloc(1, sizeof(*self) + n * sizeof(self->items[0]));

    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for an enumerator");
    self->vtable = enumerator_vtable;
    ref_init(&self->refs);
    self->iid = iid;
    *result = self;
    return S_OK;
}

void enumerator_add(struct enumerator *enumerator, IUnknown *object, DWORD cookie)
{
    IUnknown_AddRef(object);
    enumerator->items[enumerator->n_items++] = (CONNECTDATA){object, cookie};
}
