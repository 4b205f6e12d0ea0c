#include "core/link/numbered.h"

#include "core/link/node.h"
#include "core/link/sender.h"
#include "core/os/clock.h"
#include "core/os/handle.h"
#include "core/os/identity.h"
#include "core/util/error.h"
#include "core/wire/numbers.h"

#include <stdlib.h>
#include <string.h>

void numbered_open(struct link_connection *connection)
{
    const struct via_peer_identity *identity = &connection->peer.identity;
    connection->handle_source = OS_NO_HANDLE;
    /* A process id of Windows comes with a SID. */
    bool is_known = (identity->flags & VIA_PEER_HAS_PID) && (identity->flags & VIA_PEER_HAS_SID);
    if (connection->base.transport->max_handles != 0 || !is_known)
        return;
    if (FAILED(os_handle_source_open(identity->pid, &connection->handle_source))) {
        connection->handle_source = OS_NO_HANDLE;
        error_clear(); /* hello says that there is none; handles.c says why when one is needed */
    }
}

/* --- giving --- */

HRESULT numbered_park_locked(struct link_connection *connection, const via_os_handle *handles,
                             uint32_t n, struct parked **parked)
{
    *parked = NULL;
    if (connection->n_parked + n > NUMBERED_MAX_PARKED)
        return error_set(VIA_E_LIMIT, "process %u has not taken %u OS handles yet",
                         (unsigned)connection->peer.process_id, connection->n_parked);
    struct parked *self = calloc(1, sizeof *self + n * sizeof self->handles[0]);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the handles of a message");
    list_init(&self->link);
    for (; self->n < n; self->n++) {
        HRESULT hr = os_handle_duplicate(handles[self->n], &self->handles[self->n]);
        if (FAILED(hr)) {
            numbered_free(self);
            return hr;
        }
    }
    *parked = self;
    return S_OK;
}

void numbered_sent_locked(struct link_connection *connection, struct parked *parked)
{
    list_append(&connection->parked, &parked->link);
    connection->n_parked += parked->n;
}

void numbered_free(struct parked *parked)
{
    for (uint32_t i = 0; parked != NULL && i < parked->n; i++)
        os_handle_close(parked->handles[i]);
    free(parked);
}

HRESULT numbered_taken(struct link_connection *connection, const struct link_message *message)
{
    struct list taken;
    struct list *link = NULL;
    uint32_t n;
    memcpy(&n, message->body, sizeof n);
    list_init(&taken);
    os_mutex_lock(&connection->send_lock);
    for (; n > 0 && (link = list_pop(&connection->parked)) != NULL; n--) {
        connection->n_parked -= list_entry(link, struct parked, link)->n;
        list_append(&taken, link);
    }
    os_mutex_unlock(&connection->send_lock);
    numbered_free_all(&taken);
    return n == 0 ? S_OK
                  : error_set(VIA_E_PROTOCOL,
                              "the peer has taken the handles of more messages than had any");
}

/* --- taking --- */

static HRESULT say_taken(struct link_connection *connection)
{
    const uint32_t body[2] = {1, 0};
    struct link_request request = {.kind = WIRE_TAKEN, .body = body, .body_size = sizeof body};
    return sender_send(connection, &request, 0, SEND_QUEUE, 0);
}

HRESULT numbered_receive(struct link_connection *connection, const uint8_t *numbers, uint32_t n,
                         struct link_message *message)
{
    if (!numbered_can_take(connection))
        return error_set(VIA_E_PROTOCOL,
                         "the peer names handles by number, which hello has not announced");
    if (message->n_handles != 0)
        return error_set(VIA_E_PROTOCOL, "a frame names handles, and brings others");
    message->handles = calloc(n, sizeof *message->handles);
    if (message->handles == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the handles of a frame");
    message->n_handles = (uint16_t)n;
    for (uint32_t i = 0; i < n; i++) {
        message->handles[i] = OS_NO_HANDLE;
        if (FAILED(os_handle_source_take(connection->handle_source, wire_number_read(numbers, i),
                                         &message->handles[i])))
            error_clear();
    }
    return say_taken(connection);
}

/* --- the end --- */

void numbered_close(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    uint64_t until_ns = os_now_ns() + NUMBERED_LINGER_NS;
    struct list left;
    struct list *link;
    list_init(&left);
    os_handle_close(connection->handle_source);
    connection->handle_source = OS_NO_HANDLE;
    os_mutex_lock(&connection->send_lock);
    while ((link = list_pop(&connection->parked)) != NULL)
        list_append(&left, link);
    connection->n_parked = 0;
    os_mutex_unlock(&connection->send_lock);
    if (list_is_empty(&left))
        return;
    os_mutex_lock(&node->lock);
    while ((link = list_pop(&left)) != NULL) {
        list_entry(link, struct parked, link)->until_ns = until_ns;
        list_append(&node->parked, link);
    }
    os_mutex_unlock(&node->lock);
    node_needs_tick(node);
}

uint64_t numbered_take_due_locked(struct link_node *node, uint64_t now_ns, struct list *due)
{
    while (!list_is_empty(&node->parked)) {
        struct parked *oldest = list_entry(node->parked.next, struct parked, link);
        if (oldest->until_ns > now_ns)
            return oldest->until_ns;
        list_remove(&oldest->link);
        list_append(due, &oldest->link);
    }
    return OS_NEVER;
}

void numbered_free_all(struct list *all)
{
    struct list *link;
    while ((link = list_pop(all)) != NULL)
        numbered_free(list_entry(link, struct parked, link));
}
