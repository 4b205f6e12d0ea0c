/* There is no COM here, and so there are no apartments that are not ours. */
#include "core/os/bell.h"

HRESULT os_bell_new(void (*rung)(void *context), void (*closing)(void *context), void *context,
                    struct os_bell **bell)
{
    (void)rung, (void)closing, (void)context;
    *bell = 0;
    return E_NOTIMPL;
}

void os_bell_free(struct os_bell *bell)
{
    (void)bell;
}

bool os_bell_ring(struct os_bell *bell)
{
    (void)bell;
    return false;
}
