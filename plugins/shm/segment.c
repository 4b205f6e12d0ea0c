#include "plugins/shm/segment.h"

#include "plugins/shm/system.h"
#include "plugins/unixsock/socket.h"

static uint64_t memory_size(uint32_t capacity)
{
    return 2 * (uint64_t)capacity + SEGMENT_CONTROL_SIZE;
}

static size_t mapped_size(uint32_t capacity)
{
    return 4 * (size_t)capacity + SEGMENT_CONTROL_SIZE;
}

HRESULT segment_new(uint32_t capacity, int32_t *descriptor)
{
    return system_memory_new(memory_size(capacity), descriptor);
}

HRESULT segment_check(int32_t descriptor, uint32_t capacity)
{
    if (capacity < SEGMENT_MIN_CAPACITY || capacity > SEGMENT_MAX_CAPACITY ||
        (capacity & (capacity - 1)) != 0)
        return socket_fail(VIA_E_PROTOCOL, "the peer's rings have %u bytes each", capacity);
    return system_memory_check(descriptor, memory_size(capacity));
}

HRESULT segment_map(int32_t descriptor, uint32_t capacity, bool is_maker, struct segment *segment)
{
    uint8_t *base = system_memory_reserve(mapped_size(capacity));
    bool placed = base != NULL;
    for (unsigned i = 0; placed && i < 4; i++) {
        bool writable = is_maker == (i < 2);
        placed = system_memory_place(base + i * (size_t)capacity, descriptor,
                                     (i / 2) * (uint64_t)capacity, capacity, writable);
    }
    placed = placed && system_memory_place(base + 4 * (size_t)capacity, descriptor,
                                           2 * (uint64_t)capacity, SEGMENT_CONTROL_SIZE, true);
    if (!placed) {
        if (base != NULL)
            system_memory_unmap(base, mapped_size(capacity));
        return socket_fail(
            VIA_E_LIMIT,
            "cannot map the %u bytes of a connection; is the limit of mappings or of "
            "addresses reached?",
            (unsigned)memory_size(capacity));
    }
    segment->base = base;
    segment->capacity = capacity;
    return S_OK;
}

struct ring_control *segment_controls(const struct segment *segment)
{
    return (struct ring_control *)(void *)(segment->base + 4 * (size_t)segment->capacity);
}

void segment_writer(const struct segment *segment, bool is_maker, struct ring_writer *writer)
{
    unsigned ring = is_maker ? 0 : 1;
    *writer = (struct ring_writer){.control = &segment_controls(segment)[ring],
                                   .data = segment->base + ring * 2 * (size_t)segment->capacity,
                                   .capacity = segment->capacity};
}

void segment_reader(const struct segment *segment, bool is_maker, struct ring_reader *reader)
{
    unsigned ring = is_maker ? 1 : 0;
    *reader = (struct ring_reader){.control = &segment_controls(segment)[ring],
                                   .data = segment->base + ring * 2 * (size_t)segment->capacity,
                                   .capacity = segment->capacity};
}

void segment_unmap(struct segment *segment)
{
    if (segment->base != NULL)
        system_memory_unmap(segment->base, mapped_size(segment->capacity));
    segment->base = NULL;
}
