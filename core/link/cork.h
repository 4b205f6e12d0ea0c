/*
 * Frames that wait for others behind them, so that many leave in one write.
 *
 * What may wait: one-way calls, releases, and replies behind which more of the peer's frames are at
 * hand. The first after a pause never does; those that follow it quickly, and any asynchronous
 * call, stay in the transport's buffer until
 *
 * - any other frame of the connection is sent, a call above all, which takes them along;
 * - so many bytes wait that more would not make it better;
 * - the thread that has left them there is about to sleep in this layer, or to make a call or to
 *   answer one on another connection, or has handled all frames that were at hand;
 * - the reactor comes, which looks each millisecond at the connections on which frames wait, and
 *   goes on doing so for as long as they do: it is woken once, not for each burst.
 *
 * Order and back-pressure are not touched: waiting frames lie where they would have been sent from,
 * and what a transport does not take makes the connection one whose queue the reactor drains. A
 * failure is found when they are sent, and ends the connection, with its cause.
 */
#ifndef CORE_LINK_CORK_H
#define CORE_LINK_CORK_H

#include <stdbool.h>

#include "core/link/connection.h"
#include "core/link/current.h"

struct wire_header;

/* A frame that may wait is about to be committed: whether it does. `*lists`: cork_list() is due.
 * With connection->send_lock, as the next. */
bool cork_locked(struct link_connection *connection, const struct wire_header *header, bool *lists);
/* What waited is sent, or the reactor's to send. */
void cork_done_locked(struct link_connection *connection);
/* Lets the reactor look at the connection. No locks held. */
void cork_list(struct link_connection *connection);

/* Sends what this thread has left anywhere. `used`: a connection that the caller uses, or NULL. */
void cork_flush(struct link_node *node, struct link_connection *used);
static inline void cork_flush_mine(struct link_node *node, struct link_connection *used)
{
    if (thread_self()->corked != NULL)
        cork_flush(node, used);
}
/* The same, but for what it has left on `connection`, where it is about to send. */
static inline void cork_flush_others(struct link_connection *connection)
{
    const void *corked = thread_self()->corked;
    if (corked != NULL && corked != connection)
        cork_flush(connection->node, NULL);
}

/* The tick's. True: it has to come again in a millisecond. */
bool cork_tick(struct link_node *node);

#endif
