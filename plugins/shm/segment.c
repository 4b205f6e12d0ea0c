#include "plugins/shm/segment.h"

#include "plugins/shm/system.h"
#include "plugins/unixsock/socket.h"

static uint64_t memory_size(uint32_t capacity)
{
    return 2 * (uint64_t)capacity + SEGMENT_CONTROL_SIZE;
}

#define N_PIECES 5

/* What is mapped, in the order of addresses. */
static void lay_out(uint32_t capacity, bool is_maker, struct system_piece pieces[N_PIECES])
{
    for (unsigned i = 0; i < 4; i++)
        pieces[i] =
            (struct system_piece){(i / 2) * (uint64_t)capacity, capacity, is_maker == (i < 2)};
    pieces[4] = (struct system_piece){2 * (uint64_t)capacity, SEGMENT_CONTROL_SIZE, true};
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
    struct system_piece pieces[N_PIECES];
    lay_out(capacity, is_maker, pieces);
    uint8_t *base = system_memory_map(descriptor, pieces, N_PIECES);
    if (base == NULL)
        return socket_fail(
            VIA_E_LIMIT,
            "cannot map the %u bytes of a connection; is the limit of mappings or of "
            "addresses reached?",
            (unsigned)memory_size(capacity));
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

_Atomic uint64_t *segment_mark(const struct segment *segment)
{
    return (_Atomic uint64_t *)(void *)(segment->base + 4 * (size_t)segment->capacity +
                                        SEGMENT_CONTROL_SIZE - sizeof(uint64_t));
}

void segment_unmap(struct segment *segment)
{
    struct system_piece pieces[N_PIECES];
    lay_out(segment->capacity, true, pieces);
    if (segment->base != NULL)
        system_memory_unmap(segment->base, pieces, N_PIECES);
    segment->base = NULL;
}
