/*
 * One direction of a session.
 *
 * Bytes are received straight into the room that the sink's transport has reserved, so that there
 * is one buffer between the two, which is given back whenever the source runs dry. Nothing is
 * received while the sink has unsent bytes: a reader that stops stops the writer, and what a
 * direction holds is bounded by one buffer of the transport's. A direction that fills such pieces
 * is moved by splice.c, where both sides can.
 *
 * The end. Where the sink can be told of it alone (via_transport.finish) it is, and the other
 * direction goes on. Where it cannot (a pipe ends as a whole), the end of what a target has said is
 * the end of the connection; the end of what a client has said is kept from the target, for as long
 * as that still talks. On a pipe in message mode an empty message says it: one that comes ends its
 * direction where the sink has bytes only, and between two such pipes it is a message like others.
 * A side that has gone altogether ends the session, once what it sent is passed on; after the end
 * of its direction too.
 */
#include "core/relay/relay_parts.h"

#include "core/os/clock.h"
#include "core/util/error.h"

#include <stdio.h>

/* One callback moves at most so much, before others get their turn. */
#define TURN_SIZE (512u * 1024u)
/* What is received at once, and the least room that is worth it. */
#define PIECE_SIZE     (64u * 1024u)
#define MIN_PIECE_SIZE (16u * 1024u)

static bool ends_by_halves(const struct via_transport *transport)
{
    return transport->size >= offsetof(struct via_transport, is_over) + sizeof(void *) &&
           transport->finish != NULL && transport->is_over != NULL;
}

static HRESULT arm(struct relay_end *end, uint32_t events)
{
    return end->transport->arm(end->stream, events);
}

/* After a commit: what is left of it is sent when the sink is ready again. */
static HRESULT await_sink(struct relay_end *sink, HRESULT hr)
{
    if (hr != VIA_S_WOULD_BLOCK)
        return hr;
    HRESULT armed = arm(sink, VIA_READY_WRITE);
    return FAILED(armed) ? armed : hr;
}

/* The first `n` of the bytes that are reserved: one message where the sink keeps such. */
static HRESULT send(struct relay_end *sink, size_t n)
{
    uint32_t flags = VIA_COMMIT_FLUSH | (sink->keeps_messages ? VIA_COMMIT_MESSAGE : 0);
    return await_sink(sink, sink->transport->commit(sink->stream, n, NULL, 0, flags));
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

/* The source has ended its direction alone: that it goes altogether is reported, where its system
 * tells. */
static void await_departure(struct relay_session *session, enum direction direction)
{
    struct relay_end *source = flow_source(session, direction);
    if (source->keeps_messages || ends_by_halves(source->transport))
        arm(source, VIA_READY_CLOSED);
}

void flow_source_closed(struct relay_session *session, enum direction direction)
{
    struct relay_end *source = flow_source(session, direction);
    if (!session->flows[direction].is_settled)
        return; /* whoever receives finds out */
    if (source->keeps_messages || !ends_by_halves(source->transport) ||
        source->transport->is_over(source->stream) == S_OK)
        session_end(session);
    else
        await_departure(session, direction);
}

/* Everything has been passed on. */
static void tell_end(struct relay_session *session, enum direction direction)
{
    struct relay_end *sink = flow_sink(session, direction);
    bool can_tell = sink->keeps_messages || ends_by_halves(sink->transport);
    if (session->flows[direction].is_over || (!can_tell && direction == TO_CLIENT)) {
        session_end(session);
        return;
    }
    if (sink->keeps_messages)
        send(sink, 0);
    else if (can_tell)
        sink->transport->finish(sink->stream);
    settle(session, direction, can_tell);
    if (session->stage == SESSION_OPEN)
        await_departure(session, direction);
}

/* Sends what has been received. S_OK: nothing is left. */
static HRESULT flush(struct relay_session *session, enum direction direction)
{
    struct relay_end *sink = flow_sink(session, direction);
    return await_sink(sink,
                      session->flows[direction].pipe != NULL
                          ? splice_send(session, direction)
                          : sink->transport->commit(sink->stream, 0, NULL, 0, VIA_COMMIT_FLUSH));
}

static void source_ended(struct relay_session *session, enum direction direction, HRESULT hr)
{
    struct relay_end *source = flow_source(session, direction);
    struct relay_flow *flow = &session->flows[direction];
    flow->has_ended = true;
    flow->is_over = hr != RPC_E_DISCONNECTED || !ends_by_halves(source->transport) ||
                    source->transport->is_over(source->stream) == S_OK;
}

/* The source has nothing at the moment: buffers go back, and it is waited for. */
static HRESULT rest(struct relay_session *session, enum direction direction)
{
    struct relay_end *source = flow_source(session, direction);
    struct relay_end *sink = flow_sink(session, direction);
    sink->transport->commit(sink->stream, 0, NULL, 0, 0);
    sink->transport->park(sink->stream);
    source->transport->park(source->stream);
    return arm(source, VIA_READY_READ);
}

static HRESULT receive(struct relay_end *source, uint8_t *span, size_t size, size_t *n,
                       uint32_t *goes_on)
{
    *goes_on = 0;
    return source->keeps_messages
               ? source->transport->read_message(source->stream, span, size, n, goes_on)
               : source->transport->read_into(source->stream, span, size, n);
}

/* What has been received: bytes, or a message that goes on where there was no room for all of it.
 */
static HRESULT pass_on(struct relay_session *session, enum direction direction, size_t n,
                       bool goes_on)
{
    const struct relay_end *source = flow_source(session, direction);
    struct relay_end *sink = flow_sink(session, direction);
    relay_count(session->relay, COUNT_BYTES + direction, n);
    if (source->keeps_messages && n == 0 && !sink->keeps_messages) {
        session->flows[direction].has_ended = true; /* half of it */
        return S_OK;
    }
    if (goes_on && sink->keeps_messages) {
        char text[80];
        snprintf(text, sizeof text, "a client is disconnected: a message has more than %zu bytes",
                 n);
        relay_warn(session->relay, text);
        session_end(session);
        return VIA_S_WOULD_BLOCK;
    }
    return send(sink, n);
}

/* As move_piece; S_FALSE: it has to be copied. */
static HRESULT splice_piece(struct relay_session *session, enum direction direction, size_t *n)
{
    struct relay_flow *flow = &session->flows[direction];
    HRESULT hr = splice_receive(session, direction, n);
    if (hr == S_FALSE)
        return S_FALSE;
    if (hr == VIA_S_WOULD_BLOCK)
        hr = rest(session, direction);
    if (FAILED(hr)) {
        source_ended(session, direction, hr);
        return S_OK;
    }
    if (*n == 0)
        return VIA_S_WOULD_BLOCK;
    flow->is_bulk = *n >= MIN_PIECE_SIZE;
    relay_count(session->relay, COUNT_BYTES + direction, *n);
    return flush(session, direction);
}

/* Moves one piece, or one message. S_OK: there may be more; VIA_S_WOULD_BLOCK: something is armed;
 * a failure is the sink's. `n`: bytes moved. */
static HRESULT move_piece(struct relay_session *session, enum direction direction, size_t *n)
{
    struct relay_end *source = flow_source(session, direction);
    struct relay_end *sink = flow_sink(session, direction);
    uint8_t *span;
    size_t size;
    uint32_t goes_on;
    if (session->flows[direction].is_bulk && !session->flows[direction].is_copied) {
        HRESULT spliced = splice_piece(session, direction, n);
        if (spliced != S_FALSE)
            return spliced;
    }
    /* A whole message, if it must be one. */
    size_t least = sink->keeps_messages ? sink->transport->max_span : MIN_PIECE_SIZE;
    HRESULT hr = sink->transport->reserve(sink->stream, least, &span, &size);
    if (hr == VIA_S_WOULD_BLOCK)
        return flush(session, direction);
    if (FAILED(hr))
        return hr;
    if (!sink->keeps_messages || !source->keeps_messages)
        size = size < PIECE_SIZE ? size : PIECE_SIZE;
    hr = receive(source, span, size, n, &goes_on);
    if (FAILED(hr)) {
        *n = 0;
        source_ended(session, direction, hr);
        return S_OK;
    }
    if (hr != VIA_S_WOULD_BLOCK) {
        session->flows[direction].is_bulk = *n >= PIECE_SIZE;
        hr = pass_on(session, direction, *n, goes_on);
        /* Fewer bytes than there was room for: it is empty, most likely, and if not, says so at
         * once. */
        if (hr != S_OK || session->flows[direction].has_ended || source->keeps_messages ||
            *n == size)
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
    HRESULT hr = arm(flow_source(session, direction), VIA_READY_READ);
    if (FAILED(hr))
        session_end(session);
}

void flow_pump(struct relay_session *session, enum direction direction)
{
    struct relay_flow *flow = &session->flows[direction];
    size_t moved = 0;
    bool has_moved = false;
    HRESULT hr = flow->is_settled ? VIA_S_WOULD_BLOCK : flush(session, direction);
    while (hr == S_OK && !flow->has_ended && moved < TURN_SIZE) {
        size_t n = 0;
        hr = move_piece(session, direction, &n);
        moved += n + 1; /* so that empty messages come to an end */
        has_moved |= n > 0;
    }
    if (has_moved)
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
