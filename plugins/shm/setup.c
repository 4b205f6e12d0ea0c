/*
 * How a stream gets its segment.
 *
 * The side that connects makes it and sends it in one message, right after connecting, so that
 * nobody waits: a description, and with it the memory, the event that wakes the connecting side,
 * and the one that wakes the other. The other side checks all of it before it maps anything. The
 * same description and handles, with a carrier as the fourth, are what `offer` gives to a host,
 * which brings them to the peer its own way, and what `attach` takes.
 *
 * A peer's event is set only if the peer is the same user: by its flags, which the peer shares, it
 * could be made to block. Others are woken over the carrier.
 */
#include "plugins/shm/setup.h"

#include "plugins/shm/stream.h"
#include "plugins/shm/system.h"

#include <string.h>

static void close_all(const int32_t *descriptors, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (descriptors[i] >= 0)
            system_close(descriptors[i]);
    }
}

HRESULT setup_map(struct via_stream *stream, int32_t memory, uint32_t capacity, bool is_maker)
{
    HRESULT hr = segment_map(memory, capacity, is_maker, &stream->segment);
    if (FAILED(hr))
        return hr;
    struct ring_control *controls = segment_controls(&stream->segment);
    stream->out = &controls[is_maker ? 0 : 1];
    stream->in = &controls[is_maker ? 1 : 0];
    stream->is_maker = is_maker;
    return S_OK;
}

/* Maps the segment. The descriptors stay the caller's, but for those that become -1. */
static HRESULT bring_up(struct via_stream *stream, uint32_t capacity, bool is_maker,
                        int32_t descriptors[SETUP_N_HANDLES])
{
    HRESULT hr = setup_map(stream, descriptors[SETUP_MEMORY], capacity, is_maker);
    if (FAILED(hr))
        return hr;
    int32_t *own = &descriptors[is_maker ? SETUP_MAKER_EVENT : SETUP_OTHER_EVENT];
    int32_t *other = &descriptors[is_maker ? SETUP_OTHER_EVENT : SETUP_MAKER_EVENT];
    if (system_event_check(*own)) {
        stream->own_event = *own;
        *own = -1;
    }
    if (stream->carrier.line.is_same_user && system_event_check(*other)) {
        stream->peer_event = *other;
        *other = -1;
    }
    atomic_store(&stream->state, STREAM_UP);
    return S_OK;
}

static HRESULT make_handles(int32_t descriptors[SETUP_N_HANDLES])
{
    for (unsigned i = 0; i < SETUP_N_HANDLES; i++)
        descriptors[i] = -1;
    HRESULT hr = segment_new(SEGMENT_CAPACITY, &descriptors[SETUP_MEMORY]);
    if (SUCCEEDED(hr))
        hr = system_event_new(&descriptors[SETUP_MAKER_EVENT]);
    if (SUCCEEDED(hr))
        hr = system_event_new(&descriptors[SETUP_OTHER_EVENT]);
    if (FAILED(hr))
        close_all(descriptors, SETUP_N_HANDLES);
    return hr;
}

static const struct setup own_setup = {
    .magic = SETUP_MAGIC, .version = SETUP_VERSION, .capacity = SEGMENT_CAPACITY};

HRESULT setup_start(struct via_stream *stream)
{
    struct carrier_line *line = &stream->carrier.line;
    int32_t descriptors[SETUP_N_HANDLES];
    HRESULT hr = make_handles(descriptors);
    if (FAILED(hr))
        return hr;
    hr = line->kind->send(line, &own_setup, sizeof own_setup, descriptors, SETUP_N_HANDLES);
    if (hr == RPC_E_DISCONNECTED) { /* a connection that ends at once, and was one */
        shm_end(stream, STREAM_GONE);
        hr = S_OK;
    } else if (hr == VIA_S_WOULD_BLOCK) {
        hr = socket_fail(E_UNEXPECTED, "a fresh socket has no room for the set-up");
    }
    if (SUCCEEDED(hr))
        hr = bring_up(stream, SEGMENT_CAPACITY, true, descriptors);
    close_all(descriptors, SETUP_N_HANDLES);
    return hr;
}

static HRESULT check_setup(const struct setup *setup, size_t size)
{
    static const uint32_t zero[sizeof setup->reserved / sizeof setup->reserved[0]];
    if (size != sizeof *setup || setup->magic != SETUP_MAGIC)
        return socket_fail(VIA_E_PROTOCOL, "the peer's first message is no set-up of shm");
    if (setup->version != SETUP_VERSION || memcmp(setup->reserved, zero, sizeof zero) != 0)
        return socket_fail(VIA_E_PROTOCOL, "the peer's set-up of shm has version %u, known is %u",
                           setup->version, SETUP_VERSION);
    return S_OK;
}

/* The descriptors are closed. */
HRESULT setup_receive(struct via_stream *stream)
{
    struct carrier_line *line = &stream->carrier.line;
    struct setup setup;
    struct socket_received received;
    size_t n = 0;
    received.n_descriptors = 0;
    HRESULT hr = line->kind->receive(line, &setup, sizeof setup, &n, &received);
    if (hr == S_OK)
        hr = check_setup(&setup, n);
    if (hr == S_OK && received.n_descriptors != SETUP_N_HANDLES)
        hr = socket_fail(VIA_E_PROTOCOL, "the peer's set-up of shm came with %u handles",
                         received.n_descriptors);
    if (hr == S_OK)
        hr = segment_check(received.descriptors[SETUP_MEMORY], setup.capacity);
    if (hr == S_OK)
        hr = bring_up(stream, setup.capacity, false, received.descriptors);
    close_all(received.descriptors, received.n_descriptors);
    return hr;
}

HRESULT setup_finish(struct via_stream *stream)
{
    HRESULT hr;
    bool changed = false;
    socket_lock_enter(&stream->setup_lock);
    switch (atomic_load(&stream->state)) {
    case STREAM_AWAITING:
        hr = stream->carrier.line.kind->take_setup(stream);
        changed = hr != VIA_S_WOULD_BLOCK;
        if (FAILED(hr)) {
            stream->refusal = hr;
            atomic_store(&stream->state, STREAM_REFUSED);
        }
        break;
    case STREAM_UP:
        hr = S_OK;
        break;
    default:
        hr = stream->refusal;
        hr = hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                      : socket_fail(hr, "the peer's set-up of shm was refused");
    }
    socket_lock_leave(&stream->setup_lock);
    if (changed)
        shm_ready_look(stream);
    return hr;
}

/* --- offers --- */

static HRESULT peer_of(const struct via_peer_identity *identity, struct socket_peer *peer)
{
    if (!(identity->flags & VIA_PEER_HAS_UNIX))
        return socket_fail(E_NOTIMPL, "shm needs a peer that is known by its Unix user");
    peer->pid = identity->flags & VIA_PEER_HAS_PID ? identity->pid : 0;
    peer->uid = identity->uid;
    peer->gid = identity->gid;
    return S_OK;
}

HRESULT shm_offer(const struct via_peer_identity *peer, struct via_offer *offer,
                  struct via_stream **stream)
{
    int32_t descriptors[OFFER_N_HANDLES];
    int32_t ends[2];
    struct socket_peer known;
    struct via_stream *self = NULL;
    HRESULT hr = peer_of(peer, &known);
    if (SUCCEEDED(hr))
        hr = make_handles(descriptors);
    if (FAILED(hr))
        return hr;
    hr = system_socket_pair(ends);
    if (FAILED(hr)) {
        close_all(descriptors, SETUP_N_HANDLES);
        return hr;
    }
    descriptors[OFFER_CARRIER] = ends[1];
    struct carrier_line line;
    carrier_socket_line(ends[0], &known, system_process_life(known.pid), &line);
    hr = shm_new(&line, &self);
    int32_t kept[SETUP_N_HANDLES] = {descriptors[SETUP_MEMORY], -1, -1};
    for (unsigned i = SETUP_MAKER_EVENT; SUCCEEDED(hr) && i < SETUP_N_HANDLES; i++)
        hr = system_duplicate(descriptors[i], &kept[i]);
    if (SUCCEEDED(hr))
        hr = bring_up(self, SEGMENT_CAPACITY, true, kept);
    close_all(&kept[SETUP_MAKER_EVENT], SETUP_N_HANDLES - SETUP_MAKER_EVENT);
    if (FAILED(hr)) {
        if (self != NULL)
            shm_close(self);
        close_all(descriptors, OFFER_N_HANDLES);
        return hr;
    }
    offer->n_handles = OFFER_N_HANDLES;
    for (unsigned i = 0; i < OFFER_N_HANDLES; i++)
        offer->handles[i] = descriptors[i];
    offer->n_bytes = sizeof own_setup;
    memcpy(offer->bytes, &own_setup, sizeof own_setup);
    *stream = self;
    return S_OK;
}

/* The carrier of an offer is a socket that the peer itself has made. */
static HRESULT check_carrier(int32_t descriptor, const struct socket_peer *expected)
{
    struct socket_peer actual;
    HRESULT hr = socket_peer_of(descriptor, &actual);
    if (FAILED(hr))
        return socket_fail(VIA_E_PROTOCOL, "the peer's offer has no socket as its carrier");
    if (actual.uid != expected->uid || (expected->pid != 0 && actual.pid != expected->pid))
        return socket_fail(VIA_E_IDENTITY,
                           "the peer's offer has a carrier of process %u of user %u; the peer is "
                           "process %u of user %u",
                           actual.pid, actual.uid, expected->pid, expected->uid);
    return S_OK;
}

HRESULT shm_attach(const struct via_peer_identity *peer, const struct via_offer *offer,
                   struct via_stream **stream)
{
    int32_t descriptors[VIA_OFFER_MAX_HANDLES];
    uint32_t n =
        offer->n_handles < VIA_OFFER_MAX_HANDLES ? offer->n_handles : VIA_OFFER_MAX_HANDLES;
    struct socket_peer known;
    struct via_stream *self = NULL;
    struct setup setup;
    for (uint32_t i = 0; i < n; i++)
        descriptors[i] = (int32_t)offer->handles[i];
    HRESULT hr = peer_of(peer, &known);
    if (SUCCEEDED(hr) && (n != OFFER_N_HANDLES || offer->n_bytes != sizeof setup))
        hr = socket_fail(VIA_E_PROTOCOL, "the peer's offer has %u handles and %u bytes", n,
                         offer->n_bytes);
    if (SUCCEEDED(hr)) {
        memcpy(&setup, offer->bytes, sizeof setup);
        hr = check_setup(&setup, sizeof setup);
    }
    if (SUCCEEDED(hr))
        hr = segment_check(descriptors[SETUP_MEMORY], setup.capacity);
    if (SUCCEEDED(hr))
        hr = check_carrier(descriptors[OFFER_CARRIER], &known);
    if (SUCCEEDED(hr)) {
        struct carrier_line line;
        carrier_socket_line(descriptors[OFFER_CARRIER], &known, system_process_life(known.pid),
                            &line);
        descriptors[OFFER_CARRIER] = -1;
        hr = shm_new(&line, &self);
    }
    if (SUCCEEDED(hr))
        hr = bring_up(self, setup.capacity, false, descriptors);
    close_all(descriptors, n);
    if (FAILED(hr)) {
        if (self != NULL)
            shm_close(self);
        return hr;
    }
    *stream = self;
    return S_OK;
}
