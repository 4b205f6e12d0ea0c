/*
 * Streams over overlapped I/O: the model is in overlapped_windows.h. Reading is in
 * overlapped_stream_windows.c, sending in overlapped_send_windows.c, readiness in
 * overlapped_ready_windows.c.
 */
#ifndef UNIXSOCK_OVERLAPPED_STREAM_WINDOWS_H
#define UNIXSOCK_OVERLAPPED_STREAM_WINDOWS_H

#include "plugins/unixsock/overlapped_windows.h"
#include "plugins/unixsock/stream.h"

struct overlapped_kind {
    /* Whether a receive of no bytes is the end; else it was an empty write. */
    bool nothing_is_the_end;
    /* Starts one operation: 0 when it is done already, ERROR_IO_PENDING, or what went wrong. A read
     * of no bytes completes when there is something to read, or the end, and takes none. */
    DWORD (*read)(HANDLE handle, void *data, DWORD size, OVERLAPPED *overlapped);
    DWORD (*write)(HANDLE handle, const void *data, DWORD size, OVERLAPPED *overlapped);
    /* [reader right] Receives what is there: VIA_S_WOULD_BLOCK, RPC_E_DISCONNECTED. */
    HRESULT (*receive)(struct via_stream *stream, void *data, size_t size, size_t *n);
    /* See via_transport.peer_identity. */
    HRESULT (*identify)(HANDLE handle, bool is_server, struct via_peer_identity *identity);
    void (*connected)(HANDLE handle); /* see overlapped_connect; NULL: it has no use of that */
    HRESULT (*finish)(HANDLE handle); /* NULL: a stream ends only as a whole */
    void (*shut)(HANDLE handle); /* tells the peer; operations under way are cancelled after it */
    void (*close)(HANDLE handle);
};

/* A piece of a borrowed buffer: bytes from `head` to `tail` are in use. */
struct overlapped_buffer {
    struct via_plugin_buffer memory; /* data NULL: none is borrowed */
    size_t head;
    size_t tail;
};
/* Makes as much contiguous room behind the tail as there is, if less than `room` is there. */
HRESULT overlapped_buffer_make_room(struct overlapped_buffer *buffer, size_t room);
void overlapped_buffer_give_back(struct overlapped_buffer *buffer);

struct via_stream {
    const struct overlapped_kind *kind; /* read-only, with the next two */
    HANDLE handle;                      /* valid while n_users is not 0 */
    bool is_server;
    /* Read-only once it has a user. Its handle brings a packet for each operation, since the system
     * does not say whether one that reads a part of a message at once does so. */
    bool keeps_messages;
    _Atomic uint32_t n_users; /* operations in progress, and 1 until `shut` */
    _Atomic bool shut;
    _Atomic bool connecting; /* until it is over nothing can be received; cleared under the lock */
    _Atomic uint32_t n_references;

    /* The reader right. */
    struct overlapped_buffer receiving;
    HRESULT broken; /* S_OK, or what every further receive returns once the buffer is empty */
    bool starved;   /* the last peek wanted more than there is, and nothing has come since */
    OVERLAPPED reading;
    HANDLE read_event;
    HANDLE interrupt_event; /* set with `interrupted`, or by shutdown; auto-reset */
    _Atomic bool interrupted;

    SRWLOCK lock; /* all that follows */
    CONDITION_VARIABLE wake;
    struct overlapped_buffer sending;
    bool reserved; /* between reserve and commit */
    /* `write` is under way with `write_size` bytes at the head, which must not move; or it is the
     * connection that is being made. */
    bool writing;
    size_t write_size;
    HRESULT send_broken;
    DWORD connect_error; /* the system's code; 0: none */
    struct via_plugin_overlapped write;
    struct via_plugin_overlapped probe; /* the zero-byte read that reports readiness */
    bool probing;
    bool has_empty;   /* the probe has taken an empty message */
    bool armed_again; /* armed while a probe was under way: its result may be old */
    void (*ready)(void *token, uint32_t events);
    void *token;
    uint32_t armed;
    uint32_t pending; /* to be reported by the post that is under way */
    bool posted;
    bool reporting;
    bool closing;
};

/* Makes a stream of a connected handle that is bound, and owns it from then on, also when it
 * fails. */
HRESULT overlapped_stream_new(const struct overlapped_kind *kind, HANDLE handle, bool is_server,
                              struct via_stream **stream);
void overlapped_stream_unref(struct via_stream *stream);
/* Connects the stream's handle by `start`, which is like struct overlapped_kind's operations: 0, or
 * what went wrong. The connection may still be under way: what is committed waits for it, nothing
 * is received before, and a failure is the stream's. Such a stream is not for `wait`. */
DWORD overlapped_connect(struct via_stream *stream,
                         DWORD (*start)(HANDLE handle, const void *argument,
                                        OVERLAPPED *overlapped),
                         const void *argument);
/* S_FALSE: it is under way; a failure comes with the system's code. */
HRESULT overlapped_is_connected(struct via_stream *stream, DWORD *error);
/* The handle is good until the leave. False: the stream has been shut. */
bool overlapped_stream_enter(struct via_stream *stream);
void overlapped_stream_leave(struct via_stream *stream);
/* After an operation was started that pends, and holds the handle: cancels it if the stream has
 * been shut since the enter, since the shutdown may not have seen it. */
void overlapped_stream_started(struct via_stream *stream);

/* For kinds: makes `reading` ready for an operation that sets `read_event` and brings no packet. */
void overlapped_prepare_read(struct via_stream *stream);
/* See via_transport; for kinds whose handles are pipes in message mode. */
HRESULT overlapped_keeps_messages(struct via_stream *stream);
HRESULT overlapped_read_message(struct via_stream *stream, void *buffer, size_t size, size_t *n,
                                uint32_t *goes_on);
/* Ends the read that is under way, one way or the other; how many bytes it brought. */
DWORD overlapped_cancel_read(struct via_stream *stream);

/* The operations of struct via_transport that all kinds share. */
HRESULT overlapped_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
void overlapped_consume(struct via_stream *stream, size_t n);
HRESULT overlapped_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n);
HRESULT overlapped_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n);
HRESULT overlapped_wait(struct via_stream *stream, uint64_t deadline_ns);
void overlapped_interrupt(struct via_stream *stream);
void overlapped_park(struct via_stream *stream);
HRESULT overlapped_peer_identity(struct via_stream *stream, struct via_peer_identity *identity);
void overlapped_shutdown(struct via_stream *stream);
HRESULT overlapped_finish(struct via_stream *stream);
HRESULT overlapped_is_over(struct via_stream *stream);
void overlapped_close(struct via_stream *stream);
HRESULT overlapped_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
HRESULT overlapped_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                          uint32_t n_handles, uint32_t flags);
HRESULT overlapped_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                             void *token);
HRESULT overlapped_arm(struct via_stream *stream, uint32_t events);
void overlapped_disarm(struct via_stream *stream, uint32_t events);

/* The members of a transport's table that are these; beside them, where a kind can finish:
 * .finish = overlapped_finish, .is_over = overlapped_is_over. */
#define OVERLAPPED_OPERATIONS                                                                      \
    .set_ready = overlapped_set_ready, .reserve = overlapped_reserve, .commit = overlapped_commit, \
    .peek = overlapped_peek, .consume = overlapped_consume, .read_into = overlapped_read_into,     \
    .take_handles = overlapped_take_handles, .wait = overlapped_wait,                              \
    .interrupt = overlapped_interrupt, .arm = overlapped_arm, .disarm = overlapped_disarm,         \
    .park = overlapped_park, .peer_identity = overlapped_peer_identity,                            \
    .shutdown = overlapped_shutdown, .close = overlapped_close

/* With the stream's lock: starts the read that reports readiness. */
HRESULT overlapped_probe(struct via_stream *stream);
/* With the stream's lock: reports those of `events` that are armed, by a post. */
HRESULT overlapped_notify(struct via_stream *stream, uint32_t events);
/* With the stream's lock, on the reactor thread: reports them now; the lock is left meanwhile. */
void overlapped_report(struct via_stream *stream, uint32_t events);

#endif
