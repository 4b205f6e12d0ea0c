/* Arrays that are passed beside the payload, or left in it. */
#include "com/marshal/invocation.h"
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"

#include <string.h>

#define ARRAYS 8 /* the slot of IEcho.Arrays */
#define N      5

/* What was passed beside the payload, and what is given back for it. */
struct beside {
    const void *data;
    size_t size;
    size_t position;
    unsigned n_lent;
    bool in_place;
    HRESULT result;
};

static bool lend(void *context, const void *data, size_t size, size_t position)
{
    struct beside *beside = context;
    beside->n_lent++;
    beside->data = data;
    beside->size = size;
    beside->position = position;
    return true;
}

static HRESULT borrow(void *context, size_t position, size_t size, bool in_place, const void **data)
{
    struct beside *beside = context;
    if (position != beside->position || size != beside->size)
        return S_FALSE;
    beside->in_place = in_place;
    *data = beside->data;
    return beside->result;
}

static const struct marshal_method *arrays(void)
{
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    return marshal_interface_method(marshal_interface_find(&IID_IEcho), ARRAYS);
}

static LONG in[N] = {3, 1, 4, 1, 5};

static void encode(struct beside *beside, struct buffer *payload)
{
    const struct marshal_pointers pointers = {.context = beside, .lend = beside ? lend : NULL};
    ULONG n = N, m = 0, *m_pointer = &m;
    double in_out[N] = {1, 2, 3, 4, 5}, *in_out_pointer = in_out;
    BSTR names[N] = {0}, *names_pointer = names;
    struct Record *records = NULL, **records_pointer = &records;
    LONG *in_pointer = in;
    void *arguments[] = {&n,         &in_pointer,     &in_out_pointer, &names_pointer,
                         &m_pointer, &records_pointer};
    buffer_init(payload, 1 << 16);
    CHECK_OK(marshal_encode_arguments(arrays(), arguments, &pointers, payload));
}

static const LONG *decode(const struct marshal_pointers *pointers, const struct buffer *payload,
                          struct marshal_invocation **invocation)
{
    if (!CHECK_OK(marshal_decode_arguments(arrays(), payload->data, payload->size, pointers, NULL,
                                           invocation)))
        return NULL;
    return *(const LONG *const *)invocation_value(*invocation, 1);
}

TEST(only_in_arrays_of_plain_elements_are_lent)
{
    struct beside beside = {0};
    struct buffer payload, whole;
    struct marshal_invocation *invocation = NULL;
    encode(&beside, &payload);
    encode(NULL, &whole);
    CHECK_EQ(beside.n_lent, 1); /* the [in, out] one is not */
    CHECK_PTR_EQ(beside.data, in);
    CHECK_EQ(beside.size, sizeof in);
    CHECK_EQ(beside.position, 8);
    CHECK_EQ(whole.size - payload.size, 16); /* 20 bytes, less what aligns the next array */
    const struct marshal_pointers pointers = {.context = &beside, .borrow = borrow};
    CHECK_PTR_EQ(decode(&pointers, &payload, &invocation), in);
    CHECK_FALSE(beside.in_place);
    marshal_invocation_free(invocation); /* and not what was lent */
    buffer_deinit(&payload);
    buffer_deinit(&whole);
}

TEST(arrays_stay_in_a_payload_that_stays)
{
    struct buffer payload;
    struct marshal_invocation *invocation = NULL;
    encode(NULL, &payload);
    const struct marshal_pointers pointers = {.keeps_payload = true};
    const LONG *values = decode(&pointers, &payload, &invocation);
    CHECK_PTR_EQ(values, payload.data + 8);
    CHECK_MEM_EQ(values, in, sizeof in);
    marshal_invocation_free(invocation);
    const struct marshal_pointers neither = {0};
    values = decode(&neither, &payload, &invocation);
    CHECK_FALSE((const uint8_t *)values > payload.data &&
                (const uint8_t *)values < payload.data + payload.size);
    CHECK_MEM_EQ(values, in, sizeof in);
    marshal_invocation_free(invocation);
    buffer_deinit(&payload);
}

static void refuse(struct beside *beside, const struct buffer *payload, HRESULT code,
                   const char *part)
{
    const struct marshal_pointers pointers = {.context = beside, .borrow = borrow};
    struct marshal_invocation *invocation = NULL;
    CHECK_HR(marshal_decode_arguments(arrays(), payload->data, payload->size, &pointers, NULL,
                                      &invocation),
             code);
    CHECK_STR_HAS(error_get()->text, part);
    error_clear();
}

TEST(what_does_not_fit_is_refused)
{
    struct beside beside = {0};
    struct buffer payload;
    encode(&beside, &payload);
    /* Where such numbers cannot lie. */
    beside.data = (const char *)in + 1;
    refuse(&beside, &payload, RPC_E_INVALID_DATA, "lies where such elements cannot");
    /* Nothing is beside it after all: the payload ends too soon. */
    beside.position = 4;
    refuse(&beside, &payload, RPC_E_INVALID_DATA, "argument in");
    beside.position = 8;
    beside.data = in;
    beside.result = error_set(VIA_E_LIMIT, "no room for it");
    refuse(&beside, &payload, VIA_E_LIMIT, "no room for it");
    /* The other arrays of that size have another number of elements. */
    beside.result = S_OK;
    payload.data[4] = 4;
    beside.size = 4 * sizeof in[0];
    refuse(&beside, &payload, RPC_E_INVALID_DATA, "number of elements");
    buffer_deinit(&payload);
}

HARNESS_MAIN("marshal_lend", TEST_ENTRY(only_in_arrays_of_plain_elements_are_lent),
             TEST_ENTRY(arrays_stay_in_a_payload_that_stays),
             TEST_ENTRY(what_does_not_fit_is_refused))
