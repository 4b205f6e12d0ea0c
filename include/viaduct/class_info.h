/*
 * IProvideClassInfo and IProvideClassInfo2: what class an object is of. On Windows the system's
 * own.
 *
 * A proxy answers QueryInterface for them when a class is described whose interfaces the object
 * has; the first time may ask the object's owner.
 */
#ifndef VIADUCT_CLASS_INFO_H
#define VIADUCT_CLASS_INFO_H

#include <viaduct/type_info.h>

#ifdef _WIN32

#include <ocidl.h>

#else

/* What GetGUID() is asked for. */
typedef enum tagGUIDKIND {
    GUIDKIND_DEFAULT_SOURCE_DISP_IID = 1 /* the interface of the events */
} GUIDKIND;

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IProvideClassInfo;
VIA_API extern const IID via_IID_IProvideClassInfo2;
#define IID_IProvideClassInfo  via_IID_IProvideClassInfo
#define IID_IProvideClassInfo2 via_IID_IProvideClassInfo2

#ifdef __cplusplus
}

struct IProvideClassInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetClassInfo(ITypeInfo **info) = 0;
};

struct IProvideClassInfo2 : public IProvideClassInfo {
    virtual HRESULT STDMETHODCALLTYPE GetGUID(DWORD kind, GUID *guid) = 0;
};

#else

typedef struct IProvideClassInfo IProvideClassInfo;
typedef struct IProvideClassInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IProvideClassInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IProvideClassInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(IProvideClassInfo *This);
    HRESULT(STDMETHODCALLTYPE *GetClassInfo)(IProvideClassInfo *This, ITypeInfo **info);
} IProvideClassInfoVtbl;
struct IProvideClassInfo {
    const IProvideClassInfoVtbl *lpVtbl;
};

typedef struct IProvideClassInfo2 IProvideClassInfo2;
typedef struct IProvideClassInfo2Vtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IProvideClassInfo2 *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IProvideClassInfo2 *This);
    ULONG(STDMETHODCALLTYPE *Release)(IProvideClassInfo2 *This);
    HRESULT(STDMETHODCALLTYPE *GetClassInfo)(IProvideClassInfo2 *This, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *GetGUID)(IProvideClassInfo2 *This, DWORD kind, GUID *guid);
} IProvideClassInfo2Vtbl;
struct IProvideClassInfo2 {
    const IProvideClassInfo2Vtbl *lpVtbl;
};

#define IProvideClassInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IProvideClassInfo_AddRef(This)             (This)->lpVtbl->AddRef(This)
#define IProvideClassInfo_Release(This)            (This)->lpVtbl->Release(This)
#define IProvideClassInfo_GetClassInfo(This, info) (This)->lpVtbl->GetClassInfo(This, info)

#define IProvideClassInfo2_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IProvideClassInfo2_AddRef(This)              (This)->lpVtbl->AddRef(This)
#define IProvideClassInfo2_Release(This)             (This)->lpVtbl->Release(This)
#define IProvideClassInfo2_GetClassInfo(This, info)  (This)->lpVtbl->GetClassInfo(This, info)
#define IProvideClassInfo2_GetGUID(This, kind, guid) (This)->lpVtbl->GetGUID(This, kind, guid)

#endif /* __cplusplus */

#endif /* _WIN32 */

#endif
