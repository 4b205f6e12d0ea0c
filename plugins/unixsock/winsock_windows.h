/*
 * Streams over winsock's sockets, for Windows itself: the address family (winsock_family_windows.c,
 * the one place that knows it), names (winsock_name), listeners (winsock_listener) and streams
 * (winsock_stream), all on the overlapped I/O of overlapped_windows.h.
 *
 * Addresses are absolute Windows paths. No handles are carried: winsock has no SCM_RIGHTS.
 */
#ifndef UNIXSOCK_WINSOCK_WINDOWS_H
#define UNIXSOCK_WINSOCK_WINDOWS_H

#include "plugins/unixsock/overlapped_listener_windows.h"
#include "plugins/unixsock/overlapped_stream_windows.h"

#include <mswsock.h>

/* --- the address family --- */

/* A new socket, overlapped and not inherited; INVALID_SOCKET and WSAGetLastError(). */
SOCKET winsock_family_socket(void);
/* 0 or a winsock error. `path` is absolute, UTF-8, and fits. */
int winsock_family_bind(SOCKET handle, const char *path);
int winsock_family_connect(SOCKET handle, const char *path);
/* Whether what was found at a path is a socket of the family. */
bool winsock_family_made(const WIN32_FIND_DATAW *found);
/* The process at the other end of a connection; 0: winsock does not say. */
DWORD winsock_family_peer(SOCKET handle);

/* --- accepting, by any family --- */

/* The first member of each kind of listener. */
struct winsock_acceptor {
    struct via_listener base;
    SOCKET socket; /* read-only, with the next two */
    LPFN_ACCEPTEX accept;
    SOCKET (*make_socket)(const struct winsock_acceptor *acceptor); /* for one client */
};
/* The socket is bound: listens, and makes the first places wait. */
HRESULT winsock_acceptor_listen(struct winsock_acceptor *acceptor);
/* Of struct overlapped_listener_kind. */
HRESULT winsock_accept_start(struct via_listener *listener, struct overlapped_instance *instance);
HRESULT winsock_accept_open(struct via_listener *listener, HANDLE handle,
                            struct via_stream **stream);
void winsock_accept_drop(HANDLE handle);

/* --- names --- */

struct winsock_path {
    char text[SOCKET_PATH_SIZE]; /* UTF-8, with backslashes */
    WCHAR wide[SOCKET_PATH_SIZE];
    WCHAR lock[SOCKET_PATH_SIZE + 8];
};

/* VIA_E_ADDRESS */
HRESULT winsock_path_parse(const char *address, struct winsock_path *path);

/* Takes the right to a name, the file PATH.lock, which nobody else can open meanwhile and which
 * goes with its handle. VIA_E_ADDRESS_IN_USE. */
HRESULT winsock_name_lock(const struct winsock_path *path, PSECURITY_DESCRIPTOR security,
                          HANDLE *lock);
/* Whether somebody has that right. */
bool winsock_name_locked(const struct winsock_path *path);
HRESULT winsock_name_kind(const struct winsock_path *path, enum socket_name_kind *kind);
/* Gives the socket's file the access list of the descriptor. */
HRESULT winsock_name_protect(const struct winsock_path *path, PSECURITY_DESCRIPTOR security);
/* See user_check_server. */
HRESULT winsock_name_check_server(const struct winsock_path *path, DWORD id);
void winsock_name_remove(const struct winsock_path *path);

/* --- the transport --- */

/* Makes a stream of a connected socket and owns it from then on, also when it fails. */
HRESULT winsock_stream_new(SOCKET handle, bool is_server, struct via_stream **stream);

HRESULT winsock_listen(const char *address, const struct via_listen_options *options,
                       void (*ready)(void *token, uint32_t events), void *token,
                       struct via_listener **listener);
HRESULT winsock_connect(const char *address, const struct via_connect_options *options,
                        struct via_stream **stream);

/* init and deinit of a plugin that is made of these streams, and its table. */
HRESULT winsock_init(const struct via_plugin_host *host);
void winsock_deinit(void);
extern const struct via_transport winsock_transport;

#endif
