/*
 * Frames that wait for others behind them: when they do, and what sends them. The transport is the
 * loopback one, which counts here how often each side flushes, and whose flushes can fail.
 */
#include "core/link/connection.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/plugin/loopback.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"

#include <stdio.h>
#include <string.h>

static atomic_uint n_flushes;     /* that had something to send, by anybody */
static atomic_bool flushes_fail;  /* from now on */
static _Thread_local bool is_own; /* of the test's thread */
static atomic_uint n_own_flushes; /* by that */

static HRESULT commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                      uint32_t n_handles, uint32_t flags)
{
    if (flags & VIA_COMMIT_FLUSH) {
        n_flushes++;
        n_own_flushes += is_own;
        if (flushes_fail)
            return error_set(E_FAIL, "planted: nothing can be sent");
    }
    return plugin_loopback.transport->commit(stream, n, handles, n_handles, flags);
}

static bool open_counting(struct pair *pair)
{
    static struct via_transport transport;
    static struct via_plugin plugin;
    transport = *plugin_loopback.transport;
    transport.commit = commit;
    plugin = plugin_loopback;
    plugin.transport = &transport;
    pair_loopback = &plugin;
    flushes_fail = false;
    is_own = true;
    bool is_open = pair_open(pair, "loop", NULL);
    os_sleep_ms(5); /* whatever came before is long ago */
    n_flushes = n_own_flushes = 0;
    return is_open;
}

static size_t n_waiting(struct link_connection *connection)
{
    os_mutex_lock(&connection->send_lock);
    size_t n = connection->cork_size;
    os_mutex_unlock(&connection->send_lock);
    return n;
}

/* Goes on until some frames wait, or fails: this thread may be kept from running, and the reactor,
 * if it looks just then, sends what waits. Returns how many it has posted in all. */
static uint32_t post_until_some_wait(struct pair *pair, uint32_t next)
{
    uint32_t end = next + 10000;
    do {
        CHECK_OK(call_method(pair->connection, METHOD_COUNT, &next, sizeof next, LINK_PATIENCE_MS,
                             NULL));
        next++;
    } while (n_waiting(pair->connection) == 0 && next < end);
    CHECK(next < end);
    return next;
}

/* --- when they wait --- */

TEST(sends_a_single_one_way_call_at_once)
{
    struct pair pair;
    if (!open_counting(&pair))
        return;
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_OK(call_method(pair.connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
        CHECK_EQ(n_own_flushes, i + 1);
        CHECK_EQ(n_waiting(pair.connection), 0);
        os_sleep_ms(2);
    }
    wait_for(&pair.server.n_counted, 3);
    pair_close(&pair);
}

TEST(sends_a_stream_of_one_way_calls_together)
{
    enum { N = 20000 };
    struct pair pair;
    if (!open_counting(&pair))
        return;
    for (uint32_t i = 0; i < N; i++)
        CHECK_OK(call_method(pair.connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
    CHECK(n_flushes < N / 10);
    wait_for(&pair.server.n_counted, N);
    CHECK_EQ(pair.server.n_out_of_order, 0);
    pair_close(&pair);
}

enum { N_TOGETHER = 64 };

/* How often the server writes to answer so many calls of a raw peer that are there at once. */
static uint32_t answer_together(struct raw *raw)
{
    char text[64];
    uint8_t frames[N_TOGETHER][WIRE_HEADER_SIZE + 64];
    for (uint32_t i = 0; i < N_TOGETHER; i++) {
        struct wire_header header = {
            .size = sizeof frames[i], .kind = WIRE_CALL, .call_id = i + 1, .body_size = 64};
        struct wire_call_body body = {
            .slot = METHOD_ADD, .depth = 1, .remaining_ms = WIRE_NO_LIMIT_MS};
        memset(frames[i], 0, sizeof frames[i]);
        wire_header_write(frames[i], &header);
        memcpy(frames[i] + WIRE_HEADER_SIZE, &body, sizeof body);
    }
    n_flushes = 0;
    raw_send(raw, frames, sizeof frames);
    for (uint32_t i = 0; i < N_TOGETHER; i++)
        CHECK_EQ(raw_receive(raw, text, sizeof text), WIRE_REPLY);
    return (uint32_t)n_flushes;
}

/* A worker that is kept from running answers late, and then each call alone; so not at every try.
 */
TEST(answers_together_what_has_arrived_together)
{
    struct pair pair;
    struct raw raw;
    if (!open_counting(&pair))
        return;
    if (raw_joined(&raw, &pair)) {
        uint32_t least = UINT32_MAX;
        for (uint32_t i = 0; i < 100 && least >= N_TOGETHER / 2; i++) {
            uint32_t n = answer_together(&raw);
            least = n < least ? n : least;
        }
        CHECK(least < N_TOGETHER / 2);
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

/* --- what sends them --- */

TEST(sends_what_waits_in_time)
{
    struct pair pair;
    if (!open_counting(&pair))
        return;
    for (uint32_t round = 0, n = 0; round < 20; round++) {
        n = post_until_some_wait(&pair, n);
        uint64_t posted_ns = os_now_ns();
        wait_for(&pair.server.n_counted, n);
        CHECK(os_now_ns() - posted_ns < UINT64_C(200000000) * harness_time_factor());
        os_sleep_ms(round % 4);
    }
    CHECK_EQ(pair.server.n_out_of_order, 0);
    pair_close(&pair);
}

TEST(sends_what_waits_with_a_call)
{
    struct pair pair;
    if (!open_counting(&pair))
        return;
    for (uint32_t round = 0, n = 0; round < 100; round++) {
        uint32_t sum = 0;
        n = post_until_some_wait(&pair, n);
        CHECK_OK(call_add(pair.connection, 40, 2, &sum));
        CHECK_EQ(sum, 42);
        CHECK_EQ(n_waiting(pair.connection), 0);
        wait_for(&pair.server.n_counted, n);
    }
    CHECK_EQ(pair.server.n_out_of_order, 0);
    pair_close(&pair);
}

/* The method that answers may have waited for them. */
TEST(sends_what_waits_before_a_call_elsewhere)
{
    struct pair pair;
    if (!open_counting(&pair))
        return;
    char address[sizeof pair.address + 8];
    const char *addresses[] = {address, NULL};
    struct side other = {0};
    struct link_connection *elsewhere = NULL;
    snprintf(address, sizeof address, "%s-2", pair.address);
    if (side_open(&other, &pair, NULL) && CHECK_OK(link_node_listen(other.node, address, false)) &&
        CHECK_OK(link_node_connect(pair.client.node, addresses, os_deadline_ms(LINK_PATIENCE_MS),
                                   &elsewhere))) {
        for (uint32_t round = 0, n = 0; round < 100; round++) {
            uint32_t sum = 0;
            n = post_until_some_wait(&pair, n);
            CHECK_OK(call_add(elsewhere, 40, 2, &sum));
            CHECK_EQ(n_waiting(pair.connection), 0);
            wait_for(&pair.server.n_counted, n);
        }
    }
    link_connection_unref(elsewhere);
    side_close(&pair.client);
    side_close(&other);
    pair_close(&pair);
}

TEST(sends_what_waits_before_it_says_goodbye)
{
    for (uint32_t round = 0; round < 20; round++) {
        struct pair pair;
        if (!open_counting(&pair))
            return;
        uint32_t n = post_until_some_wait(&pair, 0);
        link_node_close(pair.client.node);
        wait_for(&pair.server.n_counted, n);
        pair_close(&pair);
    }
}

static void echo_to_peer(struct side *side, struct link_message *call)
{
    uint32_t number = (uint32_t)atomic_load(&side->n_counted);
    CHECK_OK(call_method(call->connection, METHOD_COUNT, &number, sizeof number, LINK_PATIENCE_MS,
                         NULL));
}

/* A worker that has read all there is, and run it, sends what its methods have left. */
TEST(sends_what_methods_have_left)
{
    enum { N = 5000 };
    struct pair pair;
    if (!open_counting(&pair))
        return;
    pair.server.on_count = echo_to_peer;
    for (uint32_t i = 0; i < N; i++)
        CHECK_OK(call_method(pair.connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
    wait_for(&pair.client.n_counted, N);
    CHECK(n_flushes < N);
    pair_close(&pair);
}

/* --- failures --- */

TEST(ends_the_connection_when_what_waits_cannot_be_sent)
{
    struct pair pair;
    if (!open_counting(&pair))
        return;
    uint32_t n = post_until_some_wait(&pair, 0);
    char text[1024];
    uint32_t sum;
    flushes_fail = true;
    for (int i = 0; i < 5000 && !link_connection_is_closed(pair.connection); i++)
        os_sleep_ms(1);
    CHECK(link_connection_is_closed(pair.connection));
    CHECK_HR(call_method(pair.connection, METHOD_COUNT, &n, sizeof n, LINK_PATIENCE_MS, NULL),
             RPC_E_DISCONNECTED);
    CHECK_STR_HAS(error_format(error_get(), E_FAIL, text, sizeof text), "planted");
    CHECK_HR(call_add(pair.connection, 1, 2, &sum), RPC_E_DISCONNECTED);
    flushes_fail = false;
    pair_close(&pair);
}

/* --- many threads --- */

struct load {
    struct link_connection *connection;
    struct os_thread *thread;
    uint32_t n_posted;
    bool calls;
};

static void post_and_call(void *argument)
{
    struct load *load = argument;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t sum = 0;
        /* Whose number is whose depends on who is first: the handler's order is not looked at. */
        CHECK_OK(call_method(load->connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
        load->n_posted++;
        if (load->calls && i % 7 == 0) {
            CHECK_OK(call_add(load->connection, i, 1, &sum));
            CHECK_EQ(sum, i + 1);
        }
    }
}

TEST(loses_nothing_under_eight_threads)
{
    struct pair pair;
    struct load loads[8];
    uint32_t n = 0;
    if (!open_counting(&pair))
        return;
    for (int i = 0; i < 8; i++) {
        loads[i] = (struct load){.connection = pair.connection, .calls = i % 2 == 0};
        CHECK_OK(os_thread_start(post_and_call, &loads[i], "load", &loads[i].thread));
    }
    for (int i = 0; i < 8; i++) {
        os_thread_join(loads[i].thread);
        n += loads[i].n_posted;
    }
    wait_for(&pair.server.n_counted, n);
    CHECK(n_flushes < n);
    pair_close(&pair);
}

/* Both sides go while frames wait, are being sent, and are about to wait. */
TEST(stops_while_frames_wait)
{
    for (uint32_t round = 0; round < 50; round++) {
        struct pair pair;
        if (!open_counting(&pair))
            return;
        uint32_t n = 0;
        HRESULT hr = S_OK;
        while (n < 20 * round && SUCCEEDED(hr))
            hr = call_method(pair.connection, METHOD_COUNT, &n, sizeof n, LINK_PATIENCE_MS, NULL),
            n++;
        if (round % 2 == 0)
            side_close(&pair.server);
        pair_close(&pair);
    }
}

HARNESS_MAIN("cork", TEST_ENTRY(sends_a_single_one_way_call_at_once),
             TEST_ENTRY(sends_a_stream_of_one_way_calls_together),
             TEST_ENTRY(answers_together_what_has_arrived_together),
             TEST_ENTRY(sends_what_waits_in_time), TEST_ENTRY(sends_what_waits_with_a_call),
             TEST_ENTRY(sends_what_waits_before_a_call_elsewhere),
             TEST_ENTRY(sends_what_waits_before_it_says_goodbye),
             TEST_ENTRY(sends_what_methods_have_left),
             TEST_ENTRY(ends_the_connection_when_what_waits_cannot_be_sent),
             TEST_ENTRY(loses_nothing_under_eight_threads), TEST_ENTRY(stops_while_frames_wait))
