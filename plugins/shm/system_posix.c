/*
 * Shared memory, futex and events by system calls of Linux.
 */
#include "plugins/shm/system.h"

#include "plugins/unixsock/socket_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* Linux 6.3; headers of Debian 12 are older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Linux 5.1: of the mappings, only those that are there can be written. Headers of glibc 2.31 are
 * older. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

void system_init(const struct via_plugin_host *host)
{
    (void)host;
}

void system_close(int32_t descriptor)
{
    socket_close(descriptor);
}

HRESULT system_duplicate(int32_t descriptor, int32_t *duplicate)
{
    return socket_duplicate(descriptor, duplicate);
}

static HRESULT fail_memory(uint64_t size, int error)
{
    if (error == ENOSPC || error == ENOMEM || error == EFBIG)
        return socket_fail(VIA_E_LIMIT,
                           "no %llu bytes of shared memory are left (%s); close connections, or "
                           "raise the limit of memory",
                           (unsigned long long)size, strerror(error));
    return socket_fail_errno("shared memory", error);
}

/* All of it allocated, and not sealed yet. */
static HRESULT make(uint64_t size, int32_t *descriptor)
{
    int fd = memfd_create("viaduct", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("viaduct", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return fail_memory(size, errno);
    int error;
    do /* posix_fallocate(3) would write into each page where the call is missing */
        error = fallocate(fd, 0, 0, (off_t)size) < 0 ? errno : 0;
    while (error == EINTR);
    if (error != 0) {
        close(fd);
        return fail_memory(size, error);
    }
    *descriptor = fd;
    return S_OK;
}

HRESULT system_memory_new(uint64_t size, int32_t *descriptor)
{
    HRESULT hr = make(size, descriptor);
    if (SUCCEEDED(hr) && fcntl(*descriptor, F_ADD_SEALS, SEALS) < 0) {
        hr = fail_memory(size, errno);
        close(*descriptor);
    }
    return hr;
}

HRESULT system_memory_lend(uint64_t size, int32_t *descriptor, uint8_t **at)
{
    HRESULT hr = make(size, descriptor);
    if (FAILED(hr))
        return hr;
    void *mapped =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *descriptor, 0);
    if (mapped == MAP_FAILED || fcntl(*descriptor, F_ADD_SEALS, SEALS | F_SEAL_FUTURE_WRITE) < 0) {
        hr = fail_memory(size, errno);
        if (mapped != MAP_FAILED)
            munmap(mapped, size);
        close(*descriptor);
        return hr;
    }
    *at = mapped;
    return S_OK;
}

HRESULT system_memory_check(int32_t descriptor, uint64_t size)
{
    struct stat status;
    struct statfs filesystem;
    int seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || (seals & F_SEAL_WRITE))
        return socket_fail(VIA_E_PROTOCOL,
                           "the peer's shared memory is not sealed against a change of its size");
    /* Pages of hugetlbfs that were punched out may not come back, which would be SIGBUS. */
    if (fstatfs(descriptor, &filesystem) < 0 || filesystem.f_type != TMPFS_MAGIC)
        return socket_fail(VIA_E_PROTOCOL, "the peer's shared memory is not made of plain pages");
    if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode) ||
        (uint64_t)status.st_size != size)
        return socket_fail(VIA_E_PROTOCOL,
                           "the peer's shared memory has not the size that it says");
    return S_OK;
}

static size_t size_of(const struct system_piece *pieces, unsigned n)
{
    size_t size = 0;
    for (unsigned i = 0; i < n; i++)
        size += pieces[i].size;
    return size;
}

uint8_t *system_memory_map(int32_t descriptor, const struct system_piece *pieces, unsigned n)
{
    size_t size = size_of(pieces, n);
    uint8_t *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return NULL;
    uint8_t *at = base;
    for (unsigned i = 0; i < n; i++) {
        if (mmap(at, pieces[i].size, pieces[i].writable ? PROT_READ | PROT_WRITE : PROT_READ,
                 MAP_SHARED | MAP_FIXED | MAP_POPULATE, descriptor,
                 (off_t)pieces[i].offset) == MAP_FAILED) {
            munmap(base, size);
            return NULL;
        }
        at += pieces[i].size;
    }
    return base;
}

void system_memory_unmap(uint8_t *at, const struct system_piece *pieces, unsigned n)
{
    munmap(at, size_of(pieces, n));
}

HRESULT system_event_new(int32_t *descriptor)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return socket_fail_errno("eventfd", errno);
    *descriptor = fd;
    return S_OK;
}

bool system_event_check(int32_t descriptor)
{
    static const char expected[] = "anon_inode:[eventfd]";
    char path[40];
    char target[sizeof expected];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(path, target, sizeof target);
    return n == (ssize_t)sizeof expected - 1 && memcmp(target, expected, (size_t)n) == 0 &&
           (fcntl(descriptor, F_GETFL) & O_NONBLOCK);
}

void system_event_set(int32_t descriptor)
{
    uint64_t one = 1;
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored; /* a full counter is set already */
}

void system_sleep(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell)
{
    (void)bell;
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000u),
                               (long)(timeout_ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT, value, timeout_ns != SYSTEM_FOR_EVER ? &timeout : NULL,
            NULL, 0);
}

void system_wake(_Atomic uint32_t *word, int32_t bell)
{
    (void)bell;
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool system_wait_readable(int32_t descriptor, int32_t timeout_ms)
{
    struct pollfd state = {descriptor, POLLIN | POLLRDHUP, 0};
    return poll(&state, 1, timeout_ms) == 1;
}

HRESULT system_socket_pair(int32_t descriptors[2])
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return socket_fail_errno("socketpair", errno);
    descriptors[0] = pair[0];
    descriptors[1] = pair[1];
    return S_OK;
}

int32_t system_process_life(uint32_t pid)
{
    return pid != 0 ? (int32_t)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
}

bool system_life_is_over(int32_t life)
{
    return socket_life_is_over(life);
}

uint32_t system_user(void)
{
    return geteuid();
}
