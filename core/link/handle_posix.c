#include "core/link/handle.h"

#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate)
{
    (void)transport;
    int descriptor = fcntl((int)handle, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
        return error_set(E_HANDLE, "cannot duplicate descriptor %d: %s", (int)handle,
                         strerror(errno));
    *duplicate = descriptor;
    return S_OK;
}

void handle_close(const struct via_transport *transport, via_os_handle handle)
{
    (void)transport;
    if (handle >= 0)
        close((int)handle);
}
