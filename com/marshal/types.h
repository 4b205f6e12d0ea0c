/*
 * Types as the walkers want them: each type of a library once, with its layout worked out and
 * its references turned into pointers. Calls look nothing up and compute no offset.
 */
#ifndef COM_MARSHAL_TYPES_H
#define COM_MARSHAL_TYPES_H

#include "com/typelib/typelib.h"

#include <viaduct/record_info.h>

struct plan_struct;
struct plan_union;

struct plan_type {
    uint8_t kind;        /* enum via_type_kind */
    uint8_t size_from;   /* enum via_size_from */
    uint8_t length_from; /* the same */
    bool is_nullable;
    bool is_plain;    /* no pointers in it: nothing to free */
    bool is_any;      /* IUnknown or IDispatch: an array of them says which interface it is of */
    bool is_verbatim; /* plain, its payload is its native bytes, and any bytes are a value */
    uint8_t alignment;
    uint8_t wire_alignment; /* how the payload aligns it */
    uint16_t size_index;    /* of the parameter, field or expression, as `size_from` says */
    uint16_t length_index;  /* as `length_from` says */
    uint32_t size;          /* of a value that is passed by value or stored */
    uint32_t wire_minimum;  /* the fewest bytes that one takes in a payload */
    uint32_t count;
    const struct plan_type *element;          /* of arrays and pointers */
    const struct plan_struct *record;         /* of structs */
    const struct via_enum *enumeration;       /* of enums */
    const struct plan_union *choice;          /* of unions */
    const GUID *iid;                          /* of interfaces */
    const struct via_expression *expressions; /* the library's */
};

struct plan_arm {
    const char *name;
    const struct plan_type *type; /* NULL: nothing is there */
};

struct plan_union {
    const char *name;
    uint16_t n_arms;
    uint16_t n_cases;
    const struct plan_arm *default_arm; /* or NULL */
    struct plan_arm *arms;
    const struct via_case *cases;
};

/* The arm that a discriminant, of which 32 bits count, selects; NULL: there is none. */
const struct plan_arm *plan_arm(const struct plan_union *choice, int64_t which);

struct plan_field {
    const char *name;
    const struct plan_type *type;
    uint32_t offset;
    bool is_size;       /* counts arrays of its struct: can be filled in by name */
    bool is_needed;     /* others are read and made by it: a size, a discriminant, an IID */
    uint16_t size_slot; /* of those that are sizes, the how manieth it is */
};

struct plan_struct {
    IRecordInfo IRecordInfo_iface; /* record_info.c */
    const struct via_typelib *lib;
    uint16_t index; /* in the library's structs */
    const char *name;
    uint16_t n_fields;
    uint16_t n_sizes;             /* fields that count arrays */
    bool has_needs;               /* of one field others say what it is */
    const struct plan_type *type; /* one of the types that are this struct, or a type of its own */
    struct plan_field *fields;
};

/* The types of a library that the catalogue has, by index. Made at the first use and kept as long
 * as the process; NULL without memory. Any thread. */
const struct plan_type *plan_types(const struct via_typelib *lib);
/* The same of its structs, those too that nothing but a VARIANT could have. */
const struct plan_struct *plan_structs(const struct via_typelib *lib);

#endif
