/*
 * The Unix system calls that the host offers to a Windows plugin under Wine.
 *
 * Thin: each takes and returns what the Linux call does, with flat integer types, loops on EINTR
 * where the call may be repeated, and returns a negative errno (Linux numbers) on failure.
 * Structures have the layout of Linux on x86-64. `wait_readable` and `futex_wait` block.
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
     * return the number received, all close-on-exec; those beyond the room are closed. -EMFILE:
     * bytes were received whose descriptors this process could not take; none is kept. */
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
    /* Likewise of a process by its Linux id. */
    int32_t (*process_life)(uint32_t pid);

    /* memfd of that size, all of it allocated, sealed against a change of its size. */
    int32_t (*memory_new)(uint64_t size);
    /* 0 if the descriptor is such memory of that size, of plain pages; -EINVAL. */
    int32_t (*memory_check)(int32_t descriptor, uint64_t size);
    /* A range of addresses with nothing in it, which Windows does not know of; -errno. */
    int64_t (*memory_reserve)(uint64_t size);
    /* Maps a piece of a descriptor, shared, over a part of such a range. */
    int32_t (*memory_place)(void *at, int32_t descriptor, uint64_t offset, uint64_t size,
                            int32_t writable);
    int32_t (*memory_unmap)(void *at, uint64_t size);
    /* Sleeps while the word, in memory that processes may share, has that value. 0: woken, or it
     * had another value; -ETIMEDOUT (UINT64_MAX: never). Blocks. */
    int32_t (*futex_wait)(uint32_t *word, uint32_t value, uint64_t timeout_ns);
    int32_t (*futex_wake)(uint32_t *word, int32_t n);
    /* 1 if the descriptor is an event descriptor that does not block, else 0. */
    int32_t (*is_event)(int32_t descriptor);
    /* Like memory_new, and mapped at `*at`, where alone it can be written. */
    int32_t (*memory_lend)(uint64_t size, void **at);
    /* What it is, as fstat(2) has it in st_mode, and how it was opened, as F_GETFL has it. */
    int32_t (*look)(int32_t descriptor, uint32_t *mode, uint32_t *flags);
    int32_t (*shutdown_send)(int32_t descriptor);
    /* 1 if both directions of a socket have ended (POLLHUP), else 0. */
    int32_t (*is_over)(int32_t descriptor);
};

#ifdef __cplusplus
}
#endif

#endif
