/* What stands in square brackets. */
#ifndef COM_IDL_ATTRIBUTES_H
#define COM_IDL_ATTRIBUTES_H

#include "com/idl/expression.h"

#include <stdint.h>
#include <viaduct/guid.h>

struct parser;

/* Where the brackets stand: an attribute that makes no sense there is refused. */
enum attribute_place {
    PLACE_INTERFACE = 1,
    PLACE_METHOD = 2,
    PLACE_PARAM = 4,
    PLACE_FIELD = 8,
    PLACE_LIBRARY = 16,
    PLACE_COCLASS = 32,
    PLACE_MEMBER = 64, /* of a coclass */
    PLACE_TYPEDEF = 128,
    PLACE_ARM = 256,      /* of a union; a field too */
    PLACE_UNION = 512,    /* in front of the keyword */
    PLACE_PROPERTY = 1024 /* in the list of a dispinterface */
};

enum attribute_flag {
    ATTRIBUTE_IN = 1,
    ATTRIBUTE_OUT = 2,
    ATTRIBUTE_RETVAL = 4,
    ATTRIBUTE_STRING = 8,
    ATTRIBUTE_UNIQUE = 16, /* or ptr: may be NULL */
    ATTRIBUTE_REF = 32,
    ATTRIBUTE_ONEWAY = 64,
    ATTRIBUTE_PROPGET = 128,
    ATTRIBUTE_PROPPUT = 256,
    ATTRIBUTE_PROPPUTREF = 512,
    ATTRIBUTE_DUAL = 1024,
    ATTRIBUTE_OLEAUTOMATION = 2048,
    ATTRIBUTE_DEFAULT = 4096,
    ATTRIBUTE_SOURCE = 8192,
    ATTRIBUTE_UUID = 16384,
    ATTRIBUTE_ID = 32768,
    ATTRIBUTE_OBJECT = 65536,
    ATTRIBUTE_IN_PLACE = 131072,
    ATTRIBUTE_OPTIONAL = 1 << 18,
    ATTRIBUTE_VARARG = 1 << 19,
    ATTRIBUTE_RESTRICTED = 1 << 20,
    ATTRIBUTE_HIDDEN = 1 << 21,
    ATTRIBUTE_NONEXTENSIBLE = 1 << 22,
    ATTRIBUTE_NONCREATABLE = 1 << 23,
    ATTRIBUTE_READONLY = 1 << 24,
    ATTRIBUTE_PUBLIC = 1 << 25
};

/* One part of size_is(a, b): what gives the number of elements at one level of pointers; and of
 * length_is(a, b) the same, how many of them count. NULL: nothing is given. */
#define MAX_SIZE_EXPRESSIONS 4

/* Of a union's arm. */
struct case_label {
    int64_t value;
    struct position position;
};

struct attributes {
    unsigned flags;
    GUID uuid;
    int32_t id;
    uint16_t version_major;
    uint16_t version_minor;
    const struct expression *sizes[MAX_SIZE_EXPRESSIONS];
    unsigned n_sizes;
    uint32_t handle_kind; /* enum via_handle_kind; 0: not given */
    const struct expression *lengths[MAX_SIZE_EXPRESSIONS];
    unsigned n_lengths;
    const struct expression *switch_is; /* a name */
    const struct expression *iid_is;
    uint8_t switch_kind; /* switch_type: enum via_type_kind */
    struct case_label *cases;
    size_t n_cases;
    const struct via_constant *default_value; /* NULL: none */
    const char *help;                         /* helpstring; NULL: none */
    struct position position;
};

/* Parses "[...]" if there is one. */
bool attributes_parse(struct parser *parser, unsigned place, struct attributes *attributes);
/* A type that a discriminant can have: integers of at most 32 bits, and enums. */
bool attributes_switch_kind(struct parser *parser, uint8_t *kind);

#endif
