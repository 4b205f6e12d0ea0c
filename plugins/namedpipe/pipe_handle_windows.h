/*
 * Pipes before a stream is made of them: listening, connecting, and who is at the other end. The
 * plugin `shm` makes its own kind of stream of them.
 *
 * `name` is a pipe's, without "\\\\.\\pipe\\", `address` how messages call it: "pipe:x".
 */
#ifndef NAMEDPIPE_PIPE_HANDLE_WINDOWS_H
#define NAMEDPIPE_PIPE_HANDLE_WINDOWS_H

#include "plugins/namedpipe/namedpipe.h"
#include "plugins/unixsock/overlapped_listener_windows.h"

/* A pipe's name with its terminator: of an address, with what another plugin puts behind it. */
#define PIPE_NAME_SIZE (NAMEDPIPE_MAX_NAME + 8)
/* Of an address with its scheme. */
#define PIPE_ADDRESS_SIZE (NAMEDPIPE_MAX_NAME + 8)

/* What the system keeps for each direction before a write pends. */
#define PIPE_QUOTA (64u * 1024u)

/* See via_transport.listen; the operations of the listener are those of overlapped listeners. */
HRESULT pipe_listener_new(const char *name, const char *address,
                          const struct via_listen_options *options,
                          void (*ready)(void *token, uint32_t events), void *token,
                          struct via_listener **listener);
/* A connected pipe, overlapped; not bound to the port, as those of a listener are. See
 * via_transport.connect. With VIA_OPEN_FOREIGN it is in message mode where its server has made it
 * for messages. */
HRESULT pipe_open(const char *name, const char *address, const struct via_connect_options *options,
                  HANDLE *pipe);
bool pipe_is_in_message_mode(HANDLE pipe);
/* Who is at the other end; `is_server`: this one is the listener's. */
HRESULT pipe_identify(HANDLE pipe, bool is_server, struct via_peer_identity *identity);

#endif
