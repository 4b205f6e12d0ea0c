/* Hello: what two nodes tell each other first, and whether they fit. */
#ifndef CORE_WIRE_HELLO_H
#define CORE_WIRE_HELLO_H

#include "core/util/buffer.h"
#include "core/wire/frame.h"

#include <stdint.h>

#define WIRE_MAGIC       0x44414956u
#define WIRE_MIN_VERSION 1u
#define WIRE_MAX_VERSION 1u
/* Features of this version; unknown optional ones are ignored, unknown required ones refused. */
#define WIRE_FEATURE_SWITCH  0x1u  /* takes frames of kind switch */
#define WIRE_FEATURE_MEMORY  0x2u  /* takes frames of kind memory, and blocks in calls */
#define WIRE_FEATURE_RESULT  0x4u  /* takes calls on results of calls, and finish */
#define WIRE_FEATURE_HANDLES 0x8u  /* takes frames of kind handles, and sends them */
#define WIRE_FEATURE_NUMBER  0x10u /* takes handles by number out of the peer's process */
#define WIRE_FEATURE_HELP    0x20u /* takes errors with help */
/* What can be required of each side. */
#define WIRE_FEATURES                                                                         \
    (WIRE_FEATURE_SWITCH | WIRE_FEATURE_MEMORY | WIRE_FEATURE_RESULT | WIRE_FEATURE_HANDLES | \
     WIRE_FEATURE_HELP)

#define WIRE_HELLO_WINDOWS 0x1u
#define WIRE_HELLO_WINE    0x2u

#define WIRE_HELLO_MAX_AGENT     256u
#define WIRE_HELLO_MAX_ADDRESSES 16u
#define WIRE_HELLO_MAX_TEXT      2048u

struct wire_hello {
    uint16_t min_version;
    uint16_t max_version;
    uint64_t optional_features;
    uint64_t required_features;
    uint8_t node[16];
    uint32_t process_id;
    struct wire_limits limits;
    uint32_t flags;
    /* In a hello that was read: into the payload; not zero-terminated. */
    const char *agent;
    uint16_t agent_size;
    uint16_t n_addresses;
    const char *addresses; /* each zero-terminated */
    uint32_t addresses_size;
};

/* Appends body and payload. */
void wire_hello_write(struct buffer *buffer, const struct wire_hello *hello);
/* Checks, in this order: magic, version, required features, limits, texts. `body` has
 * wire_body_size(WIRE_HELLO) bytes. The error names both sides' values. */
HRESULT wire_hello_read(const uint8_t *body, const uint8_t *payload, size_t payload_size,
                        struct wire_hello *hello);
/* The version that both know, after wire_hello_read(). */
uint16_t wire_hello_version(const struct wire_hello *peer);

#endif
