/*
 * Listening and connecting by winsock. A listener's places are sockets that AcceptEx waits with;
 * clients beyond them stay in the system's own backlog.
 */
#include "plugins/unixsock/winsock_windows.h"

#include "plugins/unixsock/user_windows.h"

#include <stdlib.h>

/* What other users may do with a socket that everyone may connect to: FILE_GENERIC_READ and
 * FILE_GENERIC_WRITE. Connecting asks for the right to write. */
#define CONNECT_RIGHTS 0x12019f

struct winsock_listener {
    struct winsock_acceptor acceptor;
    struct winsock_path path;
    HANDLE lock;
};

/* --- places --- */

static SOCKET make_socket(const struct winsock_acceptor *acceptor)
{
    (void)acceptor;
    return winsock_family_socket();
}

static void end_listener(struct via_listener *listener)
{
    const struct winsock_listener *self = (const struct winsock_listener *)listener;
    closesocket(self->acceptor.socket);
    winsock_name_remove(&self->path);
    CloseHandle(self->lock);
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

/* --- listening --- */

/* Removes what a dead server left at the path. The name's lock is held, so that whoever answers
 * knows nothing of locks. */
static HRESULT clear_stale(const struct winsock_path *path)
{
    enum socket_name_kind kind;
    HRESULT hr = winsock_name_kind(path, &kind);
    if (FAILED(hr) || kind == SOCKET_NAME_FREE)
        return hr;
    if (kind == SOCKET_NAME_OTHER)
        return socket_fail_listen(VIA_E_ADDRESS, path->text,
                                  "a file that is not a socket is there; remove it or choose "
                                  "another name");
    SOCKET probe = winsock_family_socket();
    if (probe == INVALID_SOCKET)
        return overlapped_fail_error("socket", (DWORD)WSAGetLastError());
    int error = winsock_family_connect(probe, path->text);
    closesocket(probe);
    if (error == 0 || error == WSAEACCES)
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, path->text,
                                  "another process listens there");
    winsock_name_remove(path);
    return S_OK;
}

/* The socket's file exists for a moment with the access list that its directory gives it; nobody
 * can connect before listen, which comes after it has its own. */
static HRESULT bind_and_listen(struct winsock_listener *self, PSECURITY_DESCRIPTOR security)
{
    int error = winsock_family_bind(self->acceptor.socket, self->path.text);
    if (error == WSAEADDRINUSE)
        return socket_fail_listen(VIA_E_ADDRESS_IN_USE, self->path.text, "the name is taken");
    if (error != 0)
        return overlapped_fail_error("bind", (DWORD)error);
    HRESULT hr = winsock_name_protect(&self->path, security);
    if (SUCCEEDED(hr))
        hr = winsock_acceptor_listen(&self->acceptor);
    if (FAILED(hr))
        winsock_name_remove(&self->path);
    return hr;
}

static HRESULT take_name(struct winsock_listener *self, const struct via_listen_options *options)
{
    PSECURITY_DESCRIPTOR security;
    HRESULT hr =
        user_security_new((enum via_listen_access)options->access, CONNECT_RIGHTS, &security);
    if (FAILED(hr))
        return hr;
    hr = winsock_name_lock(&self->path, security, &self->lock);
    if (SUCCEEDED(hr)) {
        hr = clear_stale(&self->path);
        if (SUCCEEDED(hr)) {
            SOCKET made = winsock_family_socket();
            self->acceptor.socket = made;
            hr = made == INVALID_SOCKET ? overlapped_fail_error("socket", (DWORD)WSAGetLastError())
                                        : bind_and_listen(self, security);
            if (FAILED(hr) && made != INVALID_SOCKET)
                closesocket(made);
        }
        if (FAILED(hr))
            CloseHandle(self->lock);
    }
    LocalFree(security);
    return hr;
}

HRESULT winsock_listen(const char *address, const struct via_listen_options *options,
                       void (*ready)(void *token, uint32_t events), void *token,
                       struct via_listener **listener)
{
    struct winsock_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    self->acceptor.make_socket = make_socket;
    overlapped_listener_init(&self->acceptor.base, &listener_kind, options, ready, token);
    HRESULT hr = winsock_path_parse(address, &self->path);
    if (SUCCEEDED(hr))
        hr = take_name(self, options);
    if (FAILED(hr)) {
        overlapped_listener_unref(&self->acceptor.base);
        return hr;
    }
    *listener = &self->acceptor.base;
    return S_OK;
}

/* --- connecting --- */

/* A full backlog refuses as a dead server does; the lock tells them apart. */
static HRESULT fail_connect(const struct winsock_path *path, int error)
{
    switch (error) {
    case WSAEWOULDBLOCK:
        return VIA_S_WOULD_BLOCK;
    case WSAEACCES:
        return socket_fail_connect(E_ACCESSDENIED, path->text,
                                   "its server does not let this user in");
    case WSAECONNREFUSED:
    case WSAENETDOWN: /* a file that has just gone */
        if (winsock_name_locked(path))
            return VIA_S_WOULD_BLOCK;
        return socket_fail_connect(VIA_WIN32(2), path->text,
                                   "nobody listens there any more; is the server running?");
    default:
        return overlapped_fail_error("connect", (DWORD)error);
    }
}

static HRESULT connect_to(const struct winsock_path *path,
                          const struct via_connect_options *options, SOCKET *handle)
{
    SOCKET made = winsock_family_socket();
    if (made == INVALID_SOCKET)
        return overlapped_fail_error("socket", (DWORD)WSAGetLastError());
    int error = winsock_family_connect(made, path->text);
    HRESULT hr = error == 0 ? S_OK : fail_connect(path, error);
    if (hr == S_OK && options->check_server_owner)
        hr = winsock_name_check_server(path, winsock_family_peer(made));
    if (hr != S_OK)
        closesocket(made);
    else
        *handle = made;
    return hr;
}

HRESULT winsock_connect(const char *address, const struct via_connect_options *options,
                        struct via_stream **stream)
{
    struct winsock_path path;
    enum socket_name_kind kind;
    SOCKET handle = INVALID_SOCKET;
    HRESULT hr = winsock_path_parse(address, &path);
    if (SUCCEEDED(hr))
        hr = winsock_name_kind(&path, &kind);
    if (FAILED(hr))
        return hr;
    if (kind == SOCKET_NAME_FREE)
        return socket_fail_connect(VIA_WIN32(2), path.text,
                                   "there is no socket; is the server running?");
    if (kind == SOCKET_NAME_OTHER)
        return socket_fail_connect(VIA_E_ADDRESS, path.text, "that is not a stream socket");
    hr = connect_to(&path, options, &handle);
    return hr == S_OK ? winsock_stream_new(handle, false, stream) : hr;
}
