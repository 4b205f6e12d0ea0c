/*
 * What the plugin needs of the system besides sockets: shared memory, sleeping on a word of it,
 * events.
 *
 * system_posix.c makes system calls; system_windows.c makes the same ones under Wine, through the
 * host's unix_calls, and there is nothing like it on Windows itself. Functions that return an
 * HRESULT leave an error through the host's set_error when they fail.
 */
#ifndef SHM_SYSTEM_H
#define SHM_SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/plugin/plugin.h>

/* Whether this system has all of it; E_NOTIMPL. Comes before everything else. */
HRESULT system_check(const struct via_plugin_host *host);

/* Memory of exactly `size` bytes, all of it allocated, with a size that nobody can change any more.
 * VIA_E_LIMIT when there is none left. */
HRESULT system_memory_new(uint64_t size, int32_t *descriptor);
/* Whether a descriptor that a peer sent is such memory: of that size, sealed, and of a kind whose
 * pages come back when somebody has punched them out. VIA_E_PROTOCOL. */
HRESULT system_memory_check(int32_t descriptor, uint64_t size);
/* A range of addresses in which nothing is mapped yet; NULL. */
uint8_t *system_memory_reserve(size_t size);
/* Maps a piece of the memory at `at`, within the range. */
bool system_memory_place(uint8_t *at, int32_t descriptor, uint64_t offset, size_t size,
                         bool writable);
void system_memory_unmap(uint8_t *at, size_t size);

/* An event that a reactor can watch: readable from the first set on, and never cleared. */
HRESULT system_event_new(int32_t *descriptor);
/* Whether a descriptor that a peer sent is one: setting something else might block. */
bool system_event_check(int32_t descriptor);
void system_event_set(int32_t descriptor);

/* Sleeps while the word has that value, until system_wake, the time limit, or no reason at all. */
#define SYSTEM_FOR_EVER UINT64_MAX
void system_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);
void system_wake(_Atomic uint32_t *word);

/* Blocks until the descriptor is readable or the time is over. */
bool system_wait_readable(int32_t descriptor, int32_t timeout_ms);
/* Two connected stream sockets. */
HRESULT system_socket_pair(int32_t descriptors[2]);
/* A descriptor that becomes readable when the process has ended, or -1. */
int32_t system_process_life(uint32_t pid);
/* The user that this process acts as. */
uint32_t system_user(void);

#endif
