/*
 * Signatures for members that nobody describes, and only an object's own IDispatch knows: so many
 * VARIANTs go in, and perhaps one comes out. They are no interface that an object could have.
 */
#include "com/typelib/builtin.h"

#define MEMBERS_IID                                        \
    {                                                      \
        0x8C1D5A34, 0x6F0B, 0x4B7E,                        \
        {                                                  \
            0x9A, 0x52, 0x3F, 0x6F, 0x0F, 0x2F, 0x1B, 0x21 \
        }                                                  \
    }

const GUID builtin_iid_members = MEMBERS_IID;

enum { TYPE_VARIANT };

static const struct via_type types[] = {
    [TYPE_VARIANT] = {.kind = VIA_TYPE_VARIANT, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX},
};

#define ARGUMENT(n)                                                        \
    {                                                                      \
        .name = "argument" #n, .type = TYPE_VARIANT, .flags = VIA_PARAM_IN \
    }

/* The last ones of these, with the result or without. */
static const struct via_param params[BUILTIN_MEMBERS_MAX + 1] = {
    ARGUMENT(16),
    ARGUMENT(15),
    ARGUMENT(14),
    ARGUMENT(13),
    ARGUMENT(12),
    ARGUMENT(11),
    ARGUMENT(10),
    ARGUMENT(9),
    ARGUMENT(8),
    ARGUMENT(7),
    ARGUMENT(6),
    ARGUMENT(5),
    ARGUMENT(4),
    ARGUMENT(3),
    ARGUMENT(2),
    ARGUMENT(1),
    {.name = "result",
     .type = TYPE_VARIANT,
     .flags = VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF},
};

/* In this order: BUILTIN_MEMBER_... in builtin.h. */
#define MEMBERS(n)                                                                          \
    {.name = "Do" #n,                                                                       \
     .dispid = 3 * (n) + 1,                                                                 \
     .n_params = (n),                                                                       \
     .params = &params[BUILTIN_MEMBERS_MAX - (n)]},                                         \
        {.name = "Give" #n,                                                                 \
         .dispid = 3 * (n) + 2,                                                             \
         .n_params = (n) + 1,                                                               \
         .params = &params[BUILTIN_MEMBERS_MAX - (n)]},                                     \
    {                                                                                       \
        .name = "Put" #n, .dispid = 3 * (n) + 3, .flags = (n) > 0 ? VIA_METHOD_PROPPUT : 0, \
        .n_params = (n), .params = &params[BUILTIN_MEMBERS_MAX - (n)]                       \
    }

static const struct via_method methods[] = {
    MEMBERS(0),  MEMBERS(1),  MEMBERS(2),  MEMBERS(3),  MEMBERS(4),  MEMBERS(5),
    MEMBERS(6),  MEMBERS(7),  MEMBERS(8),  MEMBERS(9),  MEMBERS(10), MEMBERS(11),
    MEMBERS(12), MEMBERS(13), MEMBERS(14), MEMBERS(15), MEMBERS(16),
};

static const struct via_interface interfaces[] = {
    {.name = "IUnknown",
     .iid = {0x00000000, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
     .base = VIA_NO_INDEX,
     .flags = VIA_INTERFACE_EXTERNAL},
    {.name = "IDispatch",
     .iid = {0x00020400, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
     .base = 0,
     .flags = VIA_INTERFACE_EXTERNAL},
    {.name = "Members",
     .iid = MEMBERS_IID,
     .base = 1,
     .flags = VIA_INTERFACE_DISPINTERFACE,
     .n_methods = sizeof methods / sizeof methods[0],
     .methods = methods},
};

const struct via_typelib builtin_members_typelib = {
    .abi = VIA_TYPELIB_ABI,
    .size = sizeof(struct via_typelib),
    .name = "BuiltinMembers",
    .libid = MEMBERS_IID,
    .version_major = 1,
    .n_types = sizeof types / sizeof types[0],
    .n_interfaces = sizeof interfaces / sizeof interfaces[0],
    .types = types,
    .interfaces = interfaces,
};
