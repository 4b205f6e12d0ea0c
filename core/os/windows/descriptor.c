/*
 * Descriptors as HANDLEs, under Wine. Its ntdll gives one for the other, by two functions that only
 * Wine exports; what the other side opened stays what it is, with its position and its flags.
 *
 * A HANDLE that is made of a descriptor is a file to Wine. That serves files and pipes, and sockets
 * as far as they are read and written like pipes; of memory a section is made. An event of Windows
 * has no descriptor, and an event descriptor is no event of Windows, so neither crosses.
 */
#include "core/os/unix_calls.h"

#include "core/util/error.h"

#include <windows.h>
#include <winternl.h>

/* As Linux has them on x86-64. */
#define MODE_TYPE      0170000u
#define MODE_FIFO      0010000u
#define MODE_CHARACTER 0020000u
#define MODE_DIRECTORY 0040000u
#define MODE_BLOCK     0060000u
#define MODE_REGULAR   0100000u
#define MODE_SOCKET    0140000u
#define FLAGS_ACCESS   3u
#define FLAGS_READ     0u
#define FLAGS_WRITE    1u

typedef NTSTATUS(CDECL *from_descriptor_fn)(int descriptor, unsigned access, unsigned attributes,
                                            HANDLE *handle);
typedef NTSTATUS(CDECL *to_descriptor_fn)(HANDLE handle, unsigned access, int *descriptor,
                                          unsigned *options);

static HRESULT find(const char *name, FARPROC *function)
{
    *function = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);
    if (*function != NULL)
        return S_OK;
    return error_set(VIA_E_NO_HANDLES, "this Wine has no %s, so no OS handles cross", name);
}

static bool is_kind(uint32_t mode, enum os_handle_kind kind)
{
    uint32_t type = mode & MODE_TYPE;
    switch (kind) {
    case OS_HANDLE_FILE:
        return type == MODE_REGULAR || type == MODE_DIRECTORY || type == MODE_CHARACTER ||
               type == MODE_BLOCK || type == MODE_FIFO;
    case OS_HANDLE_PIPE:
        return type == MODE_FIFO;
    case OS_HANDLE_SOCKET:
        return type == MODE_SOCKET;
    case OS_HANDLE_SECTION:
        return type == MODE_REGULAR;
    default:
        return false;
    }
}

static HRESULT no_events(void)
{
    return error_set(VIA_E_NO_HANDLES, "events do not cross between Windows programs under Wine "
                                       "and other processes: pass a pipe instead");
}

static unsigned access_of(uint32_t flags)
{
    switch (flags & FLAGS_ACCESS) {
    case FLAGS_READ:
        return GENERIC_READ | SYNCHRONIZE;
    case FLAGS_WRITE:
        return GENERIC_WRITE | SYNCHRONIZE;
    default:
        return GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE;
    }
}

/* Memory is mapped by a section of its file. */
static HRESULT make_section(HANDLE file, unsigned access, intptr_t *handle)
{
    DWORD protection = access & GENERIC_WRITE ? PAGE_READWRITE : PAGE_READONLY;
    HANDLE section = CreateFileMappingW(file, NULL, protection, 0, 0, NULL);
    if (section == NULL)
        return error_set(VIA_WIN32(GetLastError()),
                         "cannot make a section of shared memory: "
                         "error %lu",
                         GetLastError());
    *handle = (intptr_t)section;
    return S_OK;
}

HRESULT os_handle_from_descriptor(int32_t descriptor, enum os_handle_kind kind, intptr_t *handle)
{
    FARPROC function;
    uint32_t mode;
    uint32_t flags;
    HANDLE file;
    if (kind == OS_HANDLE_EVENT)
        return no_events();
    int32_t looked = os_unix_calls()->look(descriptor, &mode, &flags);
    if (looked < 0 || !is_kind(mode, kind))
        return error_set(RPC_E_INVALID_DATA, "the descriptor that came is of another kind");
    HRESULT hr = find("wine_server_fd_to_handle", &function);
    if (FAILED(hr))
        return hr;
    unsigned access = access_of(flags);
    NTSTATUS status = ((from_descriptor_fn)(uintptr_t)function)(descriptor, access, 0, &file);
    if (status < 0)
        return error_set(E_HANDLE, "Wine makes no handle of a descriptor: status 0x%08lX",
                         (unsigned long)status);
    if (kind == OS_HANDLE_SECTION) {
        hr = make_section(file, access, handle);
        CloseHandle(file);
    } else {
        *handle = (intptr_t)file;
    }
    if (SUCCEEDED(hr))
        os_unix_calls()->close(descriptor);
    return hr;
}

HRESULT os_handle_to_descriptor(intptr_t handle, enum os_handle_kind kind, int32_t *descriptor)
{
    FARPROC function;
    int found;
    if (kind == OS_HANDLE_EVENT)
        return no_events();
    HRESULT hr = find("wine_server_handle_to_fd", &function);
    if (FAILED(hr))
        return hr;
    NTSTATUS status = ((to_descriptor_fn)(uintptr_t)function)((HANDLE)handle, 0, &found, NULL);
    if (status < 0)
        return error_set(VIA_E_NO_HANDLES,
                         "Wine has no descriptor for handle %p (status 0x%08lX); those of files "
                         "and of shared memory cross, Windows' own pipes do not",
                         (void *)handle, (unsigned long)status);
    /* One that programs which are started do not inherit. */
    int32_t duplicate = os_unix_calls()->duplicate(found);
    os_unix_calls()->close(found);
    if (duplicate < 0)
        return error_set(VIA_E_LIMIT, "no room for another descriptor: Linux error %d", -duplicate);
    *descriptor = duplicate;
    return S_OK;
}
