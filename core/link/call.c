#include "core/link/call.h"

#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <string.h>

enum cancel_reason { CANCEL_BY_CALLER = 0, CANCEL_DEADLINE = 1 };

static struct list *bucket_of(struct link_connection *connection, uint64_t id)
{
    return &connection->pending[id % CONNECTION_BUCKETS];
}

struct call *call_find_locked(struct link_connection *connection, uint64_t id)
{
    struct list *bucket = bucket_of(connection, id);
    for (struct list *l = bucket->next; l != bucket; l = l->next) {
        struct call *call = list_entry(l, struct call, pending_link);
        if (call->id == id)
            return call;
    }
    return NULL;
}

void call_wake(struct call *call)
{
    if (atomic_load(&call->in_waiter))
        os_waiter_wake(&call->waiter);
    if (atomic_load(&call->in_stream))
        call->connection->transport->interrupt(call->connection->stream);
}

void call_complete_locked(struct call *call, HRESULT result, struct error_record *error)
{
    call->result = result;
    call->error = error;
    call->done = true;
    call_wake(call);
}

/* --- waiting --- */

/* Sleeps as a waiter among others. Called with the lock, returns with it. */
static void sleep_locked(struct call *call)
{
    struct link_connection *connection = call->connection;
    if (!call->has_waiter) {
        os_waiter_init(&call->waiter);
        call->has_waiter = true;
    }
    list_append(&connection->waiters, &call->waiter_link);
    atomic_store(&call->in_waiter, true);
    if (call->is_apartment && connection->right == RIGHT_FREE)
        right_arm_locked(connection);
    if (!call->is_apartment && atomic_load(&connection->worker_waits))
        connection->transport->interrupt(connection->stream); /* it passes the right on */
    os_mutex_unlock(&connection->lock);
    if (!atomic_load(&call->has_incoming) && !atomic_load(&call->cancelled)) {
        worker_sleeps(connection->node, true);
        if (FAILED(os_waiter_wait(&call->waiter, call->deadline_ns)))
            error_clear(); /* the deadline is looked at by the caller */
        worker_sleeps(connection->node, false);
    }
    os_mutex_lock(&connection->lock);
    atomic_store(&call->in_waiter, false);
    list_remove(&call->waiter_link);
    if (right_is_mine_locked(connection, call->thread))
        call->thread->held = connection;
}

/* Sleeps in the stream, as the holder of the right. */
static void sleep_in_stream(struct call *call)
{
    struct link_connection *connection = call->connection;
    HRESULT hr = S_OK;
    atomic_store(&call->in_stream, true);
    if (!atomic_load(&call->has_incoming) && !atomic_load(&call->cancelled)) {
        worker_sleeps(connection->node, true);
        hr = reader_wait(connection, call->deadline_ns);
        worker_sleeps(connection->node, false);
    }
    atomic_store(&call->in_stream, false);
    if (hr == RPC_E_TIMEOUT)
        error_clear();
    else if (FAILED(hr))
        connection_fail(connection, hr, false);
}

/* One frame, or a sleep until there is one. */
static void read_once(struct call *call)
{
    struct link_connection *connection = call->connection;
    HRESULT hr = VIA_S_WOULD_BLOCK;
    if (!connection->drained)
        hr = reader_step(connection, call);
    if (hr == VIA_S_WOULD_BLOCK)
        sleep_in_stream(call);
    else if (FAILED(hr))
        error_clear(); /* the connection has it */
}

static void run_delivered(struct call *call)
{
    struct link_connection *connection = call->connection;
    struct incoming *incoming = chain_take(connection->node, call);
    if (incoming == NULL)
        return;
    /* Nothing is borrowed, so the right may be taken away while the method runs. */
    os_mutex_lock(&connection->lock);
    bool mine = right_is_mine_locked(connection, call->thread);
    if (mine)
        atomic_store(&connection->in_method, true);
    os_mutex_unlock(&connection->lock);
    if (mine)
        node_needs_tick(connection->node);
    link_message_run(&incoming->message);
    os_mutex_lock(&connection->lock);
    if (right_is_mine_locked(connection, call->thread))
        atomic_store(&connection->in_method, false);
    os_mutex_unlock(&connection->lock);
}

static bool is_over_locked(struct call *call)
{
    if (call->done)
        return true;
    if (atomic_load(&call->cancelled))
        call->result = RPC_E_CALL_CANCELED;
    else if (call->deadline_ns != LINK_NO_DEADLINE && os_now_ns() >= call->deadline_ns)
        call->result = RPC_E_TIMEOUT;
    else
        return false;
    list_remove(&call->pending_link);
    return true;
}

/* Returns when the call is over; true: this thread has the right from an outer frame of its own. */
static bool wait_for_reply(struct call *call, bool inherited)
{
    struct link_connection *connection = call->connection;
    os_mutex_lock(&connection->lock);
    while (!is_over_locked(call)) {
        if (atomic_load(&call->has_incoming)) {
            os_mutex_unlock(&connection->lock);
            run_delivered(call);
            os_mutex_lock(&connection->lock);
            continue;
        }
        bool leased = false;
        bool mine = right_is_mine_locked(connection, call->thread);
        if (!mine) {
            inherited = false;
            mine = !call->is_apartment && connection->stage == STAGE_OPEN &&
                   right_take_locked(connection, call->thread, &leased);
        }
        if (!mine) {
            sleep_locked(call);
            continue;
        }
        os_mutex_unlock(&connection->lock);
        if (leased)
            node_lease(connection);
        read_once(call);
        os_mutex_lock(&connection->lock);
    }
    os_mutex_unlock(&connection->lock);
    return inherited;
}

/* --- the steps of a call --- */

static HRESULT init(struct call *call, struct link_connection *connection,
                    const struct link_request *request, uint64_t deadline_ns)
{
    struct thread *self = thread_self();
    const struct running *running = self->running;
    *call = (struct call){.connection = connection,
                          .thread = self,
                          .outer = self->call,
                          .serves = running,
                          .thread_id = os_thread_id(),
                          .level = self->call != NULL ? self->call->level + 1 : 1,
                          .is_apartment = os_thread_is_apartment(),
                          .has_chain = request->kind == WIRE_CALL,
                          .depth = 1,
                          .deadline_ns = deadline_ns};
    list_init(&call->incoming);
    if (running != NULL) {
        if (running->current.deadline_ns < deadline_ns)
            call->deadline_ns = running->current.deadline_ns;
        call->depth = running->current.depth + 1;
    }
    if (call->depth > CALL_MAX_DEPTH)
        return error_set(VIA_E_DEPTH, "more than %u calls are nested in each other",
                         CALL_MAX_DEPTH);
    if (running != NULL && running->incoming->has_chain)
        call->chain = running->current.chain;
    else if (running != NULL && running->incoming->message.kind == WIRE_ONEWAY)
        call->chain = running->current.chain;
    else
        return current_new_chain(&call->chain);
    return S_OK;
}

static uint32_t remaining_ms(uint64_t deadline_ns)
{
    if (deadline_ns == LINK_NO_DEADLINE)
        return WIRE_NO_LIMIT_MS;
    uint64_t now = os_now_ns();
    uint64_t left = deadline_ns > now ? (deadline_ns - now + 999999u) / 1000000u : 0;
    return left < WIRE_NO_LIMIT_MS ? (uint32_t)left : WIRE_NO_LIMIT_MS - 1;
}

/* Fills the parts of a call's body that are this layer's. `body` is room for a copy. */
static void fill_body(struct link_request *request, uint8_t *body, const struct link_id *chain,
                      uint32_t depth, uint64_t deadline_ns)
{
    struct wire_call fields = {.depth = (uint16_t)depth, .remaining_ms = remaining_ms(deadline_ns)};
    memcpy(fields.chain, chain->bytes, sizeof fields.chain);
    memcpy(body, request->body, request->body_size);
    wire_call_write(body, &fields);
    request->body = body;
}

#define MAX_BODY 72u

static HRESULT send(struct call *call, const struct link_request *request)
{
    uint8_t body[MAX_BODY];
    struct link_request filled = *request;
    if (request->body_size != wire_body_size(request->kind))
        return error_set(E_INVALIDARG, "a frame of kind %s has a body of %zu bytes",
                         wire_kind_name(request->kind), request->body_size);
    if (call->has_chain)
        fill_body(&filled, body, &call->chain, call->depth, call->deadline_ns);
    return sender_send(call->connection, &filled, call->id, SEND_WAIT, call->deadline_ns);
}

static void send_cancel(struct call *call, enum cancel_reason reason)
{
    uint32_t body[2] = {reason, 0};
    struct link_request request = {.kind = WIRE_CANCEL, .body = body, .body_size = sizeof body};
    if (FAILED(sender_send(call->connection, &request, call->id, SEND_QUEUE, 0)))
        error_clear();
}

static bool begin(struct call *call)
{
    struct link_connection *connection = call->connection;
    os_mutex_lock(&connection->lock);
    bool open = connection->stage == STAGE_OPEN && connection_use_locked(connection);
    if (open) {
        call->id = connection->next_call_id++;
        list_append(bucket_of(connection, call->id), &call->pending_link);
    }
    os_mutex_unlock(&connection->lock);
    return open;
}

/* The right, where this call took it and its reply does not lie in the receive buffer. */
static void leave_right(struct call *call, bool inherited)
{
    struct link_connection *connection = call->connection;
    os_mutex_lock(&connection->lock);
    if (right_is_mine_locked(connection, call->thread)) {
        if (inherited)
            atomic_store(&connection->in_method, true);
        else
            right_leave_locked(connection);
    }
    os_mutex_unlock(&connection->lock);
}

static HRESULT fail_call(struct call *call)
{
    struct link_connection *connection = call->connection;
    unsigned process = (unsigned)connection->peer.process_id;
    switch (call->error == NULL ? call->result : S_OK) {
    case RPC_E_TIMEOUT:
        send_cancel(call, CANCEL_DEADLINE);
        return error_set(RPC_E_TIMEOUT, "process %u did not answer in time", process);
    case RPC_E_CALL_CANCELED:
        send_cancel(call, CANCEL_BY_CALLER);
        return error_set(RPC_E_CALL_CANCELED, "the call to process %u was cancelled", process);
    case RPC_E_DISCONNECTED:
        return connection_closed_error(connection);
    default:
        error_give(call->error);
        return call->result;
    }
}

static HRESULT finish(struct call *call, bool inherited, struct link_message *reply)
{
    struct link_connection *connection = call->connection;
    if (call->done && SUCCEEDED(call->result)) {
        *reply = call->reply;
        if (call->borrowed) {
            /* The right, and the use of the connection, go with the reply's release. */
            reply->state = inherited ? (void *)&connection->frame_size : (void *)connection;
            return S_OK;
        }
    }
    leave_right(call, inherited);
    HRESULT hr = call->done && SUCCEEDED(call->result) ? S_OK : fail_call(call);
    connection_drop(connection);
    return hr;
}

HRESULT link_call(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns, struct link_message *reply)
{
    struct call call;
    struct thread *self = thread_self();
    struct link_node *node = connection->node;
    *reply = (struct link_message){0};
    HRESULT hr = node_check(node);
    if (SUCCEEDED(hr))
        hr = init(&call, connection, request, deadline_ns);
    if (SUCCEEDED(hr) && call.is_apartment)
        hr = reactor_join(node);
    if (FAILED(hr))
        return hr;
    right_give_up(self, connection);
    if (!begin(&call))
        return connection_closed_error(connection);
    self->call = &call;
    if (call.has_chain)
        chain_add(node, &call);
    atomic_fetch_add_explicit(&connection->calls_sent, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&connection->activity, 1, memory_order_relaxed);
    node_needs_tick(node);
    bool inherited = self->held == connection; /* believed only if it is still the holder */
    hr = send(&call, request);
    if (SUCCEEDED(hr)) {
        reply->call_id = call.id;
        inherited = wait_for_reply(&call, inherited);
    } else {
        os_mutex_lock(&connection->lock);
        list_remove(&call.pending_link);
        call.done = true;
        call.result = hr;
        error_record_free(call.error);
        call.error = error_take();
        os_mutex_unlock(&connection->lock);
    }
    if (call.has_chain)
        chain_remove(node, &call);
    self->call = call.outer;
    hr = finish(&call, inherited, reply);
    if (call.has_waiter)
        os_waiter_deinit(&call.waiter);
    return hr;
}

HRESULT link_post(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns)
{
    uint8_t body[MAX_BODY];
    struct link_request filled = *request;
    HRESULT hr = node_check(connection->node);
    if (FAILED(hr))
        return hr;
    if (request->kind == WIRE_ONEWAY && request->body_size == wire_body_size(WIRE_ONEWAY)) {
        struct link_id chain;
        hr = current_new_chain(&chain);
        if (FAILED(hr))
            return hr;
        fill_body(&filled, body, &chain, 1, LINK_NO_DEADLINE);
        atomic_fetch_add_explicit(&connection->calls_sent, 1, memory_order_relaxed);
    }
    if (!connection_use(connection))
        return connection_closed_error(connection);
    hr = sender_send(connection, &filled, 0, deadline_ns == LINK_NO_WAIT ? SEND_QUEUE : SEND_WAIT,
                     deadline_ns);
    connection_drop(connection);
    return hr;
}

/* Cancels the thread's call of that level, or finds the highest level there is. */
static uint32_t cancel_in_bucket(struct chain_bucket *bucket, uint64_t thread_id, uint32_t level)
{
    uint32_t highest = 0;
    os_mutex_lock(&bucket->lock);
    for (struct list *l = bucket->calls.next; l != &bucket->calls; l = l->next) {
        struct call *call = list_entry(l, struct call, chain_link);
        if (call->thread_id != thread_id)
            continue;
        highest = call->level > highest ? call->level : highest;
        if (call->level == level) {
            atomic_store(&call->cancelled, true);
            call_wake(call);
        }
    }
    os_mutex_unlock(&bucket->lock);
    return highest;
}

HRESULT link_cancel(struct link_node *node, uint64_t thread_id)
{
    uint32_t innermost = 0;
    for (size_t i = 0; i < NODE_CHAIN_BUCKETS; i++) {
        uint32_t level = cancel_in_bucket(&node->chains[i], thread_id, 0);
        innermost = level > innermost ? level : innermost;
    }
    for (size_t i = 0; i < NODE_CHAIN_BUCKETS && innermost != 0; i++)
        cancel_in_bucket(&node->chains[i], thread_id, innermost);
    return innermost != 0 ? S_OK : S_FALSE;
}
