/*
 * Calls through payloads, in one process: typed and by name, what COM's rules say of memory, and
 * what a peer may send instead.
 */
#include "com/marshal/marshal.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"
#include "tests/marshal/mirror.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/value.h>

static bool text_is(const WCHAR *text, const char *expected)
{
    size_t i = 0;
    while (text && expected[i] && text[i] == (WCHAR)expected[i])
        i++;
    return text && !expected[i] && !text[i];
}

/* Between the proxy and the object stands one that answers by name: see REFLECTED(). */
static bool is_reflected;

/* The type library is known to the whole process: once. */
static IEcho *begin(struct loop_proxy *proxy, struct echo *echo)
{
    static struct mirror mirror;
    echo_init(echo);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(mirror_init(&mirror, &echo->IEcho_iface));
    CHECK_OK(loop_proxy_init(proxy, is_reflected ? mirror_face(&mirror) : &echo->IEcho_iface));
    return loop_proxy_face(proxy);
}

TEST(scalars_keep_their_values)
{
    struct loop_proxy proxy;
    struct echo echo;
    LONGLONG integers = 0;
    double reals = 0;
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Scalars(face, -5, 200, -30000, 60000, -2000000000, 4000000000u, -9000000000000LL,
                           1.5f, 2.25, 0xFFFF, &integers, &reals));
    CHECK_EQ(integers,
             -5LL + 200 - 30000 + 60000 - 2000000000LL + 4000000000LL - 9000000000000LL + 0xFFFF);
    CHECK(reals == 3.75);
}

/* Few arguments, all of them words: these go another way than the many above. */
TEST(narrow_numbers_keep_their_signs)
{
    struct loop_proxy proxy;
    struct echo echo;
    LONGLONG sum = 0;
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Narrow(face, -128, 255, -32768, 65535, VARIANT_TRUE, &sum));
    CHECK_EQ(sum, -128LL * 1000000 + 255LL * 10000 - 32768LL * 100 + 65535 - 1);
    CHECK_OK(IEcho_Narrow(face, 127, 0, 32767, 1, VARIANT_FALSE, &sum));
    CHECK_EQ(sum, 127LL * 1000000 + 32767LL * 100 + 1);
}

TEST(kinds_keep_their_values_and_success_codes_pass)
{
    struct loop_proxy proxy;
    struct echo echo;
    VARIANT_BOOL flag = 0;
    Color color = 0;
    HRESULT code = 0;
    GUID guid = {0};
    IEcho *face = begin(&proxy, &echo);
    CHECK_HR(IEcho_Kinds(face, VARIANT_TRUE, COLOR_BLUE, E_ACCESSDENIED, &IID_IEcho, &flag, &color,
                         &code, &guid),
             S_FALSE);
    CHECK_EQ(flag, VARIANT_TRUE);
    CHECK_EQ(color, COLOR_BLUE);
    CHECK_HR(code, E_ACCESSDENIED);
    CHECK(IsEqualGUID(&guid, &IID_IEcho));
}

TEST(structs_pass_by_value_and_by_pointer)
{
    struct loop_proxy proxy;
    struct echo echo;
    struct Pair pair = {1.5, 7}, maybe = {2.0, 0}, pair_out = {0, 0};
    struct Tiny tiny = {1, 2, 3};
    struct Wide wide = {-1, 1LL << 60, 42}, wide_out = {0, 0, 0};
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Structs(face, pair, tiny, wide, &maybe, &pair_out, &wide_out));
    CHECK(pair_out.first == 3.5);
    CHECK_EQ(pair_out.second, 13);
    CHECK_MEM_EQ(&wide_out, &wide, sizeof(wide));
    CHECK_OK(IEcho_Structs(face, pair, tiny, wide, NULL, &pair_out, &wide_out));
    CHECK(pair_out.first == 1.5);
}

TEST(strings_keep_text_zeroes_and_null)
{
    struct loop_proxy proxy;
    struct echo echo;
    BSTR with_zero = SysAllocStringLen(VIA_STR("a\0b"), 3), b = NULL;
    WCHAR *w = NULL;
    char *u = NULL;
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Strings(face, with_zero, VIA_STR("wide"), "n\xc3\xa4rrow", NULL, &b, &w, &u));
    CHECK_EQ(SysStringLen(b), 3);
    CHECK(b && b[1] == 0 && b[2] == 'b');
    CHECK(text_is(w, "wide"));
    CHECK_STR_EQ(u, "n\xc3\xa4rrow");
    SysFreeString(b);
    CoTaskMemFree(w);
    CoTaskMemFree(u);
    CHECK_OK(IEcho_Strings(face, NULL, VIA_STR("wide"), "", VIA_STR("other"), &b, &w, &u));
    CHECK_NULL(b);
    CHECK(text_is(w, "other"));
    CHECK_STR_EQ(u, "");
    CoTaskMemFree(w);
    CoTaskMemFree(u);
    SysFreeString(with_zero);
}

TEST(null_where_it_may_not_be_is_an_error_that_names_the_argument)
{
    struct loop_proxy proxy;
    struct echo echo;
    BSTR b = NULL;
    WCHAR *w = (WCHAR *)1;
    char *u = NULL;
    IEcho *face = begin(&proxy, &echo);
    CHECK_HR(IEcho_Strings(face, NULL, NULL, "", NULL, &b, &w, &u), E_POINTER);
    CHECK_STR_HAS(error_get()->text, "IEcho.Strings: argument w");
    CHECK_NULL(w);
    CHECK_HR(IEcho_Strings(face, NULL, VIA_STR(""), "\xff", NULL, &b, &w, &u), E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text, "UTF-8");
    error_clear();
}

static void free_record(struct Record *record)
{
    SysFreeString(record->name);
    CoTaskMemFree(record->values);
    CoTaskMemFree(record->title);
    CoTaskMemFree(record->note);
    CoTaskMemFree(record->extra);
    memset(record, 0, sizeof(*record));
}

TEST(records_travel_with_everything_in_them)
{
    struct loop_proxy proxy;
    struct echo echo;
    LONG values[] = {3, 1, 4};
    struct Pair extra = {9.5, 9};
    WCHAR title[] = {'t', 0};
    char note[] = "note";
    struct Record in = {.id = 12,
                        .flag = VARIANT_TRUE,
                        .color = COLOR_RED,
                        .guid = IID_IEcho,
                        .n = 3,
                        .values = values,
                        .title = title,
                        .note = note,
                        .extra = &extra};
    struct Record in_out = {.id = 1, .flag = VARIANT_FALSE};
    struct Record out = {0};
    in.name = SysAllocString(VIA_STR("name"));
    in.pairs[1].second = 5;
    in_out.name = SysAllocString(VIA_STR("old"));
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Records(face, &in, &in_out, &out));
    CHECK_EQ(in_out.id, 2);
    CHECK(text_is(in_out.name, "name"));
    CHECK_EQ(out.pairs[1].second, 5);
    CHECK_EQ(out.n, 3);
    CHECK(out.values && out.values[2] == 4);
    CHECK(text_is(out.title, "t"));
    CHECK_STR_EQ(out.note, "note");
    CHECK(out.extra && out.extra->first == 9.5);
    CHECK(IsEqualGUID(&out.guid, &IID_IEcho));
    free_record(&in_out);
    free_record(&out);
    SysFreeString(in.name);
}

TEST(arrays_of_the_callers_and_of_the_methods)
{
    struct loop_proxy proxy;
    struct echo echo;
    LONG in[] = {0, 1, 2, 3, 4};
    double in_out[] = {1, 2, 3, 4, 5};
    BSTR names[5] = {0};
    ULONG m = 0;
    struct Record *records = NULL;
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Arrays(face, 5, in, in_out, names, &m, &records));
    CHECK(in_out[4] == 10);
    CHECK(text_is(names[3], "d"));
    REQUIRE_EQ(m, 2);
    CHECK_EQ(records[1].id, 1);
    CHECK(text_is(records[1].name, "record"));
    for (int i = 0; i < 5; i++)
        SysFreeString(names[i]);
    for (ULONG i = 0; i < m; i++)
        free_record(&records[i]);
    CoTaskMemFree(records);
    CHECK_OK(IEcho_Arrays(face, 0, in, in_out, names, &m, &records));
    CHECK_EQ(m, 0);
    CoTaskMemFree(records);
}

/* Each array by itself could be. */
TEST(arrays_that_together_are_more_than_a_reply_carries)
{
    enum { FEW = 3, MANY = 3 << 20 };
    struct loop_proxy proxy;
    struct echo echo;
    IEcho *face = begin(&proxy, &echo);
    LONG *up = calloc(MANY, sizeof(*up));
    LONG *down = calloc(MANY, sizeof(*down));
    CHECK_OK(IEcho_Fill(face, FEW, up, down));
    CHECK_EQ(up[2], 2);
    CHECK_EQ(down[2], -2);
    CHECK_HR(IEcho_Fill(face, MANY, up, down), E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text,
                  "argument down: an array of 3145728 elements, with those before it");
    free(up);
    free(down);
}

TEST(fixed_arrays)
{
    struct loop_proxy proxy;
    struct echo echo;
    SHORT in[] = {1, 2, 3};
    LONG matrix[2][2] = {{10, 20}, {30, 40}};
    BSTR names[2] = {0};
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Fixed(face, in, matrix, names));
    CHECK_EQ(matrix[0][0], 11);
    CHECK_EQ(matrix[1][0], 33);
    CHECK(text_is(names[0], "one"));
    CHECK_NULL(names[1]);
    SysFreeString(names[0]);
}

TEST(in_out_values_may_be_replaced)
{
    struct loop_proxy proxy;
    struct echo echo;
    BSTR text = SysAllocString(VIA_STR("old"));
    ULONG n = 2;
    LONG *values = CoTaskMemAlloc(2 * sizeof(LONG));
    values[0] = 5;
    values[1] = 6;
    IEcho *face = begin(&proxy, &echo);
    CHECK_OK(IEcho_Replace(face, &text, &n, &values));
    CHECK(text_is(text, "replaced"));
    CHECK_EQ(n, 3);
    CHECK_EQ(values[1], 7);
    CHECK_EQ(values[2], -1);
    SysFreeString(text);
    CoTaskMemFree(values);
}

TEST(objects_keep_their_counts)
{
    struct loop_proxy proxy;
    struct echo echo, other;
    IEcho *out = NULL;
    ULONG n = 0;
    IEcho *face = begin(&proxy, &echo);
    echo_init(&other);
    IUnknown *list[] = {(IUnknown *)&other.IEcho_iface, NULL, (IUnknown *)&other.IEcho_iface};
    CHECK_OK(IEcho_Objects(face, &other.IEcho_iface, &out, 3, list, &n));
    CHECK_PTR_EQ(out, &other.IEcho_iface);
    CHECK_EQ(n, 2);
    CHECK_EQ(other.refs, 2);
    IEcho_Release(out);
    CHECK_OK(IEcho_Objects(face, NULL, &out, 0, list, &n));
    CHECK_NULL(out);
    CHECK_EQ(other.refs, 1);
}

TEST(a_failure_comes_back_with_nulled_results)
{
    struct loop_proxy proxy;
    struct echo echo;
    BSTR text = (BSTR)1;
    LONG level = 1;
    IEcho *face = begin(&proxy, &echo);
    CHECK_HR(IEcho_Fail(face, E_ABORT, &text), E_ABORT);
    CHECK_NULL(text);
    CHECK_OK(IEcho_put_Level(face, 77));
    CHECK_OK(IEcho_get_Level(face, &level));
    CHECK_EQ(level, 77);
    CHECK_OK(IEcho_Note(face, 5));
    CHECK_EQ(echo.noted, 5);
}

/* --- by name --- */

static HRESULT invoke_json(struct echo *echo, const char *method, const char *in, char **out)
{
    struct via_value arguments = {0}, results = {0};
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    const struct marshal_method *found = itf ? marshal_interface_method_named(itf, method) : NULL;
    *out = NULL;
    if (!found)
        return error_get() ? error_get()->code : E_FAIL;
    HRESULT hr = via_value_from_json(in, &arguments);
    if (SUCCEEDED(hr))
        hr = marshal_invoke_values(found, &echo->IEcho_iface, &arguments, &results);
    if (SUCCEEDED(hr))
        via_value_to_json(&results, 0, out);
    via_value_clear(&arguments);
    via_value_clear(&results);
    return hr;
}

static void check_json(const char *method, const char *in, const char *expected)
{
    struct loop_proxy proxy;
    struct echo echo;
    char *out;
    begin(&proxy, &echo);
    HRESULT hr = invoke_json(&echo, method, in, &out);
    if (!CHECK(SUCCEEDED(hr)))
        harness_note("%s: %s", method, error_get() ? error_get()->text : "?");
    else
        CHECK_STR_EQ(out, expected);
    via_value_free_text(out);
    error_clear();
}

TEST(by_name_values_become_arguments_and_back)
{
    check_json("Scalars", "[-1, 2, -3, 4, -5, 6, -7, 0.5, 1.25, 65]", "[61, 1.75]");
    check_json("kinds", "[true, \"COLOR_BLUE\", 0, \"{00000000-0000-0000-C000-000000000046}\"]",
               "[true, \"COLOR_BLUE\", 0, \"{00000000-0000-0000-C000-000000000046}\"]");
    check_json("Strings", "[null, \"w\", \"u\", null]", "[null, \"w\", \"u\"]");
    check_json("Fixed", "[[1, 2, 3], [[1, 1], [1, 1]]]", "[[[2, 3], [4, 2]], [\"one\", null]]");
    check_json("Replace", "[\"x\", [5, 6]]", "[\"replaced\", 3, [6, 7, -1]]");
    check_json("Replace", "[\"x\", 2, [5, 6]]", "[\"replaced\", 3, [6, 7, -1]]");
    check_json(
        "Structs",
        "[{\"first\": 1.5, \"second\": 2}, {\"x\": 1, \"y\": 2, \"z\": 3}, {\"a\": 1, \"b\": 2, "
        "\"c\": 3}, null]",
        "[{\"first\": 1.5, \"second\": 8}, {\"a\": 1, \"b\": 2, \"c\": 3}]");
    check_json("Arrays", "[[0, 1], [1.5, 2.5]]",
               "[[3.0, 5.0], [\"a\", \"b\"], 1, [{\"id\": 0, \"name\": \"record\", \"pairs\": "
               "[{\"first\": "
               "0.0, \"second\": 0}, {\"first\": 0.0, \"second\": 0}], \"flag\": false, \"color\": "
               "\"COLOR_GREEN\", \"guid\": \"{00000000-0000-0000-0000-000000000000}\", \"n\": 0, "
               "\"values\": "
               "null, \"title\": null, \"note\": null, \"extra\": null}]]");
}

static void check_refused(const char *method, const char *in, HRESULT code, const char *part)
{
    struct loop_proxy proxy;
    struct echo echo;
    char *out;
    begin(&proxy, &echo);
    CHECK_HR(invoke_json(&echo, method, in, &out), code);
    if (CHECK_NOT_NULL(error_get()))
        CHECK_STR_HAS(error_get()->text, part);
    via_value_free_text(out);
    error_clear();
}

TEST(by_name_mistakes_are_named)
{
    check_refused("Nothing", "[]", DISP_E_UNKNOWNNAME, "Scalars, Kinds");
    check_refused("put_Level", "[]", DISP_E_BADPARAMCOUNT, "Level(in i32 value)");
    check_refused("put_Level", "[3000000000]", DISP_E_OVERFLOW, "argument value");
    check_refused("put_Level", "[\"x\"]", DISP_E_TYPEMISMATCH, "argument value");
    check_refused("put_Level", "[\"1x\"]", DISP_E_TYPEMISMATCH, "a whole number");
    check_refused("put_Level", "[\" 1\"]", DISP_E_TYPEMISMATCH, "a whole number");
    check_refused("put_Level", "[\"-\"]", DISP_E_TYPEMISMATCH, "a whole number");
    check_refused("put_Level", "[\"99999999999999999999\"]", DISP_E_OVERFLOW, "out of range");
    check_refused("Scalars", "[-1, 2, -3, 4, -5, 6, \"-9223372036854775809\", 0.5, 1.25, 65]",
                  DISP_E_OVERFLOW, "argument g");
    check_refused("Scalars", "[-1, 2, -3, 4, -5, \" -1\", 7, 0.5, 1.25, 65]", DISP_E_TYPEMISMATCH,
                  "argument f");
    check_refused("Kinds", "[true, \"COLOR_NONE\", 0, \"{00000000-0000-0000-C000-000000000046}\"]",
                  DISP_E_TYPEMISMATCH, "Color has no such name; it has: COLOR_");
    check_refused("Fixed", "[[1, 2], [[1, 1], [1, 1]]]", DISP_E_TYPEMISMATCH, "argument in");
    check_refused("Fixed", "[[1, 2, 3], [[1, 1], [1, 99999999999]]]", DISP_E_OVERFLOW,
                  "argument matrix[1][1]");
    check_refused("Replace", "[\"x\", 1000, [5, 6]]", DISP_E_TYPEMISMATCH, "argument n");
    check_refused("Structs", "[{\"first\": 1.5}, {}, {}, null]", DISP_E_PARAMNOTFOUND,
                  "argument pair.second");
    check_refused("Structs", "[{\"first\": 1.5, \"second\": 2, \"third\": 3}, {}, {}, null]",
                  DISP_E_UNKNOWNNAME, "argument pair.third");
}

/* --- what a peer may send --- */

/* Decodes damaged bytes of the call that `tap` holds; whatever comes out is freed. */
static void decode_damaged(struct loop_proxy *proxy, unsigned slot, const uint8_t *bytes,
                           size_t size)
{
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    const struct marshal_method *method = marshal_interface_method(itf, slot);
    struct marshal_pointers pointers = loop_pointers(proxy);
    struct marshal_invocation *invocation = NULL;
    /* An exact copy, so that a byte too far is seen by the sanitizer. */
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    if (SUCCEEDED(marshal_decode_arguments(method, copy, size, &pointers, NULL, &invocation)))
        marshal_invocation_free(invocation);
    free(copy);
    error_clear();
}

TEST(damaged_payloads_are_refused_without_harm)
{
    struct loop_proxy proxy;
    struct echo echo;
    static struct wire_tap tap;
    LONG values[] = {3, 1, 4};
    struct Record in = {.n = 3, .values = values}, in_out = {0}, out = {0};
    IEcho *face = begin(&proxy, &echo);
    proxy.tap = &tap;
    in.name = SysAllocString(VIA_STR("name"));
    CHECK_OK(IEcho_Records(face, &in, &in_out, &out));
    for (size_t size = 0; size < tap.call_size; size++)
        decode_damaged(&proxy, 7, tap.call, size);
    for (size_t i = 0; i < tap.call_size * 8; i++) {
        tap.call[i / 8] ^= (uint8_t)(1u << i % 8);
        decode_damaged(&proxy, 7, tap.call, tap.call_size);
        tap.call[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t i = 0; i + 4 <= tap.call_size; i += 4) {
        uint8_t old[4];
        memcpy(old, tap.call + i, 4);
        memset(tap.call + i, 0xFF, 4);
        decode_damaged(&proxy, 7, tap.call, tap.call_size);
        memcpy(tap.call + i, old, 4);
    }
    free_record(&in_out);
    free_record(&out);
    SysFreeString(in.name);
}

static HRESULT decode_call(struct loop_proxy *proxy, unsigned slot, const struct wire_tap *tap)
{
    const struct marshal_interface *itf = marshal_interface_find(&IID_IEcho);
    const struct marshal_method *method = marshal_interface_method(itf, slot);
    struct marshal_pointers pointers = loop_pointers(proxy);
    struct marshal_invocation *invocation = NULL;
    HRESULT hr =
        marshal_decode_arguments(method, tap->call, tap->call_size, &pointers, NULL, &invocation);
    marshal_invocation_free(invocation);
    return hr;
}

/* The size comes behind the array, and a pointer is between the struct and it. */
TEST(arrays_behind_pointers_in_a_struct_have_the_struct_s_size)
{
    struct loop_proxy proxy;
    struct echo echo;
    static struct wire_tap tap;
    LONG numbers[] = {3, 1, 4}, *row = numbers, sum = 0;
    struct Grid grid = {&row, 3};
    IEcho *face = begin(&proxy, &echo);
    proxy.tap = &tap;
    CHECK_OK(IEcho_Rows(face, &grid, &sum));
    CHECK_EQ(sum, 8);
    CHECK_OK(decode_call(&proxy, 16, &tap));
    REQUIRE_EQ(tap.call_size, 22);
    CHECK_EQ(tap.call[20], 3);
    tap.call[20] = 4;
    CHECK_HR(decode_call(&proxy, 16, &tap), RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_get()->text, "IEcho.Rows: argument grid: an array in a struct");
    error_clear();
}

TEST(payloads_of_fixed_form_are_checked_and_have_no_bytes_of_ours)
{
    static const uint8_t call[] = {7, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 9, 0, 0, 0, 0, 0, 0, 0};
    struct loop_proxy proxy;
    struct echo echo;
    static struct wire_tap tap;
    struct Bits bits;
    IEcho *face = begin(&proxy, &echo);
    proxy.tap = &tap;
    memset(&bits, 0x5A, sizeof(bits)); /* what the hole must not carry */
    bits.first = 7;
    bits.flags[0] = 1; /* true is whatever is not 0, and travels as -1 */
    bits.flags[1] = VARIANT_FALSE;
    bits.flags[2] = VARIANT_TRUE;
    bits.last = 9;
    CHECK_OK(IEcho_Flip(face, &bits));
    CHECK_EQ(bits.flags[0], VARIANT_FALSE);
    CHECK_EQ(bits.flags[1], VARIANT_TRUE);
    CHECK_EQ(bits.last, 16);
    REQUIRE_EQ(tap.call_size, sizeof(call));
    CHECK_MEM_EQ(tap.call, call, sizeof(call));
    tap.call[4] = 1;
    CHECK_HR(decode_call(&proxy, 17, &tap), RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_get()->text, "IEcho.Flip: argument bits: a boolean");
    tap.call[4] = 0;
    tap.call_size--;
    CHECK_HR(decode_call(&proxy, 17, &tap), RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_get()->text, "argument bits: the message ends within it");
    tap.call_size += 2;
    CHECK_HR(decode_call(&proxy, 17, &tap), RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_get()->text, "bytes that belong to no argument");
    error_clear();
}

TEST(small_calls_take_no_memory)
{
    struct loop_proxy proxy;
    struct echo echo;
    LONG level = 0;
    struct Bits bits = {1, {VARIANT_TRUE, VARIANT_FALSE, VARIANT_TRUE}, 2};
    IEcho *face = begin(&proxy, &echo);
    harness_fail_allocation(0);
    CHECK_OK(IEcho_put_Level(face, 5));
    CHECK_OK(IEcho_get_Level(face, &level));
    CHECK_OK(IEcho_Flip(face, &bits));
    CHECK(!harness_allocation_failed());
    CHECK_EQ(level, 5);
}

TEST(the_same_bytes_on_every_system)
{
    static const uint8_t call[] = {0xfb, 0xc8, 0xd0, 0x8a, 0x60, 0xea, 0,    0,   0x00, 0x6c, 0xca,
                                   0x88, 0x00, 0x28, 0x6b, 0xee, 7,    0,    0,   0,    0,    0,
                                   0,    0,    0x00, 0x00, 0xc0, 0x3f, 0,    0,   0,    0,    0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x40, 'A', 0};
    struct loop_proxy proxy;
    struct echo echo;
    static struct wire_tap tap;
    LONGLONG integers;
    double reals;
    IEcho *face = begin(&proxy, &echo);
    proxy.tap = &tap;
    CHECK_OK(IEcho_Scalars(face, -5, 200, -30000, 60000, -2000000000, 4000000000u, 7, 1.5f, 2.25,
                           'A', &integers, &reals));
    REQUIRE_EQ(tap.call_size, sizeof(call));
    CHECK_MEM_EQ(tap.call, call, sizeof(call));
}

/* --- the same with calls that are answered by name --- */

#define REFLECTED(name)         \
    TEST(name##_when_reflected) \
    {                           \
        is_reflected = true;    \
        name();                 \
        is_reflected = false;   \
    }

REFLECTED(scalars_keep_their_values)
REFLECTED(narrow_numbers_keep_their_signs)
REFLECTED(kinds_keep_their_values_and_success_codes_pass)
REFLECTED(structs_pass_by_value_and_by_pointer)
REFLECTED(records_travel_with_everything_in_them)
REFLECTED(arrays_of_the_callers_and_of_the_methods)
REFLECTED(fixed_arrays)
REFLECTED(in_out_values_may_be_replaced)
REFLECTED(objects_keep_their_counts)
REFLECTED(a_failure_comes_back_with_nulled_results)

static HRESULT never_called(void *pointer, const struct marshal_method *method, void **arguments)
{
    (void)pointer;
    (void)method;
    (void)arguments;
    return E_UNEXPECTED;
}

/* A vtable whose slots are called as its callers call them. */
static void check_dispatch_slots(const GUID *iid)
{
    static const void *const unknown[3] = {&IID_IEcho, &IID_IEcho, &IID_IEcho};
    static const struct marshal_vtable_kind kind = {.unknown = unknown, .call = never_called};
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    const struct marshal_interface *itf = marshal_interface_find(iid);
    REQUIRE_NOT_NULL(itf);
    IDispatch object = {.lpVtbl = (IDispatchVtbl *)marshal_interface_vtable(itf, &kind)};
    REQUIRE_NOT_NULL(object.lpVtbl);
    UINT count = 7;
    ITypeInfo *info = (ITypeInfo *)&object;
    WCHAR name[] = VIA_STR("Level");
    LPOLESTR names[] = {name};
    DISPID id = 0;
    CHECK_HR(object.lpVtbl->GetTypeInfoCount(&object, &count), S_OK);
    CHECK_EQ(count, 0);
    CHECK_HR(object.lpVtbl->GetTypeInfo(&object, 0, 0, &info), E_NOTIMPL);
    CHECK_NULL(info);
    CHECK_HR(object.lpVtbl->GetIDsOfNames(&object, iid, names, 1, 0, &id), E_NOTIMPL);
    CHECK_HR(object.lpVtbl->Invoke(&object, 1, iid, 0, 2, NULL, NULL, NULL, NULL), E_NOTIMPL);
}

TEST(proxies_answer_late_bound_calls_themselves)
{
    check_dispatch_slots(&IID_IGauge);
    check_dispatch_slots(&IID_IBare);
}

HARNESS_MAIN(
    "marshal", TEST_ENTRY(scalars_keep_their_values), TEST_ENTRY(narrow_numbers_keep_their_signs),
    TEST_ENTRY(kinds_keep_their_values_and_success_codes_pass),
    TEST_ENTRY(structs_pass_by_value_and_by_pointer), TEST_ENTRY(strings_keep_text_zeroes_and_null),
    TEST_ENTRY(null_where_it_may_not_be_is_an_error_that_names_the_argument),
    TEST_ENTRY(records_travel_with_everything_in_them),
    TEST_ENTRY(arrays_of_the_callers_and_of_the_methods),
    TEST_ENTRY(arrays_that_together_are_more_than_a_reply_carries), TEST_ENTRY(fixed_arrays),
    TEST_ENTRY(in_out_values_may_be_replaced), TEST_ENTRY(objects_keep_their_counts),
    TEST_ENTRY(a_failure_comes_back_with_nulled_results),
    TEST_ENTRY(by_name_values_become_arguments_and_back), TEST_ENTRY(by_name_mistakes_are_named),
    TEST_ENTRY(damaged_payloads_are_refused_without_harm),
    TEST_ENTRY(arrays_behind_pointers_in_a_struct_have_the_struct_s_size),
    TEST_ENTRY(payloads_of_fixed_form_are_checked_and_have_no_bytes_of_ours),
    TEST_ENTRY(small_calls_take_no_memory), TEST_ENTRY(proxies_answer_late_bound_calls_themselves),
    TEST_ENTRY(the_same_bytes_on_every_system),
    TEST_ENTRY(scalars_keep_their_values_when_reflected),
    TEST_ENTRY(narrow_numbers_keep_their_signs_when_reflected),
    TEST_ENTRY(kinds_keep_their_values_and_success_codes_pass_when_reflected),
    TEST_ENTRY(structs_pass_by_value_and_by_pointer_when_reflected),
    TEST_ENTRY(records_travel_with_everything_in_them_when_reflected),
    TEST_ENTRY(arrays_of_the_callers_and_of_the_methods_when_reflected),
    TEST_ENTRY(fixed_arrays_when_reflected),
    TEST_ENTRY(in_out_values_may_be_replaced_when_reflected),
    TEST_ENTRY(objects_keep_their_counts_when_reflected),
    TEST_ENTRY(a_failure_comes_back_with_nulled_results_when_reflected))
