#include "tests/relay/relays.h"

#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/plugin_reactor.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 10000u

static struct plugin_reactor reactor;
static struct plugin_set *plugins;
static struct relay_set *set;

bool relays_open(void)
{
    return plugin_reactor_start(&reactor) &&
           CHECK_OK(plugin_set_new(reactor.poller, harness_temporary_directory(), &plugins)) &&
           CHECK_OK(plugin_set_search(plugins, plugin_reactor_plugin_directory())) &&
           CHECK_OK(relay_set_new(reactor.poller, plugins, &set));
}

void relays_close(void)
{
    relay_set_free(set);
    plugin_set_free(plugins);
    plugin_reactor_stop(&reactor);
    error_clear();
}

struct os_poller *relays_poller(void)
{
    return reactor.poller;
}

HRESULT relays_start_with(const struct relay_settings *settings, struct relay **relay)
{
    return relay_start(set, settings, relay);
}

HRESULT relays_start(const char *listen, const char *connect, bool messages, struct relay **relay)
{
    const char *const targets[] = {connect, NULL};
    struct relay_settings settings;
    relay_settings_default(&settings);
    settings.listen = listen;
    settings.connect = targets;
    settings.messages = messages;
    return relay_start(set, &settings, relay);
}

HRESULT relays_start_between(bool messages, struct relay **relay)
{
    char listen[RAW_ADDRESS_SIZE];
    char connect[RAW_ADDRESS_SIZE];
    return relays_start(raw_address("in", listen), raw_address("out", connect), messages, relay);
}

static void hold(void *argument)
{
    struct relays_block *block = argument;
    block->is_held = true;
    while (!block->is_over)
        os_sleep_ms(1);
    block->is_held = false;
}

void relays_hold(struct relays_block *block)
{
    block->is_held = false;
    block->is_over = false;
    if (!CHECK_OK(os_poller_post(relays_poller(), hold, block)))
        return;
    while (!block->is_held)
        os_sleep_ms(1);
}

void relays_let_go(struct relays_block *block)
{
    block->is_over = true;
    while (block->is_held)
        os_sleep_ms(1);
}

intptr_t relays_connect(const char *name)
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

bool echo_start(struct echo *echo, bool messages)
{
    *echo = (struct echo){.is_over = false};
    return CHECK(raw_server_start(&echo->server, "out", messages)) &&
           CHECK_OK(os_thread_start(accept_clients, echo, "accept", &echo->thread));
}

void echo_stop(struct echo *echo)
{
    echo->is_over = true;
    raw_close(relays_connect("out"));
    os_thread_join(echo->thread);
    raw_server_stop(&echo->server);
    join_clients(echo, true);
}

bool echo_ask(intptr_t end, size_t size)
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

void echo_check(size_t size)
{
    intptr_t end = relays_connect("in");
    if (CHECK_NE(end, RAW_NONE)) {
        CHECK(echo_ask(end, size));
        raw_close(end);
    }
}
