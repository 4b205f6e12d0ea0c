/*
 * The reader right: who may use the receiving half of a connection's stream. All with
 * connection->lock.
 */
#ifndef CORE_LINK_RIGHT_H
#define CORE_LINK_RIGHT_H

#include "core/link/connection.h"
#include "core/link/current.h"

/* While the pool has it, before a worker takes it up. */
extern struct thread right_of_pool;

static inline bool right_is_mine_locked(const struct link_connection *connection,
                                        const struct thread *self)
{
    return connection->right == RIGHT_HELD && connection->holder == self;
}

/* This thread, which has the right, runs a method from here on: others may take the right. */
static inline void right_expose(struct link_connection *connection, struct thread *self)
{
    self->is_exposed = true;
    atomic_store(&connection->in_method, self);
}
/* The method is over, or waits in a call. False: the right has been taken away. */
static inline bool right_resume(struct link_connection *connection, struct thread *self)
{
    struct thread *expected = self;
    self->is_exposed = false;
    if (atomic_compare_exchange_strong(&connection->in_method, &expected, NULL))
        return true;
    self->held = NULL;
    return false;
}
/* Whether the thread has the right, now that a method may have run. */
static inline bool right_is_still_mine(struct link_connection *connection, struct thread *self)
{
    return self->held == connection && (!self->is_exposed || right_resume(connection, self));
}
/* The holder reads for long without arming: the transport need not watch. */
static inline void right_unwatch(struct link_connection *connection)
{
    if (!connection->is_watched)
        return;
    connection->is_watched = false;
    connection->in->transport->disarm(connection->in->stream, VIA_READY_READ);
}

/* Takes the right away from a method that runs; false: the method is over. The caller passes it on.
 */
bool right_take_from_method_locked(struct link_connection *connection);

/* Takes a right that nobody holds, out of the reactor if it is there; sets *leased then. False:
 * somebody holds it, or it is stalled. */
bool right_take_locked(struct link_connection *connection, struct thread *self, bool *leased);
/* The holder's right passes to a caller that waits, or to nobody. */
void right_leave_locked(struct link_connection *connection);
/* The same, but without a waiting caller the reactor gets it. */
void right_park_locked(struct link_connection *connection);

/* --- back-pressure --- */

/* Whether so much has arrived and not ended that nothing more is to be read. The holder's, or under
 * the lock while nobody is. */
bool right_is_full(struct link_connection *connection);
/* The holder's right passes to nobody, until there is room again: then to a caller that waits, or
 * to the reactor. */
void right_stall_locked(struct link_connection *connection);
/* The end of that, from the tick. */
void right_unstall_locked(struct link_connection *connection);
/* More may arrive; false: not more than that. */
bool right_raise_limit_locked(struct link_connection *connection);
/* Something that has arrived has ended. No locks held. */
void right_made_room(struct link_connection *connection);
/* Arms a right that nobody holds. */
void right_arm_locked(struct link_connection *connection);

/* Gives up what the thread holds of another connection than `except`, since it is about to wait.
 * What it runs there and has not decoded is copied first. No locks held. */
void right_give_up(struct thread *self, const struct link_connection *except);

#endif
