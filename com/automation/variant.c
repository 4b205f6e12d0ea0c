/* VARIANTs as containers: what they own, and what they only refer to. */
#include <viaduct/variant.h>

#include "com/automation/elements.h"

#include <stdbool.h>
#include <string.h>
#include <viaduct/record_info.h>
#include <viaduct/safearray.h>

#define KIND(vt) ((VARTYPE)((vt)&VT_TYPEMASK))

static bool is_valid(VARTYPE vt)
{
    VARTYPE kind = KIND(vt);
    if (vt & (VT_VECTOR | VT_RESERVED))
        return false;
    if (vt & (VT_ARRAY | VT_BYREF))
        return kind == VT_RECORD || elements_size(kind) > 0;
    return kind == VT_EMPTY || kind == VT_NULL || kind == VT_RECORD || elements_size(kind) > 0;
}

void VariantInit(VARIANTARG *variant)
{
    V_VT(variant) = VT_EMPTY;
}

static HRESULT clear_record(VARIANT *variant)
{
    IRecordInfo *info = V_RECORDINFO(variant);
    if (info && V_RECORD(variant))
        IRecordInfo_RecordDestroy(info, V_RECORD(variant));
    if (info)
        IRecordInfo_Release(info);
    return S_OK;
}

static HRESULT free_content(VARIANT *variant)
{
    if (V_ISBYREF(variant))
        return S_OK;
    if (V_ISARRAY(variant))
        return SafeArrayDestroy(V_ARRAY(variant));
    switch (V_VT(variant)) {
    case VT_BSTR:
        SysFreeString(V_BSTR(variant));
        return S_OK;
    case VT_UNKNOWN:
    case VT_DISPATCH:
        if (V_UNKNOWN(variant))
            IUnknown_Release(V_UNKNOWN(variant));
        return S_OK;
    case VT_RECORD:
        return clear_record(variant);
    default:
        return S_OK;
    }
}

HRESULT VariantClear(VARIANTARG *variant)
{
    if (!is_valid(V_VT(variant)))
        return DISP_E_BADVARTYPE;
    HRESULT hr = free_content(variant);
    if (SUCCEEDED(hr))
        V_VT(variant) = VT_EMPTY;
    return hr;
}

static HRESULT copy_record(VARIANT *to, const VARIANT *from)
{
    IRecordInfo *info = V_RECORDINFO(from);
    V_RECORD(to) = NULL;
    if (!info)
        return V_RECORD(from) ? E_INVALIDARG : S_OK;
    if (V_RECORD(from)) {
        HRESULT hr = IRecordInfo_RecordCreateCopy(info, V_RECORD(from), &V_RECORD(to));
        if (FAILED(hr))
            return hr;
    }
    IRecordInfo_AddRef(info);
    return S_OK;
}

/* `to` has the bits of `from`, and gets content of its own. */
static HRESULT copy_content(VARIANT *to, const VARIANT *from)
{
    if (V_ISBYREF(from))
        return S_OK;
    if (V_ISARRAY(from))
        return SafeArrayCopy(V_ARRAY(from), &V_ARRAY(to));
    switch (V_VT(from)) {
    case VT_BSTR: /* NULL becomes an empty one */
        V_BSTR(to) =
            SysAllocStringByteLen((const char *)V_BSTR(from), SysStringByteLen(V_BSTR(from)));
        return V_BSTR(to) ? S_OK : E_OUTOFMEMORY;
    case VT_UNKNOWN:
    case VT_DISPATCH:
        if (V_UNKNOWN(from))
            IUnknown_AddRef(V_UNKNOWN(from));
        return S_OK;
    case VT_RECORD:
        return copy_record(to, from);
    default:
        return S_OK;
    }
}

HRESULT VariantCopy(VARIANTARG *to, const VARIANTARG *from)
{
    if (to == from)
        return S_OK;
    if (!is_valid(V_VT(from)))
        return DISP_E_BADVARTYPE;
    HRESULT hr = VariantClear(to);
    if (FAILED(hr))
        return hr;
    VARIANT copy = *from;
    hr = copy_content(&copy, from);
    if (SUCCEEDED(hr))
        *to = copy;
    return hr;
}

/* What a reference to a value of one kind stands for, as a VARIANT that owns nothing. */
static void load(VARIANT *value, const VARIANT *reference)
{
    VARTYPE vt = V_VT(reference) & (VARTYPE)~VT_BYREF;
    V_VT(value) = vt;
    if (vt & VT_ARRAY)
        V_ARRAY(value) = *V_ARRAYREF(reference);
    else if (vt == VT_DECIMAL)
        V_DECIMAL(value) = *V_DECIMALREF(reference);
    else if (vt == VT_RECORD) {
        V_RECORD(value) = V_RECORD(reference);
        V_RECORDINFO(value) = V_RECORDINFO(reference);
    } else {
        memcpy(&V_I8(value), V_BYREF(reference), elements_size(vt));
    }
    V_VT(value) = vt; /* over which a DECIMAL lies */
}

HRESULT VariantCopyInd(VARIANT *to, const VARIANTARG *from)
{
    VARIANT value = {0};
    if (!V_ISBYREF(from))
        return VariantCopy(to, from);
    if (!is_valid(V_VT(from)) || !V_BYREF(from))
        return E_INVALIDARG;
    if (V_VT(from) == (VT_BYREF | VT_VARIANT)) {
        const VARIANT *inner = V_VARIANTREF(from);
        if (V_VT(inner) == (VT_BYREF | VT_VARIANT))
            return E_INVALIDARG;
        if (V_ISBYREF(inner))
            return VariantCopyInd(to, inner);
        value = *inner;
    } else {
        load(&value, from);
    }
    if (to != from)
        return VariantCopy(to, &value);
    /* `to` only refers to the value, and has nothing to free. */
    VARIANT copy = {0};
    HRESULT hr = VariantCopy(&copy, &value);
    if (SUCCEEDED(hr))
        *to = copy;
    return hr;
}
