#include "core/wire/hello.h"

#include "core/util/error.h"
#include "core/wire/scalar.h"
#include "core/wire/text.h"

#include <inttypes.h>

enum {
    AT_MAGIC = 0,
    AT_MIN_VERSION = 4,
    AT_MAX_VERSION = 6,
    AT_OPTIONAL = 8,
    AT_REQUIRED = 16,
    AT_NODE = 24,
    AT_PROCESS = 40,
    AT_MAX_FRAME = 44,
    AT_MAX_MESSAGE = 48,
    AT_MAX_REFERENCES = 52,
    AT_MAX_HANDLES = 54,
    AT_FLAGS = 56,
    AT_AGENT = 60,
    AT_N_ADDRESSES = 62,
    AT_ADDRESSES = 64,
    BODY_SIZE = 72
};

void wire_hello_write(struct buffer *buffer, const struct wire_hello *hello)
{
    uint8_t *body = buffer_extend(buffer, BODY_SIZE);
    if (body == NULL)
        return;
    memset(body, 0, BODY_SIZE);
    wire_store32(body + AT_MAGIC, WIRE_MAGIC);
    wire_store16(body + AT_MIN_VERSION, hello->min_version);
    wire_store16(body + AT_MAX_VERSION, hello->max_version);
    wire_store64(body + AT_OPTIONAL, hello->optional_features);
    wire_store64(body + AT_REQUIRED, hello->required_features);
    memcpy(body + AT_NODE, hello->node, sizeof hello->node);
    wire_store32(body + AT_PROCESS, hello->process_id);
    wire_store32(body + AT_MAX_FRAME, hello->limits.max_frame);
    wire_store32(body + AT_MAX_MESSAGE, hello->limits.max_message);
    wire_store16(body + AT_MAX_REFERENCES, hello->limits.max_references);
    wire_store16(body + AT_MAX_HANDLES, hello->limits.max_handles);
    wire_store32(body + AT_FLAGS, hello->flags);
    wire_store16(body + AT_AGENT, hello->agent_size);
    wire_store16(body + AT_N_ADDRESSES, hello->n_addresses);
    wire_store32(body + AT_ADDRESSES, hello->addresses_size);
    if (hello->agent_size != 0)
        buffer_append(buffer, hello->agent, hello->agent_size);
    if (hello->addresses_size != 0)
        buffer_append(buffer, hello->addresses, hello->addresses_size);
}

static void load(const uint8_t *body, struct wire_hello *hello)
{
    hello->min_version = wire_load16(body + AT_MIN_VERSION);
    hello->max_version = wire_load16(body + AT_MAX_VERSION);
    hello->optional_features = wire_load64(body + AT_OPTIONAL);
    hello->required_features = wire_load64(body + AT_REQUIRED);
    memcpy(hello->node, body + AT_NODE, sizeof hello->node);
    hello->process_id = wire_load32(body + AT_PROCESS);
    hello->limits.max_frame = wire_load32(body + AT_MAX_FRAME);
    hello->limits.max_message = wire_load32(body + AT_MAX_MESSAGE);
    hello->limits.max_references = wire_load16(body + AT_MAX_REFERENCES);
    hello->limits.max_handles = wire_load16(body + AT_MAX_HANDLES);
    hello->flags = wire_load32(body + AT_FLAGS);
    hello->agent_size = wire_load16(body + AT_AGENT);
    hello->n_addresses = wire_load16(body + AT_N_ADDRESSES);
    hello->addresses_size = wire_load32(body + AT_ADDRESSES);
}

static HRESULT check_texts(const uint8_t *payload, size_t payload_size, struct wire_hello *hello)
{
    if (hello->agent_size > WIRE_HELLO_MAX_AGENT || hello->n_addresses > WIRE_HELLO_MAX_ADDRESSES ||
        hello->addresses_size > WIRE_HELLO_MAX_TEXT || hello->agent_size > payload_size ||
        hello->addresses_size > payload_size - hello->agent_size)
        return error_set(VIA_E_PROTOCOL, "the texts of a hello are too long or cut off");
    hello->agent = (const char *)payload;
    hello->addresses = (const char *)payload + hello->agent_size;
    if (!wire_texts_are_good(hello->addresses, hello->addresses_size, hello->n_addresses))
        return error_set(
            VIA_E_PROTOCOL,
            "a hello does not have the %u addresses that it says, or they have control "
            "characters",
            hello->n_addresses);
    return S_OK;
}

HRESULT wire_hello_read(const uint8_t *body, const uint8_t *payload, size_t payload_size,
                        struct wire_hello *hello)
{
    uint32_t magic = wire_load32(body + AT_MAGIC);
    if (magic != WIRE_MAGIC)
        return error_set(VIA_E_PROTOCOL,
                         "the peer does not speak Viaduct: its first word is 0x%08X, not 0x%08X",
                         (unsigned)magic, WIRE_MAGIC);
    load(body, hello);
    if (hello->min_version > WIRE_MAX_VERSION || hello->max_version < WIRE_MIN_VERSION ||
        hello->min_version > hello->max_version)
        return error_set(RPC_E_VERSION_MISMATCH,
                         "the peer speaks versions %u to %u of the protocol, this side %u to %u; "
                         "update the older one",
                         hello->min_version, hello->max_version, WIRE_MIN_VERSION,
                         WIRE_MAX_VERSION);
    if (hello->required_features & ~(uint64_t)WIRE_FEATURES)
        return error_set(RPC_E_VERSION_MISMATCH,
                         "the peer requires the features 0x%" PRIx64 ", this side has 0x%" PRIx64,
                         hello->required_features, (uint64_t)WIRE_FEATURES);
    const struct wire_limits *limits = &hello->limits;
    if (limits->max_frame < WIRE_MIN_FRAME || limits->max_message < limits->max_frame)
        return error_set(VIA_E_LIMIT,
                         "the peer takes frames of %u and messages of %u bytes; at least %u and "
                         "the size of a frame are needed",
                         (unsigned)limits->max_frame, (unsigned)limits->max_message,
                         WIRE_MIN_FRAME);
    return check_texts(payload, payload_size, hello);
}

uint16_t wire_hello_version(const struct wire_hello *peer)
{
    return peer->max_version < WIRE_MAX_VERSION ? peer->max_version : (uint16_t)WIRE_MAX_VERSION;
}
