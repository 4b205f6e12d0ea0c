#include "core/link/handle.h"

#include "core/util/error.h"

#include <windows.h>

HRESULT handle_duplicate(via_os_handle handle, via_os_handle *duplicate)
{
    HANDLE copy;
    HANDLE self = GetCurrentProcess();
    if (!DuplicateHandle(self, (HANDLE)handle, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return error_set(E_HANDLE, "cannot duplicate a handle: error %lu", GetLastError());
    *duplicate = (via_os_handle)copy;
    return S_OK;
}

void handle_close(via_os_handle handle)
{
    if (handle != -1)
        CloseHandle((HANDLE)handle);
}
