/*
 * What the host gives to a transport plugin: errors, log, buffers and readiness.
 *
 * Every function may be called from any thread unless its comment says otherwise, and none blocks.
 */
#ifndef VIADUCT_PLUGIN_HOST_H
#define VIADUCT_PLUGIN_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a thing is ready for; also what to arm. */
#define VIA_READY_READ  0x1u
#define VIA_READY_WRITE 0x2u
/* Reported with the others: the peer has ended its direction or is gone, or it is broken. */
#define VIA_READY_CLOSED 0x4u
/* With VIA_READY_READ alone, in watch_arm: it will soon be armed so again. The host may go on to
 * watch when it has reported, silently, so that this costs no system call; what comes while nothing
 * is armed ends that, and so does watch_disarm. A hint. */
#define VIA_READY_AGAIN 0x8u

enum via_log_level { VIA_LOG_ERROR = 0, VIA_LOG_WARNING = 1, VIA_LOG_INFO = 2, VIA_LOG_DEBUG = 3 };

/* A buffer lent by the host. `data` is aligned to 64 bytes and is not zeroed. */
struct via_plugin_buffer {
    uint8_t *data;
    size_t size;
};

/* One operation of overlapped I/O on Windows. Embed it; `storage` is used as the OVERLAPPED, which
 * must be zeroed before each use and not be touched until `done` has run. Not used on POSIX. */
struct via_plugin_overlapped {
    union {
        uint64_t align;
        uint8_t bytes[32];
    } storage;
    /* [reactor thread, must not block] `error` is a Win32 error code, 0 on success. */
    void (*done)(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes);
};

struct via_plugin_watch;      /* a watched descriptor; the host's */
struct via_plugin_unix_calls; /* <viaduct/plugin/unix_calls.h> */

struct via_plugin_host {
    uint32_t abi;  /* VIA_PLUGIN_ABI */
    uint32_t size; /* sizeof(struct via_plugin_host) */

    /* Leaves `message` (UTF-8, copied) as the calling thread's error and returns `code`. */
    HRESULT (*set_error)(HRESULT code, const char *message);
    void (*log)(enum via_log_level level, const char *message);

    /* Borrows a buffer of at least `size` bytes (16 MiB at most); E_OUTOFMEMORY. Given back with
     * buffer_put, from any thread. Small sets of equal sizes are recycled. */
    HRESULT (*buffer_get)(size_t size, struct via_plugin_buffer *buffer);
    void (*buffer_put)(struct via_plugin_buffer *buffer);

    /* Watches a descriptor: a file descriptor on POSIX, a Unix descriptor under Wine (where
     * unix_calls is not NULL), else on Windows a HANDLE of an event or a process, which is ready to
     * read while it is signalled (and watched by a thread of the system's). The host calls
     * `ready(argument, events)` on its reactor thread, once for each watch_arm. The descriptor
     * stays the plugin's and must outlive the watch. */
    HRESULT(*watch_open)
    (intptr_t descriptor, void (*ready)(void *argument, uint32_t events), void *argument,
     struct via_plugin_watch **watch);
    /* Arms once for VIA_READY_READ and/or VIA_READY_WRITE; replaces what was armed. A condition
     * that holds already is reported at once. VIA_READY_AGAIN makes the next one cheaper. */
    HRESULT (*watch_arm)(struct via_plugin_watch *watch, uint32_t events);
    /* After it returns, no `ready` call starts for what was armed; one that is running may still
     * finish. */
    void (*watch_disarm)(struct via_plugin_watch *watch);
    /* After it returns, no `ready` call is running or will start, unless it is called from within
     * `ready` itself, where it is allowed. */
    void (*watch_close)(struct via_plugin_watch *watch);

    /* Calls run(argument) on the reactor thread, soon and exactly once; posts of one thread run in
     * their order. It cannot be taken back: `argument` must live until it has run, and deinit waits
     * for what is still under way (the reactor runs until after it). Fails only with
     * E_OUTOFMEMORY. */
    HRESULT (*post)(void (*run)(void *argument), void *argument);

    /* The monotonic clock of every `deadline_ns`. */
    uint64_t (*now_ns)(void);

    /* Windows: binds a HANDLE opened for overlapped I/O to the host's completion port; each
     * completion runs via_plugin_overlapped.done on the reactor thread. E_NOTIMPL elsewhere. */
    HRESULT (*bind_handle)(void *handle);

    /* Unix system calls for a Windows plugin that runs under Wine; NULL everywhere else. */
    const struct via_plugin_unix_calls *unix_calls;

    /* The directory for the node's own sockets, absolute, UTF-8, private (0700); no slash at its
     * end. Under Wine it is a Unix path. */
    const char *runtime_directory;

    /* Arms for VIA_READY_READ until the watch is disarmed or armed otherwise: `ready` is called
     * each time that the descriptor becomes readable anew (an event descriptor: each time that it
     * is set), though nobody reads it. A HANDLE must be of an event that resets itself. */
    HRESULT (*watch_arm_edges)(struct via_plugin_watch *watch);
};

#ifdef __cplusplus
}
#endif

#endif
