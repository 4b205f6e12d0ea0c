#include "core/wire/numbers.h"

#include "core/util/error.h"
#include "core/wire/scalar.h"

#include <string.h>

void wire_numbers_write(uint8_t *extension, const intptr_t *handles, uint32_t n)
{
    memset(extension, 0, 8);
    wire_store16(extension, WIRE_EXTENSION_NUMBERS);
    wire_store16(extension + 2, (uint16_t)(n * sizeof(uint64_t)));
    extension[4] = 1; /* without them the payload means nothing */
    for (uint32_t i = 0; i < n; i++)
        wire_store64(extension + 8 + i * sizeof(uint64_t), (uint64_t)handles[i]);
}

HRESULT wire_numbers_check(size_t size, uint32_t *n)
{
    if (size == 0 || size % sizeof(uint64_t) != 0 || size / sizeof(uint64_t) > WIRE_MAX_NUMBERS)
        return error_set(VIA_E_PROTOCOL, "numbers of handles in %zu bytes of an extension", size);
    *n = (uint32_t)(size / sizeof(uint64_t));
    return S_OK;
}

uint64_t wire_number_read(const uint8_t *content, uint32_t index)
{
    return wire_load64(content + index * sizeof(uint64_t));
}
