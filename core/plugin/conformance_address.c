/*
 * Conformance: names, who listens, who the peer is, and a plugin's own life.
 */
#include "core/plugin/conformance_parts.h"

#include <string.h>

static HRESULT listen_on(const struct conformance_side *side, const char *address,
                         struct conformance_ready *ready, struct via_listener **listener)
{
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 16, 0};
    return side->t->listen(address, &options, conformance_on_ready, ready, listener);
}

static void test_nobody_listens(struct conformance *c)
{
    char address[256];
    struct conformance_end end;
    conformance_address(c, address, sizeof address);
    conformance_result(c, conformance_connect_to(c, address, 0, &end), VIA_WIN32(2),
                       "connect where nobody listens");
}

static void test_address_in_use(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_ready ready = {0};
    struct via_listener *second;
    if (!conformance_listen(c, &pair))
        return;
    /* By the other side: whose the name is does not depend on who asks. */
    HRESULT hr = listen_on(c->client, pair.address, &ready, &second);
    if (hr == S_OK)
        c->client->t->listener_close(second);
    conformance_result(c, hr, VIA_E_ADDRESS_IN_USE, "a second listener on one address");
    if (!c->failed)
        conformance_connect(c, &pair); /* the first is still there */
    conformance_close(c, &pair);
}

static void test_name_is_free_after_close(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_end end;
    struct via_listener *again;
    struct conformance_ready ready = {0};
    if (!conformance_listen(c, &pair))
        return;
    c->server->t->listener_close(pair.listener);
    pair.listener = NULL;
    if (conformance_result(c, conformance_connect_to(c, pair.address, 0, &end), VIA_WIN32(2),
                           "connect after the listener has closed") &&
        conformance_result(c, listen_on(c->server, pair.address, &ready, &again), S_OK,
                           "listening again on a name that was given back"))
        c->server->t->listener_close(again);
    conformance_close(c, &pair);
}

static void test_streams_outlive_listener(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    c->server->t->listener_close(pair.listener);
    pair.listener = NULL;
    if (conformance_send(c, &pair.client, 50, 0, 100))
        conformance_receive(c, &pair.server, 50, 0, 100);
    conformance_close(c, &pair);
}

static void test_malformed_name(struct conformance *c)
{
    char address[4000];
    struct via_listener *listener;
    struct conformance_end end;
    struct conformance_ready ready = {0};
    conformance_address(c, address, 256);
    size_t length = strlen(address);
    memset(address + length, 'x', sizeof address - 1 - length);
    address[sizeof address - 1] = 0;
    HRESULT hr = listen_on(c->server, address, &ready, &listener);
    if (hr == S_OK)
        c->server->t->listener_close(listener);
    conformance_result(c, hr, VIA_E_ADDRESS, "listening on a name of 4000 bytes");
    conformance_result(c, conformance_connect_to(c, address, 0, &end), VIA_E_ADDRESS,
                       "connecting to a name of 4000 bytes");
}

static void test_connect_before_accept(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_listen(c, &pair))
        return;
    if (CONF_RESULT(c, conformance_connect_to(c, pair.address, 0, &pair.client), S_OK)) {
        /* The server has not accepted yet: the bytes wait for it. */
        conformance_send(c, &pair.client, 51, 0, 100);
        if (!c->failed && conformance_accept(c, pair.listener, &pair.server))
            conformance_receive(c, &pair.server, 51, 0, 100);
    }
    conformance_close(c, &pair);
}

static void test_client_leaves_before_accept(struct conformance *c)
{
    struct conformance_pair pair;
    struct conformance_end end;
    if (!conformance_listen(c, &pair))
        return;
    if (CONF_RESULT(c, conformance_connect_to(c, pair.address, 0, &end), S_OK)) {
        end_close(&end);
        /* Whatever the listener makes of it, the next client is served. */
        if (CONF_RESULT(c, conformance_connect_to(c, pair.address, 0, &pair.client), S_OK) &&
            conformance_send(c, &pair.client, 52, 0, 10)) {
            bool served = false;
            uint64_t deadline = conformance_deadline(c);
            while (!served && !c->failed && conformance_now(c) < deadline) {
                const uint8_t *span;
                size_t size;
                HRESULT hr = S_OK;
                if (!conformance_accept(c, pair.listener, &pair.server))
                    break;
                while ((hr = end_peek(&pair.server, 1, &span, &size)) == VIA_S_WOULD_BLOCK &&
                       conformance_now(c) < deadline)
                    conformance_sleep(100000);
                served = hr == S_OK;
                if (!served) {
                    end_close(&pair.server);
                }
            }
            CONF_CHECK(c, c->failed || served, "the client after one that left was not served");
        }
    }
    conformance_close(c, &pair);
}

static void check_identity(struct conformance *c, struct conformance_end *end,
                           const struct conformance_side *peer, const char *whose)
{
    struct via_peer_identity actual = {.size = sizeof actual};
    struct via_peer_identity own;
    HRESULT hr = end_peer_identity(end, &actual);
    if (hr == S_FALSE) {
        CONF_CHECK(c, actual.flags == 0, "%s: S_FALSE, but flags %#x", whose, actual.flags);
        conformance_skip(c, "the transport cannot tell who its peer is");
        return;
    }
    if (!conformance_result(c, hr, S_OK, whose) ||
        !CONF_CHECK(c, actual.flags != 0, "%s: S_OK, but no flags", whose))
        return;
    if (!CONF_RESULT(c, peer->identity(actual.flags, &own), S_OK))
        return;
    if (actual.flags & VIA_PEER_HAS_UNIX)
        CONF_CHECK(c, actual.uid == own.uid && actual.gid == own.gid,
                   "%s: user %u group %u; it is %u and %u", whose, actual.uid, actual.gid, own.uid,
                   own.gid);
    if (actual.flags & VIA_PEER_HAS_PID)
        CONF_CHECK(c, actual.pid == own.pid, "%s: process %u; it is %u", whose, actual.pid,
                   own.pid);
    if (actual.flags & VIA_PEER_HAS_SID)
        CONF_CHECK(c, strcmp(actual.sid, own.sid) == 0, "%s: SID %s; it is %s", whose, actual.sid,
                   own.sid);
}

static void test_identity(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    check_identity(c, &pair.server, c->client, "the client's identity");
    check_identity(c, &pair.client, c->server, "the server's identity");
    conformance_close(c, &pair);
}

static void test_owner_is_checked(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_listen(c, &pair))
        return;
    conformance_result(c, conformance_connect_to(c, pair.address, 1, &pair.client), S_OK,
                       "connecting to a server of one's own user");
    conformance_close(c, &pair);
}

static void test_init_repeats(struct conformance *c)
{
    struct conformance_pair pair;
    if (CONF_RESULT(c, c->plugin->init(c->host), S_FALSE)) {
        c->plugin->deinit();
        /* One deinit for each init: it is still up. */
        if (conformance_open(c, &pair)) {
            if (conformance_send(c, &pair.client, 53, 0, 10))
                conformance_receive(c, &pair.server, 53, 0, 10);
            conformance_close(c, &pair);
        }
    }
}

static void test_init_after_deinit(struct conformance *c)
{
    struct conformance_pair pair;
    c->plugin->deinit();
    HRESULT hr = c->plugin->init(c->host);
    if (conformance_result(c, hr, S_OK, "init after deinit") && conformance_open(c, &pair)) {
        if (conformance_send(c, &pair.client, 54, 0, 10))
            conformance_receive(c, &pair.server, 54, 0, 10);
        conformance_close(c, &pair);
    }
}

/* When the system has cleared up behind it, which nobody can wait for. */
static void test_name_of_the_dead_is_free(struct conformance *c)
{
    struct conformance_ready ready = {0};
    struct via_listener *theirs;
    struct via_listener *listener;
    char address[256];
    conformance_address(c, address, sizeof address);
    if (!CONF_RESULT(c, listen_on(conformance_far(c), address, &ready, &theirs), S_OK))
        return;
    if (conformance_kill_peer(c)) {
        uint64_t deadline = conformance_deadline(c);
        HRESULT hr;
        while ((hr = listen_on(c->local, address, &ready, &listener)) == VIA_E_ADDRESS_IN_USE &&
               conformance_now(c) < deadline)
            conformance_sleep(CONFORMANCE_MS);
        if (conformance_result(c, hr, S_OK, "listening on the name of one that was killed"))
            c->local->t->listener_close(listener);
    }
    conformance_far(c)->t->listener_close(theirs);
}

const struct conformance_test conformance_address_tests[] = {
    {"nobody_listens", test_nobody_listens, CONFORMANCE_ANYWHERE},
    {"address_in_use", test_address_in_use, CONFORMANCE_ANYWHERE},
    {"name_is_free_after_close", test_name_is_free_after_close, CONFORMANCE_ANYWHERE},
    {"streams_outlive_listener", test_streams_outlive_listener, CONFORMANCE_ANYWHERE},
    {"malformed_name", test_malformed_name, CONFORMANCE_ALONE},
    {"connect_before_accept", test_connect_before_accept, CONFORMANCE_ANYWHERE},
    {"client_leaves_before_accept", test_client_leaves_before_accept, CONFORMANCE_ANYWHERE},
    {"identity", test_identity, CONFORMANCE_ANYWHERE},
    {"owner_is_checked", test_owner_is_checked, CONFORMANCE_ANYWHERE},
    {"init_repeats", test_init_repeats, CONFORMANCE_ALONE},
    {"init_after_deinit", test_init_after_deinit, CONFORMANCE_ALONE},
    {"name_of_the_dead_is_free", test_name_of_the_dead_is_free, CONFORMANCE_PEER},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
