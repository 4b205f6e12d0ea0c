/*
 * VARIANTs that refer to values of each type Automation has: what goes in, and what a method leaves
 * there.
 */
#include "com/marshal/marshal.h"
#include "com/typelib/typelib.h"
#include "tests/harness/harness.h"
#include "tests/marshal/echo.h"
#include "tests/marshal/mirror.h"

#include <string.h>

static bool is_reflected;
static struct loop_proxy proxy;
static struct echo echo, other;

static IEcho *begin(void)
{
    static struct mirror mirror;
    echo_init(&echo);
    echo_init(&other);
    CHECK_OK(typelib_catalog_add(&marshal_test_typelib));
    CHECK_OK(mirror_init(&mirror, &echo.IEcho_iface));
    CHECK_OK(loop_proxy_init(&proxy, is_reflected ? mirror_face(&mirror) : &echo.IEcho_iface));
    return loop_proxy_face(&proxy);
}

static const struct {
    VARTYPE vt;
    size_t size; /* of what is compared byte by byte; 0: it holds more */
} types[] = {
    {VT_I1, 1},      {VT_UI1, 1},     {VT_I2, 2},
    {VT_UI2, 2},     {VT_I4, 4},      {VT_UI4, 4},
    {VT_INT, 4},     {VT_UINT, 4},    {VT_I8, 8},
    {VT_UI8, 8},     {VT_R4, 4},      {VT_R8, 8},
    {VT_CY, 8},      {VT_DATE, 8},    {VT_ERROR, 4},
    {VT_BOOL, 2},    {VT_DECIMAL, 0}, {VT_BSTR, 0},
    {VT_UNKNOWN, 0}, {VT_VARIANT, 0}, {VT_ARRAY | VT_I4, 0},
};
#define N_TYPES (sizeof(types) / sizeof(types[0]))

static SAFEARRAY *make_array(LONG number)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_I4, -1, 1);
    if (array)
        *(LONG *)array->pvData = number;
    return array;
}

static IUnknown *retained(IEcho *object)
{
    IEcho_AddRef(object);
    return (IUnknown *)object;
}

/* Values of one type that differ by `number`, 1 or 2; to be cleared. What is behind VT_VARIANT is
 * made as a text. */
static VARIANT make(VARTYPE vt, LONG number)
{
    VARIANT value = {0};
    static const OLECHAR texts[] = {'a', 0, 'b'};
    if (vt == VT_DECIMAL)
        V_DECIMAL(&value).Lo64 = (ULONGLONG)number;
    else if (vt == VT_BSTR || vt == VT_VARIANT)
        V_BSTR(&value) = SysAllocStringLen(texts, (UINT)number + 1);
    else if (vt == VT_BOOL)
        V_BOOL(&value) = number == 1 ? VARIANT_TRUE : VARIANT_FALSE;
    else if (vt == VT_UNKNOWN && number == 1)
        V_UNKNOWN(&value) = retained(&other.IEcho_iface);
    else if (vt == (VT_ARRAY | VT_I4))
        V_ARRAY(&value) = make_array(number);
    else if (vt != VT_UNKNOWN)
        V_I8(&value) = number;
    V_VT(&value) = vt == VT_VARIANT ? VT_BSTR : vt;
    return value;
}

static VARIANT refer(VARTYPE vt, VARIANT *value)
{
    VARIANT reference = {0};
    V_VT(&reference) = VT_BYREF | vt;
    if (vt == VT_VARIANT)
        V_VARIANTREF(&reference) = value;
    else if (vt == VT_DECIMAL)
        V_DECIMALREF(&reference) = &V_DECIMAL(value);
    else
        V_BYREF(&reference) = &V_I8(value);
    return reference;
}

static bool are_equal(const VARIANT *left, const VARIANT *right, size_t size)
{
    if (V_VT(left) != V_VT(right))
        return false;
    switch (V_VT(left)) {
    case VT_DECIMAL:
        return V_DECIMAL(left).Lo64 == V_DECIMAL(right).Lo64;
    case VT_BSTR:
        return SysStringLen(V_BSTR(left)) == SysStringLen(V_BSTR(right)) &&
               memcmp(V_BSTR(left), V_BSTR(right), SysStringByteLen(V_BSTR(left))) == 0;
    case VT_UNKNOWN:
        return V_UNKNOWN(left) == V_UNKNOWN(right);
    case VT_ARRAY | VT_I4:
        return V_ARRAY(left)->rgsabound[0].lLbound == V_ARRAY(right)->rgsabound[0].lLbound &&
               *(LONG *)V_ARRAY(left)->pvData == *(LONG *)V_ARRAY(right)->pvData;
    default:
        return memcmp(&V_I8(left), &V_I8(right), size) == 0;
    }
}

static void the_value_goes_in_body(void)
{
    IEcho *face = begin();
    for (size_t i = 0; i < N_TYPES; i++) {
        VARIANT value = make(types[i].vt, 1), in_out = {0}, out = {0};
        CHECK_OK(IEcho_Variants(face, refer(types[i].vt, &value), &in_out, &out));
        if (!CHECK(are_equal(&out, &value, types[i].size)))
            harness_note("type %04x comes as %04x", types[i].vt, V_VT(&out));
        VariantClear(&out);
        VariantClear(&value);
    }
    CHECK_EQ(other.refs, 1);
}
BOTH(the_value_goes_in)

/* Not by way of values, which refer to nothing. */
TEST(what_the_method_leaves_comes_back)
{
    is_reflected = false;
    IEcho *face = begin();
    for (size_t i = 0; i < N_TYPES; i++) {
        VARIANT value = make(types[i].vt, 1), wanted = make(types[i].vt, 2), out = {0};
        VARIANT in_out = refer(types[i].vt, &value), before = in_out;
        CHECK_OK(IEcho_Variants(face, wanted, &in_out, &out));
        CHECK_EQ(V_VT(&in_out), V_VT(&before));
        CHECK_PTR_EQ(V_BYREF(&in_out), V_BYREF(&before));
        if (types[i].vt == VT_DECIMAL)
            V_VT(&value) = VT_DECIMAL; /* it lies within the DECIMAL */
        if (!CHECK(are_equal(&value, &wanted, types[i].size)))
            harness_note("type %04x", types[i].vt);
        VariantClear(&out);
        VariantClear(&wanted);
        VariantClear(&value);
    }
    CHECK_EQ(other.refs, 1);
}

HARNESS_MAIN("marshal_references", TEST_ENTRY(the_value_goes_in),
             TEST_ENTRY(the_value_goes_in_reflected), TEST_ENTRY(what_the_method_leaves_comes_back))
