#include "host/exposed.h"

#include "core/util/error.h"

HRESULT exposed_write_manifests(char *const *patterns, const char *directory)
{
    (void)patterns;
    (void)directory;
    return error_set(VIA_E_CONFIG, "\"com\" is for hosts that run on Windows, or under Wine: there "
                                   "is no COM here whose classes could be exposed");
}
