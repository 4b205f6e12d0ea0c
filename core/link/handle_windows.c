#include "core/link/handle.h"

#include "core/os/unix_calls.h"
#include "core/util/error.h"

#include <windows.h>

/* Under Wine there are two kinds. */
static bool is_descriptor(const struct via_transport *transport)
{
    return (transport->capabilities & VIA_TRANSPORT_DESCRIPTORS) && os_unix_calls() != NULL;
}

HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate)
{
    if (is_descriptor(transport)) {
        int32_t descriptor = os_unix_calls()->duplicate((int32_t)handle);
        if (descriptor < 0)
            return error_set(E_HANDLE, "cannot duplicate descriptor %d: Linux error %d",
                             (int)handle, -descriptor);
        *duplicate = descriptor;
        return S_OK;
    }
    HANDLE copy;
    HANDLE self = GetCurrentProcess();
    if (!DuplicateHandle(self, (HANDLE)handle, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return error_set(E_HANDLE, "cannot duplicate a handle: error %lu", GetLastError());
    *duplicate = (via_os_handle)copy;
    return S_OK;
}

void handle_close(const struct via_transport *transport, via_os_handle handle)
{
    if (handle == -1)
        return;
    if (is_descriptor(transport))
        os_unix_calls()->close((int32_t)handle);
    else
        CloseHandle((HANDLE)handle);
}
