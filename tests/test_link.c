/*
 * Connections and calls between two nodes of one process, over each transport.
 */
#include "core/link/connection.h"
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "tests/link/callers.h"
#include "tests/link/fixture.h"
#include "tests/os/descriptors.h"

#include <stdlib.h>
#include <string.h>

#ifndef LINK_SCHEME
#define LINK_SCHEME "loop"
#endif

static const struct error_record *last_cause(void)
{
    const struct error_record *record = error_get();
    while (record != NULL && record->cause != NULL)
        record = record->cause;
    return record;
}

TEST(answers_calls)
{
    struct pair pair;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t sum = 0;
        if (!CHECK_OK(call_add(pair.connection, i, 7, &sum)) || !CHECK_EQ(sum, i + 7))
            break;
    }
    uint32_t sum = 0;
    CHECK_OK(call_number(pair.connection, METHOD_REPLY_LATE, 5, LINK_PATIENCE_MS, &sum));
    CHECK_EQ(sum, 5);
    pair_close(&pair);
}

TEST(carries_errors)
{
    struct pair pair;
    uint32_t result;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    CHECK_HR(call_number(pair.connection, METHOD_FAIL, 0, LINK_PATIENCE_MS, &result), E_FAIL);
    if (CHECK_NOT_NULL(error_get())) {
        CHECK_STR_EQ(error_get()->text, "the method failed");
        CHECK_STR_EQ(last_cause()->text, "the inner reason");
        CHECK_HR(last_cause()->code, E_INVALIDARG);
    }
    pair_close(&pair);
}

TEST(nests_callbacks)
{
    struct pair pair;
    uint32_t result = 0;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    CHECK_OK(call_number(pair.connection, METHOD_NEST, 60, LINK_PATIENCE_MS, &result));
    CHECK_EQ(result, 60 * 61 / 2);
    CHECK_HR(call_number(pair.connection, METHOD_NEST, 200, LINK_PATIENCE_MS, &result),
             VIA_E_DEPTH);
    CHECK_OK(call_add(pair.connection, 1, 2, &result));
    pair_close(&pair);
}

TEST(runs_one_way_calls)
{
    struct pair pair;
    uint32_t sum;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    for (uint32_t i = 0; i < 500; i++)
        CHECK_OK(call_method(pair.connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
    CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    wait_for(&pair.server.n_counted, 500);
    pair_close(&pair);
}

/* --- several threads --- */

TEST(shares_a_connection_between_callers)
{
    struct pair pair;
    struct caller callers[6] = {0};
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    for (uint32_t i = 0; i < 6; i++)
        callers[i] = (struct caller){.connection = pair.connection,
                                     .n_calls = 300,
                                     .method = i < 4 ? METHOD_ADD : METHOD_NEST,
                                     .argument = i < 4 ? i : 5};
    run_callers(callers, 6);
    pair_close(&pair);
}

TEST(calls_in_both_directions)
{
    struct pair pair;
    struct caller callers[4] = {0};
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node));
    for (uint32_t i = 0; i < 4; i++)
        callers[i] = (struct caller){.connection = i < 2 ? pair.connection : pair.server.last,
                                     .n_calls = 300,
                                     .method = METHOD_NEST,
                                     .argument = 3};
    run_callers(callers, 4);
    pair_close(&pair);
}

TEST(serves_more_clients_than_workers)
{
    struct pair pair;
    struct link_settings settings;
    struct side clients[8];
    struct caller callers[8];
    memset(clients, 0, sizeof clients);
    memset(callers, 0, sizeof callers);
    link_settings_default(&settings);
    settings.max_workers = 3;
    if (!pair_open(&pair, LINK_SCHEME, &settings))
        return;
    const char *addresses[] = {pair.address, NULL};
    for (uint32_t i = 0; i < 8; i++) {
        callers[i] = (struct caller){.n_calls = 200, .method = METHOD_ADD, .argument = i};
        if (!side_open(&clients[i], &pair, NULL) ||
            !CHECK_OK(link_node_connect(clients[i].node, addresses,
                                        os_deadline_ms(LINK_PATIENCE_MS), &callers[i].connection)))
            callers[i].n_calls = 0;
    }
    run_callers(callers, 8);
    for (uint32_t i = 0; i < 8; i++) {
        link_connection_unref(callers[i].connection);
        side_close(&clients[i]);
    }
    pair_close(&pair);
}

/* Calls one-way calls without an end. */
static void post_until_stopped(void *argument)
{
    struct caller *caller = argument;
    while (!atomic_load(&caller->stop))
        if (FAILED(call_method(caller->connection, METHOD_COUNT, &caller->argument,
                               sizeof caller->argument, LINK_PATIENCE_MS, NULL)))
            caller->n_failed++;
    error_clear();
}

static void sleep_until_stopped(void *argument)
{
    struct caller *caller = argument;
    uint32_t result;
    while (!atomic_load(&caller->stop))
        if (FAILED(call_number(caller->connection, METHOD_SLEEP, 2, LINK_PATIENCE_MS, &result)))
            caller->n_failed++;
    error_clear();
}

/* One worker: it puts a connection back after each turn, and finds a call that the reactor has
 * read, of one of the other clients, whenever it looks. The connection has its turn all the same.
 */
TEST(serves_a_stream_among_calls)
{
    struct pair pair;
    struct link_settings settings;
    struct side clients[4];
    struct caller callers[4];
    unsigned n_started = 0;
    memset(clients, 0, sizeof clients);
    memset(callers, 0, sizeof callers);
    link_settings_default(&settings);
    settings.max_workers = 1;
    if (!pair_open(&pair, LINK_SCHEME, &settings))
        return;
    const char *addresses[] = {pair.address, NULL};
    for (uint32_t i = 0; i < 4; i++)
        if (!side_open(&clients[i], &pair, NULL) ||
            !CHECK_OK(link_node_connect(clients[i].node, addresses,
                                        os_deadline_ms(LINK_PATIENCE_MS), &callers[i].connection)))
            break;
        else if (CHECK_OK(os_thread_start(i == 0 ? post_until_stopped : sleep_until_stopped,
                                          &callers[i], "caller", &callers[i].thread)))
            n_started++;
    for (int i = 0; i < 5; i++) {
        os_sleep_ms(20); /* by then it has had its turn, and the others are there */
        unsigned goal = pair.server.n_counted + 64;
        for (int j = 0; j < 3000 && pair.server.n_counted < goal; j++)
            os_sleep_ms(1);
        CHECK(pair.server.n_counted >= goal);
    }
    for (uint32_t i = 0; i < n_started; i++)
        atomic_store(&callers[i].stop, true);
    for (uint32_t i = 0; i < n_started; i++) {
        os_thread_join(callers[i].thread);
        CHECK_EQ(callers[i].n_failed, 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        link_connection_unref(callers[i].connection);
        side_close(&clients[i]);
    }
    pair_close(&pair);
}

/* --- large data --- */

struct bulk {
    struct link_connection *connection;
    atomic_uint n_right;
};

#define BULK_SIZE (1024u * 1024u)

static void send_bulk(void *argument)
{
    struct bulk *bulk = argument;
    uint8_t *data = malloc(BULK_SIZE);
    if (data == NULL)
        return;
    for (uint32_t i = 0; i < BULK_SIZE; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    for (int i = 0; i < 8; i++) {
        struct link_message reply;
        size_t size = i == 7 ? BULK_SIZE / 2 + 3 : BULK_SIZE;
        HRESULT hr =
            call_method(bulk->connection, METHOD_ECHO, data, size, LINK_PATIENCE_MS, &reply);
        if (FAILED(hr))
            break;
        if (reply.payload_size == size && memcmp(reply.payload, data, size) == 0)
            bulk->n_right++;
        link_message_release(&reply);
    }
    free(data);
    error_clear();
}

TEST(sends_megabytes_in_both_directions)
{
    struct pair pair;
    struct bulk bulks[2];
    struct os_thread *threads[2];
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node));
    for (int i = 0; i < 2; i++) {
        bulks[i].connection = i == 0 ? pair.connection : pair.server.last;
        bulks[i].n_right = 0;
        CHECK_OK(os_thread_start(send_bulk, &bulks[i], "bulk", &threads[i]));
    }
    for (int i = 0; i < 2; i++) {
        os_thread_join(threads[i]);
        CHECK_EQ(bulks[i].n_right, 8);
    }
    pair_close(&pair);
}

/* The first of its frames has the handles. */
TEST(passes_handles_with_large_messages)
{
    struct pair pair;
    struct descriptors_leak leak;
    uint32_t answer[2] = {0, 0};
    uint32_t size = 3u * WIRE_MAX_FRAME;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    const struct via_transport *transport = pair.connection->base.transport;
    /* Under Wine what a Unix socket carries are Linux descriptors. */
    const struct via_plugin_unix_calls *unix_calls =
        transport->capabilities & VIA_TRANSPORT_DESCRIPTORS ? os_unix_calls() : NULL;
    if (transport->max_handles == 0) {
        pair_close(&pair);
        SKIP("this transport passes no handles here");
    }
    uint8_t *payload = calloc(1, size);
    uint8_t body[56] = {[20] = METHOD_TAKE};
    if (CHECK_NOT_NULL(payload) && CHECK(descriptors_leak_open(&leak))) {
        int32_t event = unix_calls != NULL ? unix_calls->event_new() : -1;
        via_os_handle value = unix_calls != NULL ? event : (via_os_handle)leak.value;
        via_os_handle handles[2] = {value, value};
        struct link_request request = {.kind = WIRE_CALL,
                                       .body = body,
                                       .body_size = sizeof body,
                                       .payload = payload,
                                       .payload_size = size,
                                       .handles = handles,
                                       .n_handles = 2};
        struct link_message reply;
        if (CHECK_OK(
                link_call(pair.connection, &request, os_deadline_ms(LINK_PATIENCE_MS), &reply))) {
            memcpy(answer, reply.payload, sizeof answer);
            link_message_release(&reply);
        }
        if (unix_calls != NULL)
            unix_calls->close(event);
        descriptors_leak_close(&leak);
        CHECK_EQ(answer[0], 2);
        CHECK_EQ(answer[1], size);
    }
    free(payload);
    pair_close(&pair);
}

TEST(refuses_messages_that_are_too_large)
{
    struct pair pair;
    struct link_message reply;
    uint32_t sum;
    size_t size = 17u * 1024u * 1024u;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    void *data = calloc(1, size);
    CHECK_HR(call_method(pair.connection, METHOD_ECHO, data, size, LINK_PATIENCE_MS, &reply),
             VIA_E_LIMIT);
    free(data);
    CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    pair_close(&pair);
}

HARNESS_MAIN("link_" LINK_SCHEME, TEST_ENTRY(answers_calls), TEST_ENTRY(carries_errors),
             TEST_ENTRY(nests_callbacks), TEST_ENTRY(runs_one_way_calls),
             TEST_ENTRY(shares_a_connection_between_callers), TEST_ENTRY(calls_in_both_directions),
             TEST_ENTRY(serves_more_clients_than_workers), TEST_ENTRY(serves_a_stream_among_calls),
             TEST_ENTRY(sends_megabytes_in_both_directions),
             TEST_ENTRY(passes_handles_with_large_messages),
             TEST_ENTRY(refuses_messages_that_are_too_large))
