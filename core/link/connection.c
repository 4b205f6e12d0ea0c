#include "core/link/connection.h"

#include "core/link/call.h"
#include "core/link/hello.h"
#include "core/link/memory.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

static void init_parts(struct link_connection *self)
{
    ref_init(&self->refs);
    os_mutex_init(&self->lock);
    os_mutex_init(&self->send_lock);
    os_mutex_init(&self->in_lock);
    list_init(&self->senders);
    list_init(&self->waiters);
    list_init(&self->active);
    list_init(&self->assemblies);
    list_init(&self->queue);
    list_init(&self->parked);
    self->handle_source = OS_NO_HANDLE;
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++)
        list_init(&self->pending[i]);
    atomic_init(&self->stage, STAGE_HELLO);
    atomic_init(&self->wait_until_ns, OS_NEVER);
    self->right = RIGHT_FREE;
    self->next_call_id = 1;
    /* Until hello tells more. */
    self->limits = (struct wire_limits){WIRE_MIN_FRAME, WIRE_MIN_FRAME, 0, 0};
    self->max_send = WIRE_MIN_FRAME;
    self->own_limits = (struct wire_limits){
        self->node->settings.max_frame, self->node->settings.max_message, WIRE_MAX_REFERENCES,
        memory_max_handles(switch_max_handles(self, switch_can(self)), memory_can(self))};
    self->peer.agent = "";
    self->peer.address = self->address;
    self->peer.identity.size = sizeof self->peer.identity;
    self->spin_ns = self->node->settings.max_spin_us * 1000u;
}

static HRESULT register_new(struct link_connection *self)
{
    struct link_node *node = self->node;
    HRESULT hr = S_OK;
    os_mutex_lock(&node->lock);
    if (node->closing)
        hr = error_set(RPC_E_DISCONNECTED, "the node is closing");
    else if (node->settings.max_connections != 0 &&
             node->n_connections >= node->settings.max_connections)
        hr = error_set(VIA_E_LIMIT, "%u connections are open, which is the limit",
                       (unsigned)node->n_connections);
    if (SUCCEEDED(hr)) {
        list_append(&node->connections, &self->link);
        list_append(&node->leased, &self->leased_link);
        self->in_leased = true;
        node->n_connections++;
    }
    os_mutex_unlock(&node->lock);
    return hr;
}

HRESULT connection_new(struct link_node *node, const struct via_transport *transport,
                       struct via_stream *stream, const char *address, bool is_server,
                       struct link_connection **connection)
{
    struct link_connection *self = calloc(1, sizeof *self);
    char *copy = strdup(address);
    if (self == NULL || copy == NULL) {
        free(self);
        free(copy);
        transport->close(stream);
        return error_set(E_OUTOFMEMORY, "no memory for a connection");
    }
    self->node = node;
    self->base = (struct link_path){transport, stream};
    self->in = self->out = &self->base;
    self->address = copy;
    self->is_server = is_server;
    self->hello_deadline_ns = os_deadline_ms(node->settings.hello_timeout_ms);
    init_parts(self);
    HRESULT hr = transport->set_ready(stream, reader_ready, self);
    if (SUCCEEDED(hr) && (transport->capabilities & VIA_TRANSPORT_SHARED) &&
        (self->frame_copy = malloc(node->settings.max_frame)) == NULL)
        hr = error_set(E_OUTOFMEMORY, "no memory for a frame");
    if (SUCCEEDED(hr))
        hr = transport->peer_identity(stream, &self->peer.identity);
    if (SUCCEEDED(hr))
        hr = hello_admit(self);
    if (SUCCEEDED(hr)) {
        numbered_open(self);
        hr = register_new(self);
    }
    if (FAILED(hr)) {
        os_handle_close(self->handle_source);
        transport->close(stream);
        link_connection_unref(self);
        return hr;
    }
    *connection = link_connection_ref(self); /* the node has one until the end */
    return S_OK;
}

struct link_connection *link_connection_ref(struct link_connection *connection)
{
    ref_inc(&connection->refs);
    return connection;
}

struct link_connection *link_connection_unref(struct link_connection *connection)
{
    if (connection == NULL || ref_dec(&connection->refs) != 0)
        return NULL;
    error_record_free(connection->cause);
    memory_unref(connection->memory);
    os_mutex_deinit(&connection->send_lock);
    os_mutex_deinit(&connection->in_lock);
    os_mutex_deinit(&connection->lock);
    free(connection->frame_copy);
    free(connection->peer_texts);
    free((void *)connection->peer.addresses);
    free(connection->address);
    free(connection);
    return NULL;
}

/* --- use and end --- */

bool connection_use_locked(struct link_connection *connection)
{
    if (connection->stage == STAGE_CLOSED)
        return false;
    connection->busy++;
    return true;
}

bool connection_use(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    bool used = connection_use_locked(connection);
    os_mutex_unlock(&connection->lock);
    return used;
}

bool connection_drop_locked(struct link_connection *connection)
{
    connection->busy--;
    bool ends = connection->busy == 0 && connection->stage == STAGE_CLOSED && !connection->ended;
    if (ends)
        connection->ended = true;
    return ends;
}

void connection_drop(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    bool ends = connection_drop_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (ends)
        worker_finish_soon(connection);
}

/* `asyncs`: what async_ended() is due for. */
static void fail_calls_locked(struct link_connection *connection, struct list *asyncs)
{
    for (size_t i = 0; i < CONNECTION_BUCKETS; i++) {
        struct list *link;
        while ((link = list_pop(&connection->pending[i])) != NULL) {
            struct call *call = list_entry(link, struct call, pending_link);
            if (call->async != NULL)
                list_append(asyncs, link);
            call_complete_locked(call, RPC_E_DISCONNECTED, NULL);
        }
    }
    for (struct list *l = connection->active.next; l != &connection->active; l = l->next)
        atomic_store(&list_entry(l, struct incoming, active)->cancelled, true);
}

static void say_goodbye(struct link_connection *connection, HRESULT code,
                        const struct error_record *record)
{
    uint8_t body[8] = {0};
    char text[ERROR_TEXT_SIZE];
    error_format(record, code, text, sizeof text);
    memcpy(body, &code, sizeof code);
    struct link_request request = {.kind = WIRE_GOODBYE,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = text,
                                   .payload_size = strlen(text)};
    if (FAILED(sender_send(connection, &request, 0, SEND_QUEUE, 0)))
        error_clear();
}

void connection_left_hello_locked(struct link_connection *connection)
{
    if (connection->opener != NULL)
        os_waiter_wake(connection->opener);
}

void connection_interrupt(struct link_connection *connection)
{
    os_mutex_lock(&connection->in_lock);
    connection->in->transport->interrupt(connection->in->stream);
    os_mutex_unlock(&connection->in_lock);
}

static void shutdown_paths(struct link_connection *connection)
{
    connection->base.transport->shutdown(connection->base.stream);
    os_mutex_lock(&connection->in_lock);
    if (connection->shared.stream != NULL)
        connection->shared.transport->shutdown(connection->shared.stream);
    os_mutex_unlock(&connection->in_lock);
}

void connection_fail(struct link_connection *connection, HRESULT code, bool goodbye)
{
    struct error_record *record = error_take();
    if (record == NULL) {
        error_set(code, "the connection has ended");
        record = error_take();
    }
    os_mutex_lock(&connection->lock);
    if (!connection_use_locked(connection)) {
        os_mutex_unlock(&connection->lock);
        error_record_free(record);
        return;
    }
    connection->cause = record;
    atomic_store_explicit(&connection->stage, STAGE_CLOSED, memory_order_release);
    connection_left_hello_locked(connection);
    if (connection->right == RIGHT_PARKED) {
        connection->in->transport->disarm(connection->in->stream, VIA_READY_READ);
        connection->right = RIGHT_FREE;
    }
    if (connection->right == RIGHT_STALLED) {
        atomic_store(&connection->is_stalled, false);
        connection->right = RIGHT_FREE;
    }
    struct list asyncs;
    struct list *link;
    list_init(&asyncs);
    fail_calls_locked(connection, &asyncs);
    os_mutex_unlock(&connection->lock);
    while ((link = list_pop(&asyncs)) != NULL)
        async_ended(list_entry(link, struct call, pending_link)->async);
    /* The record stays as it is until the last reference goes. */
    if (goodbye)
        say_goodbye(connection, code, record);
    sender_close(connection);
    shutdown_paths(connection);
    connection_drop(connection);
}

void connection_finish(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    if (connection->has_closed)
        node->handler.closed(node->context, connection);
    os_mutex_lock(&node->lock);
    list_remove(&connection->link);
    list_remove(&connection->leased_link);
    list_remove(&connection->switching.link);
    list_remove(&connection->cork_link);
    connection->in_leased = true; /* it does not come back */
    os_mutex_unlock(&node->lock);
    switch_close(connection);
    memory_close(connection);
    connection->base.transport->close(connection->base.stream);
    reader_free_assemblies(connection);
    numbered_close(connection);
    os_mutex_lock(&node->lock);
    node->n_connections--;
    worker_wake_stopper_locked(node);
    os_mutex_unlock(&node->lock);
    link_connection_unref(connection);
}

HRESULT connection_closed_error(struct link_connection *connection)
{
    error_give(link_connection_cause(connection));
    const char *address = connection->address;
    return error_wrap(RPC_E_DISCONNECTED, "the connection to process %u%s%s has ended",
                      (unsigned)connection->peer.process_id, address[0] != '\0' ? " at " : "",
                      address);
}

/* --- the API --- */

struct link_node *link_connection_node(const struct link_connection *connection)
{
    return connection->node;
}

void link_connection_set_user(struct link_connection *connection, void *user)
{
    connection->user = user;
}

void *link_connection_user(const struct link_connection *connection)
{
    return connection->user;
}

const struct link_peer *link_connection_peer(const struct link_connection *connection)
{
    return &connection->peer;
}

bool link_connection_is_closed(const struct link_connection *connection)
{
    return atomic_load_explicit(&((struct link_connection *)connection)->stage,
                                memory_order_acquire) == STAGE_CLOSED;
}

struct error_record *link_connection_cause(const struct link_connection *connection)
{
    struct link_connection *self = (struct link_connection *)connection;
    os_mutex_lock(&self->lock);
    struct error_record *cause = error_record_copy(self->cause);
    os_mutex_unlock(&self->lock);
    return cause;
}

void link_connection_close(struct link_connection *connection, HRESULT code, const char *text)
{
    error_set(code, "%s", text != NULL ? text : "it was closed by this side");
    connection_fail(connection, code, true);
}

const char *link_connection_scheme(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    const struct via_transport *transport = connection->in->transport;
    os_mutex_unlock(&connection->lock);
    return plugin_set_scheme(connection->node->plugins, transport);
}

void link_connection_counters(const struct link_connection *connection,
                              struct link_counters *counters)
{
    struct link_connection *self = (struct link_connection *)connection;
    *counters =
        (struct link_counters){atomic_load_explicit(&self->frames_sent, memory_order_relaxed),
                               atomic_load_explicit(&self->frames_received, memory_order_relaxed),
                               atomic_load_explicit(&self->bytes_sent, memory_order_relaxed),
                               atomic_load_explicit(&self->bytes_received, memory_order_relaxed),
                               atomic_load_explicit(&self->calls_sent, memory_order_relaxed),
                               atomic_load_explicit(&self->calls_received, memory_order_relaxed)};
}
