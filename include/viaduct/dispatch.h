/*
 * IDispatch, as far as an interface that derives from it needs to know: seven slots. What
 * late-bound calls exchange besides VARIANTs is declared and not defined here; on Windows the
 * system's headers do both.
 */
#ifndef VIADUCT_DISPATCH_H
#define VIADUCT_DISPATCH_H

#include <viaduct/automation.h>
#include <viaduct/unknwn.h>

#ifdef _WIN32

#include <oaidl.h>

#else

typedef struct tagDISPPARAMS DISPPARAMS;
typedef struct tagEXCEPINFO EXCEPINFO;
typedef struct ITypeInfo ITypeInfo;

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IDispatch;
#define IID_IDispatch via_IID_IDispatch

#ifdef __cplusplus
}

struct IDispatch : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfoCount(UINT *count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfo(UINT index, LCID lcid, ITypeInfo **info) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetIDsOfNames(REFIID iid, LPOLESTR *names, UINT n_names,
                                                    LCID lcid, DISPID *ids) = 0;
    virtual HRESULT STDMETHODCALLTYPE Invoke(DISPID id, REFIID iid, LCID lcid, WORD flags,
                                             DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong_argument) = 0;
};

#else

typedef struct IDispatch IDispatch;
typedef struct IDispatchVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IDispatch *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IDispatch *This);
    ULONG(STDMETHODCALLTYPE *Release)(IDispatch *This);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfoCount)(IDispatch *This, UINT *count);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfo)
    (IDispatch *This, UINT index, LCID lcid, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *GetIDsOfNames)
    (IDispatch *This, REFIID iid, LPOLESTR *names, UINT n_names, LCID lcid, DISPID *ids);
    HRESULT(STDMETHODCALLTYPE *Invoke)
    (IDispatch *This, DISPID id, REFIID iid, LCID lcid, WORD flags, DISPPARAMS *params,
     VARIANT *result, EXCEPINFO *exception, UINT *wrong_argument);
} IDispatchVtbl;
struct IDispatch {
    const IDispatchVtbl *lpVtbl;
};

#endif /* __cplusplus */

#endif /* _WIN32 */

#endif
