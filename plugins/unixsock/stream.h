/*
 * The stream and the listener over Unix-domain sockets, which the plugins `unixsock` and, on POSIX,
 * `namedpipe` are made of: the functions of struct via_transport that need no knowledge of
 * addresses.
 */
#ifndef UNIXSOCK_STREAM_H
#define UNIXSOCK_STREAM_H

#include "plugins/unixsock/socket.h"

/* Contiguous room that reserve and peek promise, and the size of the buffer behind each: twice, so
 * that what is left over rarely has to be moved to the front. */
#define STREAM_MAX_SPAN    (64u * 1024u)
#define STREAM_BUFFER_SIZE (2u * STREAM_MAX_SPAN)
/* In one commit. */
#define STREAM_MAX_HANDLES 64u
/* Received and not taken. An honest peer cannot exceed the handles of the frame that is being
 * received and of one receive behind it. */
#define STREAM_MAX_PENDING_HANDLES 512u
/* Commits with handles that wait to be sent. */
#define STREAM_MAX_BATCHES 64u

/* Makes a stream of a connected socket and owns the socket from then on, also when it fails. Its
 * peer is who the socket says, and the stream ends with the peer's process, unless the flags say
 * VIA_OPEN_FOREIGN. */
HRESULT stream_new(int32_t descriptor, uint32_t flags, struct via_stream **stream);
/* The same of a socket that does not say who is at its other end. */
HRESULT stream_new_anonymous(int32_t descriptor, struct via_stream **stream);
int32_t stream_descriptor(const struct via_stream *stream);
/* For is_connected, whose place it is: why the connection was not made, which the system says only
 * once; 0: nothing is known of it. */
int32_t *stream_connect_error(struct via_stream *stream);

HRESULT stream_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                         void *token);
HRESULT stream_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
HRESULT stream_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                      uint32_t n_handles, uint32_t flags);
HRESULT stream_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
void stream_consume(struct via_stream *stream, size_t n);
HRESULT stream_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n);
HRESULT stream_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n);
void stream_refuse_handles(struct via_stream *stream);
void stream_expect_handles(struct via_stream *stream);
HRESULT stream_wait(struct via_stream *stream, uint64_t deadline_ns);
void stream_interrupt(struct via_stream *stream);
HRESULT stream_arm(struct via_stream *stream, uint32_t events);
void stream_disarm(struct via_stream *stream, uint32_t events);
void stream_park(struct via_stream *stream);
HRESULT stream_peer_identity(struct via_stream *stream, struct via_peer_identity *identity);
void stream_shutdown(struct via_stream *stream);
HRESULT stream_finish(struct via_stream *stream);
HRESULT stream_is_over(struct via_stream *stream);
HRESULT stream_read_to_pipe(struct via_stream *stream, via_os_handle pipe, size_t size, size_t *n);
HRESULT stream_send_from_pipe(struct via_stream *stream, via_os_handle pipe, size_t size,
                              size_t *n);
HRESULT stream_peer_in_group(struct via_stream *stream, uint32_t gid);
void stream_close(struct via_stream *stream);

/* The members of a transport's table that are these. */
#define STREAM_OPERATIONS                                                                      \
    .set_ready = stream_set_ready, .reserve = stream_reserve, .commit = stream_commit,         \
    .peek = stream_peek, .consume = stream_consume, .read_into = stream_read_into,             \
    .take_handles = stream_take_handles, .wait = stream_wait, .interrupt = stream_interrupt,   \
    .arm = stream_arm, .disarm = stream_disarm, .park = stream_park,                           \
    .peer_identity = stream_peer_identity, .shutdown = stream_shutdown, .close = stream_close, \
    .refuse_handles = stream_refuse_handles, .expect_handles = stream_expect_handles,          \
    .finish = stream_finish, .is_over = stream_is_over, .read_to_pipe = stream_read_to_pipe,   \
    .send_from_pipe = stream_send_from_pipe, .peer_in_group = stream_peer_in_group

/* init and deinit of a plugin that is made of these streams. */
HRESULT plugin_lifetime_init(const struct via_plugin_host *host);
void plugin_lifetime_deinit(void);

/* Waits until nothing that was posted to the reactor is under way; for deinit. */
void stream_wait_for_posts(void);

/* Connects to the socket at `path`; see via_transport.connect. */
HRESULT stream_connect(const char *path, const struct via_connect_options *options,
                       struct via_stream **stream);

/* The connected socket alone, for another kind of stream. */
HRESULT socket_connect_checked(const char *path, const struct via_connect_options *options,
                               int32_t *descriptor);

/* via_transport.listen and .connect for addresses that are absolute paths. */
HRESULT unixsock_listen(const char *address, const struct via_listen_options *options,
                        void (*ready)(void *token, uint32_t events), void *token,
                        struct via_listener **listener);
HRESULT unixsock_connect(const char *address, const struct via_connect_options *options,
                         struct via_stream **stream);

extern const struct via_transport unixsock_transport;

/* Listens on a socket at `path`; see via_transport.listen. */
HRESULT listener_new(const char *path, const struct via_listen_options *options,
                     void (*ready)(void *token, uint32_t events), void *token,
                     struct via_listener **listener);
HRESULT listener_accept(struct via_listener *listener, struct via_stream **stream);
/* The connected socket alone, for another kind of stream. */
HRESULT listener_accept_socket(struct via_listener *listener, int32_t *descriptor);
HRESULT listener_arm(struct via_listener *listener);
void listener_close(struct via_listener *listener);

#endif
