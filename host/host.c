/* Making the host's parts, and taking them down in the other order. */
#include "host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/sha1.h"
#include "host/com_server.h"
#include "host/exposed.h"
#include "host/object.h"
#include "host/text.h"

/* A directory that only this host uses: for what components' processes write to their standard
 * error. */
static HRESULT make_scratch(struct host *host)
{
    char *temporary = os_path_temporary(), name[64];

    snprintf(name, sizeof(name), "viaductd-%u-%llx", os_process_id(),
             (unsigned long long)os_now_ns());
    host->scratch_directory = temporary ? os_path_join(temporary, name) : NULL;
    free(temporary);
    if (!host->scratch_directory)
        return error_set(E_OUTOFMEMORY, "no memory for the host");
    return os_directory_make_private(host->scratch_directory);
}

static HRESULT make_servers(struct host *host)
{
    const struct configuration *configuration = host->configuration;
    struct server_settings settings = {
        .program = host->program,
        .host_address = configuration->listen[0],
        .listen = (const char *const *)configuration->listen,
        .plugins = (const char *const *)configuration->plugin_directories,
        .scratch_directory = host->scratch_directory,
        .start_timeout_ms = configuration->start_timeout_ms,
        .idle_ms = configuration->idle_ms,
        .back_off_max_ms = configuration->back_off_max_ms,
        .settle_ms = SERVER_SETTLE_MS,
        .exits = host->exits,
    };

    return servers_new(&settings, &host->servers);
}

/* The directory for the manifests of what is exposed: the same at each start, so that the index of
 * the manifests stays true, and another one for each host. */
static HRESULT name_exposed_directory(struct host *host)
{
    const struct configuration *configuration = host->configuration;
    const char *address = configuration->listen[0];
    struct sha1 sha1;
    uint8_t hash[SHA1_SIZE];
    char name[64];

    sha1_init(&sha1);
    sha1_update(&sha1, address, strlen(address));
    sha1_finish(&sha1, hash);
    snprintf(name, sizeof(name), "com-%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3],
             hash[4], hash[5]);
    host->exposed_directory = os_path_join(configuration->cache_directory, name);
    return host->exposed_directory ? S_OK : error_set(E_OUTOFMEMORY, "no memory for the host");
}

/* Behind the configured directories comes that of what is exposed. */
static HRESULT make_registry(struct host *host)
{
    const struct configuration *configuration = host->configuration;
    const char *directories[CONFIGURATION_MAX_DIRECTORIES + 2];
    bool exposes = configuration->exposed && configuration->exposed[0];
    size_t n = 0;
    HRESULT hr = S_OK;

    while (configuration->component_directories[n]) {
        directories[n] = configuration->component_directories[n];
        n++;
    }
    if (exposes) {
        hr = name_exposed_directory(host);
        if (SUCCEEDED(hr))
            hr = exposed_write_manifests(configuration, host->exposed_directory);
        directories[n++] = host->exposed_directory;
    }
    directories[n] = NULL;
    return SUCCEEDED(hr)
               ? registry_new(directories, configuration->cache_directory, &host->registry)
               : hr;
}

static HRESULT make_parts(struct host *host)
{
    const struct configuration *configuration = host->configuration;
    HRESULT hr = make_scratch(host);

    host->program = os_path_program();
    if (SUCCEEDED(hr) && !host->program)
        hr = error_set(E_OUTOFMEMORY, "no memory for the host");
    if (FAILED(hr))
        return hr;
    host->exits = exits_new();
    host->modules = modules_new();
    host->running = running_new();
    if (!host->exits || !host->modules || !host->running)
        return error_set(E_OUTOFMEMORY, "no memory for the host");
    hr = make_registry(host);
    if (SUCCEEDED(hr))
        hr = make_servers(host);
    if (SUCCEEDED(hr))
        hr = peers_new(configuration->peers, configuration->n_peers, configuration->name,
                       &host->peers);
    return SUCCEEDED(hr) ? object_new(host, &host->object) : hr;
}

/* Whether it is where this user's clients look without being told: there anything could be waiting
 * for them, so that it must be nobody else's to enter. The system's is for all users. */
static bool is_default_directory(const struct configuration *configuration, const char *directory)
{
    char *own = configuration->system ? NULL : os_path_runtime(false);
    bool is_it = own && strcmp(own, directory) == 0;

    free(own);
    return is_it;
}

/* The directory of a Unix socket may be ours to make: the runtime directory is not there after a
 * reboot. Whoever could replace the socket in it could be taken for this host. */
static HRESULT make_socket_directory(const struct configuration *configuration, const char *address)
{
    char *directory;
    HRESULT hr = S_OK;

    if (strncmp(address, "unix:", 5) != 0)
        return S_OK;
    directory = os_path_directory(address + 5);
    if (!directory)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    if (!os_file_exists(directory) || is_default_directory(configuration, directory))
        hr = os_directory_make_private(directory);
    if (SUCCEEDED(hr))
        hr = os_directory_check(directory);
    if (FAILED(hr))
        error_wrap(hr, "the directory of %s is not safe", address);
    free(directory);
    return hr;
}

static HRESULT listen_all(struct host *host)
{
    char *const *addresses = host->configuration->listen;
    HRESULT hr = via_set_root_object((IUnknown *)host->object);

    if (FAILED(hr))
        return text_take_error(hr);
    for (size_t i = 0; SUCCEEDED(hr) && addresses[i]; i++) {
        hr = make_socket_directory(host->configuration, addresses[i]);
        if (FAILED(hr))
            break;
        hr = via_listen(addresses[i]);
        if (FAILED(hr)) {
            text_take_error(hr);
            if (hr == VIA_E_ADDRESS_IN_USE)
                error_set(hr, "another host serves %s already", addresses[i]);
            if (hr == VIA_E_ADDRESS)
                hr = configuration_blame_listen(host->configuration, i);
        } else {
            log_info("host", "listening at %s", addresses[i]);
        }
    }
    return hr;
}

HRESULT host_start(const struct configuration *configuration, struct host **out)
{
    struct host *host = calloc(1, sizeof(*host));
    HRESULT hr;

    if (!host)
        return error_set(E_OUTOFMEMORY, "no memory for the host");
    host->configuration = configuration;
    host->started_ns = os_now_ns();
    *out = host; /* on failure too, so that what there is can be taken down */
    hr = make_parts(host);
    if (SUCCEEDED(hr))
        hr = listen_all(host);
    if (SUCCEEDED(hr))
        hr = peers_start(host->peers, host->object);
    if (SUCCEEDED(hr) && configuration->serves_com)
        hr = com_server_start(configuration->back_off_max_ms, &host->com_server);
    if (SUCCEEDED(hr))
        hr = relays_start(configuration, &host->relays);
    if (SUCCEEDED(hr))
        registry_warm(host->registry);
    return hr;
}

void host_stop(struct host *host)
{
    com_server_stop(host->com_server);
    host->com_server = NULL;
    relays_stop(host->relays);
    if (host->object)
        object_disconnect(host->object);
    if (host->peers)
        peers_stop(host->peers);
    if (host->servers)
        servers_stop(host->servers);
    if (host->running)
        running_clear(host->running);
    via_set_root_object(NULL);
}

void host_free(struct host *host)
{
    if (!host)
        return;
    if (host->object)
        IViaductHost_Release(host->object);
    relays_free(host->relays);
    servers_free(host->servers);
    peers_free(host->peers);
    running_free(host->running);
    modules_free(host->modules);
    registry_free(host->registry);
    exits_free(host->exits);
    if (host->scratch_directory)
        os_directory_remove(host->scratch_directory);
    error_clear();
    free(host->scratch_directory);
    free(host->exposed_directory);
    free(host->program);
    free(host);
}
