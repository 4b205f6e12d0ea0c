/*
 * What the system calls files, pipes and the like by: descriptors on POSIX, HANDLEs on Windows,
 * also under Wine. As values of one type, so that layers above need not know which.
 */
#ifndef CORE_OS_HANDLE_H
#define CORE_OS_HANDLE_H

#include <stdbool.h>
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

/* NULL is none too on Windows. */
bool os_handle_is_none(intptr_t handle);
/* Not inherited by programs that this one starts. */
HRESULT os_handle_duplicate(intptr_t handle, intptr_t *duplicate);
/* OS_NO_HANDLE: nothing to close. */
void os_handle_close(intptr_t handle);
/* Whether the system says that it is of that kind, as far as it can tell: a Windows socket is not
 * told from a pipe. */
bool os_handle_is(intptr_t handle, enum os_handle_kind kind);

#endif
