#include "tests/link/fixture.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/plugin/loopback.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_SLOT 20

const struct via_plugin *pair_loopback = &plugin_loopback;

/* --- the handler --- */

static HRESULT opened(void *context, struct link_connection *connection)
{
    struct side *side = context;
    if (side->refuses)
        return error_set(E_ACCESSDENIED, "this test refuses everybody");
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a tally");
    tally->next = side->tallies;
    while (!atomic_compare_exchange_weak(&side->tallies, &tally->next, tally))
        ;
    link_connection_set_user(connection, tally);
    side->n_opened++;
    side->last = connection;
    while (side->opens_slowly)
        os_sleep_ms(1);
    return S_OK;
}

static void closed(void *context, struct link_connection *connection)
{
    struct side *side = context;
    struct error_record *cause = link_connection_cause(connection);
    struct tally *tally = link_connection_user(connection);
    if (cause == NULL || tally->n_running != 0)
        side->n_closed_early++;
    error_record_free(cause);
    side->n_closed++;
}

static void reply_bytes(struct link_message *call, const void *payload, size_t size)
{
    uint8_t body[8] = {0};
    struct link_request reply = {.kind = WIRE_REPLY,
                                 .body = body,
                                 .body_size = sizeof body,
                                 .payload = payload,
                                 .payload_size = size};
    if (FAILED(link_reply(call, &reply)))
        error_clear();
}

static uint16_t slot_of(const struct link_message *call)
{
    uint16_t slot;
    memcpy(&slot, call->body + AT_SLOT, sizeof slot);
    return slot;
}

/* A call that a worker answers later. */
struct late {
    struct link_job job;
    struct link_message *call;
};

static void run_late(void *argument)
{
    struct late *late = argument;
    link_message_run(late->call);
    free(late);
}

static enum link_route route(void *context, struct link_message *call)
{
    struct side *side = context;
    if (call->kind == WIRE_ONEWAY && slot_of(call) == METHOD_COUNT) {
        uint32_t number = UINT32_MAX;
        if (call->payload_size == sizeof number)
            memcpy(&number, call->payload, sizeof number);
        side->n_out_of_order += number != side->next_number++;
    }
    if (call->kind != WIRE_CALL || slot_of(call) != METHOD_REPLY_LATE)
        return LINK_ROUTE_ANY;
    struct late *late = malloc(sizeof *late);
    if (late == NULL || FAILED(link_message_own(call))) {
        free(late);
        return LINK_ROUTE_ANY;
    }
    *late = (struct late){.job = {.run = run_late, .argument = late}, .call = call};
    if (!link_node_submit(link_connection_node(call->connection), &late->job))
        run_late(late);
    return LINK_ROUTE_QUEUED;
}

static void nest(struct link_message *call, uint32_t n)
{
    uint32_t below = 0;
    HRESULT hr =
        n > 1 ? call_number(call->connection, METHOD_NEST, n - 1, LINK_PATIENCE_MS, &below) : S_OK;
    below += n;
    if (FAILED(hr))
        link_reply_error(call, hr, true);
    else
        reply_bytes(call, &below, sizeof below);
}

static void sleep_long(struct link_message *call, uint32_t ms)
{
    uint64_t until_ns = os_deadline_ms(ms);
    uint32_t cancelled = 0;
    while (!cancelled && os_now_ns() < until_ns) {
        os_sleep_ms(1);
        cancelled = link_current_is_cancelled();
    }
    reply_bytes(call, &cancelled, sizeof cancelled);
}

static void flood(struct side *side, struct link_message *call, uint32_t n, uint32_t size)
{
    HRESULT hr = S_OK;
    void *payload = calloc(1, size);
    for (uint32_t i = 0; i < n && SUCCEEDED(hr) && payload != NULL; i++) {
        hr = call_method(call->connection, METHOD_COUNT, payload, size, 3 * LINK_PATIENCE_MS, NULL);
        side->n_flooded += SUCCEEDED(hr);
    }
    free(payload);
    if (FAILED(hr))
        link_reply_error(call, hr, true);
    else
        reply_bytes(call, &n, sizeof n);
}

static uint32_t sum_blocks(struct link_message *call, bool in_place)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < link_message_n_blocks(call); i++) {
        size_t position, size;
        const void *data = NULL;
        link_message_block_at(call, i, &position, &size);
        if (FAILED(link_message_block(call, i, in_place, &data)))
            return UINT32_MAX;
        for (size_t j = 0; j < size; j++)
            sum += ((const volatile uint8_t *)data)[j]; /* the caller may change it meanwhile */
    }
    return sum;
}

static void read_blocks(struct side *side, struct link_message *call, bool in_place, uint32_t ms)
{
    uint32_t answer[3] = {link_message_n_blocks(call), sum_blocks(call, in_place)};
    side->n_read++;
    if (ms != 0)
        os_sleep_ms(ms);
    while (side->reads_slowly)
        os_sleep_ms(1);
    answer[2] = sum_blocks(call, in_place);
    reply_bytes(call, answer, sizeof answer);
}

static void run_method(struct side *side, struct link_message *call)
{
    uint32_t numbers[2] = {0, 0};
    size_t size = call->payload_size;
    uint16_t slot = slot_of(call);
    memcpy(numbers, call->payload, size < sizeof numbers ? size : sizeof numbers);
    void *copy = NULL;
    if (slot == METHOD_ECHO && size != 0) {
        copy = malloc(size);
        if (copy != NULL)
            memcpy(copy, call->payload, size);
    }
    link_message_decoded(call);
    switch (slot) {
    case METHOD_ADD:
    case METHOD_REPLY_LATE:
        numbers[0] += numbers[1];
        reply_bytes(call, numbers, sizeof numbers[0]);
        break;
    case METHOD_ECHO:
        reply_bytes(call, copy, size);
        break;
    case METHOD_NEST:
        nest(call, numbers[0]);
        break;
    case METHOD_SLEEP:
        side->n_sleeping++;
        sleep_long(call, numbers[0]);
        side->n_sleeping--;
        break;
    case METHOD_COUNT:
        if (side->on_count != NULL)
            side->on_count(side, call);
        side->n_counted++;
        break;
    case METHOD_FLOOD:
        flood(side, call, numbers[0], numbers[1]);
        break;
    case METHOD_TAKE:
        numbers[0] = call->n_handles;
        numbers[1] = (uint32_t)size;
        reply_bytes(call, numbers, sizeof numbers);
        break;
    case METHOD_BLOCKS:
        read_blocks(side, call, numbers[0], numbers[1]);
        break;
    case METHOD_DROP:
        link_connection_close(call->connection, E_ABORT, "the method ended it");
        break;
    default:
        error_set(E_INVALIDARG, "the inner reason");
        error_wrap(E_FAIL, "the method failed");
        link_reply_error(call, E_FAIL, true);
        break;
    }
    free(copy);
}

static void run(void *context, struct link_message *call)
{
    struct side *side = context;
    struct tally *tally = link_connection_user(call->connection);
    bool is_open = !link_connection_is_closed(call->connection);
    side->n_running++;
    tally->n_running += is_open; /* its end waits for this */
    if (call->kind == WIRE_CALL || call->kind == WIRE_ONEWAY) {
        run_method(side, call);
    } else {
        link_message_decoded(call);
        error_set(E_NOINTERFACE, "no other kinds here");
        link_reply_error(call, E_NOINTERFACE, false);
    }
    tally->n_running -= is_open;
    side->n_running--;
}

static HRESULT control(void *context, struct link_message *frame)
{
    struct side *side = context;
    side->n_released++;
    if (side->on_release != NULL)
        side->on_release(side, frame);
    return frame->kind == WIRE_RELEASE ? S_OK : error_set(VIA_E_PROTOCOL, "not that");
}

static void dropped(void *context, struct link_message *reply)
{
    struct side *side = context;
    (void)reply;
    side->n_dropped++;
}

static const struct link_handler handler = {opened, closed, route, run, control, dropped, NULL};

/* --- opening and closing --- */

void patient_settings(struct link_settings *settings)
{
    link_settings_default(settings);
    settings->drain_timeout_ms = LINK_PATIENCE_MS;
}

bool side_open(struct side *side, struct pair *pair, const struct link_settings *settings)
{
    struct link_settings defaults;
    link_settings_default(&defaults);
    defaults.drain_timeout_ms = LINK_PATIENCE_MS; /* who is slow here is not stuck */
    return CHECK_OK(link_node_new(settings != NULL ? settings : &defaults, pair->plugins, &handler,
                                  side, &side->node));
}

void side_close(struct side *side)
{
    if (side->node == NULL)
        return;
    link_node_close(side->node);
    link_node_stop(side->node);
    link_node_free(side->node);
    side->node = NULL;
    for (struct tally *tally = side->tallies, *next; tally != NULL; tally = next) {
        next = tally->next;
        free(tally);
    }
    side->tallies = NULL;
    CHECK_EQ(side->n_closed, side->n_opened);
    CHECK_EQ(side->n_closed_early, 0);
}

static bool add_plugins(struct pair *pair, const char *scheme)
{
    if (!CHECK_OK(plugin_set_add(pair->plugins, pair_loopback)))
        return false;
    if (strcmp(scheme, "loop") == 0) {
        snprintf(pair->address, sizeof pair->address, "loop:link-test");
        return true;
    }
    /* Under Wine too it is a Linux path; the listener removes it. Without Linux, a name. */
    bool is_name = os_path_separator == '\\' && os_unix_calls() == NULL;
    snprintf(pair->address, sizeof pair->address, "%s:%sviaduct-link-%u-%llx", scheme,
             is_name ? "" : "/tmp/", (unsigned)os_process_id(), (unsigned long long)os_now_ns());
    return CHECK_OK(plugin_set_search(pair->plugins, VIADUCT_PLUGIN_DIRECTORY));
}

/* The server may be about to take notice of what it has answered. */
static bool wait_until_open(struct pair *pair)
{
    struct link_connection *found = NULL;
    for (int i = 0; i < 5000 && found == NULL; i++) {
        found = link_node_find(pair->server.node, link_node_id(pair->client.node));
        if (found == NULL)
            os_sleep_ms(1);
    }
    link_connection_unref(found);
    return CHECK_NOT_NULL(found);
}

bool pair_open(struct pair *pair, const char *scheme, const struct link_settings *server_settings)
{
    return pair_open_with(pair, scheme, server_settings, NULL);
}

bool pair_open_with(struct pair *pair, const char *scheme,
                    const struct link_settings *server_settings,
                    const struct link_settings *client_settings)
{
    memset(pair, 0, sizeof *pair);
    const char *addresses[] = {pair->address, NULL};
    bool ok = CHECK_OK(os_poller_new(&pair->poller)) &&
              CHECK_OK(plugin_set_new(pair->poller, NULL, &pair->plugins)) &&
              add_plugins(pair, scheme) && side_open(&pair->server, pair, server_settings) &&
              side_open(&pair->client, pair, client_settings) &&
              CHECK_OK(link_node_listen(pair->server.node, pair->address, false)) &&
              CHECK_OK(link_node_connect(pair->client.node, addresses,
                                         os_deadline_ms(LINK_PATIENCE_MS), &pair->connection));
    if (ok)
        ok = wait_until_open(pair);
    if (!ok)
        pair_close(pair);
    return ok;
}

void pair_close(struct pair *pair)
{
    link_connection_unref(pair->connection);
    pair->connection = NULL;
    side_close(&pair->client);
    side_close(&pair->server);
    plugin_set_free(pair->plugins);
    if (pair->poller != NULL)
        os_poller_free(pair->poller);
    pair->plugins = NULL;
    pair->poller = NULL;
    error_clear();
}

/* --- calling --- */

HRESULT call_with_blocks(struct link_connection *connection, struct link_blocks *blocks,
                         bool in_place, uint32_t ms, uint32_t limit_ms, uint32_t answer[3])
{
    uint8_t body[56] = {0};
    uint16_t slot = METHOD_BLOCKS;
    uint32_t numbers[2] = {in_place, ms};
    struct link_message reply;
    memcpy(body + AT_SLOT, &slot, sizeof slot);
    struct link_request request = {.kind = WIRE_CALL,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = numbers,
                                   .payload_size = sizeof numbers,
                                   .blocks = blocks};
    HRESULT hr = link_call(connection, &request, os_deadline_ms(limit_ms), &reply);
    if (FAILED(hr)) {
        if (reply.call_id == 0)
            link_blocks_free(blocks);
        return hr;
    }
    if (CHECK_EQ(reply.payload_size, 3 * sizeof *answer))
        memcpy(answer, reply.payload, 3 * sizeof *answer);
    link_message_release(&reply);
    return S_OK;
}

HRESULT call_method(struct link_connection *connection, enum method method, const void *payload,
                    size_t size, uint32_t limit_ms, struct link_message *reply)
{
    uint8_t body[56] = {0};
    uint16_t slot = (uint16_t)method;
    memcpy(body + AT_SLOT, &slot, sizeof slot);
    struct link_request request = {.kind = method == METHOD_COUNT ? WIRE_ONEWAY : WIRE_CALL,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload,
                                   .payload_size = size};
    uint64_t deadline_ns = os_deadline_ms(limit_ms);
    return method == METHOD_COUNT ? link_post(connection, &request, deadline_ns)
                                  : link_call(connection, &request, deadline_ns, reply);
}

static HRESULT call_short(struct link_connection *connection, enum method method,
                          const void *payload, size_t size, uint32_t limit_ms, uint32_t *result)
{
    struct link_message reply;
    HRESULT hr = call_method(connection, method, payload, size, limit_ms, &reply);
    if (FAILED(hr))
        return hr;
    *result = 0;
    memcpy(result, reply.payload,
           reply.payload_size < sizeof *result ? reply.payload_size : sizeof *result);
    link_message_release(&reply);
    return S_OK;
}

HRESULT call_add(struct link_connection *connection, uint32_t a, uint32_t b, uint32_t *sum)
{
    uint32_t numbers[2] = {a, b};
    return call_short(connection, METHOD_ADD, numbers, sizeof numbers, LINK_PATIENCE_MS, sum);
}

HRESULT call_number(struct link_connection *connection, enum method method, uint32_t number,
                    uint32_t limit_ms, uint32_t *result)
{
    return call_short(connection, method, &number, sizeof number, limit_ms, result);
}

bool wait_for(atomic_uint *counter, unsigned value)
{
    unsigned seen = *counter;
    for (int i = 0; i < 5000 && seen != value; i++) {
        os_sleep_ms(1);
        seen = *counter;
    }
    return CHECK_EQ(seen, value);
}
