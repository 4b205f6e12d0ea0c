/*
 * Arrays that a call passes beside its payload, in memory that its sender has offered: the
 * extension that says where they are.
 */
#ifndef CORE_WIRE_BLOCK_H
#define CORE_WIRE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#define WIRE_EXTENSION_BLOCKS 3u
/* In one call. */
#define WIRE_MAX_BLOCKS 16u
/* Memory that one side offers to the other, altogether; so large a block can be, too. */
#define WIRE_MAX_ARENAS      16u
#define WIRE_MAX_ARENA_BYTES (64u * 1024u * 1024u)
/* What an arena's size is a multiple of. */
#define WIRE_ARENA_UNIT (64u * 1024u)

struct wire_block {
    uint32_t arena;
    uint32_t position; /* in the payload, where its bytes are left out */
    uint64_t offset;   /* in the arena */
    uint64_t size;
};
_Static_assert(sizeof(struct wire_block) == 24, "as it lies on the wire");

/* What a memory frame says. */
enum wire_memory_step {
    WIRE_MEMORY_OFFER = 1, /* an arena, with its handle; calls may name it from now on */
    WIRE_MEMORY_REFUSE,    /* the receiver cannot map it */
    WIRE_MEMORY_WITHDRAW   /* no call names it any more */
};

/* The body of a memory frame as it lies on the wire. */
struct wire_memory {
    uint32_t step;
    uint32_t arena;
    uint64_t size;
};
_Static_assert(sizeof(struct wire_memory) == 16, "as it lies on the wire");

/* Of the extension; 0 without blocks. */
static inline size_t wire_blocks_size(uint32_t n)
{
    return n != 0 ? 8 + n * sizeof(struct wire_block) : 0;
}
void wire_blocks_write(uint8_t *extension, const struct wire_block *blocks, uint32_t n);
/* How many blocks an extension with so much content has; VIA_E_PROTOCOL. What they say is checked
 * by whoever knows the arenas. */
HRESULT wire_blocks_check(size_t size, uint32_t *n);
/* One of those that were checked. */
void wire_block_read(const uint8_t *content, uint32_t index, struct wire_block *block);

#endif
