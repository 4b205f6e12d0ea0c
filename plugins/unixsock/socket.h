/*
 * What the stream and the listener need from the system: Unix-domain stream sockets, and a little
 * locking.
 *
 * Implemented by socket_posix.c and waiter_posix.c over system calls, and by socket_windows.c over
 * the host's unix_calls. Every function leaves an error through the host's set_error when it fails,
 * in terms of the system; callers that know the address put it in front. `socket_host` is the
 * host's table, valid between the plugin's init and deinit.
 */
#ifndef UNIXSOCK_SOCKET_H
#define UNIXSOCK_SOCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/plugin/plugin.h>

/* The most descriptors that the system delivers with one receive (SCM_MAX_FD of Linux). */
#define SOCKET_MAX_RECEIVED 253
/* The kernel says that descriptors were lost, but not why. */
#define SOCKET_DESCRIPTORS_LOST                                                             \
    "received descriptors were lost: this process has too many open (raise the limit), or " \
    "the peer sent more than %d at once"
/* sun_path with its terminator. */
#define SOCKET_PATH_SIZE 108

extern const struct via_plugin_host *socket_host;

/* printf-like front of the host's set_error. */
HRESULT socket_fail(HRESULT code, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* "cannot connect to PATH: PROBLEM", "cannot listen on PATH: PROBLEM". */
HRESULT socket_fail_connect(HRESULT code, const char *path, const char *problem);
HRESULT socket_fail_listen(HRESULT code, const char *path, const char *problem);

/* Keeps `host` and prepares the system side; fails where there are no Unix sockets. */
HRESULT socket_system_init(const struct via_plugin_host *host);
void socket_system_deinit(void);

struct socket_peer {
    bool is_known; /* false: a socket that does not say who is at its other end */
    uint32_t pid;  /* 0: not known (another pid namespace) */
    uint32_t uid;
    uint32_t gid;
};

/* VIA_OPEN_ flags of options, whose giver may be older than they are. */
static inline uint32_t socket_listen_flags(const struct via_listen_options *options)
{
    return options->size >= sizeof *options ? options->flags : 0;
}

static inline uint32_t socket_connect_flags(const struct via_connect_options *options)
{
    return options->size >= sizeof *options ? options->flags : 0;
}

struct socket_received {
    int32_t descriptors[SOCKET_MAX_RECEIVED];
    uint32_t n_descriptors;
};

/* --- connecting and listening --- */

/* A connected socket. VIA_WIN32(2) when nobody listens, VIA_S_WOULD_BLOCK when the backlog is full.
 */
HRESULT socket_connect(const char *path, int32_t *descriptor);
/* Binds `path` and listens. The name appears with mode `mode` and never with more. */
HRESULT socket_listen(const char *path, uint32_t mode, uint32_t backlog, int32_t *descriptor);
/* VIA_S_WOULD_BLOCK: nobody waits. VIA_E_LIMIT: out of descriptors; one waiting client was turned
 * away if that was possible, so that the listener does not stay ready for ever. */
HRESULT socket_accept(int32_t listener, int32_t *descriptor);
HRESULT socket_peer_of(int32_t descriptor, struct socket_peer *peer);
/* Whether the peer had that supplementary group, as far as the kernel tells. */
bool socket_peer_in_group(int32_t descriptor, uint32_t gid);
/* Makes a directory for sockets if it is missing, and makes sure that it is this user's alone.
 * Windows programs leave it to those of Linux. */
HRESULT socket_make_private(const char *path);
/* A descriptor that becomes readable when the process that connected or listened has ended: a child
 * that it has forked may keep the socket open. -1 where the system gives none. */
int32_t socket_peer_life(int32_t descriptor, const struct socket_peer *peer);
/* Whether it has; never blocks. */
bool socket_life_is_over(int32_t life);
void socket_shutdown(int32_t descriptor);
/* No more is sent. */
HRESULT socket_finish(int32_t descriptor);
/* Both directions have ended. */
bool socket_is_over(int32_t descriptor);
void socket_close(int32_t descriptor);
HRESULT socket_duplicate(int32_t descriptor, int32_t *duplicate);

/* Takes the right to a name: an exclusive lock on `path`, a file of mode 0600.
 * VIA_E_ADDRESS_IN_USE. */
HRESULT socket_lock_name(const char *path, int32_t *lock);
/* Gives it back and removes the lock file. */
void socket_unlock_name(const char *path, int32_t lock);
enum socket_name_kind { SOCKET_NAME_FREE, SOCKET_NAME_SOCKET, SOCKET_NAME_OTHER };
HRESULT socket_name_kind(const char *path, enum socket_name_kind *kind);
void socket_remove_name(const char *path);
/* Whether this process may trust a server that runs as `uid`: the same user, or root. */
bool socket_owner_trusted(uint32_t uid);

/* --- moving bytes --- */

/* Never blocks. VIA_S_WOULD_BLOCK: nothing was sent. RPC_E_DISCONNECTED: the peer is gone. The
 * descriptors go with the first byte. */
HRESULT socket_send(int32_t descriptor, const void *data, size_t size, const int32_t *descriptors,
                    uint32_t n_descriptors, size_t *sent);
/* Never blocks. VIA_S_WOULD_BLOCK: nothing there. RPC_E_DISCONNECTED: the peer is gone and
 * everything that it sent has been received. VIA_E_LIMIT: descriptors were lost, mostly
 * because this process has too many open. Received descriptors are close-on-exec, and reported in
 * every case. `received` NULL: none is taken, and the system drops those that come. */
HRESULT socket_receive(int32_t descriptor, void *data, size_t size, size_t *n,
                       struct socket_received *received);

/* --- by a pipe of the system's, without copying --- */

/* What is called for the socket from now on does not block, as that which follows needs it.
 * E_NOTIMPL: there is nothing of all this. */
HRESULT socket_unblock(int32_t descriptor);
/* As socket_receive and socket_send, into an empty pipe and out of one that holds `size` bytes.
 * E_NOTIMPL: the system refuses, and nothing has moved. */
HRESULT socket_read_to_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n);
HRESULT socket_send_from_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n);

/* --- waiting --- */

/* Lets one thread at a time block for a socket and any thread interrupt it. */
struct socket_waiter {
    int32_t descriptor;     /* read-only */
    int32_t life;           /* read-only: of the peer, or -1; the stream's */
    _Atomic uint32_t state; /* WAITER_ bits of the implementation */
    _Atomic int32_t
        thread;            /* the waiting thread's kernel id, while the state says that one waits */
    _Atomic int32_t event; /* an event descriptor, made when first needed; -1 */
    int64_t timeout_us; /* owned by the waiting thread: the socket's receive timeout; 0: none set */
};

void socket_waiter_init(struct socket_waiter *waiter, int32_t descriptor, int32_t life);
void socket_waiter_deinit(struct socket_waiter *waiter);
/* socket_receive, but waits until `deadline_ns` for something to arrive; RPC_E_TIMEOUT,
 * VIA_S_INTERRUPTED. S_OK without bytes: the peer's life is over, which is seen within half a
 * second. */
HRESULT socket_waiter_receive(struct socket_waiter *waiter, void *data, size_t size, size_t *n,
                              struct socket_received *received, uint64_t deadline_ns);
void socket_waiter_interrupt(struct socket_waiter *waiter);

/* --- locking --- */

/* A mutex with one condition. Storage fits the system's own (checked where it is implemented). */
struct socket_lock {
    _Alignas(16) unsigned char storage[128];
};

void socket_lock_init(struct socket_lock *lock);
void socket_lock_deinit(struct socket_lock *lock);
void socket_lock_enter(struct socket_lock *lock);
void socket_lock_leave(struct socket_lock *lock);
void socket_lock_sleep(struct socket_lock *lock);
void socket_lock_wake_all(struct socket_lock *lock);
void socket_yield(void);

#endif
