/*
 * Rich errors as COM has them: ISupportErrorInfo, IErrorInfo, ICreateErrorInfo. On Windows the
 * system's own.
 *
 * A method that fails may describe why: CreateErrorInfo, set source and description, SetErrorInfo.
 * The description travels to a remote caller with the HRESULT, who finds it by GetErrorInfo.
 */
#ifndef VIADUCT_ERROR_INFO_H
#define VIADUCT_ERROR_INFO_H

#include <viaduct/unknwn.h>

#ifdef _WIN32

#include <oaidl.h>
#include <oleauto.h>

#else

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IErrorInfo;
VIA_API extern const IID via_IID_ICreateErrorInfo;
VIA_API extern const IID via_IID_ISupportErrorInfo;
#define IID_IErrorInfo        via_IID_IErrorInfo
#define IID_ICreateErrorInfo  via_IID_ICreateErrorInfo
#define IID_ISupportErrorInfo via_IID_ISupportErrorInfo

#ifdef __cplusplus
}

struct IErrorInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetGUID(GUID *iid) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSource(BSTR *source) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDescription(BSTR *description) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetHelpFile(BSTR *file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetHelpContext(DWORD *context) = 0;
};

struct ICreateErrorInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE SetGUID(REFGUID iid) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSource(LPOLESTR source) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetDescription(LPOLESTR description) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetHelpFile(LPOLESTR file) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetHelpContext(DWORD context) = 0;
};

struct ISupportErrorInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE InterfaceSupportsErrorInfo(REFIID iid) = 0;
};

extern "C" {
#else

typedef struct IErrorInfo IErrorInfo;
typedef struct IErrorInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IErrorInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IErrorInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(IErrorInfo *This);
    HRESULT(STDMETHODCALLTYPE *GetGUID)(IErrorInfo *This, GUID *iid);
    HRESULT(STDMETHODCALLTYPE *GetSource)(IErrorInfo *This, BSTR *source);
    HRESULT(STDMETHODCALLTYPE *GetDescription)(IErrorInfo *This, BSTR *description);
    HRESULT(STDMETHODCALLTYPE *GetHelpFile)(IErrorInfo *This, BSTR *file);
    HRESULT(STDMETHODCALLTYPE *GetHelpContext)(IErrorInfo *This, DWORD *context);
} IErrorInfoVtbl;
struct IErrorInfo {
    const IErrorInfoVtbl *lpVtbl;
};

typedef struct ICreateErrorInfo ICreateErrorInfo;
typedef struct ICreateErrorInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ICreateErrorInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ICreateErrorInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(ICreateErrorInfo *This);
    HRESULT(STDMETHODCALLTYPE *SetGUID)(ICreateErrorInfo *This, REFGUID iid);
    HRESULT(STDMETHODCALLTYPE *SetSource)(ICreateErrorInfo *This, LPOLESTR source);
    HRESULT(STDMETHODCALLTYPE *SetDescription)(ICreateErrorInfo *This, LPOLESTR description);
    HRESULT(STDMETHODCALLTYPE *SetHelpFile)(ICreateErrorInfo *This, LPOLESTR file);
    HRESULT(STDMETHODCALLTYPE *SetHelpContext)(ICreateErrorInfo *This, DWORD context);
} ICreateErrorInfoVtbl;
struct ICreateErrorInfo {
    const ICreateErrorInfoVtbl *lpVtbl;
};

typedef struct ISupportErrorInfo ISupportErrorInfo;
typedef struct ISupportErrorInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ISupportErrorInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ISupportErrorInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(ISupportErrorInfo *This);
    HRESULT(STDMETHODCALLTYPE *InterfaceSupportsErrorInfo)(ISupportErrorInfo *This, REFIID iid);
} ISupportErrorInfoVtbl;
struct ISupportErrorInfo {
    const ISupportErrorInfoVtbl *lpVtbl;
};

#define IErrorInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IErrorInfo_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define IErrorInfo_Release(This)                 (This)->lpVtbl->Release(This)
#define IErrorInfo_GetGUID(This, iid)            (This)->lpVtbl->GetGUID(This, iid)
#define IErrorInfo_GetSource(This, source)       (This)->lpVtbl->GetSource(This, source)
#define IErrorInfo_GetDescription(This, text)    (This)->lpVtbl->GetDescription(This, text)
#define IErrorInfo_GetHelpFile(This, file)       (This)->lpVtbl->GetHelpFile(This, file)
#define IErrorInfo_GetHelpContext(This, context) (This)->lpVtbl->GetHelpContext(This, context)

#define ICreateErrorInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define ICreateErrorInfo_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define ICreateErrorInfo_Release(This)                 (This)->lpVtbl->Release(This)
#define ICreateErrorInfo_SetGUID(This, iid)            (This)->lpVtbl->SetGUID(This, iid)
#define ICreateErrorInfo_SetSource(This, source)       (This)->lpVtbl->SetSource(This, source)
#define ICreateErrorInfo_SetDescription(This, text)    (This)->lpVtbl->SetDescription(This, text)
#define ICreateErrorInfo_SetHelpFile(This, file)       (This)->lpVtbl->SetHelpFile(This, file)
#define ICreateErrorInfo_SetHelpContext(This, context) (This)->lpVtbl->SetHelpContext(This, context)

#define ISupportErrorInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define ISupportErrorInfo_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define ISupportErrorInfo_Release(This) (This)->lpVtbl->Release(This)
#define ISupportErrorInfo_InterfaceSupportsErrorInfo(This, iid) \
    (This)->lpVtbl->InterfaceSupportsErrorInfo(This, iid)

#endif /* __cplusplus */

#define SetErrorInfo    via_SetErrorInfo
#define GetErrorInfo    via_GetErrorInfo
#define CreateErrorInfo via_CreateErrorInfo

/* Makes `info` the calling thread's error information (NULL: none); keeps a reference. */
VIA_API HRESULT SetErrorInfo(ULONG reserved, IErrorInfo *info);
/* Takes it from the thread: S_OK with a reference, or S_FALSE and NULL. */
VIA_API HRESULT GetErrorInfo(ULONG reserved, IErrorInfo **info);
VIA_API HRESULT CreateErrorInfo(ICreateErrorInfo **info);

#ifdef __cplusplus
}
#endif

#endif /* _WIN32 */

#endif
