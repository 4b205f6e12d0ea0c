/*
 * OS handles that a message names by number, where its connection carries none: the extension that
 * says which. Whose they are, and how they are taken, is core/link/numbered.h.
 */
#ifndef CORE_WIRE_NUMBERS_H
#define CORE_WIRE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#define WIRE_EXTENSION_NUMBERS 4u
/* In one message. */
#define WIRE_MAX_NUMBERS 16u

/* Of the extension; 0 without any. */
static inline size_t wire_numbers_size(uint32_t n)
{
    return n != 0 ? 8 + n * sizeof(uint64_t) : 0;
}
void wire_numbers_write(uint8_t *extension, const intptr_t *handles, uint32_t n);
/* How many an extension with so much content has; VIA_E_PROTOCOL. */
HRESULT wire_numbers_check(size_t size, uint32_t *n);
/* One of those that were checked. */
uint64_t wire_number_read(const uint8_t *content, uint32_t index);

#endif
