/*
 * What of a stream is a socket's own.
 *
 * Sockets do not block: a peek is a plain receive. Whatever waits is overlapped, which blocking
 * does not matter to.
 */
#include "plugins/unixsock/winsock_windows.h"

#include "plugins/unixsock/user_windows.h"

static DWORD socket_read(HANDLE handle, void *data, DWORD size, OVERLAPPED *overlapped)
{
    WSABUF buffer = {size, data};
    DWORD flags = 0;
    return WSARecv((SOCKET)handle, &buffer, 1, NULL, &flags, overlapped, NULL) == 0
               ? 0
               : (DWORD)WSAGetLastError();
}

static DWORD socket_write(HANDLE handle, const void *data, DWORD size, OVERLAPPED *overlapped)
{
    WSABUF buffer = {size, (char *)(uintptr_t)data};
    return WSASend((SOCKET)handle, &buffer, 1, NULL, 0, overlapped, NULL) == 0
               ? 0
               : (DWORD)WSAGetLastError();
}

static HRESULT socket_take(struct via_stream *stream, void *data, size_t size, size_t *n)
{
    int result = recv((SOCKET)stream->handle, data, size < INT32_MAX ? (int)size : INT32_MAX, 0);
    if (result > 0) {
        *n = (size_t)result;
        return S_OK;
    }
    if (result == 0)
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    int error = WSAGetLastError();
    return error == WSAEWOULDBLOCK ? VIA_S_WOULD_BLOCK
                                   : overlapped_fail_error("receiving", (DWORD)error);
}

static HRESULT socket_identify(HANDLE handle, bool is_server, struct via_peer_identity *identity)
{
    (void)is_server;
    DWORD id = winsock_family_peer((SOCKET)handle);
    if (id == 0 || FAILED(user_of_process(id, identity->sid)))
        return S_FALSE;
    identity->pid = id;
    identity->flags = VIA_PEER_HAS_PID | VIA_PEER_HAS_SID;
    return S_OK;
}

/* Until it is told, such a socket does not know that it is connected, and cannot be shut down. */
static void socket_connected(HANDLE handle)
{
    setsockopt((SOCKET)handle, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0);
}

static HRESULT socket_finish_sending(HANDLE handle)
{
    return shutdown((SOCKET)handle, SD_SEND) == 0
               ? S_OK
               : overlapped_fail_error("shutdown", (DWORD)WSAGetLastError());
}

/* Not SD_BOTH: that may turn what lies unread into a reset, which takes from the peer what it has
 * not read yet. This side receives nothing any more anyway. */
static void socket_shut(HANDLE handle)
{
    shutdown((SOCKET)handle, SD_SEND);
}

static void socket_end(HANDLE handle)
{
    closesocket((SOCKET)handle);
}

static const struct overlapped_kind socket_kind = {
    .nothing_is_the_end = true,
    .read = socket_read,
    .write = socket_write,
    .receive = socket_take,
    .identify = socket_identify,
    .connected = socket_connected,
    .finish = socket_finish_sending,
    .shut = socket_shut,
    .close = socket_end,
};

HRESULT winsock_stream_new(SOCKET handle, bool is_server, struct via_stream **stream)
{
    u_long on = 1;
    HRESULT hr = overlapped_bind((HANDLE)handle);
    if (SUCCEEDED(hr) && ioctlsocket(handle, (long)FIONBIO, &on) != 0)
        hr = overlapped_fail_error("ioctlsocket", (DWORD)WSAGetLastError());
    if (FAILED(hr)) {
        closesocket(handle);
        return hr;
    }
    return overlapped_stream_new(&socket_kind, (HANDLE)handle, is_server, stream);
}
