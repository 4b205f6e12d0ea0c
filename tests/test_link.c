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

struct caller {
    struct link_connection *connection;
    unsigned n_calls;
    enum method method;
    uint32_t argument;
    atomic_uint n_failed;
    atomic_bool stop;
    struct os_thread *thread;
};

static void call_often(void *argument)
{
    struct caller *caller = argument;
    for (unsigned i = 0; i < caller->n_calls; i++) {
        uint32_t result = 0;
        HRESULT hr;
        bool right;
        if (caller->method == METHOD_ADD) {
            hr = call_add(caller->connection, caller->argument, i, &result);
            right = result == caller->argument + i;
        } else {
            hr = call_number(caller->connection, caller->method, caller->argument, LINK_PATIENCE_MS,
                             &result);
            right = caller->method != METHOD_NEST ||
                    result == caller->argument * (caller->argument + 1) / 2;
        }
        if (FAILED(hr) || !right)
            caller->n_failed++;
    }
    error_clear();
}

static void run_callers(struct caller *callers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CHECK_OK(os_thread_start(call_often, &callers[i], "caller", &callers[i].thread));
    for (size_t i = 0; i < n; i++) {
        os_thread_join(callers[i].thread);
        CHECK_EQ(callers[i].n_failed, 0);
    }
}

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

/* --- deadlines, cancelling, death --- */

TEST(keeps_deadlines)
{
    struct pair pair;
    uint32_t result;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    uint64_t started_ns = os_now_ns();
    CHECK_HR(call_number(pair.connection, METHOD_SLEEP, 5000, 50, &result), RPC_E_TIMEOUT);
    uint64_t took_ms = (os_now_ns() - started_ns) / 1000000u;
    CHECK(took_ms >= 50 && took_ms < 1000u * harness_time_factor());
    /* The method sees the cancel, and its late answer goes to the handler. */
    wait_for(&pair.server.n_running, 0);
    CHECK((os_now_ns() - started_ns) / 1000000u < 2000u * harness_time_factor());
    CHECK_OK(call_add(pair.connection, 1, 2, &result));
    wait_for(&pair.client.n_dropped, 1);
    pair_close(&pair);
}

static void cancel_soon(void *argument)
{
    struct caller *caller = argument;
    struct link_node *node = link_connection_node(caller->connection);
    os_sleep_ms(50);
    while (link_cancel(node, caller->argument) != S_OK)
        os_sleep_ms(1);
}

TEST(cancels_calls)
{
    struct pair pair;
    struct os_thread *thread;
    uint32_t result;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    struct caller caller = {.connection = pair.connection, .argument = (uint32_t)os_thread_id()};
    CHECK_HR(link_cancel(pair.client.node, os_thread_id()), S_FALSE);
    REQUIRE_OK(os_thread_start(cancel_soon, &caller, "cancel", &thread));
    uint64_t started_ns = os_now_ns();
    CHECK_HR(call_number(pair.connection, METHOD_SLEEP, 10000, LINK_PATIENCE_MS, &result),
             RPC_E_CALL_CANCELED);
    wait_for(&pair.server.n_running, 0);
    CHECK((os_now_ns() - started_ns) / 1000000u < 3000u * harness_time_factor());
    os_thread_join(thread);
    pair_close(&pair);
}

TEST(fails_calls_when_the_connection_ends)
{
    struct pair pair;
    uint32_t result;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    struct caller callers[3] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        callers[i] = (struct caller){
            .connection = pair.connection, .n_calls = 1, .method = METHOD_SLEEP, .argument = 10000};
        CHECK_OK(os_thread_start(call_often, &callers[i], "caller", &callers[i].thread));
    }
    while (pair.server.n_running < 3)
        os_sleep_ms(1);
    uint64_t started_ns = os_now_ns();
    CHECK_HR(call_number(pair.connection, METHOD_DROP, 0, LINK_PATIENCE_MS, &result),
             RPC_E_DISCONNECTED);
    for (uint32_t i = 0; i < 3; i++) {
        os_thread_join(callers[i].thread);
        CHECK_EQ(callers[i].n_failed, 1);
    }
    CHECK((os_now_ns() - started_ns) / 1000000u < 1000u * harness_time_factor());
    wait_for(&pair.client.n_closed, 1);
    wait_for(&pair.server.n_closed, 1);
    CHECK(link_connection_is_closed(pair.connection));
    CHECK_HR(call_add(pair.connection, 1, 2, &result), RPC_E_DISCONNECTED);
    CHECK_STR_HAS(error_get()->text, "process");
    pair_close(&pair);
}

TEST(says_why_a_peer_was_refused)
{
    struct pair pair;
    struct link_connection *connection;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    const char *addresses[] = {pair.address, NULL};
    struct side other;
    memset(&other, 0, sizeof other);
    pair.server.refuses = true;
    if (side_open(&other, &pair, NULL)) {
        CHECK(FAILED(link_node_connect(other.node, addresses, os_deadline_ms(LINK_PATIENCE_MS),
                                       &connection)));
        char text[ERROR_TEXT_SIZE];
        CHECK_STR_HAS(error_format(error_get(), E_FAIL, text, sizeof text),
                      "this test refuses everybody");
        side_close(&other);
    }
    pair_close(&pair);
}

/* The only worker is in a method when the connections end: calls wait for it, and `closed` waits
 * for them, which the fixture checks. */
TEST(ends_connections_whose_calls_wait)
{
    struct pair pair;
    struct link_settings settings;
    struct side client;
    struct caller callers[3] = {0};
    struct link_connection *connection = NULL;
    link_settings_default(&settings);
    settings.max_workers = 1;
    memset(&client, 0, sizeof client);
    if (!pair_open(&pair, LINK_SCHEME, &settings))
        return;
    const char *addresses[] = {pair.address, NULL};
    if (side_open(&client, &pair, NULL) &&
        CHECK_OK(link_node_connect(client.node, addresses, os_deadline_ms(LINK_PATIENCE_MS),
                                   &connection))) {
        for (uint32_t i = 0; i < 3; i++) {
            callers[i] = (struct caller){.connection = i == 0 ? pair.connection : connection,
                                         .n_calls = 1,
                                         .method = METHOD_SLEEP,
                                         .argument = i == 0 ? 150 : 1};
            CHECK_OK(os_thread_start(call_often, &callers[i], "caller", &callers[i].thread));
            while (pair.server.n_running < 1)
                os_sleep_ms(1);
        }
        uint32_t one = 1;
        for (uint32_t i = 0; i < 10; i++)
            CHECK_OK(
                call_method(connection, METHOD_COUNT, &one, sizeof one, LINK_PATIENCE_MS, NULL));
        os_sleep_ms(50); /* the reactor has read them */
    }
    link_connection_unref(connection);
    side_close(&client);
    for (uint32_t i = 0; i < 3; i++)
        if (callers[i].thread != NULL)
            os_thread_join(callers[i].thread);
    wait_for(&pair.server.n_closed, 1);
    CHECK_EQ(pair.server.n_counted, 10);
    pair_close(&pair);
}

/* --- timers, and the end --- */

struct timed {
    struct link_timer *timer;
    atomic_uint n_runs;
};

static void count_run(void *argument)
{
    struct timed *timed = argument;
    timed->n_runs++;
}

static void cancel_itself(void *argument)
{
    struct timed *timed = argument;
    CHECK_FALSE(link_timer_cancel(timed->timer));
    timed->n_runs++;
}

TEST(runs_timers)
{
    struct pair pair;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    struct link_node *node = pair.client.node;
    struct timed first = {0}, second = {0}, third = {0};
    CHECK_OK(link_node_timer(node, os_deadline_ms(30), count_run, &first, &first.timer));
    CHECK_OK(link_node_timer(node, os_deadline_ms(50), cancel_itself, &second, &second.timer));
    CHECK_OK(link_node_timer(node, os_deadline_ms(60000), count_run, &third, &third.timer));
    wait_for(&second.n_runs, 1);
    CHECK_EQ(first.n_runs, 1);
    CHECK_FALSE(link_timer_cancel(first.timer));
    CHECK(link_timer_cancel(third.timer));
    CHECK_EQ(third.n_runs, 0);
    pair_close(&pair);
}

static unsigned workers_of(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    unsigned n = node->n_workers;
    os_mutex_unlock(&node->lock);
    return n;
}

TEST(ends_workers_that_have_nothing_to_do)
{
    struct pair pair;
    struct link_settings settings;
    struct caller callers[4] = {0};
    link_settings_default(&settings);
    settings.worker_idle_ms = 30;
    if (!pair_open(&pair, LINK_SCHEME, &settings))
        return;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 4; i++)
            callers[i] = (struct caller){.connection = pair.connection,
                                         .n_calls = 2,
                                         .method = METHOD_SLEEP,
                                         .argument = 20};
        run_callers(callers, 4);
        uint64_t deadline_ns = os_deadline_ms(10000);
        while (workers_of(pair.server.node) > 0 && os_now_ns() < deadline_ns)
            os_sleep_ms(5);
        CHECK_EQ(workers_of(pair.server.node), 0);
    }
    pair_close(&pair);
}

TEST(stops_again_and_again)
{
    for (int i = 0; i < 30; i++) {
        struct pair pair;
        uint32_t sum = 0;
        if (!pair_open(&pair, LINK_SCHEME, NULL))
            return;
        if (i % 3 != 0)
            CHECK_OK(call_add(pair.connection, 1, 2, &sum));
        if (i % 2 != 0)
            CHECK_OK(link_node_need_reactor(pair.client.node));
        pair_close(&pair);
    }
}

TEST(stops_while_calls_run)
{
    struct pair pair;
    if (!pair_open(&pair, LINK_SCHEME, NULL))
        return;
    struct caller caller = {
        .connection = pair.connection, .n_calls = 1, .method = METHOD_SLEEP, .argument = 10000};
    CHECK_OK(os_thread_start(call_often, &caller, "caller", &caller.thread));
    while (pair.server.n_running < 1)
        os_sleep_ms(1);
    uint64_t started_ns = os_now_ns();
    side_close(&pair.server);
    os_thread_join(caller.thread);
    CHECK_EQ(caller.n_failed, 1);
    CHECK((os_now_ns() - started_ns) / 1000000u < 2000u * harness_time_factor());
    pair_close(&pair);
}

HARNESS_MAIN("link_" LINK_SCHEME, TEST_ENTRY(answers_calls), TEST_ENTRY(carries_errors),
             TEST_ENTRY(nests_callbacks), TEST_ENTRY(runs_one_way_calls),
             TEST_ENTRY(shares_a_connection_between_callers), TEST_ENTRY(calls_in_both_directions),
             TEST_ENTRY(serves_more_clients_than_workers), TEST_ENTRY(serves_a_stream_among_calls),
             TEST_ENTRY(sends_megabytes_in_both_directions),
             TEST_ENTRY(passes_handles_with_large_messages),
             TEST_ENTRY(refuses_messages_that_are_too_large), TEST_ENTRY(keeps_deadlines),
             TEST_ENTRY(cancels_calls), TEST_ENTRY(fails_calls_when_the_connection_ends),
             TEST_ENTRY(ends_connections_whose_calls_wait), TEST_ENTRY(says_why_a_peer_was_refused),
             TEST_ENTRY(runs_timers), TEST_ENTRY(ends_workers_that_have_nothing_to_do),
             TEST_ENTRY(stops_again_and_again), TEST_ENTRY(stops_while_calls_run))
