/*
 * One direction of a session.
 *
 * Bytes are received straight into the room that the sink's transport has reserved, so that there
 * is one buffer between the two, which is given back whenever the source runs dry. Nothing is
 * received while the sink has unsent bytes: a reader that stops stops the writer, and what a
 * direction holds is bounded by one buffer of the transport's.
 *
 * The end. Where the sink can be told of it alone (via_transport.finish) it is, and the other
 * direction goes on. Where it cannot (a pipe ends as a whole), the end of what a target has said is
 * the end of the connection; the end of what a client has said is kept from the target, for as long
 * as that still talks. A side that has gone altogether ends the session, once what it sent is
 * passed on.
 */
#include "core/relay/relay_parts.h"

#include "core/os/clock.h"
#include "core/util/error.h"

/* One callback moves at most so much, before others get their turn. */
#define TURN_SIZE (512u * 1024u)
/* What is received at once, and the least room that is worth it. */
#define PIECE_SIZE     (64u * 1024u)
#define MIN_PIECE_SIZE (16u * 1024u)

static bool ends_by_halves(const struct via_transport *transport)
{
    return transport->size >= sizeof *transport && transport->finish != NULL &&
           transport->is_over != NULL;
}

static struct relay_end *source_of(struct relay_session *session, enum direction direction)
{
    return &session->ends[direction == TO_TARGET ? CLIENT : TARGET];
}

static struct relay_end *sink_of(struct relay_session *session, enum direction direction)
{
    return &session->ends[direction == TO_TARGET ? TARGET : CLIENT];
}

static HRESULT arm(struct relay_end *end, uint32_t events)
{
    return end->transport->arm(end->stream, events);
}

static void settle(struct relay_session *session, enum direction direction, bool is_told)
{
    session->flows[direction].is_settled = true;
    session->is_half |= !is_told;
    if (session->flows[TO_TARGET].is_settled && session->flows[TO_CLIENT].is_settled)
        session_end(session);
    else if (!is_told)
        timer_need(session->relay->set, os_now_ns());
}

/* Everything has been passed on. */
static void tell_end(struct relay_session *session, enum direction direction)
{
    struct relay_end *sink = sink_of(session, direction);
    bool can_tell = ends_by_halves(sink->transport);
    if (session->flows[direction].is_over || (!can_tell && direction == TO_CLIENT)) {
        session_end(session);
        return;
    }
    if (can_tell)
        sink->transport->finish(sink->stream);
    settle(session, direction, can_tell);
}

/* Sends what is committed. S_OK: nothing is left. */
static HRESULT flush(struct relay_session *session, enum direction direction)
{
    struct relay_end *sink = sink_of(session, direction);
    HRESULT hr = sink->transport->commit(sink->stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
    if (hr == VIA_S_WOULD_BLOCK) {
        HRESULT armed = arm(sink, VIA_READY_WRITE);
        return FAILED(armed) ? armed : hr;
    }
    return hr;
}

static void source_ended(struct relay_session *session, enum direction direction, HRESULT hr)
{
    struct relay_end *source = source_of(session, direction);
    struct relay_flow *flow = &session->flows[direction];
    flow->has_ended = true;
    flow->is_over = hr != RPC_E_DISCONNECTED || !ends_by_halves(source->transport) ||
                    source->transport->is_over(source->stream) == S_OK;
}

/* The source has nothing at the moment: buffers go back, and it is waited for. */
static HRESULT rest(struct relay_session *session, enum direction direction)
{
    struct relay_end *source = source_of(session, direction);
    struct relay_end *sink = sink_of(session, direction);
    sink->transport->commit(sink->stream, 0, NULL, 0, 0);
    sink->transport->park(sink->stream);
    source->transport->park(source->stream);
    return arm(source, VIA_READY_READ);
}

/* Moves one piece. S_OK: there may be more; VIA_S_WOULD_BLOCK: something is armed; a failure is the
 * sink's. `n`: bytes moved. */
static HRESULT move_piece(struct relay_session *session, enum direction direction, size_t *n)
{
    struct relay_end *source = source_of(session, direction);
    struct relay_end *sink = sink_of(session, direction);
    uint8_t *span;
    size_t size;
    HRESULT hr = sink->transport->reserve(sink->stream, MIN_PIECE_SIZE, &span, &size);
    if (hr == VIA_S_WOULD_BLOCK)
        return flush(session, direction);
    if (FAILED(hr))
        return hr;
    size = size < PIECE_SIZE ? size : PIECE_SIZE;
    hr = source->transport->read_into(source->stream, span, size, n);
    if (FAILED(hr)) {
        *n = 0;
        source_ended(session, direction, hr);
        return S_OK;
    }
    if (hr != VIA_S_WOULD_BLOCK) {
        relay_count(session->relay, COUNT_BYTES + direction, *n);
        hr = sink->transport->commit(sink->stream, *n, NULL, 0, VIA_COMMIT_FLUSH);
        if (hr == VIA_S_WOULD_BLOCK) {
            HRESULT armed = arm(sink, VIA_READY_WRITE);
            return FAILED(armed) ? armed : hr;
        }
        /* Less than there was room for: it is empty, most likely, and if not, says so at once. */
        if (FAILED(hr) || *n == size)
            return hr;
    }
    hr = rest(session, direction);
    if (FAILED(hr)) {
        source_ended(session, direction, hr);
        return S_OK;
    }
    return VIA_S_WOULD_BLOCK;
}

/* The sink takes nothing any more: whoever was there is gone. What it had sent before may still be
 * on its way in the other direction. */
static void sink_lost(struct relay_session *session, enum direction direction)
{
    session->flows[direction].has_ended = true;
    settle(session, direction, false);
}

/* The turn is over, and there is more. */
static void come_again(struct relay_session *session, enum direction direction)
{
    HRESULT hr = arm(source_of(session, direction), VIA_READY_READ);
    if (FAILED(hr))
        session_end(session);
}

void flow_pump(struct relay_session *session, enum direction direction)
{
    struct relay_flow *flow = &session->flows[direction];
    size_t moved = 0;
    HRESULT hr = flow->is_settled ? VIA_S_WOULD_BLOCK : flush(session, direction);
    while (hr == S_OK && !flow->has_ended && moved < TURN_SIZE) {
        size_t n = 0;
        hr = move_piece(session, direction, &n);
        moved += n;
    }
    if (moved > 0)
        session->last_ns = os_now_ns();
    if (SUCCEEDED(hr) && flow->has_ended && !flow->is_settled)
        hr = flush(session, direction); /* the source may have ended with bytes unsent */
    if (FAILED(hr))
        sink_lost(session, direction);
    else if (hr == S_OK && flow->has_ended)
        tell_end(session, direction);
    else if (hr == S_OK)
        come_again(session, direction);
    error_clear();
}
