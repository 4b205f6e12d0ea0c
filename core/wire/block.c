#include "core/wire/block.h"

#include "core/util/error.h"
#include "core/wire/scalar.h"

#include <string.h>

void wire_blocks_write(uint8_t *extension, const struct wire_block *blocks, uint32_t n)
{
    size_t size = n * sizeof *blocks;
    memset(extension, 0, 8);
    wire_store16(extension, WIRE_EXTENSION_BLOCKS);
    wire_store16(extension + 2, (uint16_t)size);
    extension[4] = 1; /* without them the payload means nothing */
    memcpy(extension + 8, blocks, size);
}

HRESULT wire_blocks_check(size_t size, uint32_t *n)
{
    if (size == 0 || size % sizeof(struct wire_block) != 0 ||
        size / sizeof(struct wire_block) > WIRE_MAX_BLOCKS)
        return error_set(VIA_E_PROTOCOL, "blocks in %zu bytes of an extension", size);
    *n = (uint32_t)(size / sizeof(struct wire_block));
    return S_OK;
}

void wire_block_read(const uint8_t *content, uint32_t index, struct wire_block *block)
{
    memcpy(block, content + index * sizeof *block, sizeof *block);
}
