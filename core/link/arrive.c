/*
 * Calls that arrive: where each of them runs.
 */
#include "core/link/reader.h"

#include "core/link/call.h"
#include "core/link/current.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <string.h>

/* Two-way calls of one peer that have not been answered: a cancel looks through them. */
#define MAX_ACTIVE 4096u

static void read_call(struct incoming *incoming)
{
    struct link_message *message = &incoming->message;
    incoming->deadline_ns = LINK_NO_DEADLINE;
    incoming->depth = 1;
    incoming->has_chain = message->kind == WIRE_CALL;
    if (message->kind != WIRE_CALL && message->kind != WIRE_ONEWAY) {
        incoming->chain = (struct link_id){0};
        return;
    }
    struct wire_call call;
    wire_call_read(message->body, &call);
    memcpy(incoming->chain.bytes, call.chain, sizeof call.chain);
    incoming->depth = call.depth;
    if (call.remaining_ms != WIRE_NO_LIMIT_MS)
        incoming->deadline_ns = os_coarse_now_ns() + (uint64_t)call.remaining_ms * 1000000u;
}

/* Entered into the list that a cancel looks through. */
static HRESULT enter(struct link_connection *connection, struct incoming *incoming)
{
    const struct link_message *message = &incoming->message;
    if (message->kind == WIRE_ONEWAY) {
        atomic_store_explicit(&incoming->answered, true, memory_order_relaxed);
        return S_OK;
    }
    os_mutex_lock(&connection->lock);
    bool full = connection->n_active >= MAX_ACTIVE;
    if (!full) {
        connection->n_active++;
        list_append(&connection->active, &incoming->active);
        incoming->is_active = true;
    }
    os_mutex_unlock(&connection->lock);
    if (full)
        return error_set(VIA_E_LIMIT, "more than %u calls of one peer are unanswered", MAX_ACTIVE);
    return S_OK;
}

/* The pool, or a thread that waits in the chain. The reader has a use of the connection, even of
 * one that has just ended; the call gets its own, so that the handler's `closed` comes after its
 * run. */
static HRESULT hand_over(struct link_connection *connection, struct incoming *incoming)
{
    incoming_keep(incoming);
    if (incoming->message.state != NULL) {
        HRESULT hr = message_copy(&incoming->message);
        if (FAILED(hr)) {
            incoming_free(incoming);
            return hr;
        }
        incoming->message.state = NULL;
    }
    os_mutex_lock(&connection->lock);
    connection->busy++;
    os_mutex_unlock(&connection->lock);
    incoming->holds_use = true;
    if (!incoming->has_chain || !chain_deliver(connection->node, incoming))
        chain_submit(connection->node, incoming);
    return S_OK;
}

static HRESULT run_here(struct incoming *incoming)
{
    current_run(incoming);
    link_message_decoded(&incoming->message); /* if the handler has not */
    incoming_free(incoming);
    return S_OK;
}

static HRESULT go(struct link_connection *connection, struct call *self, struct incoming *incoming)
{
    bool is_nested = incoming->has_chain && incoming->depth > 1;
    if (self != NULL) {
        /* The reader's own chain, and it is the innermost that waits in it: it could not read else.
         */
        if (is_nested && self->has_chain &&
            memcmp(&self->chain, &incoming->chain, sizeof self->chain) == 0)
            return run_here(incoming);
        return hand_over(connection, incoming);
    }
    if (thread_self()->worker == NULL ||
        (is_nested && chain_is_waited_for(connection->node, &incoming->chain)))
        return hand_over(connection, incoming);
    return run_here(incoming);
}

/* A call that this side does not even look at: what it carries is given back, and it is answered.
 */
static HRESULT refuse(struct link_node *node, struct incoming *incoming, HRESULT code)
{
    struct error_record *record = error_take();
    if (node->handler.dropped != NULL)
        node->handler.dropped(node->context, &incoming->message);
    error_give(record);
    link_reply_error(&incoming->message, code, false);
    error_clear();
    incoming_free(incoming);
    return S_OK;
}

static HRESULT route(struct link_connection *connection, struct call *self,
                     struct incoming *incoming)
{
    struct link_node *node = connection->node;
    /* From here on a queued one may be run, and freed, by another thread. */
    switch (node->handler.route(node->context, &incoming->message)) {
    case LINK_ROUTE_ANY:
        return go(connection, self, incoming);
    case LINK_ROUTE_QUEUED:
        return S_OK;
    case LINK_ROUTE_REFUSED:
    default:
        incoming_free(incoming);
        return S_OK;
    }
}

HRESULT arrive(struct link_connection *connection, struct call *self, struct link_message *message,
               bool has_unknown_extension)
{
    struct incoming *incoming = incoming_new(message);
    if (incoming == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a call");
    read_call(incoming);
    connection_count(&connection->calls_received, 1);
    HRESULT hr = enter(connection, incoming);
    if (FAILED(hr)) {
        incoming_free(incoming);
        return hr;
    }
    if (has_unknown_extension)
        return refuse(connection->node, incoming,
                      error_set(E_NOTIMPL, "the call has an extension that must be understood, "
                                           "which this version does not"));
    if (incoming->depth > CALL_MAX_DEPTH)
        return refuse(
            connection->node, incoming,
            error_set(VIA_E_DEPTH, "a chain of more than %u nested calls", CALL_MAX_DEPTH));
    return route(connection, self, incoming);
}
