#include "core/link/message.h"

#include "core/link/connection.h"
#include "core/link/current.h"
#include "core/link/handle.h"
#include "core/link/memory.h"
#include "core/link/node.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* Descriptors are as scarce as memory: by the default limit a peer's unfinished calls hold 256. */
#define HANDLE_CHARGE ((size_t)64 << 10)

struct incoming *incoming_new(struct link_message *message)
{
    struct thread *self = thread_self();
    struct incoming *incoming = self->spare;
    self->spare = NULL;
    if (incoming == NULL && (incoming = malloc(sizeof *incoming)) == NULL)
        return NULL;
    /* Field by field: what lists and rooms hold before they are used is nobody's concern. */
    incoming->message = *message;
    incoming->message.state = message->storage == NULL ? message->connection : NULL;
    incoming->message.room = incoming->room;
    incoming->is_active = incoming->holds_use = incoming->is_counted = false;
    atomic_init(&incoming->answered, false);
    atomic_init(&incoming->cancelled, false);
    message->storage = NULL;
    message->handles = NULL;
    message->views = NULL;
    if (incoming->message.storage != NULL)
        incoming_keep(incoming);
    return incoming;
}

void incoming_keep(struct incoming *incoming)
{
    struct link_connection *connection = incoming->message.connection;
    if (incoming->is_counted)
        return;
    incoming->is_counted = true;
    incoming->charge =
        message_size(&incoming->message) + incoming->message.n_handles * HANDLE_CHARGE;
    link_connection_ref(connection);
    atomic_fetch_add_explicit(&connection->n_incoming, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&connection->incoming_bytes, incoming->charge, memory_order_relaxed);
}

void message_free_all(struct link_message *message)
{
    for (uint32_t i = 0; i < message->n_handles && message->handles != NULL; i++)
        handle_close(message->connection->base.transport, message->handles[i]);
    free(message->handles);
    message->handles = NULL;
    if (message->views != NULL)
        memory_free_views(message->views);
    message->views = NULL;
    free(message->storage);
    message->storage = NULL;
}

void incoming_free(struct incoming *incoming)
{
    struct link_connection *connection = incoming->message.connection;
    bool was_counted = incoming->is_counted;
    message_free_storage(&incoming->message);
    message_leave_active(incoming);
    if (was_counted) {
        atomic_fetch_sub(&connection->incoming_bytes, incoming->charge);
        atomic_fetch_sub(&connection->n_incoming, 1);
        right_made_room(connection);
    }
    struct thread *self = thread_self();
    if (self->spare == NULL)
        self->spare = incoming;
    else
        free(incoming);
    if (was_counted)
        link_connection_unref(connection);
}

void message_leave_active(struct incoming *incoming)
{
    struct link_connection *connection = incoming->message.connection;
    if (!incoming->is_active)
        return;
    incoming->is_active = false;
    os_mutex_lock(&connection->lock);
    list_remove(&incoming->active);
    connection->n_active--;
    os_mutex_unlock(&connection->lock);
}

void message_copy_into(struct link_message *message, uint8_t *bytes)
{
    uint8_t *body = bytes + message->references_size;
    uint8_t *payload = body + message->body_size;
    if (message->references_size != 0)
        memcpy(bytes, message->references, message->references_size);
    if (message->body_size != 0)
        memcpy(body, message->body, message->body_size);
    if (message->payload_size != 0)
        memcpy(payload, message->payload, message->payload_size);
    message->references = bytes;
    message->body = body;
    message->payload = payload;
}

HRESULT message_copy(struct link_message *message)
{
    size_t size = message_size(message);
    struct message_storage *storage = malloc(sizeof *storage + size);
    if (storage == NULL)
        return error_set(E_OUTOFMEMORY, "no memory to keep a message of %zu bytes", size);
    storage->room = size;
    message_copy_into(message, storage->bytes);
    message->storage = storage;
    return S_OK;
}

static bool is_request(uint8_t kind)
{
    return kind == WIRE_CALL || kind == WIRE_ONEWAY || kind == WIRE_QUERY_INTERFACE ||
           kind == WIRE_ACCEPT;
}

/* Only the thread that runs a borrowed call has its connection's buffer; in route() the reader
 * does. */
static bool is_running(const struct link_message *message)
{
    const struct running *running = thread_self()->running;
    return running != NULL && &running->incoming->message == message;
}

/* The receive buffer of a call that this thread runs moves on, and the right may be taken away. */
static void let_go(struct link_message *message)
{
    struct link_connection *connection = message->connection;
    struct thread *self = thread_self();
    message->state = NULL;
    reader_consume(connection);
    self->has_more = !connection->drained;
    right_expose(connection, self);
    node_needs_tick(connection->node);
}

/* A borrowed reply has been read. The state says whether an outer frame of this thread has the
 * right. */
static void leave_reply(struct link_message *message)
{
    struct link_connection *connection = message->connection;
    bool inherited = message->state == &connection->frame_size;
    message->state = NULL;
    reader_consume(connection);
    if (inherited) {
        right_expose(connection, thread_self());
        connection_drop(connection);
        return;
    }
    os_mutex_lock(&connection->lock);
    right_leave_locked(connection);
    bool ends = connection_drop_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (ends)
        worker_finish_soon(connection);
}

void link_message_decoded(struct link_message *message)
{
    if (!is_request(message->kind) || message->state == NULL)
        return;
    message->references = message->payload = message->body = NULL;
    message->references_size = message->payload_size = message->body_size = 0;
    let_go(message);
}

HRESULT link_message_own(struct link_message *message)
{
    if (message->state == NULL)
        return S_OK;
    HRESULT hr = message_copy(message);
    if (FAILED(hr))
        return hr;
    if (is_request(message->kind))
        incoming_keep(message_incoming(message));
    if (!is_request(message->kind))
        leave_reply(message);
    else if (is_running(message))
        let_go(message);
    else
        message->state = NULL;
    return S_OK;
}

void link_message_release(struct link_message *message)
{
    if (message->state != NULL)
        leave_reply(message);
    message_free_storage(message);
    message->payload = message->body = message->references = NULL;
}

void link_message_run(struct link_message *message)
{
    struct incoming *incoming = message_incoming(message);
    struct link_connection *connection = message->connection;
    /* The end of the connection waits for this run; a run after the end is the handler's wish. */
    bool used = incoming->holds_use || connection_use(connection);
    current_run(incoming);
    incoming_free(incoming);
    if (used)
        connection_drop(connection);
}
