/* Handles for the loopback transport. */
#include "core/plugin/loopback_parts.h"

#include <windows.h>

HRESULT loopback_handle_duplicate(via_os_handle handle, via_os_handle *duplicate)
{
    HANDLE made;
    if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)handle, GetCurrentProcess(), &made, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return loopback_fail(E_HANDLE, "a handle cannot be duplicated");
    *duplicate = (via_os_handle)made;
    return S_OK;
}

void loopback_handle_close(via_os_handle handle)
{
    CloseHandle((HANDLE)handle);
}
