#include "com/marshal/records.h"
#include "com/marshal/by_name.h"
#include "com/marshal/decode.h"
#include "com/marshal/encode.h"
#include "com/marshal/record_info.h"

#include <stdio.h>
#include <string.h>

#define MAX_NAME 512

const struct plan_struct *records_of_array(SAFEARRAY *array)
{
    IRecordInfo *info = NULL;
    if (FAILED(SafeArrayGetRecordInfo(array, &info)) || !info)
        return NULL;
    const struct plan_struct *record = records_of_info(info);
    IRecordInfo_Release(info);
    return record;
}

/* --- payloads --- */

void records_encode_type(struct encoder *encoder, const struct plan_struct *record)
{
    const uint8_t *hash = record ? records_hash(record) : NULL;
    if (!record) {
        encode_fail(encoder, DISP_E_BADVARTYPE,
                    "a VARIANT has a record of a struct that no type library describes here");
    } else if (!hash) {
        encode_fail(encoder, E_OUTOFMEMORY, "no memory");
    } else {
        buffer_align(encoder->out, 4);
        buffer_append(encoder->out, hash, TYPELIB_HASH_SIZE);
    }
}

void records_encode(struct encoder *encoder, const VARIANT *variant)
{
    struct native_scope scope = {0};
    IRecordInfo *info = V_RECORDINFO(variant);
    const struct plan_struct *record = info ? records_of_info(info) : NULL;
    records_encode_type(encoder, record);
    if (!record || FAILED(encoder->result))
        return;
    if (V_RECORD(variant))
        encode_value(encoder, record->type, V_RECORD(variant), &scope);
    else
        encode_fail(encoder, E_POINTER, "a VARIANT refers to nothing");
}

const struct plan_struct *records_decode_type(struct decoder *decoder)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    const uint8_t *bytes = decode_take(decoder, 4, sizeof(hash));
    if (!bytes)
        return NULL;
    memcpy(hash, bytes, sizeof(hash));
    const struct plan_struct *record = records_find(hash);
    if (!record)
        decode_fail(decoder, "a VARIANT has a record of a struct that is not described here");
    return record;
}

void records_decode(struct decoder *decoder, VARTYPE vt, VARIANT *variant, VARIANT *reference)
{
    const struct plan_struct *record = records_decode_type(decoder);
    if (!record || !decode_take_records(decoder, record->type, 1))
        return;
    void *data = CoTaskMemAlloc(record->type->size);
    if (!decode_note(decoder, data, DECODE_BLOCK))
        return;
    memset(data, 0, record->type->size);
    decode_value(decoder, record->type, data);
    V_RECORD(variant) = data;
    V_RECORDINFO(variant) = (IRecordInfo *)&record->IRecordInfo_iface;
    V_VT(variant) = VT_RECORD;
    if (reference)
        *reference = *variant;
    V_VT(variant) = vt;
}

/* --- native --- */

/* Not by VariantClear(): on Windows that leaves the block itself. */
void records_clear(VARIANT *variant)
{
    IRecordInfo *info = V_RECORDINFO(variant);
    if (info && V_RECORD(variant))
        IRecordInfo_RecordDestroy(info, V_RECORD(variant));
    if (info)
        IRecordInfo_Release(info);
}

/* Nor by VariantCopy(), which need not zero what RecordCopy() writes to. */
HRESULT records_copy(const VARIANT *from, VARIANT *to)
{
    IRecordInfo *info = V_RECORDINFO(from);
    PVOID copy = NULL;
    HRESULT hr = info && V_RECORD(from) ? IRecordInfo_RecordCreateCopy(info, V_RECORD(from), &copy)
                                        : E_INVALIDARG;
    if (FAILED(hr))
        return hr;
    IRecordInfo_AddRef(info);
    V_VT(to) = VT_RECORD;
    V_RECORD(to) = copy;
    V_RECORDINFO(to) = info;
    return S_OK;
}

bool records_fit(const VARIANT *to, const VARIANT *from)
{
    const struct plan_struct *theirs = V_RECORDINFO(to) ? records_of_info(V_RECORDINFO(to)) : NULL;
    const struct plan_struct *ours = records_of_info(V_RECORDINFO(from));
    return theirs && ours && records_match(theirs, ours);
}

bool records_replace(VARIANT *to, const VARIANT *from)
{
    if (!records_fit(to, from))
        return false;
    IRecordInfo_RecordClear(V_RECORDINFO(to), V_RECORD(to));
    memcpy(V_RECORD(to), V_RECORD(from), records_of_info(V_RECORDINFO(from))->type->size);
    CoTaskMemFree(V_RECORD(from));
    IRecordInfo_Release(V_RECORDINFO(from));
    return true;
}

/* --- values by name --- */

void records_set(struct by_name *by_name, const struct plan_struct *record,
                 const struct via_value *value, VARIANT *variant)
{
    IRecordInfo *info = (IRecordInfo *)&record->IRecordInfo_iface;
    PVOID data = IRecordInfo_RecordCreate(info);
    if (!data) {
        by_name_fail(by_name, E_OUTOFMEMORY, "no memory");
        return;
    }
    IRecordInfo_AddRef(info);
    V_VT(variant) = VT_RECORD;
    V_RECORD(variant) = data;
    V_RECORDINFO(variant) = info;
    by_name_to_native(by_name, record->type, value, data);
}

const struct plan_struct *records_from_value(struct by_name *by_name, const struct via_value *value)
{
    const struct via_value *name = via_value_field(value, "struct");
    const char *why = "a record needs the name of its \"struct\"";
    const struct plan_struct *record = NULL;
    if (name && name->kind == VIA_VALUE_STRING)
        record = records_named(by_name->lib, name->as.string, &why);
    if (!record)
        by_name_fail(by_name, DISP_E_BADVARTYPE, why);
    return record;
}

void records_to_value(struct by_name *by_name, const struct plan_struct *record,
                      struct via_value *value)
{
    char text[MAX_NAME];
    struct via_value *field = NULL;
    int n = snprintf(text, sizeof(text), "%s.%s", record->lib->name, record->name);
    if (n < 0 || n >= (int)sizeof(text)) {
        by_name_fail(by_name, VIA_E_LIMIT, "the name of a struct is too long");
        return;
    }
    by_name_check(by_name, via_value_add_field(value, "struct", &field));
    if (field)
        by_name_check(by_name, via_value_set_string(field, text, (size_t)n));
}
