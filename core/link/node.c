#include "core/link/node.h"

#include "core/link/connection.h"
#include "core/link/current.h"
#include "core/link/listener.h"
#include "core/link/numbered.h"
#include "core/link/reactor.h"
#include "core/link/worker.h"
#include "core/os/path.h"
#include "core/os/random.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/wire/hello.h"

#include <stdlib.h>
#include <string.h>

void link_settings_default(struct link_settings *settings)
{
    *settings = (struct link_settings){.max_workers = 64,
                                       .worker_idle_ms = 10000,
                                       .max_spin_us = 50,
                                       .hello_timeout_ms = 5000,
                                       .max_frame = WIRE_MAX_FRAME,
                                       .max_message = WIRE_MAX_MESSAGE,
                                       .out_queue_size = 4u * 1024u * 1024u,
                                       .drain_timeout_ms = 10000,
                                       .max_connections = 0,
                                       .max_handles = WIRE_MAX_HANDLES,
                                       .hot_calls = 64,
                                       .cold_ms = 30000,
                                       .agent = "viaduct"};
}

static HRESULT check_settings(const struct link_settings *settings)
{
    if (settings->max_workers == 0 || settings->max_frame < WIRE_MIN_FRAME ||
        settings->max_frame > WIRE_MAX_FRAME || settings->max_frame % 8 != 0 ||
        settings->max_message < settings->max_frame || settings->max_message > 1u << 30)
        return error_set(E_INVALIDARG,
                         "a node needs a worker at least, frames of %u to %u bytes, a multiple of "
                         "8, and messages no smaller than a frame",
                         WIRE_MIN_FRAME, WIRE_MAX_FRAME);
    return S_OK;
}

static void init_parts(struct link_node *self)
{
    os_mutex_init(&self->lock);
    struct list *lists[] = {&self->connections, &self->leased, &self->in_memory, &self->corked,
                            &self->listeners,   &self->timers, &self->workers,   &self->jobs,
                            &self->ended,       &self->idle,   &self->parked};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        list_init(lists[i]);
    for (size_t i = 0; i < NODE_CHAIN_BUCKETS; i++) {
        os_mutex_init(&self->chains[i].lock);
        list_init(&self->chains[i].calls);
    }
    self->n_processors = os_cpu_count();
    if (os_path_separator == '\\')
        self->system_flags = WIRE_HELLO_WINDOWS | (os_is_wine() ? WIRE_HELLO_WINE : 0);
}

HRESULT link_node_new(const struct link_settings *settings, struct plugin_set *plugins,
                      const struct link_handler *handler, void *context, struct link_node **node)
{
    HRESULT hr = check_settings(settings);
    if (FAILED(hr))
        return hr;
    os_notice_forks();
    struct link_node *self = calloc(1, sizeof *self);
    char *agent = strdup(settings->agent != NULL ? settings->agent : "");
    hr = self != NULL && agent != NULL ? os_random(&self->id, sizeof self->id)
                                       : error_set(E_OUTOFMEMORY, "no memory for a node");
    if (FAILED(hr)) {
        free(agent);
        free(self);
        return hr;
    }
    if (strlen(agent) > WIRE_HELLO_MAX_AGENT)
        agent[WIRE_HELLO_MAX_AGENT] = '\0';
    self->settings = *settings;
    self->agent = agent;
    self->settings.agent = agent;
    self->plugins = plugins;
    self->handler = *handler;
    self->context = context;
    init_parts(self);
    *node = self;
    return S_OK;
}

const struct link_id *link_node_id(const struct link_node *node)
{
    return &node->id;
}

HRESULT node_check(struct link_node *node)
{
    if (os_is_forked())
        return error_set(VIA_E_FORKED, "this process is a fork of the one that made the "
                                       "connection; it has to set up its own");
    if (atomic_load_explicit(&node->closing, memory_order_relaxed))
        return error_set(RPC_E_DISCONNECTED, "the node has been closed");
    return S_OK;
}

HRESULT node_check_transport(const struct via_transport *transport, const char *address)
{
    if (!(transport->capabilities & VIA_TRANSPORT_RELAYS_ONLY))
        return S_OK;
    return error_set(VIA_E_ADDRESS,
                     "%s serves relays only; objects travel by unix:, pipe: or shm:", address);
}

HRESULT link_node_need_reactor(struct link_node *node)
{
    HRESULT hr = node_check(node);
    return FAILED(hr) ? hr : reactor_join(node);
}

struct link_connection *link_node_find(struct link_node *node, const struct link_id *peer)
{
    struct link_connection *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->connections.next; l != &node->connections && found == NULL;
         l = l->next) {
        struct link_connection *connection = list_entry(l, struct link_connection, link);
        if (connection_is_open(connection) &&
            memcmp(&connection->peer.node, peer, sizeof *peer) == 0)
            found = link_connection_ref(connection);
    }
    os_mutex_unlock(&node->lock);
    return found;
}

/* All connections, each with a reference; NULL at the end. NULL without memory. */
static struct link_connection **list_all(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    struct link_connection **all = calloc((size_t)node->n_connections + 1, sizeof(*all));
    size_t n = 0;
    for (struct list *l = node->connections.next; all != NULL && l != &node->connections;
         l = l->next)
        all[n++] = link_connection_ref(list_entry(l, struct link_connection, link));
    os_mutex_unlock(&node->lock);
    return all;
}

void link_node_each(struct link_node *node, void (*visit)(void *, struct link_connection *),
                    void *argument)
{
    struct link_connection **all = list_all(node);
    for (struct link_connection **c = all; c != NULL && *c != NULL; c++) {
        if (connection_is_open(*c) && connection_use(*c)) {
            visit(argument, *c);
            connection_drop(*c);
        }
        link_connection_unref(*c);
    }
    free(all);
}

bool link_node_submit(struct link_node *node, struct link_job *job)
{
    return !os_is_forked() && (worker_keep_job(node, job) || worker_submit(node, job));
}

/* --- the end --- */

void link_node_close(struct link_node *node)
{
    if (os_is_forked())
        return;
    os_mutex_lock(&node->lock);
    bool first = !node->closing;
    atomic_store(&node->closing, true);
    os_mutex_unlock(&node->lock);
    if (!first)
        return;
    listener_close_all(node);
    for (;;) {
        /* One by one, so that it needs no memory. */
        struct link_connection *open = NULL;
        os_mutex_lock(&node->lock);
        for (struct list *l = node->connections.next; l != &node->connections && open == NULL;
             l = l->next) {
            struct link_connection *connection = list_entry(l, struct link_connection, link);
            if (!link_connection_is_closed(connection))
                open = link_connection_ref(connection);
        }
        os_mutex_unlock(&node->lock);
        if (open == NULL)
            return;
        link_connection_close(open, RPC_E_DISCONNECTED, "the node has been closed");
        link_connection_unref(open);
    }
}

void link_node_stop(struct link_node *node)
{
    link_node_close(node);
    os_mutex_lock(&node->lock);
    bool first = !node->stopped;
    node->stopped = true;
    os_mutex_unlock(&node->lock);
    if (!first || os_is_forked())
        return;
    /* Connections end with the reactor running, since their callbacks may; then nothing starts
     * work. */
    worker_stop(node);
    reactor_leave(node);
    thread_trim(thread_self());
}

void link_node_free(struct link_node *node)
{
    if (node == NULL)
        return;
    link_node_stop(node);
    if (os_is_forked())
        return; /* threads that are not here may have held its locks */
    numbered_free_all(&node->parked);
    for (size_t i = 0; i < NODE_CHAIN_BUCKETS; i++)
        os_mutex_deinit(&node->chains[i].lock);
    os_mutex_deinit(&node->lock);
    free(node->agent);
    free(node);
}
