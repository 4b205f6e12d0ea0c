/*
 * What the conformance suite needs of POSIX: handles that can be recognised, who this process is,
 * and how it dies.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/identity.h"
#include "core/plugin/host_table.h"
#include "core/util/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static HRESULT fail(const char *what)
{
    return error_set(E_FAIL, "%s: %s", what, strerror(errno));
}

/* A handle is one end of a socket pair, which is a descriptor to Windows programs under Wine too.
 */
static HRESULT handle_make(struct conformance_handle *handle)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fail("no socket pair for a handle");
    handle->handle = ends[1];
    handle->other = ends[0];
    return S_OK;
}

static HRESULT handle_write(via_os_handle received)
{
    if (!(fcntl((int)received, F_GETFD) & FD_CLOEXEC))
        return error_set(E_FAIL, "a received descriptor is not close-on-exec");
    return send((int)received, "h", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1
               ? S_OK
               : fail("a received descriptor takes no byte");
}

static HRESULT handle_read(const struct conformance_handle *handle)
{
    char byte;
    return recv((int)handle->other, &byte, 1, MSG_DONTWAIT) == 1 ? S_OK : S_FALSE;
}

static HRESULT handle_alone(const struct conformance_handle *handle)
{
    struct pollfd end = {(int)handle->other, 0, 0};
    return poll(&end, 1, 2000) == 1 && (end.revents & POLLHUP) ? S_OK : S_FALSE;
}

static void handle_close(via_os_handle handle)
{
    close((int)handle);
}

static HRESULT identity(uint32_t flags, struct via_peer_identity *identity)
{
    (void)flags;
    os_identity_self(identity);
    return S_OK;
}

const struct conformance_side *conformance_local_side(const struct via_plugin *plugin,
                                                      const struct via_plugin_host *host)
{
    static struct conformance_side side = {
        .handle_make = handle_make,
        .handle_write = handle_write,
        .handle_read = handle_read,
        .handle_alone = handle_alone,
        .handle_close = handle_close,
        .identity = identity,
        .buffers_lent = plugin_host_buffers_lent,
    };
    (void)host;
    side.t = plugin->transport;
    return &side;
}

bool conformance_own_host(char *host, size_t size)
{
    struct ifaddrs *all;
    bool is_found = false;
    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *at = all; at != NULL && !is_found; at = at->ifa_next) {
        if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET ||
            (at->ifa_flags & (IFF_LOOPBACK | IFF_UP)) != IFF_UP)
            continue;
        const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)at->ifa_addr;
        is_found = inet_ntop(AF_INET, &address->sin_addr, host, (socklen_t)size) != NULL;
    }
    freeifaddrs(all);
    return is_found;
}

void conformance_die(void)
{
    raise(SIGKILL);
}
