/*
 * COM's own enumerators: IEnumUnknown, IEnumString and IEnumVARIANT. Next gives several items at
 * once: S_OK if as many as were asked for, S_FALSE if fewer; `fetched` may be NULL when one is.
 * Across processes a Next is one call. Items are the caller's: references, CoTaskMemFree() texts,
 * VariantClear().
 */
#ifndef VIADUCT_ENUMERATORS_H
#define VIADUCT_ENUMERATORS_H

#include <viaduct/unknwn.h>
#include <viaduct/variant.h>

#ifdef _WIN32

#include <oaidl.h>
#include <objidl.h>

#else

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IEnumUnknown;
VIA_API extern const IID via_IID_IEnumString;
VIA_API extern const IID via_IID_IEnumVARIANT;
#define IID_IEnumUnknown via_IID_IEnumUnknown
#define IID_IEnumString  via_IID_IEnumString
#define IID_IEnumVARIANT via_IID_IEnumVARIANT

#ifdef __cplusplus
}
#endif

typedef struct IEnumUnknown IEnumUnknown;
typedef struct IEnumString IEnumString;
typedef struct IEnumVARIANT IEnumVARIANT;

#ifdef __cplusplus

struct IEnumUnknown : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG n, IUnknown **items, ULONG *fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG n) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumUnknown **clone) = 0;
};

struct IEnumString : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG n, LPOLESTR *items, ULONG *fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG n) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumString **clone) = 0;
};

struct IEnumVARIANT : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG n, VARIANT *items, ULONG *fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG n) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IEnumVARIANT **clone) = 0;
};

#else

typedef struct IEnumUnknownVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IEnumUnknown *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IEnumUnknown *This);
    ULONG(STDMETHODCALLTYPE *Release)(IEnumUnknown *This);
    HRESULT(STDMETHODCALLTYPE *Next)(IEnumUnknown *This, ULONG n, IUnknown **items, ULONG *fetched);
    HRESULT(STDMETHODCALLTYPE *Skip)(IEnumUnknown *This, ULONG n);
    HRESULT(STDMETHODCALLTYPE *Reset)(IEnumUnknown *This);
    HRESULT(STDMETHODCALLTYPE *Clone)(IEnumUnknown *This, IEnumUnknown **clone);
} IEnumUnknownVtbl;
struct IEnumUnknown {
    const IEnumUnknownVtbl *lpVtbl;
};

typedef struct IEnumStringVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IEnumString *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IEnumString *This);
    ULONG(STDMETHODCALLTYPE *Release)(IEnumString *This);
    HRESULT(STDMETHODCALLTYPE *Next)(IEnumString *This, ULONG n, LPOLESTR *items, ULONG *fetched);
    HRESULT(STDMETHODCALLTYPE *Skip)(IEnumString *This, ULONG n);
    HRESULT(STDMETHODCALLTYPE *Reset)(IEnumString *This);
    HRESULT(STDMETHODCALLTYPE *Clone)(IEnumString *This, IEnumString **clone);
} IEnumStringVtbl;
struct IEnumString {
    const IEnumStringVtbl *lpVtbl;
};

typedef struct IEnumVARIANTVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IEnumVARIANT *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IEnumVARIANT *This);
    ULONG(STDMETHODCALLTYPE *Release)(IEnumVARIANT *This);
    HRESULT(STDMETHODCALLTYPE *Next)(IEnumVARIANT *This, ULONG n, VARIANT *items, ULONG *fetched);
    HRESULT(STDMETHODCALLTYPE *Skip)(IEnumVARIANT *This, ULONG n);
    HRESULT(STDMETHODCALLTYPE *Reset)(IEnumVARIANT *This);
    HRESULT(STDMETHODCALLTYPE *Clone)(IEnumVARIANT *This, IEnumVARIANT **clone);
} IEnumVARIANTVtbl;
struct IEnumVARIANT {
    const IEnumVARIANTVtbl *lpVtbl;
};

#define IEnumUnknown_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IEnumUnknown_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define IEnumUnknown_Release(This)                 (This)->lpVtbl->Release(This)
#define IEnumUnknown_Next(This, n, items, fetched) (This)->lpVtbl->Next(This, n, items, fetched)
#define IEnumUnknown_Skip(This, n)                 (This)->lpVtbl->Skip(This, n)
#define IEnumUnknown_Reset(This)                   (This)->lpVtbl->Reset(This)
#define IEnumUnknown_Clone(This, clone)            (This)->lpVtbl->Clone(This, clone)

#define IEnumString_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IEnumString_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define IEnumString_Release(This)                 (This)->lpVtbl->Release(This)
#define IEnumString_Next(This, n, items, fetched) (This)->lpVtbl->Next(This, n, items, fetched)
#define IEnumString_Skip(This, n)                 (This)->lpVtbl->Skip(This, n)
#define IEnumString_Reset(This)                   (This)->lpVtbl->Reset(This)
#define IEnumString_Clone(This, clone)            (This)->lpVtbl->Clone(This, clone)

#define IEnumVARIANT_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IEnumVARIANT_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define IEnumVARIANT_Release(This)                 (This)->lpVtbl->Release(This)
#define IEnumVARIANT_Next(This, n, items, fetched) (This)->lpVtbl->Next(This, n, items, fetched)
#define IEnumVARIANT_Skip(This, n)                 (This)->lpVtbl->Skip(This, n)
#define IEnumVARIANT_Reset(This)                   (This)->lpVtbl->Reset(This)
#define IEnumVARIANT_Clone(This, clone)            (This)->lpVtbl->Clone(This, clone)

#endif /* __cplusplus */

#endif /* _WIN32 */

#ifdef __cplusplus
extern "C" {
#endif

/* Enumerators over an array, which is copied: references are counted, texts and VARIANTs
 * duplicated. Clones share nothing but what was copied. E_OUTOFMEMORY. */
VIA_API HRESULT via_enum_unknown(IUnknown *const *items, ULONG n, IEnumUnknown **enumerator);
VIA_API HRESULT via_enum_strings(const WCHAR *const *items, ULONG n, IEnumString **enumerator);
VIA_API HRESULT via_enum_variants(const VARIANT *items, ULONG n, IEnumVARIANT **enumerator);

#ifdef __cplusplus
}
#endif

#endif
