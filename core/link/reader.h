/*
 * Reading frames: by whoever holds the reader right.
 */
#ifndef CORE_LINK_READER_H
#define CORE_LINK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/link/connection.h"

struct call;

/* What reader_step() says when nothing may be read before more of what has arrived has ended: the
 * holder stalls the right. */
#define READER_FULL S_FALSE

/* Handles one frame, if one is there. `self`: the call that this thread waits in, or NULL. S_OK:
 * done, and the right may be gone (right_is_mine_locked); VIA_S_WOULD_BLOCK: none is there;
 * READER_FULL; a failure: the connection has ended. */
HRESULT reader_step(struct link_connection *connection, struct call *self);
/* Sleeps until bytes have come: what via_transport.wait returns, but where neither the tick runs
 * nor a deadline is given RPC_E_TIMEOUT may come from time to time. Spins first. */
HRESULT reader_wait(struct link_connection *connection, uint64_t deadline_ns);
/* The frame that is borrowed is done with; the holder only. */
void reader_consume(struct link_connection *connection);
/* What the peer said when it left, as the thread's error. */
HRESULT reader_goodbye(const struct link_message *message);
/* via_transport's report, on the reactor thread. */
void reader_ready(void *token, uint32_t events);
void reader_free_assemblies(struct link_connection *connection);

/* A complete message, borrowed or with storage; used by the reader's own parts. */
HRESULT reader_dispatch(struct link_connection *connection, struct call *self,
                        struct link_message *message, bool has_unknown_extension);
/* chunk.c: a frame with `more` or `continued`, whose handles it takes over. Dispatches what becomes
 * complete. */
HRESULT chunk_received(struct link_connection *connection, struct call *self,
                       struct link_message *frame, bool has_unknown_extension);
/* arrive.c: a call and the like. The message is copied into its own record. */
HRESULT arrive(struct link_connection *connection, struct call *self, struct link_message *message,
               bool has_unknown_extension);

#endif
