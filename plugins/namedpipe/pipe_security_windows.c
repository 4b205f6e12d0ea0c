/*
 * Who may open a pipe, and who is at its other end.
 *
 * The other end's user is read from the token of the process that the system names for the pipe.
 * Wine 8 stores descriptors and reads them back, but does not enforce them.
 */
#include "plugins/namedpipe/pipe_windows.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SID_SYSTEM         "S-1-5-18"
#define SID_ADMINISTRATORS "S-1-5-32-544"
#define SID_SIZE           sizeof(((struct via_peer_identity *)0)->sid)

static HRESULT sid_text(PSID sid, char text[SID_SIZE])
{
    LPSTR made;
    if (!ConvertSidToStringSidA(sid, &made))
        return pipe_fail_error("ConvertSidToStringSid", GetLastError());
    snprintf(text, SID_SIZE, "%s", made);
    LocalFree(made);
    return S_OK;
}

static HRESULT token_sid(HANDLE token, char text[SID_SIZE])
{
    union {
        TOKEN_USER user;
        BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } information;
    DWORD size;
    if (!GetTokenInformation(token, TokenUser, &information, sizeof information, &size))
        return pipe_fail_error("GetTokenInformation", GetLastError());
    return sid_text(information.user.User.Sid, text);
}

static HRESULT process_sid(HANDLE process, char text[SID_SIZE])
{
    HANDLE token;
    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return pipe_fail_error("OpenProcessToken", GetLastError());
    HRESULT hr = token_sid(token, text);
    CloseHandle(token);
    return hr;
}

static HRESULT process_id_sid(DWORD id, char text[SID_SIZE])
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
    if (process == NULL)
        return pipe_fail_error("OpenProcess", GetLastError());
    HRESULT hr = process_sid(process, text);
    CloseHandle(process);
    return hr;
}

HRESULT pipe_security_new(enum via_listen_access access, PSECURITY_DESCRIPTOR *descriptor)
{
    char own[SID_SIZE];
    char text[2 * SID_SIZE + 128];
    HRESULT hr = process_sid(GetCurrentProcess(), own);
    if (FAILED(hr))
        return hr;
    /* 0x12019b: read and write without FILE_CREATE_PIPE_INSTANCE, for users who may only connect.
     */
    snprintf(text, sizeof text, "O:%sD:P(A;;GA;;;%s)(A;;GA;;;SY)(A;;GA;;;BA)%s", own, own,
             access == VIA_ACCESS_EVERYONE ? "(A;;0x12019b;;;AU)" : "");
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, descriptor,
                                                              NULL))
        return pipe_fail_error("making a security descriptor", GetLastError());
    return S_OK;
}

/* Only an administrator can make Administrators the owner of a thing. */
static bool owned_by_administrators(HANDLE pipe)
{
    PSID owner;
    PSECURITY_DESCRIPTOR descriptor;
    char text[SID_SIZE] = "";
    if (GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
                        NULL, &descriptor) != ERROR_SUCCESS)
        return false;
    bool administrators = SUCCEEDED(sid_text(owner, text)) &&
                          (strcmp(text, SID_ADMINISTRATORS) == 0 || strcmp(text, SID_SYSTEM) == 0);
    LocalFree(descriptor);
    return administrators;
}

HRESULT pipe_check_server(HANDLE pipe)
{
    ULONG id;
    char own[SID_SIZE];
    char server[SID_SIZE] = "unknown";
    HRESULT hr = process_sid(GetCurrentProcess(), own);
    if (FAILED(hr))
        return hr;
    /* A process of SYSTEM may not let us look at its token; then the pipe's owner decides. */
    if (GetNamedPipeServerProcessId(pipe, &id) && SUCCEEDED(process_id_sid(id, server)) &&
        (strcmp(server, own) == 0 || strcmp(server, SID_SYSTEM) == 0))
        return S_OK;
    if (owned_by_administrators(pipe))
        return S_OK;
    return pipe_fail(VIA_E_IDENTITY,
                     "the pipe's server runs as %s, who is neither you nor an administrator",
                     server);
}

HRESULT pipe_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    ULONG id = 0;
    identity->flags = 0;
    if (!pipe_stream_enter(stream))
        return pipe_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    BOOL known = stream->is_server ? GetNamedPipeClientProcessId(stream->pipe, &id)
                                   : GetNamedPipeServerProcessId(stream->pipe, &id);
    DWORD error = GetLastError();
    pipe_stream_leave(stream);
    if (!known)
        return pipe_fail_error("asking who is at the other end of a pipe", error);
    HRESULT hr = process_id_sid(id, identity->sid);
    if (FAILED(hr))
        return hr;
    identity->pid = id;
    identity->flags = VIA_PEER_HAS_PID | VIA_PEER_HAS_SID;
    return S_OK;
}
