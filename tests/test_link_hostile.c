/*
 * A peer that breaks the rules: raw frames, written past core/link into a stream of the loopback
 * transport. Whatever comes, the node answers with a goodbye, or drops the peer, and goes on
 * serving others.
 */
#include "core/wire/frame.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"

#include <string.h>

TEST(refuses_bad_hellos)
{
    struct pair pair;
    struct raw raw;
    uint8_t body[72] = {0};
    if (!pair_open(&pair, "loop", NULL))
        return;
    if (raw_open(&raw, &pair)) {
        raw_hello(&raw, 9, NULL);
        raw_expect_end(&raw, &pair, "versions 9 to 9");
    }
    if (raw_open(&raw, &pair)) {
        raw_frame(&raw, WIRE_HELLO, 0, 0, body, sizeof body);
        raw_expect_end(&raw, &pair, "does not speak Viaduct");
    }
    if (raw_open(&raw, &pair)) {
        raw_frame(&raw, WIRE_CALL, 0, 1, body, 56);
        raw_expect_end(&raw, &pair, "first frame");
    }
    if (raw_open(&raw, &pair)) {
        static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        raw_send(&raw, http, sizeof http - 1);
        raw_expect_end(&raw, &pair, "frame");
    }
    pair_close(&pair);
}

TEST(ends_silent_peers)
{
    struct pair pair;
    struct raw raw;
    struct link_settings settings;
    link_settings_default(&settings);
    settings.hello_timeout_ms = 100;
    if (!pair_open(&pair, "loop", &settings))
        return;
    if (raw_open(&raw, &pair)) {
        raw_send(&raw, "x", 1);
        raw_expect_end(&raw, &pair, "did not say hello");
    }
    pair_close(&pair);
}

struct bad {
    uint8_t kind;
    uint8_t flags;
    uint64_t call_id;
    size_t size;
    const char *reason;
};

TEST(ends_peers_that_break_the_rules)
{
    static const struct bad bad[] = {
        {WIRE_HELLO, 0, 0, 72, "not expected here"},
        {WIRE_FINISH, 0, 1, 0, "finish"},
        {WIRE_SWITCH, 0, 0, 8, "switch"},
        {WIRE_CREDIT, 0, 0, 8, "credit"},
        {WIRE_DEATH_WATCH, 0, 0, 16, "death-watch"},
        {77, 0, 0, 8, "kind 77"},
        {WIRE_REPLY, 0, 99, 8, "was not made"},
        {WIRE_ERROR, 0, 0, 8, "was not made"},
        {WIRE_CALL, WIRE_FLAG_CONTINUED, 5, 100, "was not started"},
        {WIRE_CALL, 0x80, 5, 56, "unknown flags"},
        {WIRE_CALL, 0, 5, 48, "has 48 bytes"},
        {WIRE_INTERFACE, 0, 0, 40, "not that"},
    };
    struct pair pair;
    if (!pair_open(&pair, "loop", NULL))
        return;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct raw raw;
        uint8_t body[128] = {0};
        if (!raw_joined(&raw, &pair))
            continue;
        raw_frame(&raw, bad[i].kind, bad[i].flags, bad[i].call_id, body, bad[i].size);
        raw_expect_end(&raw, &pair, bad[i].reason);
    }
    pair_close(&pair);
}

TEST(skips_what_is_ignorable_and_answers_pings)
{
    struct pair pair;
    struct raw raw;
    char text[64];
    uint8_t body[56] = {1};
    if (!pair_open(&pair, "loop", NULL))
        return;
    if (raw_joined(&raw, &pair)) {
        raw_frame(&raw, 77, WIRE_FLAG_IGNORABLE, 0, body, 56);
        raw_frame(&raw, WIRE_CANCEL, 0, 12345, body, 8); /* of no call that is there */
        raw_frame(&raw, WIRE_PING, 0, 0, body, 16);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_PING);
        /* Too deep a chain is an error, not the end. */
        struct wire_call call = {.depth = 500, .remaining_ms = WIRE_NO_LIMIT_MS};
        wire_call_write(body, &call);
        raw_frame(&raw, WIRE_CALL, 0, 5, body, 56);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_ERROR);
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

TEST(bounds_messages_in_chunks)
{
    struct pair pair;
    struct raw raw;
    uint8_t body[128] = {0};
    if (!pair_open(&pair, "loop", NULL))
        return;
    if (raw_joined(&raw, &pair)) {
        for (uint64_t id = 1; id < 70; id++)
            raw_frame(&raw, WIRE_CALL, WIRE_FLAG_MORE, id, body, 64);
        raw_expect_end(&raw, &pair, "under way");
    }
    if (raw_joined(&raw, &pair)) {
        raw_frame(&raw, WIRE_CALL, WIRE_FLAG_MORE, 1, body, 64);
        raw_frame(&raw, WIRE_CALL, WIRE_FLAG_MORE, 1, body, 64);
        raw_expect_end(&raw, &pair, "starts twice");
    }
    pair_close(&pair);
}

/* The first of several frames has the extensions, and the call is answered, not the peer dropped.
 */
TEST(refuses_calls_in_chunks_with_unknown_extensions)
{
    struct pair pair;
    struct raw raw;
    char text[512];
    uint8_t frame[WIRE_HEADER_SIZE + 8 + 64] = {0};
    uint8_t rest[8] = {0};
    struct wire_header header = {.kind = WIRE_CALL,
                                 .flags = WIRE_FLAG_MORE,
                                 .extension_size = 8,
                                 .body_size = 64,
                                 .call_id = 5};
    if (!pair_open(&pair, "loop", NULL))
        return;
    if (raw_joined(&raw, &pair)) {
        header.size = (uint32_t)wire_frame_size(&header);
        wire_header_write(frame, &header);
        frame[WIRE_HEADER_SIZE] = 9;     /* its type */
        frame[WIRE_HEADER_SIZE + 4] = 1; /* must be understood */
        raw_send(&raw, frame, header.size);
        raw_frame(&raw, WIRE_CALL, WIRE_FLAG_CONTINUED, 5, rest, sizeof rest);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_ERROR);
        raw_frame(&raw, WIRE_PING, 0, 0, frame, 16);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_PING);
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

TEST(survives_noise)
{
    struct pair pair;
    uint32_t state = 12345;
    if (!pair_open(&pair, "loop", NULL))
        return;
    for (int round = 0; round < 200; round++) {
        struct raw raw;
        uint8_t noise[256];
        bool joined = round % 2 == 0;
        if (joined ? !raw_joined(&raw, &pair) : !raw_open(&raw, &pair))
            break;
        for (size_t i = 0; i < sizeof noise; i++) {
            state = state * 1664525u + 1013904223u;
            noise[i] = (uint8_t)(state >> 24);
        }
        /* Mostly plausible: one frame with random contents, then noise. */
        raw_frame(&raw, (uint8_t)(1 + noise[0] % 20), noise[1] & 7, noise[2], noise,
                  noise[3] & 0x7F);
        raw_send(&raw, noise, sizeof noise);
        raw.transport->close(raw.stream);
    }
    uint32_t sum = 0;
    CHECK_OK(call_add(pair.connection, 20, 22, &sum));
    CHECK_EQ(sum, 42);
    pair_close(&pair);
}

HARNESS_MAIN("link_hostile", TEST_ENTRY(refuses_bad_hellos), TEST_ENTRY(ends_silent_peers),
             TEST_ENTRY(ends_peers_that_break_the_rules),
             TEST_ENTRY(skips_what_is_ignorable_and_answers_pings),
             TEST_ENTRY(bounds_messages_in_chunks),
             TEST_ENTRY(refuses_calls_in_chunks_with_unknown_extensions),
             TEST_ENTRY(survives_noise))
