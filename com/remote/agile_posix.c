#include "com/remote/agile.h"

#include <stddef.h>

bool agile_is(const GUID *iid)
{
    (void)iid;
    return false;
}

struct face *agile_face_new(struct import *import, const GUID *iid)
{
    (void)import, (void)iid;
    return NULL;
}
