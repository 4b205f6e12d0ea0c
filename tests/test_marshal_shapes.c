/*
 * com/marshal: types that need to know of their neighbours. What they say of them in a payload is
 * compared with what those are, whoever made the payload.
 */
#include "com/marshal/invocation.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"

#include <string.h>

#define NONE 0xFFFFFFFFu

static struct echo echo;
static struct loop_proxy proxy;

static const struct marshal_method *find_method(const char *name)
{
    echo_init(&echo);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(loop_proxy_init(&proxy, &echo.IEcho_iface));
    const struct marshal_interface *itf = marshal_interface_find(&IID_IShapes);
    return itf ? marshal_interface_method_named(itf, name) : NULL;
}

static HRESULT decode(const char *name, const uint32_t *words, size_t size)
{
    const struct marshal_method *method = find_method(name);
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *invocation = NULL;
    if (!method)
        return E_FAIL;
    HRESULT hr = marshal_decode_arguments(method, (const uint8_t *)words, size, &pointers, NULL,
                                          &invocation);
    if (SUCCEEDED(hr))
        marshal_invocation_free(invocation);
    return hr;
}

#define ACCEPT(name, ...)                               \
    do {                                                \
        const uint32_t words_[] = {__VA_ARGS__};        \
        CHECK_OK(decode(name, words_, sizeof(words_))); \
    } while (0)
#define REFUSE(name, expected, ...)                                            \
    do {                                                                       \
        const uint32_t words_[] = {__VA_ARGS__};                               \
        CHECK_HR(decode(name, words_, sizeof(words_)), RPC_E_INVALID_DATA);    \
        CHECK_STR_HAS(error_get() ? error_get()->text : "no error", expected); \
        error_clear();                                                         \
    } while (0)

TEST(a_union_is_what_its_discriminant_says)
{
    ACCEPT("Choose", 1, 1, 77);
    ACCEPT("Choose", 3, 3, NONE);
    ACCEPT("Choose", 6, 6);
    REFUSE("Choose", "argument in: a union has no arm for its discriminant", 9, 9, 77);
    REFUSE("Choose", "a union has another arm than its discriminant says", 1, 2, NONE);
    REFUSE("Choose", "a union has another arm than its discriminant says", 2, 3, NONE);
    REFUSE("Choose", "the message ends within it", 1, 1);
    REFUSE("Choose", "bytes that belong to no argument", 6, 6, 77);
    REFUSE("Choose", "a pointer is marked neither as NULL nor as there", 4, 4, 7);
}

TEST(a_length_is_within_its_array)
{
    ACCEPT("Vary", 3, 1, 3, 1, NONE);
    ACCEPT("Vary", 3, 0, 3, 0);
    REFUSE("Vary", "its length is more than there is room for", 3, 4, 3, 4, NONE, NONE, NONE, NONE);
    REFUSE("Vary", "has another length than what counts it says", 3, 1, 3, 2, NONE, NONE);
    REFUSE("Vary", "the arrays that it counts have another number", 4, 1, 3, 1, NONE);
    REFUSE("Vary", "the message ends within it", 3, 2, 3, 2, NONE);
    /* Memory that no bytes pay for. */
    REFUSE("Vary", "it has more room than a call can make", 0x7FFFFFFF, 0, 0x7FFFFFFF, 0);
    REFUSE("Vary", "it has more room than a call can make", 0x300000, 0, 0x300000, 0);
}

TEST(a_size_is_what_is_computed)
{
    ACCEPT("Compute", 1, 1, 5, 8, 0, 0);
    ACCEPT("Compute", 2, 3, 1, 2, 3, 4, 0);
    REFUSE("Compute", "has another number of elements than its size says", 1, 2, 5, 5, 8, 0, 0);
    REFUSE("Compute", "has another number of elements than its size says", 1, 1, 5, 4, 0);
    /* Negative, and a division by 0. */
    REFUSE("Compute", "has another number of elements than its size says", 0, 0, 0);
    REFUSE("Compute", "has another number of elements than its size says", 0x80000000, 0, 0);
}

TEST(an_object_is_of_the_interface_that_was_named)
{
    ACCEPT("Query", 1, 2, 3, 4, 1, 2, 3, 4, NONE);
    REFUSE("Query", "an object is of another interface than its IID says", 1, 2, 3, 4, 1, 2, 3, 5,
           NONE);
}

/* What is encoded is decoded again, and frees everything. */
TEST(structs_with_all_of_it_go_and_come)
{
    const struct marshal_method *method = find_method("Hold");
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *invocation = NULL;
    struct buffer payload;
    BSTR names[3] = {SysAllocString(VIA_STR("one")), NULL, NULL};
    WCHAR wide[] = {'w', 0};
    struct Held held = {.kind = 2, .room = 2, .n = 1, .names = names, .first = {4, 5, 6}};
    struct Held *held_at = &held;
    Marked marked = {.kind = 2, .value = {.wide = wide}};
    Real real = {.kind = 1, .value = {.real = 1.5}};
    void *arguments[] = {&held_at, &marked, &real};
    held.shape.text = SysAllocString(VIA_STR("text"));
    held.marked[0].kind = 77;
    held.marked[1].kind = 3;
    REQUIRE_NOT_NULL(method);
    buffer_init(&payload, 4096);
    CHECK_OK(marshal_encode_arguments(method, arguments, &pointers, &payload));
    REQUIRE_OK(
        marshal_decode_arguments(method, payload.data, payload.size, &pointers, NULL, &invocation));
    const struct Held *copy = invocation_value(invocation, 0);
    CHECK_EQ(SysStringLen(copy->shape.text), 4);
    CHECK_EQ(SysStringLen(copy->names[0]), 3);
    CHECK_NULL(copy->names[1]);
    CHECK_EQ(copy->first[0], 4);
    CHECK_EQ(copy->first[1], 0);
    marshal_invocation_free(invocation);
    buffer_deinit(&payload);
    held.kind = 99;
    buffer_init(&payload, 4096);
    CHECK_HR(marshal_encode_arguments(method, arguments, &pointers, &payload), E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text, "the union has no arm for its discriminant");
    held.kind = 2;
    held.n = 4;
    CHECK_HR(marshal_encode_arguments(method, arguments, &pointers, &payload), E_INVALIDARG);
    CHECK_STR_HAS(error_get()->text, "its length is negative, or more than there is room for");
    error_clear();
    buffer_deinit(&payload);
    SysFreeString(held.shape.text);
    SysFreeString(names[0]);
}

/* Arrays behind pointers: as values, in structs, and by the number. */
TEST(arrays_behind_pointers_go_and_come)
{
    const struct marshal_method *method = find_method("Line");
    struct marshal_pointers pointers = loop_pointers(&proxy);
    struct marshal_invocation *invocation = NULL;
    struct buffer payload;
    Triple one = {1, 2, 3}, many[2] = {{4, 5, 6}, {7, 8, 9}};
    Names more = {SysAllocString(VIA_STR("more")), NULL};
    struct Vectors in = {{-1, -2, -3}, NULL, &one, 2, many, {NULL, more[0]}, &more};
    SHORT *one_at = one;
    TriplePointer maybe = &one, many_at = many;
    struct Vectors *in_at = &in;
    Names names[2], *names_at = names;
    Triple *made = NULL, **made_at = &made;
    void *arguments[] = {&one_at, &maybe, &in_at, &in.n, &many_at, &names_at, &made_at};
    REQUIRE_NOT_NULL(method);
    buffer_init(&payload, 4096);
    CHECK_OK(marshal_encode_arguments(method, arguments, &pointers, &payload));
    REQUIRE_OK(
        marshal_decode_arguments(method, payload.data, payload.size, &pointers, NULL, &invocation));
    const struct Vectors *copy = invocation_value(invocation, 2);
    CHECK_EQ((*(Triple *)invocation_value(invocation, 0))[2], 3);
    CHECK_EQ((*(Triple *)invocation_value(invocation, 1))[1], 2);
    CHECK_EQ((**(TriplePointer *)invocation_value(invocation, 4))[0], 4);
    CHECK_EQ(copy->one[1], -2);
    CHECK_NULL(copy->maybe);
    CHECK_EQ((*copy->given)[2], 3);
    CHECK_EQ(copy->many[1][0], 7);
    CHECK_EQ(SysStringLen(copy->names[1]), 4);
    CHECK_EQ(SysStringLen((*copy->more)[0]), 4);
    marshal_invocation_free(invocation);
    buffer_deinit(&payload);
    SysFreeString(more[0]);
}

/* Bytes of a good payload changed one by one: whatever comes of it, nothing breaks or leaks. */
TEST(damaged_payloads_bring_nothing_down)
{
    static const uint32_t good[] = {3, 2, 3, 2, 2, 0x0061, 4, 0x00620061};
    uint32_t words[sizeof(good) / sizeof(good[0])];
    unsigned n_accepted = 0;
    for (size_t i = 0; i < sizeof(good); i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(words, good, sizeof(good));
            ((uint8_t *)words)[i] ^= (uint8_t)(1u << bit);
            n_accepted += SUCCEEDED(decode("Vary", words, sizeof(words)));
            error_clear();
        }
    CHECK(n_accepted < 8 * sizeof(good));
}

HARNESS_MAIN("marshal_shapes", TEST_ENTRY(a_union_is_what_its_discriminant_says),
             TEST_ENTRY(a_length_is_within_its_array), TEST_ENTRY(a_size_is_what_is_computed),
             TEST_ENTRY(an_object_is_of_the_interface_that_was_named),
             TEST_ENTRY(structs_with_all_of_it_go_and_come),
             TEST_ENTRY(arrays_behind_pointers_go_and_come),
             TEST_ENTRY(damaged_payloads_bring_nothing_down))
