#include "com/remote/node.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/crosswait.h"
#include "com/remote/export.h"
#include "com/remote/frames.h"
#include "com/remote/handed_on.h"
#include "com/remote/handoff.h"
#include "com/remote/import.h"
#include "com/remote/kept.h"
#include "com/remote/node_object.h"
#include "com/remote/packet.h"
#include "com/remote/peer.h"
#include "com/remote/proxy.h"
#include "com/remote/reference.h"
#include "com/remote/stub.h"
#include "com/remote/stub_query.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* --- what core/link asks --- */

static HRESULT opened(void *context, struct link_connection *connection)
{
    struct peer *peer;
    HRESULT hr = peer_new(context, connection, &peer);
    if (SUCCEEDED(hr))
        link_connection_set_user(connection, peer);
    return hr;
}

static void closed(void *context, struct link_connection *connection)
{
    (void)context;
    struct peer *peer = peer_of(connection);
    if (peer == NULL)
        return;
    peer_closed(peer);
    kept_peer_closed(peer);
    handoff_peer_closed(peer);
    handed_on_peer_closed(peer);
    import_peer_closed(peer);
    peer_unref(peer);
}

static enum link_route route(void *context, struct link_message *message)
{
    (void)context;
    struct peer *peer = peer_of(message->connection);
    if (message->kind == WIRE_QUERY_INTERFACE)
        return stub_route_query(peer, message);
    if (message->kind != WIRE_ACCEPT)
        return stub_route(peer, message);
    enum link_route route = handoff_accepted(peer, message);
    if (route == LINK_ROUTE_ANY)
        message->user = peer_ref(peer); /* until the connection has ended, if it waits so long */
    return route;
}

static void run(void *context, struct link_message *message)
{
    (void)context;
    if (message->kind == WIRE_QUERY_INTERFACE) {
        stub_run_query(message);
    } else if (message->kind != WIRE_ACCEPT) {
        stub_run(message);
    } else {
        struct peer *held = message->user; /* NULL: it has waited, and holds it itself */
        handoff_run_accept(message);
        peer_unref(held);
    }
}

static HRESULT released(struct peer *peer, const struct link_message *frame)
{
    const uint8_t *entries;
    size_t n;
    HRESULT hr = frame_read_release(frame, &entries, &n);
    for (size_t i = 0; SUCCEEDED(hr) && i < n; i++) {
        uint64_t id;
        uint32_t count;
        frame_read_release_entry(entries, i, &id, &count);
        hr = peer_take_back(peer, id, count);
    }
    return hr;
}

static HRESULT control(void *context, struct link_message *frame)
{
    (void)context;
    struct peer *peer = peer_of(frame->connection);
    switch (frame->kind) {
    case WIRE_RELEASE:
        return released(peer, frame);
    case WIRE_INTERFACE: {
        uint32_t index;
        GUID iid;
        uint8_t hash[BINDING_HASH_SIZE];
        frame_read_interface(frame, &index, &iid, hash);
        return binding_in(peer, index, &iid, hash);
    }
    case WIRE_PROVIDE: {
        struct frame_provide provide;
        HRESULT hr = frame_read_provide(frame, &provide);
        return FAILED(hr) ? hr : handoff_provided(peer, &provide);
    }
    case WIRE_FINISH:
        kept_finish(peer, frame->call_id);
        return S_OK;
    case WIRE_WITHDRAW: {
        struct link_id t1;
        frame_read_withdraw(frame, &t1);
        return handoff_withdrawn(peer, &t1);
    }
    default:
        return error_set(VIA_E_PROTOCOL, "a frame of kind %u is not expected here", frame->kind);
    }
}

static void dropped(void *context, struct link_message *reply)
{
    (void)context;
    reference_drop(peer_of(reply->connection), reply);
}

static HRESULT keep(void *context, struct link_message *reply)
{
    (void)context;
    return reference_keep(peer_of(reply->connection), reply);
}

static const struct link_handler the_handler = {.opened = opened,
                                                .closed = closed,
                                                .route = route,
                                                .run = run,
                                                .control = control,
                                                .dropped = dropped,
                                                .keep = keep};

/* --- the node --- */

void node_settings_default(struct node_settings *settings)
{
    *settings = (struct node_settings){
        .call_timeout_ms = 30000, .activation_timeout_ms = 60000, .handoff_timeout_ms = 30000};
    link_settings_default(&settings->link);
    settings->link.max_handles = LINK_MAX_HANDLES;
}

HRESULT node_new(const struct node_settings *settings, struct plugin_set *plugins,
                 struct node **result)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a node");
    atomic_init(&node->refs, 1);
    os_mutex_init(&node->lock);
    node->settings = *settings;
    node->next_object = 1;
    list_init(&node->packets);
    IUnknown *root;
    HRESULT hr = node_object_new(node, &root);
    if (SUCCEEDED(hr)) {
        hr = export_new_root(node, root, &node->root);
        root->lpVtbl->Release(root);
    }
    if (SUCCEEDED(hr))
        hr = link_node_new(&settings->link, plugins, &the_handler, node, &node->link);
    if (FAILED(hr)) {
        node_free(node);
        return hr;
    }
    *result = node;
    return S_OK;
}

void node_stop(struct node *node)
{
    atomic_store(&node->closed, true);
    link_node_close(node->link);
    handoff_stop(node);
    packet_stop(node);
    crosswait_stop(node);
    link_node_stop(node->link);
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    atomic_store(&node->closed, true);
    node_set_root(node, NULL);
    if (node->root != NULL)
        export_unref(node->root);
    node_unref(node);
}

struct node *node_ref(struct node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

/* The link node goes with the last proxy, since their connections belong to it. */
unsigned node_unref(struct node *node)
{
    unsigned left = atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) - 1;
    if (left > 0)
        return left;
    if (node->link != NULL)
        link_node_free(node->link);
    table_deinit(&node->exports);
    table_deinit(&node->imports);
    table_deinit(&node->provides);
    table_deinit(&node->accepts);
    table_deinit(&node->broken);
    table_deinit(&node->watches);
    table_deinit(&node->watch_cookies);
    os_mutex_deinit(&node->lock);
    free(node);
    return 0;
}

void node_submit(struct node *node, struct link_job *job, void (*run_it)(void *argument),
                 void *argument)
{
    *job = (struct link_job){.run = run_it, .argument = argument};
    if (node->link == NULL || !link_node_submit(node->link, job))
        run_it(argument);
}

void node_set_root(struct node *node, IUnknown *root)
{
    if (root != NULL)
        root->lpVtbl->AddRef(root);
    os_mutex_lock(&node->lock);
    IUnknown *previous = node->root_extra;
    node->root_extra = root;
    os_mutex_unlock(&node->lock);
    if (previous != NULL)
        previous->lpVtbl->Release(previous);
}

IUnknown *node_root(struct node *node)
{
    os_mutex_lock(&node->lock);
    IUnknown *root = node->root_extra;
    if (root != NULL)
        root->lpVtbl->AddRef(root);
    os_mutex_unlock(&node->lock);
    return root;
}

HRESULT node_connect(struct node *node, const char *const *addresses, uint64_t deadline_ns,
                     REFIID iid, void **object)
{
    *object = NULL;
    struct link_connection *connection;
    HRESULT hr = link_node_connect(node->link, addresses, deadline_ns, &connection);
    if (FAILED(hr))
        return hr;
    struct import *root;
    hr = import_received(peer_of(connection), 0, &root);
    link_connection_unref(connection);
    if (FAILED(hr))
        return hr;
    hr = proxy_query(root, iid, object);
    import_unref(root);
    return hr;
}
