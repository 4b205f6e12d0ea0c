/*
 * Handles that are announced before they come: that the receiver does not look for them before,
 * that nothing is lost or overtaken, whoever sends the first ones, and what those are told who do
 * not keep to it.
 */
#include "core/link/connection.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"
#include "tests/os/descriptors.h"

#include <stdlib.h>
#include <string.h>

#ifndef LINK_SCHEME
#define LINK_SCHEME "loop"
#endif

/* --- a handle that the transport carries --- */

struct carried {
    const struct via_plugin_unix_calls
        *calls; /* under Wine: what a Unix socket carries is Linux's */
    struct descriptors_leak leak;
    via_os_handle value;
};

static bool carried_open(struct carried *carried, const struct via_transport *transport)
{
    carried->calls = transport->capabilities & VIA_TRANSPORT_DESCRIPTORS ? os_unix_calls() : NULL;
    if (carried->calls == NULL) {
        bool opened = descriptors_leak_open(&carried->leak);
        carried->value = opened ? (via_os_handle)carried->leak.value : -1;
        return CHECK(opened);
    }
    carried->value = carried->calls->event_new();
    return CHECK(carried->value >= 0);
}

static void carried_close(struct carried *carried)
{
    if (carried->calls == NULL)
        descriptors_leak_close(&carried->leak);
    else
        carried->calls->close((int32_t)carried->value);
}

/* How many of `n` have arrived. */
static HRESULT send_handles(struct link_connection *connection, via_os_handle handle, uint16_t n,
                            uint32_t payload_size, uint32_t *arrived)
{
    uint8_t body[56] = {[20] = METHOD_TAKE};
    via_os_handle handles[8];
    struct link_message reply;
    uint8_t *payload = calloc(1, payload_size + 1);
    for (uint16_t i = 0; i < n; i++)
        handles[i] = handle;
    struct link_request request = {.kind = WIRE_CALL,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload,
                                   .payload_size = payload_size,
                                   .handles = handles,
                                   .n_handles = n};
    HRESULT hr = payload != NULL
                     ? link_call(connection, &request, os_deadline_ms(LINK_PATIENCE_MS), &reply)
                     : E_OUTOFMEMORY;
    free(payload);
    if (FAILED(hr))
        return hr;
    memcpy(arrived, reply.payload, sizeof *arrived);
    link_message_release(&reply);
    return S_OK;
}

static bool open_pair(struct pair *pair)
{
    if (!pair_open(pair, LINK_SCHEME, NULL))
        return false;
    if (pair->connection->base.transport->max_handles != 0)
        return true;
    pair_close(pair);
    harness_skip("this transport passes no handles here");
    return false;
}

static bool can_refuse(const struct via_transport *transport)
{
    return transport->size >= offsetof(struct via_transport, expect_handles) + sizeof(void *) &&
           transport->expect_handles != NULL;
}

/* --- between two that keep to it --- */

TEST(looks_for_handles_once_they_are_announced)
{
    struct pair pair;
    struct carried carried;
    uint32_t n = 0;
    uint32_t sum = 0;
    if (!open_pair(&pair))
        return;
    struct link_connection *server = pair.server.last;
    bool refuses = can_refuse(server->base.transport);
    CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    CHECK_EQ(server->refuses_handles, refuses);
    if (carried_open(&carried, pair.connection->base.transport)) {
        for (uint16_t i = 1; i <= 4; i++) {
            CHECK_OK(send_handles(pair.connection, carried.value, i, 10, &n));
            CHECK_EQ(n, i);
        }
        carried_close(&carried);
    }
    CHECK_FALSE(server->refuses_handles);
    CHECK_EQ(pair.connection->refuses_handles, refuses); /* the other direction has none */
    pair_close(&pair);
}

/* In chunks; each frame waits with the first. */
TEST(carries_them_with_large_messages)
{
    struct pair pair;
    struct carried carried;
    uint32_t n = 0;
    if (!open_pair(&pair))
        return;
    if (carried_open(&carried, pair.connection->base.transport)) {
        CHECK_OK(send_handles(pair.connection, carried.value, 3, 5u * WIRE_MAX_FRAME, &n));
        CHECK_EQ(n, 3);
        carried_close(&carried);
    }
    pair_close(&pair);
}

struct poster {
    struct link_connection *connection;
    via_os_handle handle;
    struct os_thread *thread;
    unsigned n_failed;
};

static void run_handles(void *argument)
{
    struct poster *poster = argument;
    for (uint16_t i = 0; i < 20; i++) {
        uint32_t n = 0;
        HRESULT hr = send_handles(poster->connection, poster->handle, 1 + i % 3, i, &n);
        poster->n_failed += FAILED(hr) || n != 1u + i % 3;
    }
    error_clear();
}

/* One-way calls of one thread arrive in their order, whatever handles others send among them. */
TEST(keeps_the_order_of_what_waits)
{
    for (int round = 0; round < 10; round++) {
        struct pair pair;
        struct carried carried;
        if (!open_pair(&pair))
            return;
        if (carried_open(&carried, pair.connection->base.transport)) {
            struct poster poster = {.connection = pair.connection, .handle = carried.value};
            CHECK_OK(os_thread_start(run_handles, &poster, "handles", &poster.thread));
            for (uint32_t i = 0; i < 500; i++)
                CHECK_OK(call_method(pair.connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS,
                                     NULL));
            os_thread_join(poster.thread);
            CHECK_EQ(poster.n_failed, 0);
            wait_for(&pair.server.n_counted, 500);
            CHECK_EQ(pair.server.n_out_of_order, 0);
            carried_close(&carried);
        }
        pair_close(&pair);
    }
}

/* Neither waits for the other's answer with its own. */
TEST(both_sides_begin_at_once)
{
    for (int round = 0; round < 30; round++) {
        struct pair pair;
        struct carried carried;
        struct poster posters[4];
        if (!open_pair(&pair))
            return;
        CHECK_OK(link_node_need_reactor(pair.client.node));
        if (carried_open(&carried, pair.connection->base.transport)) {
            for (int i = 0; i < 4; i++) {
                posters[i] = (struct poster){.connection =
                                                 i < 2 ? pair.connection
                                                       : (struct link_connection *)pair.server.last,
                                             .handle = carried.value};
                CHECK_OK(os_thread_start(run_handles, &posters[i], "handles", &posters[i].thread));
            }
            for (int i = 0; i < 4; i++) {
                os_thread_join(posters[i].thread);
                CHECK_EQ(posters[i].n_failed, 0);
            }
            carried_close(&carried);
        }
        pair_close(&pair);
    }
}

/* Nothing is left of what waited. */
TEST(ends_while_they_wait)
{
    for (int round = 0; round < 20; round++) {
        struct pair pair;
        struct carried carried;
        if (!open_pair(&pair))
            return;
        if (carried_open(&carried, pair.connection->base.transport)) {
            struct poster poster = {.connection = pair.connection, .handle = carried.value};
            CHECK_OK(os_thread_start(run_handles, &poster, "handles", &poster.thread));
            if (round % 2 == 0)
                os_sleep_ms(1);
            link_connection_close(pair.connection, E_ABORT, "the test ends it");
            os_thread_join(poster.thread);
            carried_close(&carried);
        }
        pair_close(&pair);
    }
}

/* --- with others --- */

/* A peer of before, which says nothing of it: handles come as they are. */
TEST(takes_them_unannounced_from_who_does_not_announce)
{
    struct pair pair;
    struct raw raw;
    struct carried carried;
    char text[64];
    if (!open_pair(&pair))
        return;
    if (carried_open(&carried, pair.connection->base.transport) && raw_joined(&raw, &pair)) {
        uint8_t frame[WIRE_HEADER_SIZE + 56] = {[WIRE_HEADER_SIZE + 20] = METHOD_TAKE};
        struct wire_header header = {
            .kind = WIRE_CALL, .call_id = 1, .n_handles = 1, .body_size = 56};
        header.size = sizeof frame;
        wire_header_write(frame, &header);
        raw_send_with(&raw, frame, sizeof frame, &carried.value, 1);
        if (CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_REPLY))
            CHECK_EQ(text[0], 1);
        raw.transport->close(raw.stream);
        carried_close(&carried);
    }
    pair_close(&pair);
}

static bool join_announcing(struct raw *raw, struct pair *pair)
{
    char text[64];
    if (!raw_open(raw, pair))
        return false;
    raw_hello_with(raw, 1, NULL, WIRE_FEATURE_HANDLES);
    return CHECK_EQ(raw_receive(raw, text, sizeof text), WIRE_HELLO_ANSWER);
}

static void send_step(struct raw *raw, uint32_t step)
{
    const uint32_t body[2] = {step, 0};
    raw_frame(raw, WIRE_HANDLES, 0, 0, body, sizeof body);
}

TEST(ends_who_does_not_keep_to_it)
{
    struct pair pair;
    struct raw raw;
    char text[64];
    if (!open_pair(&pair))
        return;
    if (join_announcing(&raw, &pair)) {
        send_step(&raw, WIRE_HANDLES_TAKE);
        raw_expect_end(&raw, &pair, "not announced");
    }
    if (join_announcing(&raw, &pair)) {
        send_step(&raw, 9);
        raw_expect_end(&raw, &pair, "unknown step 9");
    }
    if (raw_joined(&raw, &pair)) { /* without the feature */
        send_step(&raw, WIRE_HANDLES_ANNOUNCE);
        raw_expect_end(&raw, &pair, "handles");
    }
    if (join_announcing(&raw, &pair)) { /* again and again is no harm */
        for (int i = 0; i < 3; i++) {
            send_step(&raw, WIRE_HANDLES_ANNOUNCE);
            CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_HANDLES);
        }
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

/* Where nobody looks they are closed, and the frame that has them is refused. */
TEST(refuses_what_comes_unannounced)
{
    struct pair pair;
    struct raw raw;
    struct carried carried;
    if (!open_pair(&pair))
        return;
    if (!can_refuse(pair.connection->base.transport)) {
        pair_close(&pair);
        SKIP("this transport always looks for handles");
    }
    if (carried_open(&carried, pair.connection->base.transport) && join_announcing(&raw, &pair)) {
        uint8_t frame[WIRE_HEADER_SIZE + 56] = {[WIRE_HEADER_SIZE + 20] = METHOD_TAKE};
        struct wire_header header = {
            .kind = WIRE_CALL, .call_id = 1, .n_handles = 1, .body_size = 56};
        header.size = sizeof frame;
        wire_header_write(frame, &header);
        raw_send_with(&raw, frame, sizeof frame, &carried.value, 1);
        raw_expect_end(&raw, &pair, "handles are expected");
        carried_close(&carried);
    }
    pair_close(&pair);
}

HARNESS_MAIN("link_announce_" LINK_SCHEME, TEST_ENTRY(looks_for_handles_once_they_are_announced),
             TEST_ENTRY(carries_them_with_large_messages),
             TEST_ENTRY(keeps_the_order_of_what_waits), TEST_ENTRY(both_sides_begin_at_once),
             TEST_ENTRY(ends_while_they_wait),
             TEST_ENTRY(takes_them_unannounced_from_who_does_not_announce),
             TEST_ENTRY(ends_who_does_not_keep_to_it), TEST_ENTRY(refuses_what_comes_unannounced))
