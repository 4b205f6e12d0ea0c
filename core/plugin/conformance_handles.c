/*
 * Conformance: handles arrive in order, with their bytes, and none is lost or left behind.
 */
#include "core/plugin/conformance_parts.h"

#define MAX_HANDLES 253

static bool carries_handles(struct conformance *c)
{
    if (c->client->t->capabilities & c->server->t->capabilities & VIA_TRANSPORT_HANDLES)
        return true;
    conformance_skip(c, "the transport does not carry handles");
    return false;
}

static void handle_free(struct conformance *c, struct conformance_handle *handle)
{
    if (handle->handle != -1)
        c->client->handle_close(handle->handle);
    c->client->handle_close(handle->other);
}

/* Whether what `receiver` has received is a duplicate of the client's handle. */
static bool is_same(struct conformance *c, const struct conformance_handle *handle,
                    const struct conformance_side *receiver, via_os_handle received)
{
    return CONF_RESULT(c, receiver->handle_write(received), S_OK) &&
           c->client->handle_read(handle) == S_OK;
}

/* Makes n handles; false: the test has failed and there is none. */
static bool make_handles(struct conformance *c, struct conformance_handle *handles, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!CONF_RESULT(c, c->client->handle_make(&handles[i]), S_OK)) {
            while (i-- > 0)
                handle_free(c, &handles[i]);
            return false;
        }
    }
    return true;
}

static void free_handles(struct conformance *c, struct conformance_handle *handles, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        handle_free(c, &handles[i]);
}

/* Commits `n_bytes` of the stream `seed` with handles. */
static HRESULT commit_with(struct conformance_end *end, uint32_t seed, uint64_t position,
                           size_t n_bytes, const struct conformance_handle *handles, uint32_t n,
                           uint32_t flags)
{
    via_os_handle raw[MAX_HANDLES];
    uint8_t *span;
    size_t size;
    HRESULT hr = end_reserve(end, n_bytes, &span, &size);
    if (hr != S_OK)
        return hr;
    for (size_t i = 0; i < n_bytes; i++)
        span[i] = conformance_byte(seed, position + i);
    for (uint32_t i = 0; i < n; i++)
        raw[i] = handles[i].handle;
    return end_commit(end, n_bytes, raw, n, flags);
}

/* Takes n handles and compares them, in order. */
static bool take_and_compare(struct conformance *c, struct conformance_end *end,
                             const struct conformance_handle *handles, uint32_t n)
{
    via_os_handle taken[MAX_HANDLES];
    if (!CONF_RESULT(c, end_take_handles(end, taken, n), S_OK))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        CONF_CHECK(c, is_same(c, &handles[i], end->side, taken[i]),
                   "handle %u of %u is not the one that was sent", i, n);
        end->side->handle_close(taken[i]);
    }
    return !c->failed;
}

/* Until the first of what was sent can be seen. */
static bool await_byte(struct conformance *c, struct conformance_end *end)
{
    const uint8_t *span;
    size_t size;
    uint64_t deadline = conformance_deadline(c);
    HRESULT hr;
    while ((hr = end_peek(end, 1, &span, &size)) == VIA_S_WOULD_BLOCK &&
           conformance_now(c) < deadline)
        conformance_sleep(100000);
    return conformance_result(c, hr, S_OK, "peek of the byte with the handles");
}

static void test_handle_arrives(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handle;
    via_os_handle none;
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (make_handles(c, &handle, 1)) {
        if (CONF_RESULT(c, commit_with(&pair.client, 40, 0, 8, &handle, 1, VIA_COMMIT_FLUSH),
                        S_OK) &&
            await_byte(c, &pair.server) && take_and_compare(c, &pair.server, &handle, 1) &&
            CONF_RESULT(c, end_take_handles(&pair.server, &none, 1), VIA_E_PROTOCOL))
            conformance_receive(c, &pair.server, 40, 0, 8);
        free_handles(c, &handle, 1);
    }
    conformance_close(c, &pair);
}

static void test_handles_arrive_in_order(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handles[12];
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (make_handles(c, handles, 12)) {
        uint64_t position = 0;
        for (uint32_t i = 0; i < 4 && !c->failed; i++, position += 16)
            CONF_RESULT(
                c,
                commit_with(&pair.client, 41, position, 16, &handles[i * 3], 3, VIA_COMMIT_FLUSH),
                S_OK);
        for (uint32_t i = 0; i < 4 && !c->failed; i++) {
            if (await_byte(c, &pair.server) &&
                take_and_compare(c, &pair.server, &handles[i * 3], 3))
                conformance_receive(c, &pair.server, 41, i * 16, 16);
        }
        free_handles(c, handles, 12);
    }
    conformance_close(c, &pair);
}

static void test_most_handles(struct conformance *c)
{
    struct conformance_pair pair;
    static struct conformance_handle handles[MAX_HANDLES];
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    uint32_t n = c->client->t->max_handles < c->server->t->max_handles ? c->client->t->max_handles
                                                                       : c->server->t->max_handles;
    if (make_handles(c, handles, n)) {
        if (CONF_RESULT(c, commit_with(&pair.client, 42, 0, 1, handles, n, VIA_COMMIT_FLUSH),
                        S_OK) &&
            await_byte(c, &pair.server))
            take_and_compare(c, &pair.server, handles, n);
        free_handles(c, handles, n);
    }
    conformance_close(c, &pair);
}

/* Commits that wait for a flush: each handle still belongs to its own commit's first byte. */
static void test_handles_of_gathered_commits(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handles[3];
    via_os_handle early[2];
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (make_handles(c, handles, 3)) {
        uint64_t position = 0;
        for (uint32_t i = 0; i < 3 && !c->failed; i++) {
            conformance_result(c, commit_with(&pair.client, 43, position, 10, NULL, 0, 0), S_OK,
                               "commit without a flush");
            conformance_result(c,
                               commit_with(&pair.client, 43, position + 10, 10, &handles[i], 1, 0),
                               S_OK, "commit with a handle, without a flush");
            position += 20;
        }
        if (CONF_RESULT(c, end_flush(&pair.client), S_OK) &&
            conformance_receive(c, &pair.server, 43, 0, 10) && await_byte(c, &pair.server) &&
            CONF_RESULT(c, end_take_handles(&pair.server, early, 1), S_OK)) {
            CONF_CHECK(c, is_same(c, &handles[0], c->server, early[0]),
                       "the first handle is not the one that was sent first");
            c->server->handle_close(early[0]);
            conformance_receive(c, &pair.server, 43, 10, 20);
            if (!c->failed && await_byte(c, &pair.server) &&
                take_and_compare(c, &pair.server, &handles[1], 1) &&
                conformance_receive(c, &pair.server, 43, 30, 20) && await_byte(c, &pair.server))
                take_and_compare(c, &pair.server, &handles[2], 1);
        }
        free_handles(c, handles, 3);
    }
    conformance_close(c, &pair);
}

/* The caller may close its handles as soon as commit returns, also when the stream is full. */
static void test_handle_outlives_full_stream(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handle;
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (!make_handles(c, &handle, 1))
        goto out;
    uint64_t position = 0;
    HRESULT hr = S_OK;
    while (hr == S_OK && position < (256u << 20)) {
        hr = commit_with(&pair.client, 44, position, 8000, NULL, 0, VIA_COMMIT_FLUSH);
        position += 8000;
    }
    if (CONF_RESULT(c, hr, VIA_S_WOULD_BLOCK)) {
        hr = commit_with(&pair.client, 44, position, 8, &handle, 1, VIA_COMMIT_FLUSH);
        CONF_RESULT(c, hr, VIA_S_WOULD_BLOCK);
        c->client->handle_close(handle.handle);
        handle.handle = -1;
        uint64_t deadline = conformance_deadline(c);
        uint64_t received = 0;
        while (!c->failed && received < position) {
            const uint8_t *span;
            size_t size = 0;
            end_flush(&pair.client);
            hr = end_peek(&pair.server, 1, &span, &size);
            if (size > position - received)
                size = (size_t)(position - received);
            end_consume(&pair.server, size);
            received += size;
            CONF_CHECK(c, !FAILED(hr) && conformance_now(c) < deadline,
                       "%llu of %llu bytes came through", (unsigned long long)received,
                       (unsigned long long)position);
        }
        while (!c->failed && end_flush(&pair.client) == VIA_S_WOULD_BLOCK)
            ;
        if (!c->failed && await_byte(c, &pair.server))
            take_and_compare(c, &pair.server, &handle, 1);
    }
    free_handles(c, &handle, 1);
out:
    conformance_close(c, &pair);
}

static void test_too_few_handles(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handles[2];
    via_os_handle taken[3];
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (make_handles(c, handles, 2)) {
        if (CONF_RESULT(c, commit_with(&pair.client, 45, 0, 8, handles, 2, VIA_COMMIT_FLUSH),
                        S_OK) &&
            await_byte(c, &pair.server) &&
            conformance_result(c, end_take_handles(&pair.server, taken, 3), VIA_E_PROTOCOL,
                               "taking three handles when two have arrived"))
            take_and_compare(c, &pair.server, handles, 2);
        free_handles(c, handles, 2);
    }
    conformance_close(c, &pair);
}

static void test_untaken_handles_are_closed(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handle;
    if (!carries_handles(c) || !conformance_open(c, &pair))
        return;
    if (make_handles(c, &handle, 1)) {
        CONF_RESULT(c, commit_with(&pair.client, 46, 0, 8, &handle, 1, VIA_COMMIT_FLUSH), S_OK);
        if (!c->failed)
            conformance_receive(c, &pair.server, 46, 0, 8);
        conformance_close(c, &pair);
        c->client->handle_close(handle.handle);
        handle.handle = -1;
        CONF_CHECK(c, c->failed || c->client->handle_alone(&handle) == S_OK,
                   "a handle that nobody took is still open after close");
        handle_free(c, &handle);
        return;
    }
    conformance_close(c, &pair);
}

/* What comes with handles that are refused arrives as ever; of the handles nothing is left. */
static void test_refused_handles_are_closed(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handle;
    via_os_handle taken;
    if (!carries_handles(c))
        return;
    if (c->server->t->size < offsetof(struct via_transport, refuse_handles) + sizeof(void *) ||
        c->server->t->refuse_handles == NULL) {
        conformance_skip(c, "the transport refuses no handles");
        return;
    }
    if (!conformance_open(c, &pair))
        return;
    if (make_handles(c, &handle, 1)) {
        c->server->t->refuse_handles(pair.server.stream);
        CONF_RESULT(c, commit_with(&pair.client, 47, 0, 8, &handle, 1, VIA_COMMIT_FLUSH), S_OK);
        if (!c->failed && conformance_receive(c, &pair.server, 47, 0, 8))
            CONF_RESULT(c, end_take_handles(&pair.server, &taken, 1), VIA_E_PROTOCOL);
        c->client->handle_close(handle.handle);
        handle.handle = -1;
        CONF_CHECK(c, c->failed || c->client->handle_alone(&handle) == S_OK,
                   "a handle that was refused is still open");
        CONF_RESULT(c, commit_with(&pair.client, 47, 8, 8, NULL, 0, VIA_COMMIT_FLUSH), S_OK);
        if (!c->failed)
            conformance_receive(c, &pair.server, 47, 8, 8);
        handle_free(c, &handle);
    }
    conformance_close(c, &pair);
}

/* After all they are to come. */
static void test_handles_are_expected_again(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_handle handle;
    if (!carries_handles(c))
        return;
    if (c->server->t->size < offsetof(struct via_transport, expect_handles) + sizeof(void *) ||
        c->server->t->expect_handles == NULL) {
        conformance_skip(c, "the transport takes no refusal of handles back");
        return;
    }
    if (!conformance_open(c, &pair))
        return;
    if (make_handles(c, &handle, 1)) {
        c->server->t->refuse_handles(pair.server.stream);
        CONF_RESULT(c, commit_with(&pair.client, 48, 0, 8, NULL, 0, VIA_COMMIT_FLUSH), S_OK);
        if (!c->failed && conformance_receive(c, &pair.server, 48, 0, 8)) {
            c->server->t->expect_handles(pair.server.stream);
            CONF_RESULT(c, commit_with(&pair.client, 48, 8, 8, &handle, 1, VIA_COMMIT_FLUSH), S_OK);
            if (!c->failed && await_byte(c, &pair.server))
                take_and_compare(c, &pair.server, &handle, 1);
        }
        free_handles(c, &handle, 1);
    }
    conformance_close(c, &pair);
}

const struct conformance_test conformance_handles_tests[] = {
    {"handle_arrives", test_handle_arrives, CONFORMANCE_ANYWHERE},
    {"handles_arrive_in_order", test_handles_arrive_in_order, CONFORMANCE_ANYWHERE},
    {"most_handles", test_most_handles, CONFORMANCE_ANYWHERE},
    {"handles_of_gathered_commits", test_handles_of_gathered_commits, CONFORMANCE_ANYWHERE},
    {"handle_outlives_full_stream", test_handle_outlives_full_stream, CONFORMANCE_ANYWHERE},
    {"too_few_handles", test_too_few_handles, CONFORMANCE_ANYWHERE},
    {"untaken_handles_are_closed", test_untaken_handles_are_closed, CONFORMANCE_ANYWHERE},
    {"refused_handles_are_closed", test_refused_handles_are_closed, CONFORMANCE_ANYWHERE},
    {"handles_are_expected_again", test_handles_are_expected_again, CONFORMANCE_ANYWHERE},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
