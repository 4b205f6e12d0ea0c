#include "com/remote/stub_query.h"

#include <string.h>

#include "com/remote/export.h"
#include "com/remote/forward.h"
#include "com/remote/frames.h"
#include "com/remote/gate.h"
#include "com/remote/peer.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* One between its arrival and its answer; in the message's room, and message->user. */
struct stub_query {
    struct gate_item item; /* first: an apartment's object is asked on its thread */
    struct link_message *message;
    struct exported *exported; /* a reference */
};

_Static_assert(sizeof(struct stub_query) <= LINK_ROOM_SIZE, "it is in the message's room");

static void run_queued_query(struct gate_item *item)
{
    struct stub_query *query = (struct stub_query *)item;
    link_message_run(query->message);
}

enum link_route stub_route_query(struct peer *peer, struct link_message *message)
{
    uint64_t id;
    GUID iid;
    struct stub_query *query = message->room;
    frame_read_query(message, &id, &iid);
    struct exported *exported = peer_resolve(peer, id);
    if (exported == NULL) {
        link_reply_error(message, RPC_E_INVALID_OBJECT, false);
        return LINK_ROUTE_REFUSED;
    }
    bool is_in_apartment = context_has_apartment(exported->context);
    memset(query, 0, sizeof *query);
    query->item.call.peer = peer_ref(peer); /* it may wait until the connection has ended */
    query->item.node = peer->node;
    query->item.context = is_in_apartment ? exported->context : NULL;
    query->item.run = run_queued_query;
    query->message = message;
    query->exported = exported;
    message->user = query;
    if (!is_in_apartment)
        return LINK_ROUTE_ANY;
    HRESULT hr = link_message_own(message);
    if (SUCCEEDED(hr)) {
        /* It names no chain, and who asks may be what the object waits for. */
        gate_pass_by(&query->item);
        return LINK_ROUTE_QUEUED;
    }
    link_reply_error(message, hr, false);
    export_unref(exported);
    peer_unref(peer);
    return LINK_ROUTE_REFUSED;
}

static HRESULT query(struct exported *exported, const GUID *iid)
{
    void *pointer;
    if (export_is_stand_in(exported) && !export_knows(exported, iid))
        forward_learn(exported, iid);
    return export_query(exported, iid, &pointer);
}

static void answer(struct link_message *message, HRESULT hr)
{
    uint8_t body[FRAME_REPLY_BODY];
    struct link_request reply = {.kind = WIRE_REPLY, .body = body, .body_size = sizeof body};
    if (FAILED(hr)) {
        link_reply_error(message, hr == VIA_E_ELSEWHERE ? E_UNEXPECTED : hr, true);
        return;
    }
    frame_write_reply(body, S_OK);
    if (FAILED(link_reply(message, &reply)))
        error_clear(); /* the asker is gone */
}

void stub_run_query(struct link_message *message)
{
    struct stub_query *self = message->user;
    struct peer *peer = self->item.call.peer;
    uint64_t id;
    GUID iid;
    frame_read_query(message, &id, &iid);
    link_message_decoded(message);
    HRESULT hr = query(self->exported, &iid);
    answer(message, hr);
    export_unref(self->exported);
    peer_unref(peer);
}
