/*
 * The Unix system calls that the host offers to a Windows plugin under Wine.
 *
 * Thin: each takes and returns what the Linux call does, with flat integer types, loops on EINTR
 * where the call may be repeated, and returns a negative errno (Linux numbers) on failure.
 * Structures have the layout of Linux on x86-64. `wait_readable` is the one that blocks.
 */
#ifndef VIADUCT_PLUGIN_UNIX_CALLS_H
#define VIADUCT_PLUGIN_UNIX_CALLS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct via_plugin_unix_calls {
    uint32_t size; /* sizeof(struct via_plugin_unix_calls) */

    /* Stream socket, close-on-exec, non-blocking. */
    int32_t (*socket_stream)(void);
    /* Two connected ones. */
    int32_t (*socket_pair)(int32_t descriptors[2]);
    /* `path` is a Unix path, not zero-padded; a leading NUL makes it abstract. */
    int32_t (*bind_path)(int32_t descriptor, const char *path, uint32_t path_size);
    int32_t (*listen)(int32_t descriptor, int32_t backlog);
    int32_t (*accept)(int32_t descriptor);
    int32_t (*connect_path)(int32_t descriptor, const char *path, uint32_t path_size);
    /* Never blocks, never raises SIGPIPE. Bytes sent, or -errno. */
    int64_t (*send)(int32_t descriptor, const void *data, uint64_t size, const int32_t *descriptors,
                    uint32_t n_descriptors);
    /* Never blocks. Bytes received (0: end), or -errno. On entry *n_descriptors is the room, on
     * return the number received, all close-on-exec. */
    int64_t (*receive)(int32_t descriptor, void *data, uint64_t size, int32_t *descriptors,
                       uint32_t *n_descriptors);
    int32_t (*peer_credentials)(int32_t descriptor, uint32_t *pid, uint32_t *uid, uint32_t *gid);
    int32_t (*shutdown_both)(int32_t descriptor);
    int32_t (*close)(int32_t descriptor);
    int32_t (*duplicate)(int32_t descriptor);
    int32_t (*event_new)(void); /* eventfd, non-blocking */
    int32_t (*event_set)(int32_t descriptor);
    int32_t (*event_clear)(int32_t descriptor);
    /* Blocks until one of the two is readable, or for `timeout_ms` (-1: for ever). Bit 0: the first
     * is, bit 1: the second is; 0: time is up. The second may be -1. */
    int32_t (*wait_readable)(int32_t first, int32_t second, int32_t timeout_ms);
    int32_t (*unlink)(const char *path);
    int32_t (*chmod)(const char *path, uint32_t mode);
    /* Type and owner of a path without following links: mode and uid as stat(2) gives them. */
    int32_t (*stat)(const char *path, uint32_t *mode, uint32_t *uid);
    /* flock(LOCK_EX | LOCK_NB) on a file created 0600, for single ownership of a name; the
     * descriptor. */
    int32_t (*lock_file)(const char *path);
    uint32_t (*user_id)(void);
    /* A descriptor that becomes readable when the process at the other end has ended (a pidfd: of
     * the one that connected or listened); -errno where the system has none. */
    int32_t (*peer_life)(int32_t descriptor);
};

#ifdef __cplusplus
}
#endif

#endif
