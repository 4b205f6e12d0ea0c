#include "core/link/call.h"

#include "core/link/cork.h"
#include "core/link/inbox.h"
#include "core/link/memory.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <string.h>

enum cancel_reason { CANCEL_BY_CALLER = 0, CANCEL_DEADLINE = 1 };

struct list *call_bucket(struct link_connection *connection, uint64_t id)
{
    return &connection->pending[id % CONNECTION_BUCKETS];
}

struct call *call_find_locked(struct link_connection *connection, uint64_t id)
{
    struct list *bucket = call_bucket(connection, id);
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
        connection_interrupt(call->connection);
}

void call_complete_locked(struct call *call, HRESULT result, struct error_record *error)
{
    call->result = result;
    call->error = error;
    atomic_store_explicit(&call->done, true, memory_order_release);
    if (call->async != NULL)
        async_wake_locked(call->async);
    else
        call_wake(call);
}

/* --- waiting --- */

static bool is_done(const struct call *call)
{
    return atomic_load_explicit(&((struct call *)call)->done, memory_order_acquire);
}

static bool is_late(const struct call *call)
{
    return call->deadline_ns != LINK_NO_DEADLINE &&
           os_coarse_now_ns() + OS_COARSE_NS >= call->deadline_ns &&
           os_now_ns() >= call->deadline_ns;
}

/* What the thread has to run while it waits. */
static bool has_work(const struct call *call)
{
    return atomic_load(&((struct call *)call)->has_incoming) || inbox_has_jobs(call->thread->inbox);
}

/* Sleeps as a waiter among others. Called with the lock, returns with it. */
static void sleep_locked(struct call *call)
{
    struct link_connection *connection = call->connection;
    if (!call->has_waiter) {
        os_waiter_init(&call->waiter);
        call->has_waiter = true;
    }
    list_append(&connection->waiters, &call->waiter_link);
    atomic_fetch_add(&connection->n_waiters, 1);
    atomic_store(&call->in_waiter, true);
    if (call->is_apartment && connection->right == RIGHT_FREE)
        right_arm_locked(connection);
    if (!call->is_apartment && atomic_load(&connection->worker_waits))
        connection_interrupt(connection); /* it passes the right on */
    os_mutex_unlock(&connection->lock);
    cork_flush_mine(connection->node, connection);
    if (!has_work(call) && !atomic_load(&call->cancelled)) {
        worker_sleeps(connection->node, true);
        if (FAILED(os_waiter_wait(&call->waiter, call->deadline_ns)))
            error_clear(); /* the deadline is looked at by the caller */
        worker_sleeps(connection->node, false);
    }
    os_mutex_lock(&connection->lock);
    atomic_store(&call->in_waiter, false);
    if (list_is_linked(&call->waiter_link)) { /* else the right was passed on to it */
        list_remove(&call->waiter_link);
        atomic_fetch_sub(&connection->n_waiters, 1);
    }
    if (right_is_mine_locked(connection, call->thread))
        call->thread->held = connection;
}

/* Sleeps in the stream, as the holder of the right. RPC_E_TIMEOUT: until the deadline. */
static HRESULT sleep_in_stream(struct call *call)
{
    struct link_connection *connection = call->connection;
    HRESULT hr = S_OK;
    cork_flush_mine(connection->node, connection);
    atomic_store(&call->in_stream, true);
    if (!has_work(call) && !atomic_load(&call->cancelled) && !is_done(call)) {
        worker_sleeps(connection->node, true);
        hr = reader_wait(connection, call->deadline_ns);
        worker_sleeps(connection->node, false);
    }
    atomic_store(&call->in_stream, false);
    if (hr == RPC_E_TIMEOUT)
        error_clear();
    else if (FAILED(hr))
        connection_fail(connection, hr, false);
    return hr;
}

/* Nothing is read for now, and the tick has to see that it does not stay so for ever. */
static void wait_with_tick(struct link_connection *connection)
{
    if (FAILED(reactor_join(connection->node)))
        error_clear(); /* what ends meanwhile, and the call's own deadline, end it too */
}

/* As the holder of the right: frame by frame, until the call is over, there is something to run,
 * nothing may be read, or the right is gone. No lock is needed, since the right can only be taken
 * from a method that runs. What has come too late is not read, and frames of others must not keep
 * this thread beyond its deadline. */
static void read_frames(struct call *call)
{
    struct link_connection *connection = call->connection;
    while (call->thread->held == connection && !is_done(call) && !has_work(call) &&
           !atomic_load(&call->cancelled)) {
        HRESULT hr = connection->drained ? VIA_S_WOULD_BLOCK : reader_step(connection, call);
        if (hr == VIA_S_WOULD_BLOCK) {
            if (sleep_in_stream(call) == RPC_E_TIMEOUT || is_late(call))
                return;
        } else if (hr == READER_FULL) {
            wait_with_tick(connection);
            return;
        } else if (FAILED(hr)) {
            error_clear(); /* the connection has it */
        } else if (!is_done(call) && is_late(call)) {
            return;
        }
    }
}

static void run_delivered(struct call *call)
{
    struct link_connection *connection = call->connection;
    struct incoming *incoming = chain_take(connection->node, call);
    struct link_job *job = incoming == NULL ? inbox_take(call->thread->inbox) : NULL;
    if (incoming == NULL && job == NULL)
        return;
    /* Nothing is borrowed, so the right may be taken away while the method runs. */
    if (call->thread->held == connection) {
        right_expose(connection, call->thread);
        node_needs_tick(connection->node);
    }
    if (incoming != NULL)
        link_message_run(&incoming->message);
    else
        job->run(job->argument);
    right_is_still_mine(connection, call->thread);
}

static bool is_over_locked(struct call *call)
{
    if (is_done(call))
        return true;
    if (atomic_load(&call->cancelled))
        call->result = RPC_E_CALL_CANCELED;
    else if (is_late(call))
        call->result = RPC_E_TIMEOUT;
    else
        return false;
    list_remove(&call->pending_link);
    return true;
}

/* Takes the right if nobody has it, else sleeps; and so it does where nobody may read for now. */
static void get_right_locked(struct call *call, bool *leased)
{
    struct link_connection *connection = call->connection;
    bool mine = call->thread->held == connection;
    if (mine && !right_is_full(connection))
        return;
    call->inherits = false;
    if (mine)
        right_stall_locked(connection);
    if (call->is_apartment || connection->stage != STAGE_OPEN ||
        !right_take_locked(connection, call->thread, leased))
        sleep_locked(call);
}

void call_wait(struct call *call)
{
    struct link_connection *connection = call->connection;
    for (;;) {
        read_frames(call);
        if (call->has_left)
            return;
        bool leased = false;
        os_mutex_lock(&connection->lock);
        bool over = is_over_locked(call);
        bool runs = !over && has_work(call);
        if (!over && !runs)
            get_right_locked(call, &leased);
        os_mutex_unlock(&connection->lock);
        if (over)
            return;
        if (runs)
            run_delivered(call);
        if (leased)
            node_lease(connection);
    }
}

/* --- the steps of a call --- */

void call_init(struct call *call, struct link_connection *connection, uint64_t deadline_ns)
{
    struct thread *self = thread_self();
    const struct running *running = current_running(self);
    memset(call, 0, offsetof(struct call, waiter));
    call->connection = connection;
    call->thread = self;
    call->outer = self->call;
    call->serves = running;
    call->thread_id = os_thread_id();
    call->level = self->call != NULL ? self->call->level + 1 : 1;
    call->is_apartment = os_thread_is_apartment();
    call->depth = 1;
    call->deadline_ns = deadline_ns;
    list_init(&call->incoming);
    if (running != NULL && running->current.deadline_ns < deadline_ns)
        call->deadline_ns = running->current.deadline_ns;
}

static HRESULT init(struct call *call, struct link_connection *connection,
                    const struct link_request *request, uint64_t deadline_ns,
                    struct link_message *reply)
{
    const struct thread *self = thread_self();
    const struct running *running = current_running(self);
    call_init(call, connection, deadline_ns);
    call->has_chain = request->kind == WIRE_CALL;
    call->room = request->reply_room;
    call->room_size = request->reply_room_size;
    call->reply = reply;
    if (running != NULL)
        call->depth = running->current.depth + 1;
    if (call->depth > CALL_MAX_DEPTH)
        return error_set(VIA_E_DEPTH, "more than %u calls are nested in each other",
                         CALL_MAX_DEPTH);
    if (running != NULL && running->incoming->has_chain)
        call->chain = running->current.chain;
    else if (running != NULL && running->incoming->message.kind == WIRE_ONEWAY)
        call->chain = running->current.chain;
    else if (running == NULL && self->chained != NULL)
        call->chain = *self->chained->chain;
    else
        return link_new_chain(&call->chain);
    return S_OK;
}

static uint32_t remaining_ms(uint64_t deadline_ns)
{
    if (deadline_ns == LINK_NO_DEADLINE)
        return WIRE_NO_LIMIT_MS;
    uint64_t now = os_coarse_now_ns();
    uint64_t left = deadline_ns > now ? (deadline_ns - now + 999999u) / 1000000u : 0;
    return left < WIRE_NO_LIMIT_MS ? (uint32_t)left : WIRE_NO_LIMIT_MS - 1;
}

/* The parts of a call's body that are this layer's; they are written where the frame is built. */
void call_fill_fields(struct wire_call *fields, const struct link_id *chain, uint32_t depth,
                      uint64_t deadline_ns)
{
    fields->depth = (uint16_t)depth;
    fields->remaining_ms = remaining_ms(deadline_ns);
    memcpy(fields->chain, chain->bytes, sizeof fields->chain);
}

static HRESULT send(struct call *call, const struct link_request *request)
{
    struct wire_call fields;
    struct link_request filled = *request;
    if (request->body_size != wire_body_size(request->kind))
        return error_set(E_INVALIDARG, "a frame of kind %s has a body of %zu bytes",
                         wire_kind_name(request->kind), request->body_size);
    if (call->has_chain) {
        call_fill_fields(&fields, &call->chain, call->depth, call->deadline_ns);
        filled.fields = &fields;
    }
    return sender_send(call->connection, &filled, call->id, SEND_WAIT, call->deadline_ns);
}

void call_send_cancel(struct link_connection *connection, uint64_t id, HRESULT why)
{
    uint32_t body[2] = {why == RPC_E_TIMEOUT ? CANCEL_DEADLINE : CANCEL_BY_CALLER, 0};
    struct link_request request = {.kind = WIRE_CANCEL, .body = body, .body_size = sizeof body};
    if (FAILED(sender_send(connection, &request, id, SEND_QUEUE, 0)))
        error_clear();
}

void call_take_right_locked(struct call *call, bool *leased)
{
    struct link_connection *connection = call->connection;
    call->inherits = call->thread->held == connection;
    if (!call->inherits && !call->is_apartment)
        right_take_locked(connection, call->thread, leased);
}

static bool begin(struct call *call, size_t payload_size)
{
    struct link_connection *connection = call->connection;
    bool leased = false;
    bool offers = false;
    os_mutex_lock(&connection->lock);
    bool open = connection->stage == STAGE_OPEN && connection_use_locked(connection);
    if (open) {
        offers = switch_is_due_locked(connection, payload_size);
        call->id = connection->next_call_id++;
        call->reply->call_id = call->id;
        list_append(call_bucket(connection, call->id), &call->pending_link);
        call_take_right_locked(call, &leased);
    }
    os_mutex_unlock(&connection->lock);
    if (leased)
        node_lease(connection);
    if (offers)
        switch_offer(connection);
    return open;
}

static HRESULT fail_call(struct call *call)
{
    struct link_connection *connection = call->connection;
    unsigned process = (unsigned)connection->peer.process_id;
    switch (call->error == NULL ? call->result : S_OK) {
    case RPC_E_TIMEOUT:
        call_send_cancel(connection, call->id, RPC_E_TIMEOUT);
        return error_set(RPC_E_TIMEOUT, "process %u did not answer in time", process);
    case RPC_E_CALL_CANCELED:
        call_send_cancel(connection, call->id, RPC_E_CALL_CANCELED);
        return error_set(RPC_E_CALL_CANCELED, "the call to process %u was cancelled", process);
    case RPC_E_DISCONNECTED:
        return connection_closed_error(connection);
    default:
        error_give(call->error);
        return call->result;
    }
}

void call_leave(struct call *call)
{
    struct link_connection *connection = call->connection;
    bool mine = call->thread->held == connection;
    if (mine && call->inherits)
        right_expose(connection, call->thread);
    os_mutex_lock(&connection->lock);
    if (mine && !call->inherits)
        right_leave_locked(connection);
    bool ends = connection_drop_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (ends)
        worker_finish_soon(connection);
}

static HRESULT finish(struct call *call, struct link_message *reply)
{
    struct link_connection *connection = call->connection;
    bool succeeded = is_done(call) && SUCCEEDED(call->result);
    if (succeeded && call->borrowed) {
        /* The right, and the use of the connection, go with the reply's release. */
        reply->state = call->inherits ? (void *)&connection->frame_size : (void *)connection;
        return S_OK;
    }
    HRESULT hr = succeeded ? S_OK : fail_call(call);
    if (!call->has_left)
        call_leave(call);
    return hr;
}

/* Nothing was sent: the call fails with the thread's error. */
static void fail_unsent(struct call *call, HRESULT hr)
{
    struct link_connection *connection = call->connection;
    struct error_record *error = error_take();
    os_mutex_lock(&connection->lock);
    list_remove(&call->pending_link);
    error_record_free(call->error);
    call_complete_locked(call, hr, error);
    os_mutex_unlock(&connection->lock);
}

HRESULT link_call(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns, struct link_message *reply)
{
    struct call call;
    struct thread *self = thread_self();
    struct link_node *node = connection->node;
    reply->call_id = 0;
    HRESULT hr = node_check(node);
    if (SUCCEEDED(hr))
        hr = init(&call, connection, request, deadline_ns, reply);
    if (SUCCEEDED(hr) && call.is_apartment)
        hr = reactor_join(node);
    if (FAILED(hr))
        return hr;
    right_give_up(self, connection);
    if (!begin(&call, request->payload_size))
        return connection_closed_error(connection);
    thread_waits_in(self, &call);
    if (call.has_chain)
        chain_add(node, &call);
    node_needs_tick(node);
    cork_flush_others(connection);
    memory_lend(request->blocks, call.id);
    hr = send(&call, request);
    if (SUCCEEDED(hr)) {
        call_wait(&call);
        memory_settle(request->blocks, is_done(&call));
    } else {
        memory_take_back(request->blocks);
        fail_unsent(&call, hr);
        reply->call_id = 0;
    }
    if (call.has_chain && !call.has_left)
        chain_remove(node, &call);
    thread_waits_in(self, call.outer);
    cork_flush_mine(node, NULL);
    hr = finish(&call, reply);
    if (call.has_waiter)
        os_waiter_deinit(&call.waiter);
    if (self->call == NULL && self->running == NULL && self->worker == NULL)
        thread_trim(self);
    return hr;
}

/* Who makes many of them makes them one after the other. Only one-way calls are worth a reactor. */
static bool may_wait(const struct link_connection *connection, uint8_t kind)
{
    return kind == WIRE_ONEWAY || ((kind == WIRE_RELEASE || kind == WIRE_FINISH) &&
                                   atomic_load(&connection->node->reactor) != NULL);
}

HRESULT link_post(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns)
{
    struct wire_call fields;
    struct link_request filled = *request;
    HRESULT hr = node_check(connection->node);
    if (FAILED(hr))
        return hr;
    if (request->kind == WIRE_ONEWAY && request->body_size == wire_body_size(WIRE_ONEWAY)) {
        struct link_id chain;
        hr = link_new_chain(&chain);
        if (FAILED(hr))
            return hr;
        call_fill_fields(&fields, &chain, 1, LINK_NO_DEADLINE);
        filled.fields = &fields;
    }
    enum send_mode mode = deadline_ns == LINK_NO_WAIT ? SEND_QUEUE : SEND_WAIT;
    return may_wait(connection, request->kind)
               ? sender_post(connection, &filled, 0, mode, deadline_ns)
               : sender_send(connection, &filled, 0, mode, deadline_ns);
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
