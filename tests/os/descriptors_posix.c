#include "tests/os/descriptors.h"

#include <sys/socket.h>
#include <unistd.h>

bool descriptors_pair(intptr_t ends[2])
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        return false;
    ends[0] = pair[0];
    ends[1] = pair[1];
    return true;
}

void descriptors_close(intptr_t descriptor)
{
    close((int)descriptor);
}

int descriptors_write(intptr_t descriptor, const void *data, size_t size)
{
    return (int)send((int)descriptor, data, size, MSG_NOSIGNAL);
}

int descriptors_read(intptr_t descriptor, void *data, size_t size)
{
    return (int)recv((int)descriptor, data, size, 0);
}
