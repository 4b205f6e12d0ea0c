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
/* Readiness for writing, on the reactor thread. */
void sender_ready(struct link_connection *connection);
/* No frame goes out any more; the queue is dropped and those who wait for room wake. */
void sender_close(struct link_connection *connection);
/* Whether the peer has taken nothing for too long. */
bool sender_is_stuck(struct link_connection *connection, uint64_t now_ns);

#endif
