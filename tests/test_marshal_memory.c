/*
 * The marshaller without memory: each call is made again and again, and each time the next
 * allocation fails, wherever it is: in encoding or decoding arguments or results, in making values
 * of them or them of values. The call then fails, or the object has given less than asked for;
 * nothing is lost, which the harness's leak check sees, and no object is left counted.
 */
#include "com/marshal/marshal.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"
#include "tests/marshal/mirror.h"

#include <string.h>
#include <viaduct/value.h>

/* More than any of the calls makes. */
#define MAX_ALLOCATIONS 1000

typedef HRESULT (*attempt)(IEcho *face);

/* Prepares everything that lives as long as the process, so that the failures are the calls'. */
static void prepare(struct echo *echo, struct mirror *mirror, struct loop_proxy *proxy)
{
    echo_init(echo);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(mirror_init(mirror, &echo->IEcho_iface));
    CHECK_OK(loop_proxy_init(proxy, &echo->IEcho_iface));
}

/* How many there were. */
static size_t fail_each_allocation(attempt call, IEcho *face)
{
    size_t n = 0;
    for (; n < MAX_ALLOCATIONS; n++) {
        harness_fail_allocation(n);
        HRESULT hr = call(face);
        bool has_failed = harness_allocation_failed();
        if (!has_failed)
            CHECK_OK(hr);
        error_clear();
        SetErrorInfo(0, NULL);
        if (!has_failed)
            break;
    }
    CHECK(n < MAX_ALLOCATIONS);
    return n;
}

/* Through payloads, through payloads to an object that answers by name, and to that directly. */
static void fail_all_ways(attempt call, size_t at_least)
{
    struct loop_proxy proxy;
    struct echo echo;
    struct mirror mirror;
    prepare(&echo, &mirror, &proxy);
    size_t n = fail_each_allocation(call, loop_proxy_face(&proxy));
    proxy.target = mirror_face(&mirror);
    n += fail_each_allocation(call, loop_proxy_face(&proxy));
    n += fail_each_allocation(call, mirror_face(&mirror));
    if (!CHECK(n >= at_least))
        harness_note("%zu allocations", n);
    CHECK_EQ(echo.refs, 1);
}

/* --- the calls --- */

static HRESULT call_strings(IEcho *face)
{
    BSTR b = NULL;
    WCHAR *w = NULL;
    char *u = NULL;
    HRESULT hr = IEcho_Strings(face, NULL, VIA_STR("wide"), "narrow", VIA_STR("maybe"), &b, &w, &u);
    SysFreeString(b);
    CoTaskMemFree(w);
    CoTaskMemFree(u);
    return hr;
}

static HRESULT call_structs(IEcho *face)
{
    struct Pair pair = {1.5, 7}, pair_out = {0, 0};
    struct Tiny tiny = {1, 2, 3};
    struct Wide wide = {-1, 1LL << 60, 42}, wide_out = {0, 0, 0};
    HRESULT hr = IEcho_Structs(face, pair, tiny, wide, &pair, &pair_out, &wide_out);
    CHECK(FAILED(hr) || wide_out.b == wide.b);
    return hr;
}

static void clear_record(struct Record *record)
{
    SysFreeString(record->name);
    CoTaskMemFree(record->values);
    CoTaskMemFree(record->title);
    CoTaskMemFree(record->note);
    CoTaskMemFree(record->extra);
    memset(record, 0, sizeof(*record));
}

/* Structs in structs, with strings, arrays and pointers. */
static HRESULT call_records(IEcho *face)
{
    LONG values[] = {3, 1, 4};
    struct Pair extra = {9.5, 9};
    WCHAR title[] = {'t', 0};
    char note[] = "note";
    struct Record in = {.n = 3, .values = values, .title = title, .note = note, .extra = &extra};
    struct Record in_out = {.id = 1}, out = {0};
    in.color = in_out.color = COLOR_RED;
    in.name = SysAllocString(VIA_STR("name"));
    in_out.name = SysAllocString(VIA_STR("old"));
    HRESULT hr = IEcho_Records(face, &in, &in_out, &out);
    CHECK(FAILED(hr) || out.n == 3);
    clear_record(&in_out);
    clear_record(&out);
    SysFreeString(in.name);
    return hr;
}

/* In both kinds of memory: the caller's, and what comes back. */
static HRESULT call_arrays(IEcho *face)
{
    LONG in[] = {0, 1, 2, 3, 4};
    double in_out[] = {1, 2, 3, 4, 5};
    BSTR names[5];
    ULONG m = 0;
    struct Record *records = NULL;
    memset(names, 0xA5, sizeof(names));
    HRESULT hr = IEcho_Arrays(face, 5, in, in_out, names, &m, &records);
    CHECK(FAILED(hr) || in_out[4] == 10);
    for (int i = 0; i < 5; i++)
        SysFreeString(names[i]);
    for (ULONG i = 0; i < m && records; i++)
        clear_record(&records[i]);
    CoTaskMemFree(records);
    return hr;
}

static HRESULT call_fixed(IEcho *face)
{
    SHORT in[] = {1, 2, 3};
    LONG matrix[2][2] = {{10, 20}, {30, 40}};
    BSTR names[2] = {0};
    HRESULT hr = IEcho_Fixed(face, in, matrix, names);
    SysFreeString(names[0]);
    SysFreeString(names[1]);
    return hr;
}

static HRESULT call_replace(IEcho *face)
{
    BSTR text = SysAllocString(VIA_STR("old"));
    ULONG n = 2;
    LONG *values = CoTaskMemAlloc(2 * sizeof(LONG));
    if (values)
        values[0] = values[1] = 5;
    HRESULT hr = values ? IEcho_Replace(face, &text, &n, &values) : E_OUTOFMEMORY;
    SysFreeString(text);
    CoTaskMemFree(values);
    return hr;
}

static HRESULT call_objects(IEcho *face)
{
    struct echo other;
    echo_init(&other);
    IUnknown *list[] = {(IUnknown *)&other.IEcho_iface, NULL, (IUnknown *)&other.IEcho_iface};
    IEcho *out = NULL;
    ULONG n = 0;
    HRESULT hr = IEcho_Objects(face, &other.IEcho_iface, &out, 3, list, &n);
    CHECK(FAILED(hr) || n == 2);
    if (out)
        IEcho_Release(out);
    CHECK_EQ(other.refs, 1);
    return hr;
}

TEST(strings)
{
    fail_all_ways(call_strings, 30);
}

TEST(structs)
{
    fail_all_ways(call_structs, 30);
}

TEST(nested_structs_with_strings_and_arrays)
{
    fail_all_ways(call_records, 100);
}

TEST(arrays)
{
    fail_all_ways(call_arrays, 60);
}

TEST(fixed_arrays)
{
    fail_all_ways(call_fixed, 20);
}

TEST(replaced_values)
{
    fail_all_ways(call_replace, 15);
}

TEST(interface_pointers)
{
    fail_all_ways(call_objects, 10);
}

/* --- by name --- */

/* Values to a payload and back to values, as a caller by name has it, and at the object's side. */
static HRESULT send_values(struct loop_proxy *proxy, const struct marshal_method *method,
                           const struct via_value *in, struct via_value *out)
{
    struct buffer call, reply;
    struct marshal_invocation *invocation = NULL;
    struct marshal_pointers pointers = loop_pointers(proxy);
    buffer_init(&call, 1 << 20);
    buffer_init(&reply, 1 << 20);
    HRESULT hr = marshal_encode_values(method, in, &pointers, &call);
    if (SUCCEEDED(hr))
        hr = marshal_decode_arguments(method, call.data, call.size, &pointers, NULL, &invocation);
    if (SUCCEEDED(hr))
        hr = marshal_invoke(invocation, proxy->target);
    if (SUCCEEDED(hr))
        hr = marshal_encode_results(invocation, &pointers, &reply);
    if (SUCCEEDED(hr))
        hr = marshal_decode_values(method, in, &pointers, reply.data, reply.size, out);
    marshal_invocation_free(invocation);
    buffer_deinit(&reply);
    buffer_deinit(&call);
    loop_proxy_forget(proxy);
    return hr;
}

/* Directly, and through payloads. */
static void fail_by_name(const char *name, const char *json, IUnknown *object)
{
    struct loop_proxy proxy;
    struct echo echo;
    struct mirror mirror;
    struct via_value in = {0};
    prepare(&echo, &mirror, &proxy);
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    const struct marshal_method *method = marshal_interface_method_named(itf, name);
    REQUIRE_NOT_NULL(method);
    REQUIRE_OK(via_value_from_json(json, &in));
    if (object)
        via_value_set_object(&in.as.items[0], object);
    for (int is_sent = 0; is_sent < 2; is_sent++) {
        bool has_failed = true;
        size_t n = 0;
        for (; n < MAX_ALLOCATIONS && has_failed; n++) {
            struct via_value out = {0};
            harness_fail_allocation(n);
            HRESULT hr = is_sent ? send_values(&proxy, method, &in, &out)
                                 : marshal_invoke_values(method, &echo.IEcho_iface, &in, &out);
            has_failed = harness_allocation_failed();
            if (!has_failed)
                CHECK_OK(hr);
            via_value_clear(&out);
            error_clear();
        }
        CHECK(n > 3 && n < MAX_ALLOCATIONS);
    }
    via_value_clear(&in);
    CHECK_EQ(echo.refs, 1);
}

TEST(values_by_name)
{
    static const char record[] =
        "{\"id\": 1, \"name\": \"n\", \"pairs\": [{\"first\": 1, \"second\": 2}, {\"first\": 3, "
        "\"second\": 4}], \"flag\": true, \"color\": \"COLOR_RED\", \"guid\": "
        "\"{00000000-0000-0000-C000-000000000046}\", \"values\": [1, 2, 3], \"title\": \"t\", "
        "\"note\": \"o\", \"extra\": {\"first\": 5, \"second\": 6}}";
    char records[2 * sizeof(record) + 8];
    snprintf(records, sizeof(records), "[%s, %s]", record, record);
    fail_by_name("Strings", "[\"b\", \"w\", \"u\", \"maybe\"]", NULL);
    fail_by_name("Records", records, NULL);
    fail_by_name("Arrays", "[[0, 1, 2, 3], [1.5, 2.5, 3.5, 4.5]]", NULL);
    fail_by_name("Fixed", "[[1, 2, 3], [[1, 1], [1, 1]]]", NULL);
    fail_by_name("Replace", "[\"x\", [5, 6]]", NULL);
}

/* VARIANTs and SAFEARRAYs in each other, in both directions. */
static HRESULT call_variants(IEcho *face)
{
    VARIANT in = {0}, in_out = {0}, out;
    VariantInit(&out);
    V_VT(&in) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(&in) = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    VARIANT *elements = V_ARRAY(&in) ? V_ARRAY(&in)->pvData : NULL;
    if (elements) {
        V_VT(&elements[0]) = VT_BSTR;
        V_BSTR(&elements[0]) = SysAllocString(VIA_STR("inner"));
        V_VT(&elements[1]) = VT_ARRAY | VT_BSTR;
        V_ARRAY(&elements[1]) = SafeArrayCreateVector(VT_BSTR, 1, 1);
    }
    V_VT(&in_out) = VT_BSTR;
    V_BSTR(&in_out) = SysAllocString(VIA_STR("old"));
    HRESULT hr = IEcho_Variants(face, in, &in_out, &out);
    CHECK(FAILED(hr) || V_VT(&in_out) == VT_BSTR);
    VariantClear(&in);
    VariantClear(&in_out);
    VariantClear(&out);
    return hr;
}

TEST(variants_and_arrays_in_them)
{
    fail_all_ways(call_variants, 20);
}

/* A text that the caller's VARIANT refers to is replaced as a whole, or stays. */
static HRESULT call_reference(IEcho *face)
{
    VARIANT in = {0}, in_out = {0}, out;
    BSTR text = SysAllocString(VIA_STR("old"));
    VariantInit(&out);
    V_VT(&in_out) = VT_BYREF | VT_BSTR;
    V_BSTRREF(&in_out) = &text;
    HRESULT hr = IEcho_Variants(face, in, &in_out, &out);
    CHECK_EQ(V_VT(&in_out), VT_BYREF | VT_BSTR);
    CHECK(FAILED(hr) || !text || text[0] == 'n');
    SysFreeString(text);
    return hr;
}

TEST(references_in_variants)
{
    fail_all_ways(call_reference, 5);
}

static HRESULT call_safearrays(IEcho *face)
{
    IRecordInfo *info = NULL;
    SAFEARRAY *numbers = SafeArrayCreateVector(VT_I4, 0, 2), *texts = NULL, *samples = NULL;
    SAFEARRAY *numbers_out = NULL, *values_out = NULL, *objects_out = NULL, *samples_out = NULL;
    if (SUCCEEDED(via_record_info(&marshal_test_typelib, "Sample", &info)))
        samples = SafeArrayCreateVectorEx(VT_RECORD, 0, 1, info);
    if (samples)
        ((struct Sample *)samples->pvData)->name = SysAllocString(VIA_STR("sample"));
    HRESULT hr = IEcho_Safearrays(face, numbers, &texts, NULL, NULL, samples, &numbers_out,
                                  &values_out, &objects_out, &samples_out);
    SAFEARRAY *all[] = {numbers, texts, samples, numbers_out, values_out, objects_out, samples_out};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        SafeArrayDestroy(all[i]);
    return hr;
}

TEST(arrays_of_strings_and_of_structs)
{
    fail_all_ways(call_safearrays, 20);
}

TEST(variants_by_name)
{
    fail_by_name("Variants",
                 "[{\"vt\": \"variant[]\", \"value\": {\"bounds\": [[1, 2], [0, 1]], \"items\": "
                 "[\"a\", {\"vt\": \"decimal\", \"value\": \"1.5\"}]}}, \"old\"]",
                 NULL);
    fail_by_name(
        "Variants",
        "[{\"vt\": \"record&\", \"struct\": \"Sample\", \"value\": {\"name\": \"x\", \"value\": "
        "1, \"flag\": 2}}, {\"vt\": \"variant&\", \"value\": {\"vt\": \"bstr&\", \"value\": "
        "\"old\"}}]",
        NULL);
    fail_by_name("Safearrays",
                 "[[1, 2], [\"a\", null], [null, [1]], [], [{\"name\": \"n\", \"value\": 1, "
                 "\"flag\": 2}]]",
                 NULL);
}

TEST(objects_by_name)
{
    struct echo other;
    echo_init(&other);
    fail_by_name("Objects", "[null, [null, null]]", (IUnknown *)&other.IEcho_iface);
    CHECK_EQ(other.refs, 1);
}

HARNESS_MAIN("marshal_memory", TEST_ENTRY(strings), TEST_ENTRY(structs),
             TEST_ENTRY(nested_structs_with_strings_and_arrays), TEST_ENTRY(arrays),
             TEST_ENTRY(fixed_arrays), TEST_ENTRY(replaced_values), TEST_ENTRY(interface_pointers),
             TEST_ENTRY(values_by_name), TEST_ENTRY(objects_by_name),
             TEST_ENTRY(variants_and_arrays_in_them), TEST_ENTRY(references_in_variants),
             TEST_ENTRY(arrays_of_strings_and_of_structs), TEST_ENTRY(variants_by_name))
