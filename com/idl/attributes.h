/* What stands in square brackets. */
#ifndef COM_IDL_ATTRIBUTES_H
#define COM_IDL_ATTRIBUTES_H

#include "com/idl/source.h"

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
    PLACE_TYPEDEF = 128
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
    ATTRIBUTE_IN_PLACE = 131072
};

/* One part of size_is(a, b): what gives the number of elements at one level of pointers. */
struct size_expression {
    const char *name; /* a parameter or field; NULL: a number, or nothing */
    bool dereference; /* "*name" */
    int64_t number;
    bool is_given;
    struct position position;
};

#define MAX_SIZE_EXPRESSIONS 4

struct attributes {
    unsigned flags;
    GUID uuid;
    int32_t id;
    uint16_t version_major;
    uint16_t version_minor;
    struct size_expression sizes[MAX_SIZE_EXPRESSIONS];
    unsigned n_sizes;
    uint32_t handle_kind; /* enum via_handle_kind; 0: not given */
    struct position position;
};

/* Parses "[...]" if there is one. */
bool attributes_parse(struct parser *parser, unsigned place, struct attributes *attributes);

#endif
