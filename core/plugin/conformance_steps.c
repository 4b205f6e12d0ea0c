/*
 * What the tests of the conformance suite are made of: verdicts, random numbers, pairs of streams,
 * bytes sent and compared.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/clock.h"
#include "core/plugin/conformance_peer.h"
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conformance_fail(struct conformance *c, const char *format, ...)
{
    if (c->failed)
        return;
    c->failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->message, sizeof c->message, format, arguments);
    va_end(arguments);
}

void conformance_skip(struct conformance *c, const char *reason)
{
    if (c->failed || c->skipped)
        return;
    c->skipped = true;
    snprintf(c->message, sizeof c->message, "%s", reason);
}

static const char *result_name(HRESULT hr, char buffer[16])
{
    const char *name = error_code_name(hr);
    if (hr == VIA_S_WOULD_BLOCK)
        name = "VIA_S_WOULD_BLOCK";
    else if (hr == VIA_S_INTERRUPTED)
        name = "VIA_S_INTERRUPTED";
    if (name == NULL)
        snprintf(buffer, 16, "0x%08x", (unsigned)hr);
    return name != NULL ? name : buffer;
}

bool conformance_result(struct conformance *c, HRESULT actual, HRESULT expected, const char *what)
{
    char names[2][16];
    char text[256] = "";
    if (actual == expected)
        return true;
    if (FAILED(actual))
        error_format(error_get(), actual, text, sizeof text);
    conformance_fail(c, "%s: %s, expected %s%s%s", what, result_name(actual, names[0]),
                     result_name(expected, names[1]), text[0] != 0 ? ": " : "", text);
    return false;
}

void conformance_fail_result(struct conformance *c, const char *what, HRESULT hr)
{
    conformance_result(c, hr, S_OK, what);
}

uint32_t conformance_random(struct conformance *c, uint32_t below)
{
    /* splitmix64 */
    uint64_t z = c->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (uint32_t)((z ^ (z >> 31)) >> 16) % below;
}

uint64_t conformance_now(struct conformance *c)
{
    return c->host->now_ns();
}

uint64_t conformance_deadline(struct conformance *c)
{
    return conformance_now(c) + CONFORMANCE_PATIENCE_NS;
}

void conformance_sleep(uint64_t ns)
{
    if (ns < CONFORMANCE_MS)
        os_thread_yield();
    else
        os_sleep_ms((uint32_t)(ns / CONFORMANCE_MS));
}

/* Ports below those that the system gives out by itself. */
#define FIRST_PORT 10000u
#define N_PORTS    22000u

void conformance_address(struct conformance *c, char *address, size_t size)
{
    if (strcmp(c->plugin->schemes[0], "tcp") == 0) {
        snprintf(address, size, "127.0.0.1:%u",
                 FIRST_PORT + (c->seed + c->n_addresses++) % N_PORTS);
        return;
    }
    snprintf(address, size, "%s%x-%u", c->prefix, c->seed, c->n_addresses++);
}

void conformance_on_ready(void *token, uint32_t events)
{
    struct conformance_ready *ready = token;
    if (events & VIA_READY_READ)
        ready->n_read++;
    if (events & VIA_READY_WRITE)
        ready->n_write++;
    if (events & VIA_READY_CLOSED)
        ready->n_closed++;
    ready->n_calls++;
}

bool conformance_await(struct conformance *c, _Atomic uint32_t *counter, uint32_t n)
{
    uint64_t deadline = conformance_deadline(c);
    while (*counter < n) {
        if (conformance_now(c) > deadline) {
            conformance_fail(c, "an event did not come: %u of %u", *counter, n);
            return false;
        }
        conformance_sleep(50000);
    }
    return true;
}

bool conformance_quiet(struct conformance *c, _Atomic uint32_t *counter, uint32_t n,
                       const char *what)
{
    conformance_sleep(CONFORMANCE_QUIET_NS);
    return CONF_CHECK(c, *counter == n, "%s: %u reports, %u were due", what, *counter, n);
}

/* --- pairs --- */

bool conformance_listen(struct conformance *c, struct conformance_pair *pair)
{
    memset(pair, 0, sizeof *pair);
    pair->client.side = c->client;
    pair->server.side = c->server;
    conformance_address(c, pair->address, sizeof pair->address);
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 64, 0};
    HRESULT hr = c->server->t->listen(pair->address, &options, conformance_on_ready,
                                      &pair->listening, &pair->listener);
    return conformance_result(c, hr, S_OK, "listen");
}

bool conformance_accept(struct conformance *c, struct via_listener *listener,
                        struct conformance_end *end)
{
    uint64_t deadline = conformance_deadline(c);
    HRESULT hr;
    end->side = c->server;
    while ((hr = c->server->t->listener_accept(listener, &end->stream)) == VIA_S_WOULD_BLOCK &&
           conformance_now(c) < deadline)
        conformance_sleep(50000);
    return conformance_result(c, hr, S_OK, "listener_accept");
}

bool conformance_set_ready(struct conformance *c, struct conformance_end *end)
{
    HRESULT hr = end->side->t->set_ready(end->stream, conformance_on_ready, &end->ready);
    return conformance_result(c, hr, S_OK, "set_ready");
}

HRESULT conformance_connect_to(struct conformance *c, const char *address,
                               uint32_t check_server_owner, struct conformance_end *end)
{
    struct via_connect_options options = {sizeof options, check_server_owner, 0};
    uint64_t deadline = conformance_deadline(c);
    HRESULT hr;
    end->side = c->client;
    end->stream = NULL;
    while ((hr = c->client->t->connect(address, &options, &end->stream)) == VIA_S_WOULD_BLOCK &&
           conformance_now(c) < deadline)
        conformance_sleep(50000);
    if (hr != S_OK)
        return hr;
    while ((hr = end_is_connected(end)) == S_FALSE && conformance_now(c) < deadline)
        conformance_sleep(50000);
    if (hr != S_OK)
        end_close(end);
    return hr;
}

bool conformance_connect(struct conformance *c, struct conformance_pair *pair)
{
    HRESULT hr = conformance_connect_to(c, pair->address, 0, &pair->client);
    return conformance_result(c, hr, S_OK, "connect") &&
           conformance_accept(c, pair->listener, &pair->server) &&
           conformance_set_ready(c, &pair->client) && conformance_set_ready(c, &pair->server);
}

bool conformance_open(struct conformance *c, struct conformance_pair *pair)
{
    if (!conformance_listen(c, pair))
        return false;
    if (conformance_connect(c, pair))
        return true;
    conformance_close(c, pair);
    return false;
}

void conformance_close(struct conformance *c, struct conformance_pair *pair)
{
    end_close(&pair->client);
    end_close(&pair->server);
    if (pair->listener != NULL)
        c->server->t->listener_close(pair->listener);
    pair->listener = NULL;
}

bool conformance_can_finish(struct conformance *c)
{
    if (side_can_finish(c->client) && side_can_finish(c->server))
        return true;
    conformance_skip(c, "its streams end only as a whole");
    return false;
}

bool conformance_await_end(struct conformance *c, struct conformance_end *end)
{
    const uint8_t *span;
    size_t size;
    uint64_t deadline = conformance_deadline(c);
    HRESULT hr;
    do
        hr = end_peek(end, 1, &span, &size);
    while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline);
    return conformance_result(c, hr, RPC_E_DISCONNECTED, "peek after the peer has closed");
}

const struct conformance_side *conformance_far(const struct conformance *c)
{
    return c->client == c->local ? c->server : c->client;
}

bool conformance_kill_peer(struct conformance *c)
{
    return CONF_RESULT(c, conformance_peer_kill(c->peer), S_OK);
}

unsigned conformance_buffers_lent(const struct conformance *c)
{
    unsigned n = c->client->buffers_lent();
    return c->server == c->client ? n : n + c->server->buffers_lent();
}

/* --- bytes --- */

uint8_t conformance_byte(uint32_t seed, uint64_t position)
{
    uint64_t x = (position + seed * 0x10001ull) * 0x9e3779b97f4a7c15ull;
    return (uint8_t)(x >> 56);
}

bool conformance_send(struct conformance *c, struct conformance_end *end, uint32_t seed,
                      uint64_t position, size_t n)
{
    uint8_t *span;
    size_t size;
    if (!CONF_RESULT(c, end_reserve(end, n, &span, &size), S_OK) ||
        !CONF_CHECK(c, size >= n, "reserve of %zu bytes gave %zu", n, size))
        return false;
    for (size_t i = 0; i < n; i++)
        span[i] = conformance_byte(seed, position + i);
    HRESULT hr = end_commit(end, n, NULL, 0, VIA_COMMIT_FLUSH);
    uint64_t deadline = conformance_deadline(c);
    while (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline)
        hr = end_flush(end);
    return conformance_result(c, hr, S_OK, "commit");
}

bool conformance_receive(struct conformance *c, struct conformance_end *end, uint32_t seed,
                         uint64_t position, size_t n)
{
    uint64_t deadline = conformance_deadline(c);
    uint64_t limit = position + n;
    while (position < limit) {
        const uint8_t *span;
        size_t size;
        HRESULT hr = end_peek(end, 1, &span, &size);
        if (hr == VIA_S_WOULD_BLOCK && conformance_now(c) < deadline) {
            conformance_sleep(50000);
            continue;
        }
        if (!conformance_result(c, hr, S_OK, "peek of bytes that were sent"))
            return false;
        if (size > limit - position)
            size = (size_t)(limit - position);
        for (size_t i = 0; i < size; i++) {
            if (!CONF_CHECK(c, span[i] == conformance_byte(seed, position + i),
                            "byte %llu of the stream is wrong", (unsigned long long)(position + i)))
                return false;
        }
        end_consume(end, size);
        position += size;
    }
    return true;
}
