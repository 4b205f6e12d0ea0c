/*
 * A connection: what its parts share. docs/threads.md has the states, the lock order and the
 * invariants.
 *
 * Lock order: node->lock, connection->lock, chain bucket, connection->send_lock, then the
 * transport's and the poller's own. Nothing of the handler's is called under any of them.
 */
#ifndef CORE_LINK_CONNECTION_H
#define CORE_LINK_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/link/link.h"
#include "core/os/thread.h"
#include "core/util/list.h"
#include "core/util/ref.h"
#include "core/wire/frame.h"

struct call;
struct incoming;
struct memory;
struct thread;

/* A way for bytes between the two. */
struct link_path {
    const struct via_transport *transport;
    struct via_stream *stream;
};

enum right {
    RIGHT_FREE,   /* leased, and nobody reads */
    RIGHT_PARKED, /* readiness is armed in the reactor */
    RIGHT_HELD,   /* `holder` may use the receiving half of the stream */
    RIGHT_STALLED /* nobody may read, until more of what has arrived has ended */
};

enum stage {
    STAGE_HELLO, /* the other side's hello, or its answer, has not come */
    STAGE_OPEN,
    STAGE_CLOSED /* nothing is sent or read any more; `cause` says why */
};

#define CONNECTION_BUCKETS 16u

enum switch_state {
    SWITCH_NONE,    /* on the first path */
    SWITCH_OFFERED, /* memory is there, and the peer does not write to it yet */
    SWITCH_SHARED,  /* the peer writes to memory */
    SWITCH_LEAVING, /* back to the first path; frames may still be under way in memory */
    SWITCH_CLOSING  /* a worker gives the memory back */
};

/* Of this side's frames with handles; see expect.h. */
enum announcing {
    ANNOUNCE_NEVER, /* they go as they are */
    ANNOUNCE_FIRST, /* before the first one */
    ANNOUNCED,      /* they wait for the peer's answer */
    ANNOUNCE_TAKEN  /* they go */
};

/* See switch.h. */
struct switching {
    bool is_possible;           /* read-only once open: both sides can */
    enum switch_state state;    /* connection->lock */
    bool is_refused;            /* connection->lock: not tried again */
    bool in_shared, out_shared; /* connection->lock: which directions memory carries */
    unsigned n_calls;           /* connection->lock: since started_ns */
    uint64_t started_ns;        /* connection->lock */
    uint64_t cookie;            /* connection->lock: of the offer */
    struct list link;           /* node->lock: in node->in_memory; not any more when it is cold */
    uint64_t seen_frames;       /* the tick's */
    uint64_t cold_ns;           /* the tick's: when it will have been idle for too long */
    bool is_leaving;            /* node->lock: `leave_job` is queued, or runs */
    struct link_job leave_job;  /* goes back; has a use of the connection */
    struct link_job job;        /* gives the memory back; has a use of the connection */
};

/* A whole frame that the transport did not take. */
struct queued_frame {
    struct list link;
    struct link_path *next; /* the last one on its path: what follows goes there; or NULL */
    size_t size;
    uint32_t n_handles;
    via_os_handle *handles; /* our duplicates, behind the bytes */
    uint8_t bytes[];
};

/* A message that arrives in chunks. */
struct assembly {
    struct list link;
    uint64_t call_id;
    struct link_message message; /* with the first frame's tables */
    bool has_unknown_extension;  /* which must be understood */
    size_t payload_room;         /* of the storage behind what comes before the payload */
};

struct link_connection {
    struct ref refs;
    struct link_node *node;        /* read-only */
    struct link_path base;         /* read-only until the end; no `busy`, no stream */
    void *user;                    /* set in opened, read-only then */
    struct link_peer peer;         /* read-only once open; node, process_id: node->lock */
    char *peer_texts;              /* what `peer` points into */
    char *address;                 /* read-only; "" on the listening side */
    bool is_server;                /* read-only: the peer connected */
    intptr_t handle_source;        /* read-only until the end: the peer's process, to take handles
                                    * out of it; OS_NO_HANDLE: this side may not, or need not */
    struct wire_limits limits;     /* the peer's; read-only once open */
    struct wire_limits own_limits; /* what it may send; read-only once open */
    uint32_t max_send;             /* largest frame to the peer; read-only once open */

    struct list link;           /* node->connections; node->lock */
    struct list leased_link;    /* node->leased; node->lock */
    struct link_job serving;    /* while it waits for a worker that reads it; node->lock */
    struct list ended_link;     /* node->ended; node->lock */
    bool in_leased;             /* node->lock */
    bool has_claimed;           /* node->lock: peer.node is what the peer says it is */
    uint64_t hello_deadline_ns; /* read-only */

    struct os_mutex lock;
    _Atomic enum stage stage; /* written under lock */
    enum right right;         /* lock */
    struct thread *holder;    /* lock; atomic reads by the holder itself */
    uint32_t busy;            /* lock: who uses the stream or runs the handler */
    bool ended;               /* lock: the end has been handed to a worker */
    bool has_closed;          /* lock: handler.opened succeeded, handler.closed is owed */
    struct list waiters;      /* lock: calls that wait for the right or their reply */
    struct list pending[CONNECTION_BUCKETS]; /* lock: calls by id */
    uint64_t next_call_id;                   /* lock */
    uint32_t n_asyncs;                       /* lock: asynchronous ones among them */
    struct list active;         /* lock: calls of the peer that have not been answered */
    uint32_t n_active;          /* lock */
    struct os_waiter *opener;   /* lock: sleeps while the stage is STAGE_HELLO, or NULL */
    struct error_record *cause; /* lock; set with STAGE_CLOSED */

    atomic_uint n_waiters;    /* in `waiters`; written under lock */
    atomic_bool worker_waits; /* the holder is a worker that waits for the next frame */
    /* The holder, while it runs a method whose arguments it has read. Only from there can the right
     * be taken away: whoever does exchanges this for NULL first, and so does the holder when the
     * method is over. The one that succeeds has the right. */
    struct thread *_Atomic in_method;
    /* The holder's, which sleeps in the stream: until when, unless the transport keeps the time;
     * the tick interrupts it then. OS_NEVER: it does not sleep, or for ever. */
    _Atomic uint64_t wait_until_ns;
    atomic_uint activity;          /* counts frames; written by the holder, the tick compares */
    unsigned seen_activity;        /* the tick's */
    unsigned seen_method;          /* the tick's */
    unsigned quiet_ticks;          /* the tick's */
    _Atomic uint32_t n_incoming;   /* records of calls that are alive, queued ones included */
    _Atomic size_t incoming_bytes; /* what those records hold */
    atomic_bool is_stalled;        /* RIGHT_STALLED; written under lock */
    uint64_t stalled_ns;           /* lock: since when */
    uint32_t stalled_at;           /* lock: n_incoming then */

    struct os_mutex in_lock; /* after all others of the connection */
    struct link_path shared; /* changed with lock and in_lock; stream NULL: there is none */
    struct link_path *in;    /* the holder's, who changes it with lock and in_lock */
    struct switching switching;
    bool has_memory;               /* read-only once open: both sides pass blocks */
    bool takes_announcements;      /* read-only once open: both sides announce handles */
    struct memory *_Atomic memory; /* set once; NULL: nothing was passed yet */

    /* The holder's: */
    atomic_bool refuses_handles; /* the first path's stream was told to, until the peer announces
                                    them; tests look at it, too */
    bool is_watched;      /* the transport may still watch for bytes (VIA_TRANSPORT_WATCHES) */
    uint32_t taken_at;    /* node->n_taken when a worker last took it up; 0: never */
    uint32_t stall_level; /* doublings of what may arrive; while stalled: under lock */
    bool drained;         /* the transport has received no more than was consumed */
    size_t frame_size;    /* of the frame that is borrowed; 0: none */
    uint8_t *frame_copy;  /* of what the peer could still change; max_frame bytes, or NULL */
    struct list assemblies;
    uint32_t n_assemblies;
    uint32_t spin_ns; /* how long spinning has been worth while lately */
    bool is_crowded;  /* other threads wanted the processor when it last let them run */

    struct os_mutex send_lock;
    struct link_path *out;      /* send_lock */
    struct link_path *out_next; /* send_lock: where `out` goes when all is sent, or NULL */
    enum announcing announcing; /* send_lock */
    struct list senders;        /* send_lock: callers that wait for room in the queue */
    struct list queue;          /* send_lock: frames, oldest first */
    size_t queue_size;          /* send_lock: bytes in them */
    struct list parked;         /* send_lock: struct parked of numbered.h, oldest first */
    uint32_t n_parked;          /* send_lock: handles in them */
    bool write_armed;           /* send_lock */
    bool send_closed;           /* send_lock: nothing is sent any more */
    uint64_t progress_ns;       /* send_lock: when the peer last took something */
    uint64_t next_chunk_id;     /* send_lock: of one-way messages in chunks */
    _Atomic bool is_sending;    /* frames are queued or in the transport's hands */
    size_t cork_size;           /* send_lock: bytes that wait for frames behind them; cork.h */
    uint64_t cork_ns;           /* send_lock: when a frame that might have waited was last early */
    bool cork_listed;           /* send_lock: it is in node->corked, or about to be */
    bool cork_is_new;           /* send_lock: something has waited since the last tick */
    struct thread *_Atomic corker; /* whose frames wait, of several the last's; compared only;
                                    * written under send_lock; NULL: nothing waits */
    struct list cork_link;         /* node->corked; node->lock */
    bool cork_stays;               /* node->lock: listed again since the tick came to it */

    _Atomic uint64_t frames_sent, bytes_sent, calls_sent;             /* written under send_lock */
    _Atomic uint64_t frames_received, bytes_received, calls_received; /* written by the holder */
};

/* For counters that one thread at a time writes: cheaper than an atomic addition. */
static inline void connection_count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* A stream becomes a connection in STAGE_HELLO, linked into the node, its right held by nobody. On
 * failure the stream is closed. */
HRESULT connection_new(struct link_node *node, const struct via_transport *transport,
                       struct via_stream *stream, const char *address, bool is_server,
                       struct link_connection **connection);

/* Ends the wait of whoever waits in the receiving stream, or the next one. Any locks. */
void connection_interrupt(struct link_connection *connection);

/* Counts one more (less) that uses the stream or runs a callback. `use` fails once it is closed. */
bool connection_use_locked(struct link_connection *connection);
bool connection_use(struct link_connection *connection);
void connection_drop(struct link_connection *connection);
/* True: it has ended and nobody uses it, which is to be told by worker_finish_soon(), without the
 * lock. */
bool connection_drop_locked(struct link_connection *connection);

/* The stage is another than STAGE_HELLO now: whoever waits for that goes on. */
void connection_left_hello_locked(struct link_connection *connection);

/* Ends it with the thread's error record (consumed) or, without one, the code alone. `goodbye`:
 * tell the peer. Any thread, no locks held. */
void connection_fail(struct link_connection *connection, HRESULT code, bool goodbye);
/* The last part, on a worker or in stop: handler.closed, and the stream's end. */
void connection_finish(struct link_connection *connection);

static inline bool connection_is_open(const struct link_connection *connection)
{
    return atomic_load_explicit(&((struct link_connection *)connection)->stage,
                                memory_order_acquire) == STAGE_OPEN;
}

/* The error of a closed connection, as the thread's; returns its code. */
HRESULT connection_closed_error(struct link_connection *connection);

#endif
