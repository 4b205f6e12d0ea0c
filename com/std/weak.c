/*
 * The block is the weak reference: one for each object, made with it. It holds the object's count,
 * so that it can tell, without touching the object, whether that still lives.
 */
#include <viaduct/weak.h>

#include <stdlib.h>

#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/util/ref.h"

const IID via_IID_IWeakReference = {
    0x00000037, 0, 0, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const IID via_IID_IWeakReferenceSource = {
    0x00000038, 0, 0, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};

struct via_weak_block {
    IWeakReference IWeakReference_iface;
    struct ref refs;   /* the object while it lives, and weak references */
    struct ref strong; /* the object's */
    IUnknown *object;  /* read-only; valid while `strong` is not 0 */
};

static struct via_weak_block *block_from_IWeakReference(IWeakReference *iface)
{
    return (struct via_weak_block *)((char *)iface -
                                     offsetof(struct via_weak_block, IWeakReference_iface));
}

static struct via_weak *weak_from_IWeakReferenceSource(IWeakReferenceSource *iface)
{
    return (struct via_weak *)(void *)iface;
}

/* --- IWeakReference --- */

static HRESULT STDMETHODCALLTYPE Weak_QueryInterface(IWeakReference *iface, REFIID iid,
                                                     void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IWeakReference))
        return E_NOINTERFACE;
    IWeakReference_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Weak_AddRef(IWeakReference *iface)
{
    return ref_inc(&block_from_IWeakReference(iface)->refs);
}

static ULONG STDMETHODCALLTYPE Weak_Release(IWeakReference *iface)
{
    struct via_weak_block *block = block_from_IWeakReference(iface);
    ULONG left = ref_dec(&block->refs);

    if (left == 0)
        free(block);
    return left;
}

static HRESULT STDMETHODCALLTYPE Weak_Resolve(IWeakReference *iface, REFIID iid,
                                              IInspectable **object)
{
    struct via_weak_block *block = block_from_IWeakReference(iface);
    HRESULT hr;

    if (!object)
        return E_POINTER;
    *object = NULL;
    if (!ref_inc_unless_zero(&block->strong))
        return S_OK;
    hr = IUnknown_QueryInterface(block->object, iid, (void **)object);
    IUnknown_Release(block->object); /* it may have been the last meanwhile */
    return hr;
}

static const IWeakReferenceVtbl weak_vtable = {
    Weak_QueryInterface,
    Weak_AddRef,
    Weak_Release,
    Weak_Resolve,
};

/* --- IWeakReferenceSource: an interface of the object --- */

static HRESULT STDMETHODCALLTYPE Source_QueryInterface(IWeakReferenceSource *iface, REFIID iid,
                                                       void **object)
{
    IUnknown *self = weak_from_IWeakReferenceSource(iface)->block->object;

    return IUnknown_QueryInterface(self, iid, object);
}

static ULONG STDMETHODCALLTYPE Source_AddRef(IWeakReferenceSource *iface)
{
    return IUnknown_AddRef(weak_from_IWeakReferenceSource(iface)->block->object);
}

static ULONG STDMETHODCALLTYPE Source_Release(IWeakReferenceSource *iface)
{
    return IUnknown_Release(weak_from_IWeakReferenceSource(iface)->block->object);
}

static HRESULT STDMETHODCALLTYPE Source_GetWeakReference(IWeakReferenceSource *iface,
                                                         IWeakReference **reference)
{
    struct via_weak_block *block = weak_from_IWeakReferenceSource(iface)->block;

    if (!reference)
        return E_POINTER;
    ref_inc(&block->refs);
    *reference = &block->IWeakReference_iface;
    return S_OK;
}

static const IWeakReferenceSourceVtbl source_vtable = {
    Source_QueryInterface,
    Source_AddRef,
    Source_Release,
    Source_GetWeakReference,
};

/* --- the object's count --- */

HRESULT via_weak_init(struct via_weak *weak, IUnknown *object)
{
    struct via_weak_block *block = calloc(1, sizeof(*block));

    *weak = (struct via_weak){0};
    if (!block)
        return runtime_publish(error_set(E_OUTOFMEMORY, "no memory for an object's count"));
    block->IWeakReference_iface.lpVtbl = (void *)&weak_vtable;
    ref_init(&block->refs);
    ref_init(&block->strong);
    block->object = object;
    weak->vtable = &source_vtable;
    weak->block = block;
    return S_OK;
}

ULONG via_weak_add_ref(struct via_weak *weak)
{
    return ref_inc(&weak->block->strong);
}

ULONG via_weak_release(struct via_weak *weak)
{
    ULONG left = ref_dec(&weak->block->strong);

    if (left == 0)
        Weak_Release(&weak->block->IWeakReference_iface);
    return left;
}

HRESULT via_weak_get(IUnknown *object, IWeakReference **reference)
{
    IWeakReferenceSource *source;
    HRESULT hr;

    *reference = NULL;
    hr = IUnknown_QueryInterface(object, &IID_IWeakReferenceSource, (void **)&source);
    if (FAILED(hr))
        return hr;
    hr = IWeakReferenceSource_GetWeakReference(source, reference);
    IWeakReferenceSource_Release(source);
    return hr;
}
