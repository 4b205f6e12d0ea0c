/*
 * What the conformance suite needs of Windows: handles that can be recognised, and who this process
 * is.
 *
 * A transport over Unix sockets (schemes "unix" and "shm", under Wine) carries Unix descriptors,
 * every other one HANDLEs.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/identity.h"

#include <viaduct/plugin/unix_calls.h>

#include <string.h>
#include <windows.h>

static const struct via_plugin_unix_calls *unix_calls(const struct conformance *c)
{
    const char *scheme = c->plugin->schemes[0];
    bool is_unix = strcmp(scheme, "unix") == 0 || strcmp(scheme, "shm") == 0;
    return is_unix ? c->host->unix_calls : NULL;
}

/* A handle is one end of a pipe or socket pair: a byte written into it comes out of the other end.
 */
bool conformance_handle_make(struct conformance *c, struct conformance_handle *handle)
{
    const struct via_plugin_unix_calls *calls = unix_calls(c);
    if (calls != NULL) {
        int32_t ends[2];
        int32_t result = calls->socket_pair(ends);
        handle->handle = ends[0];
        handle->other = ends[1];
        return CONF_CHECK(c, result >= 0, "no socket pair for a handle: error %d", -result);
    }
    HANDLE reading;
    HANDLE writing;
    BOOL made = CreatePipe(&reading, &writing, NULL, 0);
    handle->handle = (via_os_handle)writing;
    handle->other = (via_os_handle)reading;
    return CONF_CHECK(c, made, "no pipe for a handle: error %lu", GetLastError());
}

bool conformance_handle_same(struct conformance *c, const struct conformance_handle *handle,
                             via_os_handle received)
{
    const struct via_plugin_unix_calls *calls = unix_calls(c);
    char byte = 1;
    if (calls != NULL) {
        uint32_t n = 0;
        return calls->send((int32_t)received, &byte, 1, NULL, 0) == 1 &&
               calls->receive((int32_t)handle->other, &byte, 1, NULL, &n) == 1;
    }
    DWORD n;
    return WriteFile((HANDLE)received, &byte, 1, &n, NULL) &&
           PeekNamedPipe((HANDLE)handle->other, NULL, 0, NULL, &n, NULL) && n == 1 &&
           ReadFile((HANDLE)handle->other, &byte, 1, &n, NULL) && n == 1;
}

bool conformance_handle_alone(struct conformance *c, const struct conformance_handle *handle)
{
    const struct via_plugin_unix_calls *calls = unix_calls(c);
    char byte;
    if (calls != NULL) {
        uint32_t n = 0;
        calls->wait_readable((int32_t)handle->other, -1, 2000);
        return calls->receive((int32_t)handle->other, &byte, 1, NULL, &n) == 0;
    }
    DWORD n;
    return !PeekNamedPipe((HANDLE)handle->other, NULL, 0, NULL, &n, NULL) &&
           GetLastError() == ERROR_BROKEN_PIPE;
}

void conformance_handle_close(struct conformance *c, via_os_handle handle)
{
    const struct via_plugin_unix_calls *calls = unix_calls(c);
    if (calls != NULL)
        calls->close((int32_t)handle);
    else
        CloseHandle((HANDLE)handle);
}

void conformance_handle_free(struct conformance *c, struct conformance_handle *handle)
{
    if (handle->handle != -1)
        conformance_handle_close(c, handle->handle);
    conformance_handle_close(c, handle->other);
}

/* Who the kernel below Wine says that we are, read off a socket pair of our own. */
static void own_unix_identity(struct conformance *c, struct via_peer_identity *identity)
{
    const struct via_plugin_unix_calls *calls = c->host->unix_calls;
    int32_t ends[2];
    int32_t result = calls->socket_pair(ends);
    if (result >= 0) {
        result = calls->peer_credentials(ends[0], &identity->pid, &identity->uid, &identity->gid);
        calls->close(ends[0]);
        calls->close(ends[1]);
    }
    CONF_CHECK(c, result >= 0, "no credentials of this process: error %d", -result);
}

void conformance_own_identity(struct conformance *c, uint32_t flags,
                              struct via_peer_identity *identity)
{
    os_identity_self(identity);
    if (unix_calls(c) != NULL && !(flags & VIA_PEER_HAS_SID))
        own_unix_identity(c, identity);
}

void conformance_remove_directory(const char *path)
{
    WCHAR wide[MAX_PATH];
    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH) > 0)
        RemoveDirectoryW(wide);
}
