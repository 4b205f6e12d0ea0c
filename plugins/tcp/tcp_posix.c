/*
 * TCP on POSIX: the streams of `unixsock`, which need no more of a socket than to be one.
 *
 * A connection to this machine is made or refused at once. One to another machine is given out
 * while it is being made: nothing can be sent before, and a failure is the stream's.
 */
#include "plugins/tcp/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* For a connection within the machine: longer only when the server's backlog is full. */
#define LOOPBACK_LIMIT_MS 50

struct via_listener {
    int32_t descriptor;
    struct via_plugin_watch *watch;
    void (*ready)(void *token, uint32_t events);
    void *token;
};

bool tcp_parse_host(const char *text, bool is_v6, uint8_t host[16])
{
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, text, host) == 1;
}

static socklen_t fill_address(const struct tcp_address *address, struct sockaddr_storage *filled)
{
    memset(filled, 0, sizeof *filled);
    if (address->is_v6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)filled;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        memcpy(&v6->sin6_addr, address->host, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)filled;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address->port);
    memcpy(&v4->sin_addr, address->host, 4);
    return sizeof *v4;
}

static HRESULT code_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return VIA_E_ADDRESS_IN_USE;
    case ECONNREFUSED:
        return VIA_WIN32(2);
    case EMFILE:
    case ENFILE:
        return VIA_E_LIMIT;
    case EACCES:
    case EPERM:
        return E_ACCESSDENIED;
    case EADDRNOTAVAIL:
        return VIA_E_ADDRESS;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ETIMEDOUT:
        return VIA_E_UNREACHABLE;
    default:
        return E_FAIL;
    }
}

static HRESULT fail(const char *what, const struct tcp_address *address, int error)
{
    return socket_fail(code_of(error), "cannot %s %s: %s", what, address->text, strerror(error));
}

static int make_socket(const struct tcp_address *address)
{
    return socket(address->is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                  0);
}

/* Small pieces go out as they come: a relay has nothing to gather. */
static void send_at_once(int descriptor)
{
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* --- listening --- */

static void on_watch(void *argument, uint32_t events)
{
    struct via_listener *listener = argument;
    (void)events;
    listener->ready(listener->token, VIA_READY_READ);
}

/* An address that was just given up can be taken again, one that is in use cannot. */
static HRESULT bind_and_listen(int descriptor, const struct tcp_address *address, uint32_t backlog)
{
    struct sockaddr_storage name;
    socklen_t size = fill_address(address, &name);
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->is_v6)
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(descriptor, (const struct sockaddr *)&name, size) < 0 ||
        listen(descriptor, backlog > 0 ? (int)backlog : 64) < 0)
        return fail("listen on", address, errno);
    return S_OK;
}

static HRESULT tcp_listen(const char *text, const struct via_listen_options *options,
                          void (*ready)(void *token, uint32_t events), void *token,
                          struct via_listener **listener)
{
    struct tcp_address address;
    HRESULT hr = tcp_address_parse(text, socket_listen_flags(options), &address);
    if (FAILED(hr))
        return hr;
    struct via_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    self->ready = ready;
    self->token = token;
    self->descriptor = make_socket(&address);
    hr = self->descriptor < 0 ? fail("listen on", &address, errno)
                              : bind_and_listen(self->descriptor, &address, options->backlog);
    if (SUCCEEDED(hr))
        hr = socket_host->watch_open(self->descriptor, on_watch, self, &self->watch);
    if (FAILED(hr)) {
        if (self->descriptor >= 0)
            close(self->descriptor);
        free(self);
        return hr;
    }
    *listener = self;
    return S_OK;
}

static HRESULT tcp_accept(struct via_listener *listener, struct via_stream **stream)
{
    int32_t descriptor;
    HRESULT hr = socket_accept(listener->descriptor, &descriptor);
    if (hr != S_OK)
        return hr;
    send_at_once(descriptor);
    return stream_new_anonymous(descriptor, stream);
}

static HRESULT tcp_listener_arm(struct via_listener *listener)
{
    return socket_host->watch_arm(listener->watch, VIA_READY_READ);
}

static void tcp_listener_close(struct via_listener *listener)
{
    socket_host->watch_close(listener->watch);
    close(listener->descriptor);
    free(listener);
}

/* --- connecting --- */

/* 0: it is connected; EINPROGRESS: not yet. */
static int await_connection(int descriptor, int limit_ms)
{
    struct pollfd state = {descriptor, POLLOUT, 0};
    int error = EINPROGRESS;
    socklen_t size = sizeof error;
    int n;
    do
        n = poll(&state, 1, limit_ms);
    while (n < 0 && errno == EINTR);
    if (n == 1 && getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    return error;
}

static HRESULT tcp_connect(const char *text, const struct via_connect_options *options,
                           struct via_stream **stream)
{
    struct tcp_address address;
    struct sockaddr_storage name;
    HRESULT hr = tcp_address_parse(text, socket_connect_flags(options), &address);
    if (FAILED(hr))
        return hr;
    socklen_t size = fill_address(&address, &name);
    int descriptor = make_socket(&address);
    if (descriptor < 0)
        return fail("connect to", &address, errno);
    int error = connect(descriptor, (const struct sockaddr *)&name, size) == 0 ? 0 : errno;
    if (error == EINPROGRESS)
        error = await_connection(descriptor, address.is_loopback ? LOOPBACK_LIMIT_MS : 0);
    if (error == EINPROGRESS && address.is_loopback)
        hr = VIA_S_WOULD_BLOCK; /* its backlog is full */
    else if (error != 0 && error != EINPROGRESS)
        hr = fail("connect to", &address, error);
    if (hr != S_OK || fcntl(descriptor, F_SETFL, 0) < 0) {
        close(descriptor);
        return hr != S_OK ? hr : socket_fail(E_FAIL, "fcntl: %s", strerror(errno));
    }
    send_at_once(descriptor);
    return stream_new_anonymous(descriptor, stream);
}

/* Without an error, and without a peer: it is being made. */
static HRESULT tcp_is_connected(struct via_stream *stream)
{
    int descriptor = stream_descriptor(stream);
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    int32_t *error = stream_connect_error(stream);
    socklen_t error_size = sizeof *error;
    if (*error == 0 && getsockopt(descriptor, SOL_SOCKET, SO_ERROR, error, &error_size) < 0)
        *error = errno;
    if (*error != 0)
        return socket_fail(code_of(*error), "%s", strerror(*error));
    return getpeername(descriptor, (struct sockaddr *)&name, &size) == 0 ? S_OK : S_FALSE;
}

HRESULT tcp_init(const struct via_plugin_host *host)
{
    return plugin_lifetime_init(host);
}

void tcp_deinit(void)
{
    plugin_lifetime_deinit();
}

const struct via_transport tcp_transport = {
    .size = sizeof tcp_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_RELAYS_ONLY | VIA_TRANSPORT_ANONYMOUS | VIA_TRANSPORT_WATCHES,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = 0,
    .listen = tcp_listen,
    .listener_accept = tcp_accept,
    .listener_arm = tcp_listener_arm,
    .listener_close = tcp_listener_close,
    .connect = tcp_connect,
    STREAM_OPERATIONS,
    .is_connected = tcp_is_connected,
};
