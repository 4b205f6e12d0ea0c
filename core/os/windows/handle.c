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
