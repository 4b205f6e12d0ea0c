#include "core/link/message.h"

#include "core/link/connection.h"
#include "core/link/current.h"
#include "core/link/handle.h"
#include "core/link/node.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* Records that a connection keeps for its next calls. */
#define MAX_SPARE 8u

struct incoming *incoming_new(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    struct list *link = list_pop(&connection->spare);
    if (link != NULL)
        connection->n_spare--;
    os_mutex_unlock(&connection->lock);
    struct incoming *incoming;
    if (link != NULL) {
        incoming = list_entry(link, struct incoming, active);
        memset(incoming, 0, sizeof *incoming);
    } else {
        incoming = calloc(1, sizeof *incoming);
        if (incoming == NULL)
            return NULL;
    }
    atomic_fetch_add_explicit(&connection->n_incoming, 1, memory_order_relaxed);
    incoming->message.connection = link_connection_ref(connection);
    return incoming;
}

void message_free_storage(struct link_message *message)
{
    for (uint32_t i = 0; i < message->n_handles && message->handles != NULL; i++)
        handle_close(message->handles[i]);
    free(message->handles);
    message->handles = NULL;
    free(message->storage);
    message->storage = NULL;
}

void incoming_free(struct incoming *incoming)
{
    struct link_connection *connection = incoming->message.connection;
    message_free_storage(&incoming->message);
    atomic_fetch_sub_explicit(&connection->n_incoming, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&connection->incoming_bytes, incoming->charge, memory_order_relaxed);
    os_mutex_lock(&connection->lock);
    if (list_is_linked(&incoming->active)) {
        list_remove(&incoming->active);
        connection->n_active--;
    }
    if (connection->n_spare < MAX_SPARE) {
        connection->n_spare++;
        list_append(&connection->spare, &incoming->active);
        incoming = NULL;
    }
    os_mutex_unlock(&connection->lock);
    free(incoming);
    link_connection_unref(connection);
}

HRESULT message_copy(struct link_message *message)
{
    size_t body_at = message->references_size;
    size_t size = body_at + message->body_size + message->payload_size;
    struct message_storage *storage = malloc(sizeof *storage + size);
    if (storage == NULL)
        return error_set(E_OUTOFMEMORY, "no memory to keep a message of %zu bytes", size);
    storage->room = size;
    if (message->references_size != 0)
        memcpy(storage->bytes, message->references, message->references_size);
    if (message->body_size != 0)
        memcpy(storage->bytes + body_at, message->body, message->body_size);
    if (message->payload_size != 0)
        memcpy(storage->bytes + body_at + message->body_size, message->payload,
               message->payload_size);
    message->references = storage->bytes;
    message->body = storage->bytes + body_at;
    message->payload = message->body + message->body_size;
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
    message->state = NULL;
    reader_consume(connection);
    atomic_store(&connection->in_method, true);
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
        atomic_store(&connection->in_method, true);
    } else {
        os_mutex_lock(&connection->lock);
        right_leave_locked(connection);
        os_mutex_unlock(&connection->lock);
    }
    connection_drop(connection);
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
    bool used = connection_use(connection);
    current_run(incoming);
    incoming_free(incoming);
    if (used)
        connection_drop(connection);
}
