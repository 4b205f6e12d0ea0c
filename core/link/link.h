/*
 * Nodes, connections and calls: what com/remote builds objects on.
 *
 * A node owns listeners, connections, a reactor and workers. A connection carries frames both ways;
 * this layer frames, reassembles, answers hello, waits, routes chains, keeps deadlines and notices
 * death. It knows neither objects nor interfaces: what a call's target means is the handler's
 * business.
 *
 * The reader right (docs/threads.md): each connection has one; whoever holds it may read. A caller
 * that waits takes it if it is free, reads for everybody, and passes it on when it leaves. Nobody
 * sends while blocking: what the transport does not take goes to the connection's bounded
 * out-queue.
 *
 * All functions may be called from any thread unless stated. "Blocks" means: may sleep until a
 * deadline.
 */
#ifndef CORE_LINK_LINK_H
#define CORE_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>
#include <viaduct/plugin/transport.h>

#include "core/os/handle.h"
#include "core/util/list.h"

struct error_record;
struct link_async;
struct link_blocks;
struct link_connection;
struct link_node;
struct link_views;
struct plugin_set; /* core/plugin: the loaded transports */

#define LINK_NO_DEADLINE UINT64_MAX

struct link_id {
    uint8_t bytes[16];
};

/* Bytes of a call's record that are the handler's, from route to the end of run. */
#define LINK_ROOM_SIZE 288u

/* A message as it was received, all chunks joined; also what a reply is. The pointers are into the
 * receive buffer until link_message_own() or the message's release; `handles` are the receiver's to
 * take. */
struct link_message {
    struct link_connection *connection;
    uint8_t kind; /* enum wire_kind */
    uint8_t flags;
    uint16_t n_references;
    uint16_t n_handles;
    uint64_t call_id;
    const uint8_t *references; /* the table, checked for form */
    size_t references_size;
    const uint8_t *body; /* the kind's fixed part, checked for size */
    size_t body_size;
    const uint8_t *payload;
    size_t payload_size;
    via_os_handle *handles; /* n_handles of them; a taken one is replaced by -1 */
    void *user;             /* the handler's own, from route to run, or from keep; NULL at first */
    void *room;             /* a call's: LINK_ROOM_SIZE bytes, aligned to 8, not cleared */
    struct link_views *views; /* private: a call's blocks, or NULL */
    void *storage; /* private: what the pointers point into, when it is owned; else NULL */
    void *state;   /* private to core/link */
};

/* A message to send. Everything is copied before the function returns. */
struct link_request {
    uint8_t kind;
    uint16_t n_references;
    uint16_t n_handles;
    const uint8_t *references;
    size_t references_size;
    const void *body;
    size_t body_size;
    const void *payload;
    size_t payload_size;
    const via_os_handle *handles;
    /* link_call only, may be NULL: memory of the caller's, aligned to 8, that a short reply is
     * copied to, so that others can read the connection at once. */
    void *reply_room;
    size_t reply_room_size;
    /* link_call of a call only, may be NULL: what it passes beside the payload. They are
     * link_call's once something is sent, and the caller's again where nothing was. */
    struct link_blocks *blocks;
    const void *fields; /* private to core/link: what it fills in of a call's body; else NULL */
};

/* Where a call is to run; decided on the reader's thread, without blocking and without user code.
 */
enum link_route {
    LINK_ROUTE_ANY,    /* a thread that waits in the call's chain, else a worker */
    LINK_ROUTE_QUEUED, /* the handler took the message (link_message_own) into a context of its own
                        * and will run it by link_message_run(), at once or later, on any thread;
                        * the pointer that route() got stays valid until then */
    LINK_ROUTE_REFUSED /* the handler has answered it already */
};

/* What the upper layer does. All functions get the `context` of link_node_new(). */
struct link_handler {
    /* [reactor or connecting thread] After hello, before any other frame. A failure refuses the
     * peer. May attach per-connection state by link_connection_set_user(). */
    HRESULT (*opened)(void *context, struct link_connection *connection);
    /* [a worker, or the thread that closes] Once, after every pending call has failed, and after
     * the last route/control of the connection has returned, and every run that had begun before
     * its end. Calls that wait, for a worker too, run later: what they need has to last. */
    void (*closed)(void *context, struct link_connection *connection);
    /* [reader] A call, one-way call, query-interface or accept has arrived. Must not block or run
     * user code. */
    enum link_route (*route)(void *context, struct link_message *call);
    /* [waiting thread of the chain, or a worker; link_current() is set] Runs a call and answers it,
     * unless it is one-way. Calls link_message_decoded() as soon as it has read the arguments,
     * before user code runs. Called exactly once for each LINK_ROUTE_ANY and link_message_run(),
     * also when the connection has ended meanwhile (answers are dropped then). query-interface and
     * accept have no chain: a worker runs them. */
    void (*run)(void *context, struct link_message *call);
    /* [reader] Any other object frame: release, interface, provide, withdraw, finish. Must not
     * block or run user code (hand that to link_node_submit: a worker that reads runs the first
     * such job itself, behind the frame). A failure ends the connection with it. */
    HRESULT (*control)(void *context, struct link_message *frame);
    /* [reader] A reply that nobody waits for any more (its caller has given up): what its reference
     * table, or keep(), holds has to be given back. Must not block or run user code. */
    void (*dropped)(void *context, struct link_message *reply);
    /* [reader] A reply with references goes to another thread, which may look at it only after
     * frames that came behind it have been handled: what the table names has to last, and may be
     * kept in `user`. Must not block or run user code. A failure becomes the call's. */
    HRESULT (*keep)(void *context, struct link_message *reply);
};

struct link_settings {
    uint32_t max_workers;    /* 64 */
    uint32_t worker_idle_ms; /* a worker with nothing to do ends after so long; 10000 */
    uint32_t max_spin_us;    /* a waiting thread spins at most so long before it sleeps; 0: never */
    uint32_t hello_timeout_ms; /* 5000 */
    uint32_t max_frame;        /* 64 KiB */
    uint32_t max_message;      /* 16 MiB */
    uint32_t
        out_queue_size; /* bytes of unsent frames of a connection; 4 MiB, at least max_message */
    uint32_t drain_timeout_ms; /* a peer that takes nothing for so long, with frames queued, is cut
                                  off; 10000 */
    uint32_t max_connections;  /* 0: no limit but descriptors */
    uint16_t max_handles;      /* of a message of a peer's, besides the offers of switch.h; 64 */
    bool stay;                 /* hot connections do not move to shared memory */
    uint32_t hot_calls;        /* so many calls within 10 ms make one hot; 64 */
    uint32_t cold_ms;          /* it goes back after so long without a frame; 30000 */
    const char *agent;         /* "viaductd 0.1.0"; told to peers */
    /* Whom to let in, after the kernel's identity is known; NULL: same user and privileged users
     * only. */
    HRESULT (*admit)(void *context, const struct via_peer_identity *identity);
};

void link_settings_default(struct link_settings *settings);

/* --- the node --- */

/* No thread is started before it is needed: by listening, by link_node_need_reactor(), by a full
 * out-queue. */
HRESULT link_node_new(const struct link_settings *settings, struct plugin_set *plugins,
                      const struct link_handler *handler, void *context, struct link_node **node);
const struct link_id *link_node_id(const struct link_node *node);
/* From now on unsolicited frames are read within two ticks: something is exported or watched. */
HRESULT link_node_need_reactor(struct link_node *node);
/* "unix:/path"; the address is told to peers in hello unless `hidden`. */
HRESULT link_node_listen(struct link_node *node, const char *address, bool hidden);
/* Blocks. Connects to the first of the addresses (zero-terminated, NULL at the end) that answers.
 * Where a connection to that address exists already, that one. The error names every address tried
 * and why it failed. */
HRESULT link_node_connect(struct link_node *node, const char *const *addresses,
                          uint64_t deadline_ns, struct link_connection **connection);
/* A live connection to the node, with a reference, or NULL. */
struct link_connection *link_node_find(struct link_node *node, const struct link_id *peer);
/* Calls `visit` for each open connection, with no lock held; its handler.closed comes after that.
 */
void link_node_each(struct link_node *node, void (*visit)(void *, struct link_connection *),
                    void *argument);
/* Something to be done by a worker: embedded in what it is, so that submitting needs no memory. */
struct link_job {
    struct list link;            /* node->lock */
    void (*run)(void *argument); /* may free what the job is in */
    void *argument;
};
/* Runs the job on a worker, in no chain. False: the node has stopped (or this process is a fork):
 * nothing reads any more, and the caller runs it. */
bool link_node_submit(struct link_node *node, struct link_job *job);
/* A chain id that nobody can guess. */
HRESULT link_new_chain(struct link_id *chain);
/* Runs it here and now, in a chain: calls that it makes belong to that, and calls of the chain come
 * to where it waits in one of them. No call is running to it: link_current() is NULL. */
void link_run_in_chain(const struct link_id *chain, void (*run)(void *argument), void *argument);
/* Jobs for one thread that is not a worker: inbox.h has the model. `new`: on the thread whose it is
 * from then on. `run`: there too; runs what is put in, as the thread's own message loop where it is
 * an apartment of COM's (os_apartment_wait()), until its end, when all has been run. Wherever the
 * thread waits in a link_call() or link_async_wait() it runs jobs too. `free`: behind `run`; NULL
 * is allowed. */
struct link_inbox;
HRESULT link_inbox_new(struct link_inbox **inbox);
void link_inbox_run(struct link_inbox *inbox);
void link_inbox_free(struct link_inbox *inbox);
/* Any thread. False: `run` has returned, and nobody runs the job. */
bool link_inbox_put(struct link_inbox *inbox, struct link_job *job);
void link_inbox_end(struct link_inbox *inbox);
struct link_timer;
/* Runs `run(argument)` on a worker, once, at `when_ns`. */
HRESULT link_node_timer(struct link_node *node, uint64_t when_ns, void (*run)(void *argument),
                        void *argument, struct link_timer **timer);
/* Frees the timer; true: it will not run. */
bool link_timer_cancel(struct link_timer *timer);
/* close: refuses new work, says goodbye. stop: blocks until no callback runs and all threads have
 * ended; not from a callback. free: after stop. */
void link_node_close(struct link_node *node);
void link_node_stop(struct link_node *node);
void link_node_free(struct link_node *node);

/* --- a connection --- */

struct link_connection *link_connection_ref(struct link_connection *connection);
struct link_connection *link_connection_unref(struct link_connection *connection);
struct link_node *link_connection_node(const struct link_connection *connection);
void link_connection_set_user(struct link_connection *connection, void *user);
void *link_connection_user(const struct link_connection *connection);
struct link_peer {
    struct link_id node;
    struct via_peer_identity identity; /* by the kernel */
    uint32_t process_id;               /* as the peer says: the pid in its own system's terms */
    bool is_windows;
    bool is_wine;
    bool takes_results; /* as targets of calls, and finish */
    bool takes_numbers; /* of handles of this process */
    bool takes_help;    /* in errors */
    const char *agent;
    const char *const *addresses; /* where it listens; NULL at the end */
    const char *address;          /* how this connection was made, or "" when the peer connected */
    uint32_t max_message;
};
/* Valid as long as the connection. */
const struct link_peer *link_connection_peer(const struct link_connection *connection);
/* The scheme of what frames come over now, "unix" or, since it has moved, "shm"; NULL: no plugin
 * knows. Valid as long as the plugins. */
const char *link_connection_scheme(struct link_connection *connection);
bool link_connection_is_closed(const struct link_connection *connection);
/* Why it was closed; the caller's copy, or NULL while it is open. */
struct error_record *link_connection_cause(const struct link_connection *connection);
/* Ends it: pending calls return RPC_E_DISCONNECTED with this cause; says goodbye first where it
 * can. Never blocks. */
void link_connection_close(struct link_connection *connection, HRESULT code, const char *text);
struct link_counters {
    uint64_t frames_sent, frames_received, bytes_sent, bytes_received, calls_sent, calls_received;
};
void link_connection_counters(const struct link_connection *connection,
                              struct link_counters *counters);

/* --- calls --- */

/* Blocks. Sends a request that is answered (call, query-interface, accept) and waits for its reply
 * or error, serving calls of its own chain meanwhile. For a call, chain id, depth and remaining
 * time are filled in from link_current() and `deadline_ns` (the smaller deadline wins). S_OK:
 * `reply` is a reply message, which the caller releases at once after decoding, before it blocks on
 * anything else or gives its reply_room back. A failure: the error is the thread's, with
 * RPC_E_TIMEOUT, RPC_E_CALL_CANCELED, RPC_E_DISCONNECTED, VIA_E_DEPTH or what the peer said;
 * reply->call_id is 0 where nothing was sent, and what the request's reference table gives away is
 * the caller's still. */
HRESULT link_call(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns, struct link_message *reply);

/* Sends a call like link_call(), in a chain of its own, and returns; it may leave together with
 * frames behind it, a millisecond later at most. Blocks only while the out-queue is full.
 * VIA_E_LIMIT: LINK_MAX_ASYNCS have not been answered. `ended(context)` is called exactly once for
 * what was begun, on the reader's thread or that of whoever ends it: must not block or run user
 * code. The record lives until link_async_free(), and `ended` comes before that. */
#define LINK_MAX_ASYNCS 1024u
HRESULT link_begin(struct link_connection *connection, const struct link_request *request,
                   uint64_t deadline_ns, void (*ended)(void *context), void *context,
                   struct link_async **async);
bool link_async_is_done(const struct link_async *async);
/* When it has to be over; LINK_NO_DEADLINE. Nobody but who waits, or ends it then, sees to that. */
uint64_t link_async_deadline(const struct link_async *async);
uint64_t link_async_id(const struct link_async *async);
/* Blocks, and serves calls of its chain meanwhile; several threads may. S_OK: it is done.
 * RPC_E_TIMEOUT: it is not, and the time is over. RPC_E_CALL_CANCELED: link_cancel() has ended the
 * wait. */
HRESULT link_async_wait(struct link_async *async, uint64_t deadline_ns);
/* Sends what may have waited for others. */
void link_async_flush(struct link_async *async);
/* Tells the peer that no later call has its result as target. */
void link_async_tell_finish(struct link_async *async);
/* What it has ended with, when it is done. */
HRESULT link_async_code(const struct link_async *async);
/* Somebody will read its answer, even if nobody waits. */
HRESULT link_async_expect(struct link_async *async);
/* Ends it, if it is not done: with RPC_E_TIMEOUT or RPC_E_CALL_CANCELED, which the peer is told, or
 * with E_ABORT, when its answer is not wanted any more. */
void link_async_end(struct link_async *async, HRESULT code);
/* When it is done: S_OK, and its reply, which stays the record's until the caller has taken what it
 * needs, and released it. Else its error, as the thread's, each time. */
HRESULT link_async_result(struct link_async *async, struct link_message **reply);
/* After `ended` has returned. What the reply holds has been given back. NULL is allowed. */
void link_async_free(struct link_async *async);

/* Sends without waiting for an answer: a one-way call (which starts a chain of its own) or a
 * control frame. Blocks only while the out-queue is full, until `deadline_ns`; from a reader
 * callback use LINK_NO_WAIT, which queues in any case. A failure: nothing was sent, or the
 * connection has ended. */
#define LINK_NO_WAIT 0
HRESULT link_post(struct link_connection *connection, const struct link_request *request,
                  uint64_t deadline_ns);
/* Answers a call. `reply->kind` is reply or error. Allowed once per call, from any thread. */
HRESULT link_reply(struct link_message *call, const struct link_request *reply);
/* Answers with the thread's error record, which it consumes; `ran`: the method itself failed. */
void link_reply_error(struct link_message *call, HRESULT code, bool ran);

/* The arguments have been read: the receive buffer may move on. `references`, `payload` and `body`
 * are gone from now on; call_id and connection stay. */
void link_message_decoded(struct link_message *message);
/* Copies what is still borrowed, so that the message can outlive the callback or wait for
 * something. */
HRESULT link_message_own(struct link_message *message);
/* Ends the use of a message: closes handles that nobody took, leaves the reader right where it was
 * held. */
void link_message_release(struct link_message *message);
/* Runs a queued call on this thread: sets link_current(), calls handler.run, releases and frees the
 * message. */
void link_message_run(struct link_message *message);

/* --- OS handles in calls and replies --- */

/* Of one message. */
#define LINK_MAX_HANDLES 16u

/* A handle of this process as the connection carries it, for link_request.handles: a new one, which
 * link_handle_close() closes when the message has been sent. VIA_E_NO_HANDLES says why the
 * connection cannot, and which can; E_HANDLE: it is not of that kind. */
HRESULT link_handle_out(const struct link_connection *connection, intptr_t handle,
                        enum os_handle_kind kind, via_os_handle *carried);
void link_handle_close(const struct link_connection *connection, via_os_handle carried);
/* Takes a handle that has come with a message, as one of this process. RPC_E_INVALID_DATA: there is
 * none of that number any more, or it is of another kind. */
HRESULT link_handle_in(struct link_message *message, uint32_t index, enum os_handle_kind kind,
                       intptr_t *handle);
/* The same, and the message keeps it, for who decodes it more than once. */
HRESULT link_handle_copy_in(const struct link_message *message, uint32_t index,
                            enum os_handle_kind kind, intptr_t *handle);
/* Whether one has not been taken. */
bool link_message_has_handles(const struct link_message *message);

/* --- arguments in shared memory: memory.h has the model --- */

/* Memory of that size in which arguments for the peer can be built, so that calls need not copy
 * them; NULL: there is none, or this connection's share of it is used up. It stays valid behind the
 * connection's end, until it is freed. May allocate shared memory; does not wait for the peer. */
void *link_block_new(struct link_connection *connection, size_t size);
/* Any thread. False: it is no such memory. What calls still use goes when they are answered. */
bool link_block_free(void *block);
/* Passes an array of a call beside its payload: as it lies, in such memory, or as a copy there.
 * `*list` is made at the first one, and NULL before. `position`: in the payload, where the bytes
 * are left out; in ascending order. False: the array is not passed so. */
bool link_blocks_add(struct link_blocks **list, struct link_connection *connection,
                     const void *data, size_t size, size_t position);
/* Of a call that is not made; NULL is allowed. */
void link_blocks_free(struct link_blocks *list);

/* What a call that has come has beside its payload; the numbers are the peer's. */
uint32_t link_message_n_blocks(const struct link_message *message);
void link_message_block_at(const struct link_message *message, uint32_t index, size_t *position,
                           size_t *size);
/* Its bytes, valid until the call has run. `in_place`: they may lie where the peer can change them
 * at any time, if it is the same user; else they are a private copy. VIA_E_LIMIT, E_OUTOFMEMORY. */
HRESULT link_message_block(struct link_message *message, uint32_t index, bool in_place,
                           const void **data);

/* The call that this thread is running, the innermost one, or NULL. */
struct link_current {
    struct link_connection *connection;
    uint64_t call_id;
    struct link_id chain;
    uint32_t depth;
    uint64_t deadline_ns; /* monotonic; LINK_NO_DEADLINE */
    bool is_oneway;
};
const struct link_current *link_current(void);
/* Whether this thread is one of ours, runs a call, or waits in one. */
bool link_thread_is_busy(void);
/* True once the caller cancelled the call that this thread runs, or its deadline passed, or it
 * died. */
bool link_current_is_cancelled(void);
/* Finds where the thread that runs a call of the peer, `call_id` of `connection` in `chain`, waits
 * for an answer in the same chain, and calls `visit` with the connection and the id of its own call
 * there; handler.closed comes after that. No lock is held. False: it waits nowhere. */
bool link_chain_follow(struct link_node *node, const struct link_id *chain,
                       const struct link_connection *connection, uint64_t call_id,
                       void (*visit)(void *argument, struct link_connection *connection,
                                     uint64_t call_id),
                       void *argument);
/* Cancels the innermost link_call() that `thread_id` (os_thread_id) waits in; S_FALSE if there is
 * none. */
HRESULT link_cancel(struct link_node *node, uint64_t thread_id);

#endif
