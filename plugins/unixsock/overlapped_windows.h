/*
 * Streams and listeners over overlapped I/O on Windows: what pipes (`namedpipe`) and winsock's
 * sockets (winsock_stream_windows.c) have in common. What they do not is in `struct
 * overlapped_kind` (overlapped_stream_windows.h) and `struct overlapped_listener_kind`
 * (overlapped_listener_windows.h). This file is what both start from.
 *
 * Every handle is bound to the host's completion port, and completions that need no waiting bring
 * no packet (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS). An overlapped operation under way holds a
 * reference to its stream or listener, which its packet drops; so memory that the system still
 * writes to is never freed.
 */
#ifndef UNIXSOCK_OVERLAPPED_WINDOWS_H
#define UNIXSOCK_OVERLAPPED_WINDOWS_H

#include "plugins/unixsock/socket.h"

#include <winsock2.h>
#include <windows.h>

/* --- a plugin's life --- */

/* Packets and posts under way; deinit waits for none. */
extern _Atomic uint32_t overlapped_n_pending;

/* A plugin's init and deinit. The first init also calls `start`, the last deinit `stop`; either may
 * be NULL. */
HRESULT overlapped_init(const struct via_plugin_host *host, HRESULT (*start)(void));
void overlapped_deinit(void (*stop)(void));

/* In terms of a Win32 or winsock error; what says that the peer is gone becomes
 * RPC_E_DISCONNECTED. */
HRESULT overlapped_fail_error(const char *what, DWORD error);

/* Binds the handle to the host's port, as the model above says. */
HRESULT overlapped_bind(HANDLE handle);
/* The same, but each operation that does not fail brings a packet. */
HRESULT overlapped_bind_with_packets(HANDLE handle);

#endif
