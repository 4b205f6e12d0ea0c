#include "bench/frames.h"

#include "bench.h"

#include "com/typelib/typelib.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"

#include <string.h>

#define INTERFACE 1u
#define SLOT_ADD  3u

extern const struct via_typelib bench_typelib;

static void append(struct buffer *buffer, uint8_t kind, uint64_t call_id, const void *body,
                   size_t size)
{
    struct wire_header header = {.kind = kind, .body_size = (uint32_t)size, .call_id = call_id};
    header.size = (uint32_t)wire_frame_size(&header);
    uint8_t *frame = buffer_extend(buffer, header.size);
    if (frame == NULL)
        return;
    memset(frame, 0, header.size);
    wire_header_write(frame, &header);
    memcpy(frame + WIRE_HEADER_SIZE, body, size);
}

void frames_hello(struct buffer *buffer)
{
    struct wire_hello hello = {.min_version = WIRE_MIN_VERSION,
                               .max_version = WIRE_MAX_VERSION,
                               .process_id = os_process_id(),
                               .limits = {FRAMES_MAX_FRAME, WIRE_MAX_MESSAGE, 64, 4}};
    struct buffer body;
    os_random(hello.node, sizeof(hello.node));
    buffer_init(&body, 1024);
    wire_hello_write(&body, &hello);
    append(buffer, WIRE_HELLO, 0, body.data, body.size);
    buffer_deinit(&body);
}

void frames_interface(struct buffer *buffer)
{
    struct {
        uint32_t index;
        uint32_t reserved;
        GUID iid;
        uint8_t hash[TYPELIB_HASH_SIZE];
    } body = {.index = INTERFACE, .iid = IID_IBench};
    uint16_t number = typelib_find_interface(&bench_typelib, &IID_IBench);
    if (FAILED(typelib_hash(&bench_typelib, number, body.hash)))
        buffer_fail(buffer, E_UNEXPECTED);
    append(buffer, WIRE_INTERFACE, 0, &body, sizeof(body));
}

void frames_call(struct buffer *buffer, uint64_t call_id, uint64_t chain)
{
    struct {
        struct wire_call_body call;
        int32_t arguments[2];
    } body = {.call = {.interface_index = INTERFACE,
                       .slot = SLOT_ADD,
                       .remaining_ms = WIRE_NO_LIMIT_MS,
                       .depth = 1},
              .arguments = {1, 2}};
    memcpy(body.call.chain, &chain, sizeof(chain));
    append(buffer, WIRE_CALL, call_id, &body, sizeof(body));
}

int frames_read(const uint8_t *data, size_t size, size_t *frame_size)
{
    static const struct wire_limits limits = {FRAMES_MAX_FRAME, FRAMES_MAX_FRAME, 64, 4};
    struct wire_header header;
    if (size < WIRE_HEADER_SIZE)
        return 0;
    if (FAILED(wire_header_read(data, &limits, &header)) || header.kind == WIRE_ERROR ||
        header.kind == WIRE_GOODBYE)
        return -1;
    *frame_size = header.size;
    return size < header.size ? 0 : header.kind;
}
