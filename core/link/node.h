/*
 * A node: its connections, listeners, workers and timers, and its part in the process's reactor.
 */
#ifndef CORE_LINK_NODE_H
#define CORE_LINK_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/link/link.h"
#include "core/os/thread.h"
#include "core/util/list.h"

struct reactor;
struct worker;

#define NODE_CHAIN_BUCKETS 32u

/* Calls that wait, by chain; the innermost of a chain is the last that was added. */
struct chain_bucket {
    struct os_mutex lock;
    struct list calls; /* lock */
};

/* The longest agent, and addresses that are told to peers. */
#define NODE_MAX_ADDRESSES 16u

struct listener {
    struct list link; /* node->listeners; node->lock */
    struct link_node *node;
    const struct via_transport *transport;
    struct via_listener *listener;
    char *address;
    bool hidden;
    uint64_t paused_until_ns; /* node->lock: out of descriptors; the tick arms it again; 0: it is
                                 armed */
    uint64_t warned_ns; /* the callback's: when the log last said that clients are refused; 0: never
                         */
};

struct link_node {
    struct link_settings settings; /* read-only */
    char *agent;                   /* read-only */
    struct plugin_set *plugins;    /* read-only */
    struct link_handler handler;   /* read-only */
    void *context;                 /* read-only */
    struct link_id id;             /* read-only */
    uint32_t system_flags;         /* read-only: WIRE_HELLO_... */
    uint32_t n_processors;         /* read-only */

    struct chain_bucket chains[NODE_CHAIN_BUCKETS];

    struct os_mutex lock;
    struct list connections;   /* lock */
    uint32_t n_connections;    /* lock */
    struct list leased;        /* lock: connections that the tick looks at */
    struct list in_memory;     /* lock: connections that may be in shared memory */
    struct list corked;        /* lock: connections on which frames may wait for others */
    struct list listeners;     /* lock */
    struct list timers;        /* lock: by time */
    struct list parked;        /* lock: struct parked of numbered.h, by time */
    _Atomic bool closing;      /* written under lock */
    bool stopped;              /* lock */
    struct os_waiter *stopper; /* lock: of the thread that stops the node and waits for the
                                * connections' end; or NULL */

    struct list workers;    /* lock */
    uint32_t n_workers;     /* lock */
    struct worker *retired; /* lock: the last that ended; who comes next joins it */
    struct list idle; /* lock: workers that sleep, and nobody has woken; who slept last first */
    uint32_t n_idle;  /* lock: in `idle` */
    _Atomic uint32_t n_waiting; /* workers that sleep in link_call */
    struct list jobs;           /* lock: struct link_job, the oldest first */
    struct list ended;          /* lock: connections to be finished */
    _Atomic uint32_t n_ready;   /* jobs and ended ones together; written under lock */
    atomic_bool is_crowded;     /* see worker.c */
    _Atomic uint32_t crowding;  /* towards that, and away from it */
    _Atomic uint32_t n_taken;   /* counts what workers have taken up; written under lock */
    uint32_t seen_taken;        /* lock: n_taken at the reactor's last look */
    uint32_t n_helpers;         /* lock: workers that the last look has woken */
    uint32_t n_leading;         /* lock: workers that relieve the reactor */
    bool workers_stop;          /* lock */
    bool workers_gone;          /* lock: all have ended, and none starts any more */
    bool lacks_worker;          /* lock: one could not be started; the tick tries again */

    struct reactor *_Atomic reactor; /* set once; NULL: there is none yet */
    struct list reactor_link;        /* the reactor's */
    atomic_bool tick_on;
    atomic_bool flush_on; /* the next tick looks at `corked` */
};

/* Whether the calling thread may not use the node: the error, else S_OK. */
HRESULT node_check(struct link_node *node);
/* VIA_E_ADDRESS: the transport serves relays only. */
HRESULT node_check_transport(const struct via_transport *transport, const char *address);

/* Something has begun that the tick has to look at: a method runs, a right was left. */
void node_needs_tick(struct link_node *node);
/* Lets the tick look at the connection. No locks held. */
void node_lease(struct link_connection *connection);
/* What is due; returns when to come again. Reactor thread. */
uint64_t node_tick(struct link_node *node, uint64_t now_ns);

#endif
