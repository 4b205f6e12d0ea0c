/*
 * DLLs. What is loaded must not be writable for users whom this process has no reason to trust: its
 * own user, the system, administrators and the installer are trusted, and an access list that
 * grants anybody else a change is refused.
 */
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

const char os_module_suffix[] = ".dll";

struct os_module {
    HMODULE handle;
};

#define RIGHTS_TO_CHANGE                                                                     \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | \
     GENERIC_ALL)

/* The trusted ones: SYSTEM, Administrators, CREATOR OWNER (stands for nobody yet),
 * TrustedInstaller. */
static bool is_trusted(PSID sid, PSID self)
{
    static const wchar_t *const trusted[] = {
        L"S-1-5-18", L"S-1-5-32-544", L"S-1-3-0",
        L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"};
    wchar_t *text;
    bool found = EqualSid(sid, self);
    if (found || !ConvertSidToStringSidW(sid, &text))
        return found;
    for (size_t i = 0; i < sizeof(trusted) / sizeof(trusted[0]) && !found; i++)
        found = wcscmp(text, trusted[i]) == 0;
    LocalFree(text);
    return found;
}

static bool others_may_change(PACL list, PSID self)
{
    for (DWORD i = 0; list && i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        if (!GetAce(list, i, (void **)&entry) || entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE ||
            (entry->Header.AceFlags & INHERIT_ONLY_ACE))
            continue;
        if ((entry->Mask & RIGHTS_TO_CHANGE) && !is_trusted((PSID)&entry->SidStart, self))
            return true;
    }
    return !list; /* no list at all lets everybody in */
}

static HRESULT check_entry(const wchar_t *path, const char *shown, PSID self)
{
    PSECURITY_DESCRIPTOR descriptor;
    PACL list;
    DWORD error = GetNamedSecurityInfoW((wchar_t *)path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
                                        NULL, NULL, &list, NULL, &descriptor);
    if (error)
        return windows_fail(error, shown, "read the access list");
    bool refused = others_may_change(list, self);
    LocalFree(descriptor);
    if (refused)
        return error_set(E_ACCESSDENIED,
                         "%s can be written by other users; take that right away (icacls)", shown);
    return S_OK;
}

/* The file and its directory. */
static HRESULT check_path(const wchar_t *path, const char *shown)
{
    union {
        TOKEN_USER user;
        uint8_t space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    HANDLE handle;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &handle))
        return windows_fail(GetLastError(), shown, "find out who this process is");
    BOOL known = GetTokenInformation(handle, TokenUser, &token, sizeof(token), &size);
    CloseHandle(handle);
    if (!known)
        return windows_fail(GetLastError(), shown, "find out who this process is");
    HRESULT hr = check_entry(path, shown, token.user.User.Sid);
    char *directory = os_path_directory(shown);
    wchar_t *wide = directory ? wide_from_text(directory) : NULL;
    if (SUCCEEDED(hr))
        hr = wide ? check_entry(wide, directory, token.user.User.Sid)
                  : error_set(E_OUTOFMEMORY, "no memory to check %s", shown);
    free(wide);
    free(directory);
    return hr;
}

HRESULT os_module_open(const char *path, struct os_module **module)
{
    if (!os_path_is_absolute(path))
        return error_set(E_INVALIDARG, "module %s: give its absolute path", path);
    wchar_t *wide = wide_from_text(path);
    struct os_module *self = malloc(sizeof(*self));
    HRESULT hr = wide && self ? S_OK : error_set(E_OUTOFMEMORY, "no memory to load %s", path);
    if (SUCCEEDED(hr)) {
        hr = check_path(wide, path);
        if (FAILED(hr))
            hr = error_wrap(hr, "module %s is not loaded", path);
    }
    if (SUCCEEDED(hr)) {
        self->handle = LoadLibraryExW(
            wide, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
        if (!self->handle) {
            char reason[256];
            windows_reason(GetLastError(), reason, sizeof(reason));
            hr = error_set(CO_E_DLLNOTFOUND, "module %s: %s", path, reason);
        }
    }
    free(wide);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    *module = self;
    return S_OK;
}

void *os_module_symbol(struct os_module *module, const char *name)
{
    return (void *)(uintptr_t)GetProcAddress(module->handle, name);
}

void os_module_close(struct os_module *module)
{
    if (!module)
        return;
    FreeLibrary(module->handle);
    free(module);
}
