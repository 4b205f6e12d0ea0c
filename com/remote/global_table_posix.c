#include "com/remote/global_table.h"

HRESULT global_table_put(IUnknown *object, uint32_t *cookie)
{
    (void)object;
    *cookie = 0;
    return E_NOTIMPL;
}

HRESULT global_table_get(uint32_t cookie, const GUID *iid, void **pointer)
{
    (void)cookie, (void)iid;
    *pointer = NULL;
    return E_NOTIMPL;
}

void global_table_remove(uint32_t cookie)
{
    (void)cookie;
}
