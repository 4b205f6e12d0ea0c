/*
 * Unix-domain sockets as winsock has them since Windows 10, version 1803: stream sockets with a
 * path, which is UTF-8 and makes a file that is a reparse point.
 *
 * The definitions are ours, since not every MinGW has <afunix.h>.
 */
#include "plugins/unixsock/winsock_windows.h"

#include <stdio.h>

#define FAMILY_UNIX 1
/* _WSAIOR(IOC_VENDOR, 256) */
#define GET_PEER_PROCESS_ID 0x58000100u
/* IO_REPARSE_TAG_AF_UNIX */
#define SOCKET_REPARSE_TAG 0x80000023u

struct unix_address {
    ADDRESS_FAMILY family;
    char path[SOCKET_PATH_SIZE];
};

SOCKET winsock_family_socket(void)
{
    return WSASocketW(FAMILY_UNIX, SOCK_STREAM, 0, NULL, 0,
                      WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

static struct unix_address make_address(const char *path)
{
    struct unix_address address = {.family = FAMILY_UNIX};
    snprintf(address.path, sizeof address.path, "%s", path);
    return address;
}

int winsock_family_bind(SOCKET handle, const char *path)
{
    struct unix_address address = make_address(path);
    return bind(handle, (struct sockaddr *)(void *)&address, sizeof address) == 0
               ? 0
               : WSAGetLastError();
}

/* Not ConnectEx, which wants a bound socket: a connection to a path is made or refused at once. */
int winsock_family_connect(SOCKET handle, const char *path)
{
    struct unix_address address = make_address(path);
    return connect(handle, (struct sockaddr *)(void *)&address, sizeof address) == 0
               ? 0
               : WSAGetLastError();
}

bool winsock_family_made(const WIN32_FIND_DATAW *found)
{
    return (found->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
           found->dwReserved0 == SOCKET_REPARSE_TAG;
}

/* What the call says of the size of its answer differs between versions of Windows. */
DWORD winsock_family_peer(SOCKET handle)
{
    ULONG id = 0;
    DWORD size = 0;
    return WSAIoctl(handle, GET_PEER_PROCESS_ID, NULL, 0, &id, sizeof id, &size, NULL, NULL) == 0
               ? id
               : 0;
}
