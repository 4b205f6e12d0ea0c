/*
 * Memory beside the streams: one process writes, another reads. The size of a connection's rings
 * says nothing about it, and nobody waits in it.
 */
#include "plugins/shm/memory.h"

#include "plugins/shm/system.h"
#include "plugins/unixsock/socket.h"

/* What a peer's memory may have: more than any host asks for. */
#define MAX_SIZE ((size_t)1 << 30)
/* The granularity of addresses on Windows. */
#define UNIT 65536u

static HRESULT check_size(size_t size)
{
    if (size == 0 || size > MAX_SIZE || size % UNIT != 0)
        return socket_fail(VIA_E_PROTOCOL, "shared memory of %llu bytes", (unsigned long long)size);
    return S_OK;
}

HRESULT shm_memory_new(size_t size, via_os_handle *handle, void **base)
{
    int32_t descriptor;
    uint8_t *at;
    HRESULT hr = check_size(size);
    if (SUCCEEDED(hr))
        hr = system_memory_lend(size, &descriptor, &at);
    if (FAILED(hr))
        return hr;
    *handle = descriptor;
    *base = at;
    return S_OK;
}

HRESULT shm_memory_map(via_os_handle handle, size_t size, const void **base)
{
    HRESULT hr = check_size(size);
    if (SUCCEEDED(hr))
        hr = system_memory_check((int32_t)handle, size);
    if (FAILED(hr))
        return hr;
    const struct system_piece all = {.size = size, .writable = false};
    *base = system_memory_map((int32_t)handle, &all, 1);
    return *base != NULL ? S_OK
                         : socket_fail(VIA_E_LIMIT, "cannot map %llu bytes of the peer's memory",
                                       (unsigned long long)size);
}

void shm_memory_unmap(const void *base, size_t size)
{
    const struct system_piece all = {.size = size};
    system_memory_unmap((uint8_t *)(uintptr_t)base, &all, 1);
}
