#include "tests/marshal/echo_automation.h"

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

HRESULT STDMETHODCALLTYPE Echo_Variants(IEcho *self, VARIANT value, VARIANT *in_out, VARIANT *out)
{
    (void)self;
    VARIANT *changed = in_out;
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
