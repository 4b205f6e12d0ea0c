/*
 * More active connections than workers keep: a worker takes the reactor's place in the poller. What
 * blocks there stops nobody, and when it is quiet the reactor is back.
 */
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"

#include <string.h>

#define N_CLIENTS 8u

struct client {
    struct side side;
    struct link_connection *connection;
    struct os_thread *thread;
    atomic_bool *stop;
    atomic_uint n_calls;
    unsigned n_failed; /* the thread's, until it is joined */
};

struct crowd {
    struct pair pair;
    struct client clients[N_CLIENTS];
    unsigned n_started;
    atomic_bool stop;
};

static void call_until_stopped(void *argument)
{
    struct client *client = argument;
    while (!atomic_load(client->stop)) {
        uint32_t sum = 0;
        uint32_t i = client->n_calls;
        if (FAILED(call_add(client->connection, i, 7, &sum)) || sum != i + 7)
            client->n_failed++;
        client->n_calls++;
    }
    error_clear();
}

static bool crowd_open(struct crowd *crowd, uint32_t max_workers)
{
    struct link_settings settings;
    memset(crowd, 0, sizeof *crowd);
    patient_settings(&settings);
    settings.max_workers = max_workers;
    if (!pair_open(&crowd->pair, LINK_SCHEME, &settings))
        return false;
    const char *addresses[] = {crowd->pair.address, NULL};
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        struct client *client = &crowd->clients[i];
        client->stop = &crowd->stop;
        if (!side_open(&client->side, &crowd->pair, NULL) ||
            !CHECK_OK(link_node_connect(client->side.node, addresses,
                                        os_deadline_ms(LINK_PATIENCE_MS), &client->connection)) ||
            !CHECK_OK(os_thread_start(call_until_stopped, client, "client", &client->thread)))
            return true;
        crowd->n_started++;
    }
    return true;
}

static void crowd_stop(struct crowd *crowd)
{
    atomic_store(&crowd->stop, true);
    for (unsigned i = 0; i < crowd->n_started; i++) {
        os_thread_join(crowd->clients[i].thread);
        CHECK_EQ(crowd->clients[i].n_failed, 0);
    }
    crowd->n_started = 0;
}

static void crowd_close(struct crowd *crowd)
{
    crowd_stop(crowd);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        link_connection_unref(crowd->clients[i].connection);
        side_close(&crowd->clients[i].side);
    }
    pair_close(&crowd->pair);
}

static bool becomes(atomic_bool *value, bool expected)
{
    bool seen = atomic_load(value);
    for (int i = 0; i < 15000 && seen != expected; i++) {
        os_sleep_ms(1);
        seen = atomic_load(value);
    }
    return CHECK_EQ(seen, expected);
}

/* Everybody's next `n` calls are answered. */
static bool all_go_on(struct crowd *crowd, unsigned n)
{
    unsigned goals[N_CLIENTS];
    for (unsigned i = 0; i < N_CLIENTS; i++)
        goals[i] = crowd->clients[i].n_calls + n;
    for (unsigned i = 0; i < N_CLIENTS; i++)
        for (int j = 0; j < 15000 && crowd->clients[i].n_calls < goals[i]; j++)
            os_sleep_ms(1);
    for (unsigned i = 0; i < N_CLIENTS; i++)
        if (!CHECK(crowd->clients[i].n_calls >= goals[i]))
            return false;
    return true;
}

TEST(workers_relieve_the_reactor)
{
    struct crowd crowd;
    uint32_t sum;
    if (!crowd_open(&crowd, 3))
        return;
    struct link_node *server = crowd.pair.server.node;
    CHECK(becomes(&server->is_crowded, true));
    all_go_on(&crowd, 100);
    crowd_stop(&crowd);
    CHECK(becomes(&server->is_crowded, false));
    CHECK_OK(call_add(crowd.pair.connection, 1, 2, &sum));
    crowd_close(&crowd);
}

struct sleeper {
    struct pair *pair;
    _Atomic uint64_t thread; /* 0: not yet */
    atomic_bool is_over;
};

static void sleep_long(void *argument)
{
    struct sleeper *sleeper = argument;
    uint32_t result;
    atomic_store(&sleeper->thread, os_thread_id());
    CHECK_HR(call_number(sleeper->pair->connection, METHOD_SLEEP, 50000, 50000, &result),
             RPC_E_CALL_CANCELED);
    atomic_store(&sleeper->is_over, true);
}

/* Whoever runs it may be the one that was in the poller. */
TEST(method_that_blocks_stops_nobody)
{
    struct crowd crowd;
    struct os_thread *thread;
    if (!crowd_open(&crowd, 3))
        return;
    CHECK(becomes(&crowd.pair.server.node->is_crowded, true));
    for (int i = 0; i < 3; i++) {
        struct sleeper sleeper = {.pair = &crowd.pair};
        if (!CHECK_OK(os_thread_start(sleep_long, &sleeper, "sleeper", &thread)))
            break;
        wait_for(&crowd.pair.server.n_sleeping, 1);
        all_go_on(&crowd, 20);
        CHECK_FALSE(sleeper.is_over);
        while (link_cancel(crowd.pair.client.node, sleeper.thread) != S_OK)
            os_sleep_ms(1);
        os_thread_join(thread);
        wait_for(&crowd.pair.server.n_sleeping, 0);
    }
    crowd_close(&crowd);
}

/* With one worker there is nobody to help it: jobs of other threads interrupt its wait. */
TEST(one_worker_serves_a_crowd)
{
    struct crowd crowd;
    if (!crowd_open(&crowd, 1))
        return;
    CHECK(becomes(&crowd.pair.server.node->is_crowded, true));
    all_go_on(&crowd, 50);
    uint32_t result = 0;
    CHECK_OK(call_number(crowd.pair.connection, METHOD_NEST, 3, LINK_PATIENCE_MS, &result));
    CHECK_OK(call_number(crowd.pair.connection, METHOD_REPLY_LATE, 3, LINK_PATIENCE_MS, &result));
    crowd_close(&crowd);
}

/* The node ends while a worker is in the poller. */
TEST(crowd_ends_with_its_node)
{
    struct crowd crowd;
    if (!crowd_open(&crowd, 3))
        return;
    CHECK(becomes(&crowd.pair.server.node->is_crowded, true));
    link_node_close(crowd.pair.server.node);
    atomic_store(&crowd.stop, true);
    for (unsigned i = 0; i < crowd.n_started; i++)
        os_thread_join(crowd.clients[i].thread); /* whose last calls have failed */
    crowd.n_started = 0;
    crowd_close(&crowd);
}

HARNESS_MAIN("link_crowd_" LINK_SCHEME, TEST_ENTRY_LIMIT(workers_relieve_the_reactor, 40000),
             TEST_ENTRY_LIMIT(method_that_blocks_stops_nobody, 60000),
             TEST_ENTRY_LIMIT(one_worker_serves_a_crowd, 40000),
             TEST_ENTRY_LIMIT(crowd_ends_with_its_node, 40000))
