/*
 * The tick: what the reactor does from time to time for a node. It parks connections that nobody
 * uses, takes the reader right from methods that run long, ends connections whose hello does not
 * come or whose peer does not read, looks after stalled ones, wakes who has slept in a stream until
 * its deadline, and starts timers. It runs each millisecond while a method runs or a connection is
 * about to be parked, each eight while frames come, and not at all when nothing happens.
 */
#include "core/link/call.h"
#include "core/link/cork.h"
#include "core/link/listener.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/link/reactor.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/link/timer.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#define TICK_NS 1000000u
/* Often enough that a cancel reaches a method within 10 ms, seldom enough that ticks do not count
 * among the system calls of a stream of calls. */
#define SLOW_TICK_NS 8000000u
#define IDLE_TICK_NS 50000000u
/* Ticks that a free connection goes unused before it is parked. */
#define QUIET_TICKS 2u
/* A stalled connection is read on after so long in any case, so that the peer sees that it is; and
 * where a caller waits, and nothing has ended meanwhile, sooner: everything may wait for its reply.
 */
#define STALL_NS       1000000000u
#define STUCK_STALL_NS 100000000u
/* Connections that one tick ends at most; the next one is soon. */
#define MAX_EXPIRED 16u

struct tick {
    uint64_t now_ns;
    bool is_busy;           /* something needs the next fast tick */
    bool is_active;         /* something has moved */
    bool is_pending;        /* a hello, a queue or a stalled connection is waited for */
    uint64_t wait_until_ns; /* when the first of those who sleep must wake */
    unsigned n_expired;
    struct link_connection *expired[MAX_EXPIRED];
    bool hello_expired[MAX_EXPIRED];
};

static void expire(struct tick *tick, struct link_connection *connection, bool hello)
{
    if (tick->n_expired == MAX_EXPIRED)
        return;
    tick->hello_expired[tick->n_expired] = hello;
    tick->expired[tick->n_expired++] = link_connection_ref(connection);
}

static void look_at_free_locked(struct tick *tick, struct link_connection *connection,
                                bool has_moved)
{
    tick->is_busy = true;
    if (has_moved) {
        connection->quiet_ticks = 0;
        return;
    }
    if (++connection->quiet_ticks < QUIET_TICKS)
        return;
    right_arm_locked(connection);
}

/* A method that was running already at the last tick keeps others from reading. */
static void look_at_held_locked(struct tick *tick, struct link_connection *connection,
                                unsigned activity)
{
    if (atomic_load(&connection->in_method) == NULL)
        return;
    tick->is_busy = true;
    if (connection->seen_method != activity) {
        connection->seen_method = activity;
        return;
    }
    if (right_take_from_method_locked(connection))
        right_park_locked(connection);
}

/* What keeps the calls that have arrived from ending may be a reply, or a call of a chain, that
 * lies behind what is not read. So room is made for more of them, up to the far limit. */
static void look_at_stalled_locked(struct tick *tick, struct link_connection *connection)
{
    tick->is_pending = true;
    bool is_stuck = !list_is_empty(&connection->waiters) &&
                    atomic_load(&connection->n_incoming) >= connection->stalled_at;
    uint64_t patience_ns = is_stuck ? STUCK_STALL_NS : STALL_NS;
    if (tick->now_ns < connection->stalled_ns + patience_ns)
        return;
    if (right_is_full(connection) && !right_raise_limit_locked(connection))
        return;
    right_unstall_locked(connection);
}

/* Wakes who sleeps in the stream, if it is time. */
static void look_at_sleep_locked(struct tick *tick, struct link_connection *connection)
{
    uint64_t until_ns = atomic_load(&connection->wait_until_ns);
    if (until_ns <= tick->now_ns)
        connection_interrupt(connection);
    else if (until_ns < tick->wait_until_ns)
        tick->wait_until_ns = until_ns;
}

/* True: the tick need not look at it any more. */
static bool look_at(struct tick *tick, struct link_connection *connection)
{
    bool done = false;
    os_mutex_lock(&connection->lock);
    unsigned activity = atomic_load(&connection->activity);
    bool has_moved = activity != connection->seen_activity;
    bool is_hello = connection->stage == STAGE_HELLO;
    bool is_closed = connection->stage == STAGE_CLOSED;
    connection->seen_activity = activity;
    tick->is_active |= has_moved;
    look_at_sleep_locked(tick, connection);
    if (is_closed)
        ;
    else if (connection->right == RIGHT_FREE && !(is_hello && !connection->is_server))
        look_at_free_locked(tick, connection, has_moved);
    else if (connection->right == RIGHT_HELD)
        look_at_held_locked(tick, connection, activity);
    else if (connection->right == RIGHT_STALLED)
        look_at_stalled_locked(tick, connection);
    bool is_sending = atomic_load(&connection->is_sending);
    if (connection->right == RIGHT_PARKED || is_closed)
        done = is_closed || (!is_hello && !is_sending);
    os_mutex_unlock(&connection->lock);
    if (is_closed)
        return done;
    tick->is_pending |= is_hello || is_sending;
    if (is_hello && tick->now_ns > connection->hello_deadline_ns)
        expire(tick, connection, true);
    else if (is_sending && sender_is_stuck(connection, tick->now_ns))
        expire(tick, connection, false);
    return done;
}

static void end_expired(struct tick *tick)
{
    for (unsigned i = 0; i < tick->n_expired; i++) {
        struct link_connection *connection = tick->expired[i];
        const struct link_settings *settings = &connection->node->settings;
        if (tick->hello_expired[i])
            error_set(RPC_E_TIMEOUT, "the peer did not say hello within %u ms",
                      (unsigned)settings->hello_timeout_ms);
        else
            error_set(VIA_E_LIMIT, "the peer has read nothing for %u ms",
                      (unsigned)settings->drain_timeout_ms);
        connection_fail(connection, error_get()->code, tick->hello_expired[i]);
        link_connection_unref(connection);
    }
}

static void look_at_all_locked(struct link_node *node, struct tick *tick)
{
    struct list *next;
    for (struct list *l = node->leased.next; l != &node->leased; l = next) {
        struct link_connection *connection = list_entry(l, struct link_connection, leased_link);
        next = l->next;
        if (!look_at(tick, connection))
            continue;
        list_remove(l);
        connection->in_leased = false;
    }
}

uint64_t node_tick(struct link_node *node, uint64_t now_ns)
{
    struct tick tick = {.now_ns = now_ns, .wait_until_ns = OS_NEVER};
    struct list due;
    struct list parked;
    list_init(&due);
    list_init(&parked);
    /* Whoever finds it off from here on wakes the reactor: nothing is missed. */
    atomic_store(&node->tick_on, false);
    bool flushes = cork_tick(node);
    os_mutex_lock(&node->lock);
    look_at_all_locked(node, &tick);
    listener_resume_locked(node, now_ns, &tick.is_pending);
    worker_retry_locked(node, &tick.is_pending);
    uint64_t next_ns = timer_take_due_locked(node, now_ns, &due);
    uint64_t cold_ns = switch_take_cold_locked(node, now_ns, &due);
    next_ns = cold_ns < next_ns ? cold_ns : next_ns;
    uint64_t parked_ns = numbered_take_due_locked(node, now_ns, &parked);
    next_ns = parked_ns < next_ns ? parked_ns : next_ns;
    os_mutex_unlock(&node->lock);
    numbered_free_all(&parked);
    struct list *link;
    while ((link = list_pop(&due)) != NULL) {
        struct link_job *job = list_entry(link, struct link_job, link);
        if (!worker_submit(node, job))
            job->run(job->argument); /* the node has stopped */
    }
    end_expired(&tick);
    uint64_t again_ns = OS_NEVER;
    if (tick.is_busy || flushes)
        again_ns = now_ns + TICK_NS;
    else if (tick.is_active)
        again_ns = now_ns + SLOW_TICK_NS;
    else if (tick.is_pending)
        again_ns = now_ns + IDLE_TICK_NS;
    if (tick.is_busy || tick.is_active)
        atomic_store(&node->tick_on, true);
    next_ns = tick.wait_until_ns < next_ns ? tick.wait_until_ns : next_ns;
    return again_ns < next_ns ? again_ns : next_ns;
}

void node_needs_tick(struct link_node *node)
{
    if (atomic_load_explicit(&node->reactor, memory_order_relaxed) == NULL ||
        atomic_load(&node->tick_on) || atomic_exchange(&node->tick_on, true))
        return;
    reactor_wake(node);
}

void node_lease(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    os_mutex_lock(&node->lock);
    if (!connection->in_leased) {
        connection->in_leased = true;
        list_append(&node->leased, &connection->leased_link);
    }
    os_mutex_unlock(&node->lock);
    node_needs_tick(node);
}
