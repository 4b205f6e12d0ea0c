/*
 * OS handles as arguments: open files, pipes, sockets, shared memory, events.
 *
 * In IDL a parameter `[in, VIA_SYSTEM_HANDLE(sh_file)] VIA_HANDLE file` (<viaduct/viaduct.idl>) is
 * a descriptor on POSIX and a HANDLE on Windows, under Wine too. What crosses is the open object
 * itself, as descriptors sent over a Unix socket and duplicated handles do.
 *
 * Who owns what:
 * - [in]: the caller's stays the caller's. The method gets one of its own, which is closed when it
 *   returns; to keep it, it makes a duplicate.
 * - [out]: the method gives its own away: it is closed once the reply is on its way. The caller
 *   gets one that it closes.
 * - [in, out]: the caller's is replaced: it is closed when the call succeeds.
 * VIA_NO_HANDLE may be passed everywhere, and is what [out] handles are after a failure.
 * Duplicates are not inherited by programs that are started.
 */
#ifndef VIADUCT_HANDLE_H
#define VIADUCT_HANDLE_H

#include <viaduct/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef _WIN32
typedef HANDLE VIA_HANDLE;
#define VIA_NO_HANDLE INVALID_HANDLE_VALUE /* NULL is taken for it too */
#else
typedef int VIA_HANDLE;
#define VIA_NO_HANDLE (-1) /* every negative number is taken for it */
#endif

/* Another handle of the same open object. VIA_NO_HANDLE has itself. E_HANDLE: it is none;
 * VIA_E_LIMIT: this process has no room for another one. */
VIA_API HRESULT via_handle_duplicate(VIA_HANDLE handle, VIA_HANDLE *duplicate);
/* VIA_NO_HANDLE is allowed. */
VIA_API void via_handle_close(VIA_HANDLE handle);

#ifdef __cplusplus
}
#endif

#endif
