/*
 * Sending frames. Never blocks but where it says so.
 */
#ifndef CORE_LINK_SENDER_H
#define CORE_LINK_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/link/connection.h"

enum send_mode {
    SEND_QUEUE, /* what the transport does not take is queued, up to a hard limit */
    SEND_WAIT   /* waits until the queue has room, or the deadline */
};

/* Sends a message, in chunks where it is large. A failure of the transport ends the connection. On
 * a connection that has ended it fails without touching the stream: sender_close() comes before the
 * stream can go. */
HRESULT sender_send(struct link_connection *connection, const struct link_request *request,
                    uint64_t call_id, enum send_mode mode, uint64_t deadline_ns);
/* The same, but the frame may wait for others behind it; cork.h says for what. */
HRESULT sender_post(struct link_connection *connection, const struct link_request *request,
                    uint64_t call_id, enum send_mode mode, uint64_t deadline_ns);
/* The same for a control frame, which goes before what waits for the peer to take handles. */
HRESULT sender_overtake(struct link_connection *connection, const struct link_request *request);
/* The peer does: expect.h. A failure ends the connection. */
HRESULT sender_take_handles(struct link_connection *connection);
/* Sends what waits. A failure ends the connection. No locks held. */
void sender_flush(struct link_connection *connection);
/* The same with the last frame of this direction on its path: what follows goes to `next`, once all
 * before it is sent. */
HRESULT sender_leave(struct link_connection *connection, const struct link_request *request,
                     struct link_path *next);
/* Whether frames go, or are about to go, through memory. */
bool sender_is_shared(struct link_connection *connection);
/* Readiness for writing, on the reactor thread. */
void sender_ready(struct link_connection *connection);
/* No frame goes out any more; the queue is dropped and those who wait for room wake. */
void sender_close(struct link_connection *connection);
/* Whether the peer has taken nothing for too long. */
bool sender_is_stuck(struct link_connection *connection, uint64_t now_ns);

#endif
