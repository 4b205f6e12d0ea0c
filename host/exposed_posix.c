#include "host/exposed.h"

#include "core/util/error.h"

HRESULT exposed_write_manifests(const struct configuration *configuration, const char *directory)
{
    (void)configuration;
    (void)directory;
    return error_set(VIA_E_CONFIG, "\"com\" is for hosts that run on Windows, or under Wine: there "
                                   "is no COM here whose classes could be exposed");
}

/* It may be one for another computer: what is in its file has been checked. */
HRESULT exposed_check(const struct configuration *configuration)
{
    (void)configuration;
    return S_OK;
}

bool exposed_is_com_class(const struct class_name *name)
{
    (void)name;
    return false;
}
