#include "core/link/listener.h"

#include "core/link/connection.h"
#include "core/link/hello.h"
#include "core/link/reactor.h"
#include "core/link/right.h"
#include "core/os/clock.h"
#include "core/plugin/plugin_set.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/wire/hello.h"
#include "core/wire/text.h"

#include <stdlib.h>
#include <string.h>

/* Clients that one report takes in, before others get their turn. */
#define ACCEPT_BATCH 64
/* Before the next try when descriptors are exhausted. */
#define PAUSE_MS 100u
/* Between two warnings about one listener. */
#define WARN_AGAIN_NS (10u * 1000000000ull)

static void free_listener(struct listener *listener)
{
    listener->transport->listener_close(listener->listener);
    free(listener->address);
    free(listener);
}

static void log_refusal(const struct listener *listener, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    log_debug("link", "%s: a client was refused: %s", listener->address,
              error_format(error_get(), hr, text, sizeof text));
    error_clear();
}

/* Clients have to wait or are turned away: who runs this program can help, and should know. */
static void warn_of_refusals(struct listener *listener, HRESULT hr)
{
    uint64_t now = os_now_ns();
    char text[ERROR_TEXT_SIZE];
    if (listener->warned_ns == 0 || now - listener->warned_ns > WARN_AGAIN_NS) {
        listener->warned_ns = now;
        log_warning("link", "%s: %s; clients are refused or have to wait", listener->address,
                    error_format(error_get(), hr, text, sizeof text));
    }
    error_clear();
}

static void take_in(struct listener *listener, struct via_stream *stream)
{
    struct link_connection *connection;
    HRESULT hr = connection_new(listener->node, listener->transport, stream, "", true, &connection);
    if (FAILED(hr)) {
        log_refusal(listener, hr);
        return;
    }
    os_mutex_lock(&connection->lock);
    right_arm_locked(connection);
    os_mutex_unlock(&connection->lock);
    node_lease(connection);
    link_connection_unref(connection);
}

static void on_ready(void *token, uint32_t events)
{
    struct listener *listener = token;
    (void)events;
    HRESULT hr = S_OK;
    for (int i = 0; i < ACCEPT_BATCH && hr == S_OK; i++) {
        struct via_stream *stream;
        hr = listener->transport->listener_accept(listener->listener, &stream);
        if (hr == S_OK)
            take_in(listener, stream);
    }
    if (SUCCEEDED(hr))
        hr = listener->transport->listener_arm(listener->listener);
    if (SUCCEEDED(hr))
        return;
    warn_of_refusals(listener, hr);
    os_mutex_lock(&listener->node->lock);
    listener->paused_until_ns = os_deadline_ms(PAUSE_MS);
    os_mutex_unlock(&listener->node->lock);
    node_needs_tick(listener->node);
}

void listener_resume_locked(struct link_node *node, uint64_t now_ns, bool *waits)
{
    for (struct list *l = node->listeners.next; l != &node->listeners; l = l->next) {
        struct listener *listener = list_entry(l, struct listener, link);
        if (listener->paused_until_ns == 0)
            continue;
        uint64_t paused_until_ns = listener->paused_until_ns;
        if (paused_until_ns <= now_ns) {
            listener->paused_until_ns = 0; /* it may report before this has returned */
            if (SUCCEEDED(listener->transport->listener_arm(listener->listener)))
                continue;
            listener->paused_until_ns = paused_until_ns;
        }
        *waits = true;
        error_clear();
    }
}

HRESULT link_node_listen(struct link_node *node, const char *address, bool hidden)
{
    const struct via_transport *transport;
    const char *rest;
    HRESULT hr = node_check(node);
    if (SUCCEEDED(hr) && !wire_texts_are_good(address, strlen(address) + 1, 1))
        hr = error_set(E_INVALIDARG, "an address to listen at has control characters");
    if (SUCCEEDED(hr))
        hr = plugin_set_resolve(node->plugins, address, &transport, &rest);
    if (SUCCEEDED(hr))
        hr = node_check_transport(transport, address);
    if (SUCCEEDED(hr))
        hr = reactor_join(node);
    if (FAILED(hr))
        return hr;
    struct listener *listener = calloc(1, sizeof *listener);
    char *copy = strdup(address);
    if (listener == NULL || copy == NULL) {
        free(listener);
        free(copy);
        return error_set(E_OUTOFMEMORY, "no memory for a listener");
    }
    *listener =
        (struct listener){.node = node, .transport = transport, .address = copy, .hidden = hidden};
    struct via_listen_options options = {
        sizeof options, node->settings.admit != NULL ? VIA_ACCESS_EVERYONE : VIA_ACCESS_SAME_USER,
        128, 0};
    hr = transport->listen(rest, &options, on_ready, listener, &listener->listener);
    if (FAILED(hr)) {
        free(copy);
        free(listener);
        char reason[ERROR_TEXT_SIZE];
        error_format(error_get(), hr, reason, sizeof reason);
        if (plugin_address_is_named(address, reason))
            return hr;
        return error_wrap(hr, "cannot listen at %s", address);
    }
    /* Before it is armed, so that the tick finds it as soon as it reports something. */
    os_mutex_lock(&node->lock);
    list_append(&node->listeners, &listener->link);
    os_mutex_unlock(&node->lock);
    hr = transport->listener_arm(listener->listener);
    if (SUCCEEDED(hr))
        return S_OK;
    error_wrap(hr, "cannot listen at %s", address);
    os_mutex_lock(&node->lock);
    bool is_ours = list_is_linked(&listener->link); /* else the node closes, and it with it */
    list_remove(&listener->link);
    os_mutex_unlock(&node->lock);
    if (is_ours)
        free_listener(listener);
    return hr;
}

void listener_close_all(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    struct list *link;
    while ((link = list_pop(&node->listeners)) != NULL) {
        os_mutex_unlock(&node->lock);
        free_listener(list_entry(link, struct listener, link));
        os_mutex_lock(&node->lock);
    }
    os_mutex_unlock(&node->lock);
}

uint16_t listener_write_addresses(struct link_node *node, struct buffer *buffer)
{
    uint16_t n = 0;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->listeners.next; l != &node->listeners; l = l->next) {
        const struct listener *listener = list_entry(l, struct listener, link);
        size_t size = strlen(listener->address) + 1;
        if (listener->hidden || n == WIRE_HELLO_MAX_ADDRESSES ||
            buffer->size + size > WIRE_HELLO_MAX_TEXT)
            continue;
        buffer_append(buffer, listener->address, size);
        n++;
    }
    os_mutex_unlock(&node->lock);
    return n;
}
