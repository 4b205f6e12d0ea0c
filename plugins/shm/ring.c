#include "plugins/shm/ring.h"

bool ring_refresh_room(struct ring_writer *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->control->tail, memory_order_acquire);
    if (tail - ring->consumed > ring->published - ring->consumed)
        return false;
    ring->consumed = tail;
    return true;
}

bool ring_refresh_used(struct ring_reader *ring)
{
    uint64_t head = atomic_load_explicit(&ring->control->head, memory_order_acquire);
    if (head - ring->seen > ring->capacity - ring_used(ring))
        return false;
    ring->seen = head;
    return true;
}

/* Takes the word if somebody sleeps on it. The load comes first: it leaves the line shared. */
static uint32_t take_sleeper(_Atomic uint32_t *word)
{
    return atomic_load(word) == RING_AWAKE ? RING_AWAKE : atomic_exchange(word, RING_AWAKE);
}

uint32_t ring_publish(struct ring_writer *ring, uint64_t position)
{
    ring->published = position;
    atomic_store(&ring->control->head, position);
    return take_sleeper(&ring->control->reader_sleep);
}

uint32_t ring_release(struct ring_reader *ring)
{
    ring->released = ring->consumed;
    atomic_store(&ring->control->tail, ring->consumed);
    return take_sleeper(&ring->control->writer_sleep);
}
