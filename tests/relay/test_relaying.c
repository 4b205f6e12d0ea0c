/*
 * Relays in this process, between programs' own sockets or pipes (raw.h): what is hard about
 * listening, connecting and ending, and messages.
 */
#include "tests/harness/harness.h"

#include "core/plugin/plugin_set.h"
#include "core/relay/relay.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"
#include "tests/relay/raw.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000u

static struct plugin_reactor reactor;
static struct plugin_set *plugins;
static struct relay_set *set;

static bool open_set(void)
{
    return plugin_reactor_start(&reactor) &&
           CHECK_OK(plugin_set_new(reactor.poller, NULL, &plugins)) &&
           CHECK_OK(plugin_set_search(plugins, plugin_reactor_plugin_directory())) &&
           CHECK_OK(relay_set_new(reactor.poller, plugins, &set));
}

static void close_set(void)
{
    relay_set_free(set);
    plugin_set_free(plugins);
    plugin_reactor_stop(&reactor);
    error_clear();
}

/* By addresses. */
static HRESULT start(const char *listen, const char *connect, bool messages, struct relay **relay)
{
    const char *const targets[] = {connect, NULL};
    struct relay_settings settings;
    relay_settings_default(&settings);
    settings.listen = listen;
    settings.connect = targets;
    settings.messages = messages;
    return relay_start(set, &settings, relay);
}

/* By the raw names "in" and "out". */
static HRESULT start_between(bool messages, struct relay **relay)
{
    char listen[RAW_ADDRESS_SIZE];
    char connect[RAW_ADDRESS_SIZE];
    return start(raw_address("in", listen), raw_address("out", connect), messages, relay);
}

static intptr_t connect_patiently(const char *name)
{
    intptr_t end = RAW_NONE;
    for (unsigned i = 0; i < PATIENCE_MS && end == RAW_NONE; i++) {
        end = raw_connect(name);
        if (end == RAW_NONE)
            os_sleep_ms(1);
    }
    return end;
}

/* --- a server that sends back what comes --- */

struct echo_client {
    struct echo_client *next;
    struct os_thread *thread;
    intptr_t end;
    _Atomic bool is_over;
};

struct echo {
    struct raw_server server;
    struct os_thread *thread;
    _Atomic bool is_over;
    struct echo_client *clients; /* the thread's */
};

static void serve(void *argument)
{
    struct echo_client *client = argument;
    char *buffer = malloc(1u << 20);
    int64_t n;
    while (buffer != NULL && (n = raw_receive(client->end, buffer, 1u << 20)) >= 0 &&
           raw_send(client->end, buffer, (size_t)n))
        ;
    raw_close(client->end);
    free(buffer);
    client->is_over = true;
}

/* Those that are over, or all. */
static void join_clients(struct echo *echo, bool all)
{
    struct echo_client **at = &echo->clients;
    while (*at != NULL) {
        struct echo_client *client = *at;
        if (!all && !client->is_over) {
            at = &client->next;
            continue;
        }
        *at = client->next;
        os_thread_join(client->thread);
        free(client);
    }
}

static void accept_clients(void *argument)
{
    struct echo *echo = argument;
    while (!echo->is_over) {
        intptr_t end = raw_accept(&echo->server);
        if (end == RAW_NONE)
            continue;
        struct echo_client *client = malloc(sizeof *client);
        *client = (struct echo_client){echo->clients, NULL, end, false};
        if (CHECK_OK(os_thread_start(serve, client, "echo", &client->thread)))
            echo->clients = client;
        join_clients(echo, false);
    }
}

static bool echo_start(struct echo *echo, bool messages)
{
    *echo = (struct echo){.is_over = false};
    return CHECK(raw_server_start(&echo->server, "out", messages)) &&
           CHECK_OK(os_thread_start(accept_clients, echo, "accept", &echo->thread));
}

static void echo_stop(struct echo *echo)
{
    echo->is_over = true;
    raw_close(connect_patiently("out"));
    os_thread_join(echo->thread);
    raw_server_stop(&echo->server);
    join_clients(echo, true);
}

/* Sends bytes and gets the same back. */
static bool ask(intptr_t end, size_t size)
{
    char *sent = malloc(size + 1);
    char *received = malloc(size + 1);
    size_t left = size;
    memset(sent, (int)size, size);
    bool is_well = raw_send(end, sent, size);
    while (is_well && left > 0) {
        int64_t n = raw_receive(end, received + (size - left), left);
        is_well = n >= 0;
        left -= is_well ? (size_t)n : 0;
    }
    is_well = is_well && memcmp(sent, received, size) == 0;
    free(sent);
    free(received);
    return is_well;
}

static void check_served(size_t size)
{
    intptr_t end = connect_patiently("in");
    if (CHECK_NE(end, RAW_NONE)) {
        CHECK(ask(end, size));
        raw_close(end);
    }
}

/* --- tests --- */

TEST(bytes_of_any_number)
{
    /* Also just as many as a pipe, a piece and a buffer hold; and none. */
    static const size_t sizes[] = {0, 1, 4096, 16384, 65535, 65536, 65537, 131072};
    struct echo echo;
    struct relay *relay;
    if (open_set() && echo_start(&echo, false) && CHECK_OK(start_between(false, &relay))) {
        intptr_t end = connect_patiently("in");
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            CHECK(ask(end, sizes[i]));
        raw_close(end);
        relay_stop(relay);
    }
    echo_stop(&echo);
    close_set();
}

/* Holds the reactor until it is let go. */
struct block {
    _Atomic bool is_held;
    _Atomic bool is_over;
};

static void hold(void *argument)
{
    struct block *block = argument;
    block->is_held = true;
    while (!block->is_over)
        os_sleep_ms(1);
    block->is_held = false;
}

TEST(clients_leave_before_they_are_accepted)
{
    struct echo echo;
    struct relay *relay;
    if (open_set() && echo_start(&echo, false) && CHECK_OK(start_between(false, &relay))) {
        for (int round = 0; round < 20; round++) {
            struct block block = {false, false};
            CHECK_OK(os_poller_post(reactor.poller, hold, &block));
            while (!block.is_held)
                os_sleep_ms(1);
            for (int i = 0; i < 16; i++) {
                intptr_t end = raw_connect("in");
                if (end != RAW_NONE && i % 2 == 0)
                    raw_send(end, "x", 1);
                if (end != RAW_NONE)
                    raw_close(end);
            }
            block.is_over = true;
            while (block.is_held)
                os_sleep_ms(1);
        }
        check_served(100);
        relay_stop(relay);
    }
    echo_stop(&echo);
    close_set();
}

struct pester {
    struct os_thread *thread;
    _Atomic bool is_over;
    unsigned n_connected;
};

static void connect_always(void *argument)
{
    struct pester *pester = argument;
    while (!pester->is_over) {
        intptr_t end = raw_connect("in");
        if (end == RAW_NONE)
            continue;
        raw_send(end, "x", 1);
        raw_close(end);
        pester->n_connected++;
    }
}

/* A relay ends while clients come, and another one has its name at once. */
TEST(closing_while_accepting)
{
    const char *count = getenv("VIADUCT_SOAK_RELAY_CLOSINGS");
    unsigned n_rounds = count != NULL ? (unsigned)atoi(count) : raw_has_messages ? 40 : 200;
    struct pester pesters[2] = {{NULL, false, 0}, {NULL, false, 0}};
    struct echo echo;
    struct relay *relay;
    if (open_set() && echo_start(&echo, false)) {
        for (int i = 0; i < 2; i++)
            CHECK_OK(os_thread_start(connect_always, &pesters[i], "pester", &pesters[i].thread));
        for (unsigned i = 0; i < n_rounds && CHECK_OK(start_between(false, &relay)); i++) {
            if (i % 2 == 0)
                os_sleep_ms(i % 5);
            relay_stop(relay);
        }
        for (int i = 0; i < 2; i++) {
            pesters[i].is_over = true;
            os_thread_join(pesters[i].thread);
        }
        CHECK(pesters[0].n_connected + pesters[1].n_connected > 0);
        if (CHECK_OK(start_between(false, &relay))) {
            check_served(100);
            relay_stop(relay);
        }
    }
    echo_stop(&echo);
    close_set();
}

TEST(more_than_255_at_once)
{
    static intptr_t ends[300];
    struct echo echo;
    struct relay *relay;
    struct relay_status status;
    if (open_set() && echo_start(&echo, false) && CHECK_OK(start_between(false, &relay))) {
        for (int i = 0; i < 300; i++) {
            ends[i] = connect_patiently("in");
            CHECK(ends[i] != RAW_NONE && ask(ends[i], 10));
        }
        relay_get_status(relay, &status);
        CHECK_EQ(status.n_clients, 300);
        for (int i = 0; i < 300; i++) {
            CHECK(ask(ends[i], 1000));
            raw_close(ends[i]);
        }
        relay_stop(relay);
    }
    echo_stop(&echo);
    close_set();
}

TEST(names_that_cannot_be)
{
    char address[RAW_ADDRESS_SIZE];
    char other[RAW_ADDRESS_SIZE];
    struct raw_server server;
    struct relay *relay;
    struct relay *second;
    if (open_set() && CHECK(raw_server_start(&server, "in", false))) {
        /* Another program's. */
        CHECK_HR(start_between(false, &relay), VIA_E_ADDRESS_IN_USE);
        raw_server_stop(&server);
        raw_address("out", other);
        CHECK_HR(start(raw_long_address(false, address), other, false, &relay), VIA_E_ADDRESS);
        if (CHECK_OK(start(raw_long_address(true, address), other, false, &relay)))
            relay_stop(relay);
        /* To itself, at once and by way of another one. */
        raw_address("in", address);
        CHECK_HR(start(address, address, false, &relay), VIA_E_ADDRESS);
        if (CHECK_OK(start(address, other, false, &relay))) {
            CHECK_HR(start(other, address, false, &second), VIA_E_ADDRESS);
            relay_stop(relay);
        }
        error_clear();
    }
    close_set();
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
    if (open_set() && echo_start(&echo, true) && CHECK_OK(start_between(true, &relay))) {
        intptr_t end = connect_patiently("in");
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
    close_set();
}

TEST(a_message_that_is_too_long)
{
    static const char data[131073];
    char buffer[16];
    struct echo echo;
    struct relay *relay;
    if (!raw_has_messages)
        SKIP("only pipes of Windows keep messages");
    if (open_set() && echo_start(&echo, true) && CHECK_OK(start_between(true, &relay))) {
        intptr_t end = connect_patiently("in");
        CHECK(ask(end, 10));
        raw_send(end, data, sizeof data);
        CHECK_EQ(raw_receive(end, buffer, sizeof buffer), -1);
        raw_close(end);
        check_served(100);
        relay_stop(relay);
    }
    echo_stop(&echo);
    close_set();
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
    if (open_set() && CHECK(raw_server_start(&server, "out", true)) &&
        CHECK_OK(start(between, raw_address("out", address), false, &outward)) &&
        CHECK_OK(start(raw_address("in", address), between, true, &inward))) {
        for (int round = 0; round < 10; round++) {
            intptr_t client = connect_patiently("in");
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
    close_set();
}

TEST(messages_where_there_are_none)
{
    struct relay *relay;
    if (raw_has_messages)
        SKIP("pipes of Windows keep messages");
    if (open_set())
        CHECK_HR(start_between(true, &relay), E_INVALIDARG);
    close_set();
}

HARNESS_MAIN("relaying", TEST_ENTRY(bytes_of_any_number),
             TEST_ENTRY_LIMIT(clients_leave_before_they_are_accepted, 60000),
             TEST_ENTRY_LIMIT(closing_while_accepting, 600000),
             TEST_ENTRY_LIMIT(more_than_255_at_once, 60000), TEST_ENTRY(names_that_cannot_be),
             TEST_ENTRY_LIMIT(messages_keep_their_boundaries, 60000),
             TEST_ENTRY(a_message_that_is_too_long),
             TEST_ENTRY(an_empty_message_is_the_end_of_a_half),
             TEST_ENTRY(messages_where_there_are_none))
