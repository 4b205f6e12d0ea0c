/*
 * Between the files of core/relay: relay.c (a relay's life, its listener), session.c (a client and
 * its target, from the one's coming to the end of both), flow.c (one direction), splice.c (the same
 * without copying), timer.c (what is due).
 *
 * "The reactor" owns a field: callbacks of streams and listeners and posts, of which one runs at a
 * time. A stream may not be closed in its own callback; so a session that is over goes to
 * `relay->dead`, and a post closes it.
 */
#ifndef CORE_RELAY_RELAY_PARTS_H
#define CORE_RELAY_RELAY_PARTS_H

#include "core/relay/relay.h"

#include <stdatomic.h>
#include <viaduct/plugin/transport.h>

#include "core/os/thread.h"
#include "core/relay/access.h"
#include "core/util/list.h"

struct relay_timer {
    struct os_mutex lock;
    struct os_waiter waiter;
    struct os_thread *thread; /* lock; NULL: not started */
    uint64_t due_ns;          /* lock */
    bool is_over;             /* lock */
    bool is_posted;           /* lock: a tick is on its way */
};

struct error_record;

/* The system's pipe; splice.c. */
struct splice_pipe {
    struct splice_pipe *next; /* in `idle` */
    intptr_t read_end;
    intptr_t write_end;
    size_t n; /* bytes in it */
};

struct splice_pool {
    struct splice_pipe *idle; /* empty ones */
    unsigned n_idle;
    unsigned n; /* of all */
};

struct relay_set {
    struct os_poller *poller;         /* read-only */
    const struct plugin_set *plugins; /* read-only */
    struct relay_timer timer;
    struct splice_pool pipes; /* the reactor's */
    struct os_mutex lock;     /* held while a tick runs */
    struct list relays;       /* lock */
};

struct relay {
    struct list link;      /* set->lock */
    struct relay_set *set; /* read-only, with all up to `transport` */
    char *listen;
    char **targets; /* patterns; NULL behind the last */
    struct access access;
    struct access trust;
    uint32_t idle_ms;
    uint32_t patience_ms;
    uint32_t max_clients;
    uint32_t open_flags;
    bool messages;
    const struct via_transport *transport;
    struct via_listener *listener; /* read-only once it is armed; closed on the reactor */

    /* The reactor's. */
    struct list waiting; /* sessions whose target is not there yet */
    struct list open;
    struct list dead;               /* to be closed by the post */
    bool is_sweeping;               /* that post is on its way */
    bool is_ending;                 /* nobody is let in any more */
    uint64_t paused_until_ns;       /* the listener is armed again then; 0: it is armed */
    uint64_t warned_ns;             /* relay_warn */
    bool is_said;                   /* the log says that the target is missing */
    struct os_waiter *ended;        /* who waits until everything is closed */
    atomic_uint_fast64_t counts[6]; /* enum relay_count; written by the reactor */

    struct os_mutex lock; /* the next two */
    bool is_down;
    char failure[512];
};

enum relay_count { COUNT_CLIENTS, COUNT_TOTAL, COUNT_REFUSED, COUNT_UNREACHABLE, COUNT_BYTES };

static inline void relay_count(struct relay *relay, unsigned which, uint64_t n)
{
    atomic_fetch_add_explicit(&relay->counts[which], n, memory_order_relaxed);
}

/* A direction is named by its end: TO_TARGET reads at the client and writes at the target. */
enum direction { TO_TARGET, TO_CLIENT };
enum { CLIENT, TARGET };

struct relay_end {
    struct relay_session *session;
    const struct via_transport *transport;
    struct via_stream *stream; /* NULL: not there */
    bool keeps_messages;
};

struct relay_flow {
    bool has_ended;           /* nothing more comes from its source */
    bool is_over;             /* and that takes nothing any more either */
    bool is_settled;          /* its sink has been told, or cannot be */
    bool is_bulk;             /* it moves large pieces, so that a pipe is worth while */
    bool is_copied;           /* one of its sides does without pipes */
    struct splice_pipe *pipe; /* with bytes that the sink has not taken; NULL: none */
};

enum session_stage { SESSION_WAITS, SESSION_OPEN, SESSION_DEAD };

/* All of it is the reactor's. */
struct relay_session {
    struct list link; /* in `waiting`, `open` or `dead` */
    struct relay *relay;
    enum session_stage stage;
    struct via_peer_identity client; /* flags 0: not known */
    struct relay_end ends[2];        /* CLIENT, TARGET */
    struct relay_flow flows[2];      /* TO_TARGET, TO_CLIENT */
    uint64_t last_ns;                /* when bytes moved last */
    uint64_t retry_ns;               /* while it waits */
    uint64_t give_up_ns;
    uint32_t back_off_ms;
    unsigned at_target; /* the one that is being connected to, or the first */
    /* Why the first target that has failed did, while it waits; S_OK: none has. */
    HRESULT failure_code;
    struct error_record *failure; /* owned; NULL: none, or there was no memory */
    unsigned at_failure;
    bool is_half; /* one direction has ended in a way that its sink was not told */
};

/* --- session.c: on the reactor --- */

/* Takes the stream of a client over. */
void session_start(struct relay *relay, struct via_stream *stream);
/* What is due; gives when the next thing is. */
uint64_t session_tick(struct relay_session *session, uint64_t now_ns);
void session_end(struct relay_session *session);
/* Only from a post. */
void session_close(struct relay_session *session);

/* --- flow.c: on the reactor --- */

/* Moves what there is, up to a bound, and arms what it waits for. May end the session. */
void flow_pump(struct relay_session *session, enum direction direction);
/* The source of this direction says that its peer may be gone. */
void flow_source_closed(struct relay_session *session, enum direction direction);

/* --- splice.c: on the reactor --- */

static inline struct relay_end *flow_source(struct relay_session *session, enum direction direction)
{
    return &session->ends[direction == TO_TARGET ? CLIENT : TARGET];
}

static inline struct relay_end *flow_sink(struct relay_session *session, enum direction direction)
{
    return &session->ends[direction == TO_TARGET ? TARGET : CLIENT];
}

/* Receives one piece into a pipe that the direction has then. VIA_S_WOULD_BLOCK: nothing is there;
 * S_FALSE: it has to be copied; a failure is the source's, at its end. */
HRESULT splice_receive(struct relay_session *session, enum direction direction, size_t *n);
/* Sends what is in the direction's pipe, and gives that back. S_OK: nothing is left;
 * VIA_S_WOULD_BLOCK; a failure is the sink's. */
HRESULT splice_send(struct relay_session *session, enum direction direction);
/* What is in the pipe is lost. */
void splice_drop(struct relay_session *session, enum direction direction);
void splice_pool_deinit(struct splice_pool *pool);

/* --- relay.c --- */

/* On the reactor: closes what is dead, soon. */
void relay_sweep(struct relay *relay);
/* On the reactor: logs a warning about the relay's clients, not too often. */
void relay_warn(struct relay *relay, const char *text);
/* On the reactor: whether the target is missing, for the status; `failure` may be NULL. */
void relay_set_down(struct relay *relay, bool is_down, const char *failure);
/* On the reactor: what is due in it; when the next thing is. */
uint64_t relay_tick(struct relay *relay, uint64_t now_ns);

/* --- timer.c --- */

void timer_init(struct relay_timer *timer);
/* Blocks until no tick runs or will run. The reactor still runs. */
void timer_stop(struct relay_set *set);
/* Any thread. A tick is wanted at this time, or sooner. */
void timer_need(struct relay_set *set, uint64_t due_ns);

#endif
