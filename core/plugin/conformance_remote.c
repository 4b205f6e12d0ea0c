/*
 * The side of a conformance run that a peer holds: a table of operations each of which asks it.
 *
 * A stream here is the number of one there and two buffers: for the span that is reserved, and for
 * what the last peek has shown.
 */
#include "core/plugin/conformance_asking.h"

#include "core/os/clock.h"
#include "core/plugin/conformance_lines.h"
#include "core/util/error.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HANDLES 253

struct via_stream {
    struct peer_object object;
    uint8_t *out;
    uint8_t *in;
};

struct via_listener {
    struct peer_object object;
};

static struct via_transport remote; /* as peer_begin has found it */

/* A question without bytes; `values` has to be freed. */
#define ASK_FOR(values, ...) peer_ask(&(struct peer_question){0}, values, __VA_ARGS__)

static HRESULT ask_object(const struct peer_object *object, const char *verb)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "%s %" PRIu32, verb, object->id);
    free(values);
    return hr;
}

static HRESULT ask_number(const struct peer_object *object, const char *verb, uint64_t number)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "%s %" PRIu32 " %" PRIu64, verb, object->id, number);
    free(values);
    return hr;
}

/* --- listeners --- */

static HRESULT remote_listen(const char *address, const struct via_listen_options *options,
                             void (*ready)(void *token, uint32_t events), void *token,
                             struct via_listener **listener)
{
    struct via_listener *self = calloc(1, sizeof *self);
    char *values;
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    peer_object_add(&self->object);
    peer_object_report(&self->object, ready, token);
    HRESULT hr = ASK_FOR(&values, "listen %" PRIu32 " %" PRIu32 " %" PRIu32 " %s", self->object.id,
                         options->access, options->backlog, address);
    free(values);
    if (hr == S_OK) {
        *listener = self;
        return hr;
    }
    peer_object_remove(&self->object);
    free(self);
    return hr;
}

/* A new stream, from the answer to `format` with its number. */
static HRESULT open_stream(struct via_stream **stream, const char *verb, uint32_t argument,
                           const char *address)
{
    struct via_stream *self = calloc(1, sizeof *self);
    char *values;
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    peer_object_add(&self->object);
    HRESULT hr =
        ASK_FOR(&values, "%s %" PRIu32 " %" PRIu32 " %s", verb, self->object.id, argument, address);
    free(values);
    if (hr == S_OK) {
        *stream = self;
        return hr;
    }
    peer_object_remove(&self->object);
    free(self);
    return hr;
}

static HRESULT remote_accept(struct via_listener *listener, struct via_stream **stream)
{
    return open_stream(stream, "accept", listener->object.id, "");
}

static HRESULT remote_listener_arm(struct via_listener *listener)
{
    return ask_object(&listener->object, "listener-arm");
}

static void remote_listener_close(struct via_listener *listener)
{
    ask_object(&listener->object, "listener-close");
    peer_object_remove(&listener->object);
    free(listener);
}

static HRESULT remote_connect(const char *address, const struct via_connect_options *options,
                              struct via_stream **stream)
{
    return open_stream(stream, "connect", options->check_server_owner, address);
}

/* --- streams --- */

static HRESULT remote_set_ready(struct via_stream *stream,
                                void (*ready)(void *token, uint32_t events), void *token)
{
    peer_object_report(&stream->object, ready, token);
    return ask_object(&stream->object, "set-ready");
}

static HRESULT remote_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "reserve %" PRIu32 " %zu", stream->object.id, min);
    if (hr == S_OK) {
        char *at = values;
        *size = (size_t)conformance_line_number(&at);
        free(stream->out);
        *span = stream->out = malloc(*size > 0 ? *size : 1);
        if (stream->out == NULL)
            hr = error_set(E_OUTOFMEMORY, "out of memory");
    }
    free(values);
    return hr;
}

static HRESULT remote_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                             uint32_t n_handles, uint32_t flags)
{
    char list[MAX_HANDLES * 21 + 1] = "";
    size_t length = 0;
    char *values;
    for (uint32_t i = 0; i < n_handles; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, " %" PRIdPTR, handles[i]);
    struct peer_question question = {n > 0 ? stream->out : NULL, n, 0};
    HRESULT hr = peer_ask(&question, &values, "commit %" PRIu32 " %" PRIu32 " %zu %" PRIu32 "%s",
                          stream->object.id, flags, n, n_handles, list);
    free(values);
    return hr;
}

static HRESULT remote_peek(struct via_stream *stream, size_t want, const uint8_t **span,
                           size_t *size)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "peek %" PRIu32 " %zu", stream->object.id, want);
    *size = 0;
    if (!FAILED(hr) && values != NULL) {
        char *at = values;
        *size = (size_t)conformance_line_number(&at);
        free(stream->in);
        *span = stream->in = malloc(*size > 0 ? *size : 1);
        if (stream->in == NULL)
            hr = error_set(E_OUTOFMEMORY, "out of memory");
        else if (hr == S_OK && conformance_line_bytes(&at, stream->in, *size) != *size)
            hr = error_set(E_FAIL, "the peer says %zu bytes and shows fewer", *size);
    }
    free(values);
    return hr;
}

static void remote_consume(struct via_stream *stream, size_t n)
{
    ask_number(&stream->object, "consume", n);
}

static HRESULT remote_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "read-into %" PRIu32 " %zu", stream->object.id, size);
    *n = 0;
    if (hr == S_OK) {
        char *at = values;
        *n = conformance_line_bytes(&at, buffer, size);
    }
    free(values);
    return hr;
}

static HRESULT remote_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "take-handles %" PRIu32 " %" PRIu32, stream->object.id, n);
    char *at = values;
    for (uint32_t i = 0; hr == S_OK && i < n; i++)
        handles[i] = (via_os_handle)conformance_line_signed(&at);
    free(values);
    return hr;
}

/* The two processes' clocks have nothing in common: what is left of the time is sent. */
static HRESULT remote_wait(struct via_stream *stream, uint64_t deadline_ns)
{
    uint64_t now = os_now_ns();
    uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    char *values;
    struct peer_question question = {NULL, 0, left};
    if (deadline_ns == UINT64_MAX)
        question.most_ns = left = UINT64_MAX / 2 - now;
    HRESULT hr = peer_ask(&question, &values, "wait %" PRIu32 " %" PRIu64, stream->object.id, left);
    free(values);
    return hr;
}

static void remote_interrupt(struct via_stream *stream)
{
    ask_object(&stream->object, "interrupt");
}

static HRESULT remote_arm(struct via_stream *stream, uint32_t events)
{
    return ask_number(&stream->object, "arm", events);
}

static void remote_disarm(struct via_stream *stream, uint32_t events)
{
    ask_number(&stream->object, "disarm", events);
}

static void remote_park(struct via_stream *stream)
{
    ask_object(&stream->object, "park");
}

static void read_identity(char *at, struct via_peer_identity *identity)
{
    identity->flags = (uint32_t)conformance_line_number(&at);
    identity->uid = (uint32_t)conformance_line_number(&at);
    identity->gid = (uint32_t)conformance_line_number(&at);
    identity->pid = (uint32_t)conformance_line_number(&at);
    snprintf(identity->sid, sizeof identity->sid, "%s", conformance_line_word(&at));
}

static HRESULT remote_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "peer-identity %" PRIu32, stream->object.id);
    if (!FAILED(hr))
        read_identity(values, identity);
    free(values);
    return hr;
}

static void remote_shutdown(struct via_stream *stream)
{
    ask_object(&stream->object, "shutdown");
}

static void remote_refuse_handles(struct via_stream *stream)
{
    ask_object(&stream->object, "refuse-handles");
}

static void remote_expect_handles(struct via_stream *stream)
{
    ask_object(&stream->object, "expect-handles");
}

static HRESULT remote_finish(struct via_stream *stream)
{
    return ask_object(&stream->object, "finish");
}

static HRESULT remote_is_over(struct via_stream *stream)
{
    return ask_object(&stream->object, "is-over");
}

static HRESULT remote_is_connected(struct via_stream *stream)
{
    return ask_object(&stream->object, "is-connected");
}

static void remote_close(struct via_stream *stream)
{
    ask_object(&stream->object, "close");
    peer_object_remove(&stream->object);
    free(stream->out);
    free(stream->in);
    free(stream);
}

/* --- what the tests need beside them --- */

static HRESULT remote_handle_make(struct conformance_handle *handle)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "handle-make");
    if (hr == S_OK) {
        char *at = values;
        handle->handle = (via_os_handle)conformance_line_signed(&at);
        handle->other = (via_os_handle)conformance_line_signed(&at);
    }
    free(values);
    return hr;
}

static HRESULT ask_handle(const char *verb, via_os_handle handle)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "%s %" PRIdPTR, verb, handle);
    free(values);
    return hr;
}

static HRESULT remote_handle_write(via_os_handle received)
{
    return ask_handle("handle-write", received);
}

static HRESULT remote_handle_read(const struct conformance_handle *handle)
{
    return ask_handle("handle-read", handle->other);
}

static HRESULT remote_handle_alone(const struct conformance_handle *handle)
{
    return ask_handle("handle-alone", handle->other);
}

static void remote_handle_close(via_os_handle handle)
{
    ask_handle("handle-close", handle);
}

static HRESULT remote_identity(uint32_t flags, struct via_peer_identity *identity)
{
    char *values;
    HRESULT hr = ASK_FOR(&values, "identity %" PRIu32, flags);
    if (hr == S_OK)
        read_identity(values, identity);
    free(values);
    return hr;
}

static unsigned remote_buffers_lent(void)
{
    char *values;
    unsigned n = 0;
    if (ASK_FOR(&values, "buffers-lent") == S_OK) {
        char *at = values;
        n = (unsigned)conformance_line_number(&at);
    }
    free(values);
    return n;
}

/* --- the table --- */

HRESULT peer_begin(const char *directory, const char *scheme)
{
    static const struct via_transport operations = {
        .size = sizeof operations,
        .version = 1,
        .listen = remote_listen,
        .listener_accept = remote_accept,
        .listener_arm = remote_listener_arm,
        .listener_close = remote_listener_close,
        .connect = remote_connect,
        .set_ready = remote_set_ready,
        .reserve = remote_reserve,
        .commit = remote_commit,
        .peek = remote_peek,
        .consume = remote_consume,
        .read_into = remote_read_into,
        .take_handles = remote_take_handles,
        .wait = remote_wait,
        .interrupt = remote_interrupt,
        .arm = remote_arm,
        .disarm = remote_disarm,
        .park = remote_park,
        .peer_identity = remote_peer_identity,
        .shutdown = remote_shutdown,
        .close = remote_close,
    };
    char *values;
    HRESULT hr = ASK_FOR(&values, "begin %s", directory);
    if (hr == S_OK) {
        char *at = values;
        remote = operations;
        const char *theirs = conformance_line_word(&at);
        remote.capabilities = (uint32_t)conformance_line_number(&at);
        remote.max_span = (uint32_t)conformance_line_number(&at);
        remote.max_handles = (uint32_t)conformance_line_number(&at);
        if (conformance_line_number(&at))
            remote.refuse_handles = remote_refuse_handles;
        if (conformance_line_number(&at))
            remote.expect_handles = remote_expect_handles;
        if (conformance_line_number(&at)) {
            remote.finish = remote_finish;
            remote.is_over = remote_is_over;
        }
        if (conformance_line_number(&at))
            remote.is_connected = remote_is_connected;
        if (strcmp(theirs, scheme) != 0)
            hr = error_set(VIA_E_PLUGIN, "the peer's plugin serves \"%s:\", this one \"%s:\"",
                           theirs, scheme);
    }
    free(values);
    return hr;
}

const struct conformance_side *conformance_peer_side(struct conformance_peer *peer)
{
    static const struct conformance_side side = {
        .t = &remote,
        .handle_make = remote_handle_make,
        .handle_write = remote_handle_write,
        .handle_read = remote_handle_read,
        .handle_alone = remote_handle_alone,
        .handle_close = remote_handle_close,
        .identity = remote_identity,
        .buffers_lent = remote_buffers_lent,
    };
    (void)peer;
    return &side;
}
