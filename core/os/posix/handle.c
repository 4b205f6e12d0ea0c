#include "core/os/handle.h"

#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool os_handle_is_none(intptr_t handle)
{
    return handle < 0;
}

HRESULT os_handle_duplicate(intptr_t handle, intptr_t *duplicate)
{
    int descriptor = fcntl((int)handle, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
        return error_set(errno == EMFILE ? VIA_E_LIMIT : E_HANDLE,
                         "cannot duplicate descriptor %d: %s", (int)handle, strerror(errno));
    *duplicate = descriptor;
    return S_OK;
}

void os_handle_close(intptr_t handle)
{
    if (handle >= 0)
        close((int)handle);
}

/* An event descriptor is an anonymous inode: only its name tells it from others. */
static bool is_event(int descriptor)
{
    static const char expected[] = "anon_inode:[eventfd]";
    char path[48];
    char target[sizeof expected];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(path, target, sizeof target);
    return n == (ssize_t)sizeof expected - 1 && memcmp(target, expected, (size_t)n) == 0;
}

bool os_handle_is(intptr_t handle, enum os_handle_kind kind)
{
    struct stat status;
    if (fstat((int)handle, &status) != 0)
        return false;
    switch (kind) {
    case OS_HANDLE_FILE:
        return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISCHR(status.st_mode) ||
               S_ISBLK(status.st_mode) || S_ISFIFO(status.st_mode);
    case OS_HANDLE_PIPE:
        return S_ISFIFO(status.st_mode);
    case OS_HANDLE_SOCKET:
        return S_ISSOCK(status.st_mode);
    case OS_HANDLE_SECTION:
        return S_ISREG(status.st_mode);
    case OS_HANDLE_EVENT:
        return is_event((int)handle);
    }
    return false;
}

/* --- handles of other processes --- */

HRESULT os_handle_pipe(size_t size, intptr_t *read_end, intptr_t *write_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(VIA_E_LIMIT, "cannot make a pipe: %s", strerror(errno));
    fcntl(ends[1], F_SETPIPE_SZ, (int)size); /* a smaller one does as well */
    *read_end = ends[0];
    *write_end = ends[1];
    return S_OK;
}

HRESULT os_handle_source_open(uint32_t process_id, intptr_t *source)
{
    (void)process_id, (void)source;
    return error_set(E_NOTIMPL, "descriptors travel over sockets here");
}

HRESULT os_handle_source_take(intptr_t source, uint64_t number, intptr_t *handle)
{
    (void)source, (void)number, (void)handle;
    return error_set(E_NOTIMPL, "descriptors travel over sockets here");
}

/* --- open files and pipes --- */

static HRESULT fail(const char *what)
{
    int code = errno;
    HRESULT hr = code == EACCES || code == EPERM || code == EBADF ? E_ACCESSDENIED
                 : code == ENOSPC || code == EDQUOT               ? VIA_WIN32(112)
                 : code == EPIPE                                  ? VIA_WIN32(232)
                                                                  : VIA_WIN32(1117);
    return error_set(hr, "%s: %s", what, strerror(code));
}

HRESULT os_handle_read(intptr_t handle, uint64_t offset, void *data, size_t size, size_t *n)
{
    ssize_t done;
    do
        done = offset == OS_NO_OFFSET ? read((int)handle, data, size)
                                      : pread((int)handle, data, size, (off_t)offset);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return fail("cannot read a file");
    *n = (size_t)done;
    return S_OK;
}

/* A pipe that nobody reads is an error, not a signal. */
static ssize_t write_quietly(int descriptor, const void *data, size_t size)
{
    sigset_t pipe_signal;
    sigset_t pending;
    sigset_t previous;
    const struct timespec now = {0, 0};
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE))
        return write(descriptor, data, size);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);
    ssize_t done = write(descriptor, data, size);
    int code = errno;
    if (done < 0 && code == EPIPE)
        sigtimedwait(&pipe_signal, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    errno = code;
    return done;
}

HRESULT os_handle_write(intptr_t handle, uint64_t offset, const void *data, size_t size, size_t *n)
{
    ssize_t done;
    do
        done = offset == OS_NO_OFFSET ? write_quietly((int)handle, data, size)
                                      : pwrite((int)handle, data, size, (off_t)offset);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return fail("cannot write a file");
    *n = (size_t)done;
    return S_OK;
}

bool os_handle_has_position(intptr_t handle, uint64_t *position)
{
    off_t at = lseek((int)handle, 0, SEEK_CUR);
    if (at >= 0)
        *position = (uint64_t)at;
    return at >= 0;
}

static uint64_t since_1601(struct timespec time)
{
    return ((uint64_t)time.tv_sec + 11644473600u) * 10000000u + (uint64_t)time.tv_nsec / 100u;
}

HRESULT os_handle_look(intptr_t handle, struct os_handle_status *status)
{
    struct stat found;
    if (fstat((int)handle, &found) != 0)
        return fail("cannot look at a file");
    *status = (struct os_handle_status){.size = (uint64_t)found.st_size,
                                        .modified = since_1601(found.st_mtim),
                                        .changed = since_1601(found.st_ctim),
                                        .accessed = since_1601(found.st_atim)};
    return S_OK;
}

HRESULT os_handle_set_size(intptr_t handle, uint64_t size)
{
    return ftruncate((int)handle, (off_t)size) == 0 ? S_OK : fail("cannot set a file's size");
}

HRESULT os_handle_flush(intptr_t handle)
{
    return fsync((int)handle) == 0 || errno == EINVAL ? S_OK : fail("cannot flush a file");
}
