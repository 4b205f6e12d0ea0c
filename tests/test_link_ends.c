/*
 * How calls and connections end between two nodes of one process, over each transport: deadlines,
 * cancelling, a peer that drops the connection or refuses; timers; workers and nodes that stop.
 */
#include "core/link/connection.h"
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/link/callers.h"
#include "tests/link/fixture.h"

#include <string.h>

#ifndef LINK_SCHEME
#define LINK_SCHEME "loop"
#endif

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

HARNESS_MAIN("link_ends_" LINK_SCHEME, TEST_ENTRY(keeps_deadlines), TEST_ENTRY(cancels_calls),
             TEST_ENTRY(fails_calls_when_the_connection_ends),
             TEST_ENTRY(ends_connections_whose_calls_wait), TEST_ENTRY(says_why_a_peer_was_refused),
             TEST_ENTRY(runs_timers), TEST_ENTRY(ends_workers_that_have_nothing_to_do),
             TEST_ENTRY(stops_again_and_again), TEST_ENTRY(stops_while_calls_run))
