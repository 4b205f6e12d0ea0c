/*
 * One node's objects: what core/link's connections mean in terms of objects.
 *
 * A process normally has one (runtime.h of this directory makes it); tests make several. Lock
 * order: a node's lock, then a peer's; the gate's (gate.h), then a context's. No lock is held while
 * user code runs, or while anything blocks; frames are posted under a lock only with LINK_NO_WAIT.
 *
 * A node holds its peers through their connections, its exports through capability entries and
 * provides, and its imports weakly: they are counted by the application's interface pointers.
 */
#ifndef COM_REMOTE_NODE_H
#define COM_REMOTE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <viaduct/com.h>

#include "com/remote/last_release.h"
#include "com/remote/table.h"
#include "core/link/link.h"
#include "core/os/thread.h"
#include "core/util/list.h"

struct exported;
struct peer;

struct node_settings {
    struct link_settings link;
    uint32_t call_timeout_ms;
    uint32_t activation_timeout_ms;
    uint32_t handoff_timeout_ms; /* how long an object that was handed on waits for its recipient */
};

void node_settings_default(struct node_settings *settings);

struct node {
    struct link_node *link;        /* read-only */
    struct node_settings settings; /* read-only */
    struct os_mutex lock;
    struct table exports;               /* by identity pointer; lock */
    struct table imports;               /* by (owner, id); lock */
    struct table provides;              /* by T1; lock */
    struct table accepts;               /* waiting for their provide, by T1; lock */
    struct table broken;                /* provides that have ended otherwise, by T1; lock */
    struct table watches;               /* by import; lock */
    struct table watch_cookies;         /* the same by cookie; lock */
    uint64_t next_watch;                /* lock */
    uint64_t next_object;               /* lock; 0 is the root object */
    struct exported *root;              /* read-only; object 0 of every connection */
    IUnknown *root_extra;               /* lock; what the root answers beside INode; a reference */
    struct link_timer *handoff_timer;   /* lock */
    bool handoff_timer_runs;            /* lock; or none may be started any more */
    struct list packets;                /* packet.h; lock */
    unsigned n_packets;                 /* lock */
    struct link_timer *packet_timer;    /* lock */
    bool packet_timer_runs;             /* lock; or none may be started any more */
    struct link_timer *probe_timer;     /* lock */
    atomic_bool probe_timer_runs;       /* written under lock */
    struct last_releases last_releases; /* its own rules */
    atomic_uint refs;                   /* its owner, imports */
    atomic_uint n_exports;              /* that have not ended, the root among them */
    atomic_uint_fast64_t n_failed_oneways;
    atomic_bool closed;
};

struct plugin_set;
HRESULT node_new(const struct node_settings *settings, struct plugin_set *plugins,
                 struct node **node);
/* Blocks until no callback runs. Not from a callback. Proxies that are left are dead afterwards and
 * keep the memory of the node until they are released. */
void node_stop(struct node *node);
/* After node_stop(). */
void node_free(struct node *node);
struct node *node_ref(struct node *node);
/* How many are left. */
unsigned node_unref(struct node *node);

/* What the root object answers to QueryInterface beside INode; NULL takes it away. */
void node_set_root(struct node *node, IUnknown *root);
/* With a reference; NULL if there is none. */
IUnknown *node_root(struct node *node);
/* The root object of the node at the far end of `connection`. */
HRESULT node_connect(struct node *node, const char *const *addresses, uint64_t deadline_ns,
                     REFIID iid, void **object);

/* Runs `run(argument)` on a worker, by `job`, which is free until then: so it needs no memory, and
 * cannot fail. Once the node has stopped, and nothing reads any more, it runs at once. */
void node_submit(struct node *node, struct link_job *job, void (*run)(void *argument),
                 void *argument);

#endif
