/*
 * Users on Windows, by their tokens and by security descriptors. Wine 8 stores descriptors of pipes
 * and reads them back, but does not enforce them.
 */
#include "plugins/unixsock/user_windows.h"

#include "plugins/unixsock/overlapped_windows.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#define SID_SYSTEM         "S-1-5-18"
#define SID_ADMINISTRATORS "S-1-5-32-544"

static HRESULT sid_text(PSID sid, char text[USER_SID_SIZE])
{
    LPSTR made;
    if (!ConvertSidToStringSidA(sid, &made))
        return overlapped_fail_error("ConvertSidToStringSid", GetLastError());
    snprintf(text, USER_SID_SIZE, "%s", made);
    LocalFree(made);
    return S_OK;
}

static HRESULT token_sid(HANDLE token, char text[USER_SID_SIZE])
{
    union {
        TOKEN_USER user;
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } information;
    DWORD size;
    if (!GetTokenInformation(token, TokenUser, &information, sizeof information, &size))
        return overlapped_fail_error("GetTokenInformation", GetLastError());
    return sid_text(information.user.User.Sid, text);
}

static HRESULT process_sid(HANDLE process, char text[USER_SID_SIZE])
{
    HANDLE token;
    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return overlapped_fail_error("OpenProcessToken", GetLastError());
    HRESULT hr = token_sid(token, text);
    CloseHandle(token);
    return hr;
}

HRESULT user_of_process(DWORD id, char sid[USER_SID_SIZE])
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
    if (process == NULL)
        return overlapped_fail_error("OpenProcess", GetLastError());
    HRESULT hr = process_sid(process, sid);
    CloseHandle(process);
    return hr;
}

HRESULT user_security_new(enum via_listen_access access, DWORD everyone,
                          PSECURITY_DESCRIPTOR *descriptor)
{
    char own[USER_SID_SIZE];
    char others[64] = "";
    char text[2 * USER_SID_SIZE + 128];
    HRESULT hr = process_sid(GetCurrentProcess(), own);
    if (FAILED(hr))
        return hr;
    if (access == VIA_ACCESS_EVERYONE)
        snprintf(others, sizeof others, "(A;;0x%lx;;;AU)", everyone);
    snprintf(text, sizeof text, "O:%sD:P(A;;GA;;;%s)(A;;GA;;;SY)(A;;GA;;;BA)%s", own, own, others);
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, descriptor,
                                                              NULL))
        return overlapped_fail_error("making a security descriptor", GetLastError());
    return S_OK;
}

static bool owner_of(HANDLE thing, SE_OBJECT_TYPE type, char owner[USER_SID_SIZE])
{
    PSID sid;
    PSECURITY_DESCRIPTOR descriptor;
    if (GetSecurityInfo(thing, type, OWNER_SECURITY_INFORMATION, &sid, NULL, NULL, NULL,
                        &descriptor) != ERROR_SUCCESS)
        return false;
    bool known = SUCCEEDED(sid_text(sid, owner));
    LocalFree(descriptor);
    return known;
}

HRESULT user_check_server(DWORD id, HANDLE thing, SE_OBJECT_TYPE type, const char *what)
{
    char own[USER_SID_SIZE];
    char server[USER_SID_SIZE] = "unknown";
    char owner[USER_SID_SIZE] = "unknown";
    HRESULT hr = process_sid(GetCurrentProcess(), own);
    if (FAILED(hr))
        return hr;
    /* A process of SYSTEM may not let us look at its token; then the thing's owner decides, since
     * only an administrator can make Administrators the owner of a thing. */
    bool known = id != 0 && SUCCEEDED(user_of_process(id, server));
    if (known && (strcmp(server, own) == 0 || strcmp(server, SID_SYSTEM) == 0))
        return S_OK;
    if (owner_of(thing, type, owner) &&
        (strcmp(owner, SID_ADMINISTRATORS) == 0 || strcmp(owner, SID_SYSTEM) == 0 ||
         (id == 0 && strcmp(owner, own) == 0)))
        return S_OK;
    return socket_fail(VIA_E_IDENTITY,
                       "%s's server runs as %s, who is neither you nor an administrator", what,
                       known ? server : owner);
}
