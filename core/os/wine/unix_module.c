/*
 * viaduct-unix.dll.so: Linux system calls for Windows programs under Wine.
 *
 * Compiled as a Linux library by winegcc. Every function is one thin call with the Windows calling
 * convention. It uses no malloc, stdio, lock or thread-local of its own, since Wine may end a
 * thread inside it (errno is the C library's and belongs to the thread). Calls that may be repeated
 * are repeated on EINTR, with which Wine suspends threads.
 */
#include "core/os/windows/unix_module.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define WINDOWS_CALL __attribute__((ms_abi))

/* The kernel's SCM_MAX_FD. */
#define MAX_DESCRIPTORS 253

__attribute__((visibility("default"))) int32_t WINDOWS_CALL
viaduct_unix_module(struct unix_module *module);

static int32_t result_of(int result)
{
    return result < 0 ? -errno : result;
}

static int32_t WINDOWS_CALL unix_socket_stream(void)
{
    return result_of(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

static int32_t WINDOWS_CALL unix_socket_pair(int32_t descriptors[2])
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return -errno;
    descriptors[0] = pair[0];
    descriptors[1] = pair[1];
    return 0;
}

/* The length to pass to the kernel; 0 if the path is too long. */
static socklen_t make_address(struct sockaddr_un *address, const char *path, uint32_t path_size)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (path_size == 0 || path_size >= sizeof(address->sun_path))
        return 0;
    memcpy(address->sun_path, path, path_size);
    size_t end = path[0] ? 1 : 0; /* an abstract name has no terminator */
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_size + end);
}

static int32_t WINDOWS_CALL unix_bind_path(int32_t descriptor, const char *path, uint32_t path_size)
{
    struct sockaddr_un address;
    socklen_t size = make_address(&address, path, path_size);
    return size ? result_of(bind(descriptor, (struct sockaddr *)&address, size)) : -ENAMETOOLONG;
}

static int32_t WINDOWS_CALL unix_listen(int32_t descriptor, int32_t backlog)
{
    return result_of(listen(descriptor, backlog));
}

static int32_t WINDOWS_CALL unix_accept(int32_t descriptor)
{
    int result;
    do
        result = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (result < 0 && errno == EINTR);
    return result_of(result);
}

static int32_t WINDOWS_CALL unix_connect_path(int32_t descriptor, const char *path,
                                              uint32_t path_size)
{
    struct sockaddr_un address;
    socklen_t size = make_address(&address, path, path_size);
    if (!size)
        return -ENAMETOOLONG;
    int result;
    do
        result = connect(descriptor, (struct sockaddr *)&address, size);
    while (result < 0 && errno == EINTR);
    return result_of(result);
}

static int64_t WINDOWS_CALL unix_send(int32_t descriptor, const void *data, uint64_t size,
                                      const int32_t *descriptors, uint32_t n_descriptors)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_descriptors > MAX_DESCRIPTORS)
        return -EINVAL;
    if (n_descriptors > 0) {
        memset(&control.header, 0, sizeof(control.header));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(n_descriptors * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_descriptors * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, n_descriptors * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/* Takes what arrived as far as there is room, and closes the rest. */
static uint32_t take_descriptors(struct msghdr *message, int32_t *descriptors, uint32_t room)
{
    uint32_t n_taken = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int received;
            memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof(received));
            if (n_taken < room)
                descriptors[n_taken++] = received;
            else
                close(received);
        }
    }
    return n_taken;
}

static int64_t WINDOWS_CALL unix_receive(int32_t descriptor, void *data, uint64_t size,
                                         int32_t *descriptors, uint32_t *n_descriptors)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))];
    } control;
    uint32_t room = n_descriptors ? *n_descriptors : 0;
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t received;
    do
        received = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    int error = errno;
    bool is_truncated = received >= 0 && (message.msg_flags & MSG_CTRUNC);
    uint32_t n_taken =
        received < 0 ? 0 : take_descriptors(&message, descriptors, is_truncated ? 0 : room);
    if (n_descriptors)
        *n_descriptors = n_taken;
    /* The kernel gives no reason; there is room for all that it lets a peer send at once. */
    if (is_truncated)
        return -EMFILE;
    return received < 0 ? -error : received;
}

static int32_t WINDOWS_CALL unix_peer_credentials(int32_t descriptor, uint32_t *pid, uint32_t *uid,
                                                  uint32_t *gid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return -errno;
    *pid = (uint32_t)peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

static int32_t WINDOWS_CALL unix_shutdown_both(int32_t descriptor)
{
    return result_of(shutdown(descriptor, SHUT_RDWR));
}

static int32_t WINDOWS_CALL unix_shutdown_send(int32_t descriptor)
{
    return result_of(shutdown(descriptor, SHUT_WR));
}

static int32_t WINDOWS_CALL unix_is_over(int32_t descriptor)
{
    struct pollfd state = {.fd = descriptor};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP);
}

static int32_t WINDOWS_CALL unix_close(int32_t descriptor)
{
    return result_of(close(descriptor));
}

static int32_t WINDOWS_CALL unix_duplicate(int32_t descriptor)
{
    return result_of(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
}

static int32_t WINDOWS_CALL unix_event_new(void)
{
    return result_of(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static int32_t WINDOWS_CALL unix_event_set(int32_t descriptor)
{
    return result_of(eventfd_write(descriptor, 1));
}

static int32_t WINDOWS_CALL unix_event_clear(int32_t descriptor)
{
    eventfd_t count;
    return result_of(eventfd_read(descriptor, &count));
}

static int64_t WINDOWS_CALL unix_now_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return -errno;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int32_t WINDOWS_CALL unix_wait_readable(int32_t first, int32_t second, int32_t timeout_ms)
{
    struct pollfd both[2] = {{.fd = first, .events = POLLIN | POLLRDHUP},
                             {.fd = second, .events = POLLIN | POLLRDHUP}};
    int64_t end = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
    for (;;) {
        int result = poll(both, 2, timeout_ms);
        if (result >= 0)
            return (both[0].revents ? 1 : 0) | (both[1].revents ? 2 : 0);
        if (errno != EINTR)
            return -errno;
        if (timeout_ms >= 0) {
            int64_t left = end - now_ms();
            timeout_ms = left > 0 ? (int32_t)left : 0;
        }
    }
}

static int32_t WINDOWS_CALL unix_unlink(const char *path)
{
    return result_of(unlink(path));
}

static int32_t WINDOWS_CALL unix_chmod(const char *path, uint32_t mode)
{
    return result_of(chmod(path, mode));
}

static int32_t WINDOWS_CALL unix_stat(const char *path, uint32_t *mode, uint32_t *uid)
{
    struct stat info;
    if (lstat(path, &info))
        return -errno;
    *mode = info.st_mode;
    *uid = info.st_uid;
    return 0;
}

/* Whether the open file is still the one that the path names: its last owner may have removed it
 * between our open and our lock. */
static bool is_named(int descriptor, const char *path)
{
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static int32_t WINDOWS_CALL unix_lock_file(const char *path)
{
    for (;;) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (descriptor < 0)
            return -errno;
        int result;
        do
            result = flock(descriptor, LOCK_EX | LOCK_NB);
        while (result < 0 && errno == EINTR);
        int error = errno;
        if (result == 0 && is_named(descriptor, path))
            return descriptor;
        close(descriptor);
        if (result < 0)
            return -error;
    }
}

static uint32_t WINDOWS_CALL unix_user_id(void)
{
    return geteuid();
}

/* Linux 6.5; headers of Debian 12 are older. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static int32_t WINDOWS_CALL unix_peer_life(int32_t descriptor)
{
    int life;
    socklen_t size = sizeof(life);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERPIDFD, &life, &size) == 0)
        return life;
    uint32_t pid = 0, uid, gid;
    int32_t result = unix_peer_credentials(descriptor, &pid, &uid, &gid);
    if (result < 0)
        return result;
    return pid != 0 ? result_of((int)syscall(SYS_pidfd_open, (pid_t)pid, 0)) : -ESRCH;
}

static int32_t WINDOWS_CALL unix_process_life(uint32_t pid)
{
    return pid != 0 ? result_of((int)syscall(SYS_pidfd_open, (pid_t)pid, 0)) : -ESRCH;
}

/* Linux 6.3; headers of Debian 12 are older. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Linux 5.1 */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* All of it allocated, and not sealed yet. */
static int32_t make_memory(uint64_t size)
{
    int descriptor = memfd_create("viaduct", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (descriptor < 0 && errno == EINVAL)
        descriptor = memfd_create("viaduct", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0)
        return -errno;
    int error;
    do
        error = fallocate(descriptor, 0, 0, (off_t)size) < 0 ? errno : 0;
    while (error == EINTR);
    if (error == 0)
        return descriptor;
    close(descriptor);
    return -error;
}

static int32_t WINDOWS_CALL unix_memory_new(uint64_t size)
{
    int32_t descriptor = make_memory(size);
    if (descriptor < 0 || fcntl(descriptor, F_ADD_SEALS, SEALS) == 0)
        return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

static int32_t WINDOWS_CALL unix_memory_lend(uint64_t size, void **at)
{
    int32_t descriptor = make_memory(size);
    if (descriptor < 0)
        return descriptor;
    void *mapped =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (mapped != MAP_FAILED && fcntl(descriptor, F_ADD_SEALS, SEALS | F_SEAL_FUTURE_WRITE) == 0) {
        *at = mapped;
        return descriptor;
    }
    int error = errno;
    if (mapped != MAP_FAILED)
        munmap(mapped, size);
    close(descriptor);
    return -error;
}

static int32_t WINDOWS_CALL unix_memory_check(int32_t descriptor, uint64_t size)
{
    struct stat status;
    struct statfs filesystem;
    /* First, since only memory has seals; the other calls may block on a file of another kind. */
    int seals = fcntl(descriptor, F_GET_SEALS);
    bool is_good = seals >= 0 && (seals & SEALS) == SEALS && !(seals & F_SEAL_WRITE) &&
                   fstatfs(descriptor, &filesystem) == 0 && filesystem.f_type == TMPFS_MAGIC &&
                   fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                   (uint64_t)status.st_size == size;
    return is_good ? 0 : -EINVAL;
}

static int64_t WINDOWS_CALL unix_memory_reserve(uint64_t size)
{
    void *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at != MAP_FAILED ? (int64_t)(intptr_t)at : -errno;
}

static int32_t WINDOWS_CALL unix_memory_place(void *at, int32_t descriptor, uint64_t offset,
                                              uint64_t size, int32_t writable)
{
    void *placed = mmap(at, size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                        MAP_SHARED | MAP_FIXED | MAP_POPULATE, descriptor, (off_t)offset);
    return placed != MAP_FAILED ? 0 : -errno;
}

static int32_t WINDOWS_CALL unix_memory_unmap(void *at, uint64_t size)
{
    return result_of(munmap(at, size));
}

/* A signal of Wine's ends it early, as if it had been woken: whoever sleeps looks again anyway. */
static int32_t WINDOWS_CALL unix_futex_wait(uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                               .tv_nsec = (long)(timeout_ns % 1000000000u)};
    long result = syscall(SYS_futex, word, FUTEX_WAIT, value,
                          timeout_ns != UINT64_MAX ? &timeout : NULL, NULL, 0);
    return result == 0 || errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int32_t WINDOWS_CALL unix_futex_wake(uint32_t *word, int32_t n)
{
    return result_of((int)syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0));
}

static int32_t WINDOWS_CALL unix_is_event(int32_t descriptor)
{
    static const char expected[] = "anon_inode:[eventfd]";
    char path[32] = "/proc/self/fd/";
    char target[sizeof(expected)];
    char digits[12];
    int n_digits = 0;
    if (descriptor < 0)
        return 0;
    for (int left = descriptor; n_digits == 0 || left > 0; left /= 10)
        digits[n_digits++] = (char)('0' + left % 10);
    for (size_t at = strlen(path); n_digits > 0; at++)
        path[at] = digits[--n_digits];
    ssize_t n = readlink(path, target, sizeof(target));
    return n == (ssize_t)sizeof(expected) - 1 && memcmp(target, expected, (size_t)n) == 0 &&
           (fcntl(descriptor, F_GETFL) & O_NONBLOCK);
}

static int32_t WINDOWS_CALL unix_look(int32_t descriptor, uint32_t *mode, uint32_t *flags)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return -errno;
    int opened = fcntl(descriptor, F_GETFL);
    if (opened < 0)
        return -errno;
    *mode = status.st_mode;
    *flags = (uint32_t)opened;
    return 0;
}

static int32_t WINDOWS_CALL unix_make_directory(const char *path, uint32_t mode)
{
    return result_of(mkdir(path, mode));
}

static int32_t WINDOWS_CALL unix_remove_directory(const char *path)
{
    return result_of(rmdir(path));
}

static int32_t WINDOWS_CALL unix_poll_new(void)
{
    return result_of(epoll_create1(EPOLL_CLOEXEC));
}

static int32_t control(int32_t poll_descriptor, int operation, int32_t descriptor, uint32_t events,
                       uint64_t token)
{
    struct epoll_event event = {.events = events, .data.u64 = token};
    return result_of(epoll_ctl(poll_descriptor, operation, descriptor, &event));
}

static int32_t WINDOWS_CALL unix_poll_add(int32_t poll_descriptor, int32_t descriptor,
                                          uint32_t events, uint64_t token)
{
    return control(poll_descriptor, EPOLL_CTL_ADD, descriptor, events, token);
}

static int32_t WINDOWS_CALL unix_poll_modify(int32_t poll_descriptor, int32_t descriptor,
                                             uint32_t events, uint64_t token)
{
    return control(poll_descriptor, EPOLL_CTL_MOD, descriptor, events, token);
}

static int32_t WINDOWS_CALL unix_poll_remove(int32_t poll_descriptor, int32_t descriptor)
{
    return control(poll_descriptor, EPOLL_CTL_DEL, descriptor, 0, 0);
}

static int32_t WINDOWS_CALL unix_poll_wait(int32_t poll_descriptor, uint64_t *tokens,
                                           uint32_t *events, int32_t room, int32_t timeout_ms)
{
    struct epoll_event reports[64];
    int n;
    do
        n = epoll_wait(poll_descriptor, reports, room < 64 ? room : 64, timeout_ms);
    while (n < 0 && errno == EINTR);
    for (int i = 0; i < n; i++) {
        tokens[i] = reports[i].data.u64;
        events[i] = reports[i].events;
    }
    return result_of(n);
}

/* The table's types have the convention of whoever compiles them, which here is Linux's; hence the
 * casts. */
#define SET(member, function) ((member) = (void *)(function))

int32_t WINDOWS_CALL viaduct_unix_module(struct unix_module *module)
{
    struct via_plugin_unix_calls *calls = &module->calls;
    if (module->version != UNIX_MODULE_VERSION || module->size != sizeof(*module) ||
        calls->size != sizeof(*calls))
        return -1;
    SET(calls->socket_stream, unix_socket_stream);
    SET(calls->socket_pair, unix_socket_pair);
    SET(calls->bind_path, unix_bind_path);
    SET(calls->listen, unix_listen);
    SET(calls->accept, unix_accept);
    SET(calls->connect_path, unix_connect_path);
    SET(calls->send, unix_send);
    SET(calls->receive, unix_receive);
    SET(calls->peer_credentials, unix_peer_credentials);
    SET(calls->shutdown_both, unix_shutdown_both);
    SET(calls->shutdown_send, unix_shutdown_send);
    SET(calls->is_over, unix_is_over);
    SET(calls->close, unix_close);
    SET(calls->duplicate, unix_duplicate);
    SET(calls->event_new, unix_event_new);
    SET(calls->event_set, unix_event_set);
    SET(calls->event_clear, unix_event_clear);
    SET(calls->wait_readable, unix_wait_readable);
    SET(calls->unlink, unix_unlink);
    SET(calls->chmod, unix_chmod);
    SET(calls->stat, unix_stat);
    SET(calls->lock_file, unix_lock_file);
    SET(calls->user_id, unix_user_id);
    SET(calls->peer_life, unix_peer_life);
    SET(calls->process_life, unix_process_life);
    SET(calls->memory_new, unix_memory_new);
    SET(calls->memory_check, unix_memory_check);
    SET(calls->memory_reserve, unix_memory_reserve);
    SET(calls->memory_place, unix_memory_place);
    SET(calls->memory_unmap, unix_memory_unmap);
    SET(calls->futex_wait, unix_futex_wait);
    SET(calls->futex_wake, unix_futex_wake);
    SET(calls->is_event, unix_is_event);
    SET(calls->memory_lend, unix_memory_lend);
    SET(calls->look, unix_look);
    SET(module->make_directory, unix_make_directory);
    SET(module->remove_directory, unix_remove_directory);
    SET(module->poll_new, unix_poll_new);
    SET(module->poll_add, unix_poll_add);
    SET(module->poll_modify, unix_poll_modify);
    SET(module->poll_remove, unix_poll_remove);
    SET(module->poll_wait, unix_poll_wait);
    SET(module->now_ns, unix_now_ns);
    return 0;
}
