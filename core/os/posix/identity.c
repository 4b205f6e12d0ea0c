#include "core/os/identity.h"

#include <stdio.h>
#include <unistd.h>

void os_identity_self(struct via_peer_identity *identity)
{
    *identity = (struct via_peer_identity){.size = sizeof(*identity),
                                           .flags = VIA_PEER_HAS_UNIX | VIA_PEER_HAS_PID,
                                           .uid = geteuid(),
                                           .gid = getegid(),
                                           .pid = (uint32_t)getpid()};
}

bool os_identity_is_self(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == geteuid();
}

bool os_identity_is_this_process(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_PID) && identity->pid == (uint32_t)getpid();
}

bool os_identity_is_privileged(const struct via_peer_identity *identity)
{
    return (identity->flags & VIA_PEER_HAS_UNIX) && identity->uid == 0;
}

char *os_identity_format(const struct via_peer_identity *identity, char *buffer, size_t size)
{
    int n = 0;
    if (identity->flags & VIA_PEER_HAS_UNIX)
        n = snprintf(buffer, size, "uid %u", identity->uid);
    else
        n = snprintf(buffer, size, "unknown user");
    if ((identity->flags & VIA_PEER_HAS_PID) && n > 0 && (size_t)n < size)
        snprintf(buffer + n, size - (size_t)n, ", process %u", identity->pid);
    return buffer;
}
