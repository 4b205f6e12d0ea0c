/*
 * More one-way calls than their receiver runs, while it waits in a call of its own: it stops
 * reading, which stops the sender, and reads on when it has run some. Nobody is cut off, and what
 * lies behind the flood arrives.
 */
#include "core/link/connection.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"

#include <string.h>
#include <time.h>

/* docs/threads.md: what one peer's calls may hold at the very most. */
#define FAR_LIMIT 65536u

/* What the sink of the client does; its side's context. */
struct sink {
    struct os_mutex lock;
    struct os_cond change;
    bool holds;        /* lock: calls wait for as long as this is set */
    bool is_serial;    /* read-only: one call after the other, as for one object */
    unsigned delay_ms; /* read-only */
    bool asks;         /* lock: the first call asks the sender something */
    atomic_uint most;  /* unfinished calls that have been seen */
    atomic_uint n_failed;
};

static void run_sink(struct side *side, struct link_message *call)
{
    struct sink *sink = side->context;
    struct link_connection *connection = call->connection;
    unsigned n = connection->n_incoming;
    if (n > sink->most)
        sink->most = n;
    os_mutex_lock(&sink->lock);
    while (sink->holds)
        os_cond_wait(&sink->change, &sink->lock, OS_NEVER);
    if (!sink->is_serial) {
        os_mutex_unlock(&sink->lock);
        return;
    }
    if (sink->delay_ms != 0)
        os_sleep_ms(sink->delay_ms);
    if (sink->asks) {
        uint32_t sum = 0;
        sink->asks = false;
        os_sleep_ms(50); /* the flood is there */
        if (FAILED(call_add(connection, 20, 22, &sum)) || sum != 42)
            sink->n_failed++;
    }
    os_mutex_unlock(&sink->lock);
}

static bool open_flood(struct pair *pair, struct sink *sink)
{
    *sink = (struct sink){0};
    os_mutex_init(&sink->lock);
    os_cond_init(&sink->change);
    if (!pair_open(pair, LINK_SCHEME, NULL))
        return false;
    pair->client.context = sink;
    pair->client.on_count = run_sink;
    return true;
}

static void release(struct sink *sink)
{
    os_mutex_lock(&sink->lock);
    sink->holds = false;
    os_cond_broadcast(&sink->change);
    os_mutex_unlock(&sink->lock);
}

static void close_flood(struct pair *pair, struct sink *sink)
{
    pair_close(pair);
    os_cond_deinit(&sink->change);
    os_mutex_deinit(&sink->lock);
}

static HRESULT call_flood(struct pair *pair, uint32_t n, uint32_t size, uint32_t limit_ms,
                          uint32_t *sent)
{
    uint32_t numbers[2] = {n, size};
    struct link_message reply;
    *sent = 0;
    HRESULT hr =
        call_method(pair->connection, METHOD_FLOOD, numbers, sizeof numbers, limit_ms, &reply);
    if (FAILED(hr))
        return hr;
    memcpy(sent, reply.payload, sizeof *sent);
    link_message_release(&reply);
    return S_OK;
}

static void expect_all(struct pair *pair, uint32_t n)
{
    uint32_t sum = 0;
    uint64_t deadline_ns = os_deadline_ms(3 * LINK_PATIENCE_MS);
    while (pair->client.n_counted != n && os_now_ns() < deadline_ns)
        os_sleep_ms(1);
    CHECK_EQ(pair->client.n_counted, n);
    CHECK_OK(call_add(pair->connection, 1, 2, &sum));
    CHECK_EQ(pair->client.n_closed, 0);
}

/* Until the sender cannot go on and the receiver takes no more. */
static void wait_until_stopped(struct pair *pair)
{
    uint64_t seen = 0;
    unsigned quiet = 0;
    for (int i = 0; i < 1000 && quiet < 30; i++) {
        struct link_counters counters;
        link_connection_counters(pair->connection, &counters);
        uint64_t now = pair->server.n_flooded + counters.frames_received;
        quiet = now == seen && pair->server.n_flooded != 0 ? quiet + 1 : 0;
        seen = now;
        os_sleep_ms(50);
    }
}

struct releaser {
    struct pair *pair;
    struct sink *sink;
};

static void release_when_stopped(void *argument)
{
    struct releaser *releaser = argument;
    wait_until_stopped(releaser->pair);
    release(releaser->sink);
}

/* A sink that does not move at all, until everything stands still. */
TEST(many_calls_wait_for_a_sink)
{
    const uint32_t n = 100000;
    struct pair pair;
    struct sink sink;
    struct os_thread *thread;
    uint32_t sent;
    if (!open_flood(&pair, &sink))
        return;
    sink.holds = true;
    struct releaser releaser = {&pair, &sink};
    REQUIRE_OK(os_thread_start(release_when_stopped, &releaser, "releaser", &thread));
    CHECK_OK(call_flood(&pair, n, 8, 3 * LINK_PATIENCE_MS, &sent));
    CHECK_EQ(sent, n);
    os_thread_join(thread);
    expect_all(&pair, n);
    CHECK(sink.most <= FAR_LIMIT);
    close_flood(&pair, &sink);
}

TEST(large_calls_wait_for_a_slow_sink)
{
    const uint32_t n = 100;
    struct pair pair;
    struct sink sink;
    uint32_t sent;
    if (!open_flood(&pair, &sink))
        return;
    sink.is_serial = true;
    sink.delay_ms = 10;
    CHECK_OK(call_flood(&pair, n, 1000000, 3 * LINK_PATIENCE_MS, &sent));
    CHECK_EQ(sent, n);
    expect_all(&pair, n);
    close_flood(&pair, &sink);
}

/* No caller waits: a worker, or the reactor, stops reading. */
TEST(calls_wait_while_nobody_waits_for_them)
{
    const uint32_t n = 100000;
    struct pair pair;
    struct sink sink;
    uint8_t payload[8] = {0};
    if (!open_flood(&pair, &sink))
        return;
    pair.server.context = &sink;
    pair.server.on_count = run_sink;
    for (uint32_t i = 0; i < n; i++)
        if (!CHECK_OK(call_method(pair.connection, METHOD_COUNT, payload, sizeof payload,
                                  3 * LINK_PATIENCE_MS, NULL)))
            break;
    uint32_t sum = 0;
    CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    uint64_t deadline_ns = os_deadline_ms(3 * LINK_PATIENCE_MS);
    while (pair.server.n_counted != n && os_now_ns() < deadline_ns)
        os_sleep_ms(1);
    CHECK_EQ(pair.server.n_counted, n);
    close_flood(&pair, &sink);
}

/* Everything that has arrived waits for an answer that lies behind more than may arrive. */
TEST(answer_behind_a_flood_arrives)
{
    const uint32_t n = 5000;
    struct pair pair;
    struct sink sink;
    uint32_t sent;
    if (!open_flood(&pair, &sink))
        return;
    sink.is_serial = true;
    sink.asks = true;
    CHECK_OK(call_flood(&pair, n, 8, LINK_PATIENCE_MS, &sent));
    CHECK_EQ(sent, n);
    expect_all(&pair, n);
    CHECK_EQ(sink.n_failed, 0);
    close_flood(&pair, &sink);
}

struct canceller {
    struct pair *pair;
    uint64_t thread_id;
};

static void cancel_when_stopped(void *argument)
{
    struct canceller *canceller = argument;
    wait_until_stopped(canceller->pair);
    CHECK_OK(link_cancel(canceller->pair->client.node, canceller->thread_id));
}

static uint64_t processor_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* The sleeping caller goes when its time is up, or it is cancelled; and sleeps until then. */
TEST(caller_that_may_not_read_sleeps_and_can_be_ended)
{
    const uint32_t n = 100000;
    struct pair pair;
    struct sink sink;
    struct os_thread *thread;
    uint32_t sent;
    if (!open_flood(&pair, &sink))
        return;
    sink.holds = true;
    struct canceller canceller = {&pair, os_thread_id()};
    REQUIRE_OK(os_thread_start(cancel_when_stopped, &canceller, "canceller", &thread));
    CHECK_HR(call_flood(&pair, n, 8, 3 * LINK_PATIENCE_MS, &sent), RPC_E_CALL_CANCELED);
    os_thread_join(thread);
    uint32_t sum;
    uint64_t started_ns = os_now_ns();
    uint64_t processor_before_ns = processor_ns();
    uint32_t numbers[2] = {1, 2};
    struct link_message reply;
    CHECK_HR(call_method(pair.connection, METHOD_ADD, numbers, sizeof numbers, 1000, &reply),
             RPC_E_TIMEOUT);
    uint64_t used_ns = processor_ns() - processor_before_ns;
    uint64_t took_ns = os_now_ns() - started_ns;
    CHECK(took_ns >= 1000000000u);
    harness_note("asleep for %u ms, the process used %u ms", (unsigned)(took_ns / 1000000u),
                 (unsigned)(used_ns / 1000000u));
    CHECK(used_ns < took_ns / 2 * harness_time_factor());
    release(&sink);
    CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    close_flood(&pair, &sink);
}

HARNESS_MAIN("link_flood_" LINK_SCHEME, TEST_ENTRY_LIMIT(many_calls_wait_for_a_sink, 60000),
             TEST_ENTRY_LIMIT(large_calls_wait_for_a_slow_sink, 60000),
             TEST_ENTRY_LIMIT(calls_wait_while_nobody_waits_for_them, 60000),
             TEST_ENTRY_LIMIT(answer_behind_a_flood_arrives, 60000),
             TEST_ENTRY_LIMIT(caller_that_may_not_read_sleeps_and_can_be_ended, 60000))
