/*
 * VARIANTs, SAFEARRAYs, DECIMALs and their relatives through payloads, in one process: typed and by
 * name, what becomes of references and of memory, and what a peer may send instead.
 */
#include "com/marshal/marshal.h"
#include "com/marshal/record_info.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"
#include "tests/marshal/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/value.h>

static bool is_reflected;
static struct loop_proxy proxy;
static struct echo echo;
static struct wire_tap tap;

static IEcho *begin(void)
{
    static struct mirror mirror;
    echo_init(&echo);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(mirror_init(&mirror, &echo.IEcho_iface));
    CHECK_OK(loop_proxy_init(&proxy, is_reflected ? mirror_face(&mirror) : &echo.IEcho_iface));
    return loop_proxy_face(&proxy);
}

static bool text_is(BSTR text, const char *expected)
{
    size_t n = strlen(expected);
    for (size_t i = 0; text && i < n; i++)
        if (text[i] != (OLECHAR)expected[i])
            return false;
    return text && SysStringLen(text) == n;
}

static void amounts_keep_their_values_body(void)
{
    IEcho *face = begin();
    CY cy = {.int64 = -12345}, cy_out = {0};
    DECIMAL decimal = {.wReserved = 7, .scale = 28, .sign = DECIMAL_NEG}, decimal_out;
    DATE date_out = 0;
    SCODE code_out = 0;
    decimal.Hi32 = 0x80000001;
    decimal.Lo64 = 1;
    memset(&decimal_out, 0xA5, sizeof(decimal_out));
    CHECK_OK(IEcho_Amounts(face, cy, 36526.75, decimal, E_FAIL, &cy_out, &date_out, &decimal_out,
                           &code_out));
    CHECK_EQ(cy_out.int64, -12345);
    CHECK(date_out == 36526.75);
    CHECK_EQ(decimal_out.scale, 28);
    CHECK_EQ(decimal_out.sign, DECIMAL_NEG);
    CHECK_EQ(decimal_out.Hi32, 0x80000001);
    CHECK_EQ(decimal_out.Lo64, 1);
    CHECK_EQ(decimal_out.wReserved, 0);
    CHECK_HR(code_out, E_FAIL);
}
BOTH(amounts_keep_their_values)

TEST(what_is_no_decimal_is_not_sent)
{
    IEcho *face = begin();
    CY cy = {0}, cy_out;
    DECIMAL decimal = {.scale = 29}, decimal_out;
    DATE date_out;
    SCODE code_out;
    CHECK_HR(IEcho_Amounts(face, cy, 0, decimal, 0, &cy_out, &date_out, &decimal_out, &code_out),
             E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text, "IEcho.Amounts: argument decimal: it is no DECIMAL");
    error_clear();
}

/* --- VARIANTs --- */

/* What comes back, for VariantClear(); `in_out` is VT_NULL afterwards. */
static VARIANT echo_variant(VARIANT value)
{
    VARIANT in_out, out;
    VariantInit(&in_out);
    memset(&out, 0xA5, sizeof(out));
    CHECK_OK(IEcho_Variants(begin(), value, &in_out, &out));
    CHECK_EQ(V_VT(&in_out), VT_NULL);
    return out;
}

static void variants_of_numbers_body(void)
{
    static const VARTYPE types[] = {VT_I1,  VT_UI1,  VT_I2, VT_UI2, VT_I4, VT_UI4,  VT_I8,   VT_UI8,
                                    VT_INT, VT_UINT, VT_R4, VT_R8,  VT_CY, VT_DATE, VT_ERROR};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        VARIANT value = {0};
        V_I4(&value) = -2;
        if (types[i] == VT_UI8)
            V_UI8(&value) = UINT64_MAX - 5;
        else if (types[i] == VT_R8 || types[i] == VT_DATE)
            V_R8(&value) = 2.5;
        else if (types[i] == VT_R4)
            V_R4(&value) = 2.5f;
        V_VT(&value) = types[i];
        VARIANT back = echo_variant(value);
        static const uint8_t sizes[] = {
            [VT_I1] = 1,  [VT_UI1] = 1, [VT_I2] = 2,  [VT_UI2] = 2,  [VT_I4] = 4,
            [VT_UI4] = 4, [VT_I8] = 8,  [VT_UI8] = 8, [VT_INT] = 4,  [VT_UINT] = 4,
            [VT_R4] = 4,  [VT_R8] = 8,  [VT_CY] = 8,  [VT_DATE] = 8, [VT_ERROR] = 4};
        if (!CHECK_EQ(V_VT(&back), types[i]) ||
            !CHECK_MEM_EQ(&V_I8(&back), &V_I8(&value), sizes[types[i]]))
            harness_note("type %u", types[i]);
    }
}
BOTH(variants_of_numbers)

static void variants_of_nothing_and_of_truth_body(void)
{
    VARIANT value = {0};
    VARIANT back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_EMPTY);
    V_VT(&value) = VT_NULL;
    back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_NULL);
    V_VT(&value) = VT_BOOL;
    V_BOOL(&value) = VARIANT_TRUE;
    back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_BOOL);
    CHECK_EQ(V_BOOL(&back), VARIANT_TRUE);
}
BOTH(variants_of_nothing_and_of_truth)

static void variants_of_decimals_and_strings_body(void)
{
    VARIANT value = {0};
    V_DECIMAL(&value).Lo64 = 1234;
    V_DECIMAL(&value).scale = 2;
    V_VT(&value) = VT_DECIMAL;
    VARIANT back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_DECIMAL);
    CHECK_EQ(V_DECIMAL(&back).Lo64, 1234);
    CHECK_EQ(V_DECIMAL(&back).scale, 2);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = SysAllocString(VIA_STR("text"));
    back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_BSTR);
    CHECK(text_is(V_BSTR(&back), "text"));
    VariantClear(&back);
    VariantClear(&value);
}
BOTH(variants_of_decimals_and_strings)

static void variants_of_objects_body(void)
{
    VARIANT value = {0};
    V_VT(&value) = VT_UNKNOWN;
    VARIANT back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_UNKNOWN);
    CHECK_NULL(V_UNKNOWN(&back));
    struct echo other;
    echo_init(&other);
    V_UNKNOWN(&value) = (IUnknown *)&other.IEcho_iface;
    back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_UNKNOWN);
    CHECK_PTR_EQ(V_UNKNOWN(&back), &other.IEcho_iface);
    CHECK_EQ(other.refs, 2);
    VariantClear(&back);
    CHECK_EQ(other.refs, 1);
}
BOTH(variants_of_objects)

/* An array of two dimensions and lower bounds, with a string and an array in it. */
static SAFEARRAY *make_values(void)
{
    SAFEARRAYBOUND bounds[] = {{2, -3}, {2, 5}};
    SAFEARRAY *array = SafeArrayCreate(VT_VARIANT, 2, bounds);
    if (!array)
        return NULL;
    VARIANT *values = array->pvData;
    V_VT(&values[0]) = VT_BSTR;
    V_BSTR(&values[0]) = SysAllocString(VIA_STR("inner"));
    V_VT(&values[1]) = VT_ARRAY | VT_UI1;
    V_ARRAY(&values[1]) = SafeArrayCreateVector(VT_UI1, 1, 3);
    memcpy(V_ARRAY(&values[1])->pvData, "xyz", 3);
    V_VT(&values[3]) = VT_I4;
    V_I4(&values[3]) = 99;
    return array;
}

static void check_values(SAFEARRAY *array)
{
    REQUIRE_NOT_NULL(array);
    REQUIRE_EQ(array->cDims, 2);
    CHECK_EQ(array->rgsabound[0].lLbound, 5);
    CHECK_EQ(array->rgsabound[1].lLbound, -3);
    const VARIANT *values = array->pvData;
    CHECK_EQ(V_VT(&values[0]), VT_BSTR);
    CHECK(text_is(V_BSTR(&values[0]), "inner"));
    REQUIRE_EQ(V_VT(&values[1]), VT_ARRAY | VT_UI1);
    CHECK_EQ(V_ARRAY(&values[1])->rgsabound[0].lLbound, 1);
    CHECK_MEM_EQ(V_ARRAY(&values[1])->pvData, "xyz", 3);
    CHECK_EQ(V_VT(&values[2]), VT_EMPTY);
    CHECK_EQ(V_I4(&values[3]), 99);
}

static void variants_of_arrays_body(void)
{
    VARIANT value = {0};
    V_VT(&value) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(&value) = make_values();
    VARIANT back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_ARRAY | VT_VARIANT);
    check_values(V_ARRAY(&back));
    VariantClear(&back);
    VariantClear(&value);
    V_VT(&value) = VT_ARRAY | VT_R8;
    V_ARRAY(&value) = NULL;
    back = echo_variant(value);
    CHECK_EQ(V_VT(&back), VT_ARRAY | VT_R8);
    CHECK_NULL(V_ARRAY(&back));
}
BOTH(variants_of_arrays)

/* What is referred to goes along; what comes back is a value, or goes to where the caller refers.
 */
static void references_in_variants_body(void)
{
    IEcho *face = begin();
    LONG number = 41;
    BSTR text = SysAllocString(VIA_STR("old"));
    VARIANT in = {0}, in_out = {0}, out = {0}, inner = {0};
    V_VT(&in) = VT_BYREF | VT_BSTR;
    V_BSTRREF(&in) = &text;
    V_VT(&in_out) = VT_BYREF | VT_I4;
    V_I4REF(&in_out) = &number;
    CHECK_OK(IEcho_Variants(face, in, &in_out, &out));
    CHECK_EQ(V_VT(&in_out), VT_BYREF | VT_I4);
    CHECK_PTR_EQ(V_I4REF(&in_out), &number);
    CHECK_EQ(number, 42);
    CHECK_EQ(V_VT(&out), VT_BSTR);
    CHECK(text_is(V_BSTR(&out), "old"));
    CHECK(text_is(text, "old"));
    VariantClear(&out);
    V_VT(&inner) = VT_BYREF | VT_BSTR;
    V_BSTRREF(&inner) = &text;
    V_VT(&in_out) = VT_BYREF | VT_VARIANT;
    V_VARIANTREF(&in_out) = &inner;
    CHECK_OK(IEcho_Variants(face, in_out, &in_out, &out));
    CHECK_EQ(V_VT(&in_out), VT_BYREF | VT_VARIANT);
    CHECK_EQ(V_VT(&inner), VT_BYREF | VT_BSTR);
    CHECK(text_is(text, "new"));
    CHECK_EQ(V_VT(&out), VT_BSTR);
    CHECK(text_is(V_BSTR(&out), "old"));
    VariantClear(&out);
    SysFreeString(text);
}

TEST(references_in_variants)
{
    is_reflected = false;
    references_in_variants_body();
}

TEST(variants_that_cannot_be_sent_are_named)
{
    IEcho *face = begin();
    static const VARTYPE bad[] = {15,       VT_VARIANT,         VT_RECORD, VT_VECTOR | VT_I4,
                                  VT_BYREF, VT_BYREF | VT_NULL, VT_ARRAY,  VT_INT_PTR};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        VARIANT value = {0}, in_out = {0}, out;
        LONG number = 0;
        V_I4REF(&value) = &number;
        V_VT(&value) = bad[i];
        if (!CHECK_HR(IEcho_Variants(face, value, &in_out, &out), DISP_E_BADVARTYPE))
            harness_note("type %x", bad[i]);
        CHECK_EQ(V_VT(&out), VT_EMPTY);
    }
    VARIANT value = {0}, in_out = {0}, out;
    V_VT(&value) = VT_BYREF | VT_I4;
    CHECK_HR(IEcho_Variants(face, value, &in_out, &out), E_POINTER);
    V_VT(&value) = VT_BYREF | VT_VARIANT;
    V_VARIANTREF(&value) = &value;
    CHECK_HR(IEcho_Variants(face, value, &in_out, &out), VIA_E_LIMIT);
    error_clear();
}

/* --- SAFEARRAYs --- */

static SAFEARRAY *make_samples(void)
{
    IRecordInfo *info = NULL;
    if (FAILED(via_record_info(&marshal_test_typelib, "Sample", &info)))
        return NULL;
    SAFEARRAY *array = SafeArrayCreateVectorEx(VT_RECORD, 2, 2, info);
    struct Sample *samples = array ? array->pvData : NULL;
    if (samples) {
        samples[1].name = SysAllocString(VIA_STR("sample"));
        samples[1].value = 1.5;
        samples[1].flag = 3;
    }
    return array;
}

static void check_samples(SAFEARRAY *array)
{
    IRecordInfo *info = NULL;
    REQUIRE_NOT_NULL(array);
    CHECK_EQ(array->rgsabound[0].lLbound, 2);
    CHECK_EQ(array->cbElements, sizeof(struct Sample));
    const struct Sample *samples = array->pvData;
    CHECK_NULL(samples[0].name);
    CHECK(text_is(samples[1].name, "sample"));
    CHECK(samples[1].value == 1.5);
    CHECK_EQ(samples[1].flag, 3);
    CHECK_OK(SafeArrayGetRecordInfo(array, &info));
    REQUIRE_NOT_NULL(info);
    IRecordInfo_Release(info);
}

static SAFEARRAY *make_objects(IUnknown *object)
{
    SAFEARRAY *array = SafeArrayCreateVectorEx(VT_UNKNOWN, 0, 2, (void *)&IID_IEcho);
    LONG index = 1;
    if (array)
        CHECK_OK(SafeArrayPutElement(array, &index, object));
    return array;
}

static void arrays_of_everything_body(void)
{
    IEcho *face = begin();
    SAFEARRAYBOUND bounds[] = {{2, 1}, {3, -1}};
    struct echo other;
    echo_init(&other);
    SAFEARRAY *numbers = SafeArrayCreate(VT_I4, 2, bounds), *numbers_out = NULL;
    SAFEARRAY *texts = SafeArrayCreateVector(VT_BSTR, 0, 1), *values = make_values();
    SAFEARRAY *values_out = NULL, *objects = make_objects((IUnknown *)&other.IEcho_iface);
    SAFEARRAY *objects_out = NULL, *samples = make_samples(), *samples_out = NULL;
    REQUIRE(numbers && texts && values && objects && samples);
    for (LONG i = 0; i < 6; i++)
        ((LONG *)numbers->pvData)[i] = i * i;
    ((BSTR *)texts->pvData)[0] = SysAllocString(VIA_STR("old"));
    REQUIRE_OK(IEcho_Safearrays(face, numbers, &texts, values, objects, samples, &numbers_out,
                                &values_out, &objects_out, &samples_out));
    CHECK_EQ(numbers_out->cDims, 2);
    CHECK_EQ(numbers_out->rgsabound[0].lLbound, -1);
    CHECK_EQ(numbers_out->rgsabound[0].cElements, 3);
    CHECK_MEM_EQ(numbers_out->pvData, numbers->pvData, 6 * sizeof(LONG));
    CHECK_EQ(texts->rgsabound[0].lLbound, 1);
    CHECK_NULL(((BSTR *)texts->pvData)[0]);
    CHECK(text_is(((BSTR *)texts->pvData)[1], "second"));
    check_values(values_out);
    check_samples(samples_out);
    CHECK_PTR_EQ(((IUnknown **)objects_out->pvData)[1], &other.IEcho_iface);
    CHECK_NULL(((IUnknown **)objects_out->pvData)[0]);
    SAFEARRAY *all[] = {numbers,     texts,      values,      objects,    samples,
                        numbers_out, values_out, objects_out, samples_out};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        CHECK_OK(SafeArrayDestroy(all[i]));
    CHECK_EQ(other.refs, 1);
}
BOTH(arrays_of_everything)

static void arrays_may_be_null_or_empty_body(void)
{
    IEcho *face = begin();
    SAFEARRAY *numbers = SafeArrayCreateVector(VT_I4, 7, 0), *texts = NULL, *n = NULL, *v = NULL;
    SAFEARRAY *o = NULL, *s = NULL;
    REQUIRE_OK(IEcho_Safearrays(face, numbers, &texts, NULL, NULL, NULL, &n, &v, &o, &s));
    REQUIRE_NOT_NULL(n);
    CHECK_EQ(n->rgsabound[0].cElements, 0);
    CHECK_EQ(n->rgsabound[0].lLbound, 7);
    CHECK_NULL(v);
    CHECK_NULL(o);
    CHECK_NULL(s);
    SafeArrayDestroy(numbers);
    SafeArrayDestroy(texts);
    SafeArrayDestroy(n);
}
BOTH(arrays_may_be_null_or_empty)

TEST(arrays_of_other_elements_are_refused)
{
    IEcho *face = begin();
    SAFEARRAY *doubles = SafeArrayCreateVector(VT_R8, 0, 1), *texts = NULL, *n, *v, *o, *s;
    SAFEARRAY *integers = SafeArrayCreateVector(VT_INT, 0, 1);
    CHECK_HR(IEcho_Safearrays(face, doubles, &texts, NULL, NULL, NULL, &n, &v, &o, &s),
             E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text, "argument numbers: the elements of the SAFEARRAY have");
    CHECK_HR(IEcho_Safearrays(face, NULL, &doubles, NULL, NULL, NULL, &n, &v, &o, &s),
             E_INVALIDARG);
    CHECK_OK(IEcho_Safearrays(face, integers, &texts, NULL, NULL, NULL, &n, &v, &o, &s));
    SafeArrayDestroy(n);
    SafeArrayDestroy(texts);
    SafeArrayDestroy(doubles);
    SafeArrayDestroy(integers);
    error_clear();
}

static void bundles_travel_with_everything_in_them_body(void)
{
    IEcho *face = begin();
    struct Bundle in = {.first = 5, .cy = {.int64 = 123}}, in_out = {.first = 6}, out;
    V_VT(&in.value) = VT_BSTR;
    V_BSTR(&in.value) = SysAllocString(VIA_STR("value"));
    in.dates = SafeArrayCreateVector(VT_DATE, 0, 2);
    ((DATE *)in.dates->pvData)[1] = 2.5;
    in.decimal.Lo64 = 77;
    V_VT(&in_out.value) = VT_BSTR;
    V_BSTR(&in_out.value) = SysAllocString(VIA_STR("old"));
    REQUIRE_OK(IEcho_Bundles(face, &in, &in_out, &out));
    CHECK_EQ(in_out.first, 5);
    CHECK(text_is(V_BSTR(&in_out.value), "value"));
    REQUIRE_NOT_NULL(in_out.dates);
    CHECK(((DATE *)in_out.dates->pvData)[1] == 2.5);
    CHECK_EQ(in_out.decimal.Lo64, 77);
    CHECK_EQ(in_out.cy.int64, 123);
    CHECK_EQ(out.first, 6);
    CHECK(text_is(V_BSTR(&out.value), "old"));
    CHECK_NULL(out.dates);
    VariantClear(&in.value);
    VariantClear(&in_out.value);
    VariantClear(&out.value);
    SafeArrayDestroy(in.dates);
    SafeArrayDestroy(in_out.dates);
}
BOTH(bundles_travel_with_everything_in_them)

/* --- records --- */

TEST(a_record_info_knows_its_struct)
{
    IRecordInfo *info = NULL;
    struct Sample sample, *copy = NULL;
    VARIANT value = {0};
    BSTR name = NULL, names[3] = {0};
    ULONG size = 0, n = 3;
    REQUIRE_OK(via_record_info(&marshal_test_typelib, "Sample", &info));
    CHECK_OK(IRecordInfo_GetSize(info, &size));
    CHECK_EQ(size, sizeof(sample));
    CHECK_OK(IRecordInfo_GetName(info, &name));
    CHECK(text_is(name, "Sample"));
    CHECK_OK(IRecordInfo_GetFieldNames(info, &n, names));
    CHECK_EQ(n, 3);
    CHECK(text_is(names[1], "value"));
    CHECK_OK(IRecordInfo_RecordInit(info, &sample));
    V_VT(&value) = VT_I4;
    V_I4(&value) = 12;
    CHECK_OK(IRecordInfo_PutField(info, 4, &sample, names[0], &value));
    CHECK(text_is(sample.name, "12"));
    CHECK_OK(IRecordInfo_PutField(info, 4, &sample, names[1], &value));
    CHECK(sample.value == 12);
    CHECK_OK(IRecordInfo_GetField(info, &sample, names[0], &value));
    CHECK(text_is(V_BSTR(&value), "12"));
    VariantClear(&value);
    CHECK_OK(IRecordInfo_RecordCreateCopy(info, &sample, (void **)&copy));
    CHECK(copy->name != sample.name && text_is(copy->name, "12"));
    CHECK_OK(IRecordInfo_RecordDestroy(info, copy));
    CHECK_HR(IRecordInfo_GetField(info, &sample, name, &value), TYPE_E_ELEMENTNOTFOUND);
    CHECK_OK(IRecordInfo_RecordClear(info, &sample));
    CHECK_HR(via_record_info(&marshal_test_typelib, "Missing", &info), TYPE_E_ELEMENTNOTFOUND);
    SysFreeString(name);
    for (ULONG i = 0; i < 3; i++)
        SysFreeString(names[i]);
    SetErrorInfo(0, NULL);
    error_clear();
}

/* --- hostile payloads --- */

/* One call's arguments as they went, for damaging. */
static const struct marshal_method *tap_safearrays(void)
{
    IEcho *face = begin();
    SAFEARRAY *numbers = SafeArrayCreateVector(VT_I4, 0, 3), *texts = NULL, *n, *v, *o, *s;
    SAFEARRAY *values = make_values(), *samples = make_samples();
    proxy.tap = &tap;
    CHECK_OK(IEcho_Safearrays(face, numbers, &texts, values, NULL, samples, &n, &v, &o, &s));
    proxy.tap = NULL;
    SAFEARRAY *all[] = {numbers, texts, values, samples, n, v, s};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        SafeArrayDestroy(all[i]);
    return marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Safearrays");
}

static HRESULT decode(const struct marshal_method *method, const void *bytes, size_t size)
{
    struct marshal_invocation *invocation = NULL;
    struct marshal_pointers pointers = loop_pointers(&proxy);
    HRESULT hr = marshal_decode_arguments(method, bytes, size, &pointers, NULL, &invocation);
    if (SUCCEEDED(hr))
        marshal_invocation_free(invocation);
    error_clear();
    return hr;
}

TEST(damaged_arrays_are_refused_without_harm)
{
    static uint8_t bytes[sizeof(tap.call)];
    const struct marshal_method *method = tap_safearrays();
    REQUIRE_NOT_NULL(method);
    CHECK_OK(decode(method, tap.call, tap.call_size));
    for (size_t size = 0; size < tap.call_size; size++)
        CHECK(FAILED(decode(method, tap.call, size)));
    static const uint32_t words[] = {0,
                                     1,
                                     2,
                                     61,
                                     0x7FFFFFFF,
                                     0x80000000,
                                     0xFFFFFFFE,
                                     0xFFFFFFFF,
                                     VT_BYREF | VT_VARIANT,
                                     VT_ARRAY | VT_BSTR,
                                     VT_BYREF | VT_I4};
    for (size_t at = 0; at + 4 <= tap.call_size; at += 4)
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            memcpy(bytes, tap.call, tap.call_size);
            memcpy(bytes + at, &words[i], 4);
            decode(method, bytes, tap.call_size);
        }
}

static HRESULT decode_words(const char *name, const uint32_t *words, size_t n)
{
    begin();
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    return decode(marshal_interface_method_named(itf, name), words, n * sizeof(*words));
}
#define DECODE(name, ...)                               \
    decode_words(name, (const uint32_t[]){__VA_ARGS__}, \
                 sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

TEST(payloads_that_lie_are_refused)
{
    /* numbers, texts, values, objects, samples: all NULL is right. */
    CHECK_OK(DECODE("Safearrays", ~0u, ~0u, ~0u, ~0u, ~0u));
    CHECK_OK(DECODE("Safearrays", 1, 1, 5, 42, ~0u, ~0u, ~0u, ~0u));
    CHECK_OK(DECODE("Safearrays", 3, 70000, 0, 70000, 0, 0, 0, ~0u, ~0u, ~0u, ~0u));
    /* dimensions: none, too many; elements: more than there are, in a product that overflows */
    CHECK_HR(DECODE("Safearrays", 0, ~0u, ~0u, ~0u, ~0u), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Safearrays", 61, 1, 0, 1, 0), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Safearrays", 1, 0x40000000, 0, 42, ~0u, ~0u, ~0u, ~0u), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Safearrays", 2, 0x10000, 0, 0x10000, 0, ~0u, ~0u, ~0u, ~0u),
             RPC_E_INVALID_DATA);
    /* an index of the last element that is none */
    CHECK_HR(DECODE("Safearrays", 1, 1, 0x7FFFFFFF, 42, ~0u, ~0u, ~0u, ~0u), S_OK);
    CHECK_HR(DECODE("Safearrays", 1, 2, 0x7FFFFFFF, 42, 43, ~0u, ~0u, ~0u, ~0u),
             RPC_E_INVALID_DATA);
    /* VARIANTs: what is none; what is no reference in one that is nothing; more than 16 bits */
    CHECK_OK(DECODE("Variants", VT_I4, 7, VT_EMPTY));
    CHECK_OK(DECODE("Variants", VT_BYREF | VT_I4, 7, VT_EMPTY));
    CHECK_HR(DECODE("Variants", VT_VARIANT, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", 15, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_RECORD, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_BYREF, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_BYREF | VT_NULL, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_ARRAY, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_VECTOR | VT_I4, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", 0x10000 | VT_I4, 7, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_BOOL, 1, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_HR(DECODE("Variants", VT_DECIMAL, 0, 29u << 16, 0, 0, 0, VT_EMPTY), RPC_E_INVALID_DATA);
    CHECK_OK(DECODE("Variants", VT_DECIMAL, 0, 28u << 16, 0, 0, 0, VT_EMPTY));
}

TEST(nesting_has_an_end)
{
    static uint32_t words[4096];
    for (size_t i = 0; i < 4096; i++)
        words[i] = VT_BYREF | VT_VARIANT;
    CHECK_HR(decode_words("Variants", words, 4096), RPC_E_INVALID_DATA);
    for (size_t i = 0; i + 4 < 4096; i += 4) {
        words[i] = VT_ARRAY | VT_VARIANT;
        words[i + 1] = 1;
        words[i + 2] = 1;
        words[i + 3] = 0;
    }
    CHECK_HR(decode_words("Variants", words, 4096), RPC_E_INVALID_DATA);
}

/* A result that refers to something would belong to nobody. */
TEST(results_have_no_references)
{
    IEcho *face = begin();
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    struct marshal_pointers pointers = loop_pointers(&proxy);
    VARIANT value = {0}, in_out = {0}, out = {0}, *in_out_at = &in_out, *out_at = &out;
    void *arguments[] = {&value, &in_out_at, &out_at};
    const uint32_t words[] = {VT_EMPTY, VT_BYREF | VT_I4, 7};
    struct via_value results = {0};
    (void)face;
    CHECK_HR(
        marshal_decode_results(method, arguments, &pointers, (const uint8_t *)words, sizeof(words)),
        RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_get()->text, "argument out: a VARIANT that comes back refers");
    CHECK_HR(marshal_decode_values(method, NULL, &pointers, (const uint8_t *)words, sizeof(words),
                                   &results),
             RPC_E_INVALID_DATA);
    error_clear();
}

/* --- by name --- */

static void check_json(const char *json, const char *expected)
{
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    struct via_value in = {0}, out = {0};
    char text[512], *back = NULL;
    snprintf(text, sizeof(text), "[%s, null]", json);
    REQUIRE_OK(via_value_from_json(text, &in));
    if (CHECK_OK(marshal_invoke_values(method, &echo.IEcho_iface, &in, &out)) &&
        CHECK_OK(via_value_to_json(&out.as.items[1], 0, &back)) && !CHECK_STR_EQ(back, expected))
        harness_note("of %s", json);
    via_value_free_text(back);
    via_value_clear(&in);
    via_value_clear(&out);
    error_clear();
}

static void check_amount(const char *in, const char *out)
{
    char json[128], expected[128];
    snprintf(json, sizeof(json), "{\"vt\": \"cy\", \"value\": \"%s\"}", in);
    snprintf(expected, sizeof(expected), "{\"vt\": \"cy\", \"value\": \"%s\"}", out);
    check_json(json, expected);
}

TEST(variants_by_name_say_their_type_where_they_must)
{
    begin();
    check_json("null", "null");
    check_json("true", "true");
    check_json("5", "5");
    check_json("5000000000", "5000000000");
    check_json("2.0", "2.0");
    check_json("\"text\"", "\"text\"");
    check_json("[1, [\"a\", null]]", "[1, [\"a\", null]]");
    check_json("{\"vt\": \"null\"}", "{\"vt\": \"null\"}");
    check_json("{\"vt\": \"i8\", \"value\": 5}", "{\"vt\": \"i8\", \"value\": 5}");
    check_json("{\"vt\": \"i4\", \"value\": 5}", "5");
    check_json("{\"vt\": \"ui8\", \"value\": \"18446744073709551615\"}",
               "{\"vt\": \"ui8\", \"value\": \"18446744073709551615\"}");
    check_json("{\"vt\": \"cy\", \"value\": \"-1.5\"}", "{\"vt\": \"cy\", \"value\": \"-1.5\"}");
    check_amount("12345678901234.5678", "12345678901234.5678");
    check_amount("922337203685477.5807", "922337203685477.5807");
    check_amount("-922337203685477.5808", "-922337203685477.5808");
    check_amount("0.00015", "0.0002");
    check_amount("-0.00025", "-0.0002");
    check_amount("$1,000", "1000");
    check_json("{\"vt\": \"decimal\", \"value\": 0.25}",
               "{\"vt\": \"decimal\", \"value\": \"0.25\"}");
    check_json("{\"vt\": \"date\", \"value\": \"1/1/2000 6:00 PM\"}",
               "{\"vt\": \"date\", \"value\": 36526.75}");
    check_json("{\"vt\": \"unknown\"}", "{\"vt\": \"unknown\"}");
    check_json("\"a\\u0000b\"", "\"a\\u0000b\"");
    check_json("{\"vt\": \"bstr\", \"value\": {\"bytes\": \"61ff00\"}}",
               "{\"vt\": \"bstr\", \"value\": {\"bytes\": \"61ff00\"}}");
    check_json("{\"vt\": \"i2[]\", \"value\": [1, 2]}", "{\"vt\": \"i2[]\", \"value\": [1, 2]}");
    check_json("{\"vt\": \"variant[]\", \"value\": {\"bounds\": [[1, 1], [-2, 2]], \"items\": "
               "[\"a\", 7]}}",
               "{\"vt\": \"variant[]\", \"value\": {\"bounds\": [[1, 1], [-2, 2]], \"items\": "
               "[\"a\", 7]}}");
}

/* Both as what only goes in, and as what the method changes. */
TEST(references_by_name_take_and_give_values)
{
    struct via_value in = {0}, out = {0};
    char *back = NULL;
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    check_json("{\"vt\": \"i4&\", \"value\": 5}", "5");
    check_json("{\"vt\": \"decimal&\", \"value\": \"0.25\"}",
               "{\"vt\": \"decimal\", \"value\": \"0.25\"}");
    check_json("{\"vt\": \"bstr&\"}", "{\"vt\": \"bstr\"}");
    check_json("{\"vt\": \"bstr[]&\", \"value\": [\"a\", \"b\"]}",
               "{\"vt\": \"bstr[]\", \"value\": [\"a\", \"b\"]}");
    check_json("{\"vt\": \"variant&\", \"value\": {\"vt\": \"ui1&\", \"value\": 7}}",
               "{\"vt\": \"ui1\", \"value\": 7}");
    REQUIRE_OK(via_value_from_json("[null, {\"vt\": \"variant&\", \"value\": {\"vt\": \"bstr&\", "
                                   "\"value\": \"old\"}}]",
                                   &in));
    if (CHECK_OK(marshal_invoke_values(method, &echo.IEcho_iface, &in, &out)) &&
        CHECK_OK(via_value_to_json(&out.as.items[0], 0, &back)))
        CHECK_STR_EQ(back, "\"new\"");
    via_value_free_text(back);
    via_value_clear(&in);
    via_value_clear(&out);
}

static void check_json_fails(const char *json, HRESULT code, const char *part)
{
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    struct via_value in = {0}, out = {0};
    char text[512];
    snprintf(text, sizeof(text), "[%s, null]", json);
    REQUIRE_OK(via_value_from_json(text, &in));
    CHECK_HR(marshal_invoke_values(method, &echo.IEcho_iface, &in, &out), code);
    CHECK_STR_HAS(error_get()->text, part);
    via_value_clear(&in);
    error_clear();
}

/* Strings that are no text: zeroes in them, and half a unit at the end. */
static void strings_may_hold_anything_body(void)
{
    VARIANT value = {0};
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = SysAllocStringByteLen("a\0\0\0b\0", 6);
    VARIANT back = echo_variant(value);
    CHECK_EQ(SysStringLen(V_BSTR(&back)), 3);
    CHECK_MEM_EQ(V_BSTR(&back), "a\0\0\0b\0\0", 8);
    VariantClear(&back);
    VariantClear(&value);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = SysAllocStringByteLen("\xFF\x00\xD8", 3);
    back = echo_variant(value);
    CHECK_EQ(SysStringByteLen(V_BSTR(&back)), 3);
    CHECK_MEM_EQ(V_BSTR(&back), "\xFF\x00\xD8", 3);
    VariantClear(&back);
    VariantClear(&value);
}
BOTH(strings_may_hold_anything)

TEST(mistakes_in_variants_by_name_are_named)
{
    begin();
    check_json_fails("{\"vt\": \"i5\"}", DISP_E_BADVARTYPE, "argument value: an object with a");
    check_json_fails("{\"x\": 1}", DISP_E_BADVARTYPE, "argument value: an object with a");
    check_json_fails("{\"vt\": \"bstr\", \"value\": {\"bytes\": \"6\"}}", DISP_E_TYPEMISMATCH,
                     "hexadecimal");
    check_json_fails("{\"vt\": \"bstr\", \"value\": {\"bytes\": \"6x\"}}", DISP_E_TYPEMISMATCH,
                     "hexadecimal");
    check_json_fails("{\"vt\": \"ui1\", \"value\": 300}", DISP_E_OVERFLOW, "out of range");
    check_json_fails("{\"vt\": \"cy\", \"value\": \"x\"}", DISP_E_TYPEMISMATCH, "money");
    check_json_fails("{\"vt\": \"cy\", \"value\": \"922337203685477.5808\"}", DISP_E_OVERFLOW,
                     "money");
    check_json_fails("{\"vt\": \"i4[]\", \"value\": [1, \"x\"]}", DISP_E_TYPEMISMATCH, "value[1]");
    check_json_fails("{\"vt\": \"i4[]\", \"value\": {\"bounds\": [[0, 2]], \"items\": [1]}}",
                     DISP_E_TYPEMISMATCH, "that fit");
    check_json_fails("{\"vt\": \"i4[]\", \"value\": {\"bounds\": [[2147483647, 2]], \"items\": "
                     "[1, 2]}}",
                     DISP_E_TYPEMISMATCH, "that fit");
    check_json_fails("{\"vt\": \"&\"}", DISP_E_BADVARTYPE, "argument value: an object with a");
    check_json_fails("{\"vt\": \"null&\"}", DISP_E_BADVARTYPE, "argument value: an object with a");
    check_json_fails("{\"vt\": \"i4&[]\"}", DISP_E_BADVARTYPE, "argument value: an object with a");
    check_json_fails("{\"vt\": \"ui1&\", \"value\": 300}", DISP_E_OVERFLOW, "out of range");
    check_json_fails("{\"vt\": \"variant&\", \"value\": {\"vt\": \"cy&\", \"value\": \"x\"}}",
                     DISP_E_TYPEMISMATCH, "money");
}

#define BOTH_ENTRIES(name) TEST_ENTRY(name), TEST_ENTRY(name##_reflected)

HARNESS_MAIN("marshal_automation", BOTH_ENTRIES(amounts_keep_their_values),
             TEST_ENTRY(what_is_no_decimal_is_not_sent), BOTH_ENTRIES(variants_of_numbers),
             BOTH_ENTRIES(variants_of_nothing_and_of_truth),
             BOTH_ENTRIES(variants_of_decimals_and_strings), BOTH_ENTRIES(variants_of_objects),
             BOTH_ENTRIES(variants_of_arrays), TEST_ENTRY(references_in_variants),
             TEST_ENTRY(variants_that_cannot_be_sent_are_named), BOTH_ENTRIES(arrays_of_everything),
             BOTH_ENTRIES(arrays_may_be_null_or_empty),
             TEST_ENTRY(arrays_of_other_elements_are_refused),
             BOTH_ENTRIES(bundles_travel_with_everything_in_them),
             TEST_ENTRY(a_record_info_knows_its_struct),
             TEST_ENTRY(damaged_arrays_are_refused_without_harm),
             TEST_ENTRY(payloads_that_lie_are_refused), TEST_ENTRY(nesting_has_an_end),
             TEST_ENTRY(results_have_no_references),
             TEST_ENTRY(variants_by_name_say_their_type_where_they_must),
             TEST_ENTRY(references_by_name_take_and_give_values),
             BOTH_ENTRIES(strings_may_hold_anything),
             TEST_ENTRY(mistakes_in_variants_by_name_are_named))
