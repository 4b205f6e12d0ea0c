/*
 * An address family for tests of winsock's streams where there is no AF_UNIX: TCP on 127.0.0.1.
 * Binding a path makes a file there that holds the port, in place of the socket's file.
 */
#include "plugins/unixsock/winsock_windows.h"

#include <string.h>
#include <ws2tcpip.h>

/* Longer than any connection takes that is not queued behind a full backlog. */
#define CONNECT_LIMIT_MS 2000

struct record {
    char magic[6];
    uint16_t port; /* in network order */
};
static const char magic[6] = "inet:";

/* Accepted sockets have the listening one's TCP_NODELAY. */
SOCKET winsock_family_socket(void)
{
    SOCKET made = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    BOOL on = TRUE;
    if (made != INVALID_SOCKET)
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
    return made;
}

static struct sockaddr_in loopback_address(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = port};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static HANDLE open_file(const char *path, DWORD access, DWORD disposition)
{
    WCHAR wide[SOCKET_PATH_SIZE];
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, SOCKET_PATH_SIZE);
    return CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, disposition, 0,
                       NULL);
}

int winsock_family_bind(SOCKET handle, const char *path)
{
    struct sockaddr_in address = loopback_address(0);
    int size = sizeof address;
    DWORD n = 0;
    if (bind(handle, (struct sockaddr *)&address, size) != 0 ||
        getsockname(handle, (struct sockaddr *)&address, &size) != 0)
        return WSAGetLastError();
    HANDLE file = open_file(path, GENERIC_WRITE, CREATE_NEW);
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_FILE_EXISTS ? WSAEADDRINUSE : WSAEACCES;
    struct record record = {.port = address.sin_port};
    memcpy(record.magic, magic, sizeof magic);
    BOOL written = WriteFile(file, &record, sizeof record, &n, NULL);
    CloseHandle(file);
    return written ? 0 : WSAENOBUFS;
}

static int connect_within_limit(SOCKET handle, uint16_t port)
{
    struct sockaddr_in address = loopback_address(port);
    u_long on = 1;
    fd_set writable;
    fd_set failed;
    struct timeval limit = {CONNECT_LIMIT_MS / 1000, 0};
    int error = 0;
    int size = sizeof error;
    ioctlsocket(handle, (long)FIONBIO, &on);
    if (connect(handle, (struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    if (WSAGetLastError() != WSAEWOULDBLOCK)
        return WSAGetLastError();
    FD_ZERO(&writable);
    FD_ZERO(&failed);
    FD_SET(handle, &writable);
    FD_SET(handle, &failed);
    if (select(0, NULL, &writable, &failed, &limit) == 0)
        return WSAEWOULDBLOCK;
    getsockopt(handle, SOL_SOCKET, SO_ERROR, (char *)&error, &size);
    return error;
}

int winsock_family_connect(SOCKET handle, const char *path)
{
    struct record record = {.port = 0};
    DWORD n = 0;
    HANDLE file = open_file(path, GENERIC_READ, OPEN_EXISTING);
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_ACCESS_DENIED ? WSAEACCES : WSAECONNREFUSED;
    BOOL read = ReadFile(file, &record, sizeof record, &n, NULL);
    CloseHandle(file);
    return read && n == sizeof record ? connect_within_limit(handle, record.port) : WSAECONNREFUSED;
}

bool winsock_family_made(const WIN32_FIND_DATAW *found)
{
    return !(found->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && found->nFileSizeHigh == 0 &&
           found->nFileSizeLow == sizeof(struct record);
}

DWORD winsock_family_peer(SOCKET handle)
{
    (void)handle;
    return 0;
}
