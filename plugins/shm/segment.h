/*
 * The memory of a connection: two rings and their controls, one after the other, mapped so that
 * each ring appears twice in a row.
 *
 *   segment    ring 0 | ring 1 | controls                     2 * capacity + SEGMENT_CONTROL_SIZE
 *   addresses  ring 0 | ring 0 | ring 1 | ring 1 | controls
 *
 * Ring 0 carries what the side that made the segment sends. The ring that a side reads is mapped
 * read-only.
 */
#ifndef SHM_SEGMENT_H
#define SHM_SEGMENT_H

#include "plugins/shm/ring.h"

#include <viaduct/plugin/plugin.h>

/* Of each ring: room for four of the largest spans. */
#define SEGMENT_CAPACITY (256u * 1024u)
/* What is accepted of a peer: one largest span at least; the most bounds what it can make us map.
 * 64 KiB is also the granularity of addresses on Windows. */
#define SEGMENT_MIN_CAPACITY (64u * 1024u)
#define SEGMENT_MAX_CAPACITY (4u * 1024u * 1024u)
#define SEGMENT_CONTROL_SIZE 4096u

struct segment {
    uint8_t *base; /* NULL: not mapped */
    uint32_t capacity;
};

/* New memory for two rings of that capacity; the caller closes the descriptor. */
HRESULT segment_new(uint32_t capacity, int32_t *descriptor);
/* Whether the descriptor that a peer sent is such memory. VIA_E_PROTOCOL. */
HRESULT segment_check(int32_t descriptor, uint32_t capacity);
/* Maps it for the side that made it, or for the other. The descriptor is not needed afterwards. */
HRESULT segment_map(int32_t descriptor, uint32_t capacity, bool is_maker, struct segment *segment);
/* The controls of ring 0 and of ring 1. */
struct ring_control *segment_controls(const struct segment *segment);
/* The last word of the controls: by which a peer finds that it is the segment that was meant, where
 * it is told a number of a handle (setup_section_windows.c). */
_Atomic uint64_t *segment_mark(const struct segment *segment);
/* The ends of the mapped segment that belong to a side, at their beginning. */
void segment_writer(const struct segment *segment, bool is_maker, struct ring_writer *writer);
void segment_reader(const struct segment *segment, bool is_maker, struct ring_reader *reader);
void segment_unmap(struct segment *segment);

#endif
