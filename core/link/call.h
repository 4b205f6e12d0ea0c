/*
 * Calls that this side waits in, and the chains that they belong to.
 */
#ifndef CORE_LINK_CALL_H
#define CORE_LINK_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/link/connection.h"
#include "core/link/current.h"
#include "core/os/thread.h"

#define CALL_MAX_DEPTH 128u

struct link_async;

struct call {
    struct link_connection *connection;
    struct link_async *async; /* that it is the record of; NULL: a thread waits in it */
    struct thread *thread;
    struct call *outer;           /* the thread's */
    const struct running *serves; /* what the thread runs, which waits with it; NULL: nothing */
    uint64_t id;
    uint64_t thread_id;
    uint32_t level; /* of nesting on this thread, from 1 */
    struct link_id chain;
    uint32_t depth;
    bool has_chain;
    bool is_apartment; /* never holds the right asleep */
    uint64_t deadline_ns;

    uint8_t *room; /* for a short reply; the caller's */
    size_t room_size;
    bool inherits; /* the thread's: it had the right when the call began, in a method on the spot */
    bool has_left; /* the thread's: the right, the chain and the use of the connection are given
                      back */

    struct list pending_link; /* connection->lock */
    struct list waiter_link;  /* connection->lock: in connection->waiters, and sleeps */
    /* Written under connection->lock, `done` last; the thread reads them once it is set. */
    atomic_bool done;           /* reply, error or the connection's end */
    bool borrowed;              /* `reply` leads into the receive buffer */
    struct link_message *reply; /* the caller's */
    HRESULT result;
    struct error_record *error;

    struct list chain_link; /* bucket lock */
    struct list incoming;   /* bucket lock: calls of the chain that this thread has to run */
    atomic_bool has_incoming;
    atomic_bool cancelled;
    atomic_bool in_stream; /* sleeps in the stream of `connection` */
    atomic_bool in_waiter; /* sleeps in `waiter`, which is there */
    bool has_waiter;
    struct os_waiter waiter; /* last: not initialised before it is needed */
};

/* With connection->lock: gives the call its result and wakes it. */
void call_complete_locked(struct call *call, HRESULT result, struct error_record *error);
struct call *call_find_locked(struct link_connection *connection, uint64_t id);
/* Wakes the thread wherever it sleeps in this call; connection->lock or the bucket's is held. */
void call_wake(struct call *call);

/* --- for async.c --- */

/* A call of the thread's in `connection`, with what it runs, and its deadline where that is sooner.
 */
void call_init(struct call *call, struct link_connection *connection, uint64_t deadline_ns);
void call_fill_fields(struct wire_call *fields, const struct link_id *chain, uint32_t depth,
                      uint64_t deadline_ns);
/* With connection->lock: takes the right for the thread, if it is free. */
void call_take_right_locked(struct call *call, bool *leased);
struct list *call_bucket(struct link_connection *connection, uint64_t id);
/* Returns when the call is over: done, late, or cancelled. */
void call_wait(struct call *call);
/* Gives back the right, where this call took it, and the use of the connection. */
void call_leave(struct call *call);
void call_send_cancel(struct link_connection *connection, uint64_t id, HRESULT why);

/* --- async.c --- */

/* With connection->lock: who waits for it goes on. */
void async_wake_locked(struct link_async *async);
/* It has left connection->pending, and is done. No locks held. */
void async_ended(struct link_async *async);

/* --- chain.c --- */
void chain_add(struct link_node *node, struct call *call);
/* What was delivered and not run goes to the workers. */
void chain_remove(struct link_node *node, struct call *call);
/* The same where nothing is to be run; else false. With connection->lock. */
bool chain_try_remove(struct link_node *node, struct call *call);
/* Hands an owned call to the innermost thread that waits in its chain; false: none does. */
bool chain_deliver(struct link_node *node, struct incoming *incoming);
/* Whether a thread of this process waits in the chain. */
bool chain_is_waited_for(struct link_node *node, const struct link_id *chain);
/* Lets a worker run an owned call. */
void chain_submit(struct link_node *node, struct incoming *incoming);
/* The next delivered call, or NULL. */
struct incoming *chain_take(struct link_node *node, struct call *call);

#endif
