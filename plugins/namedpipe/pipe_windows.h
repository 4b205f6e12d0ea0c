/*
 * Between the Windows files of `namedpipe`: streams (pipe_stream, pipe_send, pipe_ready), listeners
 * (pipe_listener), security descriptors and identities (pipe_security).
 *
 * Every pipe is bound to the host's completion port, and completions that need no waiting bring no
 * packet (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS). An overlapped operation under way holds a
 * reference to its stream or listener, which its packet drops; so memory that the system still
 * writes to is never freed.
 */
#ifndef NAMEDPIPE_PIPE_WINDOWS_H
#define NAMEDPIPE_PIPE_WINDOWS_H

#include "plugins/namedpipe/namedpipe.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#define PIPE_MAX_SPAN    (64u * 1024u)
#define PIPE_BUFFER_SIZE (2u * PIPE_MAX_SPAN)
/* What the system keeps for each direction before a write pends. */
#define PIPE_QUOTA (64u * 1024u)

extern const struct via_plugin_host *pipe_host;
/* Packets and posts under way; deinit waits for none. */
extern _Atomic uint32_t pipe_n_pending;

HRESULT pipe_fail(HRESULT code, const char *format, ...);
/* In terms of a Win32 error; a broken pipe becomes RPC_E_DISCONNECTED. */
HRESULT pipe_fail_error(const char *what, DWORD error);

/* A piece of a borrowed buffer: bytes from `head` to `tail` are in use. */
struct pipe_buffer {
    struct via_plugin_buffer memory; /* data NULL: none is borrowed */
    size_t head;
    size_t tail;
};
/* Makes as much contiguous room behind the tail as there is, if less than `room` is there. */
HRESULT pipe_buffer_make_room(struct pipe_buffer *buffer, size_t room);
void pipe_buffer_give_back(struct pipe_buffer *buffer);

struct via_stream {
    HANDLE pipe; /* valid while n_users is not 0 */
    bool is_server;
    _Atomic uint32_t n_users; /* operations in progress, and 1 until `shut` */
    _Atomic bool shut;
    _Atomic uint32_t n_references;

    /* The reader right. */
    struct pipe_buffer receiving;
    HRESULT broken; /* S_OK, or what every further receive returns once the buffer is empty */
    bool starved;   /* the last peek wanted more than there is, and nothing has come since */
    OVERLAPPED reading;
    HANDLE read_event;
    HANDLE interrupt_event; /* set with `interrupted`, or by shutdown; auto-reset */
    _Atomic bool interrupted;

    SRWLOCK lock; /* all that follows */
    CONDITION_VARIABLE wake;
    struct pipe_buffer sending;
    bool reserved; /* between reserve and commit */
    bool
        writing; /* `write` is under way with `write_size` bytes at the head, which must not move */
    size_t write_size;
    HRESULT send_broken;
    struct via_plugin_overlapped write;
    struct via_plugin_overlapped probe; /* the zero-byte read that reports readiness */
    bool probing;
    bool armed_again; /* armed while a probe was under way: its result may be old */
    void (*ready)(void *token, uint32_t events);
    void *token;
    uint32_t armed;
    uint32_t pending; /* to be reported by the post that is under way */
    bool posted;
    bool reporting;
    bool closing;
};

/* Makes a stream of a connected pipe and owns it from then on, also when it fails. */
HRESULT pipe_stream_new(HANDLE pipe, bool is_server, struct via_stream **stream);
void pipe_stream_unref(struct via_stream *stream);
/* The handle is good until the leave. False: the stream has been shut. */
bool pipe_stream_enter(struct via_stream *stream);
void pipe_stream_leave(struct via_stream *stream);

HRESULT pipe_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
void pipe_consume(struct via_stream *stream, size_t n);
HRESULT pipe_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n);
HRESULT pipe_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n);
HRESULT pipe_wait(struct via_stream *stream, uint64_t deadline_ns);
void pipe_interrupt(struct via_stream *stream);
void pipe_park(struct via_stream *stream);
void pipe_shutdown(struct via_stream *stream);
void pipe_close(struct via_stream *stream);
HRESULT pipe_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
HRESULT pipe_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                    uint32_t n_handles, uint32_t flags);
HRESULT pipe_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                       void *token);
HRESULT pipe_arm(struct via_stream *stream, uint32_t events);
void pipe_disarm(struct via_stream *stream, uint32_t events);
HRESULT pipe_peer_identity(struct via_stream *stream, struct via_peer_identity *identity);

/* With the stream's lock: reports those of `events` that are armed, by a post. */
HRESULT pipe_notify(struct via_stream *stream, uint32_t events);
/* With the stream's lock, on the reactor thread: reports them now; the lock is left meanwhile. */
void pipe_report(struct via_stream *stream, uint32_t events);

HRESULT pipe_listen(const char *address, const struct via_listen_options *options,
                    void (*ready)(void *token, uint32_t events), void *token,
                    struct via_listener **listener);
HRESULT pipe_listener_accept(struct via_listener *listener, struct via_stream **stream);
HRESULT pipe_listener_arm(struct via_listener *listener);
void pipe_listener_close(struct via_listener *listener);
HRESULT pipe_connect(const char *address, const struct via_connect_options *options,
                     struct via_stream **stream);

/* A descriptor for LocalFree: the user, SYSTEM and Administrators, or every local user as well, who
 * then may connect but not make instances of the pipe. */
HRESULT pipe_security_new(enum via_listen_access access, PSECURITY_DESCRIPTOR *descriptor);
/* VIA_E_IDENTITY unless the server is this user's, or SYSTEM's or an administrator's. */
HRESULT pipe_check_server(HANDLE pipe);

#endif
