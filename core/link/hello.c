#include "core/link/hello.h"

#include "core/link/expect.h"
#include "core/link/listener.h"
#include "core/link/memory.h"
#include "core/link/node.h"
#include "core/link/numbered.h"
#include "core/link/reader.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/os/identity.h"
#include "core/os/process.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/hello.h"
#include "core/wire/text.h"

#include <stdlib.h>
#include <string.h>

HRESULT hello_admit(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    const struct via_peer_identity *identity = &connection->peer.identity;
    if (!connection->is_server)
        return S_OK; /* connect has checked the server's owner */
    if (node->settings.admit != NULL)
        return node->settings.admit(node->context, identity);
    if (os_identity_is_self(identity) || os_identity_is_privileged(identity))
        return S_OK;
    char text[256];
    return error_set(VIA_E_IDENTITY,
                     "%s is another user than the one who runs this process; a policy rule can let "
                     "it in",
                     os_identity_format(identity, text, sizeof text));
}

static uint64_t own_features(const struct link_connection *connection)
{
    return (switch_can(connection) ? WIRE_FEATURE_SWITCH : 0) |
           (memory_can(connection) ? WIRE_FEATURE_MEMORY : 0) | WIRE_FEATURE_RESULT |
           WIRE_FEATURE_HANDLES | WIRE_FEATURE_HELP |
           (numbered_can_take(connection) ? WIRE_FEATURE_NUMBER : 0);
}

static HRESULT send_hello(struct link_connection *connection, uint8_t kind, uint16_t version)
{
    struct link_node *node = connection->node;
    struct buffer addresses;
    struct buffer frame;
    buffer_init(&addresses, WIRE_HELLO_MAX_TEXT);
    buffer_init(&frame, 2 * WIRE_HELLO_MAX_TEXT);
    struct wire_hello hello = {.min_version = version != 0 ? version : WIRE_MIN_VERSION,
                               .max_version = version != 0 ? version : WIRE_MAX_VERSION,
                               .optional_features = own_features(connection),
                               .process_id = os_process_id(),
                               .limits = connection->own_limits,
                               .flags = node->system_flags,
                               .agent = node->agent,
                               .agent_size = (uint16_t)strlen(node->agent)};
    memcpy(hello.node, node->id.bytes, sizeof hello.node);
    hello.n_addresses = listener_write_addresses(node, &addresses);
    hello.addresses = (const char *)addresses.data;
    hello.addresses_size = (uint32_t)addresses.size;
    wire_hello_write(&frame, &hello);
    HRESULT hr = buffer_result(&addresses);
    if (SUCCEEDED(hr))
        hr = buffer_result(&frame);
    if (SUCCEEDED(hr)) {
        size_t body = wire_body_size(kind);
        struct link_request request = {.kind = kind,
                                       .body = frame.data,
                                       .body_size = body,
                                       .payload = frame.data + body,
                                       .payload_size = frame.size - body};
        hr = sender_send(connection, &request, 0, SEND_QUEUE, 0);
    }
    buffer_deinit(&addresses);
    buffer_deinit(&frame);
    return hr;
}

HRESULT hello_send(struct link_connection *connection)
{
    return send_hello(connection, WIRE_HELLO, 0);
}

static bool same_principal(const struct via_peer_identity *a, const struct via_peer_identity *b)
{
    uint32_t both = a->flags & b->flags;
    if ((both & VIA_PEER_HAS_UNIX) && a->uid != b->uid)
        return false;
    if ((both & VIA_PEER_HAS_SID) && strcmp(a->sid, b->sid) != 0)
        return false;
    bool same_system = ((a->flags ^ b->flags) & VIA_PEER_HAS_SID) == 0;
    return !((both & VIA_PEER_HAS_PID) && same_system) || a->pid == b->pid;
}

/* A connection of another process whose peer is that node already; NULL: there is none. */
static struct link_connection *find_claimant_locked(struct link_connection *connection,
                                                    const struct link_id *id)
{
    struct link_node *node = connection->node;
    for (struct list *l = node->connections.next; l != &node->connections; l = l->next) {
        struct link_connection *other = list_entry(l, struct link_connection, link);
        if (other != connection && other->has_claimed && !link_connection_is_closed(other) &&
            memcmp(&other->peer.node, id, sizeof *id) == 0 &&
            !same_principal(&other->peer.identity, &connection->peer.identity))
            return other;
    }
    return NULL;
}

/* The peer becomes the node that it says it is, unless another process is, or this one. From here
 * on nobody else can, though this connection is not open yet: compared and claimed in one go. */
static HRESULT claim(struct link_connection *connection, const struct wire_hello *hello)
{
    struct link_node *node = connection->node;
    struct link_peer *peer = &connection->peer;
    struct link_id id;
    HRESULT hr = S_OK;
    memcpy(id.bytes, hello->node, sizeof id.bytes);
    if (memcmp(&id, &node->id, sizeof id) == 0 && !os_identity_is_this_process(&peer->identity))
        return error_set(VIA_E_IDENTITY,
                         "the peer, process %u, says that it is the node that it connects to",
                         (unsigned)hello->process_id);
    os_mutex_lock(&node->lock);
    struct link_connection *other = find_claimant_locked(connection, &id);
    if (other == NULL) {
        peer->node = id;
        peer->process_id = hello->process_id;
        connection->has_claimed = true;
    } else {
        hr =
            error_set(VIA_E_IDENTITY, "the peer says that it is a node which process %u is already",
                      (unsigned)other->peer.process_id);
    }
    os_mutex_unlock(&node->lock);
    return hr;
}

static HRESULT keep_texts(struct link_connection *connection, const struct wire_hello *hello)
{
    struct link_peer *peer = &connection->peer;
    char *texts = malloc((size_t)hello->agent_size + 1 + hello->addresses_size);
    const char **addresses = calloc((size_t)hello->n_addresses + 1, sizeof *addresses);
    if (texts == NULL || addresses == NULL) {
        free(texts);
        free(addresses);
        return error_set(E_OUTOFMEMORY, "no memory for a peer's addresses");
    }
    memcpy(texts, hello->agent, hello->agent_size);
    for (size_t i = 0; i < hello->agent_size; i++)
        if (wire_is_control(texts[i]))
            texts[i] = '?';
    texts[hello->agent_size] = '\0';
    char *at = texts + hello->agent_size + 1;
    if (hello->addresses_size != 0)
        memcpy(at, hello->addresses, hello->addresses_size);
    for (uint16_t i = 0; i < hello->n_addresses; i++) {
        addresses[i] = at;
        at += strlen(at) + 1;
    }
    connection->peer_texts = texts;
    peer->agent = texts;
    peer->addresses = addresses;
    return S_OK;
}

static HRESULT keep(struct link_connection *connection, const struct wire_hello *hello)
{
    struct link_peer *peer = &connection->peer;
    peer->is_windows = hello->flags & WIRE_HELLO_WINDOWS;
    peer->is_wine = hello->flags & WIRE_HELLO_WINE;
    peer->max_message = hello->limits.max_message < WIRE_MAX_MESSAGE * 4u
                            ? hello->limits.max_message
                            : WIRE_MAX_MESSAGE * 4u;
    uint64_t features = hello->optional_features & own_features(connection);
    connection->switching.is_possible = features & WIRE_FEATURE_SWITCH;
    connection->has_memory = features & WIRE_FEATURE_MEMORY;
    peer->takes_results = features & WIRE_FEATURE_RESULT;
    peer->takes_help = features & WIRE_FEATURE_HELP;
    /* Each side says it for itself; here a number means nothing but on Windows. */
    peer->takes_numbers = (hello->optional_features & WIRE_FEATURE_NUMBER) &&
                          (connection->node->system_flags & WIRE_HELLO_WINDOWS);
    connection->own_limits.max_handles = memory_max_handles(
        switch_max_handles(connection, connection->switching.is_possible), connection->has_memory);
    expect_begin(connection, features & WIRE_FEATURE_HANDLES);
    connection->limits = hello->limits;
    connection->limits.max_message = peer->max_message;
    uint32_t max = hello->limits.max_frame;
    max = max < WIRE_MAX_FRAME ? max : WIRE_MAX_FRAME;
    connection->max_send = max & ~7u;
    return keep_texts(connection, hello);
}

HRESULT hello_received(struct link_connection *connection, const struct link_message *message)
{
    struct link_node *node = connection->node;
    struct wire_hello hello;
    uint8_t expected = connection->is_server ? WIRE_HELLO : WIRE_HELLO_ANSWER;
    if (message->kind == WIRE_GOODBYE)
        return reader_goodbye(message);
    if (message->kind != expected)
        return error_set(VIA_E_PROTOCOL, "the peer's first frame is of kind %s (%u), not %s",
                         wire_kind_name(message->kind), message->kind, wire_kind_name(expected));
    /* What is checked must be what is kept, and the peer may still write where the message lies. */
    uint8_t texts[WIRE_HELLO_MAX_AGENT + WIRE_HELLO_MAX_TEXT];
    size_t size = message->payload_size < sizeof texts ? message->payload_size : sizeof texts;
    memcpy(texts, message->payload, size);
    HRESULT hr = wire_hello_read(message->body, texts, size, &hello);
    if (SUCCEEDED(hr))
        hr = claim(connection, &hello);
    if (SUCCEEDED(hr))
        hr = keep(connection, &hello);
    if (SUCCEEDED(hr))
        hr = node->handler.opened(node->context, connection);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&connection->lock);
    connection->has_closed = true;
    os_mutex_unlock(&connection->lock);
    if (connection->is_server)
        hr = send_hello(connection, WIRE_HELLO_ANSWER, wire_hello_version(&hello));
    os_mutex_lock(&connection->lock);
    if (SUCCEEDED(hr) && connection->stage == STAGE_HELLO) {
        atomic_store_explicit(&connection->stage, STAGE_OPEN, memory_order_release);
        connection_left_hello_locked(connection);
    }
    os_mutex_unlock(&connection->lock);
    return hr;
}
