/*
 * A message becomes one frame, or several where it is larger than the peer takes at once. Frames
 * are built in the transport's own buffer. What it does not take is built in memory and queued;
 * from then on all frames go through the queue, which the reactor empties when the transport can
 * take more. Frames with handles may have to wait there for the peer (expect.h).
 */
#include "core/link/sender.h"

#include "core/link/cork.h"
#include "core/link/current.h"
#include "core/link/handle.h"
#include "core/link/memory.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/link/reactor.h"
#include "core/link/right.h"
#include "core/link/switch.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/wire/numbers.h"

#include <stdlib.h>
#include <string.h>

/* Replies and control frames are queued beyond the limit that callers keep to, but not without end:
 * four times as much, and the peer is cut off. */
#define HARD_FACTOR 4u

struct outgoing {
    const struct link_request *request;
    uint64_t call_id;
    size_t sent;            /* of the payload */
    struct link_path *next; /* sender_leave() */
    struct parked *parked;  /* its handles, where the peer takes them by number; else NULL */
    bool may_wait;          /* sender_post() */
    bool overtakes;         /* sender_overtake() */
    bool lists;             /* it waits, and the connection has to be listed for that */
};

static size_t queue_limit(const struct link_connection *connection)
{
    const struct link_settings *settings = &connection->node->settings;
    size_t most = connection->limits.max_message;
    return settings->out_queue_size > most ? settings->out_queue_size : most;
}

/* Which the transport carries; others are named in an extension. */
static uint16_t n_carried(const struct link_connection *connection,
                          const struct link_request *request)
{
    return numbered_can_give(connection) ? 0 : request->n_handles;
}

/* Of the first frame. */
static size_t extension_size(const struct link_connection *connection,
                             const struct link_request *request)
{
    const struct wire_block *blocks;
    uint32_t n_numbers = request->n_handles - n_carried(connection, request);
    return wire_blocks_size(memory_blocks(request->blocks, &blocks)) + wire_numbers_size(n_numbers);
}

static HRESULT check_handles(const struct link_connection *connection, uint32_t n)
{
    uint32_t most = connection->limits.max_handles;
    if (numbered_can_give(connection))
        most = WIRE_MAX_NUMBERS;
    else if (most > connection->base.transport->max_handles)
        most = connection->base.transport->max_handles;
    if (n > most)
        return error_set(VIA_E_LIMIT, "%u handles in one message; this connection takes %u",
                         (unsigned)n, (unsigned)most);
    return S_OK;
}

static HRESULT check(const struct link_connection *connection, const struct link_request *request)
{
    const struct wire_limits *limits = &connection->limits;
    size_t size = request->body_size + request->payload_size;
    size_t first = WIRE_HEADER_SIZE + extension_size(connection, request) +
                   request->references_size + request->body_size;
    if (size > limits->max_message || request->payload_size > limits->max_message)
        return error_set(VIA_E_LIMIT,
                         "a message of %zu bytes is larger than the %u that the peer takes; use a "
                         "stream for large data",
                         size, (unsigned)limits->max_message);
    if (request->n_references > limits->max_references || first + 8 > connection->max_send)
        return error_set(VIA_E_LIMIT, "%u objects in one message; the peer takes %u",
                         request->n_references, limits->max_references);
    return check_handles(connection, request->n_handles);
}

/* The header of the next frame of the message. */
static void plan(const struct link_connection *connection, const struct outgoing *out,
                 struct wire_header *header)
{
    const struct link_request *request = out->request;
    size_t left = request->payload_size - out->sent;
    *header = (struct wire_header){.kind = request->kind, .call_id = out->call_id};
    size_t fixed = WIRE_HEADER_SIZE;
    if (out->sent == 0) {
        header->n_references = request->n_references;
        header->n_handles = n_carried(connection, request);
        header->extension_size = (uint16_t)extension_size(connection, request);
        header->reference_size = (uint32_t)request->references_size;
        header->body_size = (uint32_t)request->body_size;
        fixed += header->extension_size + request->references_size + request->body_size;
    } else {
        header->flags = WIRE_FLAG_CONTINUED;
    }
    size_t room = (connection->max_send - fixed) & ~(size_t)7u;
    if (left > room) {
        left = room;
        header->flags |= WIRE_FLAG_MORE;
    }
    header->body_size += (uint32_t)left;
    header->size = (uint32_t)wire_frame_size(header);
}

static void build(uint8_t *frame, const struct wire_header *header, struct outgoing *out)
{
    const struct link_request *request = out->request;
    uint8_t *at = frame + WIRE_HEADER_SIZE;
    size_t payload = header->body_size;
    wire_header_write(frame, header);
    if (!(header->flags & WIRE_FLAG_CONTINUED)) {
        const struct wire_block *blocks;
        uint32_t n_blocks = memory_blocks(request->blocks, &blocks);
        if (n_blocks != 0)
            wire_blocks_write(at, blocks, n_blocks);
        if (out->parked != NULL)
            wire_numbers_write(at + wire_blocks_size(n_blocks), out->parked->handles,
                               out->parked->n);
        at += header->extension_size;
        if (request->references_size != 0)
            memcpy(at, request->references, request->references_size);
        at += request->references_size;
        if (request->body_size != 0)
            memcpy(at, request->body, request->body_size);
        if (request->fields != NULL)
            wire_call_write(at, request->fields);
        at += request->body_size;
        payload -= request->body_size;
    }
    if (payload != 0)
        memcpy(at, (const uint8_t *)request->payload + out->sent, payload);
    at += payload;
    memset(at, 0, (size_t)(frame + header->size - at));
    out->sent += payload;
}

static void free_frame(const struct link_connection *connection, struct queued_frame *frame)
{
    for (uint32_t i = 0; i < frame->n_handles; i++)
        handle_close(connection->base.transport, frame->handles[i]);
    free(frame->handles);
    free(frame);
}

static HRESULT copy_handles(const struct link_connection *connection, struct queued_frame *frame,
                            const struct link_request *request)
{
    if (n_carried(connection, request) == 0)
        return S_OK;
    frame->handles = calloc(request->n_handles, sizeof *frame->handles);
    if (frame->handles == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the handles of a message");
    for (; frame->n_handles < request->n_handles; frame->n_handles++) {
        HRESULT hr =
            handle_duplicate(connection->base.transport, request->handles[frame->n_handles],
                             &frame->handles[frame->n_handles]);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT enqueue_locked(struct link_connection *connection, const struct wire_header *header,
                              struct outgoing *out)
{
    if (connection->queue_size + header->size > HARD_FACTOR * queue_limit(connection))
        return error_set(VIA_E_LIMIT, "the peer takes nothing: %zu bytes wait to be sent",
                         connection->queue_size);
    struct queued_frame *frame = malloc(sizeof *frame + header->size);
    if (frame == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a frame of %u bytes",
                         (unsigned)header->size);
    frame->size = header->size;
    frame->next = out->next;
    frame->n_handles = 0;
    frame->handles = NULL;
    HRESULT hr = S_OK;
    if (!(header->flags & WIRE_FLAG_CONTINUED))
        hr = copy_handles(connection, frame, out->request);
    if (FAILED(hr)) {
        free_frame(connection, frame);
        return hr;
    }
    build(frame->bytes, header, out);
    if (out->overtakes)
        list_prepend(&connection->queue, &frame->link);
    else
        list_append(&connection->queue, &frame->link);
    connection->queue_size += frame->size;
    return S_OK;
}

static HRESULT flush_locked(struct link_connection *connection)
{
    const struct link_path *path = connection->out;
    return path->transport->commit(path->stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
}

static HRESULT arm_locked(struct link_connection *connection)
{
    cork_done_locked(connection); /* the reactor sends it all */
    if (connection->write_armed)
        return S_OK;
    connection->write_armed = true;
    connection->progress_ns = os_now_ns();
    atomic_store(&connection->is_sending, true);
    return connection->out->transport->arm(connection->out->stream, VIA_READY_WRITE);
}

/* --- handles that wait for the peer --- */

static bool must_wait_locked(const struct link_connection *connection, uint32_t n_handles)
{
    return n_handles != 0 && connection->out == &connection->base &&
           (connection->announcing == ANNOUNCE_FIRST || connection->announcing == ANNOUNCED);
}

/* Whether the queue stands still until the peer answers, or has been told. */
static bool is_held_locked(const struct link_connection *connection)
{
    if (connection->out_next != NULL || list_is_empty(&connection->queue))
        return false;
    return must_wait_locked(
        connection, list_entry(connection->queue.next, struct queued_frame, link)->n_handles);
}

/* The queue is held: tells the peer, once. S_FALSE: it has been told. */
static HRESULT announce_locked(struct link_connection *connection)
{
    const struct link_path *path = connection->out;
    struct wire_header header = {.kind = WIRE_HANDLES, .body_size = 8};
    const uint32_t body[2] = {WIRE_HANDLES_ANNOUNCE, 0};
    const struct link_request request = {
        .kind = WIRE_HANDLES, .body = body, .body_size = sizeof body};
    struct outgoing out = {.request = &request};
    uint8_t *span;
    size_t size;
    HRESULT hr = S_OK;
    if (connection->announcing == ANNOUNCE_FIRST) {
        header.size = (uint32_t)wire_frame_size(&header);
        hr = path->transport->reserve(path->stream, header.size, &span, &size);
        if (hr != S_OK)
            return hr;
        build(span, &header, &out);
        connection->announcing = ANNOUNCED;
        connection->progress_ns = os_now_ns();
        connection_count(&connection->frames_sent, 1);
        connection_count(&connection->bytes_sent, header.size);
        hr = path->transport->commit(path->stream, header.size, NULL, 0, VIA_COMMIT_FLUSH);
    } else {
        hr = flush_locked(connection);
    }
    return hr == S_OK ? S_FALSE : hr;
}

/* A frame has been queued, and the queue is held. VIA_S_WOULD_BLOCK: the transport is full, too. */
static HRESULT hold_locked(struct link_connection *connection)
{
    if (connection->write_armed)
        return S_OK; /* the reactor comes to it */
    cork_done_locked(connection);
    atomic_store(&connection->is_sending, true);
    return announce_locked(connection);
}

/* All that was committed is sent: a path that was to be left is. */
static bool go_on_locked(struct link_connection *connection)
{
    if (connection->out_next == NULL)
        return false;
    connection->out = connection->out_next;
    connection->out_next = NULL;
    return true;
}

/* Whether the frame is left in the transport: for the reactor, which is about to send it, or for
 * frames that follow. */
static bool waits_locked(struct link_connection *connection, struct outgoing *out,
                         const struct wire_header *header)
{
    if (connection->write_armed)
        return true;
    return out->may_wait && out->request->n_handles == 0 && !(header->flags & WIRE_FLAG_MORE) &&
           cork_locked(connection, header, &out->lists);
}

/* Else it goes into the queue. */
static bool may_go_locked(const struct link_connection *connection, const struct outgoing *out,
                          const struct wire_header *header)
{
    if (connection->out_next != NULL)
        return false;
    if (!list_is_empty(&connection->queue))
        return out->overtakes && !connection->write_armed && is_held_locked(connection);
    return !must_wait_locked(connection, header->n_handles);
}

/* With `header` planned: builds it in the transport, or queues it. */
static HRESULT put_frame_locked(struct link_connection *connection, struct outgoing *out,
                                const struct wire_header *header)
{
    const struct via_transport *t = connection->out->transport;
    uint8_t *span;
    size_t size;
    HRESULT hr = VIA_S_WOULD_BLOCK;
    if (may_go_locked(connection, out, header))
        hr = t->reserve(connection->out->stream, header->size, &span, &size);
    if (hr == S_OK) {
        build(span, header, out);
        bool waits = waits_locked(connection, out, header);
        hr = t->commit(connection->out->stream, header->size,
                       header->n_handles != 0 ? out->request->handles : NULL, header->n_handles,
                       waits ? 0 : VIA_COMMIT_FLUSH);
        if (SUCCEEDED(hr) && out->next != NULL)
            connection->out_next = out->next;
        if (hr == S_OK && !waits) {
            cork_done_locked(connection);
            go_on_locked(connection);
        }
    } else if (hr == VIA_S_WOULD_BLOCK) {
        hr = enqueue_locked(connection, header, out);
        if (SUCCEEDED(hr))
            hr = is_held_locked(connection) ? hold_locked(connection) : VIA_S_WOULD_BLOCK;
    }
    return hr;
}

static HRESULT send_frame_locked(struct link_connection *connection, struct outgoing *out)
{
    struct wire_header header;
    HRESULT hr = S_OK;
    plan(connection, out, &header);
    bool first = !(header.flags & WIRE_FLAG_CONTINUED);
    uint32_t n_numbers = first ? (uint32_t)(out->request->n_handles - header.n_handles) : 0;
    if (n_numbers != 0)
        hr = numbered_park_locked(connection, out->request->handles, n_numbers, &out->parked);
    if (SUCCEEDED(hr))
        hr = put_frame_locked(connection, out, &header);
    if (out->parked != NULL && SUCCEEDED(hr))
        numbered_sent_locked(connection, out->parked);
    else
        numbered_free(out->parked);
    out->parked = NULL;
    if (hr == VIA_S_WOULD_BLOCK)
        hr = arm_locked(connection);
    if (FAILED(hr))
        return hr;
    if (out->request->kind <= WIRE_ONEWAY && first)
        connection_count(&connection->calls_sent, 1);
    connection_count(&connection->frames_sent, 1);
    connection_count(&connection->bytes_sent, header.size);
    return S_OK;
}

/* A caller that waits for room; on its stack. */
struct sender {
    struct list link; /* connection->senders */
    struct os_waiter waiter;
};

static void wake_senders_locked(struct link_connection *connection)
{
    for (struct list *l = connection->senders.next; l != &connection->senders; l = l->next)
        os_waiter_wake(&list_entry(l, struct sender, link)->waiter);
}

/* False: the deadline has passed. */
static bool sleep_for_room_locked(struct link_connection *connection, uint64_t deadline_ns)
{
    struct sender sender;
    os_waiter_init(&sender.waiter);
    list_append(&connection->senders, &sender.link);
    os_mutex_unlock(&connection->send_lock);
    HRESULT hr = os_waiter_wait(&sender.waiter, deadline_ns);
    os_mutex_lock(&connection->send_lock);
    list_remove(&sender.link);
    os_waiter_deinit(&sender.waiter);
    return SUCCEEDED(hr);
}

/* Sleeps until the queue has room. */
static HRESULT wait_for_room_locked(struct link_connection *connection, size_t size,
                                    uint64_t deadline_ns)
{
    bool gave_up = false;
    while (!connection->send_closed && connection->queue_size != 0 &&
           connection->queue_size + size > queue_limit(connection)) {
        if (!gave_up) { /* others read while this thread sleeps */
            gave_up = true;
            os_mutex_unlock(&connection->send_lock);
            cork_flush_mine(connection->node, NULL);
            right_give_up(thread_self(), NULL);
            os_mutex_lock(&connection->send_lock);
            continue;
        }
        if (sleep_for_room_locked(connection, deadline_ns))
            continue;
        return error_set(RPC_E_TIMEOUT,
                         "process %u does not read what it is sent: %zu bytes were still waiting "
                         "at the deadline",
                         (unsigned)connection->peer.process_id, connection->queue_size);
    }
    return S_OK;
}

/* What comes after the lock, when the transport has failed or has not taken everything. */
static HRESULT look_after(struct link_connection *connection, HRESULT hr, bool is_sending)
{
    if (FAILED(hr) && hr != RPC_E_DISCONNECTED)
        error_wrap(hr, "sending failed");
    else if (SUCCEEDED(hr) && is_sending)
        hr = reactor_join(connection->node);
    if (FAILED(hr)) {
        connection_fail(connection, hr, false);
        return connection_closed_error(connection);
    }
    if (is_sending)
        node_lease(connection);
    return hr;
}

/* A failure in the middle of a message, or of the transport, ends the connection. */
static HRESULT send_locked(struct link_connection *connection, struct outgoing *out, bool *broken)
{
    HRESULT hr = S_OK;
    do {
        hr = send_frame_locked(connection, out);
    } while (SUCCEEDED(hr) && out->sent < out->request->payload_size);
    *broken = FAILED(hr);
    return hr;
}

static HRESULT send_message(struct link_connection *connection, struct outgoing *out,
                            enum send_mode mode, uint64_t deadline_ns)
{
    const struct link_request *request = out->request;
    HRESULT hr = check(connection, request);
    if (FAILED(hr))
        return hr;
    bool broken = false;
    os_mutex_lock(&connection->send_lock);
    if (mode == SEND_WAIT)
        hr = wait_for_room_locked(connection, request->payload_size, deadline_ns);
    if (SUCCEEDED(hr) && connection->send_closed) {
        os_mutex_unlock(&connection->send_lock);
        return connection_closed_error(connection);
    }
    if (SUCCEEDED(hr) && request->kind == WIRE_ONEWAY && request->payload_size != 0 &&
        WIRE_HEADER_SIZE + request->references_size + request->body_size + request->payload_size >
            connection->max_send)
        out->call_id = ++connection->next_chunk_id | (uint64_t)1 << 63;
    if (SUCCEEDED(hr))
        hr = send_locked(connection, out, &broken);
    bool is_sending = atomic_load_explicit(&connection->is_sending, memory_order_relaxed);
    os_mutex_unlock(&connection->send_lock);
    if (out->lists)
        cork_list(connection);
    if (broken || (is_sending && SUCCEEDED(hr)))
        return look_after(connection, hr, is_sending);
    return hr;
}

HRESULT sender_send(struct link_connection *connection, const struct link_request *request,
                    uint64_t call_id, enum send_mode mode, uint64_t deadline_ns)
{
    struct outgoing out = {.request = request, .call_id = call_id};
    return send_message(connection, &out, mode, deadline_ns);
}

HRESULT sender_post(struct link_connection *connection, const struct link_request *request,
                    uint64_t call_id, enum send_mode mode, uint64_t deadline_ns)
{
    struct outgoing out = {.request = request, .call_id = call_id, .may_wait = true};
    return send_message(connection, &out, mode, deadline_ns);
}

void sender_flush(struct link_connection *connection)
{
    HRESULT hr = S_OK;
    os_mutex_lock(&connection->send_lock);
    if (connection->cork_size != 0 && !connection->send_closed) {
        hr = flush_locked(connection);
        cork_done_locked(connection);
        if (hr == VIA_S_WOULD_BLOCK)
            hr = arm_locked(connection);
    }
    bool is_sending = atomic_load_explicit(&connection->is_sending, memory_order_relaxed);
    os_mutex_unlock(&connection->send_lock);
    if ((FAILED(hr) || is_sending) && FAILED(look_after(connection, hr, is_sending)))
        error_clear(); /* the connection has it */
}

HRESULT sender_overtake(struct link_connection *connection, const struct link_request *request)
{
    struct outgoing out = {.request = request, .overtakes = true};
    return send_message(connection, &out, SEND_QUEUE, 0);
}

HRESULT sender_leave(struct link_connection *connection, const struct link_request *request,
                     struct link_path *next)
{
    struct outgoing out = {.request = request, .next = next};
    return send_message(connection, &out, SEND_QUEUE, 0);
}

bool sender_is_shared(struct link_connection *connection)
{
    os_mutex_lock(&connection->send_lock);
    bool shared = connection->out != &connection->base || connection->out_next != NULL;
    os_mutex_unlock(&connection->send_lock);
    return shared;
}

/* Handles are sent at once: the transport would have to keep duplicates of them. */
static HRESULT drain_one_locked(struct link_connection *connection)
{
    const struct link_path *path = connection->out;
    struct queued_frame *frame = list_entry(connection->queue.next, struct queued_frame, link);
    uint8_t *span;
    size_t size;
    HRESULT hr = path->transport->reserve(path->stream, frame->size, &span, &size);
    if (hr != S_OK)
        return hr;
    memcpy(span, frame->bytes, frame->size);
    hr = path->transport->commit(path->stream, frame->size, frame->handles, frame->n_handles,
                                 frame->n_handles != 0 ? VIA_COMMIT_FLUSH : 0);
    connection->out_next = frame->next;
    list_remove(&frame->link);
    connection->queue_size -= frame->size;
    free_frame(connection, frame);
    return hr;
}

/* Moves frames from the queue to the transport. S_OK: all are sent; S_FALSE: the queue is held. */
static HRESULT drain_locked(struct link_connection *connection)
{
    HRESULT hr = flush_locked(connection);
    while (hr == S_OK && (go_on_locked(connection) || !list_is_empty(&connection->queue))) {
        while (hr == S_OK && connection->out_next == NULL && !list_is_empty(&connection->queue))
            hr = is_held_locked(connection) ? announce_locked(connection)
                                            : drain_one_locked(connection);
        if (hr == S_OK)
            hr = flush_locked(connection);
    }
    return hr;
}

/* What the queue has waited for has come: room in the transport, or that the peer takes handles. */
static HRESULT go_on(struct link_connection *connection, bool is_room)
{
    os_mutex_lock(&connection->send_lock);
    const struct link_path *before = connection->out;
    HRESULT hr = S_OK;
    if (is_room)
        connection->write_armed = false;
    else
        connection->announcing = ANNOUNCE_TAKEN;
    if (!connection->send_closed && !connection->write_armed) {
        hr = drain_locked(connection);
        if (hr == VIA_S_WOULD_BLOCK)
            hr = arm_locked(connection);
        else if (hr == S_OK)
            atomic_store(&connection->is_sending, false);
        wake_senders_locked(connection);
    }
    bool has_moved = connection->out != before;
    os_mutex_unlock(&connection->send_lock);
    if (has_moved)
        switch_out_changed(connection);
    return hr;
}

void sender_ready(struct link_connection *connection)
{
    HRESULT hr = go_on(connection, true);
    if (FAILED(hr))
        connection_fail(connection, hr, false);
}

HRESULT sender_take_handles(struct link_connection *connection)
{
    os_mutex_lock(&connection->send_lock);
    bool is_in_turn = connection->announcing == ANNOUNCED;
    os_mutex_unlock(&connection->send_lock);
    if (!is_in_turn)
        return error_set(VIA_E_PROTOCOL, "the peer takes handles that were not announced");
    return go_on(connection, false);
}

void sender_close(struct link_connection *connection)
{
    os_mutex_lock(&connection->send_lock);
    connection->send_closed = true;
    cork_done_locked(connection);
    struct list *link;
    while ((link = list_pop(&connection->queue)) != NULL)
        free_frame(connection, list_entry(link, struct queued_frame, link));
    connection->queue_size = 0;
    wake_senders_locked(connection);
    os_mutex_unlock(&connection->send_lock);
}

bool sender_is_stuck(struct link_connection *connection, uint64_t now_ns)
{
    uint64_t limit_ns = (uint64_t)connection->node->settings.drain_timeout_ms * 1000000u;
    os_mutex_lock(&connection->send_lock);
    bool waits = connection->write_armed || is_held_locked(connection);
    bool stuck = waits && now_ns > connection->progress_ns + limit_ns;
    os_mutex_unlock(&connection->send_lock);
    return stuck;
}
