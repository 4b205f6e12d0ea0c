#include "core/link/switch.h"

#include "core/link/current.h"
#include "core/link/handle.h"
#include "core/link/memory.h"
#include "core/link/node.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

/* settings.hot_calls within so long make a connection hot; a payload larger than this does at once.
 */
#define HOT_NS      10000000u
#define HOT_PAYLOAD (64u * 1024u)

/* The payload of a switch frame: step, number of the offer's bytes, and the bytes. */
struct switch_payload {
    uint32_t step; /* enum wire_switch_step */
    uint32_t n_bytes;
    uint8_t bytes[VIA_OFFER_MAX_BYTES];
};

static const struct via_transport *find_transport(const struct link_connection *connection)
{
    const struct via_transport *transport;
    if (FAILED(plugin_set_find(connection->node->plugins, "shm", &transport))) {
        error_clear();
        return NULL;
    }
    bool can = transport->size >= offsetof(struct via_transport, attach) + sizeof(void *) &&
               transport->offer != NULL && transport->attach != NULL &&
               transport->max_handles >= connection->base.transport->max_handles;
    return can ? transport : NULL;
}

bool switch_can(const struct link_connection *connection)
{
    const struct via_transport *base = connection->base.transport;
    if (connection->node->settings.stay || (base->capabilities & VIA_TRANSPORT_SHARED))
        return false;
    const struct via_transport *transport = find_transport(connection);
    return transport != NULL && (base->max_handles >= VIA_OFFER_MAX_HANDLES ||
                                 (transport->capabilities & VIA_TRANSPORT_BARE_OFFERS));
}

uint16_t switch_max_handles(const struct link_connection *connection, bool is_possible)
{
    uint16_t most = connection->node->settings.max_handles;
    if (most > connection->base.transport->max_handles)
        most = (uint16_t)connection->base.transport->max_handles;
    bool offers = is_possible && connection->is_server;
    return offers && most < VIA_OFFER_MAX_HANDLES ? VIA_OFFER_MAX_HANDLES : most;
}

bool switch_is_due_locked(struct link_connection *connection, size_t payload_size)
{
    struct switching *s = &connection->switching;
    if (!s->is_possible || connection->is_server || s->state != SWITCH_NONE || s->is_refused)
        return false;
    if (payload_size <= HOT_PAYLOAD) {
        if (s->n_calls++ == 0)
            s->started_ns = os_now_ns();
        if (s->n_calls < connection->node->settings.hot_calls)
            return false;
        s->n_calls = 0;
        if (os_now_ns() - s->started_ns > HOT_NS)
            return false;
    }
    s->state = SWITCH_OFFERED;
    return true;
}

/* --- frames --- */

/* `cookie` is room for the body. */
static void fill(struct link_connection *connection, struct link_request *request, uint64_t *cookie,
                 struct switch_payload *payload, enum wire_switch_step step)
{
    os_mutex_lock(&connection->lock);
    *cookie = connection->switching.cookie;
    os_mutex_unlock(&connection->lock);
    payload->step = step;
    *request = (struct link_request){.kind = WIRE_SWITCH,
                                     .body = cookie,
                                     .body_size = sizeof *cookie,
                                     .payload = payload,
                                     .payload_size =
                                         offsetof(struct switch_payload, bytes) + payload->n_bytes};
}

static HRESULT send_step(struct link_connection *connection, enum wire_switch_step step,
                         struct link_path *next)
{
    struct switch_payload payload = {0};
    struct link_request request;
    uint64_t cookie;
    fill(connection, &request, &cookie, &payload, step);
    HRESULT hr = sender_leave(connection, &request, next);
    if (SUCCEEDED(hr))
        switch_out_changed(connection);
    return hr;
}

/* --- the shared path --- */

static void set_shared(struct link_connection *connection, const struct via_transport *transport,
                       struct via_stream *stream)
{
    os_mutex_lock(&connection->lock);
    os_mutex_lock(&connection->in_lock);
    connection->shared = (struct link_path){transport, stream};
    os_mutex_unlock(&connection->in_lock);
    os_mutex_unlock(&connection->lock);
}

static void close_path(struct link_path path)
{
    if (path.stream != NULL)
        path.transport->close(path.stream);
}

/* Nothing of the memory is in use. */
static void forget_shared(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    os_mutex_lock(&connection->in_lock);
    struct link_path path = connection->shared;
    connection->shared = (struct link_path){0};
    os_mutex_unlock(&connection->in_lock);
    uint8_t *copy = connection->frame_copy;
    connection->frame_copy = NULL;
    os_mutex_unlock(&connection->lock);
    close_path(path);
    free(copy);
    os_mutex_lock(&connection->lock);
    connection->switching.state = SWITCH_NONE; /* from here on it may be offered again */
    os_mutex_unlock(&connection->lock);
}

static void run_forget(void *argument)
{
    struct link_connection *connection = argument;
    forget_shared(connection);
    connection_drop(connection);
}

static bool close_locked(struct link_connection *connection)
{
    connection->switching.state = SWITCH_CLOSING;
    return connection_use_locked(connection);
}

/* Both directions have left the memory: true once. */
static bool has_left_locked(struct link_connection *connection)
{
    struct switching *s = &connection->switching;
    if (s->state != SWITCH_LEAVING || s->in_shared || s->out_shared)
        return false;
    return close_locked(connection);
}

/* What nobody reads or writes any more is closed on a worker: a report of its readiness may be
 * running, perhaps on this thread. */
static void close_soon(struct link_connection *connection)
{
    connection->switching.job.run = run_forget;
    connection->switching.job.argument = connection;
    worker_submit(connection->node, &connection->switching.job);
}

void switch_out_changed(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    connection->switching.out_shared = sender_is_shared(connection);
    bool closes = has_left_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (closes)
        close_soon(connection);
}

/* The receiving direction: the frame that says so is the last of the path. */
static void change_in(struct link_connection *connection, struct link_path *path)
{
    reader_consume(connection);
    right_unwatch(connection);
    if (connection->in == &connection->base)
        connection->base.transport->park(connection->base.stream);
    os_mutex_lock(&connection->lock);
    os_mutex_lock(&connection->in_lock);
    connection->in = path;
    os_mutex_unlock(&connection->in_lock);
    connection->switching.in_shared = path == &connection->shared;
    bool closes = has_left_locked(connection);
    os_mutex_unlock(&connection->lock);
    connection->drained = false;
    if (closes)
        close_soon(connection);
}

void switch_close(struct link_connection *connection)
{
    close_path(connection->shared);
}

/* --- offering and joining --- */

/* Not tried again. */
static void give_up(struct link_connection *connection, const char *why)
{
    log_info("link", "the connection to process %u stays where it is: no shared memory: %s",
             (unsigned)connection->peer.process_id, why);
    os_mutex_lock(&connection->lock);
    connection->switching.is_refused = true;
    bool closes = close_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (closes)
        close_soon(connection);
}

static HRESULT prepare(struct link_connection *connection, const struct via_transport *transport,
                       struct via_stream *stream)
{
    HRESULT hr = transport->set_ready(stream, reader_ready, connection);
    if (SUCCEEDED(hr) &&
        (connection->frame_copy = malloc(connection->node->settings.max_frame)) == NULL)
        hr = error_set(E_OUTOFMEMORY, "no memory for a frame");
    if (FAILED(hr))
        transport->close(stream);
    else
        set_shared(connection, transport, stream);
    return hr;
}

static HRESULT send_offer(struct link_connection *connection, const struct via_offer *offer)
{
    struct switch_payload payload = {.n_bytes = offer->n_bytes};
    struct link_request request;
    uint64_t cookie;
    memcpy(payload.bytes, offer->bytes, offer->n_bytes);
    os_mutex_lock(&connection->lock);
    connection->switching.cookie++;
    os_mutex_unlock(&connection->lock);
    fill(connection, &request, &cookie, &payload, WIRE_SWITCH_OFFER);
    request.n_handles = (uint16_t)offer->n_handles;
    request.handles = offer->handles;
    return sender_send(connection, &request, 0, SEND_QUEUE, 0);
}

void switch_offer(struct link_connection *connection)
{
    const struct via_transport *transport = find_transport(connection);
    struct via_offer offer = {.size = sizeof offer};
    struct via_stream *stream;
    HRESULT hr = transport != NULL ? transport->offer(&connection->peer.identity, &offer, &stream)
                                   : error_set(E_NOTIMPL, "there is no transport that makes it");
    if (SUCCEEDED(hr)) {
        hr = prepare(connection, transport, stream);
        if (SUCCEEDED(hr))
            hr = send_offer(connection, &offer);
        for (uint32_t i = 0; i < offer.n_handles; i++)
            handle_close(transport, offer.handles[i]);
    }
    if (FAILED(hr)) {
        char text[ERROR_TEXT_SIZE];
        error_format(error_get(), hr, text, sizeof text);
        error_clear();
        give_up(connection, text);
    }
}

static HRESULT join(struct link_connection *connection, struct link_message *message,
                    const struct switch_payload *payload)
{
    const struct via_transport *transport = find_transport(connection);
    struct via_offer offer = {.size = sizeof offer, .n_bytes = payload->n_bytes};
    struct via_stream *stream;
    if (transport == NULL)
        return error_set(E_NOTIMPL, "this process does not use it");
    if (message->n_handles > VIA_OFFER_MAX_HANDLES)
        return error_set(VIA_E_PROTOCOL, "an offer of %u handles", message->n_handles);
    memcpy(offer.bytes, payload->bytes, payload->n_bytes);
    offer.n_handles = message->n_handles;
    for (uint32_t i = 0; i < message->n_handles; i++) {
        offer.handles[i] = message->handles[i];
        message->handles[i] = -1;
    }
    HRESULT hr = transport->attach(&connection->peer.identity, &offer, &stream);
    return FAILED(hr) ? hr : prepare(connection, transport, stream);
}

/* The byte says whether it makes sense to offer again. */
static HRESULT send_refusal(struct link_connection *connection, bool later)
{
    struct switch_payload answer = {.n_bytes = 1, .bytes = {later}};
    struct link_request request;
    uint64_t cookie;
    fill(connection, &request, &cookie, &answer, WIRE_SWITCH_REFUSE);
    return sender_send(connection, &request, 0, SEND_QUEUE, 0);
}

static HRESULT offered(struct link_connection *connection, struct link_message *message,
                       const struct switch_payload *payload)
{
    struct switching *s = &connection->switching;
    os_mutex_lock(&connection->lock);
    /* Not where hello has not said so: above all not where the first path is memory already. */
    bool is_in_turn = connection->is_server && s->is_possible;
    bool is_closing = is_in_turn && s->state == SWITCH_CLOSING;
    bool may = is_in_turn && s->state == SWITCH_NONE;
    if (may || is_closing)
        memcpy(&s->cookie, message->body, sizeof s->cookie);
    if (may)
        s->state = SWITCH_OFFERED;
    os_mutex_unlock(&connection->lock);
    if (is_closing)
        return send_refusal(connection, true);
    if (!may)
        return error_set(VIA_E_PROTOCOL, "shared memory is offered out of turn");
    HRESULT hr = join(connection, message, payload);
    if (SUCCEEDED(hr))
        return send_step(connection, WIRE_SWITCH_SHARED, &connection->shared);
    char text[ERROR_TEXT_SIZE];
    log_info("link", "shared memory with process %u is refused: %s",
             (unsigned)connection->peer.process_id,
             error_format(error_get(), hr, text, sizeof text));
    error_clear();
    os_mutex_lock(&connection->lock);
    s->state = SWITCH_NONE;
    os_mutex_unlock(&connection->lock);
    return send_refusal(connection, false);
}

/* --- back --- */

HRESULT switch_leave(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    bool leaves = connection->switching.state == SWITCH_SHARED;
    if (leaves)
        connection->switching.state = SWITCH_LEAVING;
    os_mutex_unlock(&connection->lock);
    return leaves ? send_step(connection, WIRE_SWITCH_BASE, &connection->base) : S_OK;
}

static void run_leave(void *argument)
{
    struct link_connection *connection = argument;
    if (FAILED(switch_leave(connection)))
        error_clear(); /* the connection has it */
    if (memory_trim(connection))
        switch_watch(connection);
    os_mutex_lock(&connection->node->lock);
    connection->switching.is_leaving = false;
    os_mutex_unlock(&connection->node->lock);
    connection_drop(connection);
}

static bool is_cold_locked(struct link_connection *connection, uint64_t now_ns)
{
    struct switching *s = &connection->switching;
    uint64_t n_frames =
        atomic_load(&connection->frames_received) + atomic_load(&connection->frames_sent);
    if (n_frames == s->seen_frames)
        return now_ns >= s->cold_ns;
    s->seen_frames = n_frames;
    s->cold_ns = now_ns + connection->node->settings.cold_ms * UINT64_C(1000000);
    return false;
}

/* It is cold, and goes back; but not as long as it has not done so the last time, for want of a
 * worker: then it is looked at again. */
static bool may_leave_locked(struct link_connection *connection, uint64_t now_ns)
{
    struct switching *s = &connection->switching;
    if (!is_cold_locked(connection, now_ns))
        return false;
    if (s->is_leaving)
        s->cold_ns = now_ns + connection->node->settings.cold_ms * UINT64_C(1000000);
    return !s->is_leaving;
}

uint64_t switch_take_cold_locked(struct link_node *node, uint64_t now_ns, struct list *jobs)
{
    uint64_t next_ns = OS_NEVER;
    struct list *next;
    for (struct list *l = node->in_memory.next; l != &node->in_memory; l = next) {
        struct link_connection *connection = list_entry(l, struct link_connection, switching.link);
        struct switching *s = &connection->switching;
        next = l->next;
        if (!may_leave_locked(connection, now_ns)) {
            next_ns = s->cold_ns < next_ns ? s->cold_ns : next_ns;
            continue;
        }
        list_remove(l);
        if (!connection_use(connection))
            continue;
        s->is_leaving = true;
        s->leave_job.run = run_leave;
        s->leave_job.argument = connection;
        list_append(jobs, &s->leave_job.link);
    }
    return next_ns;
}

void switch_watch(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    struct switching *s = &connection->switching;
    os_mutex_lock(&node->lock);
    s->seen_frames = UINT64_MAX;
    if (!list_is_linked(&s->link) && !link_connection_is_closed(connection))
        list_append(&node->in_memory, &s->link);
    os_mutex_unlock(&node->lock);
    node_needs_tick(node);
}

/* --- what the peer says --- */

/* The peer writes to memory from now on. */
static HRESULT peer_has_moved(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    struct switching *s = &connection->switching;
    bool may = connection->in == &connection->base && s->state == SWITCH_OFFERED &&
               connection->shared.stream != NULL;
    if (may)
        s->state = SWITCH_SHARED;
    os_mutex_unlock(&connection->lock);
    if (!may)
        return error_set(VIA_E_PROTOCOL, "the peer moves to memory that it was not offered");
    change_in(connection, &connection->shared);
    HRESULT hr = S_OK;
    if (!connection->is_server)
        hr = send_step(connection, WIRE_SWITCH_SHARED, &connection->shared);
    if (SUCCEEDED(hr))
        switch_watch(connection);
    return hr;
}

/* The peer writes to the first path again. */
static HRESULT peer_has_left(struct link_connection *connection)
{
    if (connection->in != &connection->shared)
        return error_set(VIA_E_PROTOCOL, "the peer leaves memory that it does not use");
    HRESULT hr = switch_leave(connection);
    if (SUCCEEDED(hr))
        change_in(connection, &connection->base);
    return hr;
}

static HRESULT refused(struct link_connection *connection, const struct switch_payload *payload)
{
    bool later = payload->n_bytes != 0 && payload->bytes[0] != 0;
    os_mutex_lock(&connection->lock);
    bool may = !connection->is_server && connection->switching.state == SWITCH_OFFERED;
    bool closes = may && later && close_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (!may)
        return error_set(VIA_E_PROTOCOL, "the peer refuses what it was not offered");
    if (closes)
        close_soon(connection);
    else if (!later)
        give_up(connection, "the peer refuses it");
    return S_OK;
}

HRESULT switch_received(struct link_connection *connection, struct link_message *message)
{
    struct switch_payload payload = {0};
    size_t fixed = offsetof(struct switch_payload, bytes);
    if (message->payload_size < fixed || message->payload_size > sizeof payload)
        return error_set(VIA_E_PROTOCOL, "a switch frame with a payload of %zu bytes",
                         message->payload_size);
    memcpy(&payload, message->payload, message->payload_size);
    if (payload.n_bytes != message->payload_size - fixed)
        return error_set(VIA_E_PROTOCOL, "a switch frame's sizes contradict each other");
    switch (payload.step) {
    case WIRE_SWITCH_OFFER:
        return offered(connection, message, &payload);
    case WIRE_SWITCH_SHARED:
        return peer_has_moved(connection);
    case WIRE_SWITCH_BASE:
        return peer_has_left(connection);
    case WIRE_SWITCH_REFUSE:
        return refused(connection, &payload);
    default:
        return error_set(VIA_E_PROTOCOL, "a switch frame with the unknown step %u", payload.step);
    }
}
