/* Descriptors for the loopback transport. */
#include "core/plugin/loopback_parts.h"

#include <fcntl.h>
#include <unistd.h>

HRESULT loopback_handle_duplicate(via_os_handle handle, via_os_handle *duplicate)
{
    int descriptor = fcntl((int)handle, F_DUPFD_CLOEXEC, 3);
    if (descriptor < 0)
        return loopback_fail(E_HANDLE, "a descriptor cannot be duplicated");
    *duplicate = descriptor;
    return S_OK;
}

void loopback_handle_close(via_os_handle handle)
{
    close((int)handle);
}
