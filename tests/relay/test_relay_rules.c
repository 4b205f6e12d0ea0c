/*
 * What a relay lets its clients do: how many they may be, how long they may be silent, and where
 * the patterns of its addresses lead them.
 */
#include "tests/harness/harness.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/relay/pattern.h"
#include "core/util/error.h"
#include "tests/relay/relays.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000u

/* From "in" to the echo at "out". */
static bool start_relay(uint32_t max_clients, uint32_t idle_ms, struct relay **relay)
{
    char listen[RAW_ADDRESS_SIZE];
    char connect[RAW_ADDRESS_SIZE];
    const char *const targets[] = {raw_address("out", connect), NULL};
    struct relay_settings settings;
    relay_settings_default(&settings);
    settings.listen = raw_address("in", listen);
    settings.connect = targets;
    settings.max_clients = max_clients;
    settings.idle_ms = idle_ms;
    return CHECK_OK(relays_start_with(&settings, relay));
}

/* Whether a client that comes now is served. */
static bool is_served(void)
{
    intptr_t end = relays_connect("in");
    bool is_well = CHECK_NE(end, RAW_NONE) && echo_ask(end, 10);
    raw_close(end);
    return is_well;
}

TEST(more_clients_than_a_relay_may_have)
{
    struct echo echo;
    struct relay *relay;
    struct relay_status status;
    if (relays_open() && echo_start(&echo, false) && start_relay(2, 0, &relay)) {
        intptr_t ends[2];
        for (int i = 0; i < 2; i++) {
            ends[i] = relays_connect("in");
            CHECK(echo_ask(ends[i], 10));
        }
        CHECK(!is_served());
        relay_get_status(relay, &status);
        CHECK_EQ(status.n_refused, 1);
        CHECK_EQ(status.n_clients, 2);
        CHECK(echo_ask(ends[0], 1000) && echo_ask(ends[1], 1000));
        /* There is room again when one has left, which takes a moment. */
        raw_close(ends[0]);
        bool is_well = false;
        for (unsigned i = 0; i < PATIENCE_MS && !is_well; i++) {
            os_sleep_ms(1);
            is_well = is_served();
        }
        CHECK(is_well);
        CHECK(echo_ask(ends[1], 10));
        raw_close(ends[1]);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

TEST(a_client_that_is_silent_for_too_long)
{
    struct echo echo;
    struct relay *relay;
    char byte;
    if (relays_open() && echo_start(&echo, false) && start_relay(10, 200, &relay)) {
        intptr_t end = relays_connect("in");
        uint64_t start_ns = os_now_ns();
        CHECK(echo_ask(end, 10));
        CHECK_EQ(raw_receive(end, &byte, 1), -1);
        CHECK(os_now_ns() - start_ns >= 200u * UINT64_C(1000000));
        raw_close(end);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

/* More than a relay lets in at once. */
TEST(many_who_wait_to_be_accepted)
{
    static intptr_t ends[100];
    struct relays_block block;
    struct echo echo;
    struct relay *relay;
    if (raw_has_messages)
        SKIP("a pipe has no queue: who finds its places taken tries again");
    if (relays_open() && echo_start(&echo, false) && start_relay(200, 0, &relay)) {
        relays_hold(&block);
        for (int i = 0; i < 100; i++)
            ends[i] = relays_connect("in");
        relays_let_go(&block);
        for (int i = 0; i < 100; i++) {
            CHECK(ends[i] != RAW_NONE && echo_ask(ends[i], 10));
            raw_close(ends[i]);
        }
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

static void check_pattern(const char *pattern, const struct via_peer_identity *identity,
                          const char *expected)
{
    char *address = NULL;
    if (CHECK_OK(pattern_expand(pattern, identity, &address)))
        CHECK_STR_EQ(address, expected);
    free(address);
}

TEST(patterns_lead_each_user_to_its_own)
{
    const struct via_peer_identity other = {
        .size = sizeof other, .flags = VIA_PEER_HAS_UNIX, .uid = 4242, .gid = 17};
    const struct via_peer_identity unknown = {.size = sizeof unknown};
    char *own = NULL;
    check_pattern("unix:{runtime_dir}/a-{uid}/b", &other, "unix:/run/user/4242/a-4242/b");
    check_pattern("pipe:plain", &other, "pipe:plain");
    CHECK_HR(pattern_check("unix:{home}/x"), VIA_E_ADDRESS);
    CHECK_HR(pattern_check("unix:/x}"), VIA_E_ADDRESS);
    CHECK_OK(pattern_check("unix:{runtime_dir}/{uid}"));
    /* Who cannot be told counts as the relay's own user. */
    HRESULT hr = pattern_expand("unix:/{uid}", NULL, &own);
    if (hr == VIA_E_ADDRESS)
        SKIP("users have no numbers here");
    CHECK_OK(hr);
    check_pattern("unix:/{uid}", &unknown, own);
    CHECK(strcmp(own, "unix:/4242") != 0);
    free(own);
    error_clear();
}

HARNESS_MAIN("relay_rules", TEST_ENTRY(more_clients_than_a_relay_may_have),
             TEST_ENTRY(a_client_that_is_silent_for_too_long),
             TEST_ENTRY(many_who_wait_to_be_accepted),
             TEST_ENTRY(patterns_lead_each_user_to_its_own))
