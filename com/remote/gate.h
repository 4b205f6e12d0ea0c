/*
 * What a call has to wait for before it runs: a serial context runs one call at a time.
 *
 * A context's owner is a chain. A call of the chain that is inside already may come in again (it is
 * nested in it); everything else queues and is run on a worker, in order of arrival. Objects handed
 * out by a serial object share its context, as objects of a COM apartment do. The order of one-way
 * calls, which is per object and connection, is in peer.h.
 */
#ifndef COM_REMOTE_GATE_H
#define COM_REMOTE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/link/link.h"
#include "core/os/thread.h"

struct context;
struct node;

/* Something that runs within a context; embedded in what it is. */
struct gate_item {
    struct gate_item *next;
    struct link_id chain;
    struct node *node;
    struct context *context; /* NULL: none */
    /* On a worker, inside the context; calls context_leave() when it is done. */
    void (*run)(struct gate_item *item);
};

struct context *context_new(void);
struct context *context_ref(struct context *context);
void context_unref(struct context *context);

/* Goes in if the context is free, or the chain is inside it. */
bool context_try_enter(struct context *context, const struct link_id *chain);
/* Runs `item` on a worker as soon as its context lets it in. */
void gate_pass(struct gate_item *item);
void context_leave(struct context *context);

/* The context of the call that this thread runs, or NULL. */
struct context *context_running(void);
/* Returns the previous one. */
struct context *context_set_running(struct context *context);

bool chain_equal(const struct link_id *a, const struct link_id *b);

#endif
