/*
 * IUnknown and IClassFactory. On Windows the system's own; elsewhere binary-identical ones: the
 * first word of an object is its vtable pointer and slots 0 to 2 are QueryInterface, AddRef and
 * Release.
 */
#ifndef VIADUCT_UNKNWN_H
#define VIADUCT_UNKNWN_H

#include <viaduct/base.h>

#ifdef _WIN32

#include <objbase.h>

#else

#ifdef __cplusplus
extern "C" {
#endif

/* Ids are macros onto prefixed symbols, so that nothing clashes with another library in the
 * process. */
VIA_API extern const IID via_IID_IUnknown;
VIA_API extern const IID via_IID_IClassFactory;
#define IID_IUnknown      via_IID_IUnknown
#define IID_IClassFactory via_IID_IClassFactory

#ifdef __cplusplus
}

struct IUnknown {
    virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void **object) = 0;
    virtual ULONG STDMETHODCALLTYPE AddRef() = 0;
    virtual ULONG STDMETHODCALLTYPE Release() = 0;
};

struct IClassFactory : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown *outer, REFIID iid,
                                                     void **object) = 0;
    virtual HRESULT STDMETHODCALLTYPE LockServer(BOOL lock) = 0;
};

#else

typedef struct IUnknown IUnknown;
typedef struct IUnknownVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IUnknown *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IUnknown *This);
    ULONG(STDMETHODCALLTYPE *Release)(IUnknown *This);
} IUnknownVtbl;
struct IUnknown {
    const IUnknownVtbl *lpVtbl;
};

#define IUnknown_QueryInterface(This, iid, object) (This)->lpVtbl->QueryInterface(This, iid, object)
#define IUnknown_AddRef(This)                      (This)->lpVtbl->AddRef(This)
#define IUnknown_Release(This)                     (This)->lpVtbl->Release(This)

typedef struct IClassFactory IClassFactory;
typedef struct IClassFactoryVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IClassFactory *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IClassFactory *This);
    ULONG(STDMETHODCALLTYPE *Release)(IClassFactory *This);
    HRESULT(STDMETHODCALLTYPE *CreateInstance)
    (IClassFactory *This, IUnknown *outer, REFIID iid, void **object);
    HRESULT(STDMETHODCALLTYPE *LockServer)(IClassFactory *This, BOOL lock);
} IClassFactoryVtbl;
struct IClassFactory {
    const IClassFactoryVtbl *lpVtbl;
};

#define IClassFactory_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IClassFactory_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define IClassFactory_Release(This) (This)->lpVtbl->Release(This)
#define IClassFactory_CreateInstance(This, outer, iid, object) \
    (This)->lpVtbl->CreateInstance(This, outer, iid, object)
#define IClassFactory_LockServer(This, lock) (This)->lpVtbl->LockServer(This, lock)

#endif /* __cplusplus */

#endif /* _WIN32 */

#endif
