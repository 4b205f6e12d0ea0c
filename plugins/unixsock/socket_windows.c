/*
 * Unix-domain sockets for a Windows program under Wine, by the host's unix_calls.
 *
 * Paths are Unix paths. Sockets are non-blocking; whoever waits does so in waiter_windows.c.
 * Without the calls, on Windows itself for one, unixsock_windows.c takes winsock instead.
 */
#include "plugins/unixsock/socket.h"

#include <viaduct/plugin/unix_calls.h>

#include <stdio.h>
#include <string.h>
#include <windows.h>

/* Linux numbers, as unix_calls return them. */
#define LINUX_EPERM        1
#define LINUX_ENOENT       2
#define LINUX_EAGAIN       11
#define LINUX_ENOMEM       12
#define LINUX_EACCES       13
#define LINUX_ENOTDIR      20
#define LINUX_ENFILE       23
#define LINUX_EMFILE       24
#define LINUX_EPIPE        32
#define LINUX_ENOTSOCK     88
#define LINUX_EPROTOTYPE   91
#define LINUX_EADDRINUSE   98
#define LINUX_ECONNABORTED 103
#define LINUX_ECONNRESET   104
#define LINUX_ENOBUFS      105
#define LINUX_ENOTCONN     107
#define LINUX_ETOOMANYREFS 109
#define LINUX_ECONNREFUSED 111

#define LINUX_S_IFMT   0170000u
#define LINUX_S_IFSOCK 0140000u

static const struct via_plugin_unix_calls *calls;

static _Atomic int32_t spare_descriptor = -1;

static HRESULT fail_error(const char *what, int64_t result)
{
    int error = (int)-result;
    switch (error) {
    case LINUX_EPIPE:
    case LINUX_ECONNRESET:
    case LINUX_ENOTCONN:
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    case LINUX_EMFILE:
    case LINUX_ENFILE:
    case LINUX_ETOOMANYREFS:
        return socket_fail(VIA_E_LIMIT, "%s: too many descriptors are open; raise the limit", what);
    case LINUX_ENOMEM:
    case LINUX_ENOBUFS:
        return socket_fail(E_OUTOFMEMORY, "%s: out of memory", what);
    case LINUX_EACCES:
    case LINUX_EPERM:
        return socket_fail(E_ACCESSDENIED, "%s: permission denied", what);
    default:
        return socket_fail(E_FAIL, "%s: Linux error %d", what, error);
    }
}

/* "cannot WHAT PATH: reason" */
static HRESULT fail_path(const char *what, const char *path, int64_t error)
{
    char text[SOCKET_PATH_SIZE + 64];
    snprintf(text, sizeof text, "cannot %s %s", what, path);
    return fail_error(text, error);
}

HRESULT socket_system_init(const struct via_plugin_host *host)
{
    socket_host = host;
    calls = host->unix_calls;
    if (calls == NULL)
        return socket_fail(E_NOTIMPL, "the host offers no Unix calls");
    if (calls->size < sizeof *calls)
        return socket_fail(VIA_E_PLUGIN, "the host's Unix calls are older than this plugin");
    if (spare_descriptor < 0)
        spare_descriptor = calls->event_new();
    return S_OK;
}

void socket_system_deinit(void)
{
    int32_t spare = atomic_exchange(&spare_descriptor, -1);
    if (spare >= 0)
        calls->close(spare);
}

HRESULT socket_connect(const char *path, int32_t *descriptor)
{
    int32_t made = calls->socket_stream();
    if (made < 0)
        return fail_error("socket", made);
    int32_t result = calls->connect_path(made, path, (uint32_t)strlen(path));
    if (result >= 0) {
        *descriptor = made;
        return S_OK;
    }
    calls->close(made);
    switch (-result) {
    case LINUX_EAGAIN:
        return VIA_S_WOULD_BLOCK;
    case LINUX_ENOENT:
    case LINUX_ENOTDIR:
        return socket_fail_connect(VIA_WIN32(2), path,
                                   "there is no socket; is the server running?");
    case LINUX_ECONNREFUSED:
        return socket_fail_connect(VIA_WIN32(2), path,
                                   "nobody listens there any more; is the server running?");
    case LINUX_ENOTSOCK:
    case LINUX_EPROTOTYPE:
        return socket_fail_connect(VIA_E_ADDRESS, path, "that is not a stream socket");
    default:
        return fail_path("connect to", path, result);
    }
}

/* The name exists for a moment with what the umask leaves before chmod; nobody can connect before
 * listen, which comes after it. */
HRESULT socket_listen(const char *path, uint32_t mode, uint32_t backlog, int32_t *descriptor)
{
    int32_t made = calls->socket_stream();
    if (made < 0)
        return fail_error("socket", made);
    int32_t result = calls->bind_path(made, path, (uint32_t)strlen(path));
    if (result == -LINUX_EADDRINUSE) {
        calls->close(made);
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path, "the name is taken");
    }
    const char *what = "bind";
    if (result >= 0) {
        what = "change the mode of";
        result = calls->chmod(path, mode);
        if (result >= 0) {
            what = "listen on";
            result = calls->listen(made, backlog > 0 ? (int32_t)backlog : 64);
        }
        if (result < 0)
            calls->unlink(path);
    }
    if (result < 0) {
        calls->close(made);
        return fail_path(what, path, result);
    }
    *descriptor = made;
    return S_OK;
}

static HRESULT turn_one_away(int32_t listener, int32_t error)
{
    int32_t spare = atomic_exchange(&spare_descriptor, -1);
    if (spare >= 0) {
        calls->close(spare);
        int32_t taken = calls->accept(listener);
        if (taken >= 0)
            calls->close(taken);
        spare_descriptor = calls->event_new();
    }
    return fail_error("accept: a client was turned away", error);
}

HRESULT socket_accept(int32_t listener, int32_t *descriptor)
{
    int32_t result;
    do
        result = calls->accept(listener);
    while (result == -LINUX_ECONNABORTED);
    if (result >= 0) {
        *descriptor = result;
        return S_OK;
    }
    if (result == -LINUX_EAGAIN)
        return VIA_S_WOULD_BLOCK;
    if (result == -LINUX_EMFILE || result == -LINUX_ENFILE)
        return turn_one_away(listener, result);
    return fail_error("accept", result);
}

HRESULT socket_make_private(const char *path)
{
    (void)path;
    return S_OK;
}

HRESULT socket_peer_of(int32_t descriptor, struct socket_peer *peer)
{
    int32_t result = calls->peer_credentials(descriptor, &peer->pid, &peer->uid, &peer->gid);
    peer->is_known = result >= 0;
    return result < 0 ? fail_error("peer credentials", result) : S_OK;
}

int32_t socket_peer_life(int32_t descriptor, const struct socket_peer *peer)
{
    (void)peer;
    int32_t life = calls->peer_life(descriptor);
    return life < 0 ? -1 : life;
}

bool socket_life_is_over(int32_t life)
{
    return calls->wait_readable(life, -1, 0) == 1;
}

bool socket_owner_trusted(uint32_t uid)
{
    return uid == 0 || uid == calls->user_id();
}

void socket_shutdown(int32_t descriptor)
{
    calls->shutdown_both(descriptor);
}

HRESULT socket_finish(int32_t descriptor)
{
    int32_t result = calls->shutdown_send(descriptor);
    return result < 0 ? fail_error("shutdown", result) : S_OK;
}

HRESULT socket_unblock(int32_t descriptor)
{
    (void)descriptor;
    return E_NOTIMPL;
}

HRESULT socket_read_to_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n)
{
    (void)descriptor;
    (void)pipe;
    (void)size;
    (void)n;
    return E_NOTIMPL;
}

HRESULT socket_send_from_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n)
{
    return socket_read_to_pipe(descriptor, pipe, size, n);
}

/* The winelib module does not ask. */
bool socket_peer_in_group(int32_t descriptor, uint32_t gid)
{
    (void)descriptor;
    (void)gid;
    return false;
}

bool socket_is_over(int32_t descriptor)
{
    return calls->is_over(descriptor) == 1;
}

void socket_close(int32_t descriptor)
{
    calls->close(descriptor);
}

HRESULT socket_duplicate(int32_t descriptor, int32_t *duplicate)
{
    int32_t made = calls->duplicate(descriptor);
    if (made < 0)
        return fail_error("duplicate", made);
    *duplicate = made;
    return S_OK;
}

HRESULT socket_lock_name(const char *path, int32_t *lock)
{
    int32_t made = calls->lock_file(path);
    if (made == -LINUX_EAGAIN)
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path, "another process listens there");
    if (made < 0)
        return fail_path("lock", path, made);
    *lock = made;
    return S_OK;
}

void socket_unlock_name(const char *path, int32_t lock)
{
    calls->unlink(path);
    calls->close(lock);
}

HRESULT socket_name_kind(const char *path, enum socket_name_kind *kind)
{
    uint32_t mode;
    uint32_t uid;
    int32_t result = calls->stat(path, &mode, &uid);
    if (result == -LINUX_ENOENT)
        *kind = SOCKET_NAME_FREE;
    else if (result < 0)
        return fail_path("look at", path, result);
    else
        *kind = (mode & LINUX_S_IFMT) == LINUX_S_IFSOCK ? SOCKET_NAME_SOCKET : SOCKET_NAME_OTHER;
    return S_OK;
}

void socket_remove_name(const char *path)
{
    calls->unlink(path);
}

HRESULT socket_send(int32_t descriptor, const void *data, size_t size, const int32_t *descriptors,
                    uint32_t n_descriptors, size_t *sent)
{
    int64_t n = calls->send(descriptor, data, size, descriptors, n_descriptors);
    if (n == -LINUX_EAGAIN || n == 0)
        return VIA_S_WOULD_BLOCK;
    if (n < 0)
        return fail_error("send", n);
    *sent = (size_t)n;
    return S_OK;
}

HRESULT socket_receive(int32_t descriptor, void *data, size_t size, size_t *n,
                       struct socket_received *received)
{
    uint32_t n_descriptors = received != NULL ? SOCKET_MAX_RECEIVED : 0;
    int64_t result = calls->receive(
        descriptor, data, size, received != NULL ? received->descriptors : NULL, &n_descriptors);
    if (received != NULL)
        received->n_descriptors = result < 0 ? 0 : n_descriptors;
    if (result == -LINUX_EAGAIN)
        return VIA_S_WOULD_BLOCK;
    if (result == -LINUX_EMFILE)
        return socket_fail(VIA_E_LIMIT, SOCKET_DESCRIPTORS_LOST, SOCKET_MAX_RECEIVED);
    if (result == 0)
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    if (result < 0)
        return fail_error("receive", result);
    *n = (size_t)result;
    return S_OK;
}

struct windows_lock {
    SRWLOCK lock;
    CONDITION_VARIABLE condition;
};
_Static_assert(sizeof(struct windows_lock) <= sizeof(struct socket_lock), "storage is too small");

static struct windows_lock *windows_lock(struct socket_lock *lock)
{
    return (struct windows_lock *)(void *)lock->storage;
}

void socket_lock_init(struct socket_lock *lock)
{
    InitializeSRWLock(&windows_lock(lock)->lock);
    InitializeConditionVariable(&windows_lock(lock)->condition);
}

void socket_lock_deinit(struct socket_lock *lock)
{
    (void)lock;
}

void socket_lock_enter(struct socket_lock *lock)
{
    AcquireSRWLockExclusive(&windows_lock(lock)->lock);
}

void socket_lock_leave(struct socket_lock *lock)
{
    ReleaseSRWLockExclusive(&windows_lock(lock)->lock);
}

void socket_lock_sleep(struct socket_lock *lock)
{
    SleepConditionVariableSRW(&windows_lock(lock)->condition, &windows_lock(lock)->lock, INFINITE,
                              0);
}

void socket_lock_wake_all(struct socket_lock *lock)
{
    WakeAllConditionVariable(&windows_lock(lock)->condition);
}

void socket_yield(void)
{
    SwitchToThread();
}
