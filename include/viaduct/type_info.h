/*
 * ITypeInfo, ITypeLib and ITypeComp: descriptions of interfaces, classes, structs and enums as
 * clients of COM read them. On Windows the system's own interfaces.
 *
 * via_type_library() and via_type_info() make them of what this process knows; IDispatch of a
 * described object gives one of its default interface. They take no lock that a caller could hold,
 * ask no other process, and may be called from any thread.
 */
#ifndef VIADUCT_TYPE_INFO_H
#define VIADUCT_TYPE_INFO_H

#include <viaduct/type_description.h>

#ifndef _WIN32

typedef struct ITypeLib ITypeLib;
typedef struct ITypeComp ITypeComp;

/* What a name is bound to. */
typedef enum tagDESCKIND {
    DESCKIND_NONE = 0,
    DESCKIND_FUNCDESC = 1,
    DESCKIND_VARDESC = 2,
    DESCKIND_TYPECOMP = 3,
    DESCKIND_IMPLICITAPPOBJ = 4,
    DESCKIND_MAX = 5
} DESCKIND;

typedef union tagBINDPTR {
    FUNCDESC *lpfuncdesc;
    VARDESC *lpvardesc;
    ITypeComp *lptcomp;
} BINDPTR, *LPBINDPTR;

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_ITypeInfo;
VIA_API extern const IID via_IID_ITypeLib;
VIA_API extern const IID via_IID_ITypeComp;
#define IID_ITypeInfo via_IID_ITypeInfo
#define IID_ITypeLib  via_IID_ITypeLib
#define IID_ITypeComp via_IID_ITypeComp

#ifdef __cplusplus
}

struct ITypeInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetTypeAttr(TYPEATTR **attr) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeComp(ITypeComp **comp) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFuncDesc(UINT index, FUNCDESC **desc) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetVarDesc(UINT index, VARDESC **desc) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetNames(MEMBERID id, BSTR *names, UINT max, UINT *n) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRefTypeOfImplType(UINT index, HREFTYPE *ref) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetImplTypeFlags(UINT index, INT *flags) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetIDsOfNames(LPOLESTR *names, UINT n, MEMBERID *ids) = 0;
    virtual HRESULT STDMETHODCALLTYPE Invoke(PVOID instance, MEMBERID id, WORD flags,
                                             DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong_argument) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDocumentation(MEMBERID id, BSTR *name, BSTR *doc,
                                                       DWORD *help_context, BSTR *help_file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDllEntry(MEMBERID id, INVOKEKIND kind, BSTR *dll,
                                                  BSTR *name, WORD *ordinal) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRefTypeInfo(HREFTYPE ref, ITypeInfo **info) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddressOfMember(MEMBERID id, INVOKEKIND kind,
                                                      PVOID *address) = 0;
    virtual HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown *outer, REFIID iid,
                                                     PVOID *object) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetMops(MEMBERID id, BSTR *mops) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetContainingTypeLib(ITypeLib **lib, UINT *index) = 0;
    virtual void STDMETHODCALLTYPE ReleaseTypeAttr(TYPEATTR *attr) = 0;
    virtual void STDMETHODCALLTYPE ReleaseFuncDesc(FUNCDESC *desc) = 0;
    virtual void STDMETHODCALLTYPE ReleaseVarDesc(VARDESC *desc) = 0;
};

struct ITypeLib : public IUnknown {
    virtual UINT STDMETHODCALLTYPE GetTypeInfoCount() = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfo(UINT index, ITypeInfo **info) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfoType(UINT index, TYPEKIND *kind) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfoOfGuid(REFGUID guid, ITypeInfo **info) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetLibAttr(TLIBATTR **attr) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeComp(ITypeComp **comp) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDocumentation(INT index, BSTR *name, BSTR *doc,
                                                       DWORD *help_context, BSTR *help_file) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsName(LPOLESTR name, ULONG hash, BOOL *is_name) = 0;
    virtual HRESULT STDMETHODCALLTYPE FindName(LPOLESTR name, ULONG hash, ITypeInfo **infos,
                                               MEMBERID *ids, USHORT *n) = 0;
    virtual void STDMETHODCALLTYPE ReleaseTLibAttr(TLIBATTR *attr) = 0;
};

struct ITypeComp : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Bind(LPOLESTR name, ULONG hash, WORD flags, ITypeInfo **info,
                                           DESCKIND *kind, BINDPTR *bound) = 0;
    virtual HRESULT STDMETHODCALLTYPE BindType(LPOLESTR name, ULONG hash, ITypeInfo **info,
                                               ITypeComp **comp) = 0;
};

#else

typedef struct ITypeInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ITypeInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ITypeInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(ITypeInfo *This);
    HRESULT(STDMETHODCALLTYPE *GetTypeAttr)(ITypeInfo *This, TYPEATTR **attr);
    HRESULT(STDMETHODCALLTYPE *GetTypeComp)(ITypeInfo *This, ITypeComp **comp);
    HRESULT(STDMETHODCALLTYPE *GetFuncDesc)(ITypeInfo *This, UINT index, FUNCDESC **desc);
    HRESULT(STDMETHODCALLTYPE *GetVarDesc)(ITypeInfo *This, UINT index, VARDESC **desc);
    HRESULT(STDMETHODCALLTYPE *GetNames)
    (ITypeInfo *This, MEMBERID id, BSTR *names, UINT max, UINT *n);
    HRESULT(STDMETHODCALLTYPE *GetRefTypeOfImplType)(ITypeInfo *This, UINT index, HREFTYPE *ref);
    HRESULT(STDMETHODCALLTYPE *GetImplTypeFlags)(ITypeInfo *This, UINT index, INT *flags);
    HRESULT(STDMETHODCALLTYPE *GetIDsOfNames)
    (ITypeInfo *This, LPOLESTR *names, UINT n, MEMBERID *ids);
    HRESULT(STDMETHODCALLTYPE *Invoke)
    (ITypeInfo *This, PVOID instance, MEMBERID id, WORD flags, DISPPARAMS *params, VARIANT *result,
     EXCEPINFO *exception, UINT *wrong_argument);
    HRESULT(STDMETHODCALLTYPE *GetDocumentation)
    (ITypeInfo *This, MEMBERID id, BSTR *name, BSTR *doc, DWORD *help_context, BSTR *help_file);
    HRESULT(STDMETHODCALLTYPE *GetDllEntry)
    (ITypeInfo *This, MEMBERID id, INVOKEKIND kind, BSTR *dll, BSTR *name, WORD *ordinal);
    HRESULT(STDMETHODCALLTYPE *GetRefTypeInfo)(ITypeInfo *This, HREFTYPE ref, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *AddressOfMember)
    (ITypeInfo *This, MEMBERID id, INVOKEKIND kind, PVOID *address);
    HRESULT(STDMETHODCALLTYPE *CreateInstance)
    (ITypeInfo *This, IUnknown *outer, REFIID iid, PVOID *object);
    HRESULT(STDMETHODCALLTYPE *GetMops)(ITypeInfo *This, MEMBERID id, BSTR *mops);
    HRESULT(STDMETHODCALLTYPE *GetContainingTypeLib)(ITypeInfo *This, ITypeLib **lib, UINT *index);
    void(STDMETHODCALLTYPE *ReleaseTypeAttr)(ITypeInfo *This, TYPEATTR *attr);
    void(STDMETHODCALLTYPE *ReleaseFuncDesc)(ITypeInfo *This, FUNCDESC *desc);
    void(STDMETHODCALLTYPE *ReleaseVarDesc)(ITypeInfo *This, VARDESC *desc);
} ITypeInfoVtbl;
struct ITypeInfo {
    const ITypeInfoVtbl *lpVtbl;
};

typedef struct ITypeLibVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ITypeLib *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ITypeLib *This);
    ULONG(STDMETHODCALLTYPE *Release)(ITypeLib *This);
    UINT(STDMETHODCALLTYPE *GetTypeInfoCount)(ITypeLib *This);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfo)(ITypeLib *This, UINT index, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfoType)(ITypeLib *This, UINT index, TYPEKIND *kind);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfoOfGuid)(ITypeLib *This, REFGUID guid, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *GetLibAttr)(ITypeLib *This, TLIBATTR **attr);
    HRESULT(STDMETHODCALLTYPE *GetTypeComp)(ITypeLib *This, ITypeComp **comp);
    HRESULT(STDMETHODCALLTYPE *GetDocumentation)
    (ITypeLib *This, INT index, BSTR *name, BSTR *doc, DWORD *help_context, BSTR *help_file);
    HRESULT(STDMETHODCALLTYPE *IsName)(ITypeLib *This, LPOLESTR name, ULONG hash, BOOL *is_name);
    HRESULT(STDMETHODCALLTYPE *FindName)
    (ITypeLib *This, LPOLESTR name, ULONG hash, ITypeInfo **infos, MEMBERID *ids, USHORT *n);
    void(STDMETHODCALLTYPE *ReleaseTLibAttr)(ITypeLib *This, TLIBATTR *attr);
} ITypeLibVtbl;
struct ITypeLib {
    const ITypeLibVtbl *lpVtbl;
};

typedef struct ITypeCompVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(ITypeComp *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(ITypeComp *This);
    ULONG(STDMETHODCALLTYPE *Release)(ITypeComp *This);
    HRESULT(STDMETHODCALLTYPE *Bind)
    (ITypeComp *This, LPOLESTR name, ULONG hash, WORD flags, ITypeInfo **info, DESCKIND *kind,
     BINDPTR *bound);
    HRESULT(STDMETHODCALLTYPE *BindType)
    (ITypeComp *This, LPOLESTR name, ULONG hash, ITypeInfo **info, ITypeComp **comp);
} ITypeCompVtbl;
struct ITypeComp {
    const ITypeCompVtbl *lpVtbl;
};

#define ITypeInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define ITypeInfo_AddRef(This)                   (This)->lpVtbl->AddRef(This)
#define ITypeInfo_Release(This)                  (This)->lpVtbl->Release(This)
#define ITypeInfo_GetTypeAttr(This, attr)        (This)->lpVtbl->GetTypeAttr(This, attr)
#define ITypeInfo_GetTypeComp(This, comp)        (This)->lpVtbl->GetTypeComp(This, comp)
#define ITypeInfo_GetFuncDesc(This, index, desc) (This)->lpVtbl->GetFuncDesc(This, index, desc)
#define ITypeInfo_GetVarDesc(This, index, desc)  (This)->lpVtbl->GetVarDesc(This, index, desc)
#define ITypeInfo_GetNames(This, id, names, max, n) \
    (This)->lpVtbl->GetNames(This, id, names, max, n)
#define ITypeInfo_GetRefTypeOfImplType(This, index, ref) \
    (This)->lpVtbl->GetRefTypeOfImplType(This, index, ref)
#define ITypeInfo_GetImplTypeFlags(This, index, flags) \
    (This)->lpVtbl->GetImplTypeFlags(This, index, flags)
#define ITypeInfo_GetIDsOfNames(This, names, n, ids) \
    (This)->lpVtbl->GetIDsOfNames(This, names, n, ids)
#define ITypeInfo_Invoke(This, instance, id, flags, params, result, exception, wrong) \
    (This)->lpVtbl->Invoke(This, instance, id, flags, params, result, exception, wrong)
#define ITypeInfo_GetDocumentation(This, id, name, doc, help_context, help_file) \
    (This)->lpVtbl->GetDocumentation(This, id, name, doc, help_context, help_file)
#define ITypeInfo_GetDllEntry(This, id, kind, dll, name, ordinal) \
    (This)->lpVtbl->GetDllEntry(This, id, kind, dll, name, ordinal)
#define ITypeInfo_GetRefTypeInfo(This, ref, info) (This)->lpVtbl->GetRefTypeInfo(This, ref, info)
#define ITypeInfo_AddressOfMember(This, id, kind, address) \
    (This)->lpVtbl->AddressOfMember(This, id, kind, address)
#define ITypeInfo_CreateInstance(This, outer, iid, object) \
    (This)->lpVtbl->CreateInstance(This, outer, iid, object)
#define ITypeInfo_GetMops(This, id, mops) (This)->lpVtbl->GetMops(This, id, mops)
#define ITypeInfo_GetContainingTypeLib(This, lib, index) \
    (This)->lpVtbl->GetContainingTypeLib(This, lib, index)
#define ITypeInfo_ReleaseTypeAttr(This, attr) (This)->lpVtbl->ReleaseTypeAttr(This, attr)
#define ITypeInfo_ReleaseFuncDesc(This, desc) (This)->lpVtbl->ReleaseFuncDesc(This, desc)
#define ITypeInfo_ReleaseVarDesc(This, desc)  (This)->lpVtbl->ReleaseVarDesc(This, desc)

#define ITypeLib_QueryInterface(This, iid, object) (This)->lpVtbl->QueryInterface(This, iid, object)
#define ITypeLib_AddRef(This)                      (This)->lpVtbl->AddRef(This)
#define ITypeLib_Release(This)                     (This)->lpVtbl->Release(This)
#define ITypeLib_GetTypeInfoCount(This)            (This)->lpVtbl->GetTypeInfoCount(This)
#define ITypeLib_GetTypeInfo(This, index, info)    (This)->lpVtbl->GetTypeInfo(This, index, info)
#define ITypeLib_GetTypeInfoType(This, index, kind) \
    (This)->lpVtbl->GetTypeInfoType(This, index, kind)
#define ITypeLib_GetTypeInfoOfGuid(This, guid, info) \
    (This)->lpVtbl->GetTypeInfoOfGuid(This, guid, info)
#define ITypeLib_GetLibAttr(This, attr)  (This)->lpVtbl->GetLibAttr(This, attr)
#define ITypeLib_GetTypeComp(This, comp) (This)->lpVtbl->GetTypeComp(This, comp)
#define ITypeLib_GetDocumentation(This, index, name, doc, help_context, help_file) \
    (This)->lpVtbl->GetDocumentation(This, index, name, doc, help_context, help_file)
#define ITypeLib_IsName(This, name, hash, is_name) (This)->lpVtbl->IsName(This, name, hash, is_name)
#define ITypeLib_FindName(This, name, hash, infos, ids, n) \
    (This)->lpVtbl->FindName(This, name, hash, infos, ids, n)
#define ITypeLib_ReleaseTLibAttr(This, attr) (This)->lpVtbl->ReleaseTLibAttr(This, attr)

#define ITypeComp_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define ITypeComp_AddRef(This)  (This)->lpVtbl->AddRef(This)
#define ITypeComp_Release(This) (This)->lpVtbl->Release(This)
#define ITypeComp_Bind(This, name, hash, flags, info, kind, bound) \
    (This)->lpVtbl->Bind(This, name, hash, flags, info, kind, bound)
#define ITypeComp_BindType(This, name, hash, info, comp) \
    (This)->lpVtbl->BindType(This, name, hash, info, comp)

#endif /* __cplusplus */

#endif /* _WIN32 */

struct via_typelib;

#ifdef __cplusplus
extern "C" {
#endif

/* The tables that viaduct-idl has made as an ITypeLib; they become known to the process. With a
 * reference for the caller, NULL on failure. VIA_E_TYPE, VIA_E_MISMATCH: as
 * via_register_typelib(). */
VIA_API HRESULT via_type_library(const struct via_typelib *lib, ITypeLib **library);

/* The ITypeInfo of an interface that this process knows, from its own tables or from a peer: of a
 * dual one and a dispinterface what late-bound callers see (TKIND_DISPATCH), else the interface.
 * With a reference for the caller, NULL on failure. REGDB_E_IIDNOTREG: it is not known. */
VIA_API HRESULT via_type_info(REFIID iid, ITypeInfo **info);

#ifdef __cplusplus
}
#endif

#endif
