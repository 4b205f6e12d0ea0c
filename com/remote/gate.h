/*
 * What a call has to wait for before it runs: a serial context runs one call at a time.
 *
 * A context's owner is a chain. A call of the chain that is inside already may come in again (it is
 * nested in it); everything else queues and is run on a worker, in order of arrival. Objects handed
 * out by a serial object share its context, as objects of a COM apartment do. A context may belong
 * to an apartment (apartment.h): then everything runs on that thread instead. The order of one-way
 * calls, which is per object and connection, is in peer.h.
 *
 * A queued call that its caller waits for is an edge of the graph of those who wait for each other:
 * from that call to the innermost one that is inside. crosswait.h looks for cycles; the last
 * functions here are what it sees of contexts. Such an edge has a random name, which it keeps for
 * as long as nobody enters or leaves the context.
 */
#ifndef COM_REMOTE_GATE_H
#define COM_REMOTE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/link/link.h"
#include "core/util/list.h"

struct apartment;
struct context;
struct error_record;
struct node;
struct peer;

/* A call that has arrived: what names it, and what it calls. */
struct gate_call {
    struct peer *peer; /* which sent it; NULL: nobody, it is a last release */
    uint64_t call_id;  /* on the peer's connection; 0: one-way, or a last release */
    struct link_id chain;
    uint32_t interface_index; /* the peer's */
    uint16_t slot;
};

/* Something that runs within a context; embedded in what it is, and read-only from gate_enter() on,
 * but for what has a lock. */
struct gate_item {
    struct gate_call call; /* its peer lives as long as the item */
    struct node *node;
    struct context *context;      /* NULL: none; and of one that is refused, none any more */
    bool is_awaited;              /* its caller waits for an answer: it may be refused */
    struct error_record *refusal; /* why it was not let in, for `run` to answer; else NULL */
    /* On a worker, or the apartment's thread, inside the context; calls context_leave() when it is
     * done. */
    void (*run)(struct gate_item *item);

    struct link_job job;  /* from when it is let in until it runs */
    struct list link;     /* the context's lock: in its queue, or inside */
    struct list waiting;  /* the gate's lock: while it is queued, if it is awaited */
    struct link_id wait;  /* the gate's lock: the edge's name ... */
    uint64_t turn;        /* the gate's lock: ... in this turn of the context; 0: it has none yet */
    uint64_t due_ns;      /* the gate's lock: when to look for a cycle next */
    uint64_t interval_ns; /* the gate's lock: and how long after that again */
};

struct context *context_new(void);
/* An apartment's. */
struct context *context_new_in(struct apartment *apartment);
/* Whether it belongs to one; also of NULL. */
bool context_has_apartment(const struct context *context);
/* Whether it belongs to one, and that is another thread's; also of NULL. */
bool context_is_elsewhere(const struct context *context);
struct context *context_ref(struct context *context);
void context_unref(struct context *context);
/* Nobody has a reference to it but one. */
bool context_is_unused(const struct context *context);
/* Its apartment was one that has ended: objects in it may not be touched. Also of NULL. */
bool context_is_over(const struct context *context);

/* Goes in if the item has no context, the context is free, or the chain is inside it; not into an
 * apartment's, whose thread is given what comes in. */
bool gate_enter(struct gate_item *item);
/* Runs `item` on a worker, or on the apartment's thread, as soon as its context lets it in. */
void gate_pass(struct gate_item *item);
/* Runs it on the thread of its context's apartment as soon as that waits, past all others: it is
 * not inside, and does not leave. */
void gate_pass_by(struct gate_item *item);
void context_leave(struct context *context, struct gate_item *item);

/* The context of the call that this thread runs, or NULL. */
struct context *context_running(void);
/* Returns the previous one. */
struct context *context_set_running(struct context *context);

/* --- for crosswait.h --- */

/* The edges are kept in so many parts, by call. */
#define GATE_N_PARTS 64u

/* An edge, as it was at one moment. */
struct gate_wait {
    struct link_id name;
    struct gate_call queued; /* with a reference to its peer, as the next */
    struct gate_call inside; /* the innermost one */
};

void gate_wait_deinit(struct gate_wait *wait);
/* The edge of a queued call that is named by its peer, id and chain; false: it is not queued. */
bool gate_find(const struct gate_call *call, struct gate_wait *wait);
/* Up to `max` edges of the node that are due, and from then on are so again a while later. `more`
 * becomes true if others of this part wait, due or not. */
size_t gate_take_due(struct node *node, unsigned part, uint64_t now_ns, struct gate_wait *waits,
                     size_t max, bool *more);
/* Takes the call out of its queue and runs it with `why`, which it then owns, as its refusal: if it
 * is still queued, and nobody has entered or left its context since its edge had that name. */
bool gate_refuse(const struct gate_call *call, const struct link_id *name,
                 struct error_record *why);

#endif
