/* Users by SID; a peer of a Unix socket under Wine is known by its uid instead. */
#include "core/os/identity.h"
#include "core/os/unix_calls.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdio.h>
#include <stdlib.h>
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

HRESULT os_identity_find_user(const char *name, struct via_peer_identity *identity)
{
    union {
        SID sid;
        uint8_t space[SECURITY_MAX_SID_SIZE];
    } account;
    WCHAR domain[256];
    DWORD size = sizeof(account);
    DWORD domain_size = sizeof(domain) / sizeof(domain[0]);
    SID_NAME_USE use;
    char *text;
    wchar_t *wide = wide_from_text(name);
    BOOL found =
        wide && LookupAccountNameW(NULL, wide, &account, &size, domain, &domain_size, &use);
    free(wide);
    if (!found || !ConvertSidToStringSidA(&account, &text))
        return error_set(E_INVALIDARG, "Windows knows no account \"%.100s\"", name);
    *identity = (struct via_peer_identity){.size = sizeof(*identity), .flags = VIA_PEER_HAS_SID};
    snprintf(identity->sid, sizeof(identity->sid), "%s", text);
    LocalFree(text);
    return S_OK;
}

HRESULT os_identity_find_group(const char *name, uint32_t *gid)
{
    (void)gid;
    return error_set(
        E_INVALIDARG,
        "the group \"%.100s\" has no number here: on Windows a group lets nobody in, "
        "name the accounts (\"user:NAME\"), or a group of Unix users by \"gid:NUMBER\"",
        name);
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
