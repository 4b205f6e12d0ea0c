/*
 * The arguments of calls by name, <viaduct/late.h>: any type of C's as struct via_argument, by
 * _Generic in C and by overloading in C++. Programs use the macros there and not these functions.
 */
#ifndef VIADUCT_LATE_ARGUMENTS_H
#define VIADUCT_LATE_ARGUMENTS_H

#include <string.h>
#include <viaduct/com.h>
#include <viaduct/value.h>

enum via_argument_kind {
    VIA_ARGUMENT_NULL = 0, /* NULL goes in */
    VIA_ARGUMENT_BOOL = 1,
    VIA_ARGUMENT_I64 = 2,
    VIA_ARGUMENT_U64 = 3,
    VIA_ARGUMENT_F64 = 4,
    VIA_ARGUMENT_TEXT = 5, /* UTF-8 */
    VIA_ARGUMENT_WIDE = 6, /* UTF-16, zero-terminated */
    VIA_ARGUMENT_GUID = 7,
    VIA_ARGUMENT_OBJECT = 8,
    VIA_ARGUMENT_VALUE = 9,
    VIA_ARGUMENT_VARIANT = 10,
    VIA_ARGUMENT_JSON = 11,
    VIA_ARGUMENT_WRONG = 12, /* a void pointer: of what? */
    /* `as.result` points to: */
    VIA_RESULT_I8 = 32,
    VIA_RESULT_U8 = 33,
    VIA_RESULT_I16 = 34,
    VIA_RESULT_I32 = 35,
    VIA_RESULT_U32 = 36,
    VIA_RESULT_I64 = 37,
    VIA_RESULT_U64 = 38,
    VIA_RESULT_F32 = 39,
    VIA_RESULT_F64 = 40,
    VIA_RESULT_BOOL = 41,
    VIA_RESULT_TEXT = 42, /* char *, for via_value_free_text() */
    VIA_RESULT_WIDE = 43, /* BSTR, for SysFreeString() */
    VIA_RESULT_GUID = 44,
    VIA_RESULT_OBJECT = 45,   /* IUnknown * or void *: the interface that the method says */
    VIA_RESULT_DISPATCH = 46, /* IDispatch * */
    VIA_RESULT_VALUE = 47,    /* struct via_value, for via_value_clear() */
    VIA_RESULT_VARIANT = 48,  /* VARIANT, for VariantClear() */
    VIA_RESULT_JSON = 49,     /* char *, for via_value_free_text() */
    VIA_RESULT_IGNORED = 50
};

/* One argument. What it points to is borrowed for the call. */
struct via_argument {
    uint32_t kind;     /* enum via_argument_kind */
    uint32_t reserved; /* 0 */
    const char *name;  /* of the parameter, without case; NULL: by position */
    union {
        int boolean;
        int64_t i64;
        uint64_t u64;
        double f64;
        const char *text;
        const WCHAR *wide;
        GUID guid;
        IUnknown *object;
        struct via_value value; /* not copied, nor cleared */
        VARIANT variant;        /* the same */
        void *result;
    } as;
};

/* --- one argument --- */

static inline struct via_argument via_argument_make(uint32_t kind)
{
    struct via_argument argument;
    memset(&argument, 0, sizeof(argument));
    argument.kind = kind;
    return argument;
}

static inline struct via_argument via_argument_boolean(int x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_BOOL);
    argument.as.boolean = x;
    return argument;
}

static inline struct via_argument via_argument_i64(long long x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_I64);
    argument.as.i64 = x;
    return argument;
}

static inline struct via_argument via_argument_u64(unsigned long long x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_U64);
    argument.as.u64 = x;
    return argument;
}

static inline struct via_argument via_argument_f64(double x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_F64);
    argument.as.f64 = x;
    return argument;
}

/* A text that is NULL goes in as null. */
static inline struct via_argument via_argument_text(const char *x)
{
    struct via_argument argument = via_argument_make(x ? VIA_ARGUMENT_TEXT : VIA_ARGUMENT_NULL);
    argument.as.text = x;
    return argument;
}

static inline struct via_argument via_argument_wide(const WCHAR *x)
{
    struct via_argument argument = via_argument_make(x ? VIA_ARGUMENT_WIDE : VIA_ARGUMENT_NULL);
    argument.as.wide = x;
    return argument;
}

static inline struct via_argument via_argument_guid(GUID x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_GUID);
    argument.as.guid = x;
    return argument;
}

static inline struct via_argument via_argument_guid_at(const GUID *x)
{
    return x ? via_argument_guid(*x) : via_argument_make(VIA_ARGUMENT_NULL);
}

static inline struct via_argument via_argument_object(IUnknown *x)
{
    struct via_argument argument = via_argument_make(x ? VIA_ARGUMENT_OBJECT : VIA_ARGUMENT_NULL);
    argument.as.object = x;
    return argument;
}

static inline struct via_argument via_argument_dispatch(IDispatch *x)
{
    return via_argument_object((IUnknown *)x);
}

static inline struct via_argument via_argument_value(struct via_value x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_VALUE);
    argument.as.value = x;
    return argument;
}

static inline struct via_argument via_argument_variant(VARIANT x)
{
    struct via_argument argument = via_argument_make(VIA_ARGUMENT_VARIANT);
    argument.as.variant = x;
    return argument;
}

/* NULL; other pointers to void are refused when the call is made. */
static inline struct via_argument via_argument_pointer(const void *x)
{
    return via_argument_make(x ? VIA_ARGUMENT_WRONG : VIA_ARGUMENT_NULL);
}

static inline struct via_argument via_argument_same(struct via_argument x)
{
    return x;
}

static inline struct via_argument via_argument_result(uint32_t kind, void *x)
{
    struct via_argument argument = via_argument_make(x ? kind : (uint32_t)VIA_RESULT_IGNORED);
    argument.as.result = x;
    return argument;
}

#ifdef __cplusplus
#define VIA_C_BOOL bool
#else
#define VIA_C_BOOL _Bool
#endif

#define VIA_RESULT(name, type, kind)                             \
    static inline struct via_argument via_result_##name(type *x) \
    {                                                            \
        return via_argument_result(kind, x);                     \
    }
VIA_RESULT(i8, signed char, VIA_RESULT_I8)
VIA_RESULT(u8, unsigned char, VIA_RESULT_U8)
VIA_RESULT(i16, short, VIA_RESULT_I16)
VIA_RESULT(i32, int, VIA_RESULT_I32)
VIA_RESULT(u32, unsigned int, VIA_RESULT_U32)
VIA_RESULT(i64, long long, VIA_RESULT_I64)
VIA_RESULT(u64, unsigned long long, VIA_RESULT_U64)
VIA_RESULT(f32, float, VIA_RESULT_F32)
VIA_RESULT(f64, double, VIA_RESULT_F64)
VIA_RESULT(boolean, VIA_C_BOOL, VIA_RESULT_BOOL)
VIA_RESULT(text, char *, VIA_RESULT_TEXT)
VIA_RESULT(wide, WCHAR *, VIA_RESULT_WIDE)
VIA_RESULT(guid, GUID, VIA_RESULT_GUID)
VIA_RESULT(object, IUnknown *, VIA_RESULT_OBJECT)
VIA_RESULT(pointer, void *, VIA_RESULT_OBJECT)
VIA_RESULT(dispatch, IDispatch *, VIA_RESULT_DISPATCH)
VIA_RESULT(value, struct via_value, VIA_RESULT_VALUE)
VIA_RESULT(variant, VARIANT, VIA_RESULT_VARIANT)
VIA_RESULT(long, long, sizeof(long) == 8 ? VIA_RESULT_I64 : VIA_RESULT_I32)
VIA_RESULT(ulong, unsigned long, sizeof(long) == 8 ? VIA_RESULT_U64 : VIA_RESULT_U32)
#undef VIA_RESULT

#ifndef __cplusplus

/* `char *` is text, and so is `WCHAR *`, which is `unsigned short *` too: such a result goes into
 * an int. */
#define VIA_ARGUMENT(x) \
    _Generic((x), _Bool: via_argument_boolean, char: via_argument_i64,                             \
             signed char: via_argument_i64, unsigned char: via_argument_u64,                       \
             short: via_argument_i64, unsigned short: via_argument_u64, int: via_argument_i64,     \
             unsigned int: via_argument_u64, long: via_argument_i64,                               \
             unsigned long: via_argument_u64, long long: via_argument_i64,                         \
             unsigned long long: via_argument_u64, float: via_argument_f64,                        \
             double: via_argument_f64, char *: via_argument_text, const char *: via_argument_text, \
             WCHAR *: via_argument_wide, const WCHAR *: via_argument_wide,                         \
             GUID: via_argument_guid, const GUID *: via_argument_guid_at,                          \
             IUnknown *: via_argument_object, IDispatch *: via_argument_dispatch,                  \
             struct via_value: via_argument_value, VARIANT: via_argument_variant,                  \
             void *: via_argument_pointer, struct via_argument: via_argument_same,                 \
             signed char *: via_result_i8, unsigned char *: via_result_u8, short *: via_result_i16,\
             int *: via_result_i32, unsigned int *: via_result_u32, long *: via_result_long,       \
             unsigned long *: via_result_ulong, long long *: via_result_i64,                       \
             unsigned long long *: via_result_u64, float *: via_result_f32,                        \
             double *: via_result_f64, _Bool *: via_result_boolean, char **: via_result_text,      \
             WCHAR **: via_result_wide, GUID *: via_result_guid, IUnknown **: via_result_object,   \
             void **: via_result_pointer, IDispatch **: via_result_dispatch,                       \
             struct via_value *: via_result_value, VARIANT *: via_result_variant)(x)

#else /* __cplusplus */

#define VIA_ARGUMENT(x) via_argument_of(x)
#define VIA_OVERLOAD(type, function)                          \
    static inline struct via_argument via_argument_of(type x) \
    {                                                         \
        return function(x);                                   \
    }
VIA_OVERLOAD(bool, via_argument_boolean)
VIA_OVERLOAD(char, via_argument_i64)
VIA_OVERLOAD(signed char, via_argument_i64)
VIA_OVERLOAD(unsigned char, via_argument_u64)
VIA_OVERLOAD(short, via_argument_i64)
VIA_OVERLOAD(unsigned short, via_argument_u64)
VIA_OVERLOAD(int, via_argument_i64)
VIA_OVERLOAD(unsigned int, via_argument_u64)
VIA_OVERLOAD(long, via_argument_i64)
VIA_OVERLOAD(unsigned long, via_argument_u64)
VIA_OVERLOAD(long long, via_argument_i64)
VIA_OVERLOAD(unsigned long long, via_argument_u64)
VIA_OVERLOAD(float, via_argument_f64)
VIA_OVERLOAD(double, via_argument_f64)
VIA_OVERLOAD(const char *, via_argument_text)
VIA_OVERLOAD(const WCHAR *, via_argument_wide)
VIA_OVERLOAD(WCHAR *, via_argument_wide)
VIA_OVERLOAD(GUID, via_argument_guid)
VIA_OVERLOAD(const GUID *, via_argument_guid_at)
VIA_OVERLOAD(IUnknown *, via_argument_object)
VIA_OVERLOAD(IDispatch *, via_argument_dispatch)
VIA_OVERLOAD(const struct via_value &, via_argument_value)
VIA_OVERLOAD(const VARIANT &, via_argument_variant)
VIA_OVERLOAD(decltype(nullptr), via_argument_pointer)
VIA_OVERLOAD(const struct via_argument &, via_argument_same)
VIA_OVERLOAD(signed char *, via_result_i8)
VIA_OVERLOAD(unsigned char *, via_result_u8)
VIA_OVERLOAD(short *, via_result_i16)
VIA_OVERLOAD(int *, via_result_i32)
VIA_OVERLOAD(unsigned int *, via_result_u32)
VIA_OVERLOAD(long long *, via_result_i64)
VIA_OVERLOAD(unsigned long long *, via_result_u64)
VIA_OVERLOAD(float *, via_result_f32)
VIA_OVERLOAD(double *, via_result_f64)
VIA_OVERLOAD(VIA_C_BOOL *, via_result_boolean)
VIA_OVERLOAD(char **, via_result_text)
VIA_OVERLOAD(WCHAR **, via_result_wide)
VIA_OVERLOAD(GUID *, via_result_guid)
VIA_OVERLOAD(IUnknown **, via_result_object)
VIA_OVERLOAD(void **, via_result_pointer)
VIA_OVERLOAD(IDispatch **, via_result_dispatch)
VIA_OVERLOAD(struct via_value *, via_result_value)
VIA_OVERLOAD(VARIANT *, via_result_variant)
VIA_OVERLOAD(long *, via_result_long)
VIA_OVERLOAD(unsigned long *, via_result_ulong)
#undef VIA_OVERLOAD

#endif /* __cplusplus */

static inline struct via_argument via_argument_named(const char *name, struct via_argument argument)
{
    argument.name = name;
    return argument;
}

static inline struct via_argument via_argument_json(const char *text)
{
    struct via_argument argument = via_argument_text(text);
    if (text)
        argument.kind = VIA_ARGUMENT_JSON;
    return argument;
}

static inline struct via_argument via_result_json(char **text)
{
    return via_argument_result(VIA_RESULT_JSON, text);
}

/* --- a list of them --- */

#define VIA_EACH_1(a)       VIA_ARGUMENT(a)
#define VIA_EACH_2(a, ...)  VIA_ARGUMENT(a), VIA_EACH_1(__VA_ARGS__)
#define VIA_EACH_3(a, ...)  VIA_ARGUMENT(a), VIA_EACH_2(__VA_ARGS__)
#define VIA_EACH_4(a, ...)  VIA_ARGUMENT(a), VIA_EACH_3(__VA_ARGS__)
#define VIA_EACH_5(a, ...)  VIA_ARGUMENT(a), VIA_EACH_4(__VA_ARGS__)
#define VIA_EACH_6(a, ...)  VIA_ARGUMENT(a), VIA_EACH_5(__VA_ARGS__)
#define VIA_EACH_7(a, ...)  VIA_ARGUMENT(a), VIA_EACH_6(__VA_ARGS__)
#define VIA_EACH_8(a, ...)  VIA_ARGUMENT(a), VIA_EACH_7(__VA_ARGS__)
#define VIA_EACH_9(a, ...)  VIA_ARGUMENT(a), VIA_EACH_8(__VA_ARGS__)
#define VIA_EACH_10(a, ...) VIA_ARGUMENT(a), VIA_EACH_9(__VA_ARGS__)
#define VIA_EACH_11(a, ...) VIA_ARGUMENT(a), VIA_EACH_10(__VA_ARGS__)
#define VIA_EACH_12(a, ...) VIA_ARGUMENT(a), VIA_EACH_11(__VA_ARGS__)
#define VIA_EACH_13(a, ...) VIA_ARGUMENT(a), VIA_EACH_12(__VA_ARGS__)
#define VIA_EACH_14(a, ...) VIA_ARGUMENT(a), VIA_EACH_13(__VA_ARGS__)
#define VIA_EACH_15(a, ...) VIA_ARGUMENT(a), VIA_EACH_14(__VA_ARGS__)
#define VIA_EACH_16(a, ...) VIA_ARGUMENT(a), VIA_EACH_15(__VA_ARGS__)

/* clang-format off */
#define VIA_COUNT(...) \
    VIA_PICK(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define VIA_PICK(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, n, ...) n
/* clang-format on */
#define VIA_JOIN(a, b)  VIA_JOIN_(a, b)
#define VIA_JOIN_(a, b) a##b
#define VIA_EACH(...)   VIA_JOIN(VIA_EACH_, VIA_COUNT(__VA_ARGS__))(__VA_ARGS__)

#ifndef __cplusplus
#define VIA_LATE(object, form, ...)                                                     \
    via_invoke_list(object, form, (const struct via_argument[]){VIA_EACH(__VA_ARGS__)}, \
                    VIA_COUNT(__VA_ARGS__))
#else
template <class... Arguments>
static inline HRESULT via_invoke_each(IUnknown *object, uint32_t form, const Arguments &...all)
{
    const struct via_argument list[] = {all...};
    return via_invoke_list(object, form, list, sizeof...(all));
}
#define VIA_LATE(object, form, ...) via_invoke_each(object, form, VIA_EACH(__VA_ARGS__))
#endif

#endif
