/*
 * Streams and COM's enumerators, described as they travel.
 *
 * ISequentialStream::Read is another method there than in the vtable: it says how many bytes it has
 * and gives no others. Proxies and stubs of it make one of the other (com/remote/stream_slots.h).
 * 64-bit unions are the numbers that both ABIs pass for them.
 */
#include "com/typelib/builtin.h"

#define COM_IID(first)                   \
    {                                    \
        first, 0, 0,                     \
        {                                \
            0xC0, 0, 0, 0, 0, 0, 0, 0x46 \
        }                                \
    }
#define SEQUENTIAL_IID                                     \
    {                                                      \
        0x0C733A30, 0x2A1C, 0x11CE,                        \
        {                                                  \
            0xAD, 0xE5, 0x00, 0xAA, 0x00, 0x44, 0x77, 0x3D \
        }                                                  \
    }

const GUID builtin_iid_sequential_stream = SEQUENTIAL_IID;
const GUID builtin_iid_stream = COM_IID(0x0000000C);
const GUID builtin_iid_enum_unknown = COM_IID(0x00000100);
const GUID builtin_iid_enum_string = COM_IID(0x00000101);
const GUID builtin_iid_enum_variant = COM_IID(0x00020404);

enum {
    INTERFACE_UNKNOWN,
    INTERFACE_SEQUENTIAL,
    INTERFACE_STREAM,
    INTERFACE_ENUM_UNKNOWN,
    INTERFACE_ENUM_STRING,
    INTERFACE_ENUM_VARIANT
};

enum {
    TYPE_UNKNOWN,
    TYPE_STREAM,
    TYPE_ENUM_UNKNOWN,
    TYPE_ENUM_STRING,
    TYPE_ENUM_VARIANT,
    TYPE_BYTE,
    TYPE_ULONG,
    TYPE_HYPER,
    TYPE_UHYPER,
    TYPE_GUID,
    TYPE_STRING,
    TYPE_VARIANT,
    TYPE_STATUS,
    TYPE_BYTES,
    TYPE_UNKNOWN_LIST,
    TYPE_STRING_LIST,
    TYPE_VARIANT_LIST
};

#define INTERFACE_TYPE(i)                                                 \
    {                                                                     \
        .kind = VIA_TYPE_INTERFACE, .index = (i), .element = VIA_NO_INDEX \
    }
#define SIMPLE_TYPE(k)                                              \
    {                                                               \
        .kind = (k), .index = VIA_NO_INDEX, .element = VIA_NO_INDEX \
    }
/* As many as the method's parameter number `i` says. */
#define LIST_TYPE(e, i)                                                             \
    {                                                                               \
        .kind = VIA_TYPE_SIZED, .size_from = VIA_SIZE_PARAM, .index = VIA_NO_INDEX, \
        .element = (e), .size_index = (i)                                           \
    }

static const struct via_type types[] = {
    [TYPE_UNKNOWN] = INTERFACE_TYPE(INTERFACE_UNKNOWN),
    [TYPE_STREAM] = INTERFACE_TYPE(INTERFACE_STREAM),
    [TYPE_ENUM_UNKNOWN] = INTERFACE_TYPE(INTERFACE_ENUM_UNKNOWN),
    [TYPE_ENUM_STRING] = INTERFACE_TYPE(INTERFACE_ENUM_STRING),
    [TYPE_ENUM_VARIANT] = INTERFACE_TYPE(INTERFACE_ENUM_VARIANT),
    [TYPE_BYTE] = SIMPLE_TYPE(VIA_TYPE_U8),
    [TYPE_ULONG] = SIMPLE_TYPE(VIA_TYPE_U32),
    [TYPE_HYPER] = SIMPLE_TYPE(VIA_TYPE_I64),
    [TYPE_UHYPER] = SIMPLE_TYPE(VIA_TYPE_U64),
    [TYPE_GUID] = SIMPLE_TYPE(VIA_TYPE_GUID),
    /* Those that were not fetched are NULL. */
    [TYPE_STRING] = {.kind = VIA_TYPE_STRING16,
                     .flags = VIA_TYPE_NULLABLE,
                     .index = VIA_NO_INDEX,
                     .element = VIA_NO_INDEX},
    [TYPE_VARIANT] = SIMPLE_TYPE(VIA_TYPE_VARIANT),
    [TYPE_STATUS] = {.kind = VIA_TYPE_STRUCT, .index = 0, .element = VIA_NO_INDEX},
    [TYPE_BYTES] = LIST_TYPE(TYPE_BYTE, 1),
    [TYPE_UNKNOWN_LIST] = LIST_TYPE(TYPE_UNKNOWN, 0),
    [TYPE_STRING_LIST] = LIST_TYPE(TYPE_STRING, 0),
    [TYPE_VARIANT_LIST] = LIST_TYPE(TYPE_VARIANT, 0),
};

/* A FILETIME is two halves. */
static const struct via_field status_fields[] = {
    {"pwcsName", TYPE_STRING},         {"type", TYPE_ULONG},
    {"cbSize", TYPE_UHYPER},           {"mtimeLow", TYPE_ULONG},
    {"mtimeHigh", TYPE_ULONG},         {"ctimeLow", TYPE_ULONG},
    {"ctimeHigh", TYPE_ULONG},         {"atimeLow", TYPE_ULONG},
    {"atimeHigh", TYPE_ULONG},         {"grfMode", TYPE_ULONG},
    {"grfLocksSupported", TYPE_ULONG}, {"clsid", TYPE_GUID},
    {"grfStateBits", TYPE_ULONG},      {"reserved", TYPE_ULONG},
};
static const struct via_struct structs[] = {
    {"STATSTG", sizeof(status_fields) / sizeof(status_fields[0]), status_fields, NULL},
};

#define ARGUMENT VIA_PARAM_IN
#define RESULT   VIA_PARAM_OUT | VIA_PARAM_BY_REF
#define RETVAL   VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF

static const struct via_param read_params[] = {
    {"wanted", TYPE_ULONG, ARGUMENT, 0, NULL},
    {"size", TYPE_ULONG, RESULT, 0, NULL},
    {"data", TYPE_BYTES, RESULT, 0, NULL},
};
static const struct via_param write_params[] = {
    {"data", TYPE_BYTES, ARGUMENT, 0, NULL},
    {"size", TYPE_ULONG, ARGUMENT, 0, NULL},
    {"written", TYPE_ULONG, RESULT, 0, NULL},
};
static const struct via_method sequential_methods[] = {
    {"Read", 1, 0, 3, read_params, NULL},
    {"Write", 2, 0, 3, write_params, NULL},
};

static const struct via_param seek_params[] = {
    {"move", TYPE_HYPER, ARGUMENT, 0, NULL},
    {"origin", TYPE_ULONG, ARGUMENT, 0, NULL},
    {"position", TYPE_UHYPER, RESULT, 0, NULL},
};
static const struct via_param set_size_params[] = {
    {"size", TYPE_UHYPER, ARGUMENT, 0, NULL},
};
static const struct via_param copy_params[] = {
    {"stream", TYPE_STREAM, ARGUMENT, 0, NULL},
    {"size", TYPE_UHYPER, ARGUMENT, 0, NULL},
    {"read", TYPE_UHYPER, RESULT, 0, NULL},
    {"written", TYPE_UHYPER, RESULT, 0, NULL},
};
static const struct via_param commit_params[] = {
    {"flags", TYPE_ULONG, ARGUMENT, 0, NULL},
};
static const struct via_param region_params[] = {
    {"offset", TYPE_UHYPER, ARGUMENT, 0, NULL},
    {"size", TYPE_UHYPER, ARGUMENT, 0, NULL},
    {"type", TYPE_ULONG, ARGUMENT, 0, NULL},
};
static const struct via_param stat_params[] = {
    {"status", TYPE_STATUS, RESULT, 0, NULL},
    {"flags", TYPE_ULONG, ARGUMENT, 0, NULL},
};
static const struct via_param clone_stream_params[] = {
    {"clone", TYPE_STREAM, RETVAL, 0, NULL},
};
static const struct via_method stream_methods[] = {
    {"Seek", 3, 0, 3, seek_params, NULL},
    {"SetSize", 4, 0, 1, set_size_params, NULL},
    {"CopyTo", 5, 0, 4, copy_params, NULL},
    {"Commit", 6, 0, 1, commit_params, NULL},
    {"Revert", 7, 0, 0, NULL, NULL},
    {"LockRegion", 8, 0, 3, region_params, NULL},
    {"UnlockRegion", 9, 0, 3, region_params, NULL},
    {"Stat", 10, 0, 2, stat_params, NULL},
    {"Clone", 11, 0, 1, clone_stream_params, NULL},
};

static const struct via_param skip_params[] = {
    {"n", TYPE_ULONG, ARGUMENT, 0, NULL},
};
#define ENUMERATOR(name, list, enumerator)                  \
    static const struct via_param name##_next_params[] = {  \
        {"n", TYPE_ULONG, ARGUMENT, 0, NULL},               \
        {"items", list, VIA_PARAM_OUT, 0, NULL},            \
        {"fetched", TYPE_ULONG, RESULT, 0, NULL},           \
    };                                                      \
    static const struct via_param name##_clone_params[] = { \
        {"clone", enumerator, RETVAL, 0, NULL},             \
    };                                                      \
    static const struct via_method name##_methods[] = {     \
        {"Next", 1, 0, 3, name##_next_params, NULL},        \
        {"Skip", 2, 0, 1, skip_params, NULL},               \
        {"Reset", 3, 0, 0, NULL, NULL},                     \
        {"Clone", 4, 0, 1, name##_clone_params, NULL},      \
    }

ENUMERATOR(enum_unknown, TYPE_UNKNOWN_LIST, TYPE_ENUM_UNKNOWN);
ENUMERATOR(enum_string, TYPE_STRING_LIST, TYPE_ENUM_STRING);
ENUMERATOR(enum_variant, TYPE_VARIANT_LIST, TYPE_ENUM_VARIANT);

static const struct via_interface interfaces[] = {
    [INTERFACE_UNKNOWN] = {"IUnknown", COM_IID(0x00000000), VIA_NO_INDEX, VIA_INTERFACE_EXTERNAL, 0,
                           NULL, NULL},
    [INTERFACE_SEQUENTIAL] = {"ISequentialStream", SEQUENTIAL_IID, INTERFACE_UNKNOWN, 0, 2,
                              sequential_methods, NULL},
    [INTERFACE_STREAM] = {"IStream", COM_IID(0x0000000C), INTERFACE_SEQUENTIAL, 0, 9,
                          stream_methods, NULL},
    [INTERFACE_ENUM_UNKNOWN] = {"IEnumUnknown", COM_IID(0x00000100), INTERFACE_UNKNOWN, 0, 4,
                                enum_unknown_methods, NULL},
    [INTERFACE_ENUM_STRING] = {"IEnumString", COM_IID(0x00000101), INTERFACE_UNKNOWN, 0, 4,
                               enum_string_methods, NULL},
    [INTERFACE_ENUM_VARIANT] = {"IEnumVARIANT", COM_IID(0x00020404), INTERFACE_UNKNOWN, 0, 4,
                                enum_variant_methods, NULL},
};

const struct via_typelib builtin_streams_typelib = {
    .abi = VIA_TYPELIB_ABI,
    .size = sizeof(struct via_typelib),
    .name = "BuiltinStreams",
    .libid = {0x8C1D5A34, 0x6F0B, 0x4B7E, {0x9A, 0x52, 0x3F, 0x6F, 0x0F, 0x2F, 0x1B, 0x12}},
    .version_major = 1,
    .n_types = sizeof(types) / sizeof(types[0]),
    .n_structs = sizeof(structs) / sizeof(structs[0]),
    .n_interfaces = sizeof(interfaces) / sizeof(interfaces[0]),
    .types = types,
    .structs = structs,
    .interfaces = interfaces,
};
