/*
 * TCP on Windows: the overlapped streams and listeners that winsock's Unix sockets have too.
 *
 * A connection to this machine is made or refused at once. One to another machine is given out
 * while it is being made: what is sent waits for it, and a failure is the stream's.
 */
#include "plugins/tcp/tcp.h"
#include "plugins/unixsock/winsock_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ws2tcpip.h>

/* For a connection within the machine: longer only when the server's backlog is full. */
#define LOOPBACK_LIMIT_MS 100

/* SIO_TCP_INITIAL_RTO, which not every MinGW has, with "as usual" and "never again". */
#define INITIAL_RTO 0x98000011u
struct initial_rto {
    USHORT rtt;
    UCHAR max_syn_retransmissions;
};
static const struct initial_rto ask_once = {(USHORT)-1, (UCHAR)-2};

struct tcp_listener {
    struct winsock_acceptor acceptor;
    struct tcp_address address;
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

/* In words, with its code; NULL: it has no words of its own. By winsock's codes, and by those of
 * completions. */
static const char *problem_of(DWORD error, HRESULT *code)
{
    switch (error) {
    case WSAECONNREFUSED:
    case ERROR_CONNECTION_REFUSED:
        *code = VIA_WIN32(2);
        return "nobody listens there";
    case WSAEADDRINUSE:
        *code = VIA_E_ADDRESS_IN_USE;
        return "another process listens there";
    case WSAEADDRNOTAVAIL:
        *code = VIA_E_ADDRESS;
        return "it is no address of this machine";
    case WSAENETUNREACH:
    case ERROR_NETWORK_UNREACHABLE:
        *code = VIA_E_UNREACHABLE;
        return "its network is unreachable";
    case WSAEHOSTUNREACH:
    case ERROR_HOST_UNREACHABLE:
        *code = VIA_E_UNREACHABLE;
        return "that machine is unreachable";
    case WSAETIMEDOUT:
    case ERROR_SEM_TIMEOUT:
        *code = VIA_E_UNREACHABLE;
        return "nobody answers";
    default:
        return NULL;
    }
}

static HRESULT fail(const char *what, const struct tcp_address *address, DWORD error)
{
    char text[128];
    HRESULT code;
    const char *problem = problem_of(error, &code);
    snprintf(text, sizeof text, "cannot %s %s", what, address->text);
    return problem != NULL ? socket_fail(code, "%s: %s", text, problem)
                           : overlapped_fail_error(text, error);
}

/* --- listening --- */

static SOCKET make_client_socket(const struct winsock_acceptor *acceptor)
{
    return make_socket(&((const struct tcp_listener *)acceptor)->address);
}

static void end_listener(struct via_listener *listener)
{
    closesocket(((struct tcp_listener *)listener)->acceptor.socket);
}

static void free_listener(struct via_listener *listener)
{
    free(listener);
}

static const struct overlapped_listener_kind listener_kind = {
    .start = winsock_accept_start,
    .open = winsock_accept_open,
    .drop = winsock_accept_drop,
    .end = end_listener,
    .free = free_listener,
};

static HRESULT bind_and_listen(struct tcp_listener *self)
{
    SOCKET made = self->acceptor.socket;
    struct sockaddr_storage name;
    int size = fill_address(&self->address, &name);
    BOOL on = TRUE;
    /* Else another program could take the port from under this one. */
    setsockopt(made, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
    return bind(made, (struct sockaddr *)&name, size) == 0
               ? winsock_acceptor_listen(&self->acceptor)
               : fail("listen on", &self->address, (DWORD)WSAGetLastError());
}

static HRESULT tcp_listen(const char *text, const struct via_listen_options *options,
                          void (*ready)(void *token, uint32_t events), void *token,
                          struct via_listener **listener)
{
    struct tcp_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    self->acceptor.make_socket = make_client_socket;
    overlapped_listener_init(&self->acceptor.base, &listener_kind, options, ready, token);
    HRESULT hr = tcp_address_parse(text, socket_listen_flags(options), &self->address);
    if (SUCCEEDED(hr)) {
        SOCKET made = make_socket(&self->address);
        self->acceptor.socket = made;
        hr = made == INVALID_SOCKET ? fail("listen on", &self->address, (DWORD)WSAGetLastError())
                                    : bind_and_listen(self);
        if (FAILED(hr) && made != INVALID_SOCKET)
            closesocket(made);
    }
    if (FAILED(hr)) {
        overlapped_listener_unref(&self->acceptor.base);
        return hr;
    }
    *listener = &self->acceptor.base;
    return S_OK;
}

/* --- connecting --- */

/* 0: it is connected; WSAEWOULDBLOCK: not within the limit. */
static int connect_at_once(SOCKET handle, const struct tcp_address *address)
{
    struct sockaddr_storage name;
    struct timeval limit = {0, LOOPBACK_LIMIT_MS * 1000};
    u_long on = 1;
    fd_set writable;
    fd_set failed;
    DWORD n;
    int error = 0;
    int size = fill_address(address, &name);
    ioctlsocket(handle, (long)FIONBIO, &on);
    /* Else Windows asks for two seconds whether somebody listens after all. */
    WSAIoctl(handle, INITIAL_RTO, (void *)(uintptr_t)&ask_once, sizeof ask_once, NULL, 0, &n, NULL,
             NULL);
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

static HRESULT connect_near(SOCKET made, const struct tcp_address *address,
                            struct via_stream **stream)
{
    int error = connect_at_once(made, address);
    if (error == 0)
        return winsock_stream_new(made, false, stream);
    closesocket(made);
    return error == WSAEWOULDBLOCK ? VIA_S_WOULD_BLOCK : fail("connect to", address, (DWORD)error);
}

/* What ConnectEx wants besides. */
struct far_connection {
    LPFN_CONNECTEX connect;
    struct sockaddr_storage name;
    int size;
};

static DWORD start_far(HANDLE handle, const void *argument, OVERLAPPED *overlapped)
{
    const struct far_connection *remote = argument;
    return remote->connect((SOCKET)handle, (const struct sockaddr *)&remote->name, remote->size,
                           NULL, 0, NULL, overlapped)
               ? 0
               : (DWORD)WSAGetLastError();
}

/* A socket that ConnectEx can connect. */
static int prepare_far(SOCKET made, const struct tcp_address *address,
                       struct far_connection *remote)
{
    const struct tcp_address any = {.is_v6 = address->is_v6};
    GUID id = WSAID_CONNECTEX;
    DWORD n;
    remote->size = fill_address(&any, &remote->name);
    if (bind(made, (struct sockaddr *)&remote->name, remote->size) != 0 ||
        WSAIoctl(made, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &remote->connect,
                 sizeof remote->connect, &n, NULL, NULL) != 0)
        return WSAGetLastError();
    remote->size = fill_address(address, &remote->name);
    return 0;
}

static HRESULT connect_far(SOCKET made, const struct tcp_address *address,
                           struct via_stream **stream)
{
    struct far_connection remote;
    int error = prepare_far(made, address, &remote);
    if (error != 0) {
        closesocket(made);
        return fail("connect to", address, (DWORD)error);
    }
    struct via_stream *begun;
    HRESULT hr = winsock_stream_new(made, false, &begun);
    if (FAILED(hr))
        return hr;
    DWORD started = overlapped_connect(begun, start_far, &remote);
    if (started == 0) {
        *stream = begun;
        return S_OK;
    }
    overlapped_close(begun);
    return fail("connect to", address, started);
}

static HRESULT tcp_is_connected(struct via_stream *stream)
{
    DWORD error = 0;
    HRESULT hr = overlapped_is_connected(stream, &error);
    HRESULT code;
    const char *problem = FAILED(hr) ? problem_of(error, &code) : NULL;
    if (SUCCEEDED(hr))
        return hr;
    return problem != NULL ? socket_fail(code, "%s", problem)
                           : overlapped_fail_error("connecting", error);
}

static HRESULT tcp_connect(const char *text, const struct via_connect_options *options,
                           struct via_stream **stream)
{
    struct tcp_address address;
    HRESULT hr = tcp_address_parse(text, socket_connect_flags(options), &address);
    if (FAILED(hr))
        return hr;
    SOCKET made = make_socket(&address);
    if (made == INVALID_SOCKET)
        return fail("connect to", &address, (DWORD)WSAGetLastError());
    return address.is_loopback ? connect_near(made, &address, stream)
                               : connect_far(made, &address, stream);
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
    OVERLAPPED_LISTENER_OPERATIONS,
    .connect = tcp_connect,
    OVERLAPPED_OPERATIONS,
    .finish = overlapped_finish,
    .is_over = overlapped_is_over,
    .is_connected = tcp_is_connected,
};
