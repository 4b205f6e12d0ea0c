/*
 * The entries of a reference table. Reading one checks it completely and copies it, so that what
 * was checked is what is used.
 */
#ifndef CORE_WIRE_REFERENCE_H
#define CORE_WIRE_REFERENCE_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

enum wire_reference_kind {
    WIRE_REFERENCE_NULL,
    WIRE_REFERENCE_MINE,  /* of the sender; one count crosses with it */
    WIRE_REFERENCE_YOURS, /* of the receiver */
    WIRE_REFERENCE_THIRD  /* somebody else's */
};

#define WIRE_REFERENCE_MAX_ADDRESSES 8u
#define WIRE_REFERENCE_MAX_TEXT      2048u
#define WIRE_REFERENCE_MAX_ENTRY     (72u + WIRE_REFERENCE_MAX_TEXT)

struct wire_reference {
    uint8_t kind;    /* enum wire_reference_kind */
    uint64_t object; /* but of null */
    /* A third party's: */
    uint8_t owner[16];
    uint8_t t1[16];
    uint8_t t2[16];
    uint32_t process_id;
    uint16_t n_addresses;
    uint16_t addresses_size;
    char addresses[WIRE_REFERENCE_MAX_TEXT]; /* each zero-terminated, without control characters */
};

/* Reads the entry at the front of a table of *size bytes, and moves both behind it. VIA_E_PROTOCOL:
 * it is malformed, and nothing has moved. */
HRESULT wire_reference_next(const uint8_t **table, size_t *size, struct wire_reference *reference);
/* The size of the entry, and the entry itself. */
size_t wire_reference_size(const struct wire_reference *reference);
void wire_reference_write(uint8_t *entry, const struct wire_reference *reference);

/* The form of a whole table: of each entry, and their number. */
HRESULT wire_references_check(const uint8_t *table, size_t size, uint32_t n);

#endif
