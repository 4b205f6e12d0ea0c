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

/* Takes a right that nobody holds, out of the reactor if it is there; sets *leased then. False:
 * somebody holds it. */
bool right_take_locked(struct link_connection *connection, struct thread *self, bool *leased);
/* The holder's right passes to a caller that waits, or to nobody. */
void right_leave_locked(struct link_connection *connection);
/* The same, but without a waiting caller the reactor gets it. */
void right_park_locked(struct link_connection *connection);
/* The same, and the tick arms it when fewer calls are unfinished. */
void right_stall_locked(struct link_connection *connection);
/* Arms a right that nobody holds. */
void right_arm_locked(struct link_connection *connection);

/* Gives up what the thread holds of another connection than `except`, since it is about to wait.
 * What it runs there and has not decoded is copied first. No locks held. */
void right_give_up(struct thread *self, const struct link_connection *except);

#endif
