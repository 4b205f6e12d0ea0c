/*
 * What the conformance suite needs of POSIX: handles that can be recognised, and who this process
 * is.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A handle is the writing end of a pipe; the reading end tells whether another descriptor is the
 * same pipe, and whether any writing end is left. */
bool conformance_handle_make(struct conformance *c, struct conformance_handle *handle)
{
    int ends[2];
    if (!CONF_CHECK(c, pipe2(ends, O_CLOEXEC) == 0, "no pipe for a handle: %s", strerror(errno)))
        return false;
    handle->handle = ends[1];
    handle->other = ends[0];
    return true;
}

bool conformance_handle_same(struct conformance *c, const struct conformance_handle *handle,
                             via_os_handle received)
{
    struct stat one;
    struct stat other;
    if (fstat((int)handle->other, &one) != 0 || fstat((int)received, &other) != 0)
        return false;
    return CONF_CHECK(c, fcntl((int)received, F_GETFD) & FD_CLOEXEC,
                      "a received descriptor is not close-on-exec") &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

bool conformance_handle_alone(struct conformance *c, const struct conformance_handle *handle)
{
    (void)c;
    struct pollfd end = {(int)handle->other, 0, 0};
    return poll(&end, 1, 2000) == 1 && (end.revents & POLLHUP);
}

void conformance_handle_close(struct conformance *c, via_os_handle handle)
{
    (void)c;
    close((int)handle);
}

void conformance_handle_free(struct conformance *c, struct conformance_handle *handle)
{
    (void)c;
    if (handle->handle >= 0)
        close((int)handle->handle);
    close((int)handle->other);
}

void conformance_own_identity(struct conformance *c, uint32_t flags,
                              struct via_peer_identity *identity)
{
    (void)c;
    (void)flags;
    os_identity_self(identity);
}

void conformance_remove_directory(const char *path)
{
    rmdir(path);
}
