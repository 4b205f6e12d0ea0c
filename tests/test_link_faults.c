/*
 * What happens when a part fails that hardly ever does: the transport does not arm a listener, no
 * thread can be started, a peer is not who it says. The transport is the loopback one, with planted
 * faults.
 */
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/plugin/loopback.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"

#include <string.h>

static atomic_uint n_arms_fail;      /* listeners that are not armed */
static atomic_uint other_process;    /* what peers are to the kernel; 0: this process */
static atomic_bool no_thread_starts; /* of the workers' */

static HRESULT arm_listener(struct via_listener *listener)
{
    if (n_arms_fail != 0) {
        n_arms_fail--;
        return error_set(E_FAIL, "planted: the listener cannot be armed");
    }
    return plugin_loopback.transport->listener_arm(listener);
}

static HRESULT identify(struct via_stream *stream, struct via_peer_identity *identity)
{
    HRESULT hr = plugin_loopback.transport->peer_identity(stream, identity);
    if (other_process != 0)
        identity->pid = other_process;
    return hr;
}

HRESULT __real_os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                               struct os_thread **thread);
HRESULT __wrap_os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                               struct os_thread **thread);

HRESULT __wrap_os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                               struct os_thread **thread)
{
    if (no_thread_starts && strcmp(name, "via-worker") == 0)
        return error_set(E_FAIL, "planted: no thread can be started");
    return __real_os_thread_start(run, argument, name, thread);
}

static bool open_faulty(struct pair *pair, const struct link_settings *settings)
{
    static struct via_transport transport;
    static struct via_plugin plugin;
    transport = *plugin_loopback.transport;
    transport.listener_arm = arm_listener;
    transport.peer_identity = identify;
    plugin = plugin_loopback;
    plugin.transport = &transport;
    pair_loopback = &plugin;
    n_arms_fail = 0;
    other_process = 0;
    no_thread_starts = false;
    return pair_open(pair, "loop", settings);
}

/* --- node ids --- */

TEST(refuses_a_peer_with_the_nodes_own_id)
{
    struct pair pair;
    struct raw raw;
    char text[512];
    if (!open_faulty(&pair, NULL))
        return;
    other_process = 4711;
    if (raw_open(&raw, &pair)) {
        raw_hello(&raw, 1, link_node_id(pair.server.node));
        raw_expect_end(&raw, &pair, "the node that it connects to");
    }
    other_process = 0; /* a node may connect to itself */
    if (raw_open(&raw, &pair)) {
        raw_hello(&raw, 1, link_node_id(pair.server.node));
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_HELLO_ANSWER);
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

/* Both are in hello at the same time. */
TEST(refuses_a_second_claimant_before_the_first_is_open)
{
    static const struct link_id id = {{0x42}};
    struct pair pair;
    struct raw first, second;
    char text[512];
    if (!open_faulty(&pair, NULL))
        return;
    pair.server.opens_slowly = true;
    other_process = 4711;
    if (raw_open(&first, &pair)) {
        raw_hello(&first, 1, &id);
        wait_for(&pair.server.n_opened, 2);
        other_process = 4712;
        if (raw_open(&second, &pair)) {
            raw_hello(&second, 1, &id);
            raw_expect_end(&second, &pair, "which process 1 is already");
        }
        pair.server.opens_slowly = false;
        CHECK_EQ(raw_receive(&first, text, sizeof text), WIRE_HELLO_ANSWER);
        first.transport->close(first.stream);
    }
    pair.server.opens_slowly = false;
    pair_close(&pair);
}

/* The claim ends with its connection. */
TEST(takes_an_id_again_that_nobody_claims_any_more)
{
    static const struct link_id id = {{0x42}};
    struct pair pair;
    struct raw raw;
    char text[512];
    if (!open_faulty(&pair, NULL))
        return;
    for (unsigned i = 0; i < 3; i++) {
        other_process = 4711 + i;
        if (!raw_open(&raw, &pair))
            break;
        raw_hello(&raw, 1, &id);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_HELLO_ANSWER);
        raw.transport->close(raw.stream);
        wait_for(&pair.server.n_closed, i + 1);
    }
    pair_close(&pair);
}

/* --- listeners --- */

static bool joins(struct pair *pair)
{
    struct raw raw;
    bool joined = raw_joined(&raw, pair);
    if (joined)
        raw.transport->close(raw.stream);
    return joined;
}

TEST(listener_that_could_not_be_armed_comes_back)
{
    struct pair pair;
    if (!open_faulty(&pair, NULL))
        return;
    n_arms_fail = 3; /* after a client, and in the tick */
    CHECK(joins(&pair));
    CHECK(joins(&pair));
    CHECK_EQ(n_arms_fail, 0);
    CHECK(joins(&pair));
    pair_close(&pair);
}

TEST(listening_fails_when_the_listener_cannot_be_armed)
{
    struct pair pair;
    if (!open_faulty(&pair, NULL))
        return;
    n_arms_fail = 1;
    CHECK_HR(link_node_listen(pair.server.node, "loop:another", false), E_FAIL);
    CHECK_STR_HAS(error_get()->text, "cannot listen at loop:another");
    CHECK_OK(link_node_listen(pair.server.node, "loop:another", false));
    CHECK_HR(link_node_listen(pair.server.node, "loop:an\x1B[31mother", false), E_INVALIDARG);
    pair_close(&pair);
}

/* --- workers --- */

static unsigned n_workers(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    unsigned n = node->n_workers;
    os_mutex_unlock(&node->lock);
    return n;
}

static void let_threads_start(void *argument)
{
    (void)argument;
    os_sleep_ms(200);
    no_thread_starts = false;
}

/* What has arrived waits for the first worker that can be started again. */
TEST(worker_that_could_not_be_started_is_started_later)
{
    struct pair pair;
    struct os_thread *thread;
    struct link_settings settings;
    uint32_t sum = 0;
    link_settings_default(&settings);
    settings.worker_idle_ms = 20;
    if (!open_faulty(&pair, &settings))
        return;
    for (int i = 0; i < 5000 && n_workers(pair.server.node) != 0; i++)
        os_sleep_ms(1);
    CHECK_EQ(n_workers(pair.server.node), 0);
    no_thread_starts = true;
    REQUIRE_OK(os_thread_start(let_threads_start, NULL, "starter", &thread));
    CHECK_OK(call_number(pair.connection, METHOD_REPLY_LATE, 5, 8000, &sum));
    CHECK_EQ(sum, 5);
    os_thread_join(thread);
    pair_close(&pair);
}

/* And what none was ever started for is done when the node stops. */
TEST(jobs_without_a_worker_run_at_the_end)
{
    struct pair pair;
    uint8_t number[8] = {0};
    if (!open_faulty(&pair, NULL))
        return;
    no_thread_starts = true;
    CHECK_OK(call_method(pair.connection, METHOD_COUNT, number, sizeof number, 5000, NULL));
    pair_close(&pair);
}

HARNESS_MAIN("link_faults", TEST_ENTRY(refuses_a_peer_with_the_nodes_own_id),
             TEST_ENTRY(refuses_a_second_claimant_before_the_first_is_open),
             TEST_ENTRY(takes_an_id_again_that_nobody_claims_any_more),
             TEST_ENTRY(listener_that_could_not_be_armed_comes_back),
             TEST_ENTRY(listening_fails_when_the_listener_cannot_be_armed),
             TEST_ENTRY(worker_that_could_not_be_started_is_started_later),
             TEST_ENTRY(jobs_without_a_worker_run_at_the_end))
