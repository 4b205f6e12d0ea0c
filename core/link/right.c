#include "core/link/right.h"

#include "core/link/call.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/reader.h"
#include "core/util/error.h"

struct thread right_of_pool;

bool right_take_locked(struct link_connection *connection, struct thread *self, bool *leased)
{
    if (connection->right == RIGHT_HELD)
        return false;
    if (connection->right == RIGHT_PARKED) {
        connection->transport->disarm(connection->stream, VIA_READY_READ);
        *leased = true;
    }
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
    if (SUCCEEDED(connection->transport->arm(connection->stream, VIA_READY_READ)))
        return;
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

void right_stall_locked(struct link_connection *connection)
{
    forget_locked(connection);
    if (pass_locked(connection))
        return;
    connection->right = RIGHT_FREE;
    node_needs_tick(connection->node);
}

void right_park_locked(struct link_connection *connection)
{
    forget_locked(connection);
    if (!pass_locked(connection))
        right_arm_locked(connection);
}

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
