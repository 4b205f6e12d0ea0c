#include "tests/transfer/system.h"

#include <windows.h>

#include <psapi.h>

bool system_pipe(VIA_HANDLE *reader, VIA_HANDLE *writer)
{
    return CreatePipe(reader, writer, NULL, 0);
}

bool system_file(VIA_HANDLE *file)
{
    wchar_t directory[MAX_PATH];
    wchar_t path[MAX_PATH];
    if (GetTempPathW(MAX_PATH, directory) == 0 || GetTempFileNameW(directory, L"via", 0, path) == 0)
        return false;
    *file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE, FILE_SHARE_DELETE, NULL,
                        CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    return *file != INVALID_HANDLE_VALUE;
}

long system_write(VIA_HANDLE handle, const void *data, size_t size)
{
    DWORD n;
    return WriteFile(handle, data, (DWORD)size, &n, NULL) ? (long)n : -1;
}

/* The end of a pipe is an error here. */
long system_read(VIA_HANDLE handle, void *data, size_t size)
{
    DWORD n;
    if (ReadFile(handle, data, (DWORD)size, &n, NULL))
        return (long)n;
    return GetLastError() == ERROR_BROKEN_PIPE ? 0 : -1;
}

bool system_rewind(VIA_HANDLE file)
{
    return SetFilePointer(file, 0, NULL, FILE_BEGIN) == 0;
}

bool system_section(size_t size, VIA_HANDLE *memory)
{
    *memory = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
    return *memory != NULL;
}

void *system_map(VIA_HANDLE memory, size_t size)
{
    return MapViewOfFile(memory, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, size);
}

void system_unmap(void *at, size_t size)
{
    (void)size;
    UnmapViewOfFile(at);
}

bool system_event(VIA_HANDLE *event)
{
    *event = CreateEventW(NULL, TRUE, FALSE, NULL);
    return *event != NULL;
}

bool system_event_set(VIA_HANDLE event)
{
    return SetEvent(event);
}

bool system_event_is_set(VIA_HANDLE event)
{
    return WaitForSingleObject(event, 0) == WAIT_OBJECT_0;
}

bool system_socket_pair(VIA_HANDLE ends[2])
{
    (void)ends;
    return false;
}

/* Others may see who it is, which clients want to know of a server. */
bool system_lock_process(void)
{
    union {
        ACL list;
        BYTE room[256];
    } rights;
    BYTE everyone[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof everyone;
    SECURITY_DESCRIPTOR descriptor;
    return CreateWellKnownSid(WinWorldSid, NULL, everyone, &size) &&
           InitializeAcl(&rights.list, sizeof rights, ACL_REVISION) &&
           AddAccessAllowedAce(&rights.list, ACL_REVISION,
                               PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION |
                                   SYNCHRONIZE,
                               everyone) &&
           InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) &&
           SetSecurityDescriptorDacl(&descriptor, TRUE, &rights.list, FALSE) &&
           SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, &descriptor);
}

int system_count_handles(void)
{
    DWORD n = 0;
    GetProcessHandleCount(GetCurrentProcess(), &n);
    return (int)n;
}

long long system_memory_in_use(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters);
    return (long long)counters.WorkingSetSize;
}
