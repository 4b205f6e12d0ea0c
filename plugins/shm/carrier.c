/*
 * What goes over the carrier once the stream is up: records of a fixed size, some with handles.
 *
 * Handles are sent before the bytes that they belong to are published, and say at which position
 * of the stream those are; so they lie in the socket by the time the bytes can be seen. The
 * receiver takes records when it wants handles, when the reactor finds the carrier readable, and
 * when it looks after a peer that has been silent; whoever does it holds the carrier's lock.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"

#include <stdlib.h>
#include <string.h>

/* Taken at once; the rest can wait until the reactor comes by again. */
#define MAX_RECORDS 256

HRESULT carrier_send_handles(struct via_stream *stream, uint64_t position,
                             const int32_t *descriptors, uint32_t n)
{
    struct carrier_line *line = &stream->carrier.line;
    struct record record = {RECORD_HANDLES, n, position};
    return line->kind->send(line, &record, sizeof record, descriptors, n);
}

void carrier_send_wake(struct via_stream *stream)
{
    struct carrier_line *line = &stream->carrier.line;
    struct record record = {RECORD_WAKE, 0, 0};
    /* A full carrier wakes as well, and a failure is the end, which reading finds. */
    line->kind->send(line, &record, sizeof record, NULL, 0);
}

/* With the lock. */
static bool make_room(struct stream_carrier *carrier, uint32_t n)
{
    if (n <= carrier->handle_room)
        return true;
    uint32_t room = n < 16 ? 16 : n * 2;
    struct received_handle *handles = realloc(carrier->handles, room * sizeof *handles);
    if (handles == NULL)
        return false;
    carrier->handles = handles;
    carrier->handle_room = room;
    return true;
}

/* With the lock: what a record says. ALIVE: it is a good one. Its handles are kept or closed. */
static enum stream_end take_record(struct stream_carrier *carrier, const struct record *record,
                                   const struct socket_received *received)
{
    uint32_t n = received->n_descriptors;
    enum stream_end end = STREAM_ALIVE;
    if (record->kind == RECORD_HANDLES
            ? (n == 0 || n != record->n_handles || record->position < carrier->last_position)
            : (record->kind != RECORD_WAKE || n != 0))
        end = STREAM_VIOLATED;
    else if (carrier->n_handles + n > SHM_MAX_PENDING_HANDLES ||
             !make_room(carrier, carrier->n_handles + n))
        end = STREAM_EXCEEDED;
    for (uint32_t i = 0; i < n; i++) {
        if (end == STREAM_ALIVE)
            carrier->handles[carrier->n_handles++] =
                (struct received_handle){record->position, received->descriptors[i]};
        else
            socket_close(received->descriptors[i]);
    }
    if (n > 0)
        carrier->last_position = record->position;
    return end;
}

/* With the lock. */
static enum stream_end receive_record(struct stream_carrier *carrier, bool *received_one)
{
    struct record record;
    struct socket_received received;
    size_t n = 0;
    received.n_descriptors = 0;
    struct carrier_line *line = &carrier->line;
    HRESULT hr = line->kind->receive(line, &record, sizeof record, &n, &received);
    *received_one = hr == S_OK;
    if (hr == S_OK && n == sizeof record)
        return take_record(carrier, &record, &received);
    for (uint32_t i = 0; i < received.n_descriptors; i++)
        socket_close(received.descriptors[i]);
    if (hr == VIA_S_WOULD_BLOCK)
        return STREAM_ALIVE;
    return hr == S_OK ? STREAM_VIOLATED : hr == VIA_E_LIMIT ? STREAM_EXCEEDED : STREAM_GONE;
}

void carrier_receive(struct via_stream *stream)
{
    struct stream_carrier *carrier = &stream->carrier;
    enum stream_end end = STREAM_ALIVE;
    bool more = true;
    socket_lock_enter(&carrier->lock);
    for (unsigned i = 0; i < MAX_RECORDS && more && end == STREAM_ALIVE; i++)
        end = receive_record(carrier, &more);
    socket_lock_leave(&carrier->lock);
    if (end != STREAM_ALIVE)
        shm_end(stream, end);
}

void carrier_check(struct via_stream *stream)
{
    int32_t life = stream->carrier.line.life;
    carrier_receive(stream);
    if (life >= 0 && system_life_is_over(life))
        shm_end(stream, STREAM_GONE);
}

/* With the lock: whether the next `n` handles have come and belong to bytes before `position`. */
static bool has_handles(const struct stream_carrier *carrier, uint32_t n, uint64_t position)
{
    return n <= carrier->n_handles && (n == 0 || carrier->handles[n - 1].position < position);
}

HRESULT shm_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    struct stream_carrier *carrier = &stream->carrier;
    uint64_t seen = stream->receiver.ring.seen;
    socket_lock_enter(&carrier->lock);
    bool there = has_handles(carrier, n, seen);
    socket_lock_leave(&carrier->lock);
    if (!there && shm_is_up(stream))
        carrier_receive(stream);
    socket_lock_enter(&carrier->lock);
    there = has_handles(carrier, n, seen);
    for (uint32_t i = 0; there && i < n; i++)
        handles[i] = carrier->handles[i].descriptor;
    if (there && n > 0) {
        carrier->n_handles -= n;
        memmove(carrier->handles, carrier->handles + n,
                carrier->n_handles * sizeof *carrier->handles);
    }
    socket_lock_leave(&carrier->lock);
    return there ? S_OK
                 : socket_fail(VIA_E_PROTOCOL, "%u handles are expected, fewer have arrived", n);
}

void carrier_deinit(struct stream_carrier *carrier)
{
    for (uint32_t i = 0; i < carrier->n_handles; i++)
        socket_close(carrier->handles[i].descriptor);
    free(carrier->handles);
    carrier->line.kind->close(&carrier->line);
    if (carrier->line.life >= 0)
        system_close(carrier->line.life);
}
