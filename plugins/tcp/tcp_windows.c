/*
 * TCP on Windows: the overlapped streams and listeners that winsock's Unix sockets have too.
 *
 * A connection is made within `connect`: at once to this machine, and to another one it may take
 * until NETWORK_LIMIT_MS, which the caller waits.
 */
#include "plugins/tcp/tcp.h"
#include "plugins/unixsock/winsock_windows.h"

#include <mswsock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws2tcpip.h>

#define LOOPBACK_LIMIT_MS 500
#define NETWORK_LIMIT_MS  2000

struct tcp_listener {
    struct via_listener base;
    struct tcp_address address;
    SOCKET socket;
    LPFN_ACCEPTEX accept;
};

/* Winsock does not say who has the other end. */
DWORD winsock_family_peer(SOCKET handle)
{
    (void)handle;
    return 0;
}

bool tcp_parse_host(const char *text, bool is_v6, uint8_t host[16])
{
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, text, host) == 1;
}

static int fill_address(const struct tcp_address *address, struct sockaddr_storage *filled)
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

/* Small pieces go out as they come: a relay has nothing to gather. Accepted sockets have it of the
 * one that listens. */
static SOCKET make_socket(const struct tcp_address *address)
{
    BOOL on = TRUE;
    SOCKET made = WSASocketW(address->is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (made != INVALID_SOCKET)
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    return made;
}

static HRESULT fail(const char *what, const struct tcp_address *address, int error)
{
    char text[128];
    switch (error) {
    case WSAECONNREFUSED:
        return socket_fail(VIA_WIN32(2), "cannot %s %s: nobody listens there", what, address->text);
    case WSAEADDRINUSE:
        return socket_fail(VIA_E_ADDRESS_IN_USE, "cannot %s %s: another process listens there",
                           what, address->text);
    case WSAEADDRNOTAVAIL:
        return socket_fail(VIA_E_ADDRESS, "cannot %s %s: it is no address of this machine", what,
                           address->text);
    default:
        snprintf(text, sizeof text, "cannot %s %s", what, address->text);
        return overlapped_fail_error(text, (DWORD)error);
    }
}

/* --- listening --- */

static HRESULT start_instance(struct via_listener *listener, struct overlapped_instance *instance)
{
    const struct tcp_listener *self = (const struct tcp_listener *)listener;
    const DWORD address_size = OVERLAPPED_SCRATCH_SIZE / 2;
    for (;;) {
        DWORD n;
        SOCKET made = make_socket(&self->address);
        if (made == INVALID_SOCKET)
            return overlapped_fail_error("socket", (DWORD)WSAGetLastError());
        instance->handle = (HANDLE)made;
        if (self->accept(self->socket, made, instance->scratch, 0, address_size, address_size, &n,
                         (OVERLAPPED *)(void *)&instance->waiting.storage))
            return S_FALSE;
        int error = WSAGetLastError();
        if (error == ERROR_IO_PENDING)
            return S_OK;
        closesocket(made);
        if (error != WSAECONNRESET) /* a client has come and gone */
            return overlapped_fail_error("AcceptEx", (DWORD)error);
    }
}

/* Until it is told, an accepted socket does not know that it is connected. That fails when the
 * client has gone already, which the stream will say. */
static HRESULT open_instance(struct via_listener *listener, HANDLE handle,
                             struct via_stream **stream)
{
    const struct tcp_listener *self = (const struct tcp_listener *)listener;
    setsockopt((SOCKET)handle, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&self->socket,
               sizeof self->socket);
    return winsock_stream_new((SOCKET)handle, true, stream);
}

static void drop_instance(HANDLE handle)
{
    closesocket((SOCKET)handle);
}

static void end_listener(struct via_listener *listener)
{
    closesocket(((struct tcp_listener *)listener)->socket);
}

static void free_listener(struct via_listener *listener)
{
    free(listener);
}

static const struct overlapped_listener_kind listener_kind = {
    .start = start_instance,
    .open = open_instance,
    .drop = drop_instance,
    .end = end_listener,
    .free = free_listener,
};

static HRESULT bind_and_listen(struct tcp_listener *self)
{
    GUID id = WSAID_ACCEPTEX;
    struct sockaddr_storage name;
    int size = fill_address(&self->address, &name);
    BOOL on = TRUE;
    DWORD n;
    /* Else another program could take the port from under this one. */
    setsockopt(self->socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
    if (bind(self->socket, (struct sockaddr *)&name, size) != 0 ||
        listen(self->socket,
               self->base.backlog < SOMAXCONN ? (int)self->base.backlog : SOMAXCONN) != 0 ||
        WSAIoctl(self->socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &self->accept,
                 sizeof self->accept, &n, NULL, NULL) != 0)
        return fail("listen on", &self->address, WSAGetLastError());
    HRESULT hr = overlapped_bind((HANDLE)self->socket);
    return SUCCEEDED(hr) ? overlapped_listener_start(&self->base) : hr;
}

static HRESULT tcp_listen(const char *text, const struct via_listen_options *options,
                          void (*ready)(void *token, uint32_t events), void *token,
                          struct via_listener **listener)
{
    struct tcp_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    overlapped_listener_init(&self->base, &listener_kind, options, ready, token);
    HRESULT hr = tcp_address_parse(text, socket_listen_flags(options), &self->address);
    if (SUCCEEDED(hr)) {
        self->socket = make_socket(&self->address);
        hr = self->socket == INVALID_SOCKET ? fail("listen on", &self->address, WSAGetLastError())
                                            : bind_and_listen(self);
        if (FAILED(hr) && self->socket != INVALID_SOCKET)
            closesocket(self->socket);
    }
    if (FAILED(hr)) {
        overlapped_listener_unref(&self->base);
        return hr;
    }
    *listener = &self->base;
    return S_OK;
}

/* --- connecting --- */

/* 0: it is connected; WSAEWOULDBLOCK: not within the limit. */
static int connect_within(SOCKET handle, const struct tcp_address *address)
{
    struct sockaddr_storage name;
    int limit_ms = address->is_loopback ? LOOPBACK_LIMIT_MS : NETWORK_LIMIT_MS;
    struct timeval limit = {limit_ms / 1000, limit_ms % 1000 * 1000};
    u_long on = 1;
    fd_set writable;
    fd_set failed;
    int error = 0;
    int size = fill_address(address, &name);
    ioctlsocket(handle, (long)FIONBIO, &on);
    if (connect(handle, (struct sockaddr *)&name, size) == 0)
        return 0;
    if (WSAGetLastError() != WSAEWOULDBLOCK)
        return WSAGetLastError();
    FD_ZERO(&writable);
    FD_ZERO(&failed);
    FD_SET(handle, &writable);
    FD_SET(handle, &failed);
    if (select(0, NULL, &writable, &failed, &limit) == 0)
        return WSAEWOULDBLOCK;
    size = sizeof error;
    getsockopt(handle, SOL_SOCKET, SO_ERROR, (char *)&error, &size);
    return error;
}

static HRESULT tcp_connect(const char *text, const struct via_connect_options *options,
                           struct via_stream **stream)
{
    struct tcp_address address;
    HRESULT hr = tcp_address_parse(text, socket_connect_flags(options), &address);
    if (FAILED(hr))
        return hr;
    SOCKET made = make_socket(&address);
    int error = made == INVALID_SOCKET ? WSAGetLastError() : connect_within(made, &address);
    if (error == 0)
        return winsock_stream_new(made, false, stream);
    if (made != INVALID_SOCKET)
        closesocket(made);
    return error == WSAEWOULDBLOCK ? VIA_S_WOULD_BLOCK : fail("connect to", &address, error);
}

/* --- the plugin --- */

static HRESULT start(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    return error == 0 ? S_OK : overlapped_fail_error("WSAStartup", (DWORD)error);
}

static void stop(void)
{
    WSACleanup();
}

HRESULT tcp_init(const struct via_plugin_host *host)
{
    return overlapped_init(host, start);
}

void tcp_deinit(void)
{
    overlapped_deinit(stop);
}

const struct via_transport tcp_transport = {
    .size = sizeof tcp_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_RELAYS_ONLY | VIA_TRANSPORT_ANONYMOUS,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = 0,
    .listen = tcp_listen,
    .listener_accept = overlapped_listener_accept,
    .listener_arm = overlapped_listener_arm,
    .listener_close = overlapped_listener_close,
    .connect = tcp_connect,
    .set_ready = overlapped_set_ready,
    .reserve = overlapped_reserve,
    .commit = overlapped_commit,
    .peek = overlapped_peek,
    .consume = overlapped_consume,
    .read_into = overlapped_read_into,
    .take_handles = overlapped_take_handles,
    .wait = overlapped_wait,
    .interrupt = overlapped_interrupt,
    .arm = overlapped_arm,
    .disarm = overlapped_disarm,
    .park = overlapped_park,
    .peer_identity = overlapped_peer_identity,
    .shutdown = overlapped_shutdown,
    .close = overlapped_close,
    .finish = overlapped_finish,
    .is_over = overlapped_is_over,
};
