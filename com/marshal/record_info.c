#include "com/marshal/record_info.h"
#include "com/abi/error_border.h"
#include "com/marshal/automation.h"
#include "com/marshal/copy.h"
#include "com/marshal/records.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct plan_struct *record_from_IRecordInfo(IRecordInfo *iface)
{
    return (const struct plan_struct *)(const void *)((char *)iface - offsetof(struct plan_struct,
                                                                               IRecordInfo_iface));
}

const struct plan_struct *records_of_info(IRecordInfo *info)
{
    bool is_ours = (const void *)info->lpVtbl == &record_info_vtbl;
    return is_ours ? record_from_IRecordInfo(info) : NULL;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_QueryInterface(IRecordInfo *iface, REFIID iid,
                                                           void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IRecordInfo))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

/* It is a part of the library's types. */
static ULONG STDMETHODCALLTYPE RecordInfo_AddRef(IRecordInfo *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE RecordInfo_Release(IRecordInfo *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_RecordInit(IRecordInfo *iface, PVOID record)
{
    memset(record, 0, record_from_IRecordInfo(iface)->type->size);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_RecordClear(IRecordInfo *iface, PVOID record)
{
    struct native_scope scope = {0};
    native_clear(record_from_IRecordInfo(iface)->type, record, &scope);
    return S_OK;
}

/* The copy is made before the old content is freed, of which `from` may be a part. */
static HRESULT STDMETHODCALLTYPE RecordInfo_RecordCopy(IRecordInfo *iface, PVOID from, PVOID to)
{
    struct native_scope scope = {0};
    const struct plan_type *type = record_from_IRecordInfo(iface)->type;
    void *copy = from == to ? NULL : calloc(1, type->size);
    if (from == to)
        return S_OK;
    HRESULT hr = copy ? native_copy(type, from, copy, &scope) : E_OUTOFMEMORY;
    if (SUCCEEDED(hr)) {
        native_clear(type, to, &scope);
        memcpy(to, copy, type->size);
    } else if (copy) {
        native_clear(type, copy, &scope);
    }
    free(copy);
    return hr;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetGuid(IRecordInfo *iface, GUID *guid)
{
    (void)iface;
    memset(guid, 0, sizeof(*guid)); /* IDL gives structs none that is kept */
    return S_OK;
}

static HRESULT set_name(const char *name, BSTR *text)
{
    WCHAR *wide = utf_to_wide(name);
    *text = wide ? SysAllocString(wide) : NULL;
    free(wide);
    return *text ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetName(IRecordInfo *iface, BSTR *name)
{
    return set_name(record_from_IRecordInfo(iface)->name, name);
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetSize(IRecordInfo *iface, ULONG *size)
{
    *size = record_from_IRecordInfo(iface)->type->size;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetTypeInfo(IRecordInfo *iface, ITypeInfo **info)
{
    (void)iface;
    *info = NULL;
    return E_NOTIMPL;
}

/* --- fields --- */

static const struct plan_field *find_field(const struct plan_struct *record, LPCOLESTR name)
{
    char *text = utf_from_wide(name, utf16_length(name));
    const struct plan_field *found = NULL;
    for (uint16_t i = 0; text && i < record->n_fields && !found; i++)
        if (!strcmp(record->fields[i].name, text))
            found = &record->fields[i];
    free(text);
    return found;
}

/* VT_EMPTY: a VARIANT has no such type. */
static VARTYPE field_vartype(const struct plan_type *type)
{
    if (type->kind == VIA_TYPE_SAFEARRAY)
        return type->element->kind == VIA_TYPE_STRUCT
                   ? VT_EMPTY
                   : VT_ARRAY | automation_vartype(type->element);
    bool is_other = type->kind == VIA_TYPE_STRUCT || type->kind == VIA_TYPE_UNION;
    return is_other ? VT_EMPTY : automation_vartype(type);
}

static HRESULT refer_to_field(const struct plan_struct *record, void *data, LPCOLESTR name,
                              VARIANT *value)
{
    const struct plan_field *field = find_field(record, name);
    VARTYPE vt = field ? field_vartype(field->type) : VT_EMPTY;
    if (vt == VT_EMPTY)
        return field ? E_NOTIMPL : TYPE_E_ELEMENTNOTFOUND;
    memset(value, 0, sizeof(*value));
    V_VT(value) = vt | VT_BYREF;
    V_BYREF(value) = (char *)data + field->offset;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetField(IRecordInfo *iface, PVOID record,
                                                     LPCOLESTR name, VARIANT *value)
{
    VARIANT reference;
    HRESULT hr = refer_to_field(record_from_IRecordInfo(iface), record, name, &reference);
    return FAILED(hr) ? hr : VariantCopyInd(value, &reference);
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetFieldNoCopy(IRecordInfo *iface, PVOID record,
                                                           LPCOLESTR name, VARIANT *value,
                                                           PVOID *array)
{
    *array = NULL;
    return refer_to_field(record_from_IRecordInfo(iface), record, name, value);
}

static HRESULT STDMETHODCALLTYPE RecordInfo_PutField(IRecordInfo *iface, ULONG flags, PVOID record,
                                                     LPCOLESTR name, VARIANT *value)
{
    VARIANT reference, converted = {0};
    (void)flags;
    HRESULT hr = refer_to_field(record_from_IRecordInfo(iface), record, name, &reference);
    if (FAILED(hr))
        return hr;
    VARTYPE vt = V_VT(&reference) & (VARTYPE)~VT_BYREF;
    hr = vt == VT_VARIANT ? VariantCopyInd(&converted, value)
                          : VariantChangeType(&converted, value, 0, vt);
    if (SUCCEEDED(hr))
        automation_replace(&reference, &converted);
    return hr;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_PutFieldNoCopy(IRecordInfo *iface, ULONG flags,
                                                           PVOID record, LPCOLESTR name,
                                                           VARIANT *value)
{
    HRESULT hr = RecordInfo_PutField(iface, flags, record, name, value);
    if (SUCCEEDED(hr))
        VariantClear(value); /* it has been taken over */
    return hr;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_GetFieldNames(IRecordInfo *iface, ULONG *n_names,
                                                          BSTR *names)
{
    const struct plan_struct *record = record_from_IRecordInfo(iface);
    HRESULT hr = S_OK;
    ULONG n = names && *n_names < record->n_fields ? *n_names : record->n_fields;
    for (ULONG i = 0; names && i < n && SUCCEEDED(hr); i++) {
        hr = set_name(record->fields[i].name, &names[i]);
        for (ULONG j = 0; FAILED(hr) && j < i; j++)
            SysFreeString(names[j]);
    }
    *n_names = FAILED(hr) ? 0 : n;
    return hr;
}

static BOOL STDMETHODCALLTYPE RecordInfo_IsMatchingType(IRecordInfo *iface, IRecordInfo *other)
{
    const struct plan_struct *theirs = other ? records_of_info(other) : NULL;
    return theirs && records_match(record_from_IRecordInfo(iface), theirs);
}

/* --- records --- */

static PVOID STDMETHODCALLTYPE RecordInfo_RecordCreate(IRecordInfo *iface)
{
    uint32_t size = record_from_IRecordInfo(iface)->type->size;
    void *record = CoTaskMemAlloc(size);
    return record ? memset(record, 0, size) : NULL;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_RecordDestroy(IRecordInfo *iface, PVOID record)
{
    RecordInfo_RecordClear(iface, record);
    CoTaskMemFree(record);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE RecordInfo_RecordCreateCopy(IRecordInfo *iface, PVOID from,
                                                             PVOID *to)
{
    *to = RecordInfo_RecordCreate(iface);
    HRESULT hr = *to ? RecordInfo_RecordCopy(iface, from, *to) : E_OUTOFMEMORY;
    if (FAILED(hr) && *to) {
        RecordInfo_RecordDestroy(iface, *to);
        *to = NULL;
    }
    return hr;
}

const IRecordInfoVtbl record_info_vtbl = {
    RecordInfo_QueryInterface, RecordInfo_AddRef,         RecordInfo_Release,
    RecordInfo_RecordInit,     RecordInfo_RecordClear,    RecordInfo_RecordCopy,
    RecordInfo_GetGuid,        RecordInfo_GetName,        RecordInfo_GetSize,
    RecordInfo_GetTypeInfo,    RecordInfo_GetField,       RecordInfo_GetFieldNoCopy,
    RecordInfo_PutField,       RecordInfo_PutFieldNoCopy, RecordInfo_GetFieldNames,
    RecordInfo_IsMatchingType, RecordInfo_RecordCreate,   RecordInfo_RecordCreateCopy,
    RecordInfo_RecordDestroy};

static HRESULT find_record(const struct via_typelib *lib, const char *name, IRecordInfo **info)
{
    HRESULT hr = typelib_catalog_add(lib);
    if (FAILED(hr))
        return hr;
    const struct plan_struct *structs = plan_structs(lib);
    if (!structs)
        return error_set(E_OUTOFMEMORY, "no memory for the types of %s", lib->name);
    for (uint16_t i = 0; i < lib->n_structs; i++) {
        if (strcmp(structs[i].name, name))
            continue;
        *info = (IRecordInfo *)&structs[i].IRecordInfo_iface;
        return S_OK;
    }
    return error_set(TYPE_E_ELEMENTNOTFOUND, "type library %s has no struct %s", lib->name, name);
}

HRESULT via_record_info(const struct via_typelib *lib, const char *name, IRecordInfo **info)
{
    *info = NULL;
    HRESULT hr = find_record(lib, name, info);
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}
