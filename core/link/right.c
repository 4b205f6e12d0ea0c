#include "core/link/right.h"

#include "core/link/call.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/reader.h"
#include "core/os/clock.h"
#include "core/util/error.h"

struct thread right_of_pool;

bool right_take_locked(struct link_connection *connection, struct thread *self, bool *leased)
{
    if (connection->right == RIGHT_HELD || connection->right == RIGHT_STALLED)
        return false;
    if (connection->right == RIGHT_PARKED) {
        connection->is_watched = false;
        connection->in->transport->disarm(connection->in->stream, VIA_READY_READ);
        *leased = true;
    }
    right_unwatch(connection);
    connection->right = RIGHT_HELD;
    connection->holder = self;
    self->held = connection;
    return true;
}

bool right_take_from_method_locked(struct link_connection *connection)
{
    struct thread *holder = atomic_load(&connection->in_method);
    return holder != NULL && atomic_compare_exchange_strong(&connection->in_method, &holder, NULL);
}

void right_arm_locked(struct link_connection *connection)
{
    connection->right = RIGHT_FREE;
    connection->holder = NULL;
    if (connection->stage == STAGE_CLOSED)
        return;
    connection->right = RIGHT_PARKED;
    connection->in->transport->park(connection->in->stream); /* empty buffers go back */
    connection->is_watched = connection->in->transport->capabilities & VIA_TRANSPORT_WATCHES;
    if (SUCCEEDED(connection->in->transport->arm(connection->in->stream, VIA_READY_READ)))
        return;
    connection->is_watched = false;
    connection->right = RIGHT_FREE; /* the tick tries again */
    node_needs_tick(connection->node);
    error_clear();
}

/* Gives the right to the first caller that waits; false: none does, or may. */
static bool pass_locked(struct link_connection *connection)
{
    for (struct list *l = connection->waiters.next; l != &connection->waiters; l = l->next) {
        struct call *call = list_entry(l, struct call, waiter_link);
        if (call->is_apartment || call->done)
            continue;
        list_remove(&call->waiter_link);
        right_unwatch(connection);
        connection->right = RIGHT_HELD;
        connection->holder = call->thread;
        atomic_fetch_sub(&connection->n_waiters, 1);
        call_wake(call);
        return true;
    }
    return false;
}

static void forget_locked(struct link_connection *connection)
{
    struct thread *self = thread_self();
    if (connection->holder == self)
        self->held = NULL;
    connection->holder = NULL;
}

void right_leave_locked(struct link_connection *connection)
{
    forget_locked(connection);
    if (pass_locked(connection))
        return;
    /* Callers in apartments do not read, and a worker has kept the right from the reactor: frames
     * that are not for a caller come at any time. Others are likely to call again soon. */
    bool arms = !list_is_empty(&connection->waiters) || thread_self()->worker != NULL;
    if (arms && atomic_load(&connection->node->reactor) != NULL) {
        right_arm_locked(connection);
        return;
    }
    connection->right = RIGHT_FREE;
    node_needs_tick(connection->node);
}

void right_park_locked(struct link_connection *connection)
{
    forget_locked(connection);
    if (!pass_locked(connection))
        right_arm_locked(connection);
}

/* --- back-pressure --- */

/* So many calls of one peer that have not ended, and so many of the largest messages in them: then
 * it is not read on, and its own sends have to wait. Below half of that it is read again. */
#define MAX_UNFINISHED 1024u
/* What the tick may double both to. The bytes: four of the largest messages, as many as are under
 * way in chunks. */
#define MAX_LEVEL      6u
#define MAX_BYTE_LEVEL 2u

static size_t max_message(const struct link_connection *connection)
{
    return connection->node->settings.max_message;
}

/* What has ended since is seen here, or whoever ends it sees is_stalled: both orders are strict. */
static bool has_room(struct link_connection *connection)
{
    return atomic_load(&connection->n_incoming) <= MAX_UNFINISHED / 2 &&
           atomic_load(&connection->incoming_bytes) <= max_message(connection) / 2;
}

bool right_is_full(struct link_connection *connection)
{
    if (connection->stall_level != 0 && has_room(connection))
        connection->stall_level = 0;
    uint32_t level = connection->stall_level;
    uint32_t byte_level = level < MAX_BYTE_LEVEL ? level : MAX_BYTE_LEVEL;
    return atomic_load_explicit(&connection->n_incoming, memory_order_relaxed) >= MAX_UNFINISHED
                                                                                      << level ||
           atomic_load_explicit(&connection->incoming_bytes, memory_order_relaxed) >=
               max_message(connection) << byte_level;
}

bool right_raise_limit_locked(struct link_connection *connection)
{
    if (connection->stall_level == MAX_LEVEL)
        return false;
    connection->stall_level++;
    return true;
}

void right_unstall_locked(struct link_connection *connection)
{
    atomic_store(&connection->is_stalled, false);
    connection->right = RIGHT_FREE;
    if (pass_locked(connection))
        return;
    if (atomic_load(&connection->node->reactor) != NULL)
        right_arm_locked(connection);
}

void right_stall_locked(struct link_connection *connection)
{
    forget_locked(connection);
    connection->right = RIGHT_STALLED;
    connection->stalled_ns = os_now_ns();
    connection->stalled_at = atomic_load(&connection->n_incoming);
    atomic_store(&connection->is_stalled, true);
    if (connection->stage == STAGE_CLOSED || has_room(connection))
        right_unstall_locked(connection);
    else
        node_needs_tick(connection->node);
}

void right_made_room(struct link_connection *connection)
{
    if (!atomic_load(&connection->is_stalled) || !has_room(connection))
        return;
    os_mutex_lock(&connection->lock);
    if (connection->right == RIGHT_STALLED && has_room(connection))
        right_unstall_locked(connection);
    os_mutex_unlock(&connection->lock);
}

/* --- giving up --- */

/* What the thread still reads out of the connection's buffer moves to storage of its own. */
static void keep_messages(struct thread *self, struct link_connection *connection)
{
    for (struct running *r = self->running; r != NULL; r = r->outer) {
        struct link_message *message = &r->incoming->message;
        if (message->connection != connection || message->state == NULL)
            continue;
        if (FAILED(message_copy(message))) {
            /* The arguments are gone: the call cannot be decoded, and is answered so. */
            message->payload_size = message->body_size = message->references_size = 0;
            message->n_references = 0;
            error_clear();
        }
        message->state = NULL;
    }
    reader_consume(connection);
}

void right_give_up(struct thread *self, const struct link_connection *except)
{
    struct link_connection *connection = self->held;
    if (connection == NULL)
        return;
    if (self->is_exposed && !right_resume(connection, self))
        return;
    keep_messages(self, connection);
    if (connection == except)
        return;
    os_mutex_lock(&connection->lock);
    if (atomic_load(&connection->node->reactor) != NULL)
        right_park_locked(connection);
    else
        right_leave_locked(connection);
    os_mutex_unlock(&connection->lock);
}
