#include "com/abi/standard_proxy.h"

bool standard_proxy_is(IUnknown *object)
{
    (void)object;
    return false;
}
