/*
 * Calls that are begun here and whose answers are taken later.
 *
 * The record is among the connection's pending calls, as those are that a thread waits in, but it
 * belongs to no thread, holds no right, and does not keep the connection: it may outlive that. Its
 * reply is copied when it comes, by whoever reads, and what its references name is resolved then.
 * Threads that wait for it do so in calls of their own, on their stacks, which read the connection
 * as any other does, and which end with it.
 */
#include "core/link/call.h"
#include "core/link/cork.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/right.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/link/worker.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* From here on the reactor reads the answers, also while nobody waits: the peer should not have to
 * keep them. */
#define MANY_ASYNCS 64u
/* A reply that is not longer needs no memory of its own. */
#define ROOM_SIZE 192u

struct link_async {
    struct call call; /* its thread, waiter and chain's lists are not used */
    struct link_message reply;
    struct list watchers; /* connection->lock: calls of threads that wait for it, by pending_link */
    void (*ended)(void *context); /* read-only */
    void *context;                /* read-only */
    uint64_t room[ROOM_SIZE / 8];
};

static HRESULT new_async(struct link_connection *connection, uint64_t deadline_ns,
                         struct link_async **result)
{
    struct link_async *async = malloc(sizeof *async);
    if (async == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an asynchronous call");
    struct call *call = &async->call;
    call_init(call, connection, deadline_ns);
    call->async = async;
    call->reply = &async->reply;
    async->reply = (struct link_message){0};
    call->room = (uint8_t *)async->room;
    call->room_size = sizeof async->room;
    list_init(&async->watchers);
    HRESULT hr = link_new_chain(&call->chain);
    if (FAILED(hr)) {
        free(async);
        return hr;
    }
    link_connection_ref(connection);
    *result = async;
    return S_OK;
}

/* It is pending, and the connection is in use by this thread. */
static HRESULT enter(struct link_async *async, size_t payload_size, bool *expects)
{
    struct call *call = &async->call;
    struct link_connection *connection = call->connection;
    bool offers = false;
    os_mutex_lock(&connection->lock);
    bool is_open = connection->stage == STAGE_OPEN;
    bool has_room = connection->n_asyncs < LINK_MAX_ASYNCS;
    if (is_open && has_room) {
        connection_use_locked(connection);
        offers = switch_is_due_locked(connection, payload_size);
        call->id = connection->next_call_id++;
        connection->n_asyncs++;
        *expects = connection->n_asyncs > MANY_ASYNCS;
        list_append(call_bucket(connection, call->id), &call->pending_link);
    }
    os_mutex_unlock(&connection->lock);
    if (offers)
        switch_offer(connection);
    if (!is_open)
        return connection_closed_error(connection);
    if (!has_room)
        return error_set(
            VIA_E_LIMIT,
            "%u asynchronous calls to process %u have not been answered; wait for some "
            "of them first",
            LINK_MAX_ASYNCS, (unsigned)connection->peer.process_id);
    return S_OK;
}

/* Takes it out of the pending ones; false: it is done already. */
static bool take_out_locked(struct link_async *async, HRESULT code)
{
    if (atomic_load(&async->call.done))
        return false;
    list_remove(&async->call.pending_link);
    call_complete_locked(&async->call, code, NULL);
    return true;
}

/* Nothing was sent: as if it had not been begun, unless the connection's end was faster. */
static HRESULT take_back(struct link_async *async, HRESULT hr)
{
    struct link_connection *connection = async->call.connection;
    os_mutex_lock(&connection->lock);
    bool is_mine = take_out_locked(async, hr);
    os_mutex_unlock(&connection->lock);
    if (!is_mine)
        error_clear();
    return is_mine ? hr : S_OK;
}

HRESULT link_begin(struct link_connection *connection, const struct link_request *request,
                   uint64_t deadline_ns, void (*ended)(void *context), void *context,
                   struct link_async **result)
{
    struct link_async *async = NULL;
    bool expects = false;
    HRESULT hr = node_check(connection->node);
    if (SUCCEEDED(hr))
        hr = new_async(connection, deadline_ns, &async);
    if (FAILED(hr))
        return hr;
    async->ended = ended;
    async->context = context;
    *result = async; /* before it can end */
    hr = enter(async, request->payload_size, &expects);
    if (FAILED(hr)) {
        link_async_free(async);
        *result = NULL;
        return hr;
    }
    struct wire_call fields;
    struct link_request filled = *request;
    struct call *call = &async->call;
    call_fill_fields(&fields, &call->chain, 1, call->deadline_ns);
    filled.fields = &fields;
    hr = sender_post(connection, &filled, call->id, SEND_WAIT, call->deadline_ns);
    if (FAILED(hr))
        hr = take_back(async, hr);
    if (FAILED(hr)) {
        os_mutex_lock(&connection->lock);
        connection->n_asyncs--;
        os_mutex_unlock(&connection->lock);
        *result = NULL;
    }
    connection_drop(connection);
    if (FAILED(hr))
        link_async_free(async);
    else if (expects && FAILED(link_async_expect(async)))
        error_clear(); /* whoever waits reads */
    return hr;
}

/* --- the end --- */

void async_wake_locked(struct link_async *async)
{
    struct list *link;
    while ((link = list_pop(&async->watchers)) != NULL)
        call_complete_locked(list_entry(link, struct call, pending_link), S_OK, NULL);
}

void async_ended(struct link_async *async)
{
    struct link_connection *connection = async->call.connection;
    os_mutex_lock(&connection->lock);
    connection->n_asyncs--;
    os_mutex_unlock(&connection->lock);
    async->ended(async->context);
}

void link_async_end(struct link_async *async, HRESULT code)
{
    struct link_connection *connection = async->call.connection;
    os_mutex_lock(&connection->lock);
    bool is_mine = take_out_locked(async, code);
    bool tells = is_mine && code != E_ABORT && connection_use_locked(connection);
    os_mutex_unlock(&connection->lock);
    if (tells) {
        call_send_cancel(connection, async->call.id, code);
        connection_drop(connection);
    }
    if (is_mine)
        async_ended(async);
}

void link_async_free(struct link_async *async)
{
    if (async == NULL)
        return;
    link_message_release(&async->reply);
    error_record_free(async->call.error);
    link_connection_unref(async->call.connection);
    free(async);
}

/* --- waiting --- */

/* False: it is done, or about to be. */
static bool watch(struct link_async *async, struct call *self)
{
    struct link_connection *connection = self->connection;
    bool leased = false;
    os_mutex_lock(&connection->lock);
    bool waits = !atomic_load(&async->call.done) && connection_use_locked(connection);
    if (waits) {
        list_append(&async->watchers, &self->pending_link);
        call_take_right_locked(self, &leased);
    }
    os_mutex_unlock(&connection->lock);
    if (leased)
        node_lease(connection);
    return waits;
}

HRESULT link_async_wait(struct link_async *async, uint64_t deadline_ns)
{
    struct link_connection *connection = async->call.connection;
    struct link_node *node = connection->node;
    struct thread *thread = thread_self();
    struct call self;
    HRESULT hr = S_OK;
    if (link_async_is_done(async))
        return S_OK;
    call_init(&self, connection, deadline_ns);
    if (self.is_apartment && FAILED(hr = reactor_join(node)))
        return hr;
    self.has_chain = true;
    self.chain = async->call.chain;
    right_give_up(thread, connection);
    link_async_flush(async);
    if (!watch(async, &self))
        return S_OK;
    thread_waits_in(thread, &self);
    chain_add(node, &self);
    node_needs_tick(node);
    cork_flush_others(connection);
    call_wait(&self);
    chain_remove(node, &self);
    thread_waits_in(thread, self.outer);
    cork_flush_mine(node, NULL);
    if (!atomic_load(&self.done))
        hr = error_set(self.result, "the wait for process %u was ended",
                       (unsigned)connection->peer.process_id);
    call_leave(&self);
    if (self.has_waiter)
        os_waiter_deinit(&self.waiter);
    if (thread->call == NULL && thread->running == NULL && thread->worker == NULL)
        thread_trim(thread);
    return hr;
}

void link_async_flush(struct link_async *async)
{
    struct link_connection *connection = async->call.connection;
    if (!connection_use(connection))
        return;
    sender_flush(connection);
    connection_drop(connection);
}

void link_async_tell_finish(struct link_async *async)
{
    struct link_connection *connection = async->call.connection;
    struct link_request request = {.kind = WIRE_FINISH};
    if (FAILED(sender_post(connection, &request, async->call.id, SEND_QUEUE, 0)))
        error_clear(); /* the connection has ended, and what was kept with it */
}

HRESULT link_async_expect(struct link_async *async)
{
    struct link_connection *connection = async->call.connection;
    HRESULT hr = reactor_join(connection->node);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&connection->lock);
    if (connection->stage == STAGE_OPEN && connection->right == RIGHT_FREE)
        right_arm_locked(connection);
    os_mutex_unlock(&connection->lock);
    return S_OK;
}

/* --- what is known of it --- */

bool link_async_is_done(const struct link_async *async)
{
    return atomic_load_explicit(&((struct link_async *)async)->call.done, memory_order_acquire);
}

HRESULT link_async_code(const struct link_async *async)
{
    return async->call.result;
}

uint64_t link_async_deadline(const struct link_async *async)
{
    return async->call.deadline_ns;
}

uint64_t link_async_id(const struct link_async *async)
{
    return async->call.id;
}

HRESULT link_async_result(struct link_async *async, struct link_message **reply)
{
    struct call *call = &async->call;
    unsigned process = (unsigned)call->connection->peer.process_id;
    if (SUCCEEDED(call->result)) {
        *reply = &async->reply;
        return S_OK;
    }
    if (call->error != NULL) {
        error_give(error_record_copy(call->error));
        return call->result;
    }
    switch (call->result) {
    case RPC_E_TIMEOUT:
        return error_set(RPC_E_TIMEOUT, "process %u did not answer in time", process);
    case RPC_E_CALL_CANCELED:
        return error_set(RPC_E_CALL_CANCELED, "the call to process %u was cancelled", process);
    case RPC_E_DISCONNECTED:
        return connection_closed_error(call->connection);
    default:
        return error_set(call->result, "the call to process %u was given up", process);
    }
}
