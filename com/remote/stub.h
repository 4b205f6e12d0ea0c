/*
 * The server's side of a call: from a frame to the method of an object, and back.
 *
 * Checks come in this order, each with an error of its own: the object exists and the peer may name
 * it; its interface and the slot are in range; the arguments decode; the interface pointers
 * resolve; then the method is called.
 */
#ifndef COM_REMOTE_STUB_H
#define COM_REMOTE_STUB_H

#include <stdbool.h>
#include <stdint.h>

#include "com/remote/gate.h"
#include "com/remote/reference.h"
#include "core/link/link.h"

struct error_record;
struct kept;
struct peer;
struct peer_entry;

/* A call between its arrival and its answer; message->user. */
struct stub_call {
    struct gate_item item;    /* first: what it calls, and the context that it passes */
    struct stub_call *next;   /* waiting for a one-way call; peer->lock */
    struct peer_entry *entry; /* NULL: its target is not known, or there is none */
    struct link_message *message;
    struct kept *target;   /* a reference: what it calls is a result of that; or NULL */
    uint32_t result_index; /* which */
    struct kept *kept;     /* its own results are; until they are there, a reference; or NULL */
    bool is_oneway;
    bool has_order; /* among the one-way calls on its object, and behind them */
    /* Resolved when the call arrives: before it runs, which may be on another thread, frames behind
     * it may release what it names. A failure waits for its turn among the checks. */
    struct reference_in references;
    HRESULT resolved;
    struct error_record *resolve_error; /* of `resolved`; may be NULL */
};

enum link_route stub_route(struct peer *peer, struct link_message *message);
/* A call that has waited for its target. */
void stub_start_aimed(struct stub_call *call);
void stub_run(struct link_message *message);

#endif
