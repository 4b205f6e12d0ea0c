/*
 * What the generated sources share: a random number generator, and making, copying, comparing and
 * freeing values of the basic types. Everything is static: two generated files use it, each on its
 * own.
 */
#ifndef TESTS_RANDOM_INTERFACES_SUPPORT_H
#define TESTS_RANDOM_INTERFACES_SUPPORT_H

#include "random.h"

#include "tests/random_interfaces/contents.h"
#include "tests/transfer/system.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-function"

struct random {
    uint64_t state;
};

/* splitmix64 */
static uint32_t random_next(struct random *r)
{
    uint64_t x = (r->state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

typedef HRESULT (*random_call)(void *face, struct random *r, IRandomCallback *callback);
struct random_case {
    const char *name;
    const IID *iid;
    random_call call;
};
extern const struct random_case random_cases[];
extern const size_t n_random_cases;
IUnknown *random_object(void);

#define CHECK_ECHO(condition)                                              \
    do {                                                                   \
        if (!(condition)) {                                                \
            fprintf(stderr, "%s: not echoed: %s\n", __func__, #condition); \
            goto failed;                                                   \
        }                                                                  \
    } while (0)

#define PLAIN_TYPE(type)                                   \
    static void copy_##type(const type *from, type *to)    \
    {                                                      \
        memcpy(to, from, sizeof(*to));                     \
    }                                                      \
    static bool equal_##type(const type *a, const type *b) \
    {                                                      \
        return !memcmp(a, b, sizeof(*a));                  \
    }                                                      \
    static void free_##type(type *value)                   \
    {                                                      \
        memset(value, 0, sizeof(*value));                  \
    }

#define INTEGER_TYPE(type)                                               \
    static void make_##type(struct random *r, type *value)               \
    {                                                                    \
        uint64_t bits = (uint64_t)random_next(r) << 32 | random_next(r); \
        memcpy(value, &bits, sizeof(*value));                            \
    }                                                                    \
    PLAIN_TYPE(type)

#define REAL_TYPE(type)                                    \
    static void make_##type(struct random *r, type *value) \
    {                                                      \
        *value = (type)((int32_t)random_next(r)) / 4;      \
    }                                                      \
    PLAIN_TYPE(type)

INTEGER_TYPE(INT8)
INTEGER_TYPE(BYTE)
INTEGER_TYPE(SHORT)
INTEGER_TYPE(USHORT)
INTEGER_TYPE(LONG)
INTEGER_TYPE(ULONG)
INTEGER_TYPE(LONGLONG)
INTEGER_TYPE(ULONGLONG)
INTEGER_TYPE(WCHAR)
INTEGER_TYPE(HRESULT)
INTEGER_TYPE(CY)
INTEGER_TYPE(SCODE)
REAL_TYPE(float)
REAL_TYPE(double)
REAL_TYPE(DATE)

static void make_VARIANT_BOOL(struct random *r, VARIANT_BOOL *value)
{
    *value = random_next(r) % 2 ? VARIANT_TRUE : VARIANT_FALSE;
}
PLAIN_TYPE(VARIANT_BOOL)

static void make_GUID(struct random *r, GUID *value)
{
    for (size_t i = 0; i < sizeof(*value); i++)
        ((uint8_t *)value)[i] = (uint8_t)random_next(r);
}
PLAIN_TYPE(GUID)

static void make_BSTR(struct random *r, BSTR *value)
{
    WCHAR text[16];
    UINT n = random_next(r) % (sizeof(text) + 1); /* bytes, of which there may be an odd number */
    n = random_next(r) % 4 ? n & ~1u : n;
    for (UINT i = 0; i < sizeof(text) / sizeof(text[0]); i++)
        text[i] = (WCHAR)(random_next(r) % 8 ? 1 + random_next(r) % 0xD000 : 0);
    *value = random_next(r) % 8 ? SysAllocStringByteLen((const char *)text, n) : NULL;
}

static void copy_BSTR(const BSTR *from, BSTR *to)
{
    *to = *from ? SysAllocStringByteLen((const char *)*from, SysStringByteLen(*from)) : NULL;
}

static bool equal_BSTR(const BSTR *a, const BSTR *b)
{
    return !*a == !*b && SysStringByteLen(*a) == SysStringByteLen(*b) &&
           (!*a || !memcmp(*a, *b, SysStringByteLen(*a)));
}

static void free_BSTR(BSTR *value)
{
    SysFreeString(*value);
    *value = NULL;
}

static size_t wide_size(const WCHAR *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return (n + 1) * sizeof(WCHAR);
}

static void make_string16(struct random *r, WCHAR **value)
{
    size_t n = random_next(r) % 12;
    *value = (WCHAR *)CoTaskMemAlloc((n + 1) * sizeof(WCHAR));
    for (size_t i = 0; i < n; i++)
        (*value)[i] = (WCHAR)(1 + random_next(r) % 0xD000);
    (*value)[n] = 0;
}

static void copy_string16(WCHAR *const *from, WCHAR **to)
{
    *to = NULL;
    if (!*from)
        return;
    *to = (WCHAR *)CoTaskMemAlloc(wide_size(*from));
    memcpy(*to, *from, wide_size(*from));
}

static bool equal_string16(WCHAR *const *a, WCHAR *const *b)
{
    return *a && *b && wide_size(*a) == wide_size(*b) && !memcmp(*a, *b, wide_size(*a));
}

static void free_string16(WCHAR **value)
{
    CoTaskMemFree(*value);
    *value = NULL;
}

static void make_string8(struct random *r, char **value)
{
    static const char *const texts[] = {"", "a", "plain text", "\xc3\xa4\xc3\xb6",
                                        "\xf0\x9f\x9a\x82!"};
    const char *text = texts[random_next(r) % 5];
    *value = (char *)CoTaskMemAlloc(strlen(text) + 1);
    strcpy(*value, text);
}

static void copy_string8(char *const *from, char **to)
{
    *to = NULL;
    if (!*from)
        return;
    *to = (char *)CoTaskMemAlloc(strlen(*from) + 1);
    strcpy(*to, *from);
}

static bool equal_string8(char *const *a, char *const *b)
{
    return *a && *b && !strcmp(*a, *b);
}

static void free_string8(char **value)
{
    CoTaskMemFree(*value);
    *value = NULL;
}

static void make_DECIMAL(struct random *r, DECIMAL *value)
{
    memset(value, 0, sizeof(*value));
    value->scale = (BYTE)(random_next(r) % 29);
    value->sign = random_next(r) % 2 ? DECIMAL_NEG : 0;
    value->Hi32 = random_next(r);
    value->Lo64 = (uint64_t)random_next(r) << 32 | random_next(r);
}
PLAIN_TYPE(DECIMAL)

static void make_VARIANT(struct random *r, VARIANT *value);
static void copy_VARIANT(const VARIANT *from, VARIANT *to);
static bool equal_VARIANT(const VARIANT *a, const VARIANT *b);
static void free_VARIANT(VARIANT *value);

/* Of any form: NULL, empty, of several dimensions, with lower bounds. */
static SAFEARRAY *make_array(struct random *r, VARTYPE vt, const char *record)
{
    SAFEARRAYBOUND bounds[3];
    IRecordInfo *info = NULL;
    UINT n_dims = 1 + random_next(r) % 3;
    for (UINT i = 0; i < n_dims; i++) {
        bounds[i].cElements = random_next(r) % 3;
        bounds[i].lLbound = (LONG)(random_next(r) % 5) - 2;
    }
    if (record && FAILED(via_record_info(&random_typelib, record, &info)))
        abort();
    return random_next(r) % 8 ? SafeArrayCreateEx(vt, n_dims, bounds, info) : NULL;
}

static size_t count_array(const SAFEARRAY *array)
{
    size_t n = 1;
    for (USHORT i = 0; i < array->cDims; i++)
        n *= array->rgsabound[i].cElements;
    return n;
}

static bool same_form(const SAFEARRAY *a, const SAFEARRAY *b)
{
    return a->cDims == b->cDims && a->cbElements == b->cbElements &&
           !memcmp(a->rgsabound, b->rgsabound, a->cDims * sizeof(SAFEARRAYBOUND));
}

#define ARRAY_TYPE(type, vt, record)                                                     \
    static void make_array_##type(struct random *r, LPSAFEARRAY *value)                  \
    {                                                                                    \
        *value = make_array(r, vt, record);                                              \
        for (size_t i = 0; *value && i < count_array(*value); i++)                       \
            make_##type(r, (type *)(*value)->pvData + i);                                \
    }                                                                                    \
    static void copy_array_##type(const LPSAFEARRAY *from, LPSAFEARRAY *to)              \
    {                                                                                    \
        *to = NULL;                                                                      \
        if (*from && FAILED(SafeArrayCopy(*from, to)))                                   \
            abort();                                                                     \
    }                                                                                    \
    static bool equal_array_##type(const LPSAFEARRAY *a, const LPSAFEARRAY *b)           \
    {                                                                                    \
        if (!*a || !*b)                                                                  \
            return !*a && !*b;                                                           \
        bool is_equal = same_form(*a, *b);                                               \
        for (size_t i = 0; is_equal && i < count_array(*a); i++)                         \
            is_equal = equal_##type((type *)(*a)->pvData + i, (type *)(*b)->pvData + i); \
        return is_equal;                                                                 \
    }                                                                                    \
    static void free_array_##type(LPSAFEARRAY *value)                                    \
    {                                                                                    \
        SafeArrayDestroy(*value);                                                        \
        *value = NULL;                                                                   \
    }

/* A VARIANT that holds a struct. */
#define RECORD_TYPE(type)                                                          \
    static void make_record_##type(struct random *r, VARIANT *value)               \
    {                                                                              \
        make_record(value, #type);                                                 \
        make_##type(r, (type *)V_RECORD(value));                                   \
    }                                                                              \
    static void copy_record_##type(const VARIANT *from, VARIANT *to)               \
    {                                                                              \
        copy_VARIANT(from, to);                                                    \
    }                                                                              \
    static bool equal_record_##type(const VARIANT *a, const VARIANT *b)            \
    {                                                                              \
        return V_VT(a) == VT_RECORD && V_VT(b) == VT_RECORD &&                     \
               equal_##type((const type *)V_RECORD(a), (const type *)V_RECORD(b)); \
    }                                                                              \
    static void free_record_##type(VARIANT *value)                                 \
    {                                                                              \
        free_VARIANT(value);                                                       \
    }

static void make_record(VARIANT *value, const char *name)
{
    IRecordInfo *info = NULL;
    memset(value, 0, sizeof(*value));
    if (FAILED(via_record_info(&random_typelib, name, &info)) ||
        !(V_RECORD(value) = IRecordInfo_RecordCreate(info)))
        abort();
    V_RECORDINFO(value) = info;
    V_VT(value) = VT_RECORD;
}

/* What a VARIANT holds besides what is its own. Texts are not NULL: VariantCopy() would make them
 * empty ones. */
static void make_VARIANT(struct random *r, VARIANT *value)
{
    static const VARTYPE types[] = {
        VT_EMPTY,        VT_NULL,    VT_I1,  VT_UI1, VT_I2,   VT_UI2,   VT_I4,
        VT_UI4,          VT_I8,      VT_UI8, VT_INT, VT_UINT, VT_ERROR, VT_CY,
        VT_BSTR,         VT_DECIMAL, VT_R4,  VT_R8,  VT_DATE, VT_BOOL,  VT_ARRAY | VT_VARIANT,
        VT_ARRAY | VT_I2};
    VARTYPE vt = types[random_next(r) % (sizeof(types) / sizeof(types[0]))];
    memset(value, 0, sizeof(*value));
    if (vt == VT_DECIMAL)
        make_DECIMAL(r, &value->decVal);
    else if (vt == VT_BSTR)
        V_BSTR(value) = SysAllocStringLen(VIA_STR("variant"), random_next(r) % 8);
    else if (vt == VT_R4)
        make_float(r, &V_R4(value));
    else if (vt == VT_R8 || vt == VT_DATE)
        make_double(r, &V_R8(value));
    else if (vt == VT_BOOL)
        make_VARIANT_BOOL(r, &V_BOOL(value));
    else if (vt & VT_ARRAY)
        V_ARRAY(value) = make_array(r, vt & VT_TYPEMASK, NULL);
    else if (vt != VT_EMPTY && vt != VT_NULL)
        make_LONGLONG(r, &V_I8(value));
    V_VT(value) = vt;
    for (size_t i = 0; vt == (VT_ARRAY | VT_VARIANT) && V_ARRAY(value) && random_next(r) % 2 &&
                       i < count_array(V_ARRAY(value));
         i++)
        make_VARIANT(r, (VARIANT *)V_ARRAY(value)->pvData + i);
}

static void copy_VARIANT(const VARIANT *from, VARIANT *to)
{
    memset(to, 0, sizeof(*to));
    if (V_VT(from) == VT_RECORD) { /* not by Windows, which leaves the block when it clears one */
        if (FAILED(IRecordInfo_RecordCreateCopy(V_RECORDINFO(from), V_RECORD(from), &V_RECORD(to))))
            abort();
        V_RECORDINFO(to) = V_RECORDINFO(from);
        V_VT(to) = VT_RECORD;
    } else if (FAILED(VariantCopyInd(to, (VARIANT *)from))) {
        abort();
    }
}

static size_t variant_size(VARTYPE vt)
{
    switch (vt) {
    case VT_EMPTY:
    case VT_NULL:
        return 0;
    case VT_I1:
    case VT_UI1:
        return 1;
    case VT_I2:
    case VT_UI2:
    case VT_BOOL:
        return 2;
    case VT_I4:
    case VT_UI4:
    case VT_INT:
    case VT_UINT:
    case VT_ERROR:
    case VT_R4:
        return 4;
    default:
        return 8;
    }
}

static bool equal_VARIANT(const VARIANT *a, const VARIANT *b)
{
    if (V_VT(a) != V_VT(b))
        return false;
    if (V_VT(a) == VT_BSTR)
        return equal_BSTR(&V_BSTR(a), &V_BSTR(b));
    if (V_VT(a) == VT_DECIMAL) /* whose first two bytes are the type */
        return !memcmp(&a->decVal, &b->decVal, sizeof(DECIMAL));
    if (!(V_VT(a) & VT_ARRAY))
        return !memcmp(&V_I8(a), &V_I8(b), variant_size(V_VT(a)));
    const SAFEARRAY *x = V_ARRAY(a), *y = V_ARRAY(b);
    if (!x || !y || !same_form(x, y))
        return !x && !y;
    if (V_VT(a) != (VT_ARRAY | VT_VARIANT))
        return !memcmp(x->pvData, y->pvData, count_array(x) * x->cbElements);
    for (size_t i = 0; i < count_array(x); i++)
        if (!equal_VARIANT((VARIANT *)x->pvData + i, (VARIANT *)y->pvData + i))
            return false;
    return true;
}

static void free_VARIANT(VARIANT *value)
{
    if (V_VT(value) == VT_RECORD)
        IRecordInfo_RecordDestroy(V_RECORDINFO(value), V_RECORD(value));
    else
        VariantClear(value);
    V_VT(value) = VT_EMPTY;
}

#endif
