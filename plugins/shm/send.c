/*
 * The sending half of a stream.
 *
 * As long as the ring has room, frames are written where the peer reads them. When it has not, or
 * is not there yet, they go to a borrowed buffer, the overflow, and everything after them, until
 * the ring has taken all of it; a stream is thus never full before it has taken what one span
 * holds, as with a socket. Positions of the stream are those of the ring.
 *
 * Handles go ahead over the carrier. Those that it does not take wait in a list, and nothing is
 * published from their position on.
 */
#include "plugins/shm/stream.h"

#include <stdlib.h>
#include <string.h>

static HRESULT break_sender(struct stream_sender *sender, HRESULT hr)
{
    if (FAILED(hr))
        sender->broken = hr;
    return hr;
}

static HRESULT fail_again(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

/* What every operation starts with: whether the stream can still send. */
static HRESULT check_sender(struct via_stream *stream)
{
    struct stream_sender *sender = &stream->sender;
    if (sender->broken != S_OK)
        return fail_again(sender->broken);
    if (!shm_is_up(stream)) {
        HRESULT hr = setup_finish(stream);
        if (FAILED(hr))
            return break_sender(sender, hr);
    }
    if (sender->ring.capacity == 0 && shm_is_up(stream))
        segment_writer(&stream->segment, stream->is_maker, &sender->ring);
    return shm_has_ended(stream) ? break_sender(sender, shm_fail_ended(stream)) : S_OK;
}

static void give_back_overflow(struct stream_sender *sender)
{
    if (sender->overflow.data != NULL)
        socket_host->buffer_put(&sender->overflow);
    sender->head = sender->tail = 0;
}

static void pop_batch(struct stream_sender *sender)
{
    struct handle_batch *batch = sender->first;
    sender->first = batch->next;
    if (sender->first == NULL)
        sender->last = NULL;
    sender->n_batches--;
    for (uint32_t i = 0; i < batch->n; i++)
        socket_close(batch->descriptors[i]);
    free(batch);
}

void shm_sender_deinit(struct stream_sender *sender)
{
    while (sender->first != NULL)
        pop_batch(sender);
    give_back_overflow(sender);
}

/* Room in the ring, after a look at the consumer's position if less than `wanted` is known. */
static HRESULT find_room(struct stream_sender *sender, uint32_t wanted, uint32_t *room)
{
    struct ring_writer *ring = &sender->ring;
    *room = 0;
    if (ring->capacity == 0)
        return S_OK;
    if (ring_room(ring) < wanted && !ring_refresh_room(ring))
        return break_sender(
            sender,
            socket_fail(VIA_E_PROTOCOL, "the peer says that it has read what was never sent"));
    *room = ring_room(ring);
    return S_OK;
}

/* Moves as much of the overflow into the ring as there is room for. */
static HRESULT move_overflow(struct stream_sender *sender)
{
    size_t waiting = sender->tail - sender->head;
    uint32_t room;
    HRESULT hr = find_room(sender, waiting < UINT32_MAX ? (uint32_t)waiting : UINT32_MAX, &room);
    if (FAILED(hr) || room == 0)
        return hr;
    size_t n = waiting < room ? waiting : room;
    memcpy(ring_end(&sender->ring), sender->overflow.data + sender->head, n);
    sender->ring.committed += n;
    sender->head += n;
    if (sender->head == sender->tail)
        give_back_overflow(sender);
    return S_OK;
}

static HRESULT send_batches(struct via_stream *stream)
{
    struct stream_sender *sender = &stream->sender;
    while (sender->first != NULL) {
        struct handle_batch *batch = sender->first;
        HRESULT hr = carrier_send_handles(stream, batch->position, batch->descriptors, batch->n);
        if (hr != S_OK)
            return break_sender(sender, hr);
        pop_batch(sender);
    }
    return S_OK;
}

/* Publishes what is committed, as far as room and carrier allow. */
static HRESULT publish(struct via_stream *stream)
{
    struct stream_sender *sender = &stream->sender;
    struct ring_writer *ring = &sender->ring;
    HRESULT hr = S_OK;
    if (ring->capacity == 0)
        return sender->head < sender->tail ? VIA_S_WOULD_BLOCK : S_OK;
    if (sender->first != NULL)
        hr = send_batches(stream);
    if (!FAILED(hr) && sender->head < sender->tail)
        hr = move_overflow(sender);
    if (FAILED(hr))
        return hr;
    uint64_t end = ring->committed;
    if (sender->first != NULL && sender->first->position < end)
        end = sender->first->position;
    if (end != ring->published)
        shm_wake_peer(stream, ring_publish(ring, end), &ring->control->reader_sleep);
    return sender->head < sender->tail || sender->first != NULL ? VIA_S_WOULD_BLOCK : S_OK;
}

/* A peer that takes nothing may be dead, which nothing in the ring says. */
static HRESULT flush(struct via_stream *stream)
{
    HRESULT hr = publish(stream);
    if (hr != VIA_S_WOULD_BLOCK || !shm_is_up(stream))
        return hr;
    carrier_check(stream);
    return shm_has_ended(stream) ? break_sender(&stream->sender, shm_fail_ended(stream)) : hr;
}

/* Room in the overflow behind what is there. */
static HRESULT reserve_overflow(struct stream_sender *sender, size_t min, size_t *room)
{
    *room = 0;
    if (sender->overflow.data == NULL) {
        HRESULT hr = socket_host->buffer_get(SHM_OVERFLOW_SIZE, &sender->overflow);
        if (FAILED(hr))
            return hr;
    }
    if (sender->overflow.size - sender->tail < min && sender->head > 0) {
        memmove(sender->overflow.data, sender->overflow.data + sender->head,
                sender->tail - sender->head);
        sender->tail -= sender->head;
        sender->head = 0;
    }
    *room = sender->overflow.size - sender->tail;
    return *room < min || sender->n_batches >= SHM_MAX_BATCHES ? VIA_S_WOULD_BLOCK : S_OK;
}

HRESULT shm_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size)
{
    struct stream_sender *sender = &stream->sender;
    uint32_t room = 0;
    if (min > SHM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "reserve of %u bytes; %u is the most", (unsigned)min,
                           SHM_MAX_SPAN);
    sender->reserved = 0;
    HRESULT hr = check_sender(stream);
    if (SUCCEEDED(hr) && sender->head == sender->tail)
        hr = find_room(sender, (uint32_t)min, &room);
    if (FAILED(hr))
        return hr;
    sender->in_overflow = room == 0 || room < min;
    if (!sender->in_overflow) {
        *span = ring_end(&sender->ring);
        *size = sender->reserved = room;
        return S_OK;
    }
    hr = reserve_overflow(sender, min, &sender->reserved);
    if (hr == VIA_S_WOULD_BLOCK) {
        hr = flush(stream);
        if (!FAILED(hr))
            hr = reserve_overflow(sender, min, &sender->reserved);
    }
    if (hr != S_OK) {
        sender->reserved = 0;
        return hr;
    }
    *span = sender->overflow.data + sender->tail;
    *size = sender->reserved;
    return S_OK;
}

/* Keeps duplicates of handles that the carrier has no room for. */
static HRESULT queue_handles(struct stream_sender *sender, const int32_t *descriptors, uint32_t n,
                             uint64_t position)
{
    struct handle_batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    batch->next = NULL;
    batch->position = position;
    for (batch->n = 0; batch->n < n; batch->n++) {
        HRESULT hr = socket_duplicate(descriptors[batch->n], &batch->descriptors[batch->n]);
        if (FAILED(hr)) {
            while (batch->n > 0)
                socket_close(batch->descriptors[--batch->n]);
            free(batch);
            return hr;
        }
    }
    if (sender->last != NULL)
        sender->last->next = batch;
    else
        sender->first = batch;
    sender->last = batch;
    sender->n_batches++;
    return S_OK;
}

/* Sends the handles of what is committed next, or keeps them. */
static HRESULT send_handles(struct via_stream *stream, const via_os_handle *handles, uint32_t n)
{
    struct stream_sender *sender = &stream->sender;
    uint64_t position = sender->ring.committed + (sender->tail - sender->head);
    int32_t descriptors[SHM_MAX_HANDLES];
    HRESULT hr = VIA_S_WOULD_BLOCK;
    for (uint32_t i = 0; i < n; i++)
        descriptors[i] = (int32_t)handles[i];
    if (sender->ring.capacity != 0 && sender->first == NULL)
        hr = carrier_send_handles(stream, position, descriptors, n);
    return hr == VIA_S_WOULD_BLOCK ? queue_handles(sender, descriptors, n, position) : hr;
}

HRESULT shm_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                   uint32_t n_handles, uint32_t flags)
{
    struct stream_sender *sender = &stream->sender;
    uint32_t max_handles = stream->carrier.line.kind->max_handles;
    if (n_handles > max_handles || (n_handles > 0 && n == 0))
        return socket_fail(E_INVALIDARG, "commit of %u bytes with %u handles; %u is the most",
                           (unsigned)n, n_handles, max_handles);
    if (n > sender->reserved)
        return socket_fail(E_INVALIDARG, "commit of %u bytes that were not reserved", (unsigned)n);
    HRESULT hr = check_sender(stream);
    if (SUCCEEDED(hr) && n_handles > 0)
        hr = break_sender(sender, send_handles(stream, handles, n_handles));
    if (FAILED(hr))
        return hr;
    if (sender->in_overflow)
        sender->tail += n;
    else
        sender->ring.committed += n;
    if (n > 0)
        sender->reserved = 0;
    return flags & VIA_COMMIT_FLUSH ? flush(stream) : S_OK;
}
