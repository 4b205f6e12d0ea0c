#include "tests/link/raw.h"

#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/plugin/plugin_set.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"

#include <string.h>

bool raw_open(struct raw *raw, struct pair *pair)
{
    const char *rest;
    struct via_connect_options options = {sizeof options, 1, 0};
    return CHECK_OK(plugin_set_resolve(pair->plugins, pair->address, &raw->transport, &rest)) &&
           CHECK_OK(raw->transport->connect(rest, &options, &raw->stream));
}

void raw_send_with(struct raw *raw, const void *bytes, size_t size, const via_os_handle *handles,
                   uint32_t n_handles)
{
    uint8_t *span;
    size_t room;
    if (raw->transport->reserve(raw->stream, size, &span, &room) != S_OK)
        return;
    memcpy(span, bytes, size);
    raw->transport->commit(raw->stream, size, handles, n_handles, VIA_COMMIT_FLUSH);
    error_clear();
}

void raw_send(struct raw *raw, const void *bytes, size_t size)
{
    raw_send_with(raw, bytes, size, NULL, 0);
}

void raw_frame(struct raw *raw, uint8_t kind, uint8_t flags, uint64_t call_id, const void *body,
               size_t size)
{
    uint8_t frame[512] = {0};
    struct wire_header header = {
        .kind = kind, .flags = flags, .body_size = (uint32_t)size, .call_id = call_id};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    memcpy(frame + WIRE_HEADER_SIZE, body, size);
    raw_send(raw, frame, header.size);
}

void raw_hello(struct raw *raw, uint16_t version, const struct link_id *node)
{
    raw_hello_with(raw, version, node, 0);
}

void raw_hello_with(struct raw *raw, uint16_t version, const struct link_id *node,
                    uint64_t features)
{
    struct wire_hello hello = {.min_version = version,
                               .max_version = version,
                               .optional_features = features,
                               .process_id = 1,
                               .limits = {WIRE_MAX_FRAME, WIRE_MAX_MESSAGE, 16, 4}};
    struct buffer buffer;
    if (node != NULL)
        memcpy(hello.node, node->bytes, sizeof hello.node);
    else
        os_random(hello.node, sizeof hello.node);
    buffer_init(&buffer, 1024);
    wire_hello_write(&buffer, &hello);
    raw_frame(raw, WIRE_HELLO, 0, 0, buffer.data, buffer.size);
    buffer_deinit(&buffer);
}

/* The next frame's kind; 0 at the end of the stream. */
uint8_t raw_receive(struct raw *raw, char *text, size_t text_size)
{
    const uint8_t *span;
    size_t size;
    struct wire_header header;
    const struct wire_limits limits = {WIRE_MAX_FRAME, WIRE_MAX_MESSAGE, 1024, 64};
    HRESULT hr = VIA_S_WOULD_BLOCK;
    size_t want = WIRE_HEADER_SIZE;
    uint64_t deadline_ns = os_deadline_ms(10000 * harness_time_factor());
    for (;;) {
        hr = raw->transport->peek(raw->stream, want, &span, &size);
        if (hr == S_OK && want == WIRE_HEADER_SIZE) {
            if (!CHECK_OK(wire_header_read(span, &limits, &header)))
                return 255;
            want = header.size;
            continue;
        }
        if (hr != VIA_S_WOULD_BLOCK)
            break;
        if (!CHECK(SUCCEEDED(raw->transport->wait(raw->stream, deadline_ns))))
            break;
    }
    if (hr != S_OK) {
        error_clear();
        return 0;
    }
    size_t payload = header.body_size - wire_body_size(header.kind);
    size_t n = payload < text_size - 1 ? payload : text_size - 1;
    memcpy(text, span + WIRE_HEADER_SIZE + header.reference_size + wire_body_size(header.kind), n);
    text[n] = '\0';
    raw->transport->consume(raw->stream, header.size);
    return header.kind;
}

/* The peer is told, or just dropped, in time; the node still works. */
void raw_expect_end(struct raw *raw, struct pair *pair, const char *reason)
{
    char text[512];
    uint8_t kind;
    while ((kind = raw_receive(raw, text, sizeof text)) != 0 && kind != WIRE_GOODBYE && kind != 255)
        ;
    if (kind == WIRE_GOODBYE)
        CHECK_STR_HAS(text, reason);
    else
        FAIL("the peer was dropped without a goodbye about: %s", reason);
    raw->transport->close(raw->stream);
    uint32_t sum = 0;
    CHECK_OK(call_add(pair->connection, 20, 22, &sum));
    CHECK_EQ(sum, 42);
}

bool raw_joined(struct raw *raw, struct pair *pair)
{
    char text[512];
    if (!raw_open(raw, pair))
        return false;
    raw_hello(raw, 1, NULL);
    return CHECK_EQ(raw_receive(raw, text, sizeof text), WIRE_HELLO_ANSWER);
}
