/*
 * Places of a listener over winsock: sockets that AcceptEx waits with, whatever their family.
 */
#include "plugins/unixsock/winsock_windows.h"

static HRESULT find_accept(struct winsock_acceptor *self)
{
    GUID id = WSAID_ACCEPTEX;
    DWORD n;
    return WSAIoctl(self->socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &self->accept,
                    sizeof self->accept, &n, NULL, NULL) == 0
               ? S_OK
               : overlapped_fail_error("finding AcceptEx", (DWORD)WSAGetLastError());
}

HRESULT winsock_acceptor_listen(struct winsock_acceptor *self)
{
    uint32_t backlog = self->base.backlog < SOMAXCONN ? self->base.backlog : SOMAXCONN;
    HRESULT hr = listen(self->socket, (int)backlog) == 0
                     ? find_accept(self)
                     : overlapped_fail_error("listen", (DWORD)WSAGetLastError());
    if (SUCCEEDED(hr))
        hr = overlapped_bind((HANDLE)self->socket);
    return SUCCEEDED(hr) ? overlapped_listener_start(&self->base) : hr;
}

HRESULT winsock_accept_start(struct via_listener *listener, struct overlapped_instance *instance)
{
    const struct winsock_acceptor *self = (const struct winsock_acceptor *)listener;
    const DWORD address_size = OVERLAPPED_SCRATCH_SIZE / 2;
    for (;;) {
        DWORD n;
        SOCKET made = self->make_socket(self);
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

/* Until it is told, an accepted socket does not know that it is connected, and cannot be shut
 * down. That fails when the client has gone already, which the stream will say. */
HRESULT winsock_accept_open(struct via_listener *listener, HANDLE handle,
                            struct via_stream **stream)
{
    const struct winsock_acceptor *self = (const struct winsock_acceptor *)listener;
    setsockopt((SOCKET)handle, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&self->socket,
               sizeof self->socket);
    return winsock_stream_new((SOCKET)handle, true, stream);
}

/* Ends the AcceptEx that waits with it. */
void winsock_accept_drop(HANDLE handle)
{
    closesocket((SOCKET)handle);
}
