/*
 * Conformance: connections that are still being made (is_connected).
 *
 * What can be shown anywhere is that each is decided, reported once, and stays as it is. That one
 * takes its time is seen only where the suite knows how to bring it about: at TCP, by a listener
 * whose queue is full, at an address of this machine which does not count as its own.
 */
#include "core/plugin/conformance_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool decides_late(struct conformance *c)
{
    if (side_decides_late(c->client))
        return true;
    conformance_skip(c, "a stream that it gives is connected");
    return false;
}

static HRESULT begin(const char *address, uint32_t flags, struct conformance_end *end)
{
    struct via_connect_options options = {sizeof options, 0, flags};
    return end->side->t->connect(address, &options, &end->stream);
}

/* Waits for the one report of a connection that has begun. */
static bool await_decision(struct conformance *c, struct conformance_end *end)
{
    return conformance_await(c, &end->ready.n_write, 1) &&
           conformance_quiet(c, &end->ready.n_calls, 1, "a connection that is decided once");
}

static void test_connection_is_decided(struct conformance *c)
{
    struct conformance_pair pair;
    if (!decides_late(c) || !conformance_listen(c, &pair))
        return;
    if (CONF_RESULT(c, begin(pair.address, 0, &pair.client), S_OK) &&
        conformance_set_ready(c, &pair.client) &&
        CONF_RESULT(c, end_arm(&pair.client, VIA_READY_WRITE), S_OK) &&
        await_decision(c, &pair.client) &&
        conformance_result(c, end_is_connected(&pair.client), S_OK,
                           "is_connected of a stream that is reported as decided") &&
        conformance_accept(c, pair.listener, &pair.server) &&
        conformance_send(c, &pair.client, 70, 0, 100))
        conformance_receive(c, &pair.server, 70, 0, 100);
    conformance_close(c, &pair);
}

/* Its failure has been reported: it says so as often as it is asked. */
static void check_refused(struct conformance *c, struct conformance_end *end)
{
    uint8_t *span;
    size_t size;
    for (int i = 0; i < 2 && !c->failed; i++)
        conformance_result(c, end_is_connected(end), VIA_WIN32(2),
                           "is_connected of a stream that nobody has accepted");
    HRESULT hr = end_reserve(end, 1, &span, &size);
    if (SUCCEEDED(hr)) {
        span[0] = 0;
        hr = end_commit(end, 1, NULL, 0, VIA_COMMIT_FLUSH);
    }
    CONF_CHECK(c, FAILED(hr), "a connection that was refused takes bytes");
}

/* Refused at once, or by the stream. */
static void check_nobody(struct conformance *c, const char *address, uint32_t flags)
{
    struct conformance_end end = {.side = c->client};
    HRESULT hr = begin(address, flags, &end);
    if (hr != S_OK) {
        conformance_result(c, hr, VIA_WIN32(2), "connect where nobody listens");
        CONF_CHECK(c, end.stream == NULL, "connect has failed, and gives a stream");
        return;
    }
    if (conformance_set_ready(c, &end) && CONF_RESULT(c, end_arm(&end, VIA_READY_WRITE), S_OK) &&
        await_decision(c, &end))
        check_refused(c, &end);
    end_close(&end);
}

static void test_refusal_is_kept(struct conformance *c)
{
    char address[256];
    if (!decides_late(c))
        return;
    conformance_address(c, address, sizeof address);
    check_nobody(c, address, 0);
}

/* --- where one takes its time --- */

/* More than any queue of a listener that wants one place. */
#define N_CROWD 40

struct crowd {
    char address[256];
    struct via_listener *listener;
    struct conformance_ready listening;
    struct conformance_end clients[N_CROWD]; /* the last one takes its time */
    struct conformance_end served[N_CROWD];
    unsigned n_clients;
    unsigned n_served;
};

static void close_crowd(struct conformance *c, struct crowd *crowd)
{
    for (unsigned i = 0; i < crowd->n_clients; i++)
        end_close(&crowd->clients[i]);
    for (unsigned i = 0; i < crowd->n_served; i++)
        end_close(&crowd->served[i]);
    if (crowd->listener != NULL)
        c->server->t->listener_close(crowd->listener);
    free(crowd);
}

/* An address where connecting may take its time; false: there is none, the test is skipped. */
static bool far_address(struct conformance *c, char *address, size_t size)
{
    char here[256];
    char host[64];
    if (strcmp(c->plugin->schemes[0], "tcp") != 0) {
        conformance_skip(c, "no address is known where connecting takes its time");
        return false;
    }
    if (!conformance_own_host(host, sizeof host)) {
        conformance_skip(c, "this machine has no address but 127.0.0.1");
        return false;
    }
    conformance_address(c, here, sizeof here);
    snprintf(address, size, "%s%s", host, strrchr(here, ':'));
    return true;
}

static bool listen_far(struct conformance *c, struct crowd *crowd)
{
    struct via_listen_options options = {sizeof options, VIA_ACCESS_EVERYONE, 1, VIA_OPEN_NETWORK};
    if (!far_address(c, crowd->address, sizeof crowd->address))
        return false;
    HRESULT hr = c->server->t->listen(crowd->address, &options, conformance_on_ready,
                                      &crowd->listening, &crowd->listener);
    return conformance_result(c, hr, S_OK, "listen at an address that others reach");
}

/* S_FALSE: it is not decided; E_FAIL: the test has failed. */
static HRESULT begin_one(struct conformance *c, const struct crowd *crowd,
                         struct conformance_end *end)
{
    if (!CONF_RESULT(c, begin(crowd->address, VIA_OPEN_NETWORK, end), S_OK) ||
        !conformance_set_ready(c, end) || !CONF_RESULT(c, end_arm(end, VIA_READY_WRITE), S_OK))
        return E_FAIL;
    conformance_sleep(CONFORMANCE_QUIET_NS);
    HRESULT hr = end_is_connected(end);
    if (hr == S_FALSE)
        return hr;
    /* What is decided is reported, too. */
    return conformance_result(c, hr, S_OK, "is_connected of one who has a place") &&
                   conformance_await(c, &end->ready.n_write, 1)
               ? S_OK
               : E_FAIL;
}

/* Connects until one is not decided at once: the last one. NULL: the test has failed, or is
 * skipped. */
static struct crowd *make_crowd(struct conformance *c)
{
    if (!decides_late(c))
        return NULL;
    struct crowd *crowd = calloc(1, sizeof *crowd);
    if (!CONF_CHECK(c, crowd != NULL, "no memory for many connections"))
        return NULL;
    HRESULT hr = listen_far(c, crowd) ? S_OK : E_FAIL;
    while (hr == S_OK && crowd->n_clients < N_CROWD) {
        struct conformance_end *end = &crowd->clients[crowd->n_clients++];
        end->side = c->client;
        hr = begin_one(c, crowd, end);
    }
    if (hr == S_FALSE)
        return crowd;
    if (hr == S_OK)
        conformance_skip(c, "every connection was decided at once");
    close_crowd(c, crowd);
    return NULL;
}

/* Accepts all of them. */
static bool serve_crowd(struct conformance *c, struct crowd *crowd)
{
    while (crowd->n_served < crowd->n_clients) {
        if (!conformance_accept(c, crowd->listener, &crowd->served[crowd->n_served]))
            return false;
        crowd->n_served++;
    }
    return true;
}

static void test_connection_takes_its_time(struct conformance *c)
{
    const uint8_t *span;
    size_t size;
    struct crowd *crowd = make_crowd(c);
    if (crowd == NULL)
        return;
    struct conformance_end *slow = &crowd->clients[crowd->n_clients - 1];
    if (conformance_result(c, end_peek(slow, 1, &span, &size), VIA_S_WOULD_BLOCK,
                           "peek before it is connected") &&
        conformance_quiet(c, &slow->ready.n_calls, 0, "a connection that is not decided") &&
        serve_crowd(c, crowd) && await_decision(c, slow) &&
        conformance_result(c, end_is_connected(slow), S_OK, "is_connected when it was accepted") &&
        conformance_send(c, slow, 71, 0, 100))
        conformance_receive(c, &crowd->served[crowd->n_served - 1], 71, 0, 100);
    close_crowd(c, crowd);
}

static void test_connection_fails_late(struct conformance *c)
{
    struct crowd *crowd = make_crowd(c);
    if (crowd == NULL)
        return;
    c->server->t->listener_close(crowd->listener);
    crowd->listener = NULL;
    struct conformance_end *slow = &crowd->clients[crowd->n_clients - 1];
    if (await_decision(c, slow))
        check_refused(c, slow);
    close_crowd(c, crowd);
}

static void test_refusal_far_away(struct conformance *c)
{
    char address[256];
    if (decides_late(c) && far_address(c, address, sizeof address))
        check_nobody(c, address, VIA_OPEN_NETWORK);
}

const struct conformance_test conformance_connect_tests[] = {
    {"connection_is_decided", test_connection_is_decided, CONFORMANCE_ANYWHERE},
    {"refusal_is_kept", test_refusal_is_kept, CONFORMANCE_ANYWHERE},
    {"refusal_far_away", test_refusal_far_away, CONFORMANCE_ALONE},
    {"connection_takes_its_time", test_connection_takes_its_time, CONFORMANCE_ALONE},
    {"connection_fails_late", test_connection_fails_late, CONFORMANCE_ALONE},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
