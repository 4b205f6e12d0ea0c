#include "tests/call_path/path_object.h"

#include <sys/socket.h>
#include <unistd.h>

static int option_of(int descriptor, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

uint32_t path_limit_buffers(uint32_t size)
{
    uint32_t n_sockets = 0;
    int half = (int)(size / 2); /* the kernel doubles it, for its own overhead */
    for (int descriptor = 0; descriptor < getdtablesize() && descriptor < 1024; descriptor++) {
        if (option_of(descriptor, SO_DOMAIN) != AF_UNIX ||
            option_of(descriptor, SO_TYPE) != SOCK_STREAM ||
            option_of(descriptor, SO_ACCEPTCONN) != 0)
            continue;
        if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &half, sizeof half) == 0 &&
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &half, sizeof half) == 0 &&
            option_of(descriptor, SO_SNDBUF) == (int)size)
            n_sockets++;
    }
    return n_sockets;
}
