/*
 * IEnumUnknown, IEnumString and IEnumVARIANT over an array: one object, which differs in how an
 * item is copied and freed.
 */
#include <viaduct/enumerators.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/util/ref.h"
#include "core/util/utf.h"

struct item_kind {
    const IID *iid;
    size_t size;
    HRESULT (*copy)(const void *from, void *to); /* `to` is zeroed memory */
    void (*clear)(void *item);
};

struct array {
    const void *const *vtable; /* first, as in every COM object */
    struct ref refs;
    const struct item_kind *kind; /* read-only, as all but `at` */
    atomic_uint at;               /* index of the next item */
    ULONG n;
    _Alignas(16) char items[];
};

static HRESULT array_new(const struct item_kind *kind, const void *items, ULONG n, void **result);

static HRESULT STDMETHODCALLTYPE Array_QueryInterface(void *pointer, REFIID iid, void **object)
{
    struct array *self = pointer;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, self->kind->iid))
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Array_AddRef(void *pointer)
{
    return ref_inc(&((struct array *)pointer)->refs);
}

static void clear_items(const struct item_kind *kind, char *items, ULONG n)
{
    for (ULONG i = 0; i < n; i++)
        kind->clear(items + i * kind->size);
}

static ULONG STDMETHODCALLTYPE Array_Release(void *pointer)
{
    struct array *self = pointer;
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    clear_items(self->kind, self->items, self->n);
    free(self);
    return 0;
}

/* All or nothing: what was copied is cleared again. */
static HRESULT copy_items(const struct item_kind *kind, const char *from, char *to, ULONG n)
{
    HRESULT hr = S_OK;
    memset(to, 0, n * kind->size);
    for (ULONG i = 0; i < n && SUCCEEDED(hr); i++) {
        hr = kind->copy(from + i * kind->size, to + i * kind->size);
        if (FAILED(hr))
            clear_items(kind, to, i);
    }
    return hr;
}

/* Moves on by up to `n`; how many that are, and where they begin. */
static ULONG take(struct array *self, ULONG n, ULONG *first)
{
    unsigned at = atomic_load(&self->at);
    ULONG taken;
    do
        taken = self->n - at < n ? self->n - at : n;
    while (!atomic_compare_exchange_weak(&self->at, &at, at + taken));
    *first = at;
    return taken;
}

static HRESULT STDMETHODCALLTYPE Array_Next(void *pointer, ULONG n, void *items, ULONG *fetched)
{
    struct array *self = pointer;
    ULONG first;
    if (fetched != NULL)
        *fetched = 0;
    if (items == NULL || (fetched == NULL && n != 1)) /* COM's rule: one need not be counted */
        return E_POINTER;
    ULONG taken = take(self, n, &first);
    HRESULT hr = copy_items(self->kind, self->items + first * self->kind->size, items, taken);
    if (FAILED(hr))
        return runtime_publish(hr);
    if (fetched != NULL)
        *fetched = taken;
    return taken == n ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Array_Skip(void *pointer, ULONG n)
{
    ULONG first;
    return take(pointer, n, &first) == n ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Array_Reset(void *pointer)
{
    atomic_store(&((struct array *)pointer)->at, 0);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Array_Clone(void *pointer, void **clone)
{
    struct array *self = pointer;
    if (clone == NULL)
        return E_POINTER;
    HRESULT hr = array_new(self->kind, self->items, self->n, clone);
    if (SUCCEEDED(hr))
        atomic_store(&((struct array *)*clone)->at, atomic_load(&self->at));
    return runtime_publish(hr);
}

#define SLOT(function) (const void *)(uintptr_t)(function)

static const void *const array_vtable[] = {
    SLOT(Array_QueryInterface), SLOT(Array_AddRef), SLOT(Array_Release), SLOT(Array_Next),
    SLOT(Array_Skip),           SLOT(Array_Reset),  SLOT(Array_Clone),
};

static HRESULT array_new(const struct item_kind *kind, const void *items, ULONG n, void **result)
{
    *result = NULL;
    struct array *self = calloc(1, sizeof *self + n * kind->size);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an enumerator of %u items", (unsigned)n);
    self->vtable = array_vtable;
    ref_init(&self->refs);
    self->kind = kind;
    self->n = n;
    HRESULT hr = copy_items(kind, items, self->items, n);
    if (FAILED(hr)) {
        free(self);
        return error_set(hr, "an item of an enumerator cannot be copied");
    }
    *result = self;
    return S_OK;
}

/* --- the kinds --- */

static HRESULT copy_unknown(const void *from, void *to)
{
    IUnknown *object = *(IUnknown *const *)from;
    if (object != NULL)
        IUnknown_AddRef(object);
    *(IUnknown **)to = object;
    return S_OK;
}

static void clear_unknown(void *item)
{
    IUnknown *object = *(IUnknown **)item;
    if (object != NULL)
        IUnknown_Release(object);
}

static HRESULT copy_text(const void *from, void *to)
{
    const WCHAR *text = *(const WCHAR *const *)from;
    if (text == NULL)
        return E_POINTER;
    size_t size = (utf16_length(text) + 1) * sizeof(WCHAR);
    WCHAR *copy = CoTaskMemAlloc(size);
    if (copy == NULL)
        return E_OUTOFMEMORY;
    memcpy(copy, text, size);
    *(WCHAR **)to = copy;
    return S_OK;
}

static void clear_text(void *item)
{
    CoTaskMemFree(*(WCHAR **)item);
}

static HRESULT copy_variant(const void *from, void *to)
{
    return VariantCopy(to, (VARIANT *)(uintptr_t)from);
}

static void clear_variant(void *item)
{
    VariantClear(item);
}

HRESULT via_enum_unknown(IUnknown *const *items, ULONG n, IEnumUnknown **enumerator)
{
    static const struct item_kind kind = {&IID_IEnumUnknown, sizeof(IUnknown *), copy_unknown,
                                          clear_unknown};
    return runtime_publish(array_new(&kind, items, n, (void **)enumerator));
}

HRESULT via_enum_strings(const WCHAR *const *items, ULONG n, IEnumString **enumerator)
{
    static const struct item_kind kind = {&IID_IEnumString, sizeof(WCHAR *), copy_text, clear_text};
    return runtime_publish(array_new(&kind, items, n, (void **)enumerator));
}

HRESULT via_enum_variants(const VARIANT *items, ULONG n, IEnumVARIANT **enumerator)
{
    static const struct item_kind kind = {&IID_IEnumVARIANT, sizeof(VARIANT), copy_variant,
                                          clear_variant};
    return runtime_publish(array_new(&kind, items, n, (void **)enumerator));
}
