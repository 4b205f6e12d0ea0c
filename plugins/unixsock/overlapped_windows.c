/*
 * Overlapped I/O on Windows: the life of a plugin that is made of it, and its messages.
 */
#include "plugins/unixsock/overlapped_windows.h"

_Atomic uint32_t overlapped_n_pending;

static SRWLOCK life_lock = SRWLOCK_INIT;
static uint32_t n_inits; /* life_lock */

HRESULT overlapped_init(const struct via_plugin_host *host, HRESULT (*start)(void))
{
    HRESULT hr = S_FALSE;
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    AcquireSRWLockExclusive(&life_lock);
    if (n_inits == 0) {
        socket_host = host;
        hr = start != NULL ? start() : S_OK;
    }
    if (SUCCEEDED(hr))
        n_inits++;
    ReleaseSRWLockExclusive(&life_lock);
    return hr;
}

void overlapped_deinit(void (*stop)(void))
{
    AcquireSRWLockExclusive(&life_lock);
    if (n_inits > 0 && --n_inits == 0) {
        while (atomic_load(&overlapped_n_pending) != 0)
            Sleep(1);
        if (stop != NULL)
            stop();
    }
    ReleaseSRWLockExclusive(&life_lock);
}

HRESULT overlapped_fail_error(const char *what, DWORD error)
{
    switch (error) {
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_OPERATION_ABORTED:
    case ERROR_NETNAME_DELETED: /* a reset, as the completion of a socket's operation names it */
    case ERROR_CONNECTION_ABORTED:
    case ERROR_GRACEFUL_DISCONNECT:
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETRESET:
    case WSAENOTCONN:
    case WSAESHUTDOWN:
    case WSAEDISCON:
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    case ERROR_ACCESS_DENIED:
    case WSAEACCES:
        return socket_fail(E_ACCESSDENIED, "%s: access is denied", what);
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return socket_fail(E_OUTOFMEMORY, "%s: out of memory", what);
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_TOO_MANY_OPEN_FILES:
    case WSAEMFILE:
    case WSAENOBUFS:
        return socket_fail(VIA_E_LIMIT, "%s: the system is out of resources", what);
    default:
        return socket_fail(HRESULT_FROM_WIN32(error), "%s: Windows error %lu", what, error);
    }
}

HRESULT overlapped_bind_with_packets(HANDLE handle)
{
    return socket_host->bind_handle(handle);
}

HRESULT overlapped_bind(HANDLE handle)
{
    HRESULT hr = overlapped_bind_with_packets(handle);
    if (SUCCEEDED(hr) &&
        !SetFileCompletionNotificationModes(handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS))
        hr = overlapped_fail_error("SetFileCompletionNotificationModes", GetLastError());
    return hr;
}
