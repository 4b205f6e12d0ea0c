/*
 * Weak references: knowing an object without keeping it alive, in this process or another one.
 *
 * IWeakReferenceSource and IWeakReference are Windows' own interfaces. An object that answers for
 * the first gives out the second; that is an object of its own, which lives in the process of the
 * object that it refers to, and may be passed about like any other. Resolve asks it for a strong
 * reference.
 *
 * An object becomes a source by having its reference count here:
 *
 *     struct tree {
 *         ITree ITree_iface;
 *         struct via_weak weak;
 *     };
 *
 *     via_weak_init(&tree->weak, (IUnknown *)&tree->ITree_iface);      with one reference
 *     QueryInterface:  IsEqualIID(iid, &IID_IWeakReferenceSource)
 *                          ? (void *)via_weak_source(&tree->weak) : ...
 *     AddRef:          return via_weak_add_ref(&tree->weak);
 *     Release:         left = via_weak_release(&tree->weak);  0: free the tree
 *
 * docs/object-model.md says when one is needed: to break cycles of references.
 */
#ifndef VIADUCT_WEAK_H
#define VIADUCT_WEAK_H

#include <viaduct/unknwn.h>

#if defined(_WIN32) && defined(__has_include)
#if __has_include(<weakreference.h>)
#include <weakreference.h>
#define VIADUCT_WEAK_DEFINED
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IWeakReference;
VIA_API extern const IID via_IID_IWeakReferenceSource;

#ifdef __cplusplus
}
#endif

/* Not all of Windows' headers and import libraries have them. */
#ifndef VIADUCT_WEAK_DEFINED

#define IID_IWeakReference       via_IID_IWeakReference
#define IID_IWeakReferenceSource via_IID_IWeakReferenceSource

/* What Resolve says that it gives; it gives the interface that is asked for. */
typedef struct IInspectable IInspectable;
typedef struct IWeakReference IWeakReference;
typedef struct IWeakReferenceSource IWeakReferenceSource;

#if defined(__cplusplus) && !defined(CINTERFACE)

struct IWeakReference : public IUnknown {
    /* S_OK with NULL: the object is gone. */
    virtual HRESULT STDMETHODCALLTYPE Resolve(REFIID iid, IInspectable **object) = 0;
};

struct IWeakReferenceSource : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetWeakReference(IWeakReference **reference) = 0;
};

#else

typedef struct IWeakReferenceVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IWeakReference *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IWeakReference *This);
    ULONG(STDMETHODCALLTYPE *Release)(IWeakReference *This);
    /* S_OK with NULL: the object is gone. */
    HRESULT(STDMETHODCALLTYPE *Resolve)(IWeakReference *This, REFIID iid, IInspectable **object);
} IWeakReferenceVtbl;
struct IWeakReference {
    const IWeakReferenceVtbl *lpVtbl;
};

typedef struct IWeakReferenceSourceVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)
    (IWeakReferenceSource *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IWeakReferenceSource *This);
    ULONG(STDMETHODCALLTYPE *Release)(IWeakReferenceSource *This);
    HRESULT(STDMETHODCALLTYPE *GetWeakReference)
    (IWeakReferenceSource *This, IWeakReference **reference);
} IWeakReferenceSourceVtbl;
struct IWeakReferenceSource {
    const IWeakReferenceSourceVtbl *lpVtbl;
};

#define IWeakReference_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IWeakReference_AddRef(This)               (This)->lpVtbl->AddRef(This)
#define IWeakReference_Release(This)              (This)->lpVtbl->Release(This)
#define IWeakReference_Resolve(This, iid, object) (This)->lpVtbl->Resolve(This, iid, object)

#define IWeakReferenceSource_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IWeakReferenceSource_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IWeakReferenceSource_Release(This) (This)->lpVtbl->Release(This)
#define IWeakReferenceSource_GetWeakReference(This, reference) \
    (This)->lpVtbl->GetWeakReference(This, reference)

#endif /* __cplusplus */

#endif /* VIADUCT_WEAK_DEFINED */

#ifdef __cplusplus
extern "C" {
#endif

/* Embedded in the object, whose reference count it is. Private: the object's IWeakReferenceSource,
 * and what is behind it. */
struct via_weak {
    const void *vtable;
    struct via_weak_block *block;
};

/* What QueryInterface gives for IID_IWeakReferenceSource; not counted. */
static inline IWeakReferenceSource *via_weak_source(struct via_weak *weak)
{
    return (IWeakReferenceSource *)(void *)weak;
}

/* [the object's maker] Starts with one reference. `object` is borrowed: the object itself.
 * E_OUTOFMEMORY, and then nothing needs to be undone. */
VIA_API HRESULT via_weak_init(struct via_weak *weak, IUnknown *object);
/* [any thread] What AddRef returns. */
VIA_API ULONG via_weak_add_ref(struct via_weak *weak);
/* [any thread] What Release returns. 0: no weak reference finds the object any more, `weak` is
 * over, and the caller frees the object. */
VIA_API ULONG via_weak_release(struct via_weak *weak);

/* Blocks where the object is another process'. A weak reference to `object`, with a reference for
 * the caller: E_NOINTERFACE when the object is no source of them. */
VIA_API HRESULT via_weak_get(IUnknown *object, IWeakReference **reference);

#ifdef __cplusplus
}
#endif

#endif
