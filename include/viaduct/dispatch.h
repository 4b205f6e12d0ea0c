/*
 * IDispatch: calls by name with VARIANTs. On Windows the system's own.
 *
 * A proxy answers QueryInterface for it, whatever its object implements, as long as somebody
 * describes one of the object's interfaces; via_get_dispatch() (<viaduct/late.h>) gives the same
 * for any object. Programs in C rather call via_invoke() there.
 */
#ifndef VIADUCT_DISPATCH_H
#define VIADUCT_DISPATCH_H

#include <viaduct/automation.h>
#include <viaduct/unknwn.h>

#ifdef _WIN32

#include <oaidl.h>

#else

typedef struct ITypeInfo ITypeInfo;

/* Arguments, the last one first; those that have names in front, with their ids. */
typedef struct tagDISPPARAMS {
    VARIANTARG *rgvarg;
    DISPID *rgdispidNamedArgs;
    UINT cArgs;
    UINT cNamedArgs;
} DISPPARAMS;

/* Why a method failed. The strings belong to whoever gets it. */
typedef struct tagEXCEPINFO {
    WORD wCode;
    WORD wReserved;
    BSTR bstrSource;
    BSTR bstrDescription;
    BSTR bstrHelpFile;
    DWORD dwHelpContext;
    PVOID pvReserved;
    HRESULT(STDAPICALLTYPE *pfnDeferredFillIn)(struct tagEXCEPINFO *info);
    SCODE scode;
} EXCEPINFO;

#define DISPATCH_METHOD         0x1
#define DISPATCH_PROPERTYGET    0x2
#define DISPATCH_PROPERTYPUT    0x4
#define DISPATCH_PROPERTYPUTREF 0x8

#define DISPID_VALUE       0 /* the default member */
#define DISPID_UNKNOWN     (-1)
#define DISPID_PROPERTYPUT (-3) /* names the new value of a property */
#define DISPID_NEWENUM     (-4)
#define DISPID_EVALUATE    (-5)
#define DISPID_CONSTRUCTOR (-6)
#define DISPID_DESTRUCTOR  (-7)
#define DISPID_COLLECT     (-8)

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

#define IDispatch_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IDispatch_AddRef(This)                  (This)->lpVtbl->AddRef(This)
#define IDispatch_Release(This)                 (This)->lpVtbl->Release(This)
#define IDispatch_GetTypeInfoCount(This, count) (This)->lpVtbl->GetTypeInfoCount(This, count)
#define IDispatch_GetTypeInfo(This, index, lcid, info) \
    (This)->lpVtbl->GetTypeInfo(This, index, lcid, info)
#define IDispatch_GetIDsOfNames(This, iid, names, n_names, lcid, ids) \
    (This)->lpVtbl->GetIDsOfNames(This, iid, names, n_names, lcid, ids)
#define IDispatch_Invoke(This, id, iid, lcid, flags, params, result, exception, wrong) \
    (This)->lpVtbl->Invoke(This, id, iid, lcid, flags, params, result, exception, wrong)

#endif /* __cplusplus */

#endif /* _WIN32 */

#endif
