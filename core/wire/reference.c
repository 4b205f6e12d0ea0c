#include "core/wire/reference.h"

#include "core/util/error.h"
#include "core/wire/scalar.h"
#include "core/wire/text.h"

enum {
    AT_SIZE = 0,
    AT_KIND = 2,
    AT_OBJECT = 8,
    AT_OWNER = 16,
    AT_T1 = 32,
    AT_T2 = 48,
    AT_PROCESS = 64,
    AT_N_ADDRESSES = 68,
    AT_ADDRESSES_SIZE = 70,
    AT_ADDRESSES = 72
};

_Static_assert(WIRE_REFERENCE_MAX_ENTRY == AT_ADDRESSES + WIRE_REFERENCE_MAX_TEXT,
               "a third party's entry with all the addresses that it may have");

/* What each kind has at least. */
static const uint8_t least[] = {[WIRE_REFERENCE_NULL] = AT_OBJECT,
                                [WIRE_REFERENCE_MINE] = AT_OWNER,
                                [WIRE_REFERENCE_YOURS] = AT_OWNER,
                                [WIRE_REFERENCE_THIRD] = AT_ADDRESSES};

static HRESULT read_third(const uint8_t *entry, size_t size, struct wire_reference *third)
{
    memcpy(third->owner, entry + AT_OWNER, sizeof third->owner);
    memcpy(third->t1, entry + AT_T1, sizeof third->t1);
    memcpy(third->t2, entry + AT_T2, sizeof third->t2);
    third->process_id = wire_load32(entry + AT_PROCESS);
    third->n_addresses = wire_load16(entry + AT_N_ADDRESSES);
    third->addresses_size = wire_load16(entry + AT_ADDRESSES_SIZE);
    if (third->n_addresses > WIRE_REFERENCE_MAX_ADDRESSES ||
        third->addresses_size > WIRE_REFERENCE_MAX_TEXT ||
        third->addresses_size > size - AT_ADDRESSES)
        return error_set(VIA_E_PROTOCOL,
                         "a reference has %u addresses of %u bytes: too many, or beyond its entry",
                         third->n_addresses, third->addresses_size);
    memcpy(third->addresses, entry + AT_ADDRESSES, third->addresses_size);
    if (!wire_texts_are_good(third->addresses, third->addresses_size, third->n_addresses))
        return error_set(VIA_E_PROTOCOL,
                         "a reference does not have the %u addresses that it says, or they have "
                         "control characters",
                         third->n_addresses);
    return S_OK;
}

HRESULT wire_reference_next(const uint8_t **table, size_t *size, struct wire_reference *reference)
{
    const uint8_t *entry = *table;
    if (*size < AT_OBJECT)
        return error_set(VIA_E_PROTOCOL, "a reference table ends before its last entry");
    size_t entry_size = wire_load16(entry + AT_SIZE);
    reference->kind = entry[AT_KIND];
    if (reference->kind >= sizeof least)
        return error_set(VIA_E_PROTOCOL, "a reference has the unknown kind %u", reference->kind);
    if (entry_size % 8 != 0 || entry_size < least[reference->kind] || entry_size > *size)
        return error_set(VIA_E_PROTOCOL, "a reference of kind %u has a size of %u bytes",
                         reference->kind, (unsigned)entry_size);
    reference->object = 0;
    if (reference->kind != WIRE_REFERENCE_NULL)
        reference->object = wire_load64(entry + AT_OBJECT);
    if (reference->kind == WIRE_REFERENCE_THIRD) {
        HRESULT hr = read_third(entry, entry_size, reference);
        if (FAILED(hr))
            return hr;
    }
    *table += entry_size;
    *size -= entry_size;
    return S_OK;
}

HRESULT wire_references_check(const uint8_t *table, size_t size, uint32_t n)
{
    struct wire_reference reference;
    for (uint32_t i = 0; i < n; i++) {
        HRESULT hr = wire_reference_next(&table, &size, &reference);
        if (FAILED(hr))
            return hr;
    }
    if (size != 0)
        return error_set(VIA_E_PROTOCOL, "a reference table has %u bytes behind its last entry",
                         (unsigned)size);
    return S_OK;
}

size_t wire_reference_size(const struct wire_reference *reference)
{
    size_t size = least[reference->kind];
    if (reference->kind == WIRE_REFERENCE_THIRD)
        size += (reference->addresses_size + 7u) & ~(size_t)7u;
    return size;
}

void wire_reference_write(uint8_t *entry, const struct wire_reference *reference)
{
    size_t size = wire_reference_size(reference);
    memset(entry, 0, size);
    wire_store16(entry + AT_SIZE, (uint16_t)size);
    entry[AT_KIND] = reference->kind;
    if (reference->kind == WIRE_REFERENCE_NULL)
        return;
    wire_store64(entry + AT_OBJECT, reference->object);
    if (reference->kind != WIRE_REFERENCE_THIRD)
        return;
    memcpy(entry + AT_OWNER, reference->owner, sizeof reference->owner);
    memcpy(entry + AT_T1, reference->t1, sizeof reference->t1);
    memcpy(entry + AT_T2, reference->t2, sizeof reference->t2);
    wire_store32(entry + AT_PROCESS, reference->process_id);
    wire_store16(entry + AT_N_ADDRESSES, reference->n_addresses);
    wire_store16(entry + AT_ADDRESSES_SIZE, reference->addresses_size);
    memcpy(entry + AT_ADDRESSES, reference->addresses, reference->addresses_size);
}
