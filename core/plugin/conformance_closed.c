/*
 * Conformance: VIA_READY_CLOSED. With a report of bytes it says that nothing more follows them;
 * armed by itself it is the news that a peer which has ended its direction is gone altogether.
 */
#include "core/plugin/conformance_parts.h"

/* A peer that is there, and has not ended its direction, is not reported to be gone. */
static void test_closed_is_not_early(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (uint32_t turn = 0; turn < 3 && !c->failed; turn++) {
        if (!CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK) ||
            !CONF_RESULT(c, end_arm(&pair.server, VIA_READY_WRITE), S_OK) ||
            !conformance_send(c, &pair.client, 60, turn * 10, 10) ||
            !conformance_await(c, &pair.server.ready.n_read, turn + 1) ||
            !conformance_await(c, &pair.server.ready.n_write, turn + 1) ||
            !conformance_receive(c, &pair.server, 60, turn * 10, 10))
            break;
        CONF_CHECK(c, pair.server.ready.n_closed == 0, "the peer is there, and reported as gone");
    }
    conformance_close(c, &pair);
}

/* Whether the system says of a peer that it is gone altogether, and not only its direction. */
static bool is_told(struct conformance *c)
{
    struct conformance_pair pair;
    bool is_over = false;
    if (!conformance_open(c, &pair))
        return false;
    end_close(&pair.client);
    if (conformance_await_end(c, &pair.server))
        is_over = end_is_over(&pair.server) == S_OK;
    conformance_close(c, &pair);
    if (!is_over)
        conformance_skip(c, "it cannot tell a peer that is gone from one that has finished");
    return is_over;
}

/* The client has finished, which the server has seen. */
static bool open_half(struct conformance *c, struct conformance_pair *pair)
{
    if (!conformance_open(c, pair))
        return false;
    if (CONF_RESULT(c, end_finish(&pair->client), S_OK) &&
        conformance_await_end(c, &pair->server)) {
        if (end_is_over(&pair->server) == S_FALSE)
            return true;
        conformance_skip(c, "a peer that has finished is over; see finish_ends_one_direction");
    }
    conformance_close(c, pair);
    return false;
}

static void test_closed_when_peer_is_gone(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_can_finish(c) || !open_half(c, &pair))
        return;
    struct conformance_ready *ready = &pair.server.ready;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK) &&
        conformance_quiet(c, &ready->n_calls, 0, "armed for the end, and the peer is there") &&
        is_told(c)) {
        end_close(&pair.client);
        /* And once more, for who comes too late to see it happen. */
        if (conformance_await(c, &ready->n_closed, 1) &&
            conformance_quiet(c, &ready->n_calls, 1, "armed once for the end") &&
            conformance_result(c, end_is_over(&pair.server), S_OK,
                               "is_over of a stream whose peer is gone") &&
            CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK))
            conformance_await(c, &ready->n_closed, 2);
    }
    conformance_close(c, &pair);
}

static void test_closed_is_disarmed(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_can_finish(c) || !is_told(c) || !open_half(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK)) {
        end_disarm(&pair.server, VIA_READY_CLOSED);
        end_close(&pair.client);
        conformance_quiet(c, &pair.server.ready.n_calls, 0, "disarmed");
    }
    conformance_close(c, &pair);
}

/* Where a stream ends as a whole there is nothing to be told; who receives finds out. */
static void test_closed_is_ignored(struct conformance *c)
{
    struct conformance_pair pair;
    if (side_can_finish(c->client) || side_can_finish(c->server)) {
        conformance_skip(c, "its streams end by halves");
        return;
    }
    if (!conformance_open(c, &pair))
        return;
    if (CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK)) {
        end_close(&pair.client);
        if (conformance_quiet(c, &pair.server.ready.n_calls, 0, "armed for nothing else") &&
            CONF_RESULT(c, end_arm(&pair.server, VIA_READY_READ), S_OK))
            conformance_await(c, &pair.server.ready.n_read, 1);
    }
    conformance_close(c, &pair);
}

/* --- of streams that keep messages, where an empty one ends a direction --- */

static bool keeps_messages(const struct conformance_end *end)
{
    return end->side->t->keeps_messages(end->stream) == S_OK;
}

static bool open_messages(struct conformance *c, struct conformance_pair *pair)
{
    struct via_listen_options listening = {sizeof listening, VIA_ACCESS_SAME_USER, 64,
                                           VIA_OPEN_FOREIGN | VIA_OPEN_MESSAGES};
    struct via_connect_options connecting = {sizeof connecting, 0, VIA_OPEN_FOREIGN};
    *pair = (struct conformance_pair){.client.side = c->client, .server.side = c->server};
    conformance_address(c, pair->address, sizeof pair->address);
    HRESULT hr = c->server->t->listen(pair->address, &listening, conformance_on_ready,
                                      &pair->listening, &pair->listener);
    if (SUCCEEDED(hr))
        hr = c->client->t->connect(pair->address, &connecting, &pair->client.stream);
    if (conformance_result(c, hr, S_OK, "a connection that keeps messages") &&
        conformance_accept(c, pair->listener, &pair->server) &&
        conformance_set_ready(c, &pair->client) && conformance_set_ready(c, &pair->server) &&
        CONF_CHECK(c, keeps_messages(&pair->client) && keeps_messages(&pair->server),
                   "it was listened for with VIA_OPEN_MESSAGES, and keeps none"))
        return true;
    conformance_close(c, pair);
    return false;
}

/* The client's, which the server has received. */
static bool pass_empty_message(struct conformance *c, struct conformance_pair *pair)
{
    uint64_t deadline = conformance_deadline(c);
    uint8_t *span;
    uint8_t byte;
    size_t n;
    uint32_t goes_on;
    HRESULT hr = end_reserve(&pair->client, 1, &span, &n);
    if (SUCCEEDED(hr))
        hr = end_commit(&pair->client, 0, NULL, 0, VIA_COMMIT_FLUSH | VIA_COMMIT_MESSAGE);
    if (!CONF_CHECK(c, SUCCEEDED(hr), "an empty message cannot be sent"))
        return false;
    /* What is about to be reported is received once it has been. */
    if (!CONF_RESULT(c, end_arm(&pair->server, VIA_READY_READ), S_OK) ||
        !conformance_await(c, &pair->server.ready.n_read, 1))
        return false;
    do
        hr = c->server->t->read_message(pair->server.stream, &byte, 1, &n, &goes_on);
    while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline);
    return conformance_result(c, hr, S_OK, "read_message of an empty one") &&
           CONF_CHECK(c, n == 0 && goes_on == 0, "an empty message has %zu bytes", n);
}

static void test_closed_behind_empty_message(struct conformance *c)
{
    struct conformance_pair pair;
    if (!(c->server->t->capabilities & VIA_TRANSPORT_MESSAGES)) {
        conformance_skip(c, "it keeps no messages");
        return;
    }
    if (!open_messages(c, &pair))
        return;
    struct conformance_ready *ready = &pair.server.ready;
    if (pass_empty_message(c, &pair) &&
        CONF_CHECK(c, ready->n_closed == 0, "the peer is there, and reported as gone") &&
        CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK) &&
        conformance_quiet(c, &ready->n_calls, 1, "armed for the end, and the peer is there")) {
        end_close(&pair.client);
        if (conformance_await(c, &ready->n_closed, 1) &&
            conformance_quiet(c, &ready->n_calls, 2, "armed once for the end") &&
            CONF_RESULT(c, end_arm(&pair.server, VIA_READY_CLOSED), S_OK))
            conformance_await(c, &ready->n_closed, 2);
    }
    conformance_close(c, &pair);
}

const struct conformance_test conformance_closed_tests[] = {
    {"closed_is_not_early", test_closed_is_not_early, CONFORMANCE_ANYWHERE},
    {"closed_when_peer_is_gone", test_closed_when_peer_is_gone, CONFORMANCE_ANYWHERE},
    {"closed_is_disarmed", test_closed_is_disarmed, CONFORMANCE_ANYWHERE},
    {"closed_is_ignored", test_closed_is_ignored, CONFORMANCE_ANYWHERE},
    {"closed_behind_empty_message", test_closed_behind_empty_message, CONFORMANCE_ALONE},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
