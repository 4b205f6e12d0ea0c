/*
 * Bytes from socket to socket by a pipe, which only the kernel touches: splice(2).
 *
 * Whether it blocks is said by the socket's own flag alone; SPLICE_F_NONBLOCK is about the pipe.
 * And it knows no MSG_NOSIGNAL: SIGPIPE is kept away from the thread meanwhile.
 */
#include "plugins/unixsock/socket.h"
#include "plugins/unixsock/socket_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

HRESULT socket_unblock(int32_t descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        return socket_fail_errno("make a socket non-blocking", errno);
    return S_OK;
}

static HRESULT fail(const char *what, int error)
{
    if (error == EAGAIN)
        return VIA_S_WOULD_BLOCK;
    /* Kernels without it, and sandboxes. */
    if (error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM)
        return E_NOTIMPL;
    return socket_fail_errno(what, error);
}

HRESULT socket_read_to_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n)
{
    ssize_t moved;
    do
        moved = splice(descriptor, NULL, pipe, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved < 0 && errno == EINTR);
    return moved < 0 ? fail("receive", errno) : socket_received_result(moved, false, n);
}

static ssize_t splice_quietly(int32_t pipe, int32_t descriptor, size_t size)
{
    sigset_t pipe_signal;
    sigset_t pending;
    sigset_t previous;
    const struct timespec now = {0, 0};
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);
    ssize_t moved;
    do
        moved = splice(pipe, NULL, descriptor, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved < 0 && errno == EINTR);
    int error = errno;
    if (moved < 0 && error == EPIPE && !was_pending)
        sigtimedwait(&pipe_signal, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    errno = error;
    return moved;
}

HRESULT socket_send_from_pipe(int32_t descriptor, int32_t pipe, size_t size, size_t *n)
{
    ssize_t moved = splice_quietly(pipe, descriptor, size);
    if (moved > 0) {
        *n = (size_t)moved;
        return S_OK;
    }
    return moved == 0 ? VIA_S_WOULD_BLOCK : fail("send", errno);
}
