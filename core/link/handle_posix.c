#include "core/link/handle.h"

#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

HRESULT handle_duplicate(via_os_handle handle, via_os_handle *duplicate)
{
    int descriptor = fcntl((int)handle, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
        return error_set(E_HANDLE, "cannot duplicate descriptor %d: %s", (int)handle,
                         strerror(errno));
    *duplicate = descriptor;
    return S_OK;
}

void handle_close(via_os_handle handle)
{
    if (handle >= 0)
        close((int)handle);
}
