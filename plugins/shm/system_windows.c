/*
 * Which form of shared memory a Windows program uses: Linux's through the winelib module where that
 * is there, since it reaches Linux programs as well, else Windows's own.
 */
#include "plugins/shm/form_windows.h"

#include "plugins/unixsock/socket.h"

#include <viaduct/plugin/unix_calls.h>

static const struct system_form *form = &section_form; /* read-only while the plugin is up */

void system_init(const struct via_plugin_host *host)
{
    form = host->unix_calls != NULL ? &module_form : &section_form;
}

void system_close(int32_t descriptor)
{
    form->close(descriptor);
}

HRESULT system_duplicate(int32_t descriptor, int32_t *duplicate)
{
    return form->duplicate(descriptor, duplicate);
}

HRESULT system_memory_new(uint64_t size, int32_t *descriptor)
{
    return form->memory_new(size, descriptor);
}

HRESULT system_memory_lend(uint64_t size, int32_t *descriptor, uint8_t **at)
{
    return form->memory_lend(size, descriptor, at);
}

HRESULT system_memory_check(int32_t descriptor, uint64_t size)
{
    return form->memory_check(descriptor, size);
}

uint8_t *system_memory_map(int32_t descriptor, const struct system_piece *pieces, unsigned n)
{
    return form->memory_map(descriptor, pieces, n);
}

void system_memory_unmap(uint8_t *at, const struct system_piece *pieces, unsigned n)
{
    form->memory_unmap(at, pieces, n);
}

HRESULT system_event_new(int32_t *descriptor)
{
    return form->event_new(descriptor);
}

bool system_event_check(int32_t descriptor)
{
    return form->event_check(descriptor);
}

void system_event_set(int32_t descriptor)
{
    form->event_set(descriptor);
}

void system_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell)
{
    form->sleep(word, value, timeout_ns, bell);
}

void system_wake(_Atomic uint32_t *word, int32_t bell)
{
    form->wake(word, bell);
}

bool system_wait_readable(int32_t descriptor, int32_t timeout_ms)
{
    return form->wait_readable(descriptor, timeout_ms);
}

int32_t system_process_life(uint32_t pid)
{
    return form->process_life(pid);
}

bool system_life_is_over(int32_t life)
{
    return form->life_is_over(life);
}

/* What only Unix sockets need: the module's. */

HRESULT system_socket_pair(int32_t descriptors[2])
{
    int32_t result = socket_host->unix_calls->socket_pair(descriptors);
    return result < 0 ? socket_fail(VIA_E_LIMIT, "no socket pair: Linux error %d", -result) : S_OK;
}

uint32_t system_user(void)
{
    return socket_host->unix_calls->user_id();
}
