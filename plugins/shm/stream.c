/*
 * A stream's life, and its end.
 *
 * The end comes from this side (shutdown, close), from the peer's word in the ring's control, from
 * the carrier (end of file, the end of the peer's process), or from a rule that the peer broke
 * there. Whoever finds it first sets `end`, and wakes who may sleep.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"

#include <stdlib.h>

HRESULT shm_new(const struct carrier_line *line, struct via_stream **stream)
{
    struct via_stream *self = calloc(1, sizeof *self);
    if (self == NULL) {
        struct stream_carrier lost = {.line = *line};
        carrier_deinit(&lost);
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    }
    atomic_init(&self->state, STREAM_AWAITING);
    atomic_init(&self->end, STREAM_ALIVE);
    atomic_init(&self->n_references, 1);
    self->carrier.line = *line;
    self->own_event = self->peer_event = self->own_bell = self->peer_bell = self->memory = -1;
    socket_lock_init(&self->carrier.lock);
    socket_lock_init(&self->setup_lock);
    shm_ready_init(self);
    *stream = self;
    return S_OK;
}

void shm_unref(struct via_stream *stream)
{
    if (atomic_fetch_sub_explicit(&stream->n_references, 1, memory_order_acq_rel) != 1)
        return;
    shm_ready_deinit(stream);
    socket_lock_deinit(&stream->setup_lock);
    socket_lock_deinit(&stream->carrier.lock);
    free(stream);
}

static void set_end(struct via_stream *stream, enum stream_end end)
{
    uint32_t alive = STREAM_ALIVE;
    atomic_compare_exchange_strong(&stream->end, &alive, end);
}

void shm_end(struct via_stream *stream, enum stream_end end)
{
    set_end(stream, end);
    wait_kick(stream); /* also if it had ended: the peer may have died before it woke anybody */
}

bool shm_has_ended(struct via_stream *stream)
{
    if (atomic_load_explicit(&stream->end, memory_order_acquire) != STREAM_ALIVE)
        return true;
    if (!shm_is_up(stream) || !atomic_load(&stream->out->reader_closed))
        return false;
    set_end(stream, STREAM_GONE); /* who sleeps has been woken by the peer */
    return true;
}

HRESULT shm_fail_ended(struct via_stream *stream)
{
    switch (atomic_load(&stream->end)) {
    case STREAM_VIOLATED:
        return socket_fail(VIA_E_PROTOCOL, "the peer broke the rules of the shared memory");
    case STREAM_EXCEEDED:
        return socket_fail(VIA_E_LIMIT, "handles of the peer could not be received: it sent more "
                                        "than frames claim, or this process has too many open");
    default:
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    }
}

void shm_wake_peer(struct via_stream *stream, uint32_t how, _Atomic uint32_t *word)
{
    if (how == RING_THREAD)
        system_wake(word, stream->peer_bell);
    else if (how == RING_PARKED && stream->peer_event >= 0)
        system_event_set(stream->peer_event);
    else if (how == RING_PARKED || how == RING_CARRIER)
        carrier_send_wake(stream);
}

/* Tells the peer, who then need not look at the carrier. */
static void say_goodbye(struct via_stream *stream)
{
    _Atomic uint32_t *reader = &stream->out->reader_sleep;
    _Atomic uint32_t *writer = &stream->in->writer_sleep;
    atomic_store(&stream->in->reader_closed, 1);
    shm_wake_peer(stream, atomic_exchange(reader, RING_AWAKE), reader);
    shm_wake_peer(stream, atomic_exchange(writer, RING_AWAKE), writer);
}

void shm_shutdown(struct via_stream *stream)
{
    shm_end(stream, STREAM_SHUT);
    if (shm_is_up(stream))
        say_goodbye(stream);
    stream->carrier.line.kind->shutdown(&stream->carrier.line);
    shm_ready_look(stream);
}

void shm_close(struct via_stream *stream)
{
    shm_ready_close(stream);
    if (shm_is_up(stream))
        say_goodbye(stream);
    shm_sender_deinit(&stream->sender);
    carrier_deinit(&stream->carrier);
    segment_unmap(&stream->segment);
    const int32_t descriptors[] = {stream->own_event, stream->peer_event, stream->own_bell,
                                   stream->peer_bell, stream->memory};
    for (size_t i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
        if (descriptors[i] >= 0)
            system_close(descriptors[i]);
    }
    shm_unref(stream);
}

HRESULT shm_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    uint32_t size = identity->size;
    *identity = stream->carrier.line.peer;
    identity->size = size;
    return S_OK;
}
