#include "core/wire/frame.h"

#include "core/util/error.h"
#include "core/wire/scalar.h"

/* Entries of a reference table: kinds, and what each has at least. */
enum { KIND_NULL, KIND_MINE, KIND_YOURS, KIND_THIRD };
#define ENTRY_HEADER 8u
#define ENTRY_OBJECT 16u
#define THIRD_FIXED  72u
#define THIRD_N      68u
#define THIRD_BYTES  70u

/* The addresses of a third party: each zero-terminated, and nothing behind the last. */
static HRESULT check_third(const uint8_t *entry, size_t size)
{
    size_t n = wire_load16(entry + THIRD_N);
    size_t bytes = wire_load16(entry + THIRD_BYTES);
    if (bytes > size - THIRD_FIXED)
        return error_set(VIA_E_PROTOCOL, "the addresses of a reference go beyond its entry");
    const uint8_t *text = entry + THIRD_FIXED;
    size_t ends = 0;
    for (size_t i = 0; i < bytes; i++)
        ends += text[i] == 0;
    if (ends != n || (bytes != 0 && text[bytes - 1] != 0))
        return error_set(VIA_E_PROTOCOL, "a reference says %u addresses, but has %u", (unsigned)n,
                         (unsigned)ends);
    return S_OK;
}

HRESULT wire_references_check(const uint8_t *table, size_t size, uint32_t n)
{
    static const uint8_t least[] = {ENTRY_HEADER, ENTRY_OBJECT, ENTRY_OBJECT, THIRD_FIXED};
    for (uint32_t i = 0; i < n; i++) {
        if (size < ENTRY_HEADER)
            return error_set(VIA_E_PROTOCOL, "a reference table ends before entry %u of %u",
                             (unsigned)i, (unsigned)n);
        size_t entry_size = wire_load16(table);
        uint8_t kind = table[2];
        if (kind >= sizeof least)
            return error_set(VIA_E_PROTOCOL, "a reference has the unknown kind %u", kind);
        if (entry_size % 8 != 0 || entry_size < least[kind] || entry_size > size)
            return error_set(VIA_E_PROTOCOL, "a reference of kind %u has a size of %u bytes", kind,
                             (unsigned)entry_size);
        if (kind == KIND_THIRD) {
            HRESULT hr = check_third(table, entry_size);
            if (FAILED(hr))
                return hr;
        }
        table += entry_size;
        size -= entry_size;
    }
    if (size != 0)
        return error_set(VIA_E_PROTOCOL, "a reference table has %u bytes behind its last entry",
                         (unsigned)size);
    return S_OK;
}
