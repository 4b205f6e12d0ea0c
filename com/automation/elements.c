#include "com/automation/elements.h"

#include <string.h>
#include <viaduct/record_info.h>
#include <viaduct/taskmem.h>
#include <viaduct/variant.h>

ULONG elements_size(VARTYPE vt)
{
    switch (vt) {
    case VT_I1:
    case VT_UI1:
        return 1;
    case VT_I2:
    case VT_UI2:
    case VT_BOOL:
        return 2;
    case VT_I4:
    case VT_UI4:
    case VT_INT:
    case VT_UINT:
    case VT_R4:
    case VT_ERROR:
        return 4;
    case VT_I8:
    case VT_UI8:
    case VT_R8:
    case VT_CY:
    case VT_DATE:
        return 8;
    case VT_DECIMAL:
        return sizeof(DECIMAL);
    case VT_VARIANT:
        return sizeof(VARIANT);
    case VT_BSTR:
    case VT_UNKNOWN:
    case VT_DISPATCH:
        return sizeof(void *);
    default:
        return 0;
    }
}

USHORT elements_feature(VARTYPE vt)
{
    switch (vt) {
    case VT_BSTR:
        return FADF_BSTR;
    case VT_UNKNOWN:
        return FADF_UNKNOWN;
    case VT_DISPATCH:
        return FADF_DISPATCH;
    case VT_VARIANT:
        return FADF_VARIANT;
    case VT_RECORD:
        return FADF_RECORD;
    default:
        return 0;
    }
}

IRecordInfo *elements_record_info(const SAFEARRAY *array)
{
    IRecordInfo *info;
    memcpy(&info, (const char *)array - sizeof(info), sizeof(info));
    return info;
}

size_t elements_count(const SAFEARRAY *array)
{
    size_t n = 1;
    for (USHORT i = 0; i < array->cDims && n > 0; i++)
        n *= array->rgsabound[i].cElements;
    return n;
}

static void clear_one(const SAFEARRAY *array, void *element)
{
    IUnknown *object;
    if (array->fFeatures & FADF_BSTR) {
        SysFreeString(*(BSTR *)element);
    } else if (array->fFeatures & (FADF_UNKNOWN | FADF_DISPATCH)) {
        memcpy(&object, element, sizeof(object));
        if (object)
            IUnknown_Release(object);
    } else if (array->fFeatures & FADF_VARIANT) {
        VariantClear(element);
    } else if (array->fFeatures & FADF_RECORD) {
        IRecordInfo_RecordClear(elements_record_info(array), element);
    }
}

#define HOLDING (FADF_BSTR | FADF_UNKNOWN | FADF_DISPATCH | FADF_VARIANT | FADF_RECORD)

void elements_clear(const SAFEARRAY *array, void *elements, size_t n)
{
    for (size_t i = 0; array->fFeatures & HOLDING && i < n; i++)
        clear_one(array, (char *)elements + i * array->cbElements);
    memset(elements, 0, n * array->cbElements);
}

static HRESULT copy_one(const SAFEARRAY *array, const void *from, void *to)
{
    if (array->fFeatures & FADF_BSTR) {
        BSTR text = *(const BSTR *)from;
        BSTR copy = text ? SysAllocStringByteLen((const char *)text, SysStringByteLen(text)) : NULL;
        *(BSTR *)to = copy;
        return text && !copy ? E_OUTOFMEMORY : S_OK;
    }
    if (array->fFeatures & FADF_VARIANT)
        return VariantCopy(to, from);
    if (array->fFeatures & FADF_RECORD)
        return IRecordInfo_RecordCopy(elements_record_info(array), (void *)from, to);
    memcpy(to, from, array->cbElements);
    if (array->fFeatures & (FADF_UNKNOWN | FADF_DISPATCH)) {
        IUnknown *object = *(IUnknown *const *)from;
        if (object)
            IUnknown_AddRef(object);
    }
    return S_OK;
}

HRESULT elements_copy(const SAFEARRAY *array, const void *from, void *to, size_t n)
{
    HRESULT hr = S_OK;
    if (!(array->fFeatures & HOLDING)) {
        memcpy(to, from, n * array->cbElements);
        return S_OK;
    }
    for (size_t i = 0; i < n && SUCCEEDED(hr); i++)
        hr = copy_one(array, (const char *)from + i * array->cbElements,
                      (char *)to + i * array->cbElements);
    return hr;
}
