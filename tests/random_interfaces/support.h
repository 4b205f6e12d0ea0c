/*
 * What the generated sources share: a random number generator, and making, copying, comparing and
 * freeing values of the basic types. Everything is static: two generated files use it, each on its
 * own.
 */
#ifndef TESTS_RANDOM_INTERFACES_SUPPORT_H
#define TESTS_RANDOM_INTERFACES_SUPPORT_H

#include "random.h"

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
REAL_TYPE(float)
REAL_TYPE(double)

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
    UINT n = random_next(r) % 16;
    for (UINT i = 0; i < n; i++)
        text[i] = (WCHAR)(1 + random_next(r) % 0xD000);
    *value = random_next(r) % 8 ? SysAllocStringLen(text, n) : NULL;
}

static void copy_BSTR(const BSTR *from, BSTR *to)
{
    *to = *from ? SysAllocStringLen(*from, SysStringLen(*from)) : NULL;
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

#endif
