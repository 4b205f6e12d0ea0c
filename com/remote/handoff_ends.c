/* The sender, and the recipient. */
#include "com/remote/handoff.h"

#include <inttypes.h>
#include <string.h>

#include "com/remote/frames.h"
#include "com/remote/handed_on.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/reference.h"
#include "core/os/random.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* In T1's first byte. */
#define FOR_ANYBODY 1u

static bool id_equal(const struct link_id *a, const struct link_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool handoff_is_for_anybody(const struct link_id *t1)
{
    return t1->bytes[0] & FOR_ANYBODY;
}

/* --- the sender --- */

HRESULT handoff_provide(struct import *import, struct peer *recipient, struct link_id *t1,
                        struct link_id *t2)
{
    HRESULT hr = os_random(t1, sizeof *t1);
    if (SUCCEEDED(hr))
        hr = os_random(t2, sizeof *t2);
    if (FAILED(hr))
        return hr;
    if (recipient != NULL)
        t1->bytes[0] &= (uint8_t)~FOR_ANYBODY;
    else
        t1->bytes[0] |= FOR_ANYBODY;
    struct frame_provide provide = {.object = import->id, .t1 = *t1, .t2 = *t2};
    if (recipient != NULL) {
        const struct link_peer *to = peer_info(recipient);
        provide.recipient = to->node;
        provide.principal = to->identity;
    }
    hr = frame_post_provide(import->peer->connection, &provide);
    if (SUCCEEDED(hr) && recipient != NULL)
        handed_on_note(recipient, import->peer, t1);
    return hr;
}

/* Frames of a connection come in their order: what asks behind the provide is answered behind it.
 * Object 0 is the owner's node, which answers on any thread. */
HRESULT handoff_settle(struct import *import, uint64_t deadline_ns)
{
    uint8_t body[FRAME_QUERY_BODY];
    frame_write_query(body, 0, &IID_IUnknown);
    struct link_request request = {
        .kind = WIRE_QUERY_INTERFACE, .body = body, .body_size = sizeof body};
    struct link_message reply;
    HRESULT hr = link_call(import->peer->connection, &request, deadline_ns, &reply);
    if (FAILED(hr))
        return hr;
    reference_drop(import->peer, &reply);
    link_message_release(&reply);
    return S_OK;
}

void handoff_withdraw(struct import *import, const struct link_id *t1)
{
    if (FAILED(frame_post_withdraw(import->peer->connection, t1)))
        error_clear(); /* the owner is gone, and the provide with it */
}

/* --- the recipient --- */

/* Connects to where the owner listens. */
static HRESULT reach_owner(struct node *node, const struct reference_third *third,
                           uint64_t deadline_ns, struct link_connection **connection)
{
    *connection = link_node_find(node->link, &third->owner);
    if (*connection != NULL)
        return S_OK;
    if (third->n_addresses == 0)
        return error_set(VIA_E_UNREACHABLE,
                         "process %" PRIu32 ", which owns the object, listens nowhere; it has to "
                         "call via_listen() before its objects can be handed on",
                         third->process_id);
    const char *addresses[WIRE_REFERENCE_MAX_ADDRESSES + 1] = {NULL};
    const char *text = third->text;
    for (unsigned i = 0; i < third->n_addresses; i++) {
        addresses[i] = text;
        text += strlen(text) + 1;
    }
    HRESULT hr = link_node_connect(node->link, addresses, deadline_ns, connection);
    if (FAILED(hr))
        return error_wrap(hr == E_ACCESSDENIED ? hr : VIA_E_UNREACHABLE,
                          "process %" PRIu32 ", which owns the object, cannot be reached",
                          third->process_id);
    if (id_equal(&link_connection_peer(*connection)->node, &third->owner))
        return S_OK;
    uint32_t other = link_connection_peer(*connection)->process_id;
    link_connection_unref(*connection);
    return error_set(VIA_E_UNREACHABLE,
                     "at %s process %" PRIu32 " answers, not process %" PRIu32
                     ", which owns the object",
                     addresses[0], other, third->process_id);
}

HRESULT handoff_accept(struct node *node, uint64_t id, const struct reference_third *third,
                       uint64_t deadline_ns, struct import **import)
{
    struct link_connection *connection;
    HRESULT hr = reach_owner(node, third, deadline_ns, &connection);
    if (FAILED(hr))
        return hr;
    uint8_t body[FRAME_ACCEPT_BODY];
    frame_write_accept(body, &third->t1, id);
    struct link_request request = {.kind = WIRE_ACCEPT, .body = body, .body_size = sizeof body};
    struct link_message reply;
    hr = link_call(connection, &request, deadline_ns, &reply);
    if (SUCCEEDED(hr)) {
        bool is_owner = reply.payload_size == sizeof third->t2 &&
                        memcmp(reply.payload, &third->t2, sizeof third->t2) == 0;
        reference_drop(peer_of(connection), &reply);
        link_message_release(&reply);
        if (!is_owner)
            hr = error_set(VIA_E_IDENTITY,
                           "process %" PRIu32 " claims to own an object, but could not prove it",
                           link_connection_peer(connection)->process_id);
        else
            hr = import_received(peer_of(connection), id, import);
    }
    link_connection_unref(connection);
    return hr;
}
