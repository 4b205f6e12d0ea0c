#include "core/link/cork.h"

#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/sender.h"
#include "core/os/clock.h"
#include "core/util/error.h"

/* A frame may wait when the last one that might have was sent so short a time ago. Replies wait for
 * a method to run. */
#define QUICK_NS       100000u
#define QUICK_REPLY_NS 50000u
/* So much is one write, and one read by the peer: larger ones save nothing, and keep the peer from
 * beginning. */
#define MAX_SIZE 16384u

/* What a thread has left where: on more than one connection. */
static const char several;

/* Replies wait only as long as each comes soon after the last: behind them a method may run long.
 * For others the reactor's millisecond is enough, so that the clock is read once for each burst. */
static bool is_quick_locked(struct link_connection *connection, uint8_t kind)
{
    bool has_time = kind == WIRE_CALL || kind == WIRE_FINISH; /* nobody waits for it yet */
    if (has_time || (connection->cork_size != 0 && kind != WIRE_REPLY))
        return true;
    uint64_t now_ns = os_now_ns();
    uint64_t quick_ns = kind == WIRE_REPLY ? QUICK_REPLY_NS : QUICK_NS;
    bool is_quick = now_ns - connection->cork_ns < quick_ns;
    connection->cork_ns = now_ns;
    return is_quick;
}

bool cork_locked(struct link_connection *connection, const struct wire_header *header, bool *lists)
{
    struct thread *self = thread_self();
    if (connection->cork_size + header->size > MAX_SIZE ||
        !is_quick_locked(connection, header->kind))
        return false;
    bool is_elsewhere = self->corked != NULL && self->corked != connection;
    self->corked = is_elsewhere ? (const void *)&several : connection;
    atomic_store_explicit(&connection->corker, self, memory_order_relaxed);
    connection->cork_size += header->size;
    connection->cork_is_new = true;
    *lists |= !connection->cork_listed;
    connection->cork_listed = true;
    return true;
}

void cork_done_locked(struct link_connection *connection)
{
    if (connection->cork_size == 0)
        return;
    struct thread *self = thread_self();
    connection->cork_size = 0;
    atomic_store_explicit(&connection->corker, NULL, memory_order_relaxed);
    if (self->corked == connection)
        self->corked = NULL;
}

/* Without a reactor nothing can wait. */
static void fail_to_list(struct link_connection *connection)
{
    error_clear();
    os_mutex_lock(&connection->send_lock);
    connection->cork_listed = false;
    os_mutex_unlock(&connection->send_lock);
    sender_flush(connection);
}

void cork_list(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    if (FAILED(reactor_join(node))) {
        fail_to_list(connection);
        return;
    }
    os_mutex_lock(&node->lock);
    connection->cork_stays = true;
    if (!link_connection_is_closed(connection) && !list_is_linked(&connection->cork_link))
        list_append(&node->corked, &connection->cork_link);
    os_mutex_unlock(&node->lock);
    /* The tick clears it before it looks: it has seen the connection, or is woken. */
    if (!atomic_exchange(&node->flush_on, true))
        reactor_wake(node);
}

/* --- by the thread --- */

static struct link_connection *find_mine(struct link_node *node, const struct thread *self)
{
    struct link_connection *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->corked.next; l != &node->corked && found == NULL; l = l->next) {
        struct link_connection *connection = list_entry(l, struct link_connection, cork_link);
        if (atomic_load_explicit(&connection->corker, memory_order_relaxed) == self)
            found = link_connection_ref(connection);
    }
    os_mutex_unlock(&node->lock);
    return found;
}

void cork_flush(struct link_node *node, struct link_connection *used)
{
    struct thread *self = thread_self();
    struct link_connection *connection;
    bool is_used = self->corked == used;
    self->corked = NULL;
    if (is_used) {
        sender_flush(used);
        return;
    }
    while ((connection = find_mine(node, self)) != NULL) {
        sender_flush(connection);
        link_connection_unref(connection);
    }
}

/* --- by the reactor --- */

/* False: nothing has waited since the last tick, and the connection leaves the list. */
static bool stays(struct link_connection *connection)
{
    os_mutex_lock(&connection->send_lock);
    bool stays = connection->cork_is_new && !connection->send_closed;
    connection->cork_is_new = false;
    connection->cork_listed = stays;
    os_mutex_unlock(&connection->send_lock);
    return stays;
}

/* node->lock. Under way a connection stays in the list, where its thread finds it; if that has left
 * something again it has asked for it to stay, in cork_list(). */
static void tick_locked(struct link_node *node, struct link_connection *connection)
{
    connection->cork_stays = false;
    list_append(&node->corked, &connection->cork_link);
    os_mutex_unlock(&node->lock);
    bool stayed = stays(connection);
    sender_flush(connection);
    os_mutex_lock(&node->lock);
    if (!stayed && !connection->cork_stays)
        list_remove(&connection->cork_link);
}

bool cork_tick(struct link_node *node)
{
    if (!atomic_exchange(&node->flush_on, false))
        return false;
    size_t n = 0;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->corked.next; l != &node->corked; l = l->next)
        n++;
    for (struct list *link; n > 0 && (link = list_pop(&node->corked)) != NULL; n--) {
        /* Meanwhile it may end, and be finished, which takes it out of the list. */
        struct link_connection *connection =
            link_connection_ref(list_entry(link, struct link_connection, cork_link));
        tick_locked(node, connection);
        os_mutex_unlock(&node->lock);
        link_connection_unref(connection);
        os_mutex_lock(&node->lock);
    }
    bool again = !list_is_empty(&node->corked);
    os_mutex_unlock(&node->lock);
    if (again)
        atomic_store(&node->flush_on, true);
    return again;
}
