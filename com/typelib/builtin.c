#include "com/typelib/builtin.h"

#include <strings.h>

const GUID builtin_iid_unknown = {0x00000000, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
const GUID builtin_iid_dispatch = {0x00020400, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

uint16_t builtin_slots(const GUID *iid)
{
    if (IsEqualGUID(iid, &builtin_iid_unknown))
        return 3;
    return IsEqualGUID(iid, &builtin_iid_dispatch) ? 7 : 0;
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
