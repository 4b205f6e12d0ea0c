/*
 * What the plugin needs of the system besides sockets: shared memory, sleeping on a word of it,
 * events.
 *
 * system_posix.c makes system calls. system_windows.c chooses between two forms: the same calls
 * under Wine, through the host's unix_calls (module_windows.c), and Windows's own sections and
 * events (section_windows.c), which two Windows programs share. A "descriptor" is one of Unix, or
 * of the second form a HANDLE, whose 32 significant bits are all that there is to it; -1 is none.
 * Functions that return an HRESULT leave an error through the host's set_error when they fail.
 */
#ifndef SHM_SYSTEM_H
#define SHM_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/plugin/plugin.h>

/* Chooses the form, before everything else. */
void system_init(const struct via_plugin_host *host);

void system_close(int32_t descriptor);
HRESULT system_duplicate(int32_t descriptor, int32_t *duplicate);

/* Memory of exactly `size` bytes, all of it allocated, with a size that nobody can change any more.
 * VIA_E_LIMIT when there is none left. */
HRESULT system_memory_new(uint64_t size, int32_t *descriptor);
/* The same, mapped at `*at` to be written there, and nowhere else from now on. Not of sections. */
HRESULT system_memory_lend(uint64_t size, int32_t *descriptor, uint8_t **at);
/* Whether a descriptor that a peer sent is such memory: of that size, which nobody can change, and
 * of a kind whose pages are always there or come back. VIA_E_PROTOCOL. */
HRESULT system_memory_check(int32_t descriptor, uint64_t size);
/* A piece of it, and how it is mapped. Offsets and sizes are multiples of 64 KiB, the granularity
 * of addresses on Windows, but for the last one's size. */
struct system_piece {
    uint64_t offset;
    size_t size;
    bool writable;
};
/* Maps the pieces one behind the other; NULL. */
uint8_t *system_memory_map(int32_t descriptor, const struct system_piece *pieces, unsigned n);
void system_memory_unmap(uint8_t *at, const struct system_piece *pieces, unsigned n);

/* An event that a reactor can watch for its edges; nobody else clears it. */
HRESULT system_event_new(int32_t *descriptor);
/* Whether a descriptor that a peer sent is one: setting something else might block. */
bool system_event_check(int32_t descriptor);
void system_event_set(int32_t descriptor);

/* Sleeps while the word has that value, until system_wake, the time limit, or no reason at all.
 * `bell`: the event by which a thread of that side is woken, where the system cannot do it by the
 * word; else -1. */
#define SYSTEM_FOR_EVER UINT64_MAX
void system_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell);
void system_wake(_Atomic uint32_t *word, int32_t bell);

/* Blocks until the descriptor is readable or the time is over. */
bool system_wait_readable(int32_t descriptor, int32_t timeout_ms);
/* Two connected stream sockets. */
HRESULT system_socket_pair(int32_t descriptors[2]);
/* A descriptor that becomes readable when the process has ended, or -1. */
int32_t system_process_life(uint32_t pid);
/* Whether it has; never blocks. */
bool system_life_is_over(int32_t life);
/* The Unix user that this process acts as. */
uint32_t system_user(void);

#endif
