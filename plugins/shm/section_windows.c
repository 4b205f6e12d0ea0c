/*
 * The form on Windows itself: sections, events, and threads that sleep on events.
 *
 * A section backed by the page file has its memory committed when it is made, cannot be shrunk, and
 * none of its pages can be taken out of another's view of it. What a peer gives is checked to be
 * one: a section of a file could be cut off from its file.
 */
#include "plugins/shm/form_windows.h"

#include "plugins/unixsock/overlapped_windows.h"
#include "plugins/unixsock/user_windows.h"

#include <winternl.h>

/* Another thread may take an address between its release and the mapping; then all is tried anew.
 */
#define MAX_TRIES 64

/* Windows 10, version 1803; headers and systems may be older. */
#define PLACEHOLDER_RESERVE  0x00040000u /* MEM_RESERVE_PLACEHOLDER */
#define PLACEHOLDER_REPLACE  0x00004000u /* MEM_REPLACE_PLACEHOLDER */
#define PLACEHOLDER_PRESERVE 0x00000002u /* MEM_PRESERVE_PLACEHOLDER */
typedef void *(WINAPI *alloc2_function)(HANDLE process, void *base, SIZE_T size, ULONG type,
                                        ULONG protection, void *parameters, ULONG n);
typedef void *(WINAPI *map3_function)(HANDLE section, HANDLE process, void *base, ULONG64 offset,
                                      SIZE_T size, ULONG type, ULONG protection, void *parameters,
                                      ULONG n);

/* What ntdll says of sections and events. */
struct section_information {
    void *base;
    ULONG attributes;
    LARGE_INTEGER size;
};
struct event_information {
    LONG type; /* 1: resets itself */
    LONG state;
};
NTSTATUS NTAPI NtQuerySection(HANDLE section, int what, void *information, SIZE_T size,
                              SIZE_T *returned);
NTSTATUS NTAPI NtQueryEvent(HANDLE event, int what, void *information, ULONG size, ULONG *returned);

static void section_close(int32_t descriptor)
{
    CloseHandle(section_handle(descriptor));
}

static HRESULT section_duplicate(int32_t descriptor, int32_t *duplicate)
{
    HANDLE copy;
    HANDLE self = GetCurrentProcess();
    if (!DuplicateHandle(self, section_handle(descriptor), self, &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return overlapped_fail_error("DuplicateHandle", GetLastError());
    *duplicate = section_descriptor(copy);
    return S_OK;
}

/* Attributes with a descriptor of this user's own, which the caller frees. */
static HRESULT make_attributes(SECURITY_ATTRIBUTES *attributes)
{
    *attributes = (SECURITY_ATTRIBUTES){.nLength = sizeof *attributes};
    return user_security_new(VIA_ACCESS_SAME_USER, 0, &attributes->lpSecurityDescriptor);
}

static HRESULT section_memory_new(uint64_t size, int32_t *descriptor)
{
    SECURITY_ATTRIBUTES attributes;
    HRESULT hr = make_attributes(&attributes);
    if (FAILED(hr))
        return hr;
    HANDLE made = CreateFileMappingW(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE | SEC_COMMIT,
                                     (DWORD)(size >> 32), (DWORD)size, NULL);
    DWORD error = GetLastError();
    LocalFree(attributes.lpSecurityDescriptor);
    if (made == NULL)
        return socket_fail(VIA_E_LIMIT,
                           "no %llu bytes of shared memory are left (Windows error %lu); close "
                           "connections, or enlarge the page file",
                           (unsigned long long)size, error);
    *descriptor = section_descriptor(made);
    return S_OK;
}

static HRESULT section_memory_check(int32_t descriptor, uint64_t size)
{
    struct section_information information;
    if (NtQuerySection(section_handle(descriptor), 0, &information, sizeof information, NULL) < 0)
        return socket_fail(VIA_E_PROTOCOL, "the peer's shared memory is no section");
    if ((information.attributes & SEC_COMMIT) == 0 ||
        (information.attributes & (SEC_FILE | SEC_IMAGE | SEC_RESERVE)) != 0)
        return socket_fail(VIA_E_PROTOCOL,
                           "the peer's shared memory is not backed by the page file alone");
    if ((uint64_t)information.size.QuadPart != size)
        return socket_fail(VIA_E_PROTOCOL,
                           "the peer's shared memory has not the size that it says");
    return S_OK;
}

/* --- mapping --- */

static size_t size_of(const struct system_piece *pieces, unsigned n)
{
    size_t size = 0;
    for (unsigned i = 0; i < n; i++)
        size += pieces[i].size;
    return size;
}

static void unmap(uint8_t *at, const struct system_piece *pieces, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        UnmapViewOfFile(at);
        at += pieces[i].size;
    }
}

/* Maps a piece where the placeholder from `at` on begins; what is left of that is one again. */
static bool replace_placeholder(map3_function map3, HANDLE section, uint8_t *at,
                                const struct system_piece *piece, bool is_last)
{
    bool is_split = is_last || VirtualFree(at, piece->size, MEM_RELEASE | PLACEHOLDER_PRESERVE);
    if (is_split &&
        map3(section, GetCurrentProcess(), at, piece->offset, piece->size, PLACEHOLDER_REPLACE,
             piece->writable ? PAGE_READWRITE : PAGE_READONLY, NULL, 0) != NULL)
        return true;
    VirtualFree(at, 0, MEM_RELEASE);
    if (is_split && !is_last)
        VirtualFree(at + piece->size, 0, MEM_RELEASE);
    return false;
}

/* Where the system has placeholders nobody else can come in between. NULL: it has none. */
static uint8_t *map_by_placeholders(HANDLE section, const struct system_piece *pieces, unsigned n)
{
    HMODULE module = GetModuleHandleW(L"kernelbase.dll");
    alloc2_function alloc2 = (alloc2_function)(uintptr_t)GetProcAddress(module, "VirtualAlloc2");
    map3_function map3 = (map3_function)(uintptr_t)GetProcAddress(module, "MapViewOfFile3");
    if (alloc2 == NULL || map3 == NULL)
        return NULL;
    uint8_t *base = alloc2(NULL, NULL, size_of(pieces, n), MEM_RESERVE | PLACEHOLDER_RESERVE,
                           PAGE_NOACCESS, NULL, 0);
    uint8_t *at = base;
    for (unsigned i = 0; base != NULL && i < n; i++) {
        if (!replace_placeholder(map3, section, at, &pieces[i], i + 1 == n)) {
            unmap(base, pieces, i);
            return NULL;
        }
        at += pieces[i].size;
    }
    return base;
}

static uint8_t *map_into_gap(HANDLE section, const struct system_piece *pieces, unsigned n)
{
    uint8_t *base = VirtualAlloc(NULL, size_of(pieces, n), MEM_RESERVE, PAGE_NOACCESS);
    if (base == NULL)
        return NULL;
    VirtualFree(base, 0, MEM_RELEASE);
    uint8_t *at = base;
    for (unsigned i = 0; i < n; i++) {
        if (MapViewOfFileEx(section, pieces[i].writable ? FILE_MAP_WRITE : FILE_MAP_READ,
                            (DWORD)(pieces[i].offset >> 32), (DWORD)pieces[i].offset,
                            pieces[i].size, at) == NULL) {
            unmap(base, pieces, i);
            return NULL;
        }
        at += pieces[i].size;
    }
    return base;
}

static uint8_t *section_memory_map(int32_t descriptor, const struct system_piece *pieces,
                                   unsigned n)
{
    HANDLE section = section_handle(descriptor);
    uint8_t *base = map_by_placeholders(section, pieces, n);
    for (unsigned i = 0; base == NULL && i < MAX_TRIES; i++)
        base = map_into_gap(section, pieces, n);
    return base;
}

/* --- events, sleeping, processes --- */

static HRESULT section_event_new(int32_t *descriptor)
{
    SECURITY_ATTRIBUTES attributes;
    HRESULT hr = make_attributes(&attributes);
    if (FAILED(hr))
        return hr;
    HANDLE made = CreateEventW(&attributes, FALSE, FALSE, NULL);
    DWORD error = GetLastError();
    LocalFree(attributes.lpSecurityDescriptor);
    if (made == NULL)
        return overlapped_fail_error("CreateEvent", error);
    *descriptor = section_descriptor(made);
    return S_OK;
}

static bool section_event_check(int32_t descriptor)
{
    struct event_information information;
    return NtQueryEvent(section_handle(descriptor), 0, &information, sizeof information, NULL) >=
               0 &&
           information.type == 1;
}

static void section_event_set(int32_t descriptor)
{
    SetEvent(section_handle(descriptor));
}

static DWORD milliseconds(uint64_t timeout_ns)
{
    if (timeout_ns == SYSTEM_FOR_EVER)
        return INFINITE;
    uint64_t ms = (timeout_ns + 999999) / 1000000;
    return ms < 0x7fffffff ? (DWORD)ms : 0x7fffffff;
}

/* Whoever changes the word sets the bell behind it, which stays set until somebody has slept; so
 * the value need not be looked at. */
static void section_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell)
{
    (void)word;
    (void)value;
    WaitForSingleObject(section_handle(bell), milliseconds(timeout_ns));
}

static void section_wake(_Atomic uint32_t *word, int32_t bell)
{
    (void)word;
    SetEvent(section_handle(bell));
}

static bool section_wait_readable(int32_t descriptor, int32_t timeout_ms)
{
    return WaitForSingleObject(section_handle(descriptor), (DWORD)timeout_ms) == WAIT_OBJECT_0;
}

static int32_t section_process_life(uint32_t pid)
{
    HANDLE process = pid != 0 ? OpenProcess(SYNCHRONIZE, FALSE, pid) : NULL;
    return process != NULL ? section_descriptor(process) : -1;
}

static bool section_life_is_over(int32_t life)
{
    return section_wait_readable(life, 0);
}

const struct system_form section_form = {
    .close = section_close,
    .duplicate = section_duplicate,
    .memory_new = section_memory_new,
    .memory_check = section_memory_check,
    .memory_map = section_memory_map,
    .memory_unmap = unmap,
    .event_new = section_event_new,
    .event_check = section_event_check,
    .event_set = section_event_set,
    .sleep = section_sleep,
    .wake = section_wake,
    .wait_readable = section_wait_readable,
    .process_life = section_process_life,
    .life_is_over = section_life_is_over,
};
