/*
 * Answers to calls of the peer.
 */
#include "core/link/link.h"

#include "core/link/connection.h"
#include "core/link/cork.h"
#include "core/link/current.h"
#include "core/link/memory.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/sender.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/records.h"

#include <string.h>

#define ERROR_RAN 1u

/* Of each record three texts and their frame. */
#define MAX_ERROR_SIZE (WIRE_MAX_RECORDS * 3u * (WIRE_MAX_RECORD_TEXT + 16u))

static HRESULT send_error(struct link_connection *connection, uint64_t call_id, HRESULT code,
                          bool ran)
{
    struct buffer records;
    buffer_init(&records, MAX_ERROR_SIZE);
    struct error_record *record = error_take();
    wire_records_write(&records, record, connection->peer.takes_help);
    error_record_free(record);
    uint8_t body[8] = {0};
    uint32_t flags = ran ? ERROR_RAN : 0;
    memcpy(body, &code, sizeof code);
    memcpy(body + 4, &flags, sizeof flags);
    struct link_request request = {.kind = WIRE_ERROR,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = records.data,
                                   .payload_size = FAILED(records.result) ? 0 : records.size};
    HRESULT hr = sender_send(connection, &request, call_id, SEND_QUEUE, 0);
    buffer_deinit(&records);
    return hr;
}

/* Whether this thread, which reads the connection and has not lost the right to, goes on with
 * frames that have been received already: their answers leave together. */
static bool has_more(const struct link_connection *connection)
{
    const struct thread *self = thread_self();
    return self->held == connection && self->is_exposed && self->has_more &&
           atomic_load_explicit(&((struct link_connection *)connection)->in_method,
                                memory_order_relaxed) == self;
}

/* What the peer may count on once it has the answer. */
static void leave(struct link_message *call)
{
    message_leave_active(message_incoming(call));
    if (call->views != NULL)
        memory_uncount_views(call->views);
}

HRESULT link_reply(struct link_message *call, const struct link_request *reply)
{
    struct incoming *incoming = message_incoming(call);
    struct link_connection *connection = call->connection;
    if (atomic_exchange(&incoming->answered, true))
        return error_set(E_UNEXPECTED, "a call is answered twice, or is one-way");
    leave(call);
    if (link_connection_is_closed(connection)) /* its caller's has failed, whoever is faster */
        return connection_closed_error(connection);
    cork_flush_others(connection);
    HRESULT hr = has_more(connection)
                     ? sender_post(connection, reply, call->call_id, SEND_QUEUE, 0)
                     : sender_send(connection, reply, call->call_id, SEND_QUEUE, 0);
    if (FAILED(hr) && !link_connection_is_closed(connection)) {
        /* It could not be sent as it is; its caller must not wait for ever. */
        struct error_record *record = error_take();
        error_give(error_record_copy(record));
        if (FAILED(send_error(connection, call->call_id, hr, true)))
            error_clear();
        error_give(record);
    }
    return hr;
}

void link_reply_error(struct link_message *call, HRESULT code, bool ran)
{
    struct incoming *incoming = message_incoming(call);
    struct link_connection *connection = call->connection;
    if (!atomic_exchange(&incoming->answered, true)) {
        leave(call);
        if (FAILED(send_error(connection, call->call_id, FAILED(code) ? code : E_FAIL, ran)))
            error_clear();
    }
    error_clear();
}
