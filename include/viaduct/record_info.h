/*
 * IRecordInfo: what SAFEARRAYs and VARIANTs of structs (VT_RECORD) know of their elements. On
 * Windows the system's own.
 */
#ifndef VIADUCT_RECORD_INFO_H
#define VIADUCT_RECORD_INFO_H

#include <viaduct/automation.h>
#include <viaduct/dispatch.h>

#ifndef _WIN32

#ifdef __cplusplus
extern "C" {
#endif

VIA_API extern const IID via_IID_IRecordInfo;
#define IID_IRecordInfo via_IID_IRecordInfo

#ifdef __cplusplus
}

struct IRecordInfo : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE RecordInit(PVOID record) = 0;
    virtual HRESULT STDMETHODCALLTYPE RecordClear(PVOID record) = 0;
    virtual HRESULT STDMETHODCALLTYPE RecordCopy(PVOID from, PVOID to) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetGuid(GUID *guid) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetName(BSTR *name) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSize(ULONG *size) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetTypeInfo(ITypeInfo **info) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetField(PVOID record, LPCOLESTR name, VARIANT *value) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFieldNoCopy(PVOID record, LPCOLESTR name, VARIANT *value,
                                                     PVOID *array) = 0;
    virtual HRESULT STDMETHODCALLTYPE PutField(ULONG flags, PVOID record, LPCOLESTR name,
                                               VARIANT *value) = 0;
    virtual HRESULT STDMETHODCALLTYPE PutFieldNoCopy(ULONG flags, PVOID record, LPCOLESTR name,
                                                     VARIANT *value) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFieldNames(ULONG *n_names, BSTR *names) = 0;
    virtual BOOL STDMETHODCALLTYPE IsMatchingType(IRecordInfo *other) = 0;
    virtual PVOID STDMETHODCALLTYPE RecordCreate() = 0;
    virtual HRESULT STDMETHODCALLTYPE RecordCreateCopy(PVOID from, PVOID *to) = 0;
    virtual HRESULT STDMETHODCALLTYPE RecordDestroy(PVOID record) = 0;
};

#else

typedef struct IRecordInfoVtbl {
    HRESULT(STDMETHODCALLTYPE *QueryInterface)(IRecordInfo *This, REFIID iid, void **object);
    ULONG(STDMETHODCALLTYPE *AddRef)(IRecordInfo *This);
    ULONG(STDMETHODCALLTYPE *Release)(IRecordInfo *This);
    HRESULT(STDMETHODCALLTYPE *RecordInit)(IRecordInfo *This, PVOID record);
    HRESULT(STDMETHODCALLTYPE *RecordClear)(IRecordInfo *This, PVOID record);
    HRESULT(STDMETHODCALLTYPE *RecordCopy)(IRecordInfo *This, PVOID from, PVOID to);
    HRESULT(STDMETHODCALLTYPE *GetGuid)(IRecordInfo *This, GUID *guid);
    HRESULT(STDMETHODCALLTYPE *GetName)(IRecordInfo *This, BSTR *name);
    HRESULT(STDMETHODCALLTYPE *GetSize)(IRecordInfo *This, ULONG *size);
    HRESULT(STDMETHODCALLTYPE *GetTypeInfo)(IRecordInfo *This, ITypeInfo **info);
    HRESULT(STDMETHODCALLTYPE *GetField)
    (IRecordInfo *This, PVOID record, LPCOLESTR name, VARIANT *value);
    HRESULT(STDMETHODCALLTYPE *GetFieldNoCopy)
    (IRecordInfo *This, PVOID record, LPCOLESTR name, VARIANT *value, PVOID *array);
    HRESULT(STDMETHODCALLTYPE *PutField)
    (IRecordInfo *This, ULONG flags, PVOID record, LPCOLESTR name, VARIANT *value);
    HRESULT(STDMETHODCALLTYPE *PutFieldNoCopy)
    (IRecordInfo *This, ULONG flags, PVOID record, LPCOLESTR name, VARIANT *value);
    HRESULT(STDMETHODCALLTYPE *GetFieldNames)(IRecordInfo *This, ULONG *n_names, BSTR *names);
    BOOL(STDMETHODCALLTYPE *IsMatchingType)(IRecordInfo *This, IRecordInfo *other);
    PVOID(STDMETHODCALLTYPE *RecordCreate)(IRecordInfo *This);
    HRESULT(STDMETHODCALLTYPE *RecordCreateCopy)(IRecordInfo *This, PVOID from, PVOID *to);
    HRESULT(STDMETHODCALLTYPE *RecordDestroy)(IRecordInfo *This, PVOID record);
} IRecordInfoVtbl;
struct IRecordInfo {
    const IRecordInfoVtbl *lpVtbl;
};

#define IRecordInfo_QueryInterface(This, iid, object) \
    (This)->lpVtbl->QueryInterface(This, iid, object)
#define IRecordInfo_AddRef(This)               (This)->lpVtbl->AddRef(This)
#define IRecordInfo_Release(This)              (This)->lpVtbl->Release(This)
#define IRecordInfo_RecordInit(This, record)   (This)->lpVtbl->RecordInit(This, record)
#define IRecordInfo_RecordClear(This, record)  (This)->lpVtbl->RecordClear(This, record)
#define IRecordInfo_RecordCopy(This, from, to) (This)->lpVtbl->RecordCopy(This, from, to)
#define IRecordInfo_GetGuid(This, guid)        (This)->lpVtbl->GetGuid(This, guid)
#define IRecordInfo_GetName(This, name)        (This)->lpVtbl->GetName(This, name)
#define IRecordInfo_GetSize(This, size)        (This)->lpVtbl->GetSize(This, size)
#define IRecordInfo_GetTypeInfo(This, info)    (This)->lpVtbl->GetTypeInfo(This, info)
#define IRecordInfo_GetField(This, record, name, value) \
    (This)->lpVtbl->GetField(This, record, name, value)
#define IRecordInfo_GetFieldNoCopy(This, record, name, value, array) \
    (This)->lpVtbl->GetFieldNoCopy(This, record, name, value, array)
#define IRecordInfo_PutField(This, flags, record, name, value) \
    (This)->lpVtbl->PutField(This, flags, record, name, value)
#define IRecordInfo_PutFieldNoCopy(This, flags, record, name, value) \
    (This)->lpVtbl->PutFieldNoCopy(This, flags, record, name, value)
#define IRecordInfo_GetFieldNames(This, n_names, names) \
    (This)->lpVtbl->GetFieldNames(This, n_names, names)
#define IRecordInfo_IsMatchingType(This, other) (This)->lpVtbl->IsMatchingType(This, other)
#define IRecordInfo_RecordCreate(This)          (This)->lpVtbl->RecordCreate(This)
#define IRecordInfo_RecordCreateCopy(This, from, to) \
    (This)->lpVtbl->RecordCreateCopy(This, from, to)
#define IRecordInfo_RecordDestroy(This, record) (This)->lpVtbl->RecordDestroy(This, record)

#endif /* __cplusplus */

#endif /* _WIN32 */

struct via_typelib;

#ifdef __cplusplus
extern "C" {
#endif

/* The IRecordInfo of a struct in the tables that viaduct-idl has made, for SafeArrayCreateEx() and
 * the like; the tables become known to the process. It lives as long as the process.
 * TYPE_E_ELEMENTNOTFOUND: there is no such struct. */
VIA_API HRESULT via_record_info(const struct via_typelib *lib, const char *name,
                                IRecordInfo **info);

#ifdef __cplusplus
}
#endif

#endif
