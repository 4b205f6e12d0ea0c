#include "tests/os/descriptors.h"

#include "core/os/unix_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

bool descriptors_pair(intptr_t ends[2])
{
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    int32_t pair[2];
    if (!calls || calls->socket_pair(pair) < 0)
        return false;
    ends[0] = pair[0];
    ends[1] = pair[1];
    return true;
}

void descriptors_close(intptr_t descriptor)
{
    os_unix_calls()->close((int32_t)descriptor);
}

int descriptors_write(intptr_t descriptor, const void *data, size_t size)
{
    int64_t n = os_unix_calls()->send((int32_t)descriptor, data, size, NULL, 0);
    return n < 0 ? -1 : (int)n;
}

int descriptors_read(intptr_t descriptor, void *data, size_t size)
{
    uint32_t none = 0;
    int64_t n = os_unix_calls()->receive((int32_t)descriptor, data, size, NULL, &none);
    return n < 0 ? -1 : (int)n;
}

/* The program itself, since a handle of the child's own may have the same value. */
bool descriptors_leak_open(struct descriptors_leak *leak)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    HANDLE file = INVALID_HANDLE_VALUE;
    wchar_t path[MAX_PATH];
    if (GetModuleFileNameW(NULL, path, MAX_PATH) < MAX_PATH)
        file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, &inherit, OPEN_EXISTING, 0, NULL);
    leak->value = (intptr_t)file;
    snprintf(leak->name, sizeof(leak->name), "%lld", (long long)leak->value);
    return file != INVALID_HANDLE_VALUE;
}

void descriptors_leak_close(const struct descriptors_leak *leak)
{
    CloseHandle((HANDLE)leak->value);
}

bool descriptors_leak_is_open(const char *name)
{
    LARGE_INTEGER size;
    return GetFileSizeEx((HANDLE)(intptr_t)atoll(name), &size) && size.QuadPart > 65536;
}
