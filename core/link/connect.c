/*
 * Connecting: the calling thread connects, says hello and waits for the answer, which it reads
 * itself, unless it is an apartment's: that one must not sleep in a stream.
 */
#include "core/link/connection.h"
#include "core/link/current.h"
#include "core/link/hello.h"
#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/os/clock.h"
#include "core/plugin/plugin_set.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* Between two tries while all of a server's places are taken. */
#define RETRY_MS 2u

static struct link_connection *find_existing(struct link_node *node, const char *address)
{
    struct link_connection *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->connections.next; l != &node->connections && found == NULL;
         l = l->next) {
        struct link_connection *connection = list_entry(l, struct link_connection, link);
        if (connection_is_open(connection) && strcmp(connection->address, address) == 0)
            found = link_connection_ref(connection);
    }
    os_mutex_unlock(&node->lock);
    return found;
}

static HRESULT open_stream(const struct via_transport *transport, const char *rest,
                           uint64_t deadline_ns, struct via_stream **stream)
{
    struct via_connect_options options = {sizeof options, 1, 0};
    struct os_waiter pause;
    os_waiter_init(&pause);
    HRESULT hr;
    while ((hr = transport->connect(rest, &options, stream)) == VIA_S_WOULD_BLOCK &&
           os_now_ns() < deadline_ns)
        os_waiter_wait(&pause, os_deadline_ms(RETRY_MS));
    os_waiter_deinit(&pause);
    if (hr == VIA_S_WOULD_BLOCK)
        return error_set(RPC_E_TIMEOUT, "all places of the server stayed taken");
    return hr;
}

static void fail_late(struct link_connection *connection)
{
    error_set(RPC_E_TIMEOUT, "the server did not answer hello in time");
    connection_fail(connection, RPC_E_TIMEOUT, false);
}

/* Reads until the answer to hello has come. */
static void read_answer(struct link_connection *connection, uint64_t deadline_ns)
{
    struct thread *self = thread_self();
    bool leased = false;
    os_mutex_lock(&connection->lock);
    bool mine = right_take_locked(connection, self, &leased);
    os_mutex_unlock(&connection->lock);
    while (mine && connection->stage == STAGE_HELLO) {
        HRESULT hr = connection->drained ? VIA_S_WOULD_BLOCK : reader_step(connection, NULL);
        if (hr != VIA_S_WOULD_BLOCK)
            continue;
        connection->drained = false;
        hr = connection->in->transport->wait(connection->in->stream, deadline_ns);
        if (hr == RPC_E_TIMEOUT)
            fail_late(connection);
        else if (FAILED(hr))
            connection_fail(connection, hr, false);
    }
    os_mutex_lock(&connection->lock);
    if (right_is_mine_locked(connection, self))
        right_leave_locked(connection);
    os_mutex_unlock(&connection->lock);
}

/* The same on a thread of an apartment, which serves COM while the reactor reads. */
static void sleep_until_answered(struct link_connection *connection, uint64_t deadline_ns)
{
    struct os_waiter waiter;
    os_waiter_init(&waiter);
    os_mutex_lock(&connection->lock);
    connection->opener = &waiter;
    if (connection->stage == STAGE_HELLO)
        right_arm_locked(connection);
    while (connection->stage == STAGE_HELLO) {
        os_mutex_unlock(&connection->lock);
        HRESULT hr = os_waiter_wait(&waiter, deadline_ns);
        if (hr == RPC_E_TIMEOUT && connection->stage == STAGE_HELLO)
            fail_late(connection);
        os_mutex_lock(&connection->lock);
    }
    connection->opener = NULL;
    os_mutex_unlock(&connection->lock);
    os_waiter_deinit(&waiter);
}

static HRESULT say_hello(struct link_connection *connection, uint64_t deadline_ns)
{
    if (!connection_use(connection))
        return connection_closed_error(connection);
    bool is_apartment = os_thread_is_apartment();
    HRESULT hr = is_apartment ? reactor_join(connection->node) : S_OK;
    if (SUCCEEDED(hr))
        hr = hello_send(connection);
    if (deadline_ns > connection->hello_deadline_ns)
        deadline_ns = connection->hello_deadline_ns;
    if (SUCCEEDED(hr) && is_apartment)
        sleep_until_answered(connection, deadline_ns);
    else if (SUCCEEDED(hr))
        read_answer(connection, deadline_ns);
    if (SUCCEEDED(hr) && !connection_is_open(connection)) {
        struct error_record *cause = link_connection_cause(connection);
        hr = cause != NULL ? cause->code : E_FAIL;
        error_give(cause);
    } else if (FAILED(hr)) {
        struct error_record *record = error_take();
        error_give(error_record_copy(record));
        connection_fail(connection, hr, false);
        error_give(record);
    }
    connection_drop(connection);
    return hr;
}

static HRESULT connect_one(struct link_node *node, const char *address, uint64_t deadline_ns,
                           struct link_connection **result)
{
    *result = find_existing(node, address);
    if (*result != NULL)
        return S_OK;
    const struct via_transport *transport;
    const char *rest;
    struct via_stream *stream;
    struct link_connection *connection;
    HRESULT hr = plugin_set_resolve(node->plugins, address, &transport, &rest);
    if (SUCCEEDED(hr))
        hr = node_check_transport(transport, address);
    if (SUCCEEDED(hr))
        hr = open_stream(transport, rest, deadline_ns, &stream);
    if (SUCCEEDED(hr))
        hr = connection_new(node, transport, stream, address, false, &connection);
    if (FAILED(hr))
        return hr;
    hr = say_hello(connection, deadline_ns);
    if (FAILED(hr)) {
        link_connection_unref(connection);
        return hr;
    }
    if (atomic_load(&node->reactor) != NULL)
        node_needs_tick(node); /* so that the tick parks it */
    *result = connection;
    return S_OK;
}

/* That nobody listens is said in the system's own code by the transport. Here it has one name;
 * other failures (not let in, a wrong address, too late) keep theirs. */
static HRESULT connect_code(HRESULT hr)
{
    bool is_system_code = ((uint32_t)hr & 0xFFFF0000u) == 0x80070000u;
    bool is_own = hr == E_OUTOFMEMORY || hr == E_ACCESSDENIED || hr == E_INVALIDARG;
    return is_system_code && !is_own ? VIA_E_UNREACHABLE : hr;
}

HRESULT link_node_connect(struct link_node *node, const char *const *addresses,
                          uint64_t deadline_ns, struct link_connection **connection)
{
    HRESULT hr = node_check(node);
    if (FAILED(hr))
        return hr;
    if (addresses[0] == NULL)
        return error_set(E_INVALIDARG, "no address to connect to");
    right_give_up(thread_self(), NULL);
    struct buffer text;
    buffer_init(&text, ERROR_TEXT_SIZE);
    bool is_denied = false;
    for (const char *const *address = addresses; *address != NULL; address++) {
        hr = connect_one(node, *address, deadline_ns, connection);
        if (SUCCEEDED(hr)) {
            buffer_deinit(&text);
            return S_OK;
        }
        char reason[ERROR_TEXT_SIZE / 2];
        is_denied |= hr == E_ACCESSDENIED;
        error_format(error_get(), hr, reason, sizeof reason);
        if (address != addresses)
            buffer_print(&text, "; ");
        if (!plugin_address_is_named(*address, reason))
            buffer_print(&text, "cannot connect to %s: ", *address);
        buffer_print(&text, "%s", reason);
    }
    char *all = buffer_take_text(&text);
    HRESULT code = addresses[1] == NULL ? connect_code(hr)
                   : is_denied          ? E_ACCESSDENIED
                                        : VIA_E_UNREACHABLE;
    error_set(code, "%s", all != NULL ? all : "cannot connect to any of several addresses");
    free(all);
    buffer_deinit(&text);
    return code;
}
