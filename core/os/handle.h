/*
 * What the system calls files, pipes and the like by: descriptors on POSIX, HANDLEs on Windows,
 * also under Wine. As values of one type, so that layers above need not know which.
 */
#ifndef CORE_OS_HANDLE_H
#define CORE_OS_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

/* INVALID_HANDLE_VALUE there. */
#define OS_NO_HANDLE (-1)

/* Numbers as in type libraries (enum via_handle_kind). */
enum os_handle_kind {
    OS_HANDLE_FILE = 1, /* whatever is read and written like a file: devices and pipes too */
    OS_HANDLE_PIPE = 2,
    OS_HANDLE_SOCKET = 3,
    OS_HANDLE_SECTION = 4, /* memory that can be mapped */
    OS_HANDLE_EVENT = 5
};

/* For messages. */
static inline const char *os_handle_kind_name(enum os_handle_kind kind)
{
    static const char *const names[] = {[OS_HANDLE_FILE] = "file",
                                        [OS_HANDLE_PIPE] = "pipe",
                                        [OS_HANDLE_SOCKET] = "socket",
                                        [OS_HANDLE_SECTION] = "shared memory",
                                        [OS_HANDLE_EVENT] = "event"};
    return names[kind];
}

/* NULL is none too on Windows. */
bool os_handle_is_none(intptr_t handle);
/* Not inherited by programs that this one starts. */
HRESULT os_handle_duplicate(intptr_t handle, intptr_t *duplicate);
/* OS_NO_HANDLE: nothing to close. */
void os_handle_close(intptr_t handle);
/* Whether the system says that it is of that kind, as far as it can tell: a Windows socket is not
 * told from a pipe. */
bool os_handle_is(intptr_t handle, enum os_handle_kind kind);

/* A pipe of this process's own, of which neither end blocks; `size` is how much it holds, as far as
 * the system lets this user. VIA_E_LIMIT; E_NOTIMPL: not on Windows, where it would be of no use.
 */
HRESULT os_handle_pipe(size_t size, intptr_t *read_end, intptr_t *write_end);

/* --- handles of other processes: Windows --- */

/* A process as one to take handles out of, for os_handle_close(). E_ACCESSDENIED: the system does
 * not let this process; E_NOTIMPL: not on POSIX. */
HRESULT os_handle_source_open(uint32_t process_id, intptr_t *source);
/* A duplicate, in this process, of the handle that has that number there. E_HANDLE. */
HRESULT os_handle_source_take(intptr_t source, uint64_t number, intptr_t *handle);

/* --- open files and pipes, read and written where the caller says --- */

/* Where the file is, or, of what has no position, what comes next. */
#define OS_NO_OFFSET UINT64_MAX

/* Both may transfer fewer bytes, and wait only where not one can be; `*n` 0: the end.
 * E_ACCESSDENIED, VIA_WIN32 of what the system says. */
HRESULT os_handle_read(intptr_t handle, uint64_t offset, void *data, size_t size, size_t *n);
HRESULT os_handle_write(intptr_t handle, uint64_t offset, const void *data, size_t size, size_t *n);
/* False: a pipe, a terminal. */
bool os_handle_has_position(intptr_t handle, uint64_t *position);
struct os_handle_status {
    uint64_t size;
    uint64_t modified, changed, accessed; /* 100 ns since 1601 */
};
HRESULT os_handle_look(intptr_t handle, struct os_handle_status *status);
HRESULT os_handle_set_size(intptr_t handle, uint64_t size);
/* To the disk. */
HRESULT os_handle_flush(intptr_t handle);

#endif
