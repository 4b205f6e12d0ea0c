/*
 * Messages in chunks. The storage grows with what arrives, so that a peer cannot make this side
 * allocate by announcing; what is under way is bounded in number and in bytes together.
 */
#include "core/link/reader.h"

#include "core/link/message.h"
#include "core/link/node.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

static struct assembly *find(struct link_connection *connection, const struct link_message *frame)
{
    for (struct list *l = connection->assemblies.next; l != &connection->assemblies; l = l->next) {
        struct assembly *assembly = list_entry(l, struct assembly, link);
        if (assembly->call_id == frame->call_id && assembly->message.kind == frame->kind)
            return assembly;
    }
    return NULL;
}

static void free_assembly(struct link_connection *connection, struct assembly *assembly)
{
    list_remove(&assembly->link);
    connection->n_assemblies--;
    message_free_storage(&assembly->message);
    free(assembly);
}

void reader_free_assemblies(struct link_connection *connection)
{
    while (!list_is_empty(&connection->assemblies))
        free_assembly(connection, list_entry(connection->assemblies.next, struct assembly, link));
}

/* The first frame has all of the message but the rest of its payload. */
static HRESULT start(struct link_connection *connection, const struct link_message *frame,
                     bool has_unknown_extension)
{
    if (connection->n_assemblies >= WIRE_MAX_CHUNKED)
        return error_set(VIA_E_LIMIT, "more than %u messages in chunks are under way",
                         WIRE_MAX_CHUNKED);
    if (find(connection, frame) != NULL)
        return error_set(VIA_E_PROTOCOL, "a message in chunks starts twice");
    struct assembly *assembly = calloc(1, sizeof *assembly);
    if (assembly == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a message");
    assembly->message = *frame;
    assembly->message.flags = 0;
    HRESULT hr = message_copy(&assembly->message);
    if (FAILED(hr)) {
        free(assembly);
        return hr;
    }
    assembly->call_id = frame->call_id;
    assembly->has_unknown_extension = has_unknown_extension;
    assembly->payload_room = frame->payload_size;
    list_append(&connection->assemblies, &assembly->link);
    connection->n_assemblies++;
    return S_OK;
}

/* Room for more payload, which lies at the end of the storage. */
static HRESULT grow(struct link_message *message, struct assembly *assembly, size_t more)
{
    size_t needed = message->payload_size + more;
    if (needed <= assembly->payload_room)
        return S_OK;
    size_t room = assembly->payload_room * 2 > needed ? assembly->payload_room * 2 : needed;
    size_t fixed = message->references_size + message->body_size;
    struct message_storage *storage = realloc(message->storage, sizeof *storage + fixed + room);
    if (storage == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a message of %zu bytes", needed);
    storage->room = fixed + room;
    message->storage = storage;
    message->references = storage->bytes;
    message->body = storage->bytes + message->references_size;
    message->payload = message->body + message->body_size;
    assembly->payload_room = room;
    return S_OK;
}

static HRESULT append(struct link_connection *connection, struct assembly *assembly,
                      const struct link_message *frame)
{
    struct link_message *message = &assembly->message;
    size_t limit = connection->node->settings.max_message;
    size_t under_way = 0;
    for (struct list *l = connection->assemblies.next; l != &connection->assemblies; l = l->next)
        under_way += list_entry(l, struct assembly, link)->message.payload_size;
    if (frame->payload_size > limit - message->body_size ||
        message->payload_size > limit - message->body_size - frame->payload_size)
        return error_set(VIA_E_LIMIT, "a message is larger than %zu bytes", limit);
    if (under_way > 4 * limit)
        return error_set(VIA_E_LIMIT, "the messages that are under way are larger than %zu bytes",
                         4 * limit);
    HRESULT hr = grow(message, assembly, frame->payload_size);
    if (FAILED(hr))
        return hr;
    if (frame->payload_size != 0)
        memcpy((uint8_t *)(uintptr_t)message->payload + message->payload_size, frame->payload,
               frame->payload_size);
    message->payload_size += frame->payload_size;
    return S_OK;
}

HRESULT chunk_received(struct link_connection *connection, struct call *self,
                       struct link_message *frame, bool has_unknown_extension)
{
    if (!(frame->flags & WIRE_FLAG_CONTINUED)) {
        HRESULT hr = start(connection, frame, has_unknown_extension);
        if (FAILED(hr))
            message_free_storage(frame);
        return hr;
    }
    struct assembly *assembly = find(connection, frame);
    if (assembly == NULL)
        return error_set(VIA_E_PROTOCOL, "a frame continues a message that was not started");
    HRESULT hr = append(connection, assembly, frame);
    if (FAILED(hr) || (frame->flags & WIRE_FLAG_MORE))
        return hr;
    struct link_message message = assembly->message;
    bool is_refused = assembly->has_unknown_extension;
    assembly->message.storage = NULL;
    assembly->message.handles = NULL;
    assembly->message.views = NULL;
    free_assembly(connection, assembly);
    return reader_dispatch(connection, self, &message, is_refused);
}
