/*
 * OS handles that go with calls and replies, as the process that has them knows them. What is sent
 * and what has come is looked at here, since a peer may send anything.
 */
#include "core/link/link.h"

#include "core/link/connection.h"
#include "core/link/handle.h"
#include "core/link/node.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

static const char *const kind_names[] = {[OS_HANDLE_FILE] = "file",
                                         [OS_HANDLE_PIPE] = "pipe",
                                         [OS_HANDLE_SOCKET] = "socket",
                                         [OS_HANDLE_SECTION] = "shared memory",
                                         [OS_HANDLE_EVENT] = "event"};

/* How the connection is made, for messages: the scheme is what a user can change. */
static const char *scheme_of(const struct link_connection *connection)
{
    const char *scheme = plugin_set_scheme(connection->node->plugins, connection->base.transport);
    return scheme != NULL ? scheme : "another transport";
}

HRESULT link_handle_out(const struct link_connection *connection, intptr_t handle,
                        enum os_handle_kind kind, via_os_handle *carried)
{
    const struct via_transport *transport = connection->base.transport;
    if (transport->max_handles == 0)
        return error_set(VIA_E_NO_HANDLES,
                         "connections by '%s' carry no OS handles: let process %u be reached by "
                         "'unix' or 'shm'",
                         scheme_of(connection), (unsigned)connection->peer.process_id);
    if (connection->limits.max_handles < LINK_MAX_HANDLES)
        return error_set(VIA_E_NO_HANDLES,
                         "process %u takes no OS handles in calls: it is of an older version",
                         (unsigned)connection->peer.process_id);
    if (!os_handle_is(handle, kind))
        return error_set(E_HANDLE, "handle %lld is not open, or is no %s", (long long)handle,
                         kind_names[kind]);
    return handle_to_carried(transport, handle, kind, carried);
}

void link_handle_close(const struct link_connection *connection, via_os_handle carried)
{
    handle_close(connection->base.transport, carried);
}

HRESULT link_handle_in(struct link_message *message, uint32_t index, enum os_handle_kind kind,
                       intptr_t *handle)
{
    if (index >= message->n_handles || message->handles[index] == OS_NO_HANDLE)
        return error_set(RPC_E_INVALID_DATA,
                         "it names handle %u, which did not come, or is named twice",
                         (unsigned)index);
    intptr_t taken;
    HRESULT hr = handle_from_carried(message->connection->base.transport, message->handles[index],
                                     kind, &taken);
    if (FAILED(hr))
        return hr;
    message->handles[index] = OS_NO_HANDLE;
    if (!os_handle_is(taken, kind)) {
        os_handle_close(taken);
        return error_set(RPC_E_INVALID_DATA, "the handle that came is no %s", kind_names[kind]);
    }
    *handle = taken;
    return S_OK;
}

bool link_message_has_handles(const struct link_message *message)
{
    for (uint32_t i = 0; i < message->n_handles && message->handles != NULL; i++)
        if (message->handles[i] != OS_NO_HANDLE)
            return true;
    return false;
}
