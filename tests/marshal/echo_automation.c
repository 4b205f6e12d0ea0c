#include "tests/marshal/echo_automation.h"

#include <stdbool.h>
#include <string.h>

HRESULT STDMETHODCALLTYPE Echo_Amounts(IEcho *self, CY cy, DATE date, DECIMAL decimal, SCODE code,
                                       CY *cy_out, DATE *date_out, DECIMAL *decimal_out,
                                       SCODE *code_out)
{
    (void)self;
    *cy_out = cy;
    *date_out = date;
    *decimal_out = decimal;
    *code_out = code;
    return S_OK;
}

static void set_text(VARIANT *variant)
{
    if (V_ISBYREF(variant)) {
        SysFreeString(*V_BSTRREF(variant));
        *V_BSTRREF(variant) = SysAllocString(VIA_STR("new"));
        return;
    }
    VariantClear(variant);
    V_VT(variant) = VT_BSTR;
    V_BSTR(variant) = SysAllocString(VIA_STR("new"));
}

/* What `reference` refers to becomes `value`, of the same type. */
static HRESULT put_behind(VARIANT *reference, VARIANT *value)
{
    VARIANT held = {0}, copy = {0};
    VARTYPE vt = V_VT(value);
    bool is_decimal = vt == VT_DECIMAL;
    HRESULT hr = VariantCopy(&copy, value);
    if (FAILED(hr) || V_VT(reference) == (VT_BYREF | VT_VARIANT)) {
        if (SUCCEEDED(hr))
            hr = VariantCopy(V_VARIANTREF(reference), value);
        VariantClear(&copy);
        return hr;
    }
    size_t size = is_decimal                                     ? sizeof(DECIMAL)
                  : vt == VT_I1 || vt == VT_UI1                  ? 1
                  : vt == VT_I2 || vt == VT_UI2 || vt == VT_BOOL ? 2
                  : vt == VT_I4 || vt == VT_UI4 || vt == VT_INT || vt == VT_UINT || vt == VT_R4 ||
                          vt == VT_ERROR
                      ? 4
                      : 8;
    void *inside = is_decimal ? (void *)&V_DECIMAL(&held) : (void *)&V_I8(&held);
    memcpy(inside, V_BYREF(reference), size);
    V_VT(&held) = vt;
    memcpy(V_BYREF(reference), is_decimal ? (void *)&V_DECIMAL(&copy) : (void *)&V_I8(&copy), size);
    return VariantClear(&held);
}

HRESULT STDMETHODCALLTYPE Echo_Variants(IEcho *self, VARIANT value, VARIANT *in_out, VARIANT *out)
{
    (void)self;
    VARIANT *changed = in_out;
    bool is_alike = V_VT(in_out) == (VT_BYREF | V_VT(&value)) ||
                    (V_VT(in_out) == (VT_BYREF | VT_VARIANT) && V_VT(&value) == VT_BSTR);
    if (is_alike && !V_ISBYREF(&value)) {
        HRESULT hr = put_behind(in_out, &value);
        return FAILED(hr) ? hr : VariantCopy(out, &value);
    }
    if (V_VT(changed) == (VT_BYREF | VT_VARIANT))
        changed = V_VARIANTREF(changed);
    switch (V_VT(changed)) {
    case VT_I4:
        V_I4(changed)++;
        break;
    case VT_BYREF | VT_I4:
        ++*V_I4REF(changed);
        break;
    case VT_BSTR:
    case VT_BYREF | VT_BSTR:
        set_text(changed);
        break;
    case VT_RECORD:
    case VT_BYREF | VT_RECORD: /* a Sample */
        ((struct Sample *)V_RECORD(changed))->flag++;
        break;
    default:
        VariantClear(changed);
        V_VT(changed) = VT_NULL;
    }
    /* A reference stays one: the caller is given what it refers to. */
    return VariantCopy(out, &value);
}

HRESULT STDMETHODCALLTYPE Echo_Safearrays(IEcho *self, SAFEARRAY *numbers, SAFEARRAY **texts,
                                          SAFEARRAY *values, SAFEARRAY *objects, SAFEARRAY *samples,
                                          SAFEARRAY **numbers_out, SAFEARRAY **values_out,
                                          SAFEARRAY **objects_out, SAFEARRAY **samples_out)
{
    (void)self;
    SAFEARRAY *other = SafeArrayCreateVector(VT_BSTR, 1, 2);
    if (!other)
        return E_OUTOFMEMORY;
    ((BSTR *)other->pvData)[1] = SysAllocString(VIA_STR("second"));
    if (*texts)
        SafeArrayDestroy(*texts);
    *texts = other;
    HRESULT hr = SafeArrayCopy(numbers, numbers_out);
    if (SUCCEEDED(hr))
        hr = SafeArrayCopy(values, values_out);
    if (SUCCEEDED(hr))
        hr = SafeArrayCopy(objects, objects_out);
    if (SUCCEEDED(hr))
        hr = SafeArrayCopy(samples, samples_out);
    return hr;
}

HRESULT STDMETHODCALLTYPE Echo_Bundles(IEcho *self, const struct Bundle *in, struct Bundle *in_out,
                                       struct Bundle *out)
{
    (void)self;
    *out = *in_out;
    *in_out = *in;
    VariantInit(&in_out->value);
    HRESULT hr = VariantCopyInd(&in_out->value, (VARIANT *)&in->value);
    in_out->dates = NULL;
    return SUCCEEDED(hr) && in->dates ? SafeArrayCopy(in->dates, &in_out->dates) : hr;
}
