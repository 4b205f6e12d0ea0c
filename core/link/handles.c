/*
 * OS handles that go with calls and replies, as the process that has them knows them. What is sent
 * and what has come is looked at here, since a peer may send anything.
 */
#include "core/link/link.h"

#include "core/link/connection.h"
#include "core/link/handle.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/wire/hello.h"

/* How the connection is made, for messages: the scheme is what a user can change. */
static const char *scheme_of(const struct link_connection *connection)
{
    const char *scheme = plugin_set_scheme(connection->node->plugins, connection->base.transport);
    return scheme != NULL ? scheme : "another transport";
}

/* Which of the reasons it is that handles do not go to this peer. */
static HRESULT no_way(const struct link_connection *connection)
{
    unsigned process_id = (unsigned)connection->peer.process_id;
    if (connection->peer.is_windows && (connection->node->system_flags & WIRE_HELLO_WINDOWS))
        return error_set(VIA_E_NO_HANDLES,
                         "process %u may not take OS handles out of this one: it would need "
                         "PROCESS_DUP_HANDLE there, which programs of one user, and services, have",
                         process_id);
    return error_set(VIA_E_NO_HANDLES,
                     "connections by '%s' carry no OS handles: let process %u be reached by "
                     "'unix' or 'shm'",
                     scheme_of(connection), process_id);
}

HRESULT link_handle_out(const struct link_connection *connection, intptr_t handle,
                        enum os_handle_kind kind, via_os_handle *carried)
{
    const struct via_transport *transport = connection->base.transport;
    if (transport->max_handles == 0 && !numbered_can_give(connection))
        return no_way(connection);
    if (transport->max_handles != 0 && connection->limits.max_handles < LINK_MAX_HANDLES)
        return error_set(VIA_E_NO_HANDLES,
                         "process %u takes no OS handles in calls: it is of an older version",
                         (unsigned)connection->peer.process_id);
    if (!os_handle_is(handle, kind))
        return error_set(E_HANDLE, "handle %lld is not open, or is no %s", (long long)handle,
                         os_handle_kind_name(kind));
    return handle_to_carried(transport, handle, kind, carried);
}

void link_handle_close(const struct link_connection *connection, via_os_handle carried)
{
    handle_close(connection->base.transport, carried);
}

/* What the peer says that it is has to be what it is. */
static HRESULT expect_kind(intptr_t handle, enum os_handle_kind kind)
{
    if (os_handle_is(handle, kind))
        return S_OK;
    os_handle_close(handle);
    return error_set(RPC_E_INVALID_DATA, "the handle that came is no %s",
                     os_handle_kind_name(kind));
}

static HRESULT find(const struct link_message *message, uint32_t index)
{
    if (index < message->n_handles && message->handles[index] != OS_NO_HANDLE)
        return S_OK;
    return error_set(RPC_E_INVALID_DATA,
                     "it names handle %u, which did not come, or is named twice", (unsigned)index);
}

HRESULT link_handle_in(struct link_message *message, uint32_t index, enum os_handle_kind kind,
                       intptr_t *handle)
{
    intptr_t taken;
    HRESULT hr = find(message, index);
    if (SUCCEEDED(hr))
        hr = handle_from_carried(message->connection->base.transport, message->handles[index], kind,
                                 &taken);
    if (FAILED(hr))
        return hr;
    message->handles[index] = OS_NO_HANDLE;
    hr = expect_kind(taken, kind);
    if (SUCCEEDED(hr))
        *handle = taken;
    return hr;
}

HRESULT link_handle_copy_in(const struct link_message *message, uint32_t index,
                            enum os_handle_kind kind, intptr_t *handle)
{
    const struct via_transport *transport = message->connection->base.transport;
    via_os_handle copy;
    intptr_t taken;
    HRESULT hr = find(message, index);
    if (SUCCEEDED(hr))
        hr = handle_duplicate(transport, message->handles[index], &copy);
    if (FAILED(hr))
        return hr;
    hr = handle_from_carried(transport, copy, kind, &taken);
    if (FAILED(hr)) {
        handle_close(transport, copy);
        return hr;
    }
    hr = expect_kind(taken, kind);
    if (SUCCEEDED(hr))
        *handle = taken;
    return hr;
}

bool link_message_has_handles(const struct link_message *message)
{
    for (uint32_t i = 0; i < message->n_handles && message->handles != NULL; i++)
        if (message->handles[i] != OS_NO_HANDLE)
            return true;
    return false;
}
