#include "core/link/expect.h"

#include "core/link/sender.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

#include <stddef.h>
#include <string.h>

static bool has(const struct via_transport *transport, size_t offset)
{
    return transport->size >= offset + sizeof(void *);
}

static bool can_refuse(const struct via_transport *transport, bool takes_back)
{
    if (!has(transport, offsetof(struct via_transport, refuse_handles)) ||
        transport->refuse_handles == NULL)
        return false;
    return !takes_back || (has(transport, offsetof(struct via_transport, expect_handles)) &&
                           transport->expect_handles != NULL);
}

void expect_begin(struct link_connection *connection, bool both)
{
    const struct link_path *base = &connection->base;
    bool may_come = connection->own_limits.max_handles != 0;
    connection->takes_announcements = both;
    os_mutex_lock(&connection->send_lock);
    connection->announcing = both ? ANNOUNCE_FIRST : ANNOUNCE_NEVER;
    os_mutex_unlock(&connection->send_lock);
    if ((may_come && !both) || !can_refuse(base->transport, may_come))
        return;
    base->transport->refuse_handles(base->stream);
    connection->refuses_handles = may_come;
}

/* Before the answer leaves. */
static HRESULT announced(struct link_connection *connection)
{
    const struct link_path *base = &connection->base;
    if (connection->refuses_handles)
        base->transport->expect_handles(base->stream);
    connection->refuses_handles = false;
    const uint32_t body[2] = {WIRE_HANDLES_TAKE, 0};
    const struct link_request answer = {
        .kind = WIRE_HANDLES, .body = body, .body_size = sizeof body};
    return sender_overtake(connection, &answer);
}

HRESULT expect_received(struct link_connection *connection, const struct link_message *message)
{
    uint32_t step;
    memcpy(&step, message->body, sizeof step);
    if (step == WIRE_HANDLES_ANNOUNCE)
        return announced(connection);
    if (step == WIRE_HANDLES_TAKE)
        return sender_take_handles(connection);
    return error_set(VIA_E_PROTOCOL, "a frame of kind handles with the unknown step %u",
                     (unsigned)step);
}
