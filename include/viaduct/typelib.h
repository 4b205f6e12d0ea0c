/*
 * The metadata of interfaces: what viaduct-idl generates as `const` tables, and what a parsed JSON
 * form becomes in memory. One model serves the marshaller, introspection and calls by name.
 *
 * A type library is a set of arrays; types refer to each other by index, so that tables need no
 * pointers between types and a library that came from a peer can be checked completely before use.
 * Tables made by the compiler are immutable and live as long as their module.
 */
#ifndef VIADUCT_TYPELIB_H
#define VIADUCT_TYPELIB_H

#include <stdint.h>
#include <viaduct/guid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the table layout below; a library with another one is refused. */
#define VIA_TYPELIB_ABI 5u

/* "No such index" in every 16-bit index below. */
#define VIA_NO_INDEX 0xFFFFu

/* Numbers are part of the table ABI: append, never renumber. */
enum via_type_kind {
    VIA_TYPE_I8 = 1,
    VIA_TYPE_U8 = 2,
    VIA_TYPE_I16 = 3,
    VIA_TYPE_U16 = 4,
    VIA_TYPE_I32 = 5,
    VIA_TYPE_U32 = 6,
    VIA_TYPE_I64 = 7,
    VIA_TYPE_U64 = 8,
    VIA_TYPE_F32 = 9,
    VIA_TYPE_F64 = 10,
    VIA_TYPE_WCHAR = 11, /* one UTF-16 code unit */
    VIA_TYPE_BOOL = 12,  /* VARIANT_BOOL: 0 or -1 in 16 bits */
    VIA_TYPE_ENUM = 13,  /* `index` into enums; 32 bits, signed */
    VIA_TYPE_HRESULT = 14,
    VIA_TYPE_GUID = 15,
    VIA_TYPE_BSTR = 16,      /* may be NULL, and NULL stays NULL */
    VIA_TYPE_STRING8 = 17,   /* char *, UTF-8, zero-terminated */
    VIA_TYPE_STRING16 = 18,  /* WCHAR *, UTF-16, zero-terminated */
    VIA_TYPE_STRUCT = 19,    /* `index` into structs */
    VIA_TYPE_ARRAY = 20,     /* inline: `count` of `element` */
    VIA_TYPE_SIZED = 21,     /* pointer to `element`s; how many, `size_from` says */
    VIA_TYPE_POINTER = 22,   /* pointer to one `element` */
    VIA_TYPE_INTERFACE = 23, /* interface pointer; `index` into interfaces */
    VIA_TYPE_CY = 24,
    VIA_TYPE_DATE = 25,
    VIA_TYPE_DECIMAL = 26,
    VIA_TYPE_VARIANT = 27,
    VIA_TYPE_SAFEARRAY = 28, /* SAFEARRAY * of `element`s; may be NULL, and NULL stays NULL */
    VIA_TYPE_HANDLE = 29, /* a descriptor, or a HANDLE; `count` is an enum via_handle_kind. Only a
                           * parameter, [in] by value or [out] by reference */
    VIA_TYPE_UNION = 30,  /* `index` into unions; which arm, `size_from` says */
    /* A word of which nobody says what it means, such as a pointer to who knows how many elements:
     * the method has a slot, and a call of it from another process is refused. Only a parameter,
     * [in] by value. */
    VIA_TYPE_OPAQUE = 31
};

/* What a VIA_TYPE_HANDLE is a handle of. */
enum via_handle_kind {
    VIA_HANDLE_FILE = 1,
    VIA_HANDLE_PIPE = 2,
    VIA_HANDLE_SOCKET = 3,
    VIA_HANDLE_SECTION = 4, /* shared memory */
    VIA_HANDLE_EVENT = 5
};

/* Where something stands that a type needs to know: the number of a VIA_TYPE_SIZED type's elements,
 * how many elements of an array count (length_is), which arm of a union it is, or the IID of an
 * interface pointer (iid_is; else it is the interface's own). */
enum via_size_from {
    VIA_SIZE_NONE = 0,
    VIA_SIZE_PARAM = 1,     /* the index is that of a parameter of the same method */
    VIA_SIZE_FIELD = 2,     /* of a field of the same struct */
    VIA_SIZE_CONST = 3,     /* `count` elements */
    VIA_SIZE_EXPRESSION = 4 /* of one of the library's expressions */
};

/* Flags of a type. */
#define VIA_TYPE_NULLABLE 0x01u /* string, sized or pointer that may be NULL ([unique], [ptr]) */

struct via_type {
    uint8_t kind;      /* enum via_type_kind */
    uint8_t flags;     /* VIA_TYPE_... */
    uint8_t size_from; /* enum via_size_from, for VIA_TYPE_SIZED, _UNION and _INTERFACE */
    /* Of VIA_TYPE_SIZED and _ARRAY: only the first elements count. VIA_SIZE_NONE: all do. */
    uint8_t length_from;
    uint16_t index;   /* of a struct, union, enum or interface; else VIA_NO_INDEX */
    uint16_t element; /* type index of the element; else VIA_NO_INDEX */
    uint16_t size_index;
    uint16_t length_index;
    uint32_t count;
    /* The name by which it was declared: 1 and the index of an alias of the same shape; 0: none.
     * For people, generated files and COM's type libraries; how values are passed does not depend
     * on it.
     */
    uint16_t alias;
    uint16_t reserved; /* 0 */
};

/* Flags of an alias. */
#define VIA_ALIAS_PUBLIC 0x01u /* COM's type libraries have it, as MIDL's [public] says */

/* A typedef that gives a type another name. */
struct via_alias {
    const char *name;
    uint16_t type;    /* what it stands for; in that are only aliases in front of this one */
    uint16_t flags;   /* VIA_ALIAS_... */
    GUID uuid;        /* zeroes: none */
    const char *help; /* helpstring; NULL: none */
};

enum via_operator {
    VIA_OPERATOR_CONST = 1, /* `value` */
    VIA_OPERATOR_PARAM = 2, /* `left` is a parameter */
    VIA_OPERATOR_FIELD = 3, /* `left` is a field */
    VIA_OPERATOR_ADD = 4,   /* of `left` and `right`, which are expressions in front of this one */
    VIA_OPERATOR_SUBTRACT = 5,
    VIA_OPERATOR_MULTIPLY = 6,
    VIA_OPERATOR_DIVIDE = 7,
    VIA_OPERATOR_REMAINDER = 8,
    VIA_OPERATOR_SHIFT_LEFT = 9,
    VIA_OPERATOR_SHIFT_RIGHT = 10
};

/* "n * 2": computed in 64 bits. Where that overflows, or divides by 0, there is no value, and the
 * call is refused. */
struct via_expression {
    uint16_t op; /* enum via_operator */
    uint16_t left;
    uint16_t right;
    uint16_t reserved; /* 0 */
    int64_t value;
};

struct via_field {
    const char *name;
    uint16_t type;
};

/* Fields in order, naturally aligned as a C compiler aligns them on both systems. */
struct via_struct {
    const char *name;
    uint16_t n_fields;
    const struct via_field *fields;
    const char *help; /* helpstring; NULL: none */
};

/* An arm of a union. */
struct via_arm {
    const char *name; /* "" of an empty one */
    uint16_t type;    /* VIA_NO_INDEX: nothing is there */
};

struct via_case {
    int32_t value; /* of the discriminant; of an unsigned one its 32 bits */
    uint16_t arm;
};

/* A union without its discriminant, which stands beside it. */
struct via_union {
    const char *name;
    uint16_t n_arms;
    uint16_t n_cases;
    uint16_t default_arm; /* for all other values; VIA_NO_INDEX: they are wrong */
    const struct via_arm *arms;
    const struct via_case *cases;
    const char *help; /* helpstring; NULL: none */
};

struct via_enumerator {
    const char *name;
    int32_t value;
};

struct via_enum {
    const char *name;
    uint16_t n_values;
    const struct via_enumerator *values;
    const char *help; /* helpstring; NULL: none */
};

/* A constant that an attribute names. */
enum via_constant_kind {
    VIA_CONSTANT_INTEGER = 1, /* `integer`; also a truth, an enum's number, and 0 for NULL */
    VIA_CONSTANT_REAL = 2,    /* `real`, which is finite */
    VIA_CONSTANT_TEXT = 3     /* `text`, UTF-8 */
};

struct via_constant {
    uint16_t kind; /* enum via_constant_kind */
    int64_t integer;
    double real;
    const char *text; /* NULL for the other kinds */
};

/* Flags of a parameter. */
#define VIA_PARAM_IN     0x01u
#define VIA_PARAM_OUT    0x02u
#define VIA_PARAM_RETVAL 0x04u /* with OUT, last parameter */
/* The argument is a pointer to storage of the parameter's type: every [out] and [in,out] but an
 * array in the caller's buffer, an [in] struct or GUID by pointer, every fixed array. Without it
 * the argument is the value itself; for VIA_TYPE_SIZED that is the pointer to the caller's
 * elements, [out] too. */
#define VIA_PARAM_BY_REF 0x08u
#define VIA_PARAM_NULLABLE \
    0x10u /* with BY_REF, [in] only: the pointer itself may be NULL ([unique]) */
/* An [in] VIA_TYPE_SIZED of numbers, which the method may get in memory that its caller, of the
 * same user, shares with it. */
#define VIA_PARAM_IN_PLACE 0x20u
/* Callers by name may leave the argument out: it is `default_value` then, else a VARIANT that says
 * so (VT_ERROR, DISP_E_PARAMNOTFOUND), and 0, NULL or nothing for other types. */
#define VIA_PARAM_OPTIONAL 0x40u

struct via_param {
    const char *name;
    uint16_t type;  /* index into types */
    uint16_t flags; /* VIA_PARAM_... */
    /* With BY_REF: the name of the pointer that is passed, as that of a type: 1 and the index of an
     * alias that stands for a pointer to such a type; 0: none. */
    uint16_t alias;
    const struct via_constant *default_value; /* NULL: none; else the parameter is OPTIONAL too */
};

/* Flags of a method. */
#define VIA_METHOD_ONEWAY     0x01u
#define VIA_METHOD_PROPGET    0x02u
#define VIA_METHOD_PROPPUT    0x04u
#define VIA_METHOD_PROPPUTREF 0x08u
/* The last argument is a SAFEARRAY(VARIANT) of what callers by name give beyond the others. */
#define VIA_METHOD_VARARG     0x10u
#define VIA_METHOD_RESTRICTED 0x20u /* not for callers by name, unless its id is negative */
#define VIA_METHOD_HIDDEN     0x40u /* not shown to people who browse */

/* Every method returns HRESULT. What a method of a dispinterface returns is a [retval] here. */
struct via_method {
    const char *name;
    int32_t dispid; /* from id(), else assigned by the compiler in order, from 1 */
    uint16_t flags; /* VIA_METHOD_... */
    uint16_t n_params;
    const struct via_param *params;
    const char *help; /* helpstring; NULL: none */
};

/* Flags of an interface. */
#define VIA_INTERFACE_EXTERNAL      0x01u /* named here, described elsewhere: no methods */
#define VIA_INTERFACE_DUAL          0x02u
#define VIA_INTERFACE_OLEAUTOMATION 0x04u
/* Its base is IDispatch, and its methods are no slots: they are called by IDispatch::Invoke. */
#define VIA_INTERFACE_DISPINTERFACE 0x08u
#define VIA_INTERFACE_RESTRICTED    0x10u /* not for macro languages */
#define VIA_INTERFACE_HIDDEN        0x20u
#define VIA_INTERFACE_NONEXTENSIBLE 0x40u /* IDispatch has the described members only */

/* Own methods only; the first one's slot is 3 plus the methods of all bases below (IUnknown has
 * none of its own here). */
struct via_interface {
    const char *name;
    GUID iid;
    uint16_t base;  /* index into interfaces; VIA_NO_INDEX only for IUnknown itself */
    uint16_t flags; /* VIA_INTERFACE_... */
    uint16_t n_methods;
    const struct via_method *methods;
    const char *help; /* helpstring; NULL: none */
};

/* Flags of a coclass's interface. */
#define VIA_COCLASS_DEFAULT    0x01u
#define VIA_COCLASS_SOURCE     0x02u
#define VIA_COCLASS_RESTRICTED 0x04u

struct via_coclass_interface {
    uint16_t interface_index;
    uint16_t flags; /* VIA_COCLASS_... */
};

/* Flags of a coclass itself. */
#define VIA_CLASS_HIDDEN       0x01u
#define VIA_CLASS_NONCREATABLE 0x02u /* its objects come from others' methods only */

struct via_coclass {
    const char *name;
    GUID clsid;
    uint16_t flags; /* VIA_CLASS_... */
    uint16_t n_interfaces;
    const struct via_coclass_interface *interfaces;
    const char *help; /* helpstring; NULL: none */
};

/* Flags of a type library. */
#define VIA_LIBRARY_RESTRICTED 0x01u
#define VIA_LIBRARY_HIDDEN     0x02u

struct via_typelib {
    uint32_t abi;  /* VIA_TYPELIB_ABI */
    uint32_t size; /* sizeof(struct via_typelib) of the compiler that made it */
    const char *name;
    GUID libid;
    uint16_t version_major;
    uint16_t version_minor;
    uint16_t n_types;
    uint16_t n_structs;
    uint16_t n_enums;
    uint16_t n_interfaces;
    uint16_t n_coclasses;
    const struct via_type *types;
    const struct via_struct *structs;
    const struct via_enum *enums;
    const struct via_interface *interfaces;
    const struct via_coclass *coclasses;
    uint16_t n_unions;
    uint16_t n_expressions;
    const struct via_union *unions;
    const struct via_expression *expressions;
    uint16_t flags; /* VIA_LIBRARY_... */
    uint16_t n_aliases;
    const char *help; /* helpstring; NULL: none */
    const struct via_alias *aliases;
};

#ifdef __cplusplus
}
#endif

#endif
