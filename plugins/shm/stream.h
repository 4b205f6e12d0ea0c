/*
 * The inside of a stream, shared by its files: life (stream.c), set-up (setup.c), sending (send.c),
 * receiving (receive.c), waiting (wait.c), readiness (ready.c), the carrier (carrier.c).
 *
 * A stream has a carrier and, once it is set up, a segment with a ring each way. Bytes go through
 * the rings alone. The carrier brings the set-up, handles, a wake-up where there is no other way,
 * and the end of the peer. It is a connected Unix socket (carrier_socket.c) or, between Windows
 * programs that share a section, a pipe (carrier_pipe_windows.c).
 */
#ifndef SHM_STREAM_H
#define SHM_STREAM_H

#include "plugins/shm/segment.h"
#include "plugins/unixsock/socket.h"

/* Contiguous room that reserve and peek promise. */
#define SHM_MAX_SPAN SEGMENT_MIN_CAPACITY
/* What is committed while the ring is full; see send.c. */
#define SHM_OVERFLOW_SIZE (2u * SHM_MAX_SPAN)
/* In one commit. */
#define SHM_MAX_HANDLES 64u
/* Received and not taken. An honest peer cannot exceed the handles of the frames in the ring by
 * much; who sends more than this without a frame that claims them is cut off. */
#define SHM_MAX_PENDING_HANDLES 512u
/* Commits with handles that wait for the carrier. */
#define SHM_MAX_BATCHES 64u
/* After so many bytes the producer is told, even if more can be read at once. */
#define SHM_RELEASE_AFTER(capacity) ((capacity) / 4)

/* A record on the carrier. Kinds of a peer's that are unknown break the stream. */
#define RECORD_WAKE    1u
#define RECORD_HANDLES 2u
struct record {
    uint32_t kind;
    uint32_t n_handles; /* that come with it */
    uint64_t position;  /* RECORD_HANDLES: of the first byte of their commit */
};

/* How a stream ended; the first one counts. */
enum stream_end {
    STREAM_ALIVE,
    STREAM_SHUT,     /* by us */
    STREAM_GONE,     /* the peer has closed or died */
    STREAM_VIOLATED, /* the peer broke the rules on the carrier */
    STREAM_EXCEEDED  /* handles: ours ran out, or too many came */
};

enum stream_state { STREAM_AWAITING, STREAM_UP, STREAM_REFUSED };

/* Handles of one commit that wait for the carrier. */
struct handle_batch {
    struct handle_batch *next;
    uint64_t position;
    uint32_t n;
    int32_t descriptors[SHM_MAX_HANDLES]; /* our duplicates */
};

struct stream_sender {                 /* the sender lock */
    struct ring_writer ring;           /* capacity 0: the sender has not met the segment yet */
    struct via_plugin_buffer overflow; /* data NULL: none is borrowed */
    size_t head;                       /* bytes from head to tail wait for room in the ring */
    size_t tail;
    size_t reserved; /* the room that the last reserve gave, in the ring or behind the tail */
    bool in_overflow;
    struct handle_batch *first;
    struct handle_batch *last;
    uint32_t n_batches;
    HRESULT broken;
};

struct stream_receiver {     /* the reader right */
    struct ring_reader ring; /* capacity 0: the receiver has not met the segment yet */
    HRESULT broken;
    bool starved; /* the last peek wanted more than there is, and nothing has come since */
};

struct received_handle {
    uint64_t position;
    int32_t descriptor;
};

struct carrier_line;
struct carrier_kind {
    uint32_t max_handles; /* in one commit */
    /* Whether the process's end is also the line's; else its life has to be watched. */
    bool ends_with_process;
    /* As socket_send() and socket_receive(). One message is sent and received as a whole; a peer
     * that sends a part of one breaks the rules. */
    HRESULT(*send)
    (struct carrier_line *line, const void *data, size_t size, const int32_t *descriptors,
     uint32_t n);
    HRESULT(*receive)
    (struct carrier_line *line, void *data, size_t size, size_t *n,
     struct socket_received *received);
    /* [setup_lock] Takes the set-up if it has come, and lets the stream be STREAM_UP;
     * VIA_S_WOULD_BLOCK. */
    HRESULT (*take_setup)(struct via_stream *stream);
    void (*shutdown)(struct carrier_line *line);
    void (*close)(struct carrier_line *line);
};
/* The connection itself; read-only once the stream has it, but for `life`. */
struct carrier_line {
    const struct carrier_kind *kind;
    int32_t descriptor; /* readable when something has come; -1: there is nothing to come */
    int32_t life; /* readable when the peer's process has ended; -1; written before STREAM_UP */
    void *pipe;   /* the kind's own */
    struct via_peer_identity peer;
    bool is_same_user;
};
extern const struct carrier_kind carrier_socket;

struct stream_carrier {
    struct carrier_line line;
    struct socket_lock lock; /* what follows, and receiving */
    struct received_handle *handles;
    uint32_t n_handles;
    uint32_t handle_room;
    uint64_t last_position;
};

struct stream_readiness { /* `lock` */
    struct socket_lock lock;
    void (*ready)(void *token, uint32_t events);
    void *token;
    _Atomic uint32_t armed; /* changed with the lock */
    bool read_is_broken;
    uint64_t read_beyond; /* news is a head other than this */
    enum { WRITE_NOW, WRITE_AFTER_SETUP, WRITE_AFTER_CARRIER, WRITE_AFTER_TAIL } write_wait;
    uint64_t write_from; /* WRITE_AFTER_TAIL: there is room when the tail has come so far */
    bool posted;         /* a post to the reactor is under way; it holds a reference */
    bool reporting;      /* `ready` is being called */
    bool closing;
    _Atomic bool carrier_armed; /* changed with the lock */
    struct via_plugin_watch *carrier_watch;
    struct via_plugin_watch *life_watch;
    struct via_plugin_watch *event_watch; /* NULL before set-up, or where there is no event */
};

struct via_stream {
    _Atomic uint32_t state; /* enum stream_state; the segment is there once it is STREAM_UP */
    _Atomic uint32_t end;   /* enum stream_end */
    _Atomic uint32_t n_references;
    _Atomic bool interrupted; /* ends the wait that runs, or the next */
    _Atomic uint32_t n_waits; /* odd: a thread may sleep on its word */
    struct stream_carrier carrier;
    struct socket_lock setup_lock;
    HRESULT refusal; /* setup_lock; read-only once REFUSED */
    /* Written under setup_lock before STREAM_UP, read-only afterwards: */
    struct segment segment;
    bool is_maker; /* of the segment */
    struct ring_control *in;
    struct ring_control *out;
    int32_t own_event;  /* the peer sets it when this side is parked */
    int32_t peer_event; /* we set it; -1: it is not trusted, the carrier serves */
    int32_t own_bell;   /* see system_sleep() */
    int32_t peer_bell;
    int32_t memory; /* open while the peer may still ask for it; -1 */
    struct stream_sender sender;
    struct stream_receiver receiver;
    struct stream_readiness readiness;
};

/* --- life --- */

/* A stream that awaits its set-up, over a line that it owns from then on, also when it fails. */
HRESULT shm_new(const struct carrier_line *line, struct via_stream **stream);
void shm_unref(struct via_stream *stream);
static inline bool shm_is_up(struct via_stream *stream)
{
    return atomic_load_explicit(&stream->state, memory_order_acquire) == STREAM_UP;
}
/* The stream is at its end for the given reason, unless it was before. */
void shm_end(struct via_stream *stream, enum stream_end end);
/* Whether nothing will come behind what is in the ring. Looked at before the ring is. */
bool shm_has_ended(struct via_stream *stream);
/* The failure of operations after the end. */
HRESULT shm_fail_ended(struct via_stream *stream);
/* Wakes the peer if `how` says that it slept. */
void shm_wake_peer(struct via_stream *stream, uint32_t how, _Atomic uint32_t *word);

void shm_shutdown(struct via_stream *stream);
void shm_close(struct via_stream *stream);
HRESULT shm_peer_identity(struct via_stream *stream, struct via_peer_identity *identity);

/* --- set-up --- */

/* Makes the segment and sends it over the carrier, a socket. */
HRESULT setup_start(struct via_stream *stream);
/* Receives it; the socket's take_setup. */
HRESULT setup_receive(struct via_stream *stream);
/* Maps the segment, which has been checked, as its maker or its other side. */
HRESULT setup_map(struct via_stream *stream, int32_t memory, uint32_t capacity, bool is_maker);
/* Takes the peer's set-up if it has come. S_OK: the stream is up; VIA_S_WOULD_BLOCK; the refusal.
 */
HRESULT setup_finish(struct via_stream *stream);
HRESULT shm_offer(const struct via_peer_identity *peer, struct via_offer *offer,
                  struct via_stream **stream);
HRESULT shm_attach(const struct via_peer_identity *peer, const struct via_offer *offer,
                   struct via_stream **stream);

/* --- the carrier --- */

/* Receives what has come on the carrier; a failure or end becomes the stream's. */
void carrier_receive(struct via_stream *stream);
/* VIA_S_WOULD_BLOCK: the carrier is full. */
HRESULT carrier_send_handles(struct via_stream *stream, uint64_t position,
                             const int32_t *descriptors, uint32_t n);
void carrier_send_wake(struct via_stream *stream);
/* Looks whether the peer is still there. */
void carrier_check(struct via_stream *stream);
HRESULT shm_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n);
void carrier_deinit(struct stream_carrier *carrier);
/* A line of a connected socket. `life` is 0 or more, or -1. */
void carrier_socket_line(int32_t descriptor, const struct socket_peer *peer, int32_t life,
                         struct carrier_line *line);

/* --- sending, receiving, waiting, readiness --- */

HRESULT shm_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
HRESULT shm_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                   uint32_t n_handles, uint32_t flags);
void shm_sender_deinit(struct stream_sender *sender);

HRESULT shm_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
void shm_consume(struct via_stream *stream, size_t n);
HRESULT shm_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n);
void shm_park(struct via_stream *stream);
/* Meets the segment, if it is there. */
void shm_meet(struct via_stream *stream);
/* Tells the producer what has been consumed, if that is news. */
void shm_release(struct via_stream *stream);

HRESULT shm_wait(struct via_stream *stream, uint64_t deadline_ns);
void shm_interrupt(struct via_stream *stream);
/* Lets a thread in `wait` look again. */
void wait_kick(struct via_stream *stream);
static inline bool shm_is_waiting(struct via_stream *stream)
{
    return atomic_load(&stream->n_waits) & 1;
}

HRESULT shm_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                      void *token);
HRESULT shm_arm(struct via_stream *stream, uint32_t events);
void shm_disarm(struct via_stream *stream, uint32_t events);
/* Whether the reactor watches for the end, and kicks a thread in `wait` then. */
bool shm_ready_watch(struct via_stream *stream);
/* Reports what is armed and true, by a post. Any thread. */
void shm_ready_look(struct via_stream *stream);
void shm_ready_init(struct via_stream *stream);
/* After it returns no `ready` call is running or will start. */
void shm_ready_close(struct via_stream *stream);
void shm_ready_deinit(struct via_stream *stream);
/* Waits until nothing that was posted to the reactor is under way; for deinit. */
void shm_ready_wait_for_posts(void);

/* --- addresses --- */

/* Of "shm:NAME"; VIA_E_ADDRESS. */
HRESULT shm_check_name(const char *name);

HRESULT shm_listen(const char *address, const struct via_listen_options *options,
                   void (*ready)(void *token, uint32_t events), void *token,
                   struct via_listener **listener);
HRESULT shm_accept(struct via_listener *listener, struct via_stream **stream);
HRESULT shm_connect(const char *address, const struct via_connect_options *options,
                    struct via_stream **stream);

extern const struct via_transport shm_transport;

#endif
