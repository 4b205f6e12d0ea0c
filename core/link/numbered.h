/*
 * OS handles by number, where a connection's transport carries none: between two Windows processes.
 *
 * A message names handles of its sender's, and the receiver duplicates them out of the sender's
 * process, which the system knows. So a peer can name only what is its own; it is the receiver that
 * needs a right (PROCESS_DUP_HANDLE) in the sender's process, and whether it has it each side says
 * in its hello. The numbers are of duplicates, which lie parked until the receiver has said, by a
 * frame of kind `taken`, that it has its own. What is parked when the connection ends stays open a
 * while longer: the receiver may still read what was sent to it, and the number must not mean
 * another handle by then.
 */
#ifndef CORE_LINK_NUMBERED_H
#define CORE_LINK_NUMBERED_H

#include "core/link/connection.h"

/* Handles that wait for one peer to take them. */
#define NUMBERED_MAX_PARKED 512u
/* For how long after the end. */
#define NUMBERED_LINGER_NS 10000000000u

/* The handles of one message. */
struct parked {
    struct list link;  /* connection->parked, send_lock; then node->parked, node->lock */
    uint64_t until_ns; /* in node->parked */
    uint32_t n;
    intptr_t handles[];
};

/* Once the system has said who the peer is. */
void numbered_open(struct link_connection *connection);
/* Whether this side may take handles out of the peer's process. */
static inline bool numbered_can_take(const struct link_connection *connection)
{
    return connection->handle_source != OS_NO_HANDLE;
}
/* Whether the peer takes this side's. */
static inline bool numbered_can_give(const struct link_connection *connection)
{
    return connection->peer.takes_numbers && connection->base.transport->max_handles == 0;
}

/* Duplicates the handles, whose message is about to be sent. NULL on failure. */
HRESULT numbered_park_locked(struct link_connection *connection, const via_os_handle *handles,
                             uint32_t n, struct parked **parked);
/* It has been sent, or queued. */
void numbered_sent_locked(struct link_connection *connection, struct parked *parked);
/* NULL is allowed. */
void numbered_free(struct parked *parked);

/* The reader: takes the handles that a message names, and says so. One that cannot be had is
 * missing in the message; what needs it is refused then. */
HRESULT numbered_receive(struct link_connection *connection, const uint8_t *numbers, uint32_t n,
                         struct link_message *message);
/* A frame of kind `taken`. */
HRESULT numbered_taken(struct link_connection *connection, const struct link_message *message);

/* At the connection's end, when nothing is sent or read any more. */
void numbered_close(struct link_connection *connection);
/* Moves what has lain long enough to `due`, for numbered_free_all(); returns when the next has. */
uint64_t numbered_take_due_locked(struct link_node *node, uint64_t now_ns, struct list *due);
void numbered_free_all(struct list *all);

#endif
