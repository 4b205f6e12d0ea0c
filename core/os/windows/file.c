/* Files on Windows. The runtime directory under Wine is a Unix path, and made by Unix calls. */
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/windows/access.h"
#include "core/os/windows/text.h"
#include "core/os/windows/unix_module.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <io.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

/* What the winelib module's calls give, negated. */
#define LINUX_EEXIST 17
#define LINUX_ENOENT 2

static HRESULT fail(const char *path, const char *what)
{
    return windows_fail(GetLastError(), path, what);
}

static HRESULT out_of_memory(const char *path)
{
    return error_set(E_OUTOFMEMORY, "no memory for %s", path);
}

static HRESULT read_all(HANDLE file, const char *path, size_t limit, char **text, size_t *size)
{
    size_t room = 4096;
    size_t have = 0;
    char *data = malloc(room + 1);
    while (data) {
        DWORD n;
        if (!ReadFile(file, data + have, (DWORD)(room - have), &n, NULL)) {
            HRESULT hr = fail(path, "read");
            free(data);
            return hr;
        }
        have += n;
        if (have > limit) {
            free(data);
            return error_set(VIA_E_LIMIT, "%s has more than %zu bytes", path, limit);
        }
        if (n == 0) {
            data[have] = 0;
            *text = data;
            *size = have;
            return S_OK;
        }
        if (have == room) {
            room *= 2;
            char *larger = realloc(data, room + 1);
            if (!larger)
                free(data);
            data = larger;
        }
    }
    return out_of_memory(path);
}

HRESULT os_file_read(const char *path, size_t limit, char **text, size_t *size)
{
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    DWORD attributes = GetFileAttributesW(wide);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        free(wide);
        return error_set(E_INVALIDARG, "%s is a directory, and no file", path);
    }
    HANDLE file =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    HRESULT hr = file == INVALID_HANDLE_VALUE ? fail(path, "open") : S_OK;
    free(wide);
    if (FAILED(hr))
        return hr;
    if (GetFileType(file) != FILE_TYPE_DISK)
        hr = error_set(E_INVALIDARG, "%s is a pipe or a device, and no file", path);
    else
        hr = read_all(file, path, limit, text, size);
    CloseHandle(file);
    return hr;
}

static HRESULT write_new(const wchar_t *wide, const char *path, const char *data, size_t size,
                         bool is_kept)
{
    HANDLE file =
        CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return fail(path, "create");
    HRESULT hr = S_OK;
    while (size > 0 && SUCCEEDED(hr)) {
        DWORD n;
        if (!WriteFile(file, data, size < 1u << 30 ? (DWORD)size : 1u << 30, &n, NULL))
            hr = fail(path, "write");
        else {
            data += n;
            size -= n;
        }
    }
    if (SUCCEEDED(hr) && is_kept && !FlushFileBuffers(file))
        hr = fail(path, "write");
    CloseHandle(file);
    return hr;
}

/* What is not `kept` need not outlive a power failure. */
static HRESULT replace_file(const char *path, const void *data, size_t size, bool is_kept)
{
    static atomic_uint n_written;
    size_t temporary_size = strlen(path) + 40;
    char *temporary = malloc(temporary_size);
    if (temporary)
        snprintf(temporary, temporary_size, "%s.%lu-%u", path, GetCurrentProcessId(),
                 atomic_fetch_add(&n_written, 1));
    wchar_t *from = temporary ? wide_from_text(temporary) : NULL;
    wchar_t *to = wide_from_text(path);
    HRESULT hr = from && to ? write_new(from, path, data, size, is_kept) : out_of_memory(path);
    DWORD flags = MOVEFILE_REPLACE_EXISTING | (is_kept ? MOVEFILE_WRITE_THROUGH : 0);
    if (SUCCEEDED(hr) && !MoveFileExW(from, to, flags))
        hr = fail(path, "replace");
    if (FAILED(hr) && from)
        DeleteFileW(from);
    free(to);
    free(from);
    free(temporary);
    return hr;
}

HRESULT os_file_write(const char *path, const void *data, size_t size)
{
    return replace_file(path, data, size, true);
}

/* The file inherits who may use it from its directory. */
HRESULT os_file_write_private(const char *path, const void *data, size_t size)
{
    return replace_file(path, data, size, false);
}

HRESULT os_file_read_private(const char *path, size_t limit, void **data, size_t *size)
{
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    DWORD attributes = GetFileAttributesW(wide);
    DWORD error = GetLastError();
    free(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return windows_fail(error, path, "open");
    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return error_set(E_ACCESSDENIED, "%s is a link", path);
    HRESULT hr = access_check(path, ACCESS_TO_CHANGE, "can be written by");
    return SUCCEEDED(hr) ? os_file_read(path, limit, (char **)data, size) : hr;
}

HRESULT os_file_remove(const char *path)
{
    const struct unix_module *module = path[0] == '/' ? unix_module() : NULL;
    if (module) { /* a path of Linux, under Wine: Windows' own calls do not see sockets */
        int32_t result = module->calls.unlink(path);
        if (result >= 0)
            return S_OK;
        return result == -LINUX_ENOENT
                   ? S_FALSE
                   : error_set(E_FAIL, "%s: cannot remove: Linux error %d", path, -result);
    }
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    BOOL done = DeleteFileW(wide);
    free(wide);
    if (done)
        return S_OK;
    DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
        return S_FALSE;
    return windows_fail(error, path, "remove");
}

bool os_file_exists(const char *path)
{
    wchar_t *wide = wide_from_text(path);
    bool exists = wide && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
    free(wide);
    return exists;
}

static bool identify(const char *path, BY_HANDLE_FILE_INFORMATION *info)
{
    wchar_t *wide = wide_from_text(path);
    HANDLE file = wide
                      ? CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                    NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL)
                      : INVALID_HANDLE_VALUE;
    bool known = file != INVALID_HANDLE_VALUE && GetFileInformationByHandle(file, info);
    free(wide);
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    return known;
}

bool os_file_is_same(const char *left, const char *right)
{
    BY_HANDLE_FILE_INFORMATION one, other;
    return identify(left, &one) && identify(right, &other) &&
           one.dwVolumeSerialNumber == other.dwVolumeSerialNumber &&
           one.nFileIndexHigh == other.nFileIndexHigh && one.nFileIndexLow == other.nFileIndexLow;
}

HRESULT os_file_append(const char *path, FILE **file)
{
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    HANDLE handle = CreateFileW(wide, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    HRESULT hr = handle == INVALID_HANDLE_VALUE ? fail(path, "open") : S_OK;
    free(wide);
    if (SUCCEEDED(hr) && GetFileType(handle) == FILE_TYPE_PIPE)
        hr = error_set(E_INVALIDARG, "%s is a pipe, and no file", path);
    int descriptor = SUCCEEDED(hr) ? _open_osfhandle((intptr_t)handle, _O_APPEND | _O_BINARY) : -1;
    if (descriptor >= 0 && (*file = _fdopen(descriptor, "ab")))
        return S_OK;
    if (SUCCEEDED(hr))
        hr = error_set(E_OUTOFMEMORY, "no memory to open %s", path);
    if (descriptor >= 0)
        _close(descriptor);
    else if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
    return hr;
}

void os_names_free(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static HRESULT add_name(char ***names, size_t *n, const wchar_t *name)
{
    if (wcscmp(name, L".") == 0 || wcscmp(name, L"..") == 0)
        return S_OK;
    char **larger = realloc(*names, (*n + 2) * sizeof(**names));
    if (!larger)
        return E_OUTOFMEMORY;
    *names = larger;
    larger[*n] = text_from_wide(name);
    larger[*n + 1] = NULL;
    return larger[(*n)++] ? S_OK : E_OUTOFMEMORY;
}

static HRESULT list_all(HANDLE search, WIN32_FIND_DATAW *entry, char ***names)
{
    size_t n = 0;
    HRESULT hr = S_OK;
    do
        hr = add_name(names, &n, entry->cFileName);
    while (SUCCEEDED(hr) && FindNextFileW(search, entry));
    FindClose(search);
    if (SUCCEEDED(hr))
        qsort(*names, n, sizeof(**names), compare_names);
    return hr;
}

HRESULT os_directory_list(const char *path, char ***names)
{
    char *pattern = os_path_join(path, "*");
    wchar_t *wide = pattern ? wide_from_text(pattern) : NULL;
    char **list = calloc(1, sizeof(*list));
    WIN32_FIND_DATAW entry;
    HRESULT hr = S_OK;
    HANDLE search = INVALID_HANDLE_VALUE;
    if (!wide || !list)
        hr = out_of_memory(path);
    else if ((search = FindFirstFileW(wide, &entry)) == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        bool is_absent = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
        hr = is_absent ? S_FALSE : windows_fail(error, path, "list");
    } else if (FAILED(list_all(search, &entry, &list)))
        hr = out_of_memory(path);
    free(wide);
    free(pattern);
    if (FAILED(hr)) {
        os_names_free(list);
        return hr;
    }
    *names = list;
    return hr;
}

/* `security` is for the last directory only. */
static HRESULT make_directories(const char *path, SECURITY_ATTRIBUTES *security)
{
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    HRESULT hr = S_OK;
    if (!CreateDirectoryW(wide, security)) {
        DWORD error = GetLastError();
        char *parent = os_path_directory(path);
        if (error == ERROR_PATH_NOT_FOUND && parent && strcmp(parent, path) != 0) {
            hr = make_directories(parent, NULL);
            if (SUCCEEDED(hr) && !CreateDirectoryW(wide, security) &&
                GetLastError() != ERROR_ALREADY_EXISTS)
                hr = fail(path, "create directory");
        } else if (error != ERROR_ALREADY_EXISTS) {
            hr = windows_fail(error, path, "create directory");
        }
        free(parent);
    }
    free(wide);
    return hr;
}

HRESULT os_directory_make(const char *path)
{
    return make_directories(path, NULL);
}

#define LINUX_S_IFMT   0170000u
#define LINUX_S_IFDIR  0040000u
#define LINUX_S_ISVTX  0001000u
#define LINUX_S_IWOTH  0000002u
#define LINUX_MODE_ALL 077u

static int32_t make_unix_directories(const struct unix_module *module, const char *path)
{
    int32_t result = module->make_directory(path, 0700);
    if (result == -LINUX_ENOENT) {
        char *parent = os_path_directory(path);
        if (parent && strcmp(parent, path) != 0 && make_unix_directories(module, parent) >= 0)
            result = module->make_directory(path, 0700);
        free(parent);
    }
    return result == -LINUX_EEXIST ? 0 : result;
}

static HRESULT make_unix_private(const struct unix_module *module, const char *path)
{
    uint32_t mode, owner;
    int32_t result = make_unix_directories(module, path);
    if (result >= 0)
        result = module->calls.stat(path, &mode, &owner);
    if (result < 0)
        return error_set(E_ACCESSDENIED, "%s: cannot create directory: Linux error %d", path,
                         -result);
    if ((mode & LINUX_S_IFMT) != LINUX_S_IFDIR)
        return error_set(E_ACCESSDENIED, "%s is not a directory", path);
    if (owner != module->calls.user_id())
        return error_set(E_ACCESSDENIED,
                         "%s belongs to user %u; remove it, or set VIADUCT_RUNTIME_DIR", path,
                         owner);
    if (mode & LINUX_MODE_ALL)
        return error_set(E_ACCESSDENIED, "%s is open to other users; run chmod 700 on it", path);
    return S_OK;
}

/* What was there before may be somebody else's, or no directory. */
static HRESULT check_private(const char *path)
{
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    DWORD attributes = GetFileAttributesW(wide);
    free(wide);
    if (attributes == INVALID_FILE_ATTRIBUTES)
        return fail(path, "look at");
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY) || (attributes & FILE_ATTRIBUTE_REPARSE_POINT))
        return error_set(E_ACCESSDENIED, "%s is not a directory", path);
    return access_check(path, FILE_ALL_ACCESS & ~SYNCHRONIZE, "is open to");
}

HRESULT os_directory_make_private(const char *path)
{
    const struct unix_module *module = unix_module();
    if (path[0] == '/' && module)
        return make_unix_private(module, path);
    /* The owner, SYSTEM and Administrators, and nothing from above. */
    SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            L"D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", SDDL_REVISION_1,
            &security.lpSecurityDescriptor, NULL))
        return fail(path, "describe who may enter");
    HRESULT hr = make_directories(path, &security);
    LocalFree(security.lpSecurityDescriptor);
    return SUCCEEDED(hr) ? check_private(path) : hr;
}

/* As on Linux, but that stat gives no group, and does not follow links: a link is trusted with its
 * owner. */
static HRESULT check_unix(const struct unix_module *module, const char *path)
{
    uint32_t mode, owner;
    int32_t result = module->calls.stat(path, &mode, &owner);
    if (result < 0)
        return error_set(E_ACCESSDENIED, "%s: cannot look at: Linux error %d", path, -result);
    if (owner != 0 && owner != module->calls.user_id())
        return error_set(E_ACCESSDENIED,
                         "%s belongs to user %u, who could change it; give it to root or to you",
                         path, owner);
    bool is_directory = (mode & LINUX_S_IFMT) == LINUX_S_IFDIR;
    if (is_directory && (mode & LINUX_S_IWOTH) && !(mode & LINUX_S_ISVTX))
        return error_set(E_ACCESSDENIED,
                         "%s can be written by other users; take that right away (chmod go-w)",
                         path);
    char *parent = strcmp(path, "/") != 0 ? os_path_directory(path) : NULL;
    HRESULT hr = parent ? check_unix(module, parent) : S_OK;
    free(parent);
    return hr;
}

HRESULT os_directory_check(const char *path)
{
    const struct unix_module *module = unix_module();
    if (path[0] == '/' && module)
        return check_unix(module, path);
    return access_check(path, ACCESS_TO_CHANGE, "can be written by");
}

HRESULT os_directory_remove(const char *path)
{
    const struct unix_module *module = unix_module();
    if (path[0] == '/' && module) {
        int32_t result = module->remove_directory(path);
        if (result >= 0)
            return S_OK;
        return result == -LINUX_ENOENT
                   ? S_FALSE
                   : error_set(E_FAIL, "%s: cannot remove: Linux error %d", path, -result);
    }
    wchar_t *wide = wide_from_text(path);
    if (!wide)
        return out_of_memory(path);
    BOOL done = RemoveDirectoryW(wide);
    free(wide);
    if (done)
        return S_OK;
    DWORD error = GetLastError();
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
        return S_FALSE;
    return windows_fail(error, path, "remove");
}
