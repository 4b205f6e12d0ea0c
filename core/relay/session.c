/*
 * A session: a client and the target that it is joined to.
 *
 * WAITS (the target is not there yet, or is being connected to: nothing is read from the client,
 * whose bytes stay in its own socket) -> OPEN -> DEAD (to be closed by the next post). A client
 * that waits longer than the relay's patience is disconnected.
 */
#include "core/relay/relay_parts.h"

#include "core/os/clock.h"
#include "core/os/identity.h"
#include "core/plugin/plugin_set.h"
#include "core/relay/pattern.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>

/* Between two tries to reach a target: from the first to the last. */
#define MIN_BACK_OFF_MS 20u
#define MAX_BACK_OFF_MS 500u
/* A session whose one side is gone, or has said its last word to one that cannot be told, ends when
 * nothing has moved for so long. */
#define HALF_LIMIT_NS (30ull * 1000000000u)

static void on_ready(void *token, uint32_t events)
{
    struct relay_end *end = token;
    struct relay_session *session = end->session;
    bool is_client = end == &session->ends[CLIENT];
    if (session->stage == SESSION_WAITS) { /* the connection is made, or has failed: a tick looks */
        session->retry_ns = os_now_ns();
        timer_need(session->relay->set, session->retry_ns);
    }
    if (session->stage == SESSION_OPEN && (events & VIA_READY_CLOSED))
        flow_source_closed(session, is_client ? TO_TARGET : TO_CLIENT);
    if (session->stage == SESSION_OPEN && (events & VIA_READY_WRITE))
        flow_pump(session, is_client ? TO_CLIENT : TO_TARGET);
    if (session->stage == SESSION_OPEN && (events & VIA_READY_READ))
        flow_pump(session, is_client ? TO_TARGET : TO_CLIENT);
}

static void refuse_handles(const struct relay_end *end)
{
    const struct via_transport *transport = end->transport;
    if (transport->size > offsetof(struct via_transport, refuse_handles) &&
        transport->refuse_handles != NULL)
        transport->refuse_handles(end->stream);
}

/* A stream has been put into it. */
static HRESULT prepare(struct relay_end *end)
{
    const struct via_transport *transport = end->transport;
    end->keeps_messages =
        transport->size >= offsetof(struct via_transport, read_message) + sizeof(void *) &&
        transport->keeps_messages != NULL && transport->read_message != NULL &&
        transport->keeps_messages(end->stream) == S_OK;
    return transport->set_ready(end->stream, on_ready, end);
}

/* --- the target --- */

static HRESULT check_server(struct relay *relay, const struct relay_end *end, const char *address)
{
    struct via_peer_identity identity = {.size = sizeof identity};
    char text[256];
    HRESULT hr = end->transport->peer_identity(end->stream, &identity);
    /* A transport that cannot tell was chosen by who wrote the configuration. */
    if (hr == S_FALSE ||
        (SUCCEEDED(hr) && access_allows(&relay->trust, &identity, end->transport, end->stream)))
        return S_OK;
    if (FAILED(hr))
        return hr;
    return error_set(VIA_E_IDENTITY,
                     "the server at %s is %s, who is neither you nor privileged nor trusted",
                     address, os_identity_format(&identity, text, sizeof text));
}

static HRESULT begin_connection(struct relay_session *session, const char *address)
{
    struct relay *relay = session->relay;
    struct relay_end *end = &session->ends[TARGET];
    struct via_connect_options options = {sizeof options, 0, relay->open_flags};
    const char *rest;
    HRESULT hr = plugin_set_resolve(relay->set->plugins, address, &end->transport, &rest);
    if (SUCCEEDED(hr))
        hr = end->transport->connect(rest, &options, &end->stream);
    if (hr == VIA_S_WOULD_BLOCK)
        return error_set(VIA_E_LIMIT, "all places of the server at %s are taken", address);
    return SUCCEEDED(hr) ? prepare(end) : hr;
}

/* S_FALSE: it is still being made, and its end will be reported. */
static HRESULT check_connection(struct relay_session *session)
{
    struct relay_end *end = &session->ends[TARGET];
    HRESULT hr = S_OK;
    if (end->transport->size >=
            offsetof(struct via_transport, is_connected) + sizeof end->transport->is_connected &&
        end->transport->is_connected != NULL)
        hr = end->transport->is_connected(end->stream);
    if (hr == S_FALSE && os_now_ns() >= session->give_up_ns)
        return error_set(RPC_E_TIMEOUT, "nobody answers in time");
    if (hr != S_FALSE)
        return hr;
    hr = end->transport->arm(end->stream, VIA_READY_WRITE);
    return SUCCEEDED(hr) ? S_FALSE : hr;
}

/* Begins a connection, or goes on with the one that is being made. As check_connection. */
static HRESULT connect_to(struct relay_session *session, const char *address)
{
    struct relay_end *end = &session->ends[TARGET];
    HRESULT hr = end->stream == NULL ? begin_connection(session, address) : S_OK;
    if (SUCCEEDED(hr))
        hr = check_connection(session);
    if (FAILED(hr) && !plugin_address_is_named(address, error_get() ? error_get()->text : ""))
        hr = error_wrap(hr, "cannot connect to %s", address);
    if (hr == S_OK)
        hr = check_server(session->relay, end, address);
    if (FAILED(hr) && end->stream != NULL) {
        end->transport->close(end->stream);
        end->stream = NULL;
    }
    return hr;
}

static void forget_failure(struct relay_session *session)
{
    error_record_free(session->failure);
    session->failure = NULL;
    session->failure_code = S_OK;
}

/* Takes the thread's error. Of several targets the first one's counts; that nobody answers in time
 * only while nothing else is known of it: when a client's time is up the last try has just begun.
 */
static void note_failure(struct relay_session *session, HRESULT hr)
{
    if (session->failure_code != S_OK &&
        (session->at_target > session->at_failure ||
         (session->at_target == session->at_failure && hr == RPC_E_TIMEOUT)))
        return;
    forget_failure(session);
    session->failure = error_take();
    session->failure_code = hr;
    session->at_failure = session->at_target;
}

/* The first of the relay's targets that can be reached, from the one that is being connected to on;
 * otherwise what has been noted. As check_connection. */
static HRESULT connect_any(struct relay_session *session)
{
    char **targets = session->relay->targets;
    for (; targets[session->at_target] != NULL; session->at_target++) {
        char *address;
        HRESULT hr = pattern_expand(targets[session->at_target], &session->client, &address);
        if (SUCCEEDED(hr)) {
            hr = connect_to(session, address);
            free(address);
        }
        if (SUCCEEDED(hr))
            return hr;
        note_failure(session, hr);
    }
    session->at_target = 0;
    return session->failure_code;
}

static void open_session(struct relay_session *session)
{
    struct relay *relay = session->relay;
    forget_failure(session);
    relay_set_down(relay, false, NULL);
    if (relay->is_said)
        log_info("relay", "%s: the target is there again", relay->listen);
    relay->is_said = false;
    list_remove(&session->link);
    list_append(&relay->open, &session->link);
    session->stage = SESSION_OPEN;
    session->last_ns = os_now_ns();
    if (relay->idle_ms != 0)
        timer_need(relay->set, os_deadline_ms(relay->idle_ms));
    refuse_handles(&session->ends[TARGET]);
    flow_pump(session, TO_TARGET);
    if (session->stage == SESSION_OPEN)
        flow_pump(session, TO_CLIENT);
}

/* No target could be reached. The status says why at once, unless the target may be there; the log
 * once, when a client is disconnected for it. */
static void tell_failure(const struct relay_session *session, bool is_last)
{
    struct relay *relay = session->relay;
    HRESULT hr = session->failure_code;
    char text[ERROR_TEXT_SIZE];
    error_format(session->failure, hr, text, sizeof text);
    if (is_last || (hr != RPC_E_TIMEOUT && hr != VIA_E_LIMIT))
        relay_set_down(relay, true, text);
    if (is_last && !relay->is_said)
        log_warning("relay", "%s: clients are disconnected: %s", relay->listen, text);
    relay->is_said |= is_last;
}

static void give_up(struct relay_session *session)
{
    relay_count(session->relay, COUNT_UNREACHABLE, 1);
    tell_failure(session, true);
    session_end(session);
}

static void try_again(struct relay_session *session)
{
    tell_failure(session, false);
    session->retry_ns = os_deadline_ms(session->back_off_ms);
    session->back_off_ms *= 2;
    if (session->back_off_ms > MAX_BACK_OFF_MS)
        session->back_off_ms = MAX_BACK_OFF_MS;
    if (session->retry_ns > session->give_up_ns)
        session->retry_ns = session->give_up_ns;
    timer_need(session->relay->set, session->retry_ns);
}

/* In no callback of the target's stream, which may be closed. */
static void try_target(struct relay_session *session)
{
    HRESULT hr = connect_any(session);
    if (hr == S_OK) {
        open_session(session);
    } else if (hr == S_FALSE) {
        session->retry_ns = session->give_up_ns;
        timer_need(session->relay->set, session->retry_ns);
    } else if (os_now_ns() >= session->give_up_ns) {
        give_up(session);
    } else {
        try_again(session);
    }
    error_clear();
}

/* --- the client --- */

static void refuse(struct relay *relay, const struct via_peer_identity *client, const char *why)
{
    char text[256];
    relay_count(relay, COUNT_REFUSED, 1);
    log_info("relay", "%s: refused: %s: %s", relay->listen,
             os_identity_format(client, text, sizeof text), why);
}

static const char *reason_to_refuse(struct relay *relay, struct relay_session *session)
{
    struct relay_end *end = &session->ends[CLIENT];
    session->client.size = sizeof session->client;
    if (FAILED(end->transport->peer_identity(end->stream, &session->client)))
        session->client.flags = 0;
    if (!access_allows(&relay->access, &session->client, end->transport, end->stream))
        return "no rule of access lets it in";
    if (atomic_load_explicit(&relay->counts[COUNT_CLIENTS], memory_order_relaxed) >=
        relay->max_clients)
        return "there are as many clients as the relay may have";
    return NULL;
}

void session_start(struct relay *relay, struct via_stream *stream)
{
    struct relay_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        relay->transport->close(stream);
        relay_count(relay, COUNT_REFUSED, 1);
        return;
    }
    session->relay = relay;
    session->ends[CLIENT] = (struct relay_end){session, relay->transport, stream, false};
    session->ends[TARGET].session = session;
    const char *reason = reason_to_refuse(relay, session);
    if (reason == NULL && FAILED(prepare(&session->ends[CLIENT])))
        reason = "its stream is broken";
    if (reason != NULL) {
        refuse(relay, &session->client, reason);
        relay->transport->close(stream);
        free(session);
        error_clear();
        return;
    }
    refuse_handles(&session->ends[CLIENT]);
    relay_count(relay, COUNT_TOTAL, 1);
    relay_count(relay, COUNT_CLIENTS, 1);
    session->back_off_ms = MIN_BACK_OFF_MS;
    session->give_up_ns = os_deadline_ms(relay->patience_ms);
    list_append(&relay->waiting, &session->link);
    try_target(session);
}

/* --- times and the end --- */

static uint64_t limit_of(const struct relay_session *session)
{
    const struct relay *relay = session->relay;
    uint64_t limit = OS_NEVER;
    if (relay->idle_ms != 0)
        limit = session->last_ns + relay->idle_ms * 1000000ull;
    if (session->is_half && session->last_ns + HALF_LIMIT_NS < limit)
        limit = session->last_ns + HALF_LIMIT_NS;
    return limit;
}

uint64_t session_tick(struct relay_session *session, uint64_t now_ns)
{
    if (session->stage == SESSION_WAITS && session->retry_ns <= now_ns)
        try_target(session);
    if (session->stage == SESSION_WAITS)
        return session->retry_ns;
    if (session->stage == SESSION_DEAD)
        return OS_NEVER;
    uint64_t limit = limit_of(session);
    if (limit > now_ns)
        return limit;
    log_debug("relay", "%s: a client that was idle is disconnected", session->relay->listen);
    session_end(session);
    return OS_NEVER;
}

void session_end(struct relay_session *session)
{
    if (session->stage == SESSION_DEAD)
        return;
    session->stage = SESSION_DEAD;
    list_remove(&session->link);
    list_append(&session->relay->dead, &session->link);
    relay_sweep(session->relay);
}

void session_close(struct relay_session *session)
{
    list_remove(&session->link);
    splice_drop(session, TO_TARGET);
    splice_drop(session, TO_CLIENT);
    for (int i = CLIENT; i <= TARGET; i++) {
        if (session->ends[i].stream != NULL)
            session->ends[i].transport->close(session->ends[i].stream);
    }
    relay_count(session->relay, COUNT_CLIENTS, (uint64_t)-1);
    forget_failure(session);
    free(session);
}
