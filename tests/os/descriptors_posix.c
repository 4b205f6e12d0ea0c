#include "tests/os/descriptors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

bool descriptors_leak_open(struct descriptors_leak *leak)
{
    leak->value = open("/dev/null", O_RDONLY);
    snprintf(leak->name, sizeof(leak->name), "%d", (int)leak->value);
    return leak->value >= 0;
}

void descriptors_leak_close(const struct descriptors_leak *leak)
{
    close((int)leak->value);
}

bool descriptors_leak_is_open(const char *name)
{
    return fcntl(atoi(name), F_GETFD) >= 0;
}
