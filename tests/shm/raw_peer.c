#include "tests/shm/raw_peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int raw_memory(uint64_t size, unsigned seals, unsigned flags)
{
    int fd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
    if (fd >= 0 && (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool raw_peer_init(struct raw_peer *peer, uint32_t capacity)
{
    memset(peer, 0, sizeof *peer);
    peer->capacity = capacity;
    peer->carrier = -1;
    peer->size = 2 * (size_t)capacity + SEGMENT_CONTROL_SIZE;
    peer->memory = raw_memory(peer->size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, 0);
    peer->events[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    peer->events[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    void *base = mmap(NULL, peer->size, PROT_READ | PROT_WRITE, MAP_SHARED, peer->memory, 0);
    if (peer->memory < 0 || peer->events[0] < 0 || peer->events[1] < 0 || base == MAP_FAILED)
        return false;
    peer->base = base;
    struct ring_control *controls = (void *)(peer->base + 2 * (size_t)capacity);
    peer->out = &controls[0];
    peer->in = &controls[1];
    return true;
}

void raw_peer_deinit(struct raw_peer *peer)
{
    munmap(peer->base, peer->size);
    close(peer->memory);
    close(peer->events[0]);
    close(peer->events[1]);
    if (peer->carrier >= 0)
        close(peer->carrier);
}

struct setup raw_peer_setup(const struct raw_peer *peer)
{
    return (struct setup){
        .magic = SETUP_MAGIC, .version = SETUP_VERSION, .capacity = peer->capacity};
}

bool raw_connect(struct raw_peer *peer, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    peer->carrier = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(peer->carrier, (struct sockaddr *)&address, sizeof address) == 0;
}

bool raw_send(int socket, const void *data, size_t size, const int *descriptors, size_t n)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(253 * sizeof(int))];
    } control;
    struct iovec part = {(void *)(uintptr_t)data, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(item), descriptors, n * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

void raw_punch(const struct raw_peer *peer, uint64_t offset, uint64_t size)
{
    fallocate(peer->memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size);
}

uint32_t raw_random(uint64_t *state)
{
    uint64_t x = (*state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}
