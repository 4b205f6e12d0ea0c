#include "core/os/handle.h"

#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <string.h>
#include <windows.h>
#include <winternl.h>

bool os_handle_is_none(intptr_t handle)
{
    return handle == 0 || handle == OS_NO_HANDLE;
}

HRESULT os_handle_duplicate(intptr_t handle, intptr_t *duplicate)
{
    HANDLE copy;
    HANDLE self = GetCurrentProcess();
    if (!DuplicateHandle(self, (HANDLE)handle, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        char why[256];
        return error_set(E_HANDLE, "cannot duplicate handle %p: %s", (void *)handle,
                         windows_reason(GetLastError(), why, sizeof(why)));
    }
    *duplicate = (intptr_t)copy;
    return S_OK;
}

void os_handle_close(intptr_t handle)
{
    if (!os_handle_is_none(handle))
        CloseHandle((HANDLE)handle);
}

/* The kernel's name of the object's type. */
static bool has_type(HANDLE handle, const wchar_t *name)
{
    struct {
        UNICODE_STRING name;
        BYTE rest[512];
    } information;
    NTSTATUS status =
        NtQueryObject(handle, ObjectTypeInformation, &information, sizeof(information), NULL);
    size_t size = wcslen(name) * sizeof(wchar_t);
    return status >= 0 && information.name.Length == size &&
           memcmp(information.name.Buffer, name, size) == 0;
}

bool os_handle_is(intptr_t handle, enum os_handle_kind kind)
{
    DWORD type;
    switch (kind) {
    case OS_HANDLE_FILE:
        type = GetFileType((HANDLE)handle);
        return type == FILE_TYPE_DISK || type == FILE_TYPE_CHAR || type == FILE_TYPE_PIPE;
    case OS_HANDLE_PIPE:
    case OS_HANDLE_SOCKET:
        return GetFileType((HANDLE)handle) == FILE_TYPE_PIPE;
    case OS_HANDLE_SECTION:
        return has_type((HANDLE)handle, L"Section");
    case OS_HANDLE_EVENT:
        return has_type((HANDLE)handle, L"Event");
    }
    return false;
}

/* --- handles of other processes --- */

HRESULT os_handle_pipe(size_t size, intptr_t *read_end, intptr_t *write_end)
{
    (void)size, (void)read_end, (void)write_end;
    return error_set(E_NOTIMPL, "bytes of a pipe would be copied here");
}

HRESULT os_handle_source_open(uint32_t process_id, intptr_t *source)
{
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, process_id);
    if (process == NULL)
        return error_set(E_ACCESSDENIED, "handles cannot be taken out of process %u",
                         (unsigned)process_id);
    *source = (intptr_t)process;
    return S_OK;
}

/* Pseudo-handles (-1: the process itself, -2: its thread, ...) would give more than a handle. What
 * a peer names may also be a handle of the kind that must not be duplicated; the kind is checked
 * when it is taken for an argument. */
HRESULT os_handle_source_take(intptr_t source, uint64_t number, intptr_t *handle)
{
    HANDLE copy;
    if (number == 0 || number > INT32_MAX)
        return error_set(E_HANDLE, "%llu is no number of a handle", (unsigned long long)number);
    if (!DuplicateHandle((HANDLE)source, (HANDLE)(uintptr_t)number, GetCurrentProcess(), &copy, 0,
                         FALSE, DUPLICATE_SAME_ACCESS)) {
        char why[256];
        return error_set(E_HANDLE, "cannot take handle %llu out of a process: %s",
                         (unsigned long long)number,
                         windows_reason(GetLastError(), why, sizeof(why)));
    }
    *handle = (intptr_t)copy;
    return S_OK;
}

/* --- open files and pipes --- */

static HRESULT fail(const char *what)
{
    char why[256];
    DWORD code = GetLastError();
    return error_set(VIA_WIN32(code), "%s: %s", what, windows_reason(code, why, sizeof(why)));
}

static OVERLAPPED *place(OVERLAPPED *overlapped, uint64_t offset)
{
    *overlapped = (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    return offset == OS_NO_OFFSET ? NULL : overlapped;
}

static DWORD at_once(size_t size)
{
    return size > 0x40000000u ? 0x40000000u : (DWORD)size;
}

HRESULT os_handle_read(intptr_t handle, uint64_t offset, void *data, size_t size, size_t *n)
{
    OVERLAPPED overlapped;
    DWORD done = 0;
    if (!ReadFile((HANDLE)handle, data, at_once(size), &done, place(&overlapped, offset)) &&
        GetLastError() != ERROR_HANDLE_EOF && GetLastError() != ERROR_BROKEN_PIPE)
        return fail("cannot read a file");
    *n = done;
    return S_OK;
}

HRESULT os_handle_write(intptr_t handle, uint64_t offset, const void *data, size_t size, size_t *n)
{
    OVERLAPPED overlapped;
    DWORD done = 0;
    if (!WriteFile((HANDLE)handle, data, at_once(size), &done, place(&overlapped, offset)))
        return fail("cannot write a file");
    *n = done;
    return S_OK;
}

bool os_handle_has_position(intptr_t handle, uint64_t *position)
{
    LARGE_INTEGER at;
    if (GetFileType((HANDLE)handle) != FILE_TYPE_DISK ||
        !SetFilePointerEx((HANDLE)handle, (LARGE_INTEGER){.QuadPart = 0}, &at, FILE_CURRENT))
        return false;
    *position = (uint64_t)at.QuadPart;
    return true;
}

static uint64_t whole(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

HRESULT os_handle_look(intptr_t handle, struct os_handle_status *status)
{
    BY_HANDLE_FILE_INFORMATION found = {0};
    if (GetFileType((HANDLE)handle) == FILE_TYPE_DISK &&
        !GetFileInformationByHandle((HANDLE)handle, &found))
        return fail("cannot look at a file");
    *status =
        (struct os_handle_status){.size = (uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow,
                                  .modified = whole(found.ftLastWriteTime),
                                  .changed = whole(found.ftCreationTime),
                                  .accessed = whole(found.ftLastAccessTime)};
    return S_OK;
}

HRESULT os_handle_set_size(intptr_t handle, uint64_t size)
{
    FILE_END_OF_FILE_INFO end = {.EndOfFile.QuadPart = (LONGLONG)size};
    if (SetFileInformationByHandle((HANDLE)handle, FileEndOfFileInfo, &end, sizeof(end)))
        return S_OK;
    return fail("cannot set a file's size");
}

HRESULT os_handle_flush(intptr_t handle)
{
    if (GetFileType((HANDLE)handle) != FILE_TYPE_DISK || FlushFileBuffers((HANDLE)handle))
        return S_OK;
    return fail("cannot flush a file");
}
