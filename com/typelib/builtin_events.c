/*
 * Connection points, their enumerators, and weak references: COM's own interfaces, described as
 * they travel.
 *
 * IWeakReference::Resolve gives whatever interface is asked for; it goes as the IUnknown that it
 * derives from, and the caller's proxy makes the interface of it (com/remote/local_slots.h).
 */
#include "com/typelib/builtin.h"

#define POINT_IID(last)                                    \
    {                                                      \
        0xB196B200u | (last), 0xBAB4, 0x101A,              \
        {                                                  \
            0xB6, 0x9C, 0x00, 0xAA, 0x00, 0x34, 0x1D, 0x07 \
        }                                                  \
    }
#define COM_IID(first)                   \
    {                                    \
        first, 0, 0,                     \
        {                                \
            0xC0, 0, 0, 0, 0, 0, 0, 0x46 \
        }                                \
    }

const GUID builtin_iid_enum_points = POINT_IID(0x85);
const GUID builtin_iid_enum_connections = POINT_IID(0x87);
const GUID builtin_iid_weak_reference = COM_IID(0x00000037);

enum {
    INTERFACE_UNKNOWN,
    INTERFACE_CONTAINER,
    INTERFACE_POINT,
    INTERFACE_ENUM_POINTS,
    INTERFACE_ENUM_CONNECTIONS,
    INTERFACE_WEAK,
    INTERFACE_WEAK_SOURCE
};

enum {
    TYPE_UNKNOWN,
    TYPE_CONTAINER,
    TYPE_POINT,
    TYPE_ENUM_POINTS,
    TYPE_ENUM_CONNECTIONS,
    TYPE_WEAK,
    TYPE_GUID,
    TYPE_ULONG,
    TYPE_CONNECTION,
    TYPE_POINT_LIST,
    TYPE_CONNECTION_LIST
};

#define INTERFACE_TYPE(i)                                                 \
    {                                                                     \
        .kind = VIA_TYPE_INTERFACE, .index = (i), .element = VIA_NO_INDEX \
    }
/* As many as the method's first parameter says. */
#define LIST_TYPE(e)                                                                \
    {                                                                               \
        .kind = VIA_TYPE_SIZED, .size_from = VIA_SIZE_PARAM, .index = VIA_NO_INDEX, \
        .element = (e), .size_index = 0                                             \
    }

static const struct via_type types[] = {
    [TYPE_UNKNOWN] = INTERFACE_TYPE(INTERFACE_UNKNOWN),
    [TYPE_CONTAINER] = INTERFACE_TYPE(INTERFACE_CONTAINER),
    [TYPE_POINT] = INTERFACE_TYPE(INTERFACE_POINT),
    [TYPE_ENUM_POINTS] = INTERFACE_TYPE(INTERFACE_ENUM_POINTS),
    [TYPE_ENUM_CONNECTIONS] = INTERFACE_TYPE(INTERFACE_ENUM_CONNECTIONS),
    [TYPE_WEAK] = INTERFACE_TYPE(INTERFACE_WEAK),
    [TYPE_GUID] = {.kind = VIA_TYPE_GUID, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX},
    [TYPE_ULONG] = {.kind = VIA_TYPE_U32, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX},
    [TYPE_CONNECTION] = {.kind = VIA_TYPE_STRUCT, .index = 0, .element = VIA_NO_INDEX},
    [TYPE_POINT_LIST] = LIST_TYPE(TYPE_POINT),
    [TYPE_CONNECTION_LIST] = LIST_TYPE(TYPE_CONNECTION),
};

static const struct via_field connection_fields[] = {
    {"pUnk", TYPE_UNKNOWN},
    {"dwCookie", TYPE_ULONG},
};
static const struct via_struct structs[] = {
    {"CONNECTDATA", 2, connection_fields, NULL},
};

#define ARGUMENT VIA_PARAM_IN
#define RESULT   VIA_PARAM_OUT | VIA_PARAM_BY_REF
#define RETVAL   VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF

static const struct via_param enum_points_params[] = {
    {"points", TYPE_ENUM_POINTS, RETVAL, 0, NULL},
};
static const struct via_param find_params[] = {
    {"iid", TYPE_GUID, ARGUMENT | VIA_PARAM_BY_REF, 0, NULL},
    {"point", TYPE_POINT, RETVAL, 0, NULL},
};
static const struct via_method container_methods[] = {
    {"EnumConnectionPoints", 1, 0, 1, enum_points_params, NULL},
    {"FindConnectionPoint", 2, 0, 2, find_params, NULL},
};

static const struct via_param iid_params[] = {
    {"iid", TYPE_GUID, RETVAL, 0, NULL},
};
static const struct via_param container_params[] = {
    {"container", TYPE_CONTAINER, RETVAL, 0, NULL},
};
static const struct via_param advise_params[] = {
    {"sink", TYPE_UNKNOWN, ARGUMENT, 0, NULL},
    {"cookie", TYPE_ULONG, RETVAL, 0, NULL},
};
static const struct via_param unadvise_params[] = {
    {"cookie", TYPE_ULONG, ARGUMENT, 0, NULL},
};
static const struct via_param enum_connections_params[] = {
    {"connections", TYPE_ENUM_CONNECTIONS, RETVAL, 0, NULL},
};
static const struct via_method point_methods[] = {
    {"GetConnectionInterface", 1, 0, 1, iid_params, NULL},
    {"GetConnectionPointContainer", 2, 0, 1, container_params, NULL},
    {"Advise", 3, 0, 2, advise_params, NULL},
    {"Unadvise", 4, 0, 1, unadvise_params, NULL},
    {"EnumConnections", 5, 0, 1, enum_connections_params, NULL},
};

static const struct via_param next_point_params[] = {
    {"n", TYPE_ULONG, ARGUMENT, 0, NULL},
    {"points", TYPE_POINT_LIST, VIA_PARAM_OUT, 0, NULL},
    {"fetched", TYPE_ULONG, RESULT, 0, NULL},
};
static const struct via_param skip_params[] = {
    {"n", TYPE_ULONG, ARGUMENT, 0, NULL},
};
static const struct via_method enum_points_methods[] = {
    {"Next", 1, 0, 3, next_point_params, NULL},
    {"Skip", 2, 0, 1, skip_params, NULL},
    {"Reset", 3, 0, 0, NULL, NULL},
    {"Clone", 4, 0, 1, enum_points_params, NULL},
};

static const struct via_param next_connection_params[] = {
    {"n", TYPE_ULONG, ARGUMENT, 0, NULL},
    {"connections", TYPE_CONNECTION_LIST, VIA_PARAM_OUT, 0, NULL},
    {"fetched", TYPE_ULONG, RESULT, 0, NULL},
};
static const struct via_method enum_connections_methods[] = {
    {"Next", 1, 0, 3, next_connection_params, NULL},
    {"Skip", 2, 0, 1, skip_params, NULL},
    {"Reset", 3, 0, 0, NULL, NULL},
    {"Clone", 4, 0, 1, enum_connections_params, NULL},
};

static const struct via_param resolve_params[] = {
    {"iid", TYPE_GUID, ARGUMENT | VIA_PARAM_BY_REF, 0, NULL},
    {"object", TYPE_UNKNOWN, RETVAL, 0, NULL},
};
static const struct via_method weak_methods[] = {
    {"Resolve", 1, 0, 2, resolve_params, NULL},
};
static const struct via_param get_weak_params[] = {
    {"reference", TYPE_WEAK, RETVAL, 0, NULL},
};
static const struct via_method weak_source_methods[] = {
    {"GetWeakReference", 1, 0, 1, get_weak_params, NULL},
};

static const struct via_interface interfaces[] = {
    [INTERFACE_UNKNOWN] = {"IUnknown", COM_IID(0x00000000), VIA_NO_INDEX, VIA_INTERFACE_EXTERNAL, 0,
                           NULL, NULL},
    [INTERFACE_CONTAINER] = {"IConnectionPointContainer", POINT_IID(0x84), INTERFACE_UNKNOWN, 0, 2,
                             container_methods, NULL},
    [INTERFACE_POINT] = {"IConnectionPoint", POINT_IID(0x86), INTERFACE_UNKNOWN, 0, 5,
                         point_methods, NULL},
    [INTERFACE_ENUM_POINTS] = {"IEnumConnectionPoints", POINT_IID(0x85), INTERFACE_UNKNOWN, 0, 4,
                               enum_points_methods, NULL},
    [INTERFACE_ENUM_CONNECTIONS] = {"IEnumConnections", POINT_IID(0x87), INTERFACE_UNKNOWN, 0, 4,
                                    enum_connections_methods, NULL},
    [INTERFACE_WEAK] = {"IWeakReference", COM_IID(0x00000037), INTERFACE_UNKNOWN, 0, 1,
                        weak_methods, NULL},
    [INTERFACE_WEAK_SOURCE] = {"IWeakReferenceSource", COM_IID(0x00000038), INTERFACE_UNKNOWN, 0, 1,
                               weak_source_methods, NULL},
};

const struct via_typelib builtin_events_typelib = {
    .abi = VIA_TYPELIB_ABI,
    .size = sizeof(struct via_typelib),
    .name = "BuiltinEvents",
    .libid = {0x8C1D5A34, 0x6F0B, 0x4B7E, {0x9A, 0x52, 0x3F, 0x6F, 0x0F, 0x2F, 0x1B, 0x11}},
    .version_major = 1,
    .n_types = sizeof(types) / sizeof(types[0]),
    .n_structs = sizeof(structs) / sizeof(structs[0]),
    .n_interfaces = sizeof(interfaces) / sizeof(interfaces[0]),
    .types = types,
    .structs = structs,
    .interfaces = interfaces,
};
