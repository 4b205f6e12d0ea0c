#include "core/wire/frame.h"

#include "core/util/error.h"
#include "core/wire/block.h"
#include "core/wire/numbers.h"
#include "core/wire/reference.h"
#include "core/wire/scalar.h"

#include <inttypes.h>
#include <stddef.h>

struct kind {
    const char *name;
    uint8_t body_size;
    uint8_t flags;
};

enum kind_flag {
    RESERVED = 1,
    HANDLES = 2 /* may have some */
};

static const struct kind kinds[] = {
    [WIRE_HELLO] = {"hello", 72, 0},
    [WIRE_HELLO_ANSWER] = {"hello-answer", 72, 0},
    [WIRE_CALL] = {"call", 56, HANDLES},
    [WIRE_ONEWAY] = {"one-way", 56, HANDLES},
    [WIRE_REPLY] = {"reply", 8, HANDLES},
    [WIRE_ERROR] = {"error", 8, 0},
    [WIRE_CANCEL] = {"cancel", 8, 0},
    [WIRE_FINISH] = {"finish", 0, 0},
    [WIRE_RELEASE] = {"release", 8, 0},
    [WIRE_INTERFACE] = {"interface", 40, 0},
    [WIRE_QUERY_INTERFACE] = {"query-interface", 24, 0},
    [WIRE_PROVIDE] = {"provide", 64, 0},
    [WIRE_ACCEPT] = {"accept", 24, 0},
    [WIRE_WITHDRAW] = {"withdraw", 16, 0},
    [WIRE_SWITCH] = {"switch", 8, HANDLES},
    [WIRE_CREDIT] = {"credit", 8, RESERVED},
    [WIRE_DEATH_WATCH] = {"death-watch", 16, RESERVED},
    [WIRE_PING] = {"ping", 16, 0},
    [WIRE_GOODBYE] = {"goodbye", 8, 0},
    [WIRE_MEMORY] = {"memory", 16, HANDLES},
    [WIRE_HANDLES] = {"handles", 8, 0},
    [WIRE_TAKEN] = {"taken", 8, 0},
};

bool wire_kind_is_known(uint8_t kind)
{
    return kind < sizeof kinds / sizeof kinds[0] && kinds[kind].name != NULL;
}

uint32_t wire_body_size(uint8_t kind)
{
    return wire_kind_is_known(kind) ? kinds[kind].body_size : 0;
}

bool wire_kind_is_reserved(uint8_t kind)
{
    return wire_kind_is_known(kind) && (kinds[kind].flags & RESERVED) != 0;
}

const char *wire_kind_name(uint8_t kind)
{
    return wire_kind_is_known(kind) ? kinds[kind].name : "unknown";
}

uint64_t wire_frame_size(const struct wire_header *header)
{
    uint64_t sum = (uint64_t)WIRE_HEADER_SIZE + header->extension_size + header->reference_size +
                   header->body_size;
    return (sum + 7u) & ~(uint64_t)7u;
}

static HRESULT check_continued(const struct wire_header *header)
{
    if (header->n_references != 0 || header->n_handles != 0 || header->extension_size != 0 ||
        header->reference_size != 0)
        return error_set(VIA_E_PROTOCOL, "a continued frame of kind %s has tables",
                         wire_kind_name(header->kind));
    return S_OK;
}

static HRESULT check_tables(const struct wire_header *header, const struct wire_limits *limits)
{
    if (header->n_references > limits->max_references || header->n_handles > limits->max_handles)
        return error_set(
            VIA_E_LIMIT, "a frame has %u references and %u handles; at most %u and %u are taken",
            header->n_references, header->n_handles, limits->max_references, limits->max_handles);
    /* A kind that is not known may be skipped, with what it means by its handles. */
    if (header->n_handles != 0 && wire_kind_is_known(header->kind) &&
        !(kinds[header->kind].flags & HANDLES))
        return error_set(VIA_E_PROTOCOL, "a frame of kind %s has no handles, and one came with %u",
                         wire_kind_name(header->kind), header->n_handles);
    /* The shortest entry is its own header. */
    if (header->reference_size / 8u < header->n_references ||
        (header->n_references == 0 && header->reference_size != 0))
        return error_set(VIA_E_PROTOCOL, "a table of %u bytes cannot hold %u references",
                         (unsigned)header->reference_size, header->n_references);
    return S_OK;
}

HRESULT wire_header_read(const uint8_t bytes[WIRE_HEADER_SIZE], const struct wire_limits *limits,
                         struct wire_header *header)
{
    struct wire_header h;
    h.size = wire_load32(bytes);
    h.kind = bytes[4];
    h.flags = bytes[5];
    h.extension_size = wire_load16(bytes + 6);
    h.n_references = wire_load16(bytes + 8);
    h.n_handles = wire_load16(bytes + 10);
    h.body_size = wire_load32(bytes + 12);
    h.call_id = wire_load64(bytes + 16);
    h.reference_size = wire_load32(bytes + 24);
    if (h.size > limits->max_frame)
        return error_set(VIA_E_LIMIT, "a frame of %u bytes; at most %u are taken", (unsigned)h.size,
                         (unsigned)limits->max_frame);
    if (h.size < WIRE_HEADER_SIZE || h.size % 8 != 0 || h.extension_size % 8 != 0 ||
        h.reference_size % 8 != 0 || wire_frame_size(&h) != h.size)
        return error_set(VIA_E_PROTOCOL, "the sizes in a frame's header contradict each other");
    if (h.flags & ~(WIRE_FLAG_MORE | WIRE_FLAG_IGNORABLE | WIRE_FLAG_CONTINUED))
        return error_set(VIA_E_PROTOCOL, "a frame has the unknown flags 0x%02X", h.flags);
    HRESULT hr = check_tables(&h, limits);
    if (FAILED(hr))
        return hr;
    if (h.flags & WIRE_FLAG_CONTINUED)
        hr = check_continued(&h);
    else if (h.body_size < wire_body_size(h.kind))
        hr = error_set(VIA_E_PROTOCOL, "the body of a frame of kind %s has %u bytes, not %u",
                       wire_kind_name(h.kind), (unsigned)h.body_size,
                       (unsigned)wire_body_size(h.kind));
    if (SUCCEEDED(hr))
        *header = h;
    return hr;
}

void wire_header_write(uint8_t bytes[WIRE_HEADER_SIZE], const struct wire_header *header)
{
    wire_store32(bytes, header->size);
    bytes[4] = header->kind;
    bytes[5] = header->flags;
    wire_store16(bytes + 6, header->extension_size);
    wire_store16(bytes + 8, header->n_references);
    wire_store16(bytes + 10, header->n_handles);
    wire_store32(bytes + 12, header->body_size);
    wire_store64(bytes + 16, header->call_id);
    wire_store32(bytes + 24, header->reference_size);
    wire_store32(bytes + 28, 0);
}

/* S_FALSE: not one that this version knows in such a frame. */
static HRESULT check_extension(uint16_t type, const uint8_t *content, size_t size, uint8_t kind,
                               struct wire_parts *parts)
{
    if (type == WIRE_EXTENSION_BLOCKS && kind == WIRE_CALL && parts->n_blocks == 0) {
        parts->blocks = content;
        return wire_blocks_check(size, &parts->n_blocks);
    }
    if (type == WIRE_EXTENSION_NUMBERS && parts->n_numbers == 0 &&
        (kind == WIRE_CALL || kind == WIRE_ONEWAY || kind == WIRE_REPLY)) {
        parts->numbers = content;
        return wire_numbers_check(size, &parts->n_numbers);
    }
    return S_FALSE;
}

/* S_FALSE: one has to be understood, and is not. */
static HRESULT check_extensions(const uint8_t *bytes, size_t size, uint8_t kind,
                                struct wire_parts *parts)
{
    HRESULT hr = S_OK;
    while (size > 0) {
        if (size < WIRE_EXTENSION_HEADER)
            return error_set(VIA_E_PROTOCOL, "a frame's extensions are cut off");
        size_t content = wire_load16(bytes + 2);
        size_t whole = WIRE_EXTENSION_HEADER + ((content + 7u) & ~(size_t)7u);
        if (whole > size)
            return error_set(VIA_E_PROTOCOL, "an extension goes beyond its frame");
        HRESULT checked = check_extension(wire_load16(bytes), bytes + WIRE_EXTENSION_HEADER,
                                          content, kind, parts);
        if (FAILED(checked))
            return checked;
        if (checked == S_FALSE && bytes[4] != 0)
            hr = S_FALSE;
        bytes += whole;
        size -= whole;
    }
    return hr;
}

HRESULT wire_frame_split(const uint8_t *frame, const struct wire_header *header,
                         struct wire_parts *parts)
{
    const uint8_t *extensions = frame + WIRE_HEADER_SIZE;
    parts->references = extensions + header->extension_size;
    parts->body = parts->references + header->reference_size;
    parts->body_size = header->flags & WIRE_FLAG_CONTINUED ? 0 : wire_body_size(header->kind);
    parts->payload = parts->body + parts->body_size;
    parts->payload_size = header->body_size - parts->body_size;
    parts->blocks = NULL;
    parts->n_blocks = 0;
    parts->numbers = NULL;
    parts->n_numbers = 0;
    HRESULT hr = S_OK;
    if (header->n_references != 0)
        hr = wire_references_check(parts->references, header->reference_size, header->n_references);
    if (SUCCEEDED(hr) && header->extension_size != 0)
        hr = check_extensions(extensions, header->extension_size, header->kind, parts);
    return hr;
}

_Static_assert(sizeof(struct wire_call_body) == 56, "the body of a call");

void wire_call_read(const uint8_t *body, struct wire_call *call)
{
    struct wire_call_body whole;
    memcpy(&whole, body, sizeof whole);
    call->depth = whole.depth;
    call->remaining_ms = whole.remaining_ms;
    memcpy(call->chain, whole.chain, sizeof call->chain);
}

void wire_call_write(uint8_t *body, const struct wire_call *call)
{
    memcpy(body + offsetof(struct wire_call_body, depth), &call->depth, sizeof call->depth);
    memcpy(body + offsetof(struct wire_call_body, remaining_ms), &call->remaining_ms,
           sizeof call->remaining_ms);
    memcpy(body + offsetof(struct wire_call_body, chain), call->chain, sizeof call->chain);
}
