#include "com/typelib/builtin.h"

#include <string.h>
#include <strings.h>

#define COM_IID(first)                   \
    {                                    \
        first, 0, 0,                     \
        {                                \
            0xC0, 0, 0, 0, 0, 0, 0, 0x46 \
        }                                \
    }

const GUID builtin_iid_unknown = COM_IID(0x00000000);
const GUID builtin_iid_dispatch = COM_IID(0x00020400);
const GUID builtin_iid_class_factory = COM_IID(0x00000001);

uint16_t builtin_slots(const GUID *iid)
{
    if (IsEqualGUID(iid, &builtin_iid_unknown))
        return 3;
    return IsEqualGUID(iid, &builtin_iid_dispatch) ? 7 : 0;
}

const GUID *builtin_find_interface(const char *name, const char **base)
{
    static const struct {
        const char *name;
        const char *base;
        const GUID *iid;
    } known[] = {
        {"IUnknown", NULL, &builtin_iid_unknown},
        {"IDispatch", "IUnknown", &builtin_iid_dispatch},
        {"ISequentialStream", "IUnknown", &builtin_iid_sequential_stream},
        {"IStream", "ISequentialStream", &builtin_iid_stream},
        {"IEnumUnknown", "IUnknown", &builtin_iid_enum_unknown},
        {"IEnumString", "IUnknown", &builtin_iid_enum_string},
        {"IEnumVARIANT", "IUnknown", &builtin_iid_enum_variant},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name))
            continue;
        *base = known[i].base;
        return known[i].iid;
    }
    return NULL;
}

bool builtin_has_method(const GUID *iid, const char *name)
{
    static const char *const names[] = {
        "QueryInterface", "AddRef",        "Release", "GetTypeInfoCount",
        "GetTypeInfo",    "GetIDsOfNames", "Invoke"};
    for (uint16_t i = 0; i < builtin_slots(iid); i++)
        if (!strcasecmp(names[i], name))
            return true;
    return false;
}

/* --- IClassFactory --- */

enum { TYPE_UNKNOWN, TYPE_GUID, TYPE_BOOL };

static const struct via_type types[] = {
    [TYPE_UNKNOWN] = {.kind = VIA_TYPE_INTERFACE, .index = 0, .element = VIA_NO_INDEX},
    [TYPE_GUID] = {.kind = VIA_TYPE_GUID, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX},
    [TYPE_BOOL] = {.kind = VIA_TYPE_I32, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX},
};

static const struct via_param create_instance_params[] = {
    {"outer", TYPE_UNKNOWN, VIA_PARAM_IN, 0, NULL},
    {"iid", TYPE_GUID, VIA_PARAM_IN | VIA_PARAM_BY_REF, 0, NULL},
    {"object", TYPE_UNKNOWN, VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF, 0, NULL},
};
static const struct via_param lock_server_params[] = {
    {"lock", TYPE_BOOL, VIA_PARAM_IN, 0, NULL},
};
static const struct via_method factory_methods[] = {
    {"CreateInstance", 1, 0, 3, create_instance_params, NULL},
    {"LockServer", 2, 0, 1, lock_server_params, NULL},
};

static const struct via_interface interfaces[] = {
    {"IUnknown", COM_IID(0x00000000), VIA_NO_INDEX, VIA_INTERFACE_EXTERNAL, 0, NULL, NULL},
    {"IClassFactory", COM_IID(0x00000001), 0, 0, 2, factory_methods, NULL},
};

const struct via_typelib builtin_typelib = {
    .abi = VIA_TYPELIB_ABI,
    .size = sizeof(struct via_typelib),
    .name = "Builtin",
    .libid = {0x8C1D5A34, 0x6F0B, 0x4B7E, {0x9A, 0x52, 0x3F, 0x6F, 0x0F, 0x2F, 0x1B, 0x10}},
    .version_major = 1,
    .n_types = sizeof(types) / sizeof(types[0]),
    .n_interfaces = sizeof(interfaces) / sizeof(interfaces[0]),
    .types = types,
    .interfaces = interfaces,
};
