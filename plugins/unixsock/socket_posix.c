/*
 * Unix-domain sockets by system calls.
 *
 * Sockets stay in blocking mode, because the waiter blocks in a plain receive; everything else asks
 * for MSG_DONTWAIT. A receive is always recvmsg with room for descriptors: a plain recv would
 * silently close what the peer had attached.
 */
#include "plugins/unixsock/socket.h"
#include "plugins/unixsock/socket_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux 6.5; headers of Debian 12 are older. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* A descriptor in reserve: given up for a moment when accept finds none left, to turn the client
 * away. */
static _Atomic int32_t spare_descriptor = -1;

HRESULT socket_fail_errno(const char *what, int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
    case ESHUTDOWN:
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    case EMFILE:
    case ENFILE:
    case ETOOMANYREFS:
        return socket_fail(VIA_E_LIMIT, "%s: too many descriptors are open (%s); raise the limit",
                           what, strerror(error));
    case ENOMEM:
    case ENOBUFS:
        return socket_fail(E_OUTOFMEMORY, "%s: %s", what, strerror(error));
    case EACCES:
    case EPERM:
        return socket_fail(E_ACCESSDENIED, "%s: %s", what, strerror(error));
    default:
        return socket_fail(E_FAIL, "%s: %s", what, strerror(error));
    }
}

/* "cannot WHAT PATH: reason" */
static HRESULT fail_path(const char *what, const char *path, int error)
{
    char text[SOCKET_PATH_SIZE + 64];
    snprintf(text, sizeof text, "cannot %s %s", what, path);
    return socket_fail_errno(text, error);
}

HRESULT socket_system_init(const struct via_plugin_host *host)
{
    socket_host = host;
    if (spare_descriptor < 0)
        spare_descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return waiter_system_init();
}

void socket_system_deinit(void)
{
    waiter_system_deinit();
    int32_t spare = atomic_exchange(&spare_descriptor, -1);
    if (spare >= 0)
        close(spare);
}

static void fill_address(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
}

HRESULT socket_connect(const char *path, int32_t *descriptor)
{
    struct sockaddr_un address;
    fill_address(&address, path);
    /* Non-blocking only for the connect, which would otherwise wait while the backlog is full. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return socket_fail_errno("socket", errno);
    int result;
    do
        result = connect(fd, (const struct sockaddr *)&address, sizeof address);
    while (result < 0 && errno == EINTR);
    if (result == 0 && fcntl(fd, F_SETFL, 0) == 0) {
        *descriptor = fd;
        return S_OK;
    }
    int error = errno;
    close(fd);
    switch (error) {
    case EAGAIN:
        return VIA_S_WOULD_BLOCK;
    case ENOENT:
    case ENOTDIR:
        return socket_fail_connect(VIA_WIN32(2), path,
                                   "there is no socket; is the server running?");
    case ECONNREFUSED:
        return socket_fail_connect(VIA_WIN32(2), path,
                                   "nobody listens there any more; is the server running?");
    case ENOTSOCK:
    case EPROTOTYPE:
        return socket_fail_connect(VIA_E_ADDRESS, path, "that is not a stream socket");
    default:
        return fail_path("connect to", path, error);
    }
}

HRESULT socket_listen(const char *path, uint32_t mode, uint32_t backlog, int32_t *descriptor)
{
    struct sockaddr_un address;
    fill_address(&address, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return socket_fail_errno("socket", errno);
    const char *what = "make a socket for";
    /* bind() gives the name the socket's own mode less the umask (unix(7)), so it never appears
     * with more than asked for; what the umask took away chmod gives back. */
    if (fchmod(fd, mode) < 0)
        goto failed;
    what = "bind";
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == EADDRINUSE) {
            close(fd);
            return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path, "the name is taken");
        }
        goto failed;
    }
    what = "change the mode of";
    if (chmod(path, mode) < 0)
        goto bound;
    what = "listen on";
    if (listen(fd, backlog > 0 ? (int)backlog : 64) < 0)
        goto bound;
    *descriptor = fd;
    return S_OK;
bound:
    unlink(path);
failed:;
    HRESULT hr = fail_path(what, path, errno);
    close(fd);
    return hr;
}

/* Takes one client with the spare descriptor and closes it at once, so that it learns of its fate.
 */
static HRESULT turn_one_away(int32_t listener, int error)
{
    int32_t spare = atomic_exchange(&spare_descriptor, -1);
    if (spare >= 0) {
        close(spare);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        spare_descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    return socket_fail_errno("accept: a client was turned away", error);
}

HRESULT socket_accept(int32_t listener, int32_t *descriptor)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            *descriptor = fd;
            return S_OK;
        }
        switch (errno) {
        case EINTR:
        case ECONNABORTED:
            continue;
        case EAGAIN:
            return VIA_S_WOULD_BLOCK;
        case EMFILE:
        case ENFILE:
            return turn_one_away(listener, errno);
        default:
            return socket_fail_errno("accept", errno);
        }
    }
}

HRESULT socket_make_private(const char *path)
{
    struct stat status;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return socket_fail(errno == EACCES ? E_ACCESSDENIED : E_FAIL,
                           "cannot make the directory %s: %s", path, strerror(errno));
    if (lstat(path, &status) < 0)
        return socket_fail(E_FAIL, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return socket_fail(E_ACCESSDENIED,
                           "%s is not a directory of yours that is closed to others (mode 0700)",
                           path);
    return S_OK;
}

HRESULT socket_peer_of(int32_t descriptor, struct socket_peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return socket_fail_errno("getsockopt(SO_PEERCRED)", errno);
    peer->is_known = true;
    peer->pid = (uint32_t)credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return S_OK;
}

bool socket_owner_trusted(uint32_t uid)
{
    return uid == 0 || uid == geteuid();
}

int32_t socket_peer_life(int32_t descriptor, const struct socket_peer *peer)
{
    int life;
    socklen_t size = sizeof life;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERPIDFD, &life, &size) == 0)
        return life;
    /* An older kernel. Should the id have a new owner by now, the peer has ended, and so the end of
     * that one is news as well. */
    return peer->pid != 0 ? (int32_t)syscall(SYS_pidfd_open, (pid_t)peer->pid, 0) : -1;
}

bool socket_life_is_over(int32_t life)
{
    struct pollfd state = {life, POLLIN, 0};
    return poll(&state, 1, 0) == 1;
}

void socket_shutdown(int32_t descriptor)
{
    shutdown(descriptor, SHUT_RDWR);
}

HRESULT socket_finish(int32_t descriptor)
{
    return shutdown(descriptor, SHUT_WR) == 0 ? S_OK : socket_fail_errno("shutdown", errno);
}

/* SO_PEERGROUPS, which Linux has since 4.13, asks for room for all of them. */
bool socket_peer_in_group(int32_t descriptor, uint32_t gid)
{
    bool found = false;
#ifdef SO_PEERGROUPS
    socklen_t size = 0;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return false;
    gid_t *groups = malloc(size);
    if (groups != NULL && getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
        for (size_t i = 0; i < size / sizeof *groups && !found; i++)
            found = groups[i] == gid;
    }
    free(groups);
#else
    (void)descriptor;
    (void)gid;
#endif
    return found;
}

bool socket_is_over(int32_t descriptor)
{
    struct pollfd state = {descriptor, 0, 0};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP);
}

void socket_close(int32_t descriptor)
{
    close(descriptor);
}

HRESULT socket_duplicate(int32_t descriptor, int32_t *duplicate)
{
    int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return errno == EBADF ? socket_fail(E_HANDLE, "%d is not an open descriptor", descriptor)
                              : socket_fail_errno("duplicate", errno);
    *duplicate = fd;
    return S_OK;
}

HRESULT socket_lock_name(const char *path, int32_t *lock)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return fail_path("lock", path, errno);
        struct stat opened;
        struct stat named;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int error = errno;
            close(fd);
            return error == EWOULDBLOCK ? socket_fail_listen(VIA_E_ADDRESS_IN_USE, path,
                                                             "another process listens there")
                                        : fail_path("lock", path, error);
        }
        /* The last owner may have removed the file between our open and our lock. */
        if (fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev) {
            *lock = fd;
            return S_OK;
        }
        close(fd);
    }
}

void socket_unlock_name(const char *path, int32_t lock)
{
    unlink(path);
    close(lock);
}

HRESULT socket_name_kind(const char *path, enum socket_name_kind *kind)
{
    struct stat status;
    if (lstat(path, &status) == 0)
        *kind = S_ISSOCK(status.st_mode) ? SOCKET_NAME_SOCKET : SOCKET_NAME_OTHER;
    else if (errno == ENOENT)
        *kind = SOCKET_NAME_FREE;
    else
        return fail_path("look at", path, errno);
    return S_OK;
}

void socket_remove_name(const char *path)
{
    unlink(path);
}

static ssize_t send_with_descriptors(int32_t descriptor, const void *data, size_t size,
                                     const int32_t *descriptors, uint32_t n_descriptors)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(SOCKET_MAX_RECEIVED * sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)data, size};
    struct msghdr message = {0};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(n_descriptors * sizeof(int));
    memset(control.bytes, 0, message.msg_controllen);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(n_descriptors * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, n_descriptors * sizeof(int));
    return sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

HRESULT socket_send(int32_t descriptor, const void *data, size_t size, const int32_t *descriptors,
                    uint32_t n_descriptors, size_t *sent)
{
    for (;;) {
        ssize_t n = n_descriptors == 0
                        ? send(descriptor, data, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : send_with_descriptors(descriptor, data, size, descriptors, n_descriptors);
        if (n > 0) {
            *sent = (size_t)n;
            return S_OK;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return socket_fail_errno("send", errno);
        return VIA_S_WOULD_BLOCK;
    }
}

static void take_descriptors(struct msghdr *message, struct socket_received *received)
{
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(received->descriptors, CMSG_DATA(header), n * sizeof(int));
        received->n_descriptors = (uint32_t)n;
    }
}

static ssize_t receive_with_descriptors(int32_t descriptor, void *data, size_t size,
                                        struct socket_received *received, int flags,
                                        bool *truncated)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(SOCKET_MAX_RECEIVED * sizeof(int))];
    } control;
    struct iovec part = {data, size};
    struct msghdr message;
    message.msg_name = NULL;
    message.msg_namelen = 0;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    message.msg_flags = 0;
    received->n_descriptors = 0;
    ssize_t n = recvmsg(descriptor, &message, flags | MSG_CMSG_CLOEXEC);
    if (n >= 0 && message.msg_controllen != 0)
        take_descriptors(&message, received);
    if (n >= 0 && (message.msg_flags & MSG_CTRUNC))
        *truncated = true;
    return n;
}

ssize_t socket_receive_raw(int32_t descriptor, void *data, size_t size,
                           struct socket_received *received, int flags, bool *truncated)
{
    *truncated = false;
    if (received != NULL)
        return receive_with_descriptors(descriptor, data, size, received, flags, truncated);
    /* Without room for them the kernel closes the descriptors that come with the bytes (unix(7)).
     */
    return recv(descriptor, data, size, flags);
}

HRESULT socket_received_result(ssize_t n, bool truncated, size_t *received)
{
    if (truncated)
        return socket_fail(VIA_E_LIMIT, SOCKET_DESCRIPTORS_LOST, SOCKET_MAX_RECEIVED);
    if (n == 0)
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    *received = (size_t)n;
    return S_OK;
}

HRESULT socket_receive(int32_t descriptor, void *data, size_t size, size_t *n,
                       struct socket_received *received)
{
    for (;;) {
        bool truncated;
        ssize_t result =
            socket_receive_raw(descriptor, data, size, received, MSG_DONTWAIT, &truncated);
        if (result >= 0)
            return socket_received_result(result, truncated, n);
        if (errno == EAGAIN)
            return VIA_S_WOULD_BLOCK;
        if (errno != EINTR)
            return socket_fail_errno("receive", errno);
    }
}

struct posix_lock {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};
_Static_assert(sizeof(struct posix_lock) <= sizeof(struct socket_lock), "storage is too small");

static struct posix_lock *posix_lock(struct socket_lock *lock)
{
    return (struct posix_lock *)(void *)lock->storage;
}

void socket_lock_init(struct socket_lock *lock)
{
    pthread_mutex_init(&posix_lock(lock)->mutex, NULL);
    pthread_cond_init(&posix_lock(lock)->condition, NULL);
}

void socket_lock_deinit(struct socket_lock *lock)
{
    pthread_mutex_destroy(&posix_lock(lock)->mutex);
    pthread_cond_destroy(&posix_lock(lock)->condition);
}

void socket_lock_enter(struct socket_lock *lock)
{
    pthread_mutex_lock(&posix_lock(lock)->mutex);
}

void socket_lock_leave(struct socket_lock *lock)
{
    pthread_mutex_unlock(&posix_lock(lock)->mutex);
}

void socket_lock_sleep(struct socket_lock *lock)
{
    pthread_cond_wait(&posix_lock(lock)->condition, &posix_lock(lock)->mutex);
}

void socket_lock_wake_all(struct socket_lock *lock)
{
    pthread_cond_broadcast(&posix_lock(lock)->condition);
}

void socket_yield(void)
{
    sched_yield();
}
