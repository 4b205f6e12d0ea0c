/*
 * What the conformance suite needs of Windows: handles that can be recognised, who this process is,
 * and how it dies.
 *
 * A transport over Unix sockets (schemes "unix" and "shm", under Wine) carries Unix descriptors,
 * every other one HANDLEs.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/identity.h"
#include "core/plugin/host_table.h"
#include "core/util/error.h"

#include <viaduct/plugin/unix_calls.h>

#include <stdio.h>
#include <string.h>
#include <winsock2.h>
/* After the one above, which it needs. */
#include <iphlpapi.h>
#include <windows.h>

/* Of a transport over Unix sockets, else NULL; of the run. */
static const struct via_plugin_unix_calls *calls;

static HRESULT fail(const char *what)
{
    return error_set(E_FAIL, "%s: error %lu", what, GetLastError());
}

/* A handle is one end of a pipe or socket pair: a byte written into it comes out of the other end.
 */
static HRESULT handle_make(struct conformance_handle *handle)
{
    HANDLE reading;
    HANDLE writing;
    if (calls != NULL) {
        int32_t ends[2];
        int32_t result = calls->socket_pair(ends);
        if (result < 0)
            return error_set(E_FAIL, "no socket pair for a handle: error %d", -result);
        handle->handle = ends[0];
        handle->other = ends[1];
        return S_OK;
    }
    if (!CreatePipe(&reading, &writing, NULL, 0))
        return fail("no pipe for a handle");
    handle->handle = (via_os_handle)writing;
    handle->other = (via_os_handle)reading;
    return S_OK;
}

static HRESULT handle_write(via_os_handle received)
{
    char byte = 'h';
    DWORD n;
    if (calls != NULL)
        return calls->send((int32_t)received, &byte, 1, NULL, 0) == 1
                   ? S_OK
                   : error_set(E_FAIL, "a received descriptor takes no byte");
    return WriteFile((HANDLE)received, &byte, 1, &n, NULL) && n == 1
               ? S_OK
               : fail("a received handle takes no byte");
}

static HRESULT handle_read(const struct conformance_handle *handle)
{
    char byte;
    DWORD n;
    uint32_t none = 0;
    if (calls != NULL)
        return calls->receive((int32_t)handle->other, &byte, 1, NULL, &none) == 1 ? S_OK : S_FALSE;
    return PeekNamedPipe((HANDLE)handle->other, NULL, 0, NULL, &n, NULL) && n == 1 &&
                   ReadFile((HANDLE)handle->other, &byte, 1, &n, NULL) && n == 1
               ? S_OK
               : S_FALSE;
}

static HRESULT handle_alone(const struct conformance_handle *handle)
{
    char byte;
    DWORD n;
    if (calls != NULL) {
        uint32_t none = 0;
        calls->wait_readable((int32_t)handle->other, -1, 2000);
        return calls->receive((int32_t)handle->other, &byte, 1, NULL, &none) == 0 ? S_OK : S_FALSE;
    }
    return !PeekNamedPipe((HANDLE)handle->other, NULL, 0, NULL, &n, NULL) &&
                   GetLastError() == ERROR_BROKEN_PIPE
               ? S_OK
               : S_FALSE;
}

static void handle_close(via_os_handle handle)
{
    if (calls != NULL)
        calls->close((int32_t)handle);
    else
        CloseHandle((HANDLE)handle);
}

/* Under Wine, without a SID: who the kernel below says that we are, read off a socket pair of our
 * own. */
static HRESULT identity(uint32_t flags, struct via_peer_identity *identity)
{
    int32_t ends[2];
    os_identity_self(identity);
    if (calls == NULL || (flags & VIA_PEER_HAS_SID))
        return S_OK;
    int32_t result = calls->socket_pair(ends);
    if (result >= 0) {
        result = calls->peer_credentials(ends[0], &identity->pid, &identity->uid, &identity->gid);
        calls->close(ends[0]);
        calls->close(ends[1]);
    }
    return result >= 0 ? S_OK
                       : error_set(E_FAIL, "no credentials of this process: error %d", -result);
}

const struct conformance_side *conformance_local_side(const struct via_plugin *plugin,
                                                      const struct via_plugin_host *host)
{
    static struct conformance_side side = {
        .handle_make = handle_make,
        .handle_write = handle_write,
        .handle_read = handle_read,
        .handle_alone = handle_alone,
        .handle_close = handle_close,
        .identity = identity,
        .buffers_lent = plugin_host_buffers_lent,
    };
    const char *scheme = plugin->schemes[0];
    bool is_unix = strcmp(scheme, "unix") == 0 || strcmp(scheme, "shm") == 0;
    calls = is_unix ? host->unix_calls : NULL;
    side.t = plugin->transport;
    return &side;
}

/* Loaded here, so that nothing else of the runtime needs it. */
bool conformance_own_host(char *host, size_t size)
{
    HMODULE module = LoadLibraryExW(L"iphlpapi.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    DWORD(WINAPI * get_table)(MIB_IPADDRTABLE *, ULONG *, BOOL) = NULL;
    union {
        MIB_IPADDRTABLE table;
        uint8_t bytes[16384];
    } all;
    const MIB_IPADDRROW *rows = all.table.table;
    ULONG all_size = sizeof all;
    bool is_found = false;
    if (module == NULL)
        return false;
    FARPROC found = GetProcAddress(module, "GetIpAddrTable");
    memcpy(&get_table, &found, sizeof get_table);
    if (get_table != NULL && get_table(&all.table, &all_size, TRUE) == NO_ERROR) {
        for (DWORD i = 0; i < all.table.dwNumEntries && !is_found; i++) {
            uint8_t at[4];
            memcpy(at, &rows[i].dwAddr, sizeof at);
            is_found = at[0] != 0 && at[0] != 127;
            if (is_found)
                snprintf(host, size, "%u.%u.%u.%u", at[0], at[1], at[2], at[3]);
        }
    }
    FreeLibrary(module);
    return is_found;
}

void conformance_die(void)
{
    TerminateProcess(GetCurrentProcess(), 1);
}
