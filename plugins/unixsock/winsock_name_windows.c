/*
 * The names of winsock's Unix-domain sockets: what an address may look like, and who has the right
 * to one.
 *
 * A socket's file stays when its server dies, and connecting to it is refused then exactly as it is
 * by a server whose backlog is full. So a name belongs to whoever has PATH.lock open: the system
 * closes and removes that file however the server ends.
 */
#include "plugins/unixsock/winsock_windows.h"

#include "plugins/unixsock/user_windows.h"

#include <stdio.h>
#include <string.h>

#define ANY_SHARING (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
/* How often, 10 ms apart, a lock is tried for that somebody else may have open just to look. */
#define LOCK_ATTEMPTS 5

static HRESULT fail_path(const char *what, const struct winsock_path *path, DWORD error)
{
    char text[SOCKET_PATH_SIZE + 64];
    snprintf(text, sizeof text, "cannot %s %s", what, path->text);
    return overlapped_fail_error(text, error);
}

static bool is_drive_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* Wildcards would make a search of a look, a colon another stream of a file. */
static bool has_no_place_in_a_path(char c)
{
    return (unsigned char)c < 0x20 || strchr("*?\"<>|:", c) != NULL;
}

HRESULT winsock_path_parse(const char *address, struct winsock_path *path)
{
    size_t length = strlen(address);
    if (!is_drive_letter(address[0]) || address[1] != ':' || !is_separator(address[2]))
        return socket_fail(VIA_E_ADDRESS,
                           "unix:%.400s is not an absolute path; write "
                           "unix:C:\\directory\\name.sock",
                           address);
    if (length >= SOCKET_PATH_SIZE)
        return socket_fail(VIA_E_ADDRESS,
                           "unix:%.200s... has %u bytes; a socket's path has %d at most", address,
                           (unsigned)length, SOCKET_PATH_SIZE - 1);
    if (is_separator(address[length - 1]))
        return socket_fail(VIA_E_ADDRESS, "unix:%.400s is a directory", address);
    for (size_t i = 0; i <= length; i++) {
        if (i > 1 && i < length && has_no_place_in_a_path(address[i]))
            return socket_fail(VIA_E_ADDRESS, "unix:%.400s has a character that a path cannot have",
                               address);
        path->text[i] = address[i] == '/' ? '\\' : address[i];
    }
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path->text, -1, path->wide,
                            SOCKET_PATH_SIZE) <= 0)
        return socket_fail(VIA_E_ADDRESS, "unix:%.400s is not UTF-8", address);
    _snwprintf(path->lock, sizeof path->lock / sizeof path->lock[0], L"%ls.lock", path->wide);
    return S_OK;
}

HRESULT winsock_name_lock(const struct winsock_path *path, PSECURITY_DESCRIPTOR security,
                          HANDLE *lock)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, security, FALSE};
    DWORD error = ERROR_SHARING_VIOLATION;
    for (int attempt = 0; attempt < LOCK_ATTEMPTS && error == ERROR_SHARING_VIOLATION; attempt++) {
        if (attempt > 0)
            Sleep(10);
        HANDLE made = CreateFileW(path->lock, GENERIC_READ | DELETE, 0, &attributes, OPEN_ALWAYS,
                                  FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (made != INVALID_HANDLE_VALUE) {
            *lock = made;
            return S_OK;
        }
        error = GetLastError();
    }
    if (error == ERROR_SHARING_VIOLATION)
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path->text,
                                  "another process listens there");
    if (error == ERROR_PATH_NOT_FOUND)
        return socket_fail_listen(VIA_WIN32(3), path->text, "there is no such directory");
    return fail_path("lock", path, error);
}

bool winsock_name_locked(const struct winsock_path *path)
{
    HANDLE lock = CreateFileW(path->lock, GENERIC_READ, ANY_SHARING, NULL, OPEN_EXISTING, 0, NULL);
    if (lock == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_SHARING_VIOLATION;
    CloseHandle(lock); /* left behind when the whole system ended */
    return false;
}

HRESULT winsock_name_kind(const struct winsock_path *path, enum socket_name_kind *kind)
{
    WIN32_FIND_DATAW found;
    HANDLE search = FindFirstFileW(path->wide, &found);
    if (search == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        *kind = SOCKET_NAME_FREE;
        return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND
                   ? S_OK
                   : fail_path("look at", path, error);
    }
    FindClose(search);
    *kind = winsock_family_made(&found) ? SOCKET_NAME_SOCKET : SOCKET_NAME_OTHER;
    return S_OK;
}

/* The socket's file itself, which cannot be opened as a file; INVALID_HANDLE_VALUE. */
static HANDLE open_name(const struct winsock_path *path, DWORD access)
{
    return CreateFileW(path->wide, access, ANY_SHARING, NULL, OPEN_EXISTING,
                       FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

HRESULT winsock_name_protect(const struct winsock_path *path, PSECURITY_DESCRIPTOR security)
{
    HRESULT hr = S_OK;
    HANDLE file = open_name(path, READ_CONTROL | WRITE_DAC);
    if (file == INVALID_HANDLE_VALUE)
        return fail_path("open", path, GetLastError());
    if (!SetKernelObjectSecurity(
            file, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, security))
        hr = fail_path("protect", path, GetLastError());
    CloseHandle(file);
    return hr;
}

HRESULT winsock_name_check_server(const struct winsock_path *path, DWORD id)
{
    HANDLE file = open_name(path, READ_CONTROL);
    if (file == INVALID_HANDLE_VALUE)
        return fail_path("open", path, GetLastError());
    HRESULT hr = user_check_server(id, file, SE_FILE_OBJECT, path->text);
    CloseHandle(file);
    return hr;
}

void winsock_name_remove(const struct winsock_path *path)
{
    DeleteFileW(path->wide);
}
