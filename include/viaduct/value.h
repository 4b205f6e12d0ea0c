/*
 * Values: arguments of calls by name, whatever the types of the method.
 *
 * A value owns what it holds: text, items, a reference to an object. Zeroed memory is the null
 * value. Values are not locked; a value belongs to one thread at a time.
 */
#ifndef VIADUCT_VALUE_H
#define VIADUCT_VALUE_H

#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

enum via_value_kind {
    VIA_VALUE_NULL = 0,
    VIA_VALUE_BOOL = 1,
    VIA_VALUE_I64 = 2,
    VIA_VALUE_U64 = 3, /* what does not fit into I64 */
    VIA_VALUE_F64 = 4,
    VIA_VALUE_STRING = 5, /* UTF-8 */
    VIA_VALUE_GUID = 6,
    VIA_VALUE_LIST = 7,
    VIA_VALUE_STRUCT = 8,
    VIA_VALUE_OBJECT = 9
};

struct via_value_field;

struct via_value {
    uint32_t kind; /* enum via_value_kind */
    uint32_t n;    /* bytes of a string, items of a list, fields of a struct */
    union {
        int boolean;
        int64_t i64;
        uint64_t u64;
        double f64;
        char *string; /* zero-terminated; may hold zeroes: `n` counts */
        GUID guid;
        struct via_value *items;
        struct via_value_field *fields;
        IUnknown *object;
    } as;
};

struct via_value_field {
    char *name;
    struct via_value value;
};

/* Frees what the value holds and makes it null. */
VIA_API void via_value_clear(struct via_value *value);
/* Copies `size` bytes of UTF-8. E_OUTOFMEMORY; the old content is gone in any case. */
VIA_API HRESULT via_value_set_string(struct via_value *value, const char *text, size_t size);
/* Takes a reference of its own. NULL gives the null value. */
VIA_API void via_value_set_object(struct via_value *value, IUnknown *object);
/* A list of `n` nulls. */
VIA_API HRESULT via_value_set_list(struct via_value *value, uint32_t n);
/* Adds a null item at the end of a list (a null becomes one) and gives it. */
VIA_API HRESULT via_value_append(struct via_value *list, struct via_value **item);
/* Adds a null field to a struct (a null becomes one) and gives it. */
VIA_API HRESULT via_value_add_field(struct via_value *record, const char *name,
                                    struct via_value **field);
/* NULL when there is none, or it is no struct. */
VIA_API const struct via_value *via_value_field(const struct via_value *record, const char *name);

/* Reads JSON; numbers become I64, U64 or F64. E_INVALIDARG says where it is wrong. */
VIA_API HRESULT via_value_from_json(const char *text, struct via_value *value);
/* Writes JSON, for via_value_free_text(); objects become null, GUIDs strings, numbers that JSON has
 * no form for the strings "NaN", "Infinity", "-Infinity". `indent`: spaces a level, 0: one line. */
VIA_API HRESULT via_value_to_json(const struct via_value *value, unsigned indent, char **text);
VIA_API void via_value_free_text(char *text);

#ifdef __cplusplus
}
#endif

#endif
