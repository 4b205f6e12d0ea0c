/*
 * Streams of the loopback transport: two ends joined by one channel each way.
 *
 * A sender's reserved and unsent bytes lie in its own buffer; what "the system takes" is what fits
 * into the channel, so that back-pressure works as on a socket. A receiver moves bytes from the
 * channel to its own buffer, whose spans a sender therefore never moves. Handles wait in the
 * channel under the position of their first byte and can be taken once that byte has been received.
 *
 * One lock covers both ends. Reports of readiness are posted to the reactor; a post keeps its
 * stream alive, and the joint lives as long as one of its streams.
 */
#include "core/plugin/loopback_parts.h"

#include "core/os/identity.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (2u * LOOPBACK_MAX_SPAN)

struct queue {
    struct via_plugin_buffer memory; /* data NULL: none is borrowed */
    size_t head;
    size_t tail;
};

struct sent_handle {
    struct sent_handle *next;
    uint64_t position;
    via_os_handle handle;
};

struct channel { /* joint->lock */
    struct queue bytes;
    uint64_t received;           /* bytes that have left the channel */
    struct sent_handle *handles; /* in order */
    struct sent_handle **handles_end;
    bool ended; /* nothing more will come, nothing more is taken */
};

struct via_stream {
    struct joint *joint; /* read-only */
    struct channel *in;  /* read-only */
    struct channel *out; /* read-only */
    struct via_stream *peer;
    struct queue sending;   /* sender lock */
    uint64_t committed;     /* sender lock: bytes ever committed */
    struct queue receiving; /* reader right */
    bool starved;           /* reader right: the last peek wanted more than there is */
    /* joint->lock: */
    struct os_cond wake;
    bool interrupted;
    bool closed;
    void (*ready)(void *token, uint32_t events);
    void *token;
    uint32_t armed;
    uint32_t pending; /* to be reported by the post that is under way */
    bool posted;
    bool reporting;
    unsigned n_references; /* its owner, and a post */
};

struct joint {
    struct os_mutex lock;
    struct channel channels[2];
    struct via_stream ends[2];
    unsigned n_ends; /* lock: ends with references */
};

static void queue_release(struct queue *queue)
{
    if (queue->memory.data != NULL)
        loopback_host->buffer_put(&queue->memory);
    memset(queue, 0, sizeof *queue);
}

static size_t queue_used(const struct queue *queue)
{
    return queue->tail - queue->head;
}

/* Contiguous room behind the tail after making as much as there can be, if less than `room` is
 * there. */
static HRESULT queue_make_room(struct queue *queue, size_t room, size_t *there)
{
    if (queue->memory.data == NULL) {
        HRESULT hr = loopback_host->buffer_get(BUFFER_SIZE, &queue->memory);
        if (FAILED(hr))
            return hr;
    }
    if (queue->memory.size - queue->tail < room && queue->head > 0) {
        memmove(queue->memory.data, queue->memory.data + queue->head, queue_used(queue));
        queue->tail -= queue->head;
        queue->head = 0;
    }
    *there = queue->memory.size - queue->tail;
    return S_OK;
}

HRESULT loopback_pair_new(struct via_stream *ends[2])
{
    struct joint *joint = calloc(1, sizeof *joint);
    if (joint == NULL)
        return loopback_fail(E_OUTOFMEMORY, "out of memory");
    os_mutex_init(&joint->lock);
    joint->n_ends = 2;
    for (int i = 0; i < 2; i++) {
        struct via_stream *end = &joint->ends[i];
        joint->channels[i].handles_end = &joint->channels[i].handles;
        end->joint = joint;
        end->in = &joint->channels[i];
        end->out = &joint->channels[1 - i];
        end->peer = &joint->ends[1 - i];
        end->n_references = 1;
        os_cond_init(&end->wake);
        ends[i] = end;
    }
    return S_OK;
}

static void joint_free(struct joint *joint)
{
    for (int i = 0; i < 2; i++) {
        queue_release(&joint->channels[i].bytes);
        os_cond_deinit(&joint->ends[i].wake);
    }
    os_mutex_deinit(&joint->lock);
    free(joint);
}

/* Called with the lock; leaves it. */
static void unref_and_unlock(struct via_stream *stream)
{
    struct joint *joint = stream->joint;
    bool last = --stream->n_references == 0 && --joint->n_ends == 0;
    os_mutex_unlock(&joint->lock);
    if (last)
        joint_free(joint);
}

/* --- readiness; all with the lock --- */

static void on_post(void *argument)
{
    struct via_stream *stream = argument;
    os_mutex_lock(&stream->joint->lock);
    stream->posted = false;
    uint32_t events = stream->closed ? 0 : stream->pending;
    stream->pending = 0;
    if (events != 0) {
        stream->reporting = true;
        os_mutex_unlock(&stream->joint->lock);
        stream->ready(stream->token, events);
        os_mutex_lock(&stream->joint->lock);
        stream->reporting = false;
        os_cond_broadcast(&stream->wake);
    }
    unref_and_unlock(stream);
    atomic_fetch_sub(&loopback_n_posts, 1);
}

/* Reports those of `events` that are armed. */
static HRESULT notify(struct via_stream *stream, uint32_t events)
{
    events &= stream->armed;
    if (events == 0 || stream->closed)
        return S_OK;
    if (!stream->posted) {
        atomic_fetch_add(&loopback_n_posts, 1);
        HRESULT hr = loopback_host->post(on_post, stream);
        if (FAILED(hr)) {
            atomic_fetch_sub(&loopback_n_posts, 1);
            return hr;
        }
        stream->posted = true;
        stream->n_references++;
    }
    stream->armed &= ~events;
    stream->pending |= events;
    return S_OK;
}

static void end_channel(struct channel *channel, struct via_stream *reader,
                        struct via_stream *writer)
{
    channel->ended = true;
    os_cond_broadcast(&reader->wake);
    notify(reader, VIA_READY_READ);
    notify(writer, VIA_READY_WRITE);
}

HRESULT loopback_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                           void *token)
{
    os_mutex_lock(&stream->joint->lock);
    stream->ready = ready;
    stream->token = token;
    os_mutex_unlock(&stream->joint->lock);
    return S_OK;
}

HRESULT loopback_arm(struct via_stream *stream, uint32_t events)
{
    uint32_t now = 0;
    bool buffered =
        (events & VIA_READY_READ) && !stream->starved && queue_used(&stream->receiving) > 0;
    os_mutex_lock(&stream->joint->lock);
    stream->armed |= events & (VIA_READY_READ | VIA_READY_WRITE);
    if (buffered || queue_used(&stream->in->bytes) > 0 || stream->in->ended)
        now |= VIA_READY_READ;
    if (queue_used(&stream->out->bytes) < BUFFER_SIZE || stream->out->ended)
        now |= VIA_READY_WRITE;
    HRESULT hr = notify(stream, now);
    os_mutex_unlock(&stream->joint->lock);
    return hr;
}

void loopback_disarm(struct via_stream *stream, uint32_t events)
{
    os_mutex_lock(&stream->joint->lock);
    stream->armed &= ~events;
    stream->pending &= ~events;
    os_mutex_unlock(&stream->joint->lock);
}

/* --- sending --- */

HRESULT loopback_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size)
{
    struct queue *queue = &stream->sending;
    size_t there;
    if (min > LOOPBACK_MAX_SPAN)
        return loopback_fail(E_INVALIDARG, "reserve of more than max_span bytes");
    HRESULT hr = queue_make_room(queue, min, &there);
    if (SUCCEEDED(hr) && there < min) {
        hr = loopback_commit(stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
        if (SUCCEEDED(hr))
            hr = queue_make_room(queue, min, &there);
        if (SUCCEEDED(hr) && there < min)
            return VIA_S_WOULD_BLOCK;
    }
    if (SUCCEEDED(hr)) {
        *span = queue->memory.data + queue->tail;
        *size = there;
    }
    return hr;
}

/* Moves what fits into the channel. Called with the lock. */
static HRESULT push(struct via_stream *stream)
{
    struct queue *from = &stream->sending;
    struct queue *to = &stream->out->bytes;
    size_t n = queue_used(from);
    size_t room;
    if (stream->out->ended)
        return loopback_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    if (n == 0)
        return S_OK;
    HRESULT hr = queue_make_room(to, n, &room);
    if (FAILED(hr))
        return hr;
    size_t take = n < room ? n : room;
    memcpy(to->memory.data + to->tail, from->memory.data + from->head, take);
    to->tail += take;
    from->head += take;
    if (from->head == from->tail)
        queue_release(from);
    if (take > 0) {
        os_cond_broadcast(&stream->peer->wake);
        hr = notify(stream->peer, VIA_READY_READ);
    }
    return FAILED(hr) || take == n ? hr : VIA_S_WOULD_BLOCK;
}

static void free_handles(struct sent_handle *first)
{
    while (first != NULL) {
        struct sent_handle *next = first->next;
        loopback_handle_close(first->handle);
        free(first);
        first = next;
    }
}

/* Duplicates the handles into a list. */
static HRESULT copy_handles(const via_os_handle *handles, uint32_t n, uint64_t position,
                            struct sent_handle **list)
{
    struct sent_handle *first = NULL;
    struct sent_handle **end = &first;
    for (uint32_t i = 0; i < n; i++) {
        struct sent_handle *handle = calloc(1, sizeof *handle);
        HRESULT hr = handle != NULL ? loopback_handle_duplicate(handles[i], &handle->handle)
                                    : loopback_fail(E_OUTOFMEMORY, "out of memory");
        if (FAILED(hr)) {
            free(handle);
            free_handles(first);
            return hr;
        }
        handle->position = position;
        *end = handle;
        end = &handle->next;
    }
    *list = first;
    return S_OK;
}

HRESULT loopback_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                        uint32_t n_handles, uint32_t flags)
{
    struct queue *queue = &stream->sending;
    struct channel *channel = stream->out;
    struct sent_handle *list = NULL;
    HRESULT hr = S_OK;
    if (n_handles > LOOPBACK_MAX_HANDLES || (n_handles > 0 && n == 0))
        return loopback_fail(E_INVALIDARG,
                             "commit with too many handles, or handles without a byte");
    if (n > 0 && (queue->memory.data == NULL || n > queue->memory.size - queue->tail))
        return loopback_fail(E_INVALIDARG, "commit of bytes that were not reserved");
    hr = copy_handles(handles, n_handles, stream->committed, &list);
    if (FAILED(hr))
        return hr;
    queue->tail += n;
    stream->committed += n;
    os_mutex_lock(&stream->joint->lock);
    if (!channel->ended) { /* else nobody would close them */
        *channel->handles_end = list;
        while (*channel->handles_end != NULL)
            channel->handles_end = &(*channel->handles_end)->next;
        list = NULL;
    }
    if (flags & VIA_COMMIT_FLUSH)
        hr = push(stream);
    os_mutex_unlock(&stream->joint->lock);
    free_handles(list);
    return hr;
}

/* --- receiving --- */

/* Takes up to `size` bytes out of the channel. Called with the lock. */
static size_t pull(struct via_stream *stream, void *buffer, size_t size)
{
    struct queue *from = &stream->in->bytes;
    size_t n = queue_used(from) < size ? queue_used(from) : size;
    if (n == 0)
        return 0;
    memcpy(buffer, from->memory.data + from->head, n);
    from->head += n;
    stream->in->received += n;
    if (from->head == from->tail)
        queue_release(from);
    notify(stream->peer, VIA_READY_WRITE);
    return n;
}

HRESULT loopback_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size)
{
    struct queue *queue = &stream->receiving;
    HRESULT hr = S_OK;
    if (want > LOOPBACK_MAX_SPAN)
        return loopback_fail(E_INVALIDARG, "peek of more than max_span bytes");
    if (queue_used(queue) < want) {
        size_t room;
        hr = queue_make_room(queue, want - queue_used(queue), &room);
        if (FAILED(hr))
            return hr;
        os_mutex_lock(&stream->joint->lock);
        queue->tail += pull(stream, queue->memory.data + queue->tail, room);
        bool ended = stream->in->ended;
        os_mutex_unlock(&stream->joint->lock);
        if (queue_used(queue) < want)
            hr = ended ? loopback_fail(RPC_E_DISCONNECTED, "the peer has closed the connection")
                       : VIA_S_WOULD_BLOCK;
    }
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    *span = queue->memory.data + queue->head;
    *size = queue_used(queue);
    return hr;
}

void loopback_consume(struct via_stream *stream, size_t n)
{
    struct queue *queue = &stream->receiving;
    queue->head += n;
    if (queue->head == queue->tail)
        queue->head = queue->tail = 0;
}

HRESULT loopback_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n)
{
    struct queue *queue = &stream->receiving;
    HRESULT hr = S_OK;
    if (queue_used(queue) > 0) {
        *n = queue_used(queue) < size ? queue_used(queue) : size;
        memcpy(buffer, queue->memory.data + queue->head, *n);
        loopback_consume(stream, *n);
        return S_OK;
    }
    os_mutex_lock(&stream->joint->lock);
    *n = pull(stream, buffer, size);
    bool ended = stream->in->ended;
    os_mutex_unlock(&stream->joint->lock);
    if (*n == 0)
        hr = ended ? loopback_fail(RPC_E_DISCONNECTED, "the peer has closed the connection")
                   : VIA_S_WOULD_BLOCK;
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return hr;
}

HRESULT loopback_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    struct channel *channel = stream->in;
    uint32_t there = 0;
    HRESULT hr = S_OK;
    os_mutex_lock(&stream->joint->lock);
    for (struct sent_handle *h = channel->handles;
         h != NULL && h->position < channel->received && there < n; h = h->next)
        there++;
    if (there < n)
        hr = loopback_fail(VIA_E_PROTOCOL, "more handles are expected than have arrived");
    for (uint32_t i = 0; hr == S_OK && i < n; i++) {
        struct sent_handle *h = channel->handles;
        handles[i] = h->handle;
        channel->handles = h->next;
        if (channel->handles == NULL)
            channel->handles_end = &channel->handles;
        free(h);
    }
    os_mutex_unlock(&stream->joint->lock);
    return hr;
}

HRESULT loopback_wait(struct via_stream *stream, uint64_t deadline_ns)
{
    HRESULT hr = S_OK;
    bool in_time = true;
    os_mutex_lock(&stream->joint->lock);
    for (;;) {
        if (stream->interrupted) {
            stream->interrupted = false;
            hr = VIA_S_INTERRUPTED;
            break;
        }
        if (queue_used(&stream->in->bytes) > 0 || stream->in->ended)
            break;
        if (!in_time) {
            hr = loopback_fail(RPC_E_TIMEOUT, "nothing arrived before the deadline");
            break;
        }
        in_time = os_cond_wait(&stream->wake, &stream->joint->lock, deadline_ns);
    }
    os_mutex_unlock(&stream->joint->lock);
    return hr;
}

void loopback_interrupt(struct via_stream *stream)
{
    os_mutex_lock(&stream->joint->lock);
    stream->interrupted = true;
    os_cond_broadcast(&stream->wake);
    os_mutex_unlock(&stream->joint->lock);
}

void loopback_park(struct via_stream *stream)
{
    if (queue_used(&stream->receiving) == 0)
        queue_release(&stream->receiving);
}

/* --- the rest --- */

HRESULT loopback_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    (void)stream;
    uint32_t size = identity->size;
    os_identity_self(identity);
    identity->size = size;
    return S_OK;
}

void loopback_shutdown(struct via_stream *stream)
{
    os_mutex_lock(&stream->joint->lock);
    end_channel(stream->in, stream, stream->peer);
    end_channel(stream->out, stream->peer, stream);
    os_mutex_unlock(&stream->joint->lock);
}

void loopback_close(struct via_stream *stream)
{
    struct channel *in = stream->in;
    queue_release(&stream->sending);
    queue_release(&stream->receiving);
    os_mutex_lock(&stream->joint->lock);
    stream->closed = true;
    end_channel(stream->out, stream->peer, stream);
    end_channel(in, stream, stream->peer);
    struct sent_handle *handles = in->handles;
    in->handles = NULL;
    in->handles_end = &in->handles;
    queue_release(&in->bytes);
    while (stream->reporting)
        os_cond_wait(&stream->wake, &stream->joint->lock, UINT64_MAX);
    unref_and_unlock(stream);
    free_handles(handles);
}
