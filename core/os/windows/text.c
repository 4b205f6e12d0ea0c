#include "core/os/windows/text.h"

#include "core/util/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

wchar_t *wide_from_text(const char *text)
{
    int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = n > 0 ? malloc((size_t)n * sizeof(*wide)) : NULL;
    if (wide)
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, n);
    return wide;
}

char *text_from_wide(const wchar_t *wide)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = n > 0 ? malloc((size_t)n) : NULL;
    if (text)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, n, NULL, NULL);
    return text;
}

char *windows_reason(uint32_t error, char *buffer, size_t size)
{
    wchar_t wide[256];
    DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                 FORMAT_MESSAGE_MAX_WIDTH_MASK,
                             NULL, error, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US), wide,
                             sizeof(wide) / sizeof(wide[0]), NULL);
    while (n > 0 && (wide[n - 1] == L' ' || wide[n - 1] == L'.'))
        wide[--n] = L'\0';
    if (n == 0 || WideCharToMultiByte(CP_UTF8, 0, wide, -1, buffer, (int)size, NULL, NULL) <= 0)
        snprintf(buffer, size, "Windows error %u", error);
    return buffer;
}

HRESULT windows_fail(uint32_t error, const char *subject, const char *what)
{
    char reason[256];
    HRESULT code = E_FAIL;
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
        code = VIA_WIN32(2);
        break;
    case ERROR_ACCESS_DENIED:
    case ERROR_WRITE_PROTECT:
    case ERROR_SHARING_VIOLATION:
        code = E_ACCESSDENIED;
        break;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
        code = VIA_WIN32(112);
        break;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        code = E_OUTOFMEMORY;
        break;
    }
    return error_set(code, "%s: cannot %s: %s", subject, what,
                     windows_reason(error, reason, sizeof(reason)));
}
