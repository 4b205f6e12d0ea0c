/*
 * Conformance: readiness is reported once for each time it is armed, and not when it was taken
 * back.
 */
#include "core/plugin/conformance_parts.h"

#include <stdlib.h>

static void test_arm_once_ready_once(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (uint32_t turn = 1; turn <= 3 && !c->failed; turn++) {
        if (!CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) ||
            !conformance_quiet(c, &pair.server.ready.n_calls, turn - 1,
                               "armed, nothing has arrived") ||
            !conformance_send(c, &pair.client, 30, (turn - 1) * 20, 10) ||
            !conformance_await(c, &pair.server.ready.n_read, turn) ||
            !conformance_send(c, &pair.client, 30, (turn - 1) * 20 + 10, 10) ||
            !conformance_quiet(c, &pair.server.ready.n_calls, turn,
                               "armed once, bytes arrived twice"))
            break;
        conformance_receive(c, &pair.server, 30, (turn - 1) * 20, 20);
    }
    conformance_close(c, &pair);
}

static void test_arm_with_bytes_in_the_system(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (conformance_send(c, &pair.client, 31, 0, 10) &&
        CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) &&
        conformance_await(c, &pair.server.ready.n_read, 1))
        conformance_receive(c, &pair.server, 31, 0, 10);
    conformance_close(c, &pair);
}

static void test_arm_with_buffered_bytes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (conformance_send(c, &pair.client, 32, 0, 20) &&
        conformance_receive(c, &pair.server, 32, 0, 10) &&
        CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) &&
        conformance_await(c, &pair.server.ready.n_read, 1) &&
        conformance_quiet(c, &pair.server.ready.n_calls, 1, "armed with buffered bytes"))
        conformance_receive(c, &pair.server, 32, 10, 10);
    conformance_close(c, &pair);
}

static void test_arm_after_partial_peek(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *span;
    size_t size = 0;
    uint64_t deadline = conformance_deadline(c);
    if (conformance_send(c, &pair.client, 33, 0, 10)) {
        do
            end_peek(&pair.server, 20, &span, &size);
        while (size < 10 && conformance_now(c) < deadline);
        if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) &&
            conformance_quiet(c, &pair.server.ready.n_calls, 0,
                              "armed after a peek that wanted more") &&
            conformance_send(c, &pair.client, 33, 10, 10) &&
            conformance_await(c, &pair.server.ready.n_read, 1))
            conformance_receive(c, &pair.server, 33, 0, 20);
    }
    conformance_close(c, &pair);
}

static void test_arm_write(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.client, VIA_READY_WRITE), S_OK) &&
        conformance_await(c, &pair.client.ready.n_write, 1))
        conformance_quiet(c, &pair.client.ready.n_calls, 1, "armed once for writing");
    conformance_close(c, &pair);
}

static void test_arm_both(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) &&
        CONF_RESULT(c, end_arm(&pair.server, VIA_READY_WRITE), S_OK) &&
        conformance_await(c, &pair.server.ready.n_write, 1) &&
        conformance_quiet(c, &pair.server.ready.n_read, 0, "armed for both, nothing has arrived") &&
        conformance_send(c, &pair.client, 34, 0, 10) &&
        conformance_await(c, &pair.server.ready.n_read, 1))
        conformance_quiet(c, &pair.server.ready.n_write, 1, "armed once for writing");
    conformance_close(c, &pair);
}

static void test_disarm(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK)) {
        end_disarm(&pair.server, VIA_READY_READ);
        if (conformance_send(c, &pair.client, 35, 0, 10) &&
            conformance_quiet(c, &pair.server.ready.n_calls, 0, "disarmed"))
            conformance_receive(c, &pair.server, 35, 0, 10);
    }
    conformance_close(c, &pair);
}

static void test_wait_after_disarm(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (uint32_t turn = 0; turn < 20 && !c->failed; turn++) {
        if (!CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK))
            break;
        end_disarm(&pair.server, VIA_READY_READ);
        if (!conformance_send(c, &pair.client, 36, turn * 10, 10) ||
            !CONF_RESULT(c, end_wait(&pair.server, conformance_deadline(c)), S_OK))
            break;
        conformance_receive(c, &pair.server, 36, turn * 10, 10);
    }
    conformance_close(c, &pair);
}

static void test_ready_when_peer_closes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK)) {
        end_close(&pair.client);
        if (conformance_await(c, &pair.server.ready.n_read, 1) &&
            CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK))
            conformance_await(c, &pair.server.ready.n_read, 2);
    }
    conformance_close(c, &pair);
}

static void test_close_while_armed(struct conformance *c)
{
    for (int turn = 0; turn < 20 && !c->failed; turn++) {
        struct conformance_pair pair;
        if (!conformance_open(c, &pair))
            return;
        CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK);
        conformance_send(c, &pair.client, 37, 0, 10);
        end_close(&pair.server);
        uint32_t n = pair.server.ready.n_calls;
        if (turn == 0)
            conformance_sleep(CONFORMANCE_QUIET_NS);
        CONF_CHECK(c, pair.server.ready.n_calls == n, "a report came after close had returned");
        conformance_close(c, &pair);
    }
}

static void test_listener_ready_once(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_listen(c, &pair))
        return;
    /* Accepted only after the report: a client that is gone when the reactor looks is no news. */
    struct via_connect_options options = {sizeof options, 0, 0};
    if (CONF_RESULT(c, c->server->t->listener_arm(pair.listener), S_OK) &&
        conformance_quiet(c, &pair.listening.n_calls, 0, "a listener without clients") &&
        CONF_RESULT(c, c->client->t->connect(pair.address, &options, &pair.client.stream), S_OK) &&
        conformance_await(c, &pair.listening.n_read, 1) &&
        conformance_quiet(c, &pair.listening.n_calls, 1, "a listener that was armed once"))
        conformance_accept(c, pair.listener, &pair.server);
    conformance_close(c, &pair);
}

/* As many clients as the test can open, all served and all answered. */
static void test_many_connections(struct conformance *c)
{
    enum { N = 200 };
    struct conformance_pair pair;
    struct conformance_end(*ends)[2] = calloc(N, sizeof *ends);
    uint32_t n = 0;
    if (ends == NULL || !conformance_listen(c, &pair)) {
        free(ends);
        return;
    }
    struct via_connect_options options = {sizeof options, 0, 0};
    for (; n < N && !c->failed; n++) {
        uint64_t deadline = conformance_deadline(c);
        HRESULT hr;
        do
            hr = c->client->t->connect(pair.address, &options, &ends[n][0].stream);
        while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline);
        if (!conformance_result(c, hr, S_OK, "connect of one of many"))
            break;
        ends[n][0].side = c->client;
        if (!conformance_accept(c, pair.listener, &ends[n][1])) {
            end_close(&ends[n][0]);
            break;
        }
    }
    for (uint32_t i = 0; i < n && !c->failed; i++)
        conformance_send(c, &ends[i][0], i, 0, 100);
    for (uint32_t i = 0; i < n && !c->failed; i++) {
        if (conformance_receive(c, &ends[i][1], i, 0, 100))
            conformance_send(c, &ends[i][1], i, 100, 100);
    }
    for (uint32_t i = 0; i < n && !c->failed; i++)
        conformance_receive(c, &ends[i][0], i, 100, 100);
    for (uint32_t i = 0; i < n; i++) {
        end_close(&ends[i][0]);
        end_close(&ends[i][1]);
    }
    free(ends);
    conformance_close(c, &pair);
}

struct shutting {
    struct conformance_end *end;
    _Atomic bool go;
};

static void shut_down(void *argument)
{
    struct shutting *shutting = argument;
    while (!shutting->go)
        continue;
    end_shutdown(shutting->end);
}

/* However the two meet: the arm is answered, and the peer sees the end. */
static void test_shutdown_while_arming(struct conformance *c)
{
    for (uint32_t i = 0; i < 50 && !c->failed; i++) {
        struct conformance_pair pair;
        struct os_thread *thread;
        if (!conformance_open(c, &pair))
            return;
        struct shutting shutting = {.end = &pair.server};
        if (CONF_RESULT(c, os_thread_start(shut_down, &shutting, "conformance", &thread), S_OK)) {
            const uint8_t *span;
            size_t size;
            shutting.go = true;
            CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK);
            os_thread_join(thread);
            if (conformance_await(c, &pair.server.ready.n_read, 1) &&
                CONF_RESULT(c, end_wait(&pair.client, conformance_deadline(c)), S_OK))
                CONF_RESULT(c, end_peek(&pair.client, 1, &span, &size), RPC_E_DISCONNECTED);
        }
        conformance_close(c, &pair);
    }
}

static void test_ready_when_peer_dies(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct conformance_end *here =
        pair.client.side == conformance_far(c) ? &pair.server : &pair.client;
    if (CONF_RESULT(c, end_arm(here, VIA_READY_READ), S_OK) && conformance_kill_peer(c))
        conformance_await(c, &here->ready.n_read, 1);
    conformance_close(c, &pair);
}

const struct conformance_test conformance_ready_tests[] = {
    {"arm_once_ready_once", test_arm_once_ready_once, CONFORMANCE_ANYWHERE},
    {"arm_with_bytes_in_the_system", test_arm_with_bytes_in_the_system, CONFORMANCE_ANYWHERE},
    {"arm_with_buffered_bytes", test_arm_with_buffered_bytes, CONFORMANCE_ANYWHERE},
    {"arm_after_partial_peek", test_arm_after_partial_peek, CONFORMANCE_ANYWHERE},
    {"arm_write", test_arm_write, CONFORMANCE_ANYWHERE},
    {"arm_both", test_arm_both, CONFORMANCE_ANYWHERE},
    {"disarm", test_disarm, CONFORMANCE_ANYWHERE},
    {"wait_after_disarm", test_wait_after_disarm, CONFORMANCE_ANYWHERE},
    {"ready_when_peer_closes", test_ready_when_peer_closes, CONFORMANCE_ANYWHERE},
    {"close_while_armed", test_close_while_armed, CONFORMANCE_ANYWHERE},
    {"listener_ready_once", test_listener_ready_once, CONFORMANCE_ANYWHERE},
    {"shutdown_while_arming", test_shutdown_while_arming, CONFORMANCE_ANYWHERE},
    {"many_connections", test_many_connections, CONFORMANCE_ANYWHERE},
    {"ready_when_peer_dies", test_ready_when_peer_dies, CONFORMANCE_PEER},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
