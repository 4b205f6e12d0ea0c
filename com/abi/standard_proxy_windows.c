/* Each of them has IClientSecurity, and hardly anything else has. */
#include "com/abi/standard_proxy.h"

bool standard_proxy_is(IUnknown *object)
{
    void *pointer = NULL;
    if (FAILED(IUnknown_QueryInterface(object, &IID_IClientSecurity, &pointer)) || pointer == NULL)
        return false;
    IUnknown_Release((IUnknown *)pointer);
    return true;
}
