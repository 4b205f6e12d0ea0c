#include <viaduct/handle.h>

#include "com/abi/error_border.h"
#include "core/os/handle.h"

HRESULT via_handle_duplicate(VIA_HANDLE handle, VIA_HANDLE *duplicate)
{
    intptr_t copy = OS_NO_HANDLE;
    HRESULT hr = S_OK;
    *duplicate = VIA_NO_HANDLE;
    if (!os_handle_is_none((intptr_t)handle))
        hr = os_handle_duplicate((intptr_t)handle, &copy);
    if (SUCCEEDED(hr))
        *duplicate = (VIA_HANDLE)copy;
    else
        error_border_publish(hr);
    return hr;
}

void via_handle_close(VIA_HANDLE handle)
{
    os_handle_close((intptr_t)handle);
}
