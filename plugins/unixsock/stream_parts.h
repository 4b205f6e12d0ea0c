/*
 * The inside of a stream, shared by its three files: receiving (stream.c), sending (stream_send.c),
 * readiness (stream_ready.c).
 */
#ifndef UNIXSOCK_STREAM_PARTS_H
#define UNIXSOCK_STREAM_PARTS_H

#include "plugins/unixsock/stream.h"

/* A piece of a borrowed buffer: bytes from `head` to `tail` are in use. */
struct stream_buffer {
    struct via_plugin_buffer memory; /* data NULL: none is borrowed */
    size_t head;
    size_t tail;
};

/* Handles of one commit that is not sent yet, attached to the byte at `position`. */
struct handle_batch {
    struct handle_batch *next;
    uint64_t position;
    uint32_t n;
    bool owned; /* our duplicates; else the caller's, within commit only */
    int32_t descriptors[STREAM_MAX_HANDLES];
};

struct stream_sender { /* the sender lock, but for `idle` */
    struct stream_buffer buffer;
    uint64_t position; /* of the byte at buffer.head, counted from the stream's first */
    struct handle_batch *first;
    struct handle_batch *last;
    uint32_t n_batches;
    HRESULT broken;
    /* An empty buffer that the next reserve finds here, unless park has taken it to the host;
     * whoever exchanges it owns it. Its own first bytes hold its struct via_plugin_buffer
     * meanwhile. */
    _Atomic(uint8_t *) idle;
};

struct stream_receiver { /* the reader right */
    struct stream_buffer buffer;
    int32_t *handles; /* received and not taken, in order */
    bool refuses_handles;
    uint32_t n_handles;
    uint32_t handle_room;
    HRESULT broken; /* S_OK, or what every further receive returns once the buffer is empty */
};

struct stream_readiness { /* `lock` */
    struct socket_lock lock;
    struct via_plugin_watch *watch;
    void (*ready)(void *token, uint32_t events); /* read-only after set_ready */
    void *token;
    uint32_t armed;
    bool posted;    /* a post to the reactor is under way; it holds a reference */
    bool reporting; /* the post is calling `ready` */
    bool closing;
    struct via_plugin_watch *life_watch;
};

struct via_stream {
    int32_t descriptor;      /* read-only */
    struct socket_peer peer; /* read-only */
    int32_t life;            /* read-only: socket_peer_life() */
    int32_t connect_error;   /* see stream_connect_error */
    /* That life is over: what the peer sent is in the socket, and when that is empty it is the end,
     * even if a forked child keeps the socket open. */
    _Atomic bool is_orphaned;
    _Atomic uint32_t n_references;
    /* Reader right; read by `arm`, which the same thread calls: the last peek asked for more than
     * there is, and nothing has come since. */
    bool starved;
    _Atomic bool is_nonblocking; /* bytes have moved by a pipe, which nothing else keeps from it */
    struct socket_waiter waiter;
    struct stream_sender sender;
    struct stream_receiver receiver;
    struct stream_readiness readiness;
};

void sender_deinit(struct stream_sender *sender);
/* Gives the idle send buffer back to the host; any thread. */
void sender_park(struct stream_sender *sender);

void readiness_init(struct via_stream *stream);
/* After it returns no `ready` call is running or will start. */
void readiness_close(struct via_stream *stream);
void readiness_deinit(struct via_stream *stream);

/* S_OK, or what this stream says to all who would move bytes by a pipe. */
HRESULT stream_unblock(struct via_stream *stream);

/* Drops one reference; the last frees the memory. */
void stream_unref(struct via_stream *stream);

#endif
