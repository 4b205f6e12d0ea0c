/*
 * The receiving half of a stream: bytes are shown where the peer has written them.
 *
 * The peer is told how far this side has read when it may need to know: after a quarter of the
 * ring, and when there is nothing left to read.
 */
#include "plugins/shm/stream.h"

#include <string.h>

static HRESULT fail_again(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

void shm_release(struct via_stream *stream)
{
    struct ring_reader *ring = &stream->receiver.ring;
    if (ring->released != ring->consumed)
        shm_wake_peer(stream, ring_release(ring), &ring->control->writer_sleep);
}

void shm_meet(struct via_stream *stream)
{
    struct ring_reader *ring = &stream->receiver.ring;
    if (ring->capacity == 0 && shm_is_up(stream))
        segment_reader(&stream->segment, stream->is_maker, ring);
}

/* Looks at what has come. S_OK: more than was known; VIA_S_WOULD_BLOCK. */
static HRESULT look(struct via_stream *stream)
{
    struct stream_receiver *receiver = &stream->receiver;
    struct ring_reader *ring = &receiver->ring;
    if (receiver->broken != S_OK)
        return fail_again(receiver->broken);
    HRESULT hr = shm_is_up(stream) ? S_OK : setup_finish(stream);
    shm_meet(stream);
    bool has_ended = shm_has_ended(stream); /* before the ring: the end comes after the data */
    if (hr == S_OK) {
        uint64_t seen = ring->seen;
        if (!ring_refresh_used(ring))
            hr = socket_fail(VIA_E_PROTOCOL, "the peer says that it has sent what has no room");
        else if (ring->seen == seen)
            hr = VIA_S_WOULD_BLOCK;
    }
    if (hr == VIA_S_WOULD_BLOCK && has_ended)
        hr = shm_fail_ended(stream);
    if (FAILED(hr))
        receiver->broken = hr;
    return hr;
}

HRESULT shm_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size)
{
    struct stream_receiver *receiver = &stream->receiver;
    struct ring_reader *ring = &receiver->ring;
    HRESULT hr = S_OK;
    if (want > SHM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "peek of %u bytes; %u is the most", (unsigned)want,
                           SHM_MAX_SPAN);
    if (ring_used(ring) < want) {
        hr = look(stream);
        if (!FAILED(hr))
            hr = ring_used(ring) < want ? VIA_S_WOULD_BLOCK : S_OK;
        if (hr != S_OK && ring->capacity != 0)
            shm_release(stream);
    }
    receiver->starved = hr == VIA_S_WOULD_BLOCK;
    *size = ring_used(ring);
    *span = ring->capacity != 0 ? ring_front(ring) : NULL;
    return hr;
}

void shm_consume(struct via_stream *stream, size_t n)
{
    struct ring_reader *ring = &stream->receiver.ring;
    ring->consumed += n;
    if (ring->consumed - ring->released >= SHM_RELEASE_AFTER(ring->capacity) && n > 0)
        shm_release(stream);
}

HRESULT shm_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n)
{
    struct ring_reader *ring = &stream->receiver.ring;
    HRESULT hr = S_OK;
    *n = 0;
    if (ring_used(ring) < size) {
        hr = look(stream);
        stream->receiver.starved = hr == VIA_S_WOULD_BLOCK && ring_used(ring) == 0;
        if (ring_used(ring) == 0) {
            if (ring->capacity != 0)
                shm_release(stream);
            return hr;
        }
    }
    *n = ring_used(ring) < size ? ring_used(ring) : size;
    memcpy(buffer, ring_front(ring), *n);
    shm_consume(stream, *n);
    return S_OK;
}

void shm_park(struct via_stream *stream)
{
    if (shm_is_up(stream))
        shm_release(stream);
}
