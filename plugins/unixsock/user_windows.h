/*
 * Users on Windows: who a process runs as, who may open a thing, and whether a server can be
 * trusted. Shared by pipes and winsock's sockets.
 */
#ifndef UNIXSOCK_USER_WINDOWS_H
#define UNIXSOCK_USER_WINDOWS_H

#include "plugins/unixsock/socket.h"

#include <winsock2.h>
#include <windows.h>
#include <accctrl.h>

#define USER_SID_SIZE sizeof(((struct via_peer_identity *)0)->sid)

/* The SID of the user that a process runs as. */
HRESULT user_of_process(DWORD id, char sid[USER_SID_SIZE]);

/* A descriptor for LocalFree: the user (also the owner), SYSTEM and Administrators may do
 * everything, every local user what `everyone` names if `access` lets them in. */
HRESULT user_security_new(enum via_listen_access access, DWORD everyone,
                          PSECURITY_DESCRIPTOR *descriptor);

/* VIA_E_IDENTITY unless the process `id` runs as this user or SYSTEM, or `thing`, which the server
 * has made, belongs to SYSTEM or Administrators. With `id` 0 (not known) the thing may also belong
 * to this user. `what`: "the pipe". */
HRESULT user_check_server(DWORD id, HANDLE thing, SE_OBJECT_TYPE type, const char *what);

#endif
