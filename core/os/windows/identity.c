/* Users by SID; a peer of a Unix socket under Wine is known by its uid instead. */
#include "core/os/identity.h"
#include "core/os/unix_calls.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

static bool own_sid(char *buffer, size_t size)
{
    union {
        TOKEN_USER user;
        uint8_t space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    HANDLE handle;
    DWORD used;
    char *text;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle))
        return false;
    BOOL known = GetTokenInformation(handle, TokenUser, &token, sizeof(token), &used);
    CloseHandle(handle);
    if (!known || !ConvertSidToStringSidA(token.user.User.Sid, &text))
        return false;
    bool fits = strlen(text) < size;
    if (fits)
        strcpy(buffer, text);
    LocalFree(text);
    return fits;
}

void os_identity_self(struct via_peer_identity *identity)
{
    *identity = (struct via_peer_identity){
        .size = sizeof(*identity), .flags = VIA_PEER_HAS_PID, .pid = GetCurrentProcessId()};
    if (own_sid(identity->sid, sizeof(identity->sid)))
        identity->flags |= VIA_PEER_HAS_SID;
}

bool os_identity_is_self(const struct via_peer_identity *identity)
{
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    char sid[sizeof(identity->sid)];
    if (identity->flags & VIA_PEER_HAS_SID)
        return own_sid(sid, sizeof(sid)) && strcmp(sid, identity->sid) == 0;
    return (identity->flags & VIA_PEER_HAS_UNIX) && calls && identity->uid == calls->user_id();
}

/* The process as Linux knows it, where the peer is known so. */
static bool is_own_unix_process(uint32_t pid)
{
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    int32_t pair[2];
    uint32_t own = 0, uid, gid;
    if (!calls || calls->socket_pair(pair) < 0)
        return false;
    bool known = calls->peer_credentials(pair[0], &own, &uid, &gid) == 0;
    calls->close(pair[0]);
    calls->close(pair[1]);
    return known && own == pid;
}

bool os_identity_is_this_process(const struct via_peer_identity *identity)
{
    if (!(identity->flags & VIA_PEER_HAS_PID))
        return false;
    if ((identity->flags & VIA_PEER_HAS_UNIX) && os_unix_calls())
        return is_own_unix_process(identity->pid);
    return identity->pid == GetCurrentProcessId();
}

bool os_identity_is_privileged(const struct via_peer_identity *identity)
{
    if (identity->flags & VIA_PEER_HAS_SID)
        return !strcmp(identity->sid, "S-1-5-18") || !strcmp(identity->sid, "S-1-5-32-544");
    return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == 0;
}

char *os_identity_format(const struct via_peer_identity *identity, char *buffer, size_t size)
{
    int n;
    if (identity->flags & VIA_PEER_HAS_SID)
        n = snprintf(buffer, size, "user %s", identity->sid);
    else if (identity->flags & VIA_PEER_HAS_UNIX)
        n = snprintf(buffer, size, "uid %u", identity->uid);
    else
        n = snprintf(buffer, size, "unknown user");
    if ((identity->flags & VIA_PEER_HAS_PID) && n > 0 && (size_t)n < size)
        snprintf(buffer + n, size - (size_t)n, ", process %u", identity->pid);
    return buffer;
}
