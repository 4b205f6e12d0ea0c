#include "com/remote/runtime.h"

#include <viaduct/runtime.h>

#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/node.h>

#include "com/abi/error_border.h"
#include "com/remote/addresses.h"
#include "com/remote/export.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/relay.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

/* What the options had from the first version on: no program has fewer. */
#define FIRST_OPTIONS_SIZE (offsetof(struct via_options, handoff_timeout_ms) + sizeof(uint32_t))

static struct {
    struct os_mutex lock;
    unsigned n_users; /* lock */
    _Atomic(struct node *) node;
    struct os_poller *poller;   /* lock */
    struct plugin_set *plugins; /* lock */
    char *host_address;         /* read-only while there is a node */
    char *agent;                /* the same */
} the_runtime = {.lock = OS_MUTEX_INITIALIZER};

/* From here on a few milliseconds more do not count. */
#define LONG_TIMEOUT_MS 1000u
static _Thread_local uint32_t the_thread_timeout;
static _Thread_local uint32_t the_patience;

struct node *runtime_node(void)
{
    struct node *node = atomic_load_explicit(&the_runtime.node, memory_order_acquire);
    if (node == NULL) {
        error_set(CO_E_NOTINITIALIZED, "via_initialize() has not been called in this process");
        return NULL;
    }
    if (os_is_forked()) {
        error_set(VIA_E_FORKED,
                  "this process was forked from one that uses Viaduct; start a program "
                  "of its own instead");
        return NULL;
    }
    return node;
}

HRESULT runtime_publish(HRESULT hr)
{
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}

/* --- joining --- */

static HRESULT search_list(struct plugin_set *plugins, char *list)
{
    HRESULT hr = S_OK;
    char separator[2] = {os_path_list_separator, '\0'};
    char *rest = NULL;
    for (char *path = strtok_r(list, separator, &rest); path != NULL && SUCCEEDED(hr);
         path = strtok_r(NULL, separator, &rest))
        hr = plugin_set_search(plugins, path);
    return hr;
}

static HRESULT search_beside_program(struct plugin_set *plugins)
{
    char *directory;
    HRESULT hr = plugin_directory_find(&directory);
    if (FAILED(hr))
        return hr;
    hr = plugin_set_search(plugins, directory);
    free(directory);
    return hr;
}

static HRESULT load_plugins(const struct via_options *options)
{
    char *runtime_directory = os_path_runtime(false);
    HRESULT hr = plugin_set_new(the_runtime.poller, runtime_directory, &the_runtime.plugins);
    free(runtime_directory);
    if (FAILED(hr))
        return hr;
    if (options->plugin_directories != NULL) {
        for (const char *const *path = options->plugin_directories; *path && SUCCEEDED(hr); path++)
            hr = plugin_set_search(the_runtime.plugins, *path);
        return hr;
    }
    char *list = os_environment("VIADUCT_PLUGIN_PATH");
    hr = list != NULL ? search_list(the_runtime.plugins, list)
                      : search_beside_program(the_runtime.plugins);
    free(list);
    return hr;
}

static void tear_down(void)
{
    struct node *node = atomic_exchange(&the_runtime.node, NULL);
    runtime_relays_end();
    if (node != NULL) {
        node_stop(node);
        node_free(node);
    }
    plugin_set_free(the_runtime.plugins);
    if (the_runtime.poller != NULL)
        os_poller_free(the_runtime.poller);
    free(the_runtime.host_address);
    free(the_runtime.agent);
    the_runtime.plugins = NULL;
    the_runtime.poller = NULL;
    the_runtime.host_address = the_runtime.agent = NULL;
}

static char *program_name(void)
{
    char *path = os_path_program();
    char *name = path == NULL ? NULL : strdup(os_path_name(path));
    free(path);
    return name;
}

static bool wants_to_stay(const struct via_options *options)
{
    char *choice = os_environment("VIADUCT_SHARED_MEMORY");
    bool stays = (options->flags & VIA_OPTION_NO_SHARED_MEMORY) ||
                 (choice != NULL && strcmp(choice, "0") == 0);
    free(choice);
    return stays;
}

static HRESULT set_up(const struct via_options *options)
{
    struct node_settings settings;
    node_settings_default(&settings);
    if (options->call_timeout_ms != 0)
        settings.call_timeout_ms = options->call_timeout_ms;
    if (options->activation_timeout_ms != 0)
        settings.activation_timeout_ms = options->activation_timeout_ms;
    if (options->handoff_timeout_ms != 0)
        settings.handoff_timeout_ms = options->handoff_timeout_ms;
    if (options->max_workers != 0)
        settings.link.max_workers = options->max_workers;
    if (options->max_spin_us != 0)
        settings.link.max_spin_us = options->max_spin_us;
    settings.link.stay = wants_to_stay(options);
    if (options->no_spin != 0)
        settings.link.max_spin_us = 0;
    the_runtime.agent = options->agent != NULL ? strdup(options->agent) : program_name();
    settings.link.agent = the_runtime.agent;
    the_runtime.host_address = options->host_address != NULL ? strdup(options->host_address)
                                                             : os_environment("VIADUCT_HOST");
    HRESULT hr = the_runtime.agent == NULL ? error_set(E_OUTOFMEMORY, "no memory for the runtime")
                                           : typelib_catalog_add(&builtin_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_catalog_add(&builtin_events_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_catalog_add(&builtin_streams_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_catalog_add(&builtin_members_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_catalog_add(&node_typelib);
    if (SUCCEEDED(hr))
        hr = typelib_catalog_add(&host_typelib);
    if (SUCCEEDED(hr))
        hr = os_poller_new(&the_runtime.poller);
    if (SUCCEEDED(hr))
        hr = load_plugins(options);
    if (SUCCEEDED(hr))
        hr = runtime_relays_begin(the_runtime.poller, the_runtime.plugins);
    struct node *node = NULL;
    if (SUCCEEDED(hr))
        hr = node_new(&settings, the_runtime.plugins, &node);
    if (SUCCEEDED(hr))
        atomic_store_explicit(&the_runtime.node, node, memory_order_release);
    return hr;
}

HRESULT via_initialize(const struct via_options *given)
{
    /* A program may have been built with another version, whose options end earlier or later. */
    struct via_options options = {0};
    if (given != NULL && given->size < FIRST_OPTIONS_SIZE)
        return runtime_publish(error_set(
            E_INVALIDARG, "via_options.size is %u, not sizeof(struct via_options)", given->size));
    if (given != NULL)
        memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
    os_notice_forks();
    HRESULT hr = S_FALSE;
    os_mutex_lock(&the_runtime.lock);
    if (the_runtime.n_users == 0)
        hr = set_up(&options);
    if (SUCCEEDED(hr))
        the_runtime.n_users++;
    else
        tear_down();
    os_mutex_unlock(&the_runtime.lock);
    return runtime_publish(hr);
}

void via_uninitialize(void)
{
    os_mutex_lock(&the_runtime.lock);
    if (the_runtime.n_users > 0 && --the_runtime.n_users == 0)
        tear_down();
    os_mutex_unlock(&the_runtime.lock);
}

HRESULT via_listen(const char *address)
{
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    return runtime_publish(link_node_listen(node->link, address, false));
}

HRESULT via_set_root_object(IUnknown *root)
{
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    node_set_root(node, root);
    return S_OK;
}

HRESULT via_object_set_serial(IUnknown *object)
{
    if (runtime_node() == NULL)
        return runtime_publish(error_get()->code);
    return runtime_publish(export_mark_serial(object));
}

/* --- connecting --- */

HRESULT via_connect(const char *address, REFIID iid, void **object)
{
    *object = NULL;
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    const char *const addresses[] = {address, NULL};
    return runtime_publish(node_connect(node, addresses, runtime_deadline(NULL), iid, object));
}

/* A host is its own: it needs no connection to itself. */
static bool get_own_host(struct node *node, IUnknown **host)
{
    IUnknown *root = node_root(node);
    if (root == NULL)
        return false;
    HRESULT hr = root->lpVtbl->QueryInterface(root, &IID_IViaductHost, (void **)host);
    root->lpVtbl->Release(root);
    return SUCCEEDED(hr);
}

static HRESULT connect_host(struct node *node, uint64_t deadline_ns, REFIID iid, void **object)
{
    IUnknown *own;
    if (get_own_host(node, &own)) {
        HRESULT hr = own->lpVtbl->QueryInterface(own, iid, object);
        own->lpVtbl->Release(own);
        return hr;
    }
    if (the_runtime.host_address != NULL) {
        const char *const addresses[] = {the_runtime.host_address, NULL};
        return node_connect(node, addresses, deadline_ns, iid, object);
    }
    char *user = address_of_host(false);
    char *system = address_of_host(true);
    HRESULT hr = E_OUTOFMEMORY;
    if (user != NULL && system != NULL) {
        const char *const addresses[] = {user, system, NULL};
        hr = node_connect(node, addresses, deadline_ns, iid, object);
    } else {
        error_set(E_OUTOFMEMORY, "no memory for the host's address");
    }
    free(user);
    free(system);
    return hr;
}

HRESULT via_host(REFIID iid, void **object)
{
    *object = NULL;
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    HRESULT hr = connect_host(node, runtime_deadline(NULL), iid, object);
    if (hr == VIA_E_UNREACHABLE)
        hr = error_wrap(hr, "there is no host; start viaductd, or set VIADUCT_HOST to its address");
    return runtime_publish(hr);
}

/* --- deadlines --- */

static uint32_t patience_for(struct import *import)
{
    struct node *node = import != NULL ? import->node : runtime_node();
    uint32_t own =
        import == NULL ? 0 : atomic_load_explicit(&import->timeout_ms, memory_order_relaxed);
    if (own == 0)
        own = the_patience != 0 ? the_patience : node->settings.call_timeout_ms;
    if (the_thread_timeout != 0 && the_thread_timeout < own)
        own = the_thread_timeout;
    return own;
}

uint64_t runtime_deadline(struct import *import)
{
    uint32_t patience_ms = patience_for(import);
    return patience_ms < LONG_TIMEOUT_MS ? os_deadline_ms(patience_ms)
                                         : os_coarse_deadline_ms(patience_ms);
}

uint64_t runtime_coarse_deadline(struct import *import)
{
    return os_coarse_deadline_ms(patience_for(import));
}

uint32_t runtime_set_patience(uint32_t timeout_ms)
{
    uint32_t previous = the_patience;
    the_patience = timeout_ms;
    return previous;
}

HRESULT via_proxy_set_deadline(IUnknown *proxy, uint32_t timeout_ms)
{
    struct import *import = import_of(proxy);
    if (import == NULL)
        return S_FALSE;
    atomic_store_explicit(&import->timeout_ms, timeout_ms, memory_order_relaxed);
    return S_OK;
}

uint32_t via_thread_set_deadline(uint32_t timeout_ms)
{
    uint32_t previous = the_thread_timeout;
    the_thread_timeout = timeout_ms;
    return previous;
}

uint64_t via_thread_id(void)
{
    return os_thread_id();
}

HRESULT via_cancel(uint64_t thread_id)
{
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    return runtime_publish(link_cancel(node->link, thread_id));
}
