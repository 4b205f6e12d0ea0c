/*
 * Access lists. Trusted are this process's user, the system, administrators and the installer: they
 * could change everything anyway. Only entries that allow are looked at, so that a list which
 * allows to many and then denies to some is refused; that errs on the safe side. Wine makes lists
 * from Unix modes.
 */
#include "core/os/windows/access.h"

#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

union token {
    TOKEN_USER user;
    uint8_t space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

/* SYSTEM, Administrators, CREATOR OWNER (stands for nobody yet), OWNER RIGHTS (the owner is looked
 * at on its own), TrustedInstaller. */
static const wchar_t *const trusted[] = {
    L"S-1-5-18", L"S-1-5-32-544", L"S-1-3-0", L"S-1-3-4",
    L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"};

static bool is_trusted(PSID sid, PSID self)
{
    wchar_t *text;
    bool found = EqualSid(sid, self);
    if (found || !ConvertSidToStringSidW(sid, &text))
        return found;
    for (size_t i = 0; i < sizeof(trusted) / sizeof(trusted[0]) && !found; i++)
        found = wcscmp(text, trusted[i]) == 0;
    LocalFree(text);
    return found;
}

static bool others_have(PACL list, uint32_t rights, PSID self)
{
    for (DWORD i = 0; list && i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        if (!GetAce(list, i, (void **)&entry) || entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE ||
            (entry->Header.AceFlags & INHERIT_ONLY_ACE))
            continue;
        if ((entry->Mask & rights) && !is_trusted((PSID)&entry->SidStart, self))
            return true;
    }
    return !list; /* no list at all lets everybody in */
}

static HRESULT find_self(const char *path, union token *token)
{
    HANDLE handle;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle))
        return windows_fail(GetLastError(), path, "find out who this process is");
    BOOL known = GetTokenInformation(handle, TokenUser, token, sizeof(*token), &size);
    DWORD error = GetLastError();
    CloseHandle(handle);
    return known ? S_OK : windows_fail(error, path, "find out who this process is");
}

HRESULT access_check(const char *path, uint32_t rights, const char *complaint)
{
    union token token;
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner;
    PACL list;
    HRESULT hr = find_self(path, &token);
    if (FAILED(hr))
        return hr;
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return error_set(E_OUTOFMEMORY, "no memory to check %s", path);
    DWORD error = GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                        &owner, NULL, &list, NULL, &descriptor);
    free(wide);
    if (error)
        return windows_fail(error, path, "read the access list");
    bool is_owned = owner && is_trusted(owner, token.user.User.Sid);
    bool is_open = others_have(list, rights, token.user.User.Sid);
    LocalFree(descriptor);
    if (!is_owned)
        return error_set(E_ACCESSDENIED,
                         "%s belongs to another user; take it over (icacls /setowner)", path);
    if (is_open)
        return error_set(E_ACCESSDENIED, "%s %s other users; take that right away (icacls)", path,
                         complaint);
    return S_OK;
}
