/* Files, pipes and the like as OS handles, for the tests of passing them. */
#ifndef TESTS_TRANSFER_SYSTEM_H
#define TESTS_TRANSFER_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/handle.h>

bool system_pipe(VIA_HANDLE *reader, VIA_HANDLE *writer);
/* A new file without a name, to read and write. */
bool system_file(VIA_HANDLE *file);
/* Bytes; -1 after a failure. */
long system_write(VIA_HANDLE handle, const void *data, size_t size);
long system_read(VIA_HANDLE handle, void *data, size_t size);
/* To its start. */
bool system_rewind(VIA_HANDLE file);
bool system_section(size_t size, VIA_HANDLE *memory);
void *system_map(VIA_HANDLE memory, size_t size);
void system_unmap(void *at, size_t size);
bool system_event(VIA_HANDLE *event);
bool system_event_set(VIA_HANDLE event);
bool system_event_is_set(VIA_HANDLE event);
/* False where there are none that can be passed. */
bool system_socket_pair(VIA_HANDLE ends[2]);
int system_count_handles(void);
/* Nobody may take handles out of this process from now on. False where that is not what handles
 * need. */
bool system_lock_process(void);
/* Bytes of the resident set. */
long long system_memory_in_use(void);

#endif
