/*
 * One direction of a connection: a byte ring in memory that two processes share, with one producer
 * and one consumer.
 *
 * The data is mapped twice in a row, so that whatever lies in the ring, and whatever room is left,
 * is contiguous. `head` counts the bytes ever published, `tail` those ever consumed; both run on
 * for ever, so that full and empty differ.
 *
 * The peer can write anywhere into the memory at any time. Therefore each side works on private
 * counters (struct ring_writer, struct ring_reader), which the shared ones only repeat; it never
 * reads back its own, and loads the peer's once and checks it: a position that goes backwards or
 * too far is a broken ring. What the peer does to the data itself is up to whoever reads it.
 *
 * Sleeping. Who finds nothing to do writes into a word how it sleeps, looks once more, and sleeps
 * on that word itself; who has news exchanges the word for RING_AWAKE and wakes as the old value
 * says. All of it is sequentially consistent, so that either the sleeper sees the news or the other
 * sees the word. ring.pml is the model of it.
 */
#ifndef SHM_RING_H
#define SHM_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How somebody sleeps. A word of the peer's with another value is taken for RING_AWAKE. */
#define RING_AWAKE   0u
#define RING_THREAD  1u /* a thread, on the word */
#define RING_PARKED  2u /* nobody: its reactor watches its event */
#define RING_CARRIER 3u /* nobody, and there is no event: it watches the carrier */

/* Two cache lines, since processors fetch them in pairs. */
#define RING_LINE 128

/* What is shared of one direction besides the data. Each line has one side that writes it often. */
struct ring_control {
    _Alignas(RING_LINE) _Atomic uint64_t head;         /* the producer's */
    _Alignas(RING_LINE) _Atomic uint64_t tail;         /* the consumer's */
    _Alignas(RING_LINE) _Atomic uint32_t reader_sleep; /* the consumer sets, the producer clears */
    _Atomic uint32_t reader_closed;                    /* the consumer's: it will read no more */
    _Alignas(RING_LINE) _Atomic uint32_t writer_sleep; /* the producer sets, the consumer clears */
};
_Static_assert(sizeof(struct ring_control) == 4 * RING_LINE, "the layout is shared");

struct ring_writer {
    struct ring_control *control;
    uint8_t *data;      /* capacity bytes, twice */
    uint32_t capacity;  /* 0: there is no ring yet */
    uint64_t committed; /* bytes ever put into the ring */
    uint64_t published; /* of those, what the consumer has been shown */
    uint64_t consumed;  /* the consumer's position as last accepted */
};

struct ring_reader {
    struct ring_control *control;
    const uint8_t *data;
    uint32_t capacity;
    uint64_t seen;     /* the producer's position as last accepted */
    uint64_t consumed; /* bytes ever consumed */
    uint64_t released; /* of those, what the producer has been told */
};

/* Bytes that can be put in, as far as is known. */
static inline uint32_t ring_room(const struct ring_writer *ring)
{
    return ring->capacity - (uint32_t)(ring->committed - ring->consumed);
}

/* Bytes that can be read, as far as is known. */
static inline uint32_t ring_used(const struct ring_reader *ring)
{
    return (uint32_t)(ring->seen - ring->consumed);
}

/* Where the next byte goes; ring_room() bytes follow. */
static inline uint8_t *ring_end(const struct ring_writer *ring)
{
    return ring->data + (ring->committed & (ring->capacity - 1));
}

/* Where the next byte is; ring_used() bytes follow. */
static inline const uint8_t *ring_front(const struct ring_reader *ring)
{
    return ring->data + (ring->consumed & (ring->capacity - 1));
}

/* Look at the peer's position. False: it is impossible; nothing has changed. */
bool ring_refresh_room(struct ring_writer *ring);
bool ring_refresh_used(struct ring_reader *ring);

/* Shows the consumer everything up to `position`, which lies between published and committed. How
 * the consumer slept: it must be woken so. */
uint32_t ring_publish(struct ring_writer *ring, uint64_t position);
/* Tells the producer what has been consumed. How the producer slept: it must be woken so. */
uint32_t ring_release(struct ring_reader *ring);

#endif
