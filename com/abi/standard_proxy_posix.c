#include "com/abi/standard_proxy.h"

bool standard_proxy_is(IUnknown *object)
{
    (void)object;
    return false;
}

bool standard_proxy_is_gone(HRESULT hr)
{
    (void)hr;
    return false;
}
