#include "core/link/reader.h"

#include "core/link/call.h"
#include "core/link/cork.h"
#include "core/link/current.h"
#include "core/link/expect.h"
#include "core/link/hello.h"
#include "core/link/memory.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/link/reactor.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/wire/records.h"
#include "core/wire/text.h"

#include <stdlib.h>
#include <string.h>

/* Frames that the reactor itself reads of one connection in a row. */
#define REACTOR_FRAMES 64
/* Looks between two calls that let others run, during which what comes is not seen: into memory
 * some 2 us, longer than most answers take; at a socket each look is a call of the system's itself.
 */
#define MEMORY_LOOKS 64u
#define SOCKET_LOOKS 4u
/* A call that lets others run and takes longer than this did so: they need the processor more. */
#define OTHERS_RAN_NS 2000u
/* Deadlines that are nearer than this are kept by a timer, which is more exact than the tick: else
 * the peer, which has the same deadline, could be the first to answer that it has passed. */
#define EXACT_WAIT_NS 1000000000u
/* A wait for ever that nobody watches over looks around itself from time to time. */
#define BLIND_WAIT_NS 1000000000u

/* The compiler must not read again, from memory that may have changed, what it has copied. */
static inline void load_once(void)
{
    __asm__ volatile("" ::: "memory");
}

void reader_consume(struct link_connection *connection)
{
    if (connection->frame_size == 0)
        return;
    connection->in->transport->consume(connection->in->stream, connection->frame_size);
    connection->frame_size = 0;
}

static void fill(struct link_connection *connection, const struct wire_header *header,
                 const struct wire_parts *parts, struct link_message *message)
{
    *message = (struct link_message){.connection = connection,
                                     .kind = header->kind,
                                     .flags = header->flags,
                                     .n_references = header->n_references,
                                     .n_handles = 0, /* take_handles() */
                                     .call_id = header->call_id,
                                     .references = parts->references,
                                     .references_size = header->reference_size,
                                     .body = parts->body,
                                     .body_size = parts->body_size,
                                     .payload = parts->payload,
                                     .payload_size = parts->payload_size};
}

/* --- replies --- */

static struct error_record *read_error(const struct link_message *message, HRESULT *code)
{
    int32_t value;
    memcpy(&value, message->body, sizeof value);
    *code = FAILED(value) ? (HRESULT)value : E_FAIL;
    struct error_record *record = wire_records_read(message->payload, message->payload_size);
    if (record != NULL)
        return record;
    error_set(*code, "process %u answered with an error and did not say why",
              (unsigned)message->connection->peer.process_id);
    return error_take();
}

/* `is_whole`: its references have not been given back yet. */
static HRESULT drop_reply(struct link_connection *connection, struct link_message *message,
                          uint64_t next_id, bool is_whole)
{
    struct link_node *node = connection->node;
    if (message->call_id == 0 || message->call_id >= next_id)
        return error_set(VIA_E_PROTOCOL, "the peer answered a call that was not made");
    memory_answered(connection, message->call_id);
    if (message->kind == WIRE_REPLY && is_whole && node->handler.dropped != NULL)
        node->handler.dropped(node->context, message);
    return S_OK;
}

/* Other threads read a reply when this one has gone on to the next frame. */
static HRESULT keep_references(struct link_connection *connection, const struct call *self,
                               struct link_message *message)
{
    struct link_node *node = connection->node;
    bool is_own = self != NULL && self->id == message->call_id;
    if (is_own || message->n_references == 0 || node->handler.keep == NULL)
        return S_OK;
    return node->handler.keep(node->context, message);
}

/* The message becomes the call's: a short one by a copy, so that the right can go at once; the
 * reader's own otherwise as it lies in the receive buffer, above all one with references, which
 * must be resolved before the next frame is. */
static HRESULT take_reply_locked(struct call *call, bool is_own, struct link_message *message)
{
    bool is_borrowed = message->storage == NULL;
    bool is_short =
        message_size(message) <= call->room_size && !(is_own && message->n_references != 0);
    if (is_borrowed && is_short) {
        message_copy_into(message, call->room);
        is_borrowed = false;
    } else if (is_borrowed && !is_own) {
        HRESULT hr = message_copy(message);
        if (FAILED(hr))
            return hr;
        is_borrowed = false;
    }
    call->borrowed = is_borrowed;
    *call->reply = *message;
    message->storage = NULL;
    message->handles = NULL;
    return S_OK;
}

/* The reader's own call is over and needs nothing of the connection any more, unless somebody may
 * wake the thread in it. True: the connection has ended and nobody uses it. */
static bool leave_locked(struct link_connection *connection, struct call *call)
{
    if (call->borrowed || call->inherits || call->thread->inbox != NULL ||
        (call->has_chain && !chain_try_remove(connection->node, call)))
        return false;
    call->has_left = true;
    reader_consume(connection);
    right_leave_locked(connection);
    return connection_drop_locked(connection);
}

static HRESULT deliver_reply(struct link_connection *connection, struct call *self,
                             struct link_message *message)
{
    struct link_node *node = connection->node;
    HRESULT code = S_OK;
    struct error_record *record = NULL;
    struct link_async *async = NULL;
    bool is_lost = false;
    bool ends = false;
    if (message->kind == WIRE_ERROR)
        record = read_error(message, &code);
    else if (FAILED(code = keep_references(connection, self, message)))
        record = error_take();
    os_mutex_lock(&connection->lock);
    struct call *call = call_find_locked(connection, message->call_id);
    uint64_t next_id = connection->next_call_id;
    if (call != NULL) {
        list_remove(&call->pending_link);
        async = call->async;
        is_lost = SUCCEEDED(code) && FAILED(code = take_reply_locked(call, call == self, message));
        if (is_lost)
            record = error_take();
        call_complete_locked(call, code, record);
        ends = call == self && leave_locked(connection, call);
    }
    os_mutex_unlock(&connection->lock);
    if (ends)
        worker_finish_soon(connection);
    if (async != NULL)
        async_ended(async);
    if (call == NULL) {
        error_record_free(record);
        return drop_reply(connection, message, next_id, SUCCEEDED(code));
    }
    if (is_lost && node->handler.dropped != NULL)
        node->handler.dropped(node->context, message);
    return S_OK;
}

/* --- the other kinds --- */

static HRESULT cancel(struct link_connection *connection, uint64_t id)
{
    os_mutex_lock(&connection->lock);
    for (struct list *l = connection->active.next; l != &connection->active; l = l->next) {
        struct incoming *incoming = list_entry(l, struct incoming, active);
        if (incoming->message.call_id == id)
            atomic_store(&incoming->cancelled, true);
    }
    os_mutex_unlock(&connection->lock);
    return S_OK;
}

static HRESULT answer_ping(struct link_connection *connection, const struct link_message *message)
{
    uint8_t body[16];
    memcpy(body, message->body, sizeof body);
    if (body[8] != 0)
        return S_OK;
    body[8] = 1;
    struct link_request request = {.kind = WIRE_PING, .body = body, .body_size = sizeof body};
    return sender_send(connection, &request, 0, SEND_QUEUE, 0);
}

HRESULT reader_goodbye(const struct link_message *message)
{
    int32_t code;
    char text[ERROR_TEXT_SIZE];
    memcpy(&code, message->body, sizeof code);
    size_t size = message->payload_size < sizeof text - 1 ? message->payload_size : sizeof text - 1;
    for (size_t i = 0; i < size; i++) {
        char c = (char)message->payload[i];
        text[i] = wire_is_control(c) ? '?' : c;
    }
    text[size] = '\0';
    return error_set(FAILED(code) ? (HRESULT)code : RPC_E_DISCONNECTED,
                     "process %u said goodbye: %s", (unsigned)message->connection->peer.process_id,
                     size != 0 ? text : "no reason given");
}

static HRESULT refuse_kind(const struct link_message *message)
{
    if (wire_kind_is_reserved(message->kind))
        return error_set(VIA_E_PROTOCOL, "frames of kind %s (%u) are not supported by this version",
                         wire_kind_name(message->kind), message->kind);
    if (wire_kind_is_known(message->kind))
        return error_set(VIA_E_PROTOCOL, "a frame of kind %s is not expected here",
                         wire_kind_name(message->kind));
    if (message->flags & WIRE_FLAG_IGNORABLE)
        return S_OK;
    return error_set(VIA_E_PROTOCOL, "frames of kind %u are not known to this version",
                     message->kind);
}

/* `self`: the call that the reader waits in. Without one a worker may keep a job of the frame's. */
static HRESULT control(struct link_connection *connection, const struct call *self,
                       struct link_message *message)
{
    struct link_node *node = connection->node;
    struct thread *thread = thread_self();
    thread->keeps_job = self == NULL && thread->worker != NULL;
    HRESULT hr = node->handler.control(node->context, message);
    thread->keeps_job = false;
    return hr;
}

static HRESULT dispatch_open(struct link_connection *connection, struct call *self,
                             struct link_message *message, bool has_unknown_extension)
{
    switch (message->kind) {
    case WIRE_CALL:
    case WIRE_ONEWAY:
    case WIRE_QUERY_INTERFACE:
    case WIRE_ACCEPT:
        return arrive(connection, self, message, has_unknown_extension);
    default:
        break;
    }
    if (has_unknown_extension)
        return error_set(VIA_E_PROTOCOL,
                         "a frame of kind %s has an extension that must be understood, and is not",
                         wire_kind_name(message->kind));
    switch (message->kind) {
    case WIRE_REPLY:
    case WIRE_ERROR:
        return deliver_reply(connection, self, message);
    case WIRE_CANCEL:
        return cancel(connection, message->call_id);
    case WIRE_RELEASE:
    case WIRE_INTERFACE:
    case WIRE_PROVIDE:
    case WIRE_WITHDRAW:
        return control(connection, self, message);
    case WIRE_FINISH:
        return connection->peer.takes_results ? control(connection, self, message)
                                              : refuse_kind(message);
    case WIRE_PING:
        return answer_ping(connection, message);
    case WIRE_SWITCH:
        return switch_received(connection, message);
    case WIRE_MEMORY:
        return memory_received(connection, message);
    case WIRE_HANDLES:
        return connection->takes_announcements ? expect_received(connection, message)
                                               : refuse_kind(message);
    case WIRE_TAKEN:
        return numbered_taken(connection, message);
    case WIRE_GOODBYE:
        return reader_goodbye(message);
    default:
        return refuse_kind(message);
    }
}

HRESULT reader_dispatch(struct link_connection *connection, struct call *self,
                        struct link_message *message, bool has_unknown_extension)
{
    HRESULT hr;
    if (connection->stage == STAGE_OPEN)
        hr = dispatch_open(connection, self, message, has_unknown_extension);
    else
        hr = hello_received(connection, message);
    message_free_storage(message); /* what nobody has taken over */
    return hr;
}

/* --- frames --- */

/* Shows a whole frame. */
static HRESULT look(struct link_connection *connection, struct wire_header *header,
                    const uint8_t **frame)
{
    const struct link_path *path = connection->in;
    size_t size;
    HRESULT hr = path->transport->peek(path->stream, WIRE_HEADER_SIZE, frame, &size);
    if (hr != S_OK)
        return hr;
    uint8_t bytes[WIRE_HEADER_SIZE];
    memcpy(bytes, *frame, sizeof bytes);
    load_once(); /* what is checked is what was copied */
    hr = wire_header_read(bytes, &connection->own_limits, header);
    if (FAILED(hr))
        return hr;
    if (size < header->size)
        hr = path->transport->peek(path->stream, header->size, frame, &size);
    if (hr == S_OK)
        connection->drained = size == header->size;
    return hr;
}

/* A frame that lies where the peer could change it is copied before it is looked into. Chunks are
 * copied by whoever joins them: of those only what comes before the payload. */
static HRESULT split(struct link_connection *connection, const struct wire_header *header,
                     const uint8_t *frame, struct wire_parts *parts)
{
    bool is_chunk = header->flags & (WIRE_FLAG_MORE | WIRE_FLAG_CONTINUED);
    size_t size = header->size;
    if (!(connection->in->transport->capabilities & VIA_TRANSPORT_SHARED))
        return wire_frame_split(frame, header, parts);
    if (is_chunk) {
        size_t fixed = header->flags & WIRE_FLAG_CONTINUED ? 0 : wire_body_size(header->kind);
        size = WIRE_HEADER_SIZE + header->extension_size + header->reference_size + fixed;
    }
    memcpy(connection->frame_copy, frame, size);
    load_once();
    HRESULT hr = wire_frame_split(connection->frame_copy, header, parts);
    if (is_chunk)
        parts->payload = frame + size;
    else
        reader_consume(connection);
    return hr;
}

static HRESULT take_handles(struct link_connection *connection, const struct wire_header *header,
                            struct link_message *message)
{
    if (header->n_handles == 0)
        return S_OK;
    message->handles = calloc(header->n_handles, sizeof *message->handles);
    if (message->handles == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the handles of a frame");
    HRESULT hr = connection->in->transport->take_handles(connection->in->stream, message->handles,
                                                         header->n_handles);
    if (FAILED(hr)) {
        free(message->handles);
        message->handles = NULL;
        return hr;
    }
    message->n_handles = header->n_handles;
    return S_OK;
}

static HRESULT handle_frame(struct link_connection *connection, struct call *self,
                            const struct wire_header *header, const uint8_t *frame)
{
    struct wire_parts parts;
    HRESULT hr = split(connection, header, frame, &parts);
    if (FAILED(hr))
        return hr;
    bool has_unknown_extension = hr == S_FALSE;
    bool is_chunk = header->flags & (WIRE_FLAG_MORE | WIRE_FLAG_CONTINUED);
    if (is_chunk && connection->stage != STAGE_OPEN)
        return error_set(VIA_E_PROTOCOL, "a message in chunks comes before the answer to hello");
    struct link_message message;
    fill(connection, header, &parts, &message);
    if (parts.n_blocks != 0)
        hr = memory_borrow(connection, parts.blocks, parts.n_blocks, &message.views);
    if (SUCCEEDED(hr))
        hr = take_handles(connection, header, &message);
    if (SUCCEEDED(hr) && parts.n_numbers != 0)
        hr = numbered_receive(connection, parts.numbers, parts.n_numbers, &message);
    if (FAILED(hr)) {
        message_free_storage(&message);
        return hr;
    }
    return is_chunk ? chunk_received(connection, self, &message, has_unknown_extension)
                    : reader_dispatch(connection, self, &message, has_unknown_extension);
}

static HRESULT fail(struct link_connection *connection, HRESULT hr)
{
    bool by_peer = hr == RPC_E_DISCONNECTED;
    connection_fail(connection, hr, !by_peer);
    return hr;
}

HRESULT reader_step(struct link_connection *connection, struct call *self)
{
    struct wire_header header;
    const uint8_t *frame;
    struct thread *thread = thread_self();
    if (link_connection_is_closed(connection))
        return RPC_E_DISCONNECTED;
    if (right_is_full(connection))
        return READER_FULL;
    HRESULT hr = look(connection, &header, &frame);
    if (hr == VIA_S_WOULD_BLOCK) {
        connection->drained = true;
        return hr;
    }
    if (FAILED(hr))
        return fail(connection, hr);
    connection_count(&connection->frames_received, 1);
    connection_count(&connection->bytes_received, header.size);
    atomic_store_explicit(&connection->activity,
                          atomic_load_explicit(&connection->activity, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    connection->frame_size = header.size;
    hr = handle_frame(connection, self, &header, frame);
    if (FAILED(hr))
        fail(connection, hr);
    /* With the right only this thread can have set `borrowed`; without it another may do so now. */
    if (right_is_still_mine(connection, thread) && !(self != NULL && self->borrowed))
        reader_consume(connection);
    return FAILED(hr) ? hr : S_OK;
}

/* Looks for bytes. True: there are some, or the stream has broken, which whoever reads meets again.
 */
static bool has_come(const struct link_path *path)
{
    const uint8_t *span;
    size_t size;
    HRESULT hr = path->transport->peek(path->stream, WIRE_HEADER_SIZE, &span, &size);
    if (FAILED(hr))
        error_clear();
    return hr != VIA_S_WOULD_BLOCK;
}

/* Lets others run; connection->is_crowded: there were some. The time behind it. */
static uint64_t let_others_run(struct link_connection *connection)
{
    uint64_t started_ns = os_now_ns();
    os_thread_yield();
    uint64_t now_ns = os_now_ns();
    connection->is_crowded = now_ns - started_ns > OTHERS_RAN_NS;
    return now_ns;
}

/* Looks for bytes without sleeping for as long as that has been worth while. Where other threads
 * want the processor what is waited for may well be theirs to send, so one look is enough. */
static bool spin(struct link_connection *connection, uint64_t started_ns)
{
    const struct link_path *path = connection->in;
    bool is_shared = path->transport->capabilities & VIA_TRANSPORT_SHARED;
    unsigned n_looks_alone = is_shared ? MEMORY_LOOKS : SOCKET_LOOKS;
    uint64_t until_ns = started_ns + connection->spin_ns;
    do {
        unsigned n_looks = connection->is_crowded ? 1 : n_looks_alone;
        for (unsigned i = 0; i < n_looks; i++) {
            if (has_come(path))
                return true;
            if (is_shared)
                os_cpu_pause();
        }
    } while (let_others_run(connection) < until_ns);
    return false;
}

/* Whether the tick looks at what this thread waits for. In shared memory only the reactor sees the
 * end of a peer that cannot say goodbye. */
static bool has_tick(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    if (atomic_load_explicit(&node->reactor, memory_order_relaxed) != NULL)
        return true;
    if (!(connection->in->transport->capabilities & VIA_TRANSPORT_SHARED))
        return false;
    HRESULT hr = reactor_join(node);
    if (FAILED(hr))
        error_clear();
    return SUCCEEDED(hr);
}

/* A sleep without a timer is cheaper, and the tick comes anyway: so it keeps the time of workers,
 * whose sleeps need not end in time, and of callers whose deadline is far away. */
static HRESULT sleep_until(struct link_connection *connection, uint64_t deadline_ns)
{
    const struct link_path *path = connection->in;
    if (!atomic_load_explicit(&connection->worker_waits, memory_order_relaxed) &&
        deadline_ns < os_coarse_now_ns() + EXACT_WAIT_NS)
        return path->transport->wait(path->stream, deadline_ns);
    if (!has_tick(connection))
        return path->transport->wait(
            path->stream, deadline_ns != OS_NEVER ? deadline_ns : os_now_ns() + BLIND_WAIT_NS);
    atomic_store(&connection->wait_until_ns, deadline_ns);
    node_needs_tick(connection->node); /* behind that, and the tick looks behind clearing tick_on */
    HRESULT hr = path->transport->wait(path->stream, OS_NEVER);
    atomic_store_explicit(&connection->wait_until_ns, OS_NEVER, memory_order_relaxed);
    if (hr == VIA_S_INTERRUPTED && os_now_ns() >= deadline_ns)
        return error_set(RPC_E_TIMEOUT, "nothing arrived before the deadline");
    return hr;
}

HRESULT reader_wait(struct link_connection *connection, uint64_t deadline_ns)
{
    uint32_t max_ns = connection->node->settings.max_spin_us * 1000u;
    connection->drained = false;
    if (max_ns == 0)
        return sleep_until(connection, deadline_ns);
    uint64_t started_ns = os_now_ns();
    if (connection->spin_ns != 0 && spin(connection, started_ns)) {
        connection->spin_ns = max_ns;
        return S_OK;
    }
    HRESULT hr = sleep_until(connection, deadline_ns);
    /* What came in time to be spun for makes it worth while again; what did not makes it shorter.
     */
    if (hr == S_OK && os_now_ns() - started_ns < 2u * (uint64_t)max_ns)
        connection->spin_ns = max_ns;
    else
        connection->spin_ns = connection->spin_ns / 2 < 2000 ? 0 : connection->spin_ns / 2;
    return hr;
}

/* --- readiness --- */

/* On the reactor thread, when no worker is to be had: calls go to the pool's queue, all else is
 * done here, so that a cancel is seen. */
static void read_in_reactor(struct link_connection *connection)
{
    struct thread *self = thread_self();
    os_mutex_lock(&connection->lock);
    connection->holder = self;
    self->held = connection;
    os_mutex_unlock(&connection->lock);
    HRESULT hr = S_OK;
    for (int i = 0; i < REACTOR_FRAMES && hr == S_OK; i++)
        hr = reader_step(connection, NULL);
    cork_flush_mine(connection->node, connection);
    os_mutex_lock(&connection->lock);
    if (right_is_mine_locked(connection, self) && hr == READER_FULL)
        right_stall_locked(connection);
    else if (right_is_mine_locked(connection, self))
        right_park_locked(connection);
    os_mutex_unlock(&connection->lock);
    connection_drop(connection);
}

static void ready_to_read(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    bool mine = connection->right == RIGHT_PARKED && connection_use_locked(connection);
    if (mine) {
        connection->right = RIGHT_HELD;
        connection->holder = &right_of_pool;
        connection->drained = false;
    }
    os_mutex_unlock(&connection->lock);
    if (!mine)
        return;
    node_lease(connection);
    if (worker_are_saturated(connection->node))
        read_in_reactor(connection);
    else
        worker_serve_soon(connection);
}

void reader_ready(void *token, uint32_t events)
{
    struct link_connection *connection = token;
    if (events & VIA_READY_WRITE)
        sender_ready(connection);
    if (events & VIA_READY_READ)
        ready_to_read(connection);
}
