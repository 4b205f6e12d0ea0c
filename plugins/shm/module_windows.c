/*
 * The form under Wine: shared memory, futex and events of Linux, by the host's unix_calls.
 *
 * The memory is mapped behind Windows's back: it is not a section, and no function of Windows
 * knows of it, but a pointer into it is as good as any other.
 */
#include "plugins/shm/form_windows.h"

#include "plugins/unixsock/socket.h"

#include <viaduct/plugin/unix_calls.h>

#define LINUX_ENOMEM 12
#define LINUX_ENOSPC 28

static const struct via_plugin_unix_calls *unix_calls(void)
{
    return socket_host->unix_calls;
}

static HRESULT check_made(uint64_t size, int32_t made)
{
    if (made == -LINUX_ENOMEM || made == -LINUX_ENOSPC)
        return socket_fail(VIA_E_LIMIT,
                           "no %llu bytes of shared memory are left; close connections, or raise "
                           "the limit of memory",
                           (unsigned long long)size);
    if (made < 0)
        return socket_fail(VIA_E_LIMIT, "no shared memory: Linux error %d", -made);
    return S_OK;
}

static HRESULT module_memory_new(uint64_t size, int32_t *descriptor)
{
    *descriptor = unix_calls()->memory_new(size);
    return check_made(size, *descriptor);
}

static HRESULT module_memory_lend(uint64_t size, int32_t *descriptor, uint8_t **at)
{
    void *mapped = NULL;
    *descriptor = unix_calls()->memory_lend(size, &mapped);
    *at = mapped;
    return check_made(size, *descriptor);
}

static HRESULT module_memory_check(int32_t descriptor, uint64_t size)
{
    return unix_calls()->memory_check(descriptor, size) == 0
               ? S_OK
               : socket_fail(VIA_E_PROTOCOL,
                             "the peer's shared memory is not sealed, not made of plain pages, or "
                             "not of the size that it says");
}

static size_t size_of(const struct system_piece *pieces, unsigned n)
{
    size_t size = 0;
    for (unsigned i = 0; i < n; i++)
        size += pieces[i].size;
    return size;
}

static uint8_t *module_memory_map(int32_t descriptor, const struct system_piece *pieces, unsigned n)
{
    size_t size = size_of(pieces, n);
    int64_t reserved = unix_calls()->memory_reserve(size);
    if (reserved < 0)
        return NULL;
    uint8_t *base = (uint8_t *)(intptr_t)reserved;
    uint8_t *at = base;
    for (unsigned i = 0; i < n; i++) {
        if (unix_calls()->memory_place(at, descriptor, pieces[i].offset, pieces[i].size,
                                       pieces[i].writable) != 0) {
            unix_calls()->memory_unmap(base, size);
            return NULL;
        }
        at += pieces[i].size;
    }
    return base;
}

static void module_memory_unmap(uint8_t *at, const struct system_piece *pieces, unsigned n)
{
    unix_calls()->memory_unmap(at, size_of(pieces, n));
}

static HRESULT module_event_new(int32_t *descriptor)
{
    int32_t made = unix_calls()->event_new();
    if (made < 0)
        return socket_fail(VIA_E_LIMIT, "no event descriptor: Linux error %d", -made);
    *descriptor = made;
    return S_OK;
}

static bool module_event_check(int32_t descriptor)
{
    return unix_calls()->is_event(descriptor) == 1;
}

static void module_event_set(int32_t descriptor)
{
    unix_calls()->event_set(descriptor);
}

static void module_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell)
{
    (void)bell;
    unix_calls()->futex_wait((uint32_t *)(uintptr_t)word, value, timeout_ns);
}

static void module_wake(_Atomic uint32_t *word, int32_t bell)
{
    (void)bell;
    unix_calls()->futex_wake((uint32_t *)(uintptr_t)word, 1);
}

static bool module_wait_readable(int32_t descriptor, int32_t timeout_ms)
{
    return unix_calls()->wait_readable(descriptor, -1, timeout_ms) == 1;
}

static int32_t module_process_life(uint32_t pid)
{
    int32_t life = unix_calls()->process_life(pid);
    return life < 0 ? -1 : life;
}

const struct system_form module_form = {
    .close = socket_close,
    .duplicate = socket_duplicate,
    .memory_new = module_memory_new,
    .memory_lend = module_memory_lend,
    .memory_check = module_memory_check,
    .memory_map = module_memory_map,
    .memory_unmap = module_memory_unmap,
    .event_new = module_event_new,
    .event_check = module_event_check,
    .event_set = module_event_set,
    .sleep = module_sleep,
    .wake = module_wake,
    .wait_readable = module_wait_readable,
    .process_life = module_process_life,
    .life_is_over = socket_life_is_over,
};
