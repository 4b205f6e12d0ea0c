/*
 * Shared memory, futex and events of Linux for a Windows program under Wine, by the host's
 * unix_calls.
 *
 * The memory is mapped behind Windows's back: it is not a section, and no function of Windows
 * knows of it, but a pointer into it is as good as any other.
 */
#include "plugins/shm/system.h"

#include "plugins/unixsock/socket.h"

#include <viaduct/plugin/unix_calls.h>

#define LINUX_ENOMEM 12
#define LINUX_ENOSPC 28

static const struct via_plugin_unix_calls *unix_calls(void)
{
    return socket_host->unix_calls;
}

HRESULT system_check(const struct via_plugin_host *host)
{
    if (host->unix_calls != NULL)
        return S_OK;
    return host->set_error(E_NOTIMPL,
                           "shm: is not available to this program: it runs on Windows itself, or "
                           "under Wine without the module viaduct-unix.dll.so beside it; use "
                           "pipe:NAME instead");
}

HRESULT system_memory_new(uint64_t size, int32_t *descriptor)
{
    int32_t made = unix_calls()->memory_new(size);
    if (made == -LINUX_ENOMEM || made == -LINUX_ENOSPC)
        return socket_fail(VIA_E_LIMIT,
                           "no %llu bytes of shared memory are left; close connections, or raise "
                           "the limit of memory",
                           (unsigned long long)size);
    if (made < 0)
        return socket_fail(VIA_E_LIMIT, "no shared memory: Linux error %d", -made);
    *descriptor = made;
    return S_OK;
}

HRESULT system_memory_check(int32_t descriptor, uint64_t size)
{
    return unix_calls()->memory_check(descriptor, size) == 0
               ? S_OK
               : socket_fail(VIA_E_PROTOCOL,
                             "the peer's shared memory is not sealed, not made of plain pages, or "
                             "not of the size that it says");
}

uint8_t *system_memory_reserve(size_t size)
{
    int64_t at = unix_calls()->memory_reserve(size);
    return at < 0 ? NULL : (uint8_t *)(intptr_t)at;
}

bool system_memory_place(uint8_t *at, int32_t descriptor, uint64_t offset, size_t size,
                         bool writable)
{
    return unix_calls()->memory_place(at, descriptor, offset, size, writable) == 0;
}

void system_memory_unmap(uint8_t *at, size_t size)
{
    unix_calls()->memory_unmap(at, size);
}

HRESULT system_event_new(int32_t *descriptor)
{
    int32_t made = unix_calls()->event_new();
    if (made < 0)
        return socket_fail(VIA_E_LIMIT, "no event descriptor: Linux error %d", -made);
    *descriptor = made;
    return S_OK;
}

bool system_event_check(int32_t descriptor)
{
    return unix_calls()->is_event(descriptor) == 1;
}

void system_event_set(int32_t descriptor)
{
    unix_calls()->event_set(descriptor);
}

void system_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
    unix_calls()->futex_wait((uint32_t *)(uintptr_t)word, value, timeout_ns);
}

void system_wake(_Atomic uint32_t *word)
{
    unix_calls()->futex_wake((uint32_t *)(uintptr_t)word, 1);
}

bool system_wait_readable(int32_t descriptor, int32_t timeout_ms)
{
    return unix_calls()->wait_readable(descriptor, -1, timeout_ms) == 1;
}

HRESULT system_socket_pair(int32_t descriptors[2])
{
    int32_t result = unix_calls()->socket_pair(descriptors);
    return result < 0 ? socket_fail(VIA_E_LIMIT, "no socket pair: Linux error %d", -result) : S_OK;
}

int32_t system_process_life(uint32_t pid)
{
    int32_t life = unix_calls()->process_life(pid);
    return life < 0 ? -1 : life;
}

uint32_t system_user(void)
{
    return unix_calls()->user_id();
}
