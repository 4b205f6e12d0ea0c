/*
 * What one connection means in objects: which of ours the peer may name, and what is to be given
 * back.
 *
 * Capability entries. An entry is one of our objects that this peer was given, with the number of
 * times; a frame that names anything else is refused. An entry with count 0 stays while calls on it
 * are under way, for its order: one-way calls on one object from one connection run one after
 * another, and a later call waits for them, unless it belongs to the chain of the one that runs.
 *
 * Releases of what we hold of the peer's are collected: whoever comes while another thread sends
 * them leaves his to that thread.
 */
#ifndef COM_REMOTE_PEER_H
#define COM_REMOTE_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <viaduct/com.h>

#include "com/remote/binding.h"
#include "com/remote/handed_on.h"
#include "com/remote/table.h"
#include "core/link/link.h"
#include "core/os/thread.h"
#include "core/util/list.h"

struct error_record;
struct exported;
struct node;
struct stub_call;

/* Objects that one peer may hold of ours, and frames of provide and accept that one peer may have
 * open. */
#define PEER_MAX_ENTRIES  (1u << 20)
#define PEER_MAX_PROVIDES 4096u

struct peer_release {
    uint64_t id;
    uint32_t count;
    uint32_t reserved;
};

struct peer {
    atomic_uint refs;                   /* its connection, imports, capability entries under way */
    struct node *node;                  /* read-only */
    struct link_connection *connection; /* read-only; a reference */
    struct os_mutex lock;
    struct table entries;          /* by id; lock */
    struct table kept;             /* by call id; lock */
    atomic_uint n_kept_out;        /* our calls whose results it keeps */
    struct bindings bindings;      /* has its own rules */
    struct peer_release *releases; /* lock; to be sent */
    size_t n_releases;             /* lock */
    size_t max_releases;           /* lock */
    bool releasing;                /* lock; somebody sends them */
    struct peer_entry *recent;     /* lock; the listed entry that was found last, or NULL */
    struct list imports;           /* node->lock; listed ones whose path it is */
    unsigned n_provides;           /* node->lock; ours that it has provided and nobody accepted */
    unsigned n_accepts;            /* node->lock; its accepts that wait */
    struct handed_on handed_on;    /* lock; what it was promised of others' */
    bool dead;                     /* lock */
    bool explained;                /* lock; the cause says how the process ended */
    struct error_record *cause;    /* lock */
};

struct peer_entry {
    struct table_link link;      /* peer->entries; peer->lock */
    struct peer *peer;           /* read-only */
    struct exported *exported;   /* read-only; a reference, and a holder while count > 0 */
    uint64_t id;                 /* read-only */
    uint64_t count;              /* peer->lock; 0: the peer may not name it any more */
    unsigned n_calls;            /* peer->lock; under way */
    bool listed;                 /* peer->lock; in peer->entries */
    bool oneway_runs;            /* peer->lock */
    bool is_passing;             /* peer->lock; a thread starts those that waited for one */
    struct link_id oneway_chain; /* peer->lock; of the one that runs */
    struct stub_call *first;     /* peer->lock; waiting for it, in order of arrival */
    struct stub_call **last;     /* peer->lock */
};

HRESULT peer_new(struct node *node, struct link_connection *connection, struct peer **peer);
struct peer *peer_ref(struct peer *peer);
void peer_unref(struct peer *peer);
/* The peer of a connection that handler.opened has seen. */
struct peer *peer_of(const struct link_connection *connection);
const struct link_peer *peer_info(const struct peer *peer);
/* The connection has ended: everything that it held is given back. */
void peer_closed(struct peer *peer);
bool peer_is_dead(struct peer *peer);
/* Sets the thread's error to why the peer is gone: RPC_E_DISCONNECTED, with its process named. */
HRESULT peer_disconnected(struct peer *peer);

/* --- what the peer may name --- */

/* Gives the peer one count of an object; takes over one holder and reference of export_hold(), also
 * when it fails. */
HRESULT peer_give(struct peer *peer, struct exported *exported);
/* The peer gives back; VIA_E_PROTOCOL if it was not given as many. */
HRESULT peer_take_back(struct peer *peer, uint64_t id, uint64_t count);
/* The object behind an id, with a reference, or NULL with RPC_E_INVALID_OBJECT. */
struct exported *peer_resolve(struct peer *peer, uint64_t id);
/* The same for a call, which it counts as under way. `may_run`: what peer_order_enter() says. */
struct peer_entry *peer_enter(struct peer *peer, uint64_t id, const struct stub_call *call,
                              bool *may_run);
/* The same for an object that the peer is known to have, whatever it has released since. NULL:
 * memory is short, or the connection has ended. */
struct peer_entry *peer_enter_exported(struct peer *peer, struct exported *exported);
/* The call is over. If it was a one-way call, `start` is called for what may start now, in order
 * and with no lock held; what arrives meanwhile comes behind that. */
void peer_leave(struct peer_entry *entry, const struct stub_call *call,
                void (*start)(struct stub_call *ready));

/* --- the order of one-way calls --- */

/* The same as peer_enter() says, for a call that has its entry already. */
bool peer_may_run(struct peer_entry *entry, const struct stub_call *call);
/* Whether the call may start now; a one-way call that may is then the one that runs. One that may
 * not is put into the queue. */
bool peer_order_enter(struct peer_entry *entry, struct stub_call *call);

/* --- giving back --- */

/* Gives `count` of the peer's object `id` back. Does not block. */
void peer_release(struct peer *peer, uint64_t id, uint32_t count);

#endif
