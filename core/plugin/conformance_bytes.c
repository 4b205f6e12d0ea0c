/*
 * Conformance: bytes arrive, all of them, in order, as often as they are looked at, and nothing
 * blocks.
 */
#include "core/plugin/conformance_parts.h"

#include <stdlib.h>
#include <string.h>

static void test_connect_and_accept(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_listen(c, &pair))
        return;
    struct via_stream *none;
    CONF_RESULT(c, c->server->t->listener_accept(pair.listener, &none), VIA_S_WOULD_BLOCK);
    if (conformance_connect(c, &pair) && conformance_send(c, &pair.client, 1, 0, 100) &&
        conformance_receive(c, &pair.server, 1, 0, 100) &&
        conformance_send(c, &pair.server, 2, 0, 100))
        conformance_receive(c, &pair.client, 2, 0, 100);
    conformance_close(c, &pair);
}

/* Both directions at once, from one thread, with whatever sizes the transport takes. */
struct flow {
    struct conformance_end *from;
    struct conformance_end *to;
    uint32_t seed;
    uint64_t sent;
    uint64_t received;
    uint64_t total;
};

static bool flow_send(struct conformance *c, struct flow *flow)
{
    uint8_t *span;
    size_t size;
    HRESULT hr = end_reserve(flow->from, 1 + conformance_random(c, 20000), &span, &size);
    if (hr == S_OK) {
        size_t n = 1 + conformance_random(c, 40000);
        if (n > size)
            n = size;
        if (n > flow->total - flow->sent)
            n = (size_t)(flow->total - flow->sent);
        for (size_t i = 0; i < n; i++)
            span[i] = conformance_byte(flow->seed, flow->sent + i);
        flow->sent += n;
        hr = end_commit(flow->from, n, NULL, 0, VIA_COMMIT_FLUSH);
    } else if (hr == VIA_S_WOULD_BLOCK) {
        hr = end_flush(flow->from);
    }
    if (hr != S_OK && hr != VIA_S_WOULD_BLOCK)
        conformance_fail_result(c, "sending", hr);
    return !FAILED(hr);
}

static bool flow_compare(struct conformance *c, struct flow *flow, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != conformance_byte(flow->seed, flow->received + i)) {
            conformance_fail(c, "byte %llu of the stream is wrong (seed %u)",
                             (unsigned long long)(flow->received + i), c->seed);
            return false;
        }
    }
    flow->received += n;
    return true;
}

static bool flow_receive(struct conformance *c, struct flow *flow)
{
    static uint8_t bulk[50000];
    const uint8_t *span;
    size_t n = 0;
    HRESULT hr;
    if (conformance_random(c, 3) == 0) {
        hr = end_read_into(flow->to, bulk, 1 + conformance_random(c, sizeof bulk - 1), &n);
        return hr == VIA_S_WOULD_BLOCK ||
               (CONF_RESULT(c, hr, S_OK) && flow_compare(c, flow, bulk, n));
    }
    hr = end_peek(flow->to, 1, &span, &n);
    if (hr == VIA_S_WOULD_BLOCK)
        return true;
    if (!CONF_RESULT(c, hr, S_OK))
        return false;
    n = 1 + conformance_random(c, (uint32_t)n);
    if (!flow_compare(c, flow, span, n))
        return false;
    end_consume(flow->to, n);
    return true;
}

static void test_random_sizes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    /* With a peer each step is a question to another process. */
    uint64_t total = c->peer == NULL ? 3000000 : 600000;
    struct flow flows[2] = {{&pair.client, &pair.server, 3, 0, 0, total},
                            {&pair.server, &pair.client, 4, 0, 0, total}};
    uint64_t deadline = conformance_deadline(c);
    uint64_t arrived = 0;
    bool going = true;
    while (going && (flows[0].received < flows[0].total || flows[1].received < flows[1].total)) {
        for (int i = 0; i < 2 && going; i++) {
            struct flow *flow = &flows[i];
            if (flow->sent < flow->total || conformance_random(c, 2) == 0)
                going = flow_send(c, flow);
            if (going && flow->received < flow->sent)
                going = flow_receive(c, flow);
        }
        if (flows[0].received + flows[1].received > arrived) {
            arrived = flows[0].received + flows[1].received;
            deadline = conformance_deadline(c); /* of the next bytes: a machine may be slow */
        } else if (going && conformance_now(c) > deadline) {
            going = CONF_CHECK(c, false, "the streams stopped after %llu and %llu bytes",
                               (unsigned long long)flows[0].received,
                               (unsigned long long)flows[1].received);
        }
    }
    conformance_close(c, &pair);
}

static void test_peek_keeps_partial(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *span;
    size_t size = 0;
    uint64_t deadline = conformance_deadline(c);
    if (!conformance_send(c, &pair.client, 5, 0, 10))
        goto out;
    HRESULT hr = end_peek(&pair.server, 30, &span, &size);
    while (hr == VIA_S_WOULD_BLOCK && size < 10 && conformance_now(c) < deadline)
        hr = end_peek(&pair.server, 30, &span, &size);
    CONF_RESULT(c, hr, VIA_S_WOULD_BLOCK);
    CONF_CHECK(c, size == 10, "peek of 30 bytes said that %zu of the 10 sent are there", size);
    if (!conformance_send(c, &pair.client, 5, 10, 20))
        goto out;
    do
        hr = end_peek(&pair.server, 30, &span, &size);
    while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline);
    if (CONF_RESULT(c, hr, S_OK))
        conformance_receive(c, &pair.server, 5, 0, 30);
out:
    conformance_close(c, &pair);
}

static void test_peek_again_shows_the_same(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *first;
    const uint8_t *second;
    size_t size = 0;
    uint64_t deadline = conformance_deadline(c);
    if (!conformance_send(c, &pair.client, 6, 0, 64))
        goto out;
    while (end_peek(&pair.server, 1, &first, &size) == VIA_S_WOULD_BLOCK &&
           conformance_now(c) < deadline)
        ;
    if (!CONF_CHECK(c, size >= 1, "peek of 1 byte shows %zu", size))
        goto out;
    uint8_t byte = first[0];
    CONF_RESULT(c, end_peek(&pair.server, 1, &second, &size), S_OK);
    CONF_CHECK(c, second[0] == byte, "a second peek shows other bytes");
    end_consume(&pair.server, 1);
    conformance_receive(c, &pair.server, 6, 1, 63);
out:
    conformance_close(c, &pair);
}

static void test_largest_span(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    size_t n = c->client->t->max_span < c->server->t->max_span ? c->client->t->max_span
                                                               : c->server->t->max_span;
    uint8_t *out;
    const uint8_t *in;
    size_t size;
    uint64_t deadline = conformance_deadline(c);
    /* An odd start, so that the span does not lie at a buffer's beginning by chance. */
    if (!conformance_send(c, &pair.client, 7, 0, 13) ||
        !conformance_receive(c, &pair.server, 7, 0, 12))
        goto out;
    if (!CONF_RESULT(c, end_reserve(&pair.client, n, &out, &size), S_OK) ||
        !CONF_CHECK(c, size >= n, "reserve of max_span bytes gave %zu", size))
        goto out;
    for (size_t i = 0; i < n; i++)
        out[i] = conformance_byte(7, 13 + i);
    HRESULT sent = end_commit(&pair.client, n, NULL, 0, VIA_COMMIT_FLUSH);
    HRESULT hr;
    if (!conformance_receive(c, &pair.server, 7, 12, 1))
        goto out;
    do {
        if (sent == VIA_S_WOULD_BLOCK)
            sent = end_flush(&pair.client);
        hr = end_peek(&pair.server, n, &in, &size);
    } while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline);
    if (!CONF_RESULT(c, hr, S_OK) ||
        !CONF_CHECK(c, size >= n, "peek of max_span bytes gave %zu", size))
        goto out;
    for (size_t i = 0; i < n; i++) {
        if (!CONF_CHECK(c, in[i] == conformance_byte(7, 13 + i), "byte %zu of the span is wrong",
                        i))
            break;
    }
out:
    conformance_close(c, &pair);
}

static void test_commit_gathers(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (int i = 0; i < 10; i++) {
        uint8_t *span;
        size_t size;
        if (!CONF_RESULT(c, end_reserve(&pair.client, 50, &span, &size), S_OK))
            goto out;
        for (size_t j = 0; j < 50; j++)
            span[j] = conformance_byte(8, (size_t)i * 50 + j);
        if (!CONF_RESULT(c, end_commit(&pair.client, 50, NULL, 0, 0), S_OK))
            goto out;
    }
    if (CONF_RESULT(c, end_flush(&pair.client), S_OK))
        conformance_receive(c, &pair.server, 8, 0, 500);
out:
    conformance_close(c, &pair);
}

/* Sends until the transport has enough; how many bytes it took, or 0 after a failure. `slowest_ns`:
 * of all commits. */
static uint64_t fill(struct conformance *c, struct conformance_end *end, uint32_t seed,
                     uint64_t *slowest_ns)
{
    uint64_t sent = 0;
    *slowest_ns = 0;
    for (;;) {
        uint8_t *span;
        size_t size;
        HRESULT hr = end_reserve(end, 4000, &span, &size);
        if (hr == VIA_S_WOULD_BLOCK)
            return sent;
        if (!CONF_RESULT(c, hr, S_OK))
            return 0;
        for (size_t i = 0; i < 4000; i++)
            span[i] = conformance_byte(seed, sent + i);
        sent += 4000;
        uint64_t start = conformance_now(c);
        hr = end_commit(end, 4000, NULL, 0, VIA_COMMIT_FLUSH);
        uint64_t took = conformance_now(c) - start;
        if (took > *slowest_ns)
            *slowest_ns = took;
        if (hr != VIA_S_WOULD_BLOCK && !CONF_RESULT(c, hr, S_OK))
            return 0;
        if (!CONF_CHECK(c, sent < 256u * 1024 * 1024, "256 MiB were taken and nobody reads"))
            return 0;
    }
}

static void test_full_stream_never_blocks(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    uint64_t slowest_ns;
    uint64_t total = fill(c, &pair.client, 9, &slowest_ns);
    if (total == 0)
        goto out;
    CONF_CHECK(c, slowest_ns < 2000 * CONFORMANCE_MS, "a commit blocked for %llu ms",
               (unsigned long long)(slowest_ns / CONFORMANCE_MS));
    CONF_RESULT(c, end_flush(&pair.client), VIA_S_WOULD_BLOCK);
    uint64_t received = 0;
    uint64_t deadline = conformance_deadline(c);
    while (!c->failed && received < total) {
        HRESULT hr = end_flush(&pair.client);
        if (hr != VIA_S_WOULD_BLOCK && !CONF_RESULT(c, hr, S_OK))
            break;
        const uint8_t *span;
        size_t size = 0;
        hr = end_peek(&pair.server, 1, &span, &size);
        if (hr != VIA_S_WOULD_BLOCK && !CONF_RESULT(c, hr, S_OK))
            break;
        for (size_t i = 0; i < size && !c->failed; i++)
            CONF_CHECK(c, span[i] == conformance_byte(9, received + i), "byte %llu is wrong",
                       (unsigned long long)(received + i));
        end_consume(&pair.server, size);
        received += size;
        CONF_CHECK(c, conformance_now(c) < deadline, "only %llu of %llu bytes came through",
                   (unsigned long long)received, (unsigned long long)total);
    }
out:
    conformance_close(c, &pair);
}

static void test_full_stream_becomes_writable(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    uint64_t slowest_ns;
    uint64_t total = fill(c, &pair.client, 10, &slowest_ns);
    uint64_t received = 0;
    uint64_t deadline = conformance_deadline(c);
    uint32_t armed = 0;
    while (total != 0 && !c->failed && received < total) {
        HRESULT hr = armed == pair.client.ready.n_write ? end_flush(&pair.client) : S_OK;
        if (hr == VIA_S_WOULD_BLOCK && CONF_RESULT(c, end_arm(&pair.client, VIA_READY_WRITE), S_OK))
            armed++;
        const uint8_t *span;
        size_t size = 0;
        hr = end_peek(&pair.server, 1, &span, &size);
        if (hr != VIA_S_WOULD_BLOCK && !CONF_RESULT(c, hr, S_OK))
            break;
        end_consume(&pair.server, size);
        received += size;
        CONF_CHECK(c, conformance_now(c) < deadline,
                   "%llu of %llu bytes came through: room was not reported",
                   (unsigned long long)received, (unsigned long long)total);
    }
    conformance_close(c, &pair);
}

static void test_end_comes_after_data(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    if (conformance_send(c, &pair.client, 11, 0, 5000)) {
        end_close(&pair.client);
        if (conformance_receive(c, &pair.server, 11, 0, 5000) &&
            conformance_await_end(c, &pair.server))
            conformance_await_end(c, &pair.server);
    }
    conformance_close(c, &pair);
}

static void test_finish_ends_one_direction(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_can_finish(c) || !conformance_open(c, &pair))
        return;
    if (conformance_send(c, &pair.client, 15, 0, 3000) &&
        CONF_RESULT(c, end_finish(&pair.client), S_OK) &&
        conformance_receive(c, &pair.server, 15, 0, 3000) &&
        conformance_await_end(c, &pair.server) &&
        conformance_result(c, end_is_over(&pair.server), S_FALSE,
                           "is_over of a stream whose peer has only finished") &&
        conformance_send(c, &pair.server, 16, 0, 50000) &&
        conformance_receive(c, &pair.client, 16, 0, 50000) &&
        CONF_RESULT(c, end_finish(&pair.server), S_OK))
        conformance_await_end(c, &pair.client);
    conformance_close(c, &pair);
}

static void test_send_after_peer_closed_fails(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    end_close(&pair.server);
    uint64_t deadline = conformance_deadline(c);
    HRESULT hr = S_OK;
    while (!FAILED(hr) && conformance_now(c) < deadline) {
        uint8_t *span;
        size_t size;
        hr = end_reserve(&pair.client, 100, &span, &size);
        if (hr == S_OK) {
            memset(span, 0, 100);
            hr = end_commit(&pair.client, 100, NULL, 0, VIA_COMMIT_FLUSH);
        }
    }
    conformance_result(c, hr, RPC_E_DISCONNECTED, "sending to a peer that has closed");
    conformance_close(c, &pair);
}

static void test_shutdown_ends_both_sides(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    end_shutdown(&pair.client);
    conformance_await_end(c, &pair.server);
    conformance_await_end(c, &pair.client);
    conformance_close(c, &pair);
}

static void test_park_keeps_bytes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *span;
    size_t size;
    if (!conformance_send(c, &pair.client, 12, 0, 300) ||
        !conformance_receive(c, &pair.server, 12, 0, 100))
        goto out;
    end_park(&pair.server);
    if (!conformance_receive(c, &pair.server, 12, 100, 200))
        goto out;
    end_park(&pair.server);
    end_park(&pair.client);
    CONF_RESULT(c, end_peek(&pair.server, 1, &span, &size), VIA_S_WOULD_BLOCK);
    end_park(&pair.server);
    if (conformance_send(c, &pair.client, 12, 300, 100))
        conformance_receive(c, &pair.server, 12, 300, 100);
out:
    conformance_close(c, &pair);
}

static void test_park_returns_buffers(struct conformance *c)
{
    struct conformance_pair pair;
    unsigned before = conformance_buffers_lent(c);
    if (!conformance_open(c, &pair))
        return;
    if (conformance_send(c, &pair.client, 13, 0, 5000) &&
        conformance_receive(c, &pair.server, 13, 0, 5000) &&
        conformance_send(c, &pair.server, 14, 0, 5000) &&
        conformance_receive(c, &pair.client, 14, 0, 5000)) {
        end_park(&pair.client);
        end_park(&pair.server);
        CONF_CHECK(c, conformance_buffers_lent(c) <= before,
                   "two idle streams keep %u buffers after park",
                   conformance_buffers_lent(c) - before);
    }
    conformance_close(c, &pair);
}

/* What it had committed arrives, then the end, which a wait brings if it is not there yet. */
static void test_peer_dies_after_data(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    bool connects = pair.client.side == conformance_far(c);
    struct conformance_end *here = connects ? &pair.server : &pair.client;
    struct conformance_end *there = connects ? &pair.client : &pair.server;
    if (conformance_send(c, there, 15, 0, 5000) && conformance_receive(c, here, 15, 0, 2000) &&
        conformance_kill_peer(c) && conformance_receive(c, here, 15, 2000, 3000) &&
        CONF_RESULT(c, end_wait(here, conformance_deadline(c)), S_OK))
        conformance_await_end(c, here);
    conformance_close(c, &pair);
}

const struct conformance_test conformance_bytes_tests[] = {
    {"connect_and_accept", test_connect_and_accept, CONFORMANCE_ANYWHERE},
    {"random_sizes", test_random_sizes, CONFORMANCE_ANYWHERE},
    {"peek_keeps_partial", test_peek_keeps_partial, CONFORMANCE_ANYWHERE},
    {"peek_again_shows_the_same", test_peek_again_shows_the_same, CONFORMANCE_ANYWHERE},
    {"largest_span", test_largest_span, CONFORMANCE_ANYWHERE},
    {"commit_gathers", test_commit_gathers, CONFORMANCE_ANYWHERE},
    {"full_stream_never_blocks", test_full_stream_never_blocks, CONFORMANCE_ANYWHERE},
    {"full_stream_becomes_writable", test_full_stream_becomes_writable, CONFORMANCE_ANYWHERE},
    {"end_comes_after_data", test_end_comes_after_data, CONFORMANCE_ANYWHERE},
    {"finish_ends_one_direction", test_finish_ends_one_direction, CONFORMANCE_ANYWHERE},
    {"send_after_peer_closed_fails", test_send_after_peer_closed_fails, CONFORMANCE_ANYWHERE},
    {"shutdown_ends_both_sides", test_shutdown_ends_both_sides, CONFORMANCE_ANYWHERE},
    {"park_keeps_bytes", test_park_keeps_bytes, CONFORMANCE_ANYWHERE},
    {"park_returns_buffers", test_park_returns_buffers, CONFORMANCE_ANYWHERE},
    {"peer_dies_after_data", test_peer_dies_after_data, CONFORMANCE_PEER},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
