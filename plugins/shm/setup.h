/*
 * The message that sets a stream up, and the handles with it. It goes over the carrier once, from
 * the side that connects, or into an offer.
 */
#ifndef SHM_SETUP_H
#define SHM_SETUP_H

#include <stdint.h>
#include <viaduct/plugin/transport.h>

#define SETUP_MAGIC   0x4d485356u /* "VSHM" */
#define SETUP_VERSION 1u

struct setup {
    uint32_t magic;
    uint32_t version;
    uint32_t capacity;    /* of each ring */
    uint32_t reserved[5]; /* 0 */
};
_Static_assert(sizeof(struct setup) == 32, "the layout is shared");
_Static_assert(sizeof(struct setup) <= VIA_OFFER_MAX_BYTES, "an offer holds it");

/* Which handle is which: the memory, the event that wakes who made it, the one that wakes the other
 * side; in an offer also the peer's end of the carrier. */
enum { SETUP_MEMORY, SETUP_MAKER_EVENT, SETUP_OTHER_EVENT, SETUP_N_HANDLES };
#define OFFER_CARRIER   SETUP_N_HANDLES
#define OFFER_N_HANDLES (SETUP_N_HANDLES + 1)
_Static_assert(OFFER_N_HANDLES <= VIA_OFFER_MAX_HANDLES, "an offer holds them");

#endif
