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

bool standard_proxy_is_gone(HRESULT hr)
{
    switch (hr) {
    case RPC_E_DISCONNECTED:
    case RPC_E_SERVER_DIED:
    case RPC_E_SERVER_DIED_DNE:
    case CO_E_OBJNOTCONNECTED:
        return true;
    default:
        return hr == HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE) ||
               hr == HRESULT_FROM_WIN32(RPC_S_CALL_FAILED) ||
               hr == HRESULT_FROM_WIN32(RPC_S_CALL_FAILED_DNE);
    }
}
