/*
 * Records in VARIANTs (VT_RECORD) through payloads, in one process: alone, by reference, in arrays,
 * in each other, typed and by name, and what a peer may send instead.
 */
#include "com/marshal/marshal.h"
#include "com/marshal/record_info.h"
#include "com/marshal/records.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "record_test.h"
#include "tests/marshal/echo.h"
#include "tests/marshal/mirror.h"

#include <string.h>
#include <viaduct/value.h>

static bool is_reflected;
static struct loop_proxy proxy;
static struct echo echo;

static IEcho *begin(void)
{
    static struct mirror mirror;
    echo_init(&echo);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(mirror_init(&mirror, &echo.IEcho_iface));
    CHECK_OK(loop_proxy_init(&proxy, is_reflected ? mirror_face(&mirror) : &echo.IEcho_iface));
    return loop_proxy_face(&proxy);
}

static IRecordInfo *info_of(const char *name)
{
    IRecordInfo *info = NULL;
    CHECK_OK(via_record_info(&marshal_test_typelib, name, &info));
    return info;
}

/* VariantClear() of Windows leaves the record's own block. */
static void clear(VARIANT *variant)
{
    if (V_VT(variant) == VT_RECORD) {
        IRecordInfo_RecordDestroy(V_RECORDINFO(variant), V_RECORD(variant));
        IRecordInfo_Release(V_RECORDINFO(variant));
        V_VT(variant) = VT_EMPTY;
    } else {
        VariantClear(variant);
    }
}

static VARIANT make_sample(const WCHAR *name)
{
    VARIANT variant = {0};
    IRecordInfo *info = info_of("Sample");
    struct Sample *sample = info ? IRecordInfo_RecordCreate(info) : NULL;
    if (!CHECK_NOT_NULL(sample))
        return variant;
    sample->name = SysAllocString(name);
    sample->value = 2.5;
    sample->flag = 7;
    V_VT(&variant) = VT_RECORD;
    V_RECORD(&variant) = sample;
    V_RECORDINFO(&variant) = info;
    return variant;
}

static void check_sample(const VARIANT *variant, const WCHAR *name, BYTE flag)
{
    BSTR struct_name = NULL;
    REQUIRE_EQ(V_VT(variant) & ~VT_BYREF, VT_RECORD);
    REQUIRE(V_RECORD(variant) != NULL && V_RECORDINFO(variant) != NULL);
    CHECK_OK(IRecordInfo_GetName(V_RECORDINFO(variant), &struct_name));
    CHECK_MEM_EQ(struct_name, VIA_STR("Sample"), 14);
    SysFreeString(struct_name);
    const struct Sample *sample = V_RECORD(variant);
    REQUIRE_NOT_NULL(sample->name);
    CHECK_MEM_EQ(sample->name, name, SysStringByteLen(sample->name) + 2);
    CHECK(sample->value == 2.5);
    CHECK_EQ(sample->flag, flag);
}

/* --- where they go --- */

static void a_record_goes_and_comes_body(void)
{
    IEcho *face = begin();
    VARIANT value = make_sample(VIA_STR("one")), in_out = make_sample(VIA_STR("two")), out = {0};
    CHECK_OK(IEcho_Variants(face, value, &in_out, &out));
    check_sample(&value, VIA_STR("one"), 7);
    check_sample(&in_out, VIA_STR("two"), 8);
    check_sample(&out, VIA_STR("one"), 7);
    CHECK(V_RECORD(&out) != V_RECORD(&value));
    clear(&value);
    clear(&in_out);
    clear(&out);
}
BOTH(a_record_goes_and_comes)

/* What comes back goes to where the caller's VARIANT refers. */
static void a_record_is_referred_to_body(void)
{
    IEcho *face = begin();
    VARIANT owner = make_sample(VIA_STR("mine")), in_out, value = {0}, out = {0};
    void *place = V_RECORD(&owner);
    in_out = owner;
    V_VT(&in_out) = VT_BYREF | VT_RECORD;
    CHECK_OK(IEcho_Variants(face, value, &in_out, &out));
    CHECK_EQ(V_VT(&in_out), VT_BYREF | VT_RECORD);
    CHECK_PTR_EQ(V_RECORD(&in_out), place);
    check_sample(&in_out, VIA_STR("mine"), 8);
    V_VT(&value) = VT_NULL;
    VARIANT reference = in_out;
    CHECK_OK(IEcho_Variants(face, reference, &value, &out));
    CHECK_EQ(V_VT(&out), VT_RECORD);
    check_sample(&out, VIA_STR("mine"), 8);
    clear(&out);
    clear(&owner);
}

TEST(a_record_is_referred_to)
{
    is_reflected = false;
    a_record_is_referred_to_body();
}

static void records_in_arrays_body(void)
{
    IEcho *face = begin();
    VARIANT value = {0}, in_out = {0}, out = {0};
    V_VT(&value) = VT_ARRAY | VT_RECORD;
    V_ARRAY(&value) = SafeArrayCreateVectorEx(VT_RECORD, 3, 2, info_of("Sample"));
    struct Sample *samples = V_ARRAY(&value)->pvData;
    samples[1].name = SysAllocString(VIA_STR("second"));
    samples[1].flag = 9;
    CHECK_OK(IEcho_Variants(face, value, &in_out, &out));
    REQUIRE_EQ(V_VT(&out), VT_ARRAY | VT_RECORD);
    const struct Sample *back = V_ARRAY(&out)->pvData;
    CHECK_EQ(V_ARRAY(&out)->rgsabound[0].lLbound, 3);
    CHECK_NULL(back[0].name);
    CHECK_MEM_EQ(back[1].name, VIA_STR("second"), 14);
    CHECK_EQ(back[1].flag, 9);
    VariantClear(&out);
    VariantClear(&value);
    V_VT(&value) = VT_ARRAY | VT_RECORD;
    V_ARRAY(&value) = NULL;
    CHECK_OK(IEcho_Variants(face, value, &in_out, &out));
    CHECK_EQ(V_VT(&out), VT_ARRAY | VT_RECORD);
    CHECK_NULL(V_ARRAY(&out));
}
BOTH(records_in_arrays)

/* A struct with a VARIANT that holds a record with a VARIANT that holds a record. */
static void records_in_records_body(void)
{
    IEcho *face = begin();
    struct Bundle in = {0}, in_out = {0}, out = {0};
    IRecordInfo *info = info_of("Bundle");
    struct Bundle *inner = info ? IRecordInfo_RecordCreate(info) : NULL;
    REQUIRE_NOT_NULL(inner);
    inner->first = 5;
    inner->value = make_sample(VIA_STR("innermost"));
    V_VT(&in.value) = VT_RECORD;
    V_RECORD(&in.value) = inner;
    V_RECORDINFO(&in.value) = info;
    CHECK_OK(IEcho_Bundles(face, &in, &in_out, &out));
    REQUIRE_EQ(V_VT(&in_out.value), VT_RECORD);
    const struct Bundle *back = V_RECORD(&in_out.value);
    CHECK_EQ(back->first, 5);
    check_sample(&back->value, VIA_STR("innermost"), 7);
    clear(&in.value);
    IRecordInfo_RecordClear(info, &in_out);
    IRecordInfo_RecordClear(info, &out);
}
BOTH(records_in_records)

/* --- what is refused --- */

static HRESULT STDMETHODCALLTYPE Foreign_QueryInterface(IRecordInfo *self, REFIID iid,
                                                        void **object)
{
    (void)iid;
    *object = self;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Foreign_Count(IRecordInfo *self)
{
    (void)self;
    return 1;
}

TEST(records_that_nobody_describes_are_not_sent)
{
    static const IRecordInfoVtbl vtable = {.QueryInterface = Foreign_QueryInterface,
                                           .AddRef = Foreign_Count,
                                           .Release = Foreign_Count};
    IRecordInfo foreign = {.lpVtbl = (void *)&vtable};
    IEcho *face = begin();
    VARIANT value = {0}, in_out = {0}, out;
    char data[64] = {0};
    V_VT(&value) = VT_RECORD;
    V_RECORD(&value) = data;
    V_RECORDINFO(&value) = &foreign;
    CHECK_HR(IEcho_Variants(face, value, &in_out, &out), DISP_E_BADVARTYPE);
    CHECK_STR_HAS(error_get()->text, "argument value: a VARIANT has a record of a struct that no");
    V_RECORDINFO(&value) = NULL;
    CHECK_HR(IEcho_Variants(face, value, &in_out, &out), DISP_E_BADVARTYPE);
    V_RECORDINFO(&value) = info_of("Sample");
    V_RECORD(&value) = NULL;
    CHECK_HR(IEcho_Variants(face, value, &in_out, &out), E_POINTER);
    error_clear();
}

static HRESULT decode(const void *payload, size_t size)
{
    begin();
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *invocation = NULL;
    HRESULT hr = marshal_decode_arguments(method, payload, size, &pointers, NULL, &invocation);
    marshal_invocation_free(invocation);
    error_clear();
    return hr;
}

/* A VARIANT of that type, the struct's hash, and words. */
static HRESULT decode_record(uint32_t vt, const char *name, const uint32_t *words, size_t n)
{
    uint32_t payload[64] = {vt};
    IRecordInfo *info = info_of(name);
    const uint8_t *hash = info ? records_hash(records_of_info(info)) : NULL;
    if (!CHECK_NOT_NULL(hash))
        return E_FAIL;
    memcpy(payload + 1, hash, TYPELIB_HASH_SIZE);
    memcpy(payload + 5, words, n * sizeof(*words));
    return decode(payload, (5 + n) * sizeof(*words));
}

TEST(payloads_that_lie_are_refused)
{
    static const uint32_t tiny[] = {0x00020001, 3, VT_EMPTY};
    static const uint32_t unknown[] = {VT_RECORD, 1, 2, 3, 4, 0x00020001, 3, VT_EMPTY};
    CHECK_OK(decode_record(VT_RECORD, "Tiny", tiny, 3));
    CHECK_OK(decode_record(VT_BYREF | VT_RECORD, "Tiny", tiny, 3));
    CHECK_HR(decode_record(VT_RECORD, "Tiny", tiny, 1), RPC_E_INVALID_DATA);
    CHECK_HR(decode_record(VT_RECORD, "Tiny", tiny, 0), RPC_E_INVALID_DATA);
    CHECK_HR(decode_record(VT_RECORD, "Sample", tiny, 3), RPC_E_INVALID_DATA);
    CHECK_HR(decode_record(VT_VECTOR | VT_RECORD, "Tiny", tiny, 3), RPC_E_INVALID_DATA);
    CHECK_HR(decode(unknown, sizeof unknown), RPC_E_INVALID_DATA);
    CHECK_HR(decode(unknown, 3 * sizeof *unknown), RPC_E_INVALID_DATA);
}

/* Each takes the struct's whole size, of which the message pays little. */
TEST(records_that_are_mostly_room_are_few)
{
    static uint32_t payload[1 << 16];
    IRecordInfo *info = NULL;
    CHECK_OK(via_record_info(&record_test_typelib, "Spacious", &info));
    const uint8_t *hash = info ? records_hash(records_of_info(info)) : NULL;
    const size_t n = 4000;
    size_t at = 0;
    REQUIRE_NOT_NULL(hash);
    payload[at++] = VT_ARRAY | VT_VARIANT;
    payload[at++] = 1;
    payload[at++] = (uint32_t)n;
    payload[at++] = 0;
    for (size_t i = 0; i < n; i++) {
        payload[at++] = VT_RECORD;
        memcpy(payload + at, hash, TYPELIB_HASH_SIZE);
        at += 4;
        payload[at++] = 1; /* the kind, and the discriminant */
        payload[at++] = 1;
        payload[at++] = 42;
    }
    payload[at++] = VT_EMPTY;
    CHECK_HR(decode(payload, at * sizeof *payload), RPC_E_INVALID_DATA);
    payload[2] = 3;
    payload[4 + 3 * 8] = VT_EMPTY;
    CHECK_OK(decode(payload, (4 + 3 * 8 + 1) * sizeof *payload));
}

/* --- values by name --- */

static HRESULT invoke_json(const char *in, char **out)
{
    struct via_value arguments = {0}, results = {0};
    begin();
    const struct marshal_method *method =
        marshal_interface_method_named(marshal_interface_find(&IID_IEcho), "Variants");
    *out = NULL;
    HRESULT hr = via_value_from_json(in, &arguments);
    if (SUCCEEDED(hr))
        hr = marshal_invoke_values(method, &echo.IEcho_iface, &arguments, &results);
    if (SUCCEEDED(hr))
        via_value_to_json(&results, 0, out);
    via_value_clear(&arguments);
    via_value_clear(&results);
    return hr;
}

static void check_json(const char *in, const char *expected)
{
    char *out = NULL;
    if (CHECK_OK(invoke_json(in, &out)))
        CHECK_STR_EQ(out, expected);
    else
        harness_note("%s", error_get() ? error_get()->text : "?");
    via_value_free_text(out);
    error_clear();
}

TEST(records_have_a_json_form)
{
    check_json("[{\"vt\": \"record\", \"struct\": \"Tiny\", \"value\": {\"x\": 1, \"y\": 2, "
               "\"z\": 3}}, null]",
               "[{\"vt\": \"null\"}, {\"vt\": \"record\", \"struct\": \"marshal_test.Tiny\", "
               "\"value\": {\"x\": "
               "1, \"y\": 2, \"z\": 3}}]");
    check_json(
        "[{\"vt\": \"record[]\", \"struct\": \"marshal_test.Tiny\", \"value\": [{\"x\": 1, "
        "\"y\": 2, \"z\": 3}]}, null]",
        "[{\"vt\": \"null\"}, {\"vt\": \"record[]\", \"struct\": \"marshal_test.Tiny\", \"value\": "
        "[{\"x\": 1, \"y\": 2, \"z\": 3}]}]");
    check_json(
        "[{\"vt\": \"record&\", \"struct\": \"Tiny\", \"value\": {\"x\": 1, \"y\": 2, "
        "\"z\": 3}}, {\"vt\": \"record&\", \"struct\": \"Sample\", \"value\": {\"name\": \"x\", "
        "\"value\": 1, \"flag\": 2}}]",
        "[{\"vt\": \"record\", \"struct\": \"marshal_test.Sample\", \"value\": {\"name\": \"x\", "
        "\"value\": 1.0, \"flag\": 3}}, {\"vt\": \"record\", \"struct\": \"marshal_test.Tiny\", "
        "\"value\": {\"x\": 1, \"y\": 2, \"z\": 3}}]");
    check_json("[{\"vt\": \"record[]\"}, null]", "[{\"vt\": \"null\"}, {\"vt\": \"record[]\"}]");
}

static void check_refused(const char *in, HRESULT code, const char *part)
{
    char *out = NULL;
    CHECK_HR(invoke_json(in, &out), code);
    if (CHECK_NOT_NULL(error_get()))
        CHECK_STR_HAS(error_get()->text, part);
    via_value_free_text(out);
    error_clear();
}

TEST(mistakes_by_name_are_named)
{
    check_refused("[{\"vt\": \"record\", \"value\": {}}, null]", DISP_E_BADVARTYPE,
                  "a record needs the name of its \"struct\"");
    check_refused("[{\"vt\": \"record\", \"struct\": \"Nothing\", \"value\": {}}, null]",
                  DISP_E_BADVARTYPE, "no struct of that name is described here");
    check_refused("[{\"vt\": \"record\", \"struct\": \"other.Tiny\", \"value\": {}}, null]",
                  DISP_E_BADVARTYPE, "no struct of that name is described here");
    check_refused("[{\"vt\": \"record\", \"struct\": \"Sample\", \"value\": {\"name\": \"x\", "
                  "\"value\": 1, \"flag\": 256}}, null]",
                  DISP_E_OVERFLOW, "flag");
}

/* --- record information --- */

TEST(equal_structs_match)
{
    const struct plan_struct *sample = records_of_info(info_of("Sample"));
    CHECK(records_match(sample, sample));
    CHECK_FALSE(records_match(sample, records_of_info(info_of("Tiny"))));
    CHECK_PTR_EQ(records_find(records_hash(sample)), sample);
    CHECK_EQ(IRecordInfo_IsMatchingType(info_of("Sample"), info_of("Sample")), TRUE);
    CHECK_EQ(IRecordInfo_IsMatchingType(info_of("Sample"), info_of("Tiny")), FALSE);
}

HARNESS_MAIN("marshal_records", TEST_ENTRY(a_record_goes_and_comes),
             TEST_ENTRY(a_record_goes_and_comes_reflected), TEST_ENTRY(a_record_is_referred_to),
             TEST_ENTRY(records_in_arrays), TEST_ENTRY(records_in_arrays_reflected),
             TEST_ENTRY(records_in_records), TEST_ENTRY(records_in_records_reflected),
             TEST_ENTRY(records_that_nobody_describes_are_not_sent),
             TEST_ENTRY(payloads_that_lie_are_refused),
             TEST_ENTRY(records_that_are_mostly_room_are_few), TEST_ENTRY(records_have_a_json_form),
             TEST_ENTRY(mistakes_by_name_are_named), TEST_ENTRY(equal_structs_match))
