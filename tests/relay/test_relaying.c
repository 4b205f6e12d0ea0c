/*
 * Relays in this process, between programs' own sockets or pipes (raw.h): what is hard about
 * listening, connecting and ending, and messages.
 */
#include "tests/harness/harness.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/relay/relays.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000u

/* --- tests --- */

TEST(bytes_of_any_number)
{
    /* Also just as many as a pipe, a piece and a buffer hold; and none. */
    static const size_t sizes[] = {0, 1, 4096, 16384, 65535, 65536, 65537, 131072};
    struct echo echo;
    struct relay *relay;
    if (relays_open() && echo_start(&echo, false) &&
        CHECK_OK(relays_start_between(false, &relay))) {
        intptr_t end = relays_connect("in");
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            CHECK(echo_ask(end, sizes[i]));
        raw_close(end);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

TEST(clients_leave_before_they_are_accepted)
{
    struct echo echo;
    struct relay *relay;
    if (relays_open() && echo_start(&echo, false) &&
        CHECK_OK(relays_start_between(false, &relay))) {
        for (int round = 0; round < 20; round++) {
            struct relays_block block;
            relays_hold(&block);
            for (int i = 0; i < 16; i++) {
                intptr_t end = raw_connect("in");
                if (end != RAW_NONE && i % 2 == 0)
                    raw_send(end, "x", 1);
                if (end != RAW_NONE)
                    raw_close(end);
            }
            relays_let_go(&block);
        }
        echo_check(100);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

TEST(more_than_255_at_once)
{
    static intptr_t ends[300];
    struct echo echo;
    struct relay *relay;
    struct relay_status status;
    if (relays_open() && echo_start(&echo, false) &&
        CHECK_OK(relays_start_between(false, &relay))) {
        for (int i = 0; i < 300; i++) {
            ends[i] = relays_connect("in");
            CHECK(ends[i] != RAW_NONE && echo_ask(ends[i], 10));
        }
        relay_get_status(relay, &status);
        CHECK_EQ(status.n_clients, 300);
        for (int i = 0; i < 300; i++) {
            CHECK(echo_ask(ends[i], 1000));
            raw_close(ends[i]);
        }
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

/* More than all buffers on the way hold together. */
#define FLOOD_SIZE (16u << 20)

struct flood {
    intptr_t end;
    _Atomic bool is_over;
};

static void send_much(void *argument)
{
    static const char data[65536];
    struct flood *flood = argument;
    for (size_t sent = 0; sent < FLOOD_SIZE && raw_send(flood->end, data, sizeof data);)
        sent += sizeof data;
    raw_close(flood->end);
    flood->is_over = true;
}

/* The first client: what its target sends is held up, and arrives in the end. */
TEST(a_client_that_does_not_read)
{
    static char buffer[65536];
    struct raw_server server;
    struct relay *relay;
    struct relay_status status;
    struct os_thread *thread;
    if (relays_open() && CHECK(raw_server_start(&server, "out", false)) &&
        CHECK_OK(relays_start_between(false, &relay))) {
        intptr_t client = relays_connect("in");
        struct flood flood = {raw_accept(&server), false};
        CHECK_OK(os_thread_start(send_much, &flood, "flood", &thread));
        /* Others are served meanwhile. */
        for (int i = 0; i < 50; i++) {
            intptr_t other = relays_connect("in");
            intptr_t served = raw_accept(&server);
            CHECK(raw_send(other, "abc", 3) && raw_receive(served, buffer, 3) == 3);
            CHECK(raw_send(served, "abc", 3) && raw_receive(other, buffer, 3) == 3);
            raw_close(other);
            raw_close(served);
        }
        os_sleep_ms(200);
        relay_get_status(relay, &status);
        CHECK(!flood.is_over);
        CHECK(status.bytes_to_client > 0 && status.bytes_to_client < 2u << 20);
        uint64_t received = 0;
        for (int64_t n = 0; n >= 0; n = raw_receive(client, buffer, sizeof buffer))
            received += (uint64_t)n;
        CHECK_EQ(received, FLOOD_SIZE);
        os_thread_join(thread);
        raw_close(client);
        relay_stop(relay);
        raw_server_stop(&server);
    }
    relays_close();
}

/* --- targets that come and go --- */

static HRESULT start_patiently(const char *connect, uint32_t patience_ms, struct relay **relay)
{
    char listen[RAW_ADDRESS_SIZE];
    const char *const targets[] = {connect, NULL};
    struct relay_settings settings;
    relay_settings_default(&settings);
    settings.listen = raw_address("in", listen);
    settings.connect = targets;
    settings.patience_ms = patience_ms;
    return relays_start_with(&settings, relay);
}

/* The target: another relay, at any transport, to the server at "out". */
static bool start_target(const char *address, struct relay **target)
{
    const char *const access[] = {"everyone", NULL};
    char out[RAW_ADDRESS_SIZE];
    const char *const targets[] = {raw_address("out", out), NULL};
    struct relay_settings settings;
    relay_settings_default(&settings);
    settings.listen = address;
    settings.connect = targets;
    settings.access = access;
    return CHECK_OK(relays_start_with(&settings, target));
}

static void check_missing(struct relay *relay, const char *address)
{
    struct relay_status status;
    char byte;
    intptr_t end = relays_connect("in");
    CHECK_EQ(raw_receive(end, &byte, 1), -1);
    raw_close(end);
    relay_get_status(relay, &status);
    CHECK(status.is_down && status.n_unreachable > 0);
    CHECK_STR_HAS(status.failure, strchr(address, ':') + 1); /* which one */
}

static void check_coming(const char *address)
{
    struct relay_status status;
    struct relay *relay;
    struct relay *target = NULL;
    char byte;
    /* Not there: the client is disconnected, and the status says why. */
    if (!CHECK_OK(start_patiently(address, 100, &relay)))
        return;
    for (int i = 0; i < 2; i++) {
        check_missing(relay, address);
        if (!start_target(address, &target))
            break;
        echo_check(1000);
        relay_get_status(relay, &status);
        CHECK(!status.is_down);
        intptr_t end = relays_connect("in");
        CHECK(echo_ask(end, 10));
        relay_stop(target);
        CHECK_EQ(raw_receive(end, &byte, 1), -1);
        raw_close(end);
    }
    check_missing(relay, address);
    relay_stop(relay);
    /* Who comes while it is away waits, if it may. */
    if (CHECK_OK(start_patiently(address, PATIENCE_MS, &relay))) {
        intptr_t end = relays_connect("in");
        CHECK(raw_send(end, "x", 1));
        os_sleep_ms(100);
        if (start_target(address, &target)) {
            CHECK(raw_receive(end, &byte, 1) == 1 && byte == 'x');
            relay_stop(target);
        }
        raw_close(end);
        relay_stop(relay);
    }
}

/* Why a target cannot be reached is said as soon as the system says it, and not that time is up. */
static void check_reason(uint32_t patience_ms, bool is_given_up)
{
    const char *const targets[] = {"tcp:224.0.0.1:9", NULL};
    char listen[RAW_ADDRESS_SIZE];
    char byte;
    struct relay_status status = {.is_down = false};
    struct relay_settings settings;
    struct relay *relay;
    relay_settings_default(&settings);
    settings.listen = raw_address("in", listen);
    settings.connect = targets;
    settings.network = true;
    settings.patience_ms = patience_ms;
    if (!CHECK_OK(relays_start_with(&settings, &relay)))
        return;
    intptr_t end = relays_connect("in");
    if (is_given_up)
        CHECK_EQ(raw_receive(end, &byte, 1), -1);
    uint64_t n_clients = is_given_up ? 0 : 1;
    for (unsigned i = 0; i < PATIENCE_MS && (!status.is_down || status.n_clients != n_clients);
         i++) {
        os_sleep_ms(1);
        relay_get_status(relay, &status);
    }
    CHECK(status.is_down);
    CHECK_EQ(status.n_clients, n_clients);
    CHECK_STR_HAS(status.failure, targets[0]);
    CHECK_STR_HAS(status.failure, "unreachable");
    raw_close(end);
    relay_stop(relay);
}

TEST(the_reason_is_told_at_once)
{
    if (relays_open()) {
        check_reason(60000, false);
        check_reason(100, true);
    }
    relays_close();
}

/* Nobody is forgotten who has no target yet. */
TEST(a_relay_ends_while_a_client_waits)
{
    char address[RAW_ADDRESS_SIZE];
    struct relay_status status = {.n_clients = 0};
    struct relay *relay;
    char byte;
    if (relays_open() && CHECK_OK(start_patiently(raw_address("none", address), 60000, &relay))) {
        intptr_t end = relays_connect("in");
        for (unsigned i = 0; i < PATIENCE_MS && status.n_clients == 0; i++) {
            os_sleep_ms(1);
            relay_get_status(relay, &status);
        }
        CHECK_EQ(status.n_clients, 1);
        relay_stop(relay);
        CHECK_EQ(raw_receive(end, &byte, 1), -1);
        raw_close(end);
    }
    relays_close();
}

static void check_coming_with(const char *prefix)
{
    struct echo echo;
    char address[96];
    unsigned long long now_ns = (unsigned long long)os_now_ns();
    if (relays_open() && echo_start(&echo, false)) {
        snprintf(address, sizeof address, "%s%llu", prefix, 20000 + now_ns % 10000);
        check_coming(address);
        echo_stop(&echo);
    }
    relays_close();
}

TEST(a_pipe_that_comes_and_goes)
{
    check_coming_with("pipe:relaying-");
}

TEST(a_socket_that_comes_and_goes)
{
    check_coming_with("unix:/tmp/viaduct-relaying-");
}

TEST(a_port_that_comes_and_goes)
{
    check_coming_with("tcp:127.0.0.1:");
}

TEST(names_that_cannot_be)
{
    char address[RAW_ADDRESS_SIZE];
    char other[RAW_ADDRESS_SIZE];
    struct raw_server server;
    struct relay *relay;
    struct relay *second;
    if (relays_open() && CHECK(raw_server_start(&server, "in", false))) {
        /* Another program's. */
        CHECK_HR(relays_start_between(false, &relay), VIA_E_ADDRESS_IN_USE);
        raw_server_stop(&server);
        raw_address("out", other);
        CHECK_HR(relays_start(raw_long_address(false, address), other, false, &relay),
                 VIA_E_ADDRESS);
        if (CHECK_OK(relays_start(raw_long_address(true, address), other, false, &relay)))
            relay_stop(relay);
        /* To itself, at once and by way of another one. */
        raw_address("in", address);
        CHECK_HR(relays_start(address, address, false, &relay), VIA_E_ADDRESS);
        if (CHECK_OK(relays_start(address, other, false, &relay))) {
            CHECK_HR(relays_start(other, address, false, &second), VIA_E_ADDRESS);
            relay_stop(relay);
        }
        error_clear();
    }
    relays_close();
}

/* --- messages --- */

static bool expect_message(intptr_t end, size_t size)
{
    char *buffer = malloc(1u << 20);
    bool is_well = CHECK_EQ(raw_receive(end, buffer, 1u << 20), size);
    free(buffer);
    return is_well;
}

TEST(messages_keep_their_boundaries)
{
    static const size_t sizes[] = {1, 0, 100, 0, 0, 65536, 7, 131072, 3};
    static const char data[131072];
    struct echo echo;
    struct relay *relay;
    if (!raw_has_messages)
        SKIP("only pipes of Windows keep messages");
    if (relays_open() && echo_start(&echo, true) && CHECK_OK(relays_start_between(true, &relay))) {
        intptr_t end = relays_connect("in");
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < 7; i++) /* many at once */
                CHECK(raw_send(end, data, sizes[i] % 65536));
            for (size_t i = 0; i < 7; i++)
                expect_message(end, sizes[i] % 65536);
        }
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            CHECK(raw_send(end, data, sizes[i]) && expect_message(end, sizes[i]));
        raw_close(end);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

TEST(a_message_that_is_too_long)
{
    static const char data[131073];
    char buffer[16];
    struct echo echo;
    struct relay *relay;
    if (!raw_has_messages)
        SKIP("only pipes of Windows keep messages");
    if (relays_open() && echo_start(&echo, true) && CHECK_OK(relays_start_between(true, &relay))) {
        intptr_t end = relays_connect("in");
        CHECK(echo_ask(end, 10));
        raw_send(end, data, sizeof data);
        CHECK_EQ(raw_receive(end, buffer, sizeof buffer), -1);
        raw_close(end);
        echo_check(100);
        relay_stop(relay);
    }
    echo_stop(&echo);
    relays_close();
}

/* From a pipe in message mode by way of a socket, which has halves of its own, to another one. */
TEST(an_empty_message_is_the_end_of_a_half)
{
    char between[64];
    char byte;
    char address[RAW_ADDRESS_SIZE];
    struct raw_server server;
    struct relay *inward;
    struct relay *outward;
    if (!raw_has_messages)
        SKIP("only pipes of Windows keep messages");
    snprintf(between, sizeof between, "unix:/tmp/viaduct-relaying-%llu",
             (unsigned long long)os_now_ns());
    if (relays_open() && CHECK(raw_server_start(&server, "out", true)) &&
        CHECK_OK(relays_start(between, raw_address("out", address), false, &outward)) &&
        CHECK_OK(relays_start(raw_address("in", address), between, true, &inward))) {
        for (int round = 0; round < 10; round++) {
            intptr_t client = relays_connect("in");
            intptr_t served = raw_accept(&server);
            CHECK(raw_send(client, "abc", 3) && expect_message(served, 3));
            CHECK(raw_send(client, "", 0) && expect_message(served, 0));
            CHECK(raw_send(served, "answer", 6) && expect_message(client, 6));
            /* The end of both halves may be the end of the pipe itself. */
            CHECK(raw_send(served, "", 0) && raw_receive(client, &byte, 1) <= 0);
            raw_close(client);
            raw_close(served);
        }
        relay_stop(inward);
        relay_stop(outward);
        raw_server_stop(&server);
    }
    relays_close();
}

/* From a pipe in message mode by way of a socket to another one; between sockets where there are
 * none. Who has ended its half and then leaves is missed at once, though nothing moves. */
TEST(a_client_that_ends_its_half_and_leaves)
{
    char between[64];
    char address[RAW_ADDRESS_SIZE];
    char byte;
    struct raw_server server;
    struct relay *inward;
    struct relay *outward;
    snprintf(between, sizeof between, "unix:/tmp/viaduct-relaying-%llu",
             (unsigned long long)os_now_ns());
    if (relays_open() && CHECK(raw_server_start(&server, "out", raw_has_messages)) &&
        CHECK_OK(relays_start(between, raw_address("out", address), false, &outward)) &&
        CHECK_OK(relays_start(raw_address("in", address), between, raw_has_messages, &inward))) {
        for (int round = 0; round < 10; round++) {
            intptr_t client = relays_connect("in");
            intptr_t served = raw_accept(&server);
            CHECK(raw_send(client, "abc", 3) && expect_message(served, 3));
            CHECK(raw_finish(client) && raw_receive(served, &byte, 1) <= 0);
            /* It is there as long as it is. */
            CHECK(!raw_await_end(served, 50) && raw_send(served, "x", 1));
            CHECK_EQ(raw_receive(client, &byte, 1), 1);
            raw_close(client);
            CHECK(raw_await_end(served, PATIENCE_MS));
            raw_close(served);
        }
        relay_stop(inward);
        relay_stop(outward);
        raw_server_stop(&server);
    }
    relays_close();
}

/* The same the other way round: it is the server that leaves. */
TEST(a_server_that_ends_its_half_and_leaves)
{
    struct raw_server server;
    struct relay *relay;
    char byte;
    if (raw_has_messages)
        SKIP("between pipes of Windows the end of a server is the end");
    if (relays_open() && CHECK(raw_server_start(&server, "out", false)) &&
        CHECK_OK(relays_start_between(false, &relay))) {
        intptr_t client = relays_connect("in");
        intptr_t served = raw_accept(&server);
        CHECK(raw_finish(served) && raw_receive(client, &byte, 1) <= 0);
        CHECK(!raw_await_end(client, 50) && raw_send(client, "x", 1));
        CHECK_EQ(raw_receive(served, &byte, 1), 1);
        raw_close(served);
        CHECK(raw_await_end(client, PATIENCE_MS));
        raw_close(client);
        relay_stop(relay);
        raw_server_stop(&server);
    }
    relays_close();
}

TEST(messages_where_there_are_none)
{
    struct relay *relay;
    if (raw_has_messages)
        SKIP("pipes of Windows keep messages");
    if (relays_open())
        CHECK_HR(relays_start_between(true, &relay), E_INVALIDARG);
    relays_close();
}

HARNESS_MAIN("relaying", TEST_ENTRY(bytes_of_any_number),
             TEST_ENTRY_LIMIT(clients_leave_before_they_are_accepted, 60000),
             TEST_ENTRY_LIMIT(more_than_255_at_once, 60000),
             TEST_ENTRY(a_client_that_does_not_read), TEST_ENTRY(a_relay_ends_while_a_client_waits),
             TEST_ENTRY(a_pipe_that_comes_and_goes), TEST_ENTRY(a_socket_that_comes_and_goes),
             TEST_ENTRY(a_port_that_comes_and_goes), TEST_ENTRY(the_reason_is_told_at_once),
             TEST_ENTRY(names_that_cannot_be),
             TEST_ENTRY_LIMIT(messages_keep_their_boundaries, 60000),
             TEST_ENTRY(a_message_that_is_too_long),
             TEST_ENTRY(an_empty_message_is_the_end_of_a_half),
             TEST_ENTRY(a_client_that_ends_its_half_and_leaves),
             TEST_ENTRY(a_server_that_ends_its_half_and_leaves),
             TEST_ENTRY(messages_where_there_are_none))
