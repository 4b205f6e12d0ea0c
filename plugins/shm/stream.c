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

HRESULT shm_new(int32_t carrier, const struct socket_peer *peer, int32_t life,
                struct via_stream **stream)
{
    struct via_stream *self = calloc(1, sizeof *self);
    if (self == NULL) {
        socket_close(carrier);
        if (life >= 0)
            socket_close(life);
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    }
    atomic_init(&self->state, STREAM_AWAITING);
    atomic_init(&self->end, STREAM_ALIVE);
    atomic_init(&self->n_references, 1);
    self->carrier.descriptor = carrier;
    self->carrier.life = life;
    self->carrier.peer = *peer;
    self->own_event = self->peer_event = -1;
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
        system_wake(word);
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
    socket_shutdown(stream->carrier.descriptor);
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
    if (stream->own_event >= 0)
        socket_close(stream->own_event);
    if (stream->peer_event >= 0)
        socket_close(stream->peer_event);
    shm_unref(stream);
}

HRESULT shm_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    const struct socket_peer *peer = &stream->carrier.peer;
    identity->flags = VIA_PEER_HAS_UNIX | (peer->pid != 0 ? VIA_PEER_HAS_PID : 0);
    identity->uid = peer->uid;
    identity->gid = peer->gid;
    identity->pid = peer->pid;
    return S_OK;
}
