/*
 * The form of frames: docs/wire-protocol.md in C.
 *
 * Reading loads every field exactly once into a struct of one's own and checks it there; the bytes
 * may lie in memory that the peer can still change. Nothing here allocates or keeps state.
 */
#ifndef CORE_WIRE_FRAME_H
#define CORE_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#define WIRE_HEADER_SIZE 32u

enum wire_kind {
    WIRE_HELLO = 1,
    WIRE_HELLO_ANSWER,
    WIRE_CALL,
    WIRE_ONEWAY,
    WIRE_REPLY,
    WIRE_ERROR,
    WIRE_CANCEL,
    WIRE_FINISH,
    WIRE_RELEASE,
    WIRE_INTERFACE,
    WIRE_QUERY_INTERFACE,
    WIRE_PROVIDE,
    WIRE_ACCEPT,
    WIRE_WITHDRAW,
    WIRE_SWITCH,
    WIRE_CREDIT,
    WIRE_DEATH_WATCH,
    WIRE_PING,
    WIRE_GOODBYE,
    WIRE_MEMORY,
    WIRE_HANDLES,
    WIRE_TAKEN
};

#define WIRE_FLAG_MORE      0x1u
#define WIRE_FLAG_IGNORABLE 0x2u
#define WIRE_FLAG_CONTINUED 0x4u

#define WIRE_EXTENSION_HEADER 8u

/* What one side accepts. */
struct wire_limits {
    uint32_t max_frame;
    uint32_t max_message;
    uint16_t max_references;
    uint16_t max_handles;
};
#define WIRE_MIN_FRAME      4096u
#define WIRE_MAX_FRAME      (64u * 1024u)
#define WIRE_MAX_MESSAGE    (16u * 1024u * 1024u)
#define WIRE_MAX_REFERENCES 1024u
#define WIRE_MAX_HANDLES    64u
/* Messages in chunks that may be under way in one direction. */
#define WIRE_MAX_CHUNKED 64u

struct wire_header {
    uint32_t size;
    uint8_t kind; /* enum wire_kind, or one that this version does not know */
    uint8_t flags;
    uint16_t extension_size;
    uint16_t n_references;
    uint16_t n_handles;
    uint32_t body_size; /* body and payload */
    uint64_t call_id;
    uint32_t reference_size;
};

/* Where the parts of a whole frame are. */
struct wire_parts {
    const uint8_t *references;
    const uint8_t *body;
    const uint8_t *payload;
    size_t body_size; /* the fixed part alone; 0 in a continued frame */
    size_t payload_size;
    const uint8_t *blocks; /* a call's, for wire_block_read() */
    uint32_t n_blocks;
    const uint8_t *numbers; /* of handles, for wire_number_read() */
    uint32_t n_numbers;
};

/* The fixed part of a kind's body; 0 for an unknown kind. */
uint32_t wire_body_size(uint8_t kind);
bool wire_kind_is_known(uint8_t kind);
/* Reserved kinds: their form is known, this version refuses them. */
bool wire_kind_is_reserved(uint8_t kind);
/* "call", or "unknown". */
const char *wire_kind_name(uint8_t kind);

/* Checks the header by itself and against our limits. VIA_E_PROTOCOL or VIA_E_LIMIT. */
HRESULT wire_header_read(const uint8_t bytes[WIRE_HEADER_SIZE], const struct wire_limits *limits,
                         struct wire_header *header);
void wire_header_write(uint8_t bytes[WIRE_HEADER_SIZE], const struct wire_header *header);
/* The size that belongs to the header's other sizes. */
uint64_t wire_frame_size(const struct wire_header *header);

/* Splits a whole frame of header->size bytes; checks extensions and the reference table. S_FALSE:
 * an extension that must be understood is not; the parts are valid. */
HRESULT wire_frame_split(const uint8_t *frame, const struct wire_header *header,
                         struct wire_parts *parts);

/* What a call is for. */
enum wire_target {
    WIRE_TARGET_OBJECT,
    WIRE_TARGET_RESULT /* of another call of the sender's: `object` is its id */
};
/* The call's results may be targets, until finish. */
#define WIRE_CALL_KEEP 0x1u
/* Calls of one side whose results may be targets at the same time. */
#define WIRE_MAX_KEPT 1024u

/* The body of a call as it lies on the wire: both systems are little-endian, and every field has
 * its natural alignment and no hole behind it. */
struct wire_call_body {
    uint8_t target_kind; /* enum wire_target */
    uint8_t reserved[3];
    uint32_t reference_index;
    uint64_t object;
    uint32_t interface_index;
    uint16_t slot;
    uint16_t depth;
    uint32_t remaining_ms;
    uint32_t flags; /* WIRE_CALL_... */
    uint8_t chain[16];
    uint64_t reserved3;
};

/* What a switch frame says, first in its payload. */
enum wire_switch_step {
    WIRE_SWITCH_OFFER = 1, /* memory, with its handles */
    WIRE_SWITCH_SHARED,    /* the last frame before those in memory */
    WIRE_SWITCH_BASE,      /* the last frame in memory */
    WIRE_SWITCH_REFUSE     /* no memory; one byte: 1: for now */
};

/* What a frame of kind handles says. */
enum wire_handles_step {
    WIRE_HANDLES_ANNOUNCE = 1, /* frames with handles are to come */
    WIRE_HANDLES_TAKE          /* they may */
};

/* The parts of it that core/link reads and writes; the others are com/remote's. */
#define WIRE_NO_LIMIT_MS UINT32_MAX
struct wire_call {
    uint16_t depth;
    uint32_t remaining_ms;
    uint8_t chain[16];
};
void wire_call_read(const uint8_t *body, struct wire_call *call);
void wire_call_write(uint8_t *body, const struct wire_call *call);

#endif
