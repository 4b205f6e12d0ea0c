/*
 * The life of a plugin over winsock's Unix sockets, and the table of its transport.
 */
#include "plugins/unixsock/winsock_windows.h"

/* Winsock, and in it the family. */
static HRESULT start(void)
{
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    if (error != 0)
        return overlapped_fail_error("WSAStartup", (DWORD)error);
    SOCKET probe = winsock_family_socket();
    if (probe != INVALID_SOCKET) {
        closesocket(probe);
        return S_OK;
    }
    error = WSAGetLastError();
    WSACleanup();
    return socket_fail(E_NOTIMPL,
                       "unix: sockets are not available to this program: winsock has no AF_UNIX "
                       "here (error %d; Windows has it since version 1803 of Windows 10), and the "
                       "module viaduct-unix.dll.so, which is used under Wine instead, is not "
                       "beside the program or is not usable; use pipe:NAME instead",
                       error);
}

static void stop(void)
{
    WSACleanup();
}

HRESULT winsock_init(const struct via_plugin_host *host)
{
    return overlapped_init(host, start);
}

void winsock_deinit(void)
{
    overlapped_deinit(stop);
}

const struct via_transport winsock_transport = {
    .size = sizeof winsock_transport,
    .version = 1,
    .capabilities = 0,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = 0,
    .listen = winsock_listen,
    OVERLAPPED_LISTENER_OPERATIONS,
    .connect = winsock_connect,
    OVERLAPPED_OPERATIONS,
    .finish = overlapped_finish,
    .is_over = overlapped_is_over,
};
