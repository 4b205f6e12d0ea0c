/*
 * A stream's life, and its receiving half.
 *
 * Received bytes lie in one borrowed buffer between head and tail. It starts over at the front
 * whenever it is empty, which in request-and-reply traffic is always; only a leftover that does not
 * leave enough contiguous room is moved. Handles that come with bytes go to a queue of their own;
 * the kernel never delivers them later than the first byte they were attached to, nor merges those
 * of two sends.
 */
#include "plugins/unixsock/stream_parts.h"

#include <stdlib.h>
#include <string.h>

static HRESULT make_stream(int32_t descriptor, const struct socket_peer *peer, int32_t life,
                           struct via_stream **stream)
{
    struct via_stream *self = calloc(1, sizeof *self);
    if (self == NULL) {
        socket_close(descriptor);
        if (life >= 0)
            socket_close(life);
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    }
    self->peer = *peer;
    self->descriptor = descriptor;
    self->life = life;
    atomic_init(&self->n_references, 1);
    atomic_init(&self->is_orphaned, false);
    atomic_init(&self->sender.idle, NULL);
    socket_waiter_init(&self->waiter, descriptor, self->life);
    readiness_init(self);
    *stream = self;
    return S_OK;
}

HRESULT stream_new(int32_t descriptor, uint32_t flags, struct via_stream **stream)
{
    struct socket_peer peer;
    HRESULT hr = socket_peer_of(descriptor, &peer);
    if (FAILED(hr)) {
        socket_close(descriptor);
        return hr;
    }
    int32_t life = (flags & VIA_OPEN_FOREIGN) ? -1 : socket_peer_life(descriptor, &peer);
    return make_stream(descriptor, &peer, life, stream);
}

HRESULT stream_new_anonymous(int32_t descriptor, struct via_stream **stream)
{
    struct socket_peer nobody = {.is_known = false};
    return make_stream(descriptor, &nobody, -1, stream);
}

int32_t stream_descriptor(const struct via_stream *stream)
{
    return stream->descriptor;
}

int32_t *stream_connect_error(struct via_stream *stream)
{
    return &stream->connect_error;
}

static void buffer_give_back(struct stream_buffer *buffer)
{
    if (buffer->memory.data != NULL)
        socket_host->buffer_put(&buffer->memory);
    memset(buffer, 0, sizeof *buffer);
}

void stream_close(struct via_stream *stream)
{
    readiness_close(stream);
    struct stream_receiver *receiver = &stream->receiver;
    for (uint32_t i = 0; i < receiver->n_handles; i++)
        socket_close(receiver->handles[i]);
    free(receiver->handles);
    buffer_give_back(&receiver->buffer);
    sender_deinit(&stream->sender);
    socket_waiter_deinit(&stream->waiter);
    socket_close(stream->descriptor);
    if (stream->life >= 0)
        socket_close(stream->life);
    stream_unref(stream);
}

void stream_unref(struct via_stream *stream)
{
    if (atomic_fetch_sub_explicit(&stream->n_references, 1, memory_order_acq_rel) == 1) {
        readiness_deinit(stream);
        free(stream);
    }
}

HRESULT stream_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    if (!stream->peer.is_known) {
        identity->flags = 0;
        return S_FALSE;
    }
    identity->flags = VIA_PEER_HAS_UNIX | (stream->peer.pid != 0 ? VIA_PEER_HAS_PID : 0);
    identity->uid = stream->peer.uid;
    identity->gid = stream->peer.gid;
    identity->pid = stream->peer.pid;
    return S_OK;
}

void stream_shutdown(struct via_stream *stream)
{
    socket_shutdown(stream->descriptor);
}

HRESULT stream_finish(struct via_stream *stream)
{
    return socket_finish(stream->descriptor);
}

HRESULT stream_is_over(struct via_stream *stream)
{
    return socket_is_over(stream->descriptor) ? S_OK : S_FALSE;
}

HRESULT stream_peer_in_group(struct via_stream *stream, uint32_t gid)
{
    const struct socket_peer *peer = &stream->peer;
    return peer->is_known && (peer->gid == gid || socket_peer_in_group(stream->descriptor, gid))
               ? S_OK
               : S_FALSE;
}

/* --- receiving --- */

/* Makes at least `room` contiguous bytes behind the tail. */
static HRESULT make_room(struct stream_buffer *buffer, size_t room)
{
    if (buffer->memory.data == NULL) {
        HRESULT hr = socket_host->buffer_get(STREAM_BUFFER_SIZE, &buffer->memory);
        if (FAILED(hr))
            return hr;
    }
    if (buffer->head == buffer->tail) {
        buffer->head = buffer->tail = 0;
    } else if (buffer->memory.size - buffer->tail < room) {
        memmove(buffer->memory.data, buffer->memory.data + buffer->head,
                buffer->tail - buffer->head);
        buffer->tail -= buffer->head;
        buffer->head = 0;
    }
    return S_OK;
}

static HRESULT queue_handles(struct stream_receiver *receiver,
                             const struct socket_received *received)
{
    uint32_t n = receiver->n_handles + received->n_descriptors;
    HRESULT hr = S_OK;
    if (n > STREAM_MAX_PENDING_HANDLES) {
        hr = socket_fail(VIA_E_LIMIT, "the peer sent %u handles that no frame claims", n);
    } else if (n > receiver->handle_room) {
        uint32_t room = n < 16 ? 16 : n * 2;
        int32_t *handles = realloc(receiver->handles, room * sizeof *handles);
        if (handles != NULL) {
            receiver->handles = handles;
            receiver->handle_room = room;
        } else {
            hr = socket_fail(E_OUTOFMEMORY, "out of memory");
        }
    }
    for (uint32_t i = 0; i < received->n_descriptors; i++) {
        if (SUCCEEDED(hr))
            receiver->handles[receiver->n_handles++] = received->descriptors[i];
        else
            socket_close(received->descriptors[i]);
    }
    return hr;
}

/* Accounts for one receive that returned `hr` and `n` bytes. */
static HRESULT received(struct via_stream *stream, HRESULT hr,
                        const struct socket_received *handles)
{
    if (handles->n_descriptors != 0) {
        HRESULT queued = queue_handles(&stream->receiver, handles);
        if (FAILED(queued))
            hr = queued;
    }
    if (FAILED(hr) && hr != RPC_E_TIMEOUT)
        stream->receiver.broken = hr;
    return hr;
}

static HRESULT fail_again(HRESULT hr)
{
    if (hr == VIA_E_LIMIT)
        return socket_fail(hr, "the peer sent more than %u handles that no frame claims",
                           STREAM_MAX_PENDING_HANDLES);
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

static HRESULT receive(struct via_stream *stream, void *memory, size_t size, size_t *n)
{
    struct socket_received handles;
    handles.n_descriptors = 0;
    /* Looked at before: all that a process has sent is there when it has ended. */
    bool is_orphaned = atomic_load_explicit(&stream->is_orphaned, memory_order_acquire);
    HRESULT hr = socket_receive(stream->descriptor, memory, size, n,
                                stream->receiver.refuses_handles ? NULL : &handles);
    if (hr == VIA_S_WOULD_BLOCK && is_orphaned)
        hr = socket_fail(RPC_E_DISCONNECTED, "the peer's process has ended");
    return received(stream, hr, &handles);
}

static HRESULT receive_more(struct via_stream *stream)
{
    struct stream_buffer *buffer = &stream->receiver.buffer;
    size_t n = 0;
    HRESULT hr =
        receive(stream, buffer->memory.data + buffer->tail, buffer->memory.size - buffer->tail, &n);
    buffer->tail += n;
    return hr;
}

HRESULT stream_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size)
{
    struct stream_receiver *receiver = &stream->receiver;
    struct stream_buffer *buffer = &receiver->buffer;
    if (want > STREAM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "peek of %u bytes; %u is the most", (unsigned)want,
                           STREAM_MAX_SPAN);
    HRESULT hr = S_OK;
    while (buffer->tail - buffer->head < want && hr == S_OK) {
        hr = receiver->broken != S_OK ? fail_again(receiver->broken)
                                      : make_room(buffer, want - (buffer->tail - buffer->head));
        if (hr == S_OK)
            hr = receive_more(stream);
    }
    *size = buffer->tail - buffer->head;
    *span = buffer->memory.data + buffer->head;
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return *size >= want ? S_OK : hr;
}

void stream_consume(struct via_stream *stream, size_t n)
{
    stream->receiver.buffer.head += n;
}

HRESULT stream_read_into(struct via_stream *stream, void *memory, size_t size, size_t *n)
{
    struct stream_buffer *buffer = &stream->receiver.buffer;
    size_t buffered = buffer->tail - buffer->head;
    if (buffered > 0) {
        *n = buffered < size ? buffered : size;
        memcpy(memory, buffer->memory.data + buffer->head, *n);
        buffer->head += *n;
        return S_OK;
    }
    if (stream->receiver.broken != S_OK)
        return fail_again(stream->receiver.broken);
    HRESULT hr = receive(stream, memory, size, n);
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return hr;
}

HRESULT stream_unblock(struct via_stream *stream)
{
    if (atomic_load_explicit(&stream->is_nonblocking, memory_order_relaxed))
        return S_OK;
    HRESULT hr = socket_unblock(stream->descriptor);
    if (SUCCEEDED(hr))
        atomic_store_explicit(&stream->is_nonblocking, true, memory_order_relaxed);
    return hr;
}

HRESULT stream_read_to_pipe(struct via_stream *stream, via_os_handle pipe, size_t size, size_t *n)
{
    struct stream_receiver *receiver = &stream->receiver;
    if (receiver->buffer.head < receiver->buffer.tail || !receiver->refuses_handles)
        return E_NOTIMPL;
    if (receiver->broken != S_OK)
        return fail_again(receiver->broken);
    HRESULT hr = stream_unblock(stream);
    if (FAILED(hr))
        return hr;
    bool is_orphaned = atomic_load_explicit(&stream->is_orphaned, memory_order_acquire);
    hr = socket_read_to_pipe(stream->descriptor, (int32_t)pipe, size, n);
    if (hr == VIA_S_WOULD_BLOCK && is_orphaned)
        hr = socket_fail(RPC_E_DISCONNECTED, "the peer's process has ended");
    if (FAILED(hr) && hr != E_NOTIMPL)
        receiver->broken = hr;
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return hr;
}

HRESULT stream_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    struct stream_receiver *receiver = &stream->receiver;
    if (n > receiver->n_handles)
        return socket_fail(VIA_E_PROTOCOL, "%u handles are expected, %u have arrived", n,
                           receiver->n_handles);
    for (uint32_t i = 0; i < n; i++)
        handles[i] = receiver->handles[i];
    receiver->n_handles -= n;
    if (receiver->n_handles != 0)
        memmove(receiver->handles, receiver->handles + n,
                receiver->n_handles * sizeof *receiver->handles);
    return S_OK;
}

void stream_refuse_handles(struct via_stream *stream)
{
    stream->receiver.refuses_handles = true;
}

void stream_expect_handles(struct via_stream *stream)
{
    stream->receiver.refuses_handles = false;
}

HRESULT stream_wait(struct via_stream *stream, uint64_t deadline_ns)
{
    struct stream_receiver *receiver = &stream->receiver;
    struct stream_buffer *buffer = &receiver->buffer;
    if (receiver->broken != S_OK)
        return S_OK;
    HRESULT hr = make_room(buffer, 1);
    if (FAILED(hr))
        return hr;
    /* Full to the brim: there is more than any peek may want, so there is nothing to wait for. */
    if (buffer->tail == buffer->memory.size)
        return S_OK;
    struct socket_received handles;
    handles.n_descriptors = 0;
    size_t n = 0;
    hr = socket_waiter_receive(&stream->waiter, buffer->memory.data + buffer->tail,
                               buffer->memory.size - buffer->tail, &n,
                               receiver->refuses_handles ? NULL : &handles, deadline_ns);
    buffer->tail += n;
    if (n > 0)
        stream->starved = false;
    else if (hr == S_OK)
        atomic_store_explicit(&stream->is_orphaned, true, memory_order_release);
    hr = received(stream, hr, &handles);
    return hr == RPC_E_DISCONNECTED ? S_OK : hr;
}

void stream_interrupt(struct via_stream *stream)
{
    socket_waiter_interrupt(&stream->waiter);
}

void stream_park(struct via_stream *stream)
{
    struct stream_receiver *receiver = &stream->receiver;
    if (receiver->buffer.head == receiver->buffer.tail)
        buffer_give_back(&receiver->buffer);
    if (receiver->n_handles == 0) {
        free(receiver->handles);
        receiver->handles = NULL;
        receiver->handle_room = 0;
    }
    sender_park(&stream->sender);
}
