/* See configuration.h. Each section of the file has a function; what it does not say is filled in
 * afterwards. */
#include "host/configuration.h"

#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/registry/class_name.h"
#include "com/remote/addresses.h"
#include "core/config/config.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/strings.h"

#define DEFAULT_NAME             "host"
#define START_TIMEOUT_DEFAULT_MS 30000
#define IDLE_DEFAULT_MS          10000
/* A COM class whose method does not return for so long after its caller has given up hangs. */
#define HANG_DEFAULT_MS         5000u
#define BACK_OFF_MAX_DEFAULT_MS 30000
#define CALL_TIMEOUT_DEFAULT_MS 30000
#define MAX_WORKERS_DEFAULT     64

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for the configuration");
}

void configuration_free(struct configuration *configuration)
{
    if (!configuration)
        return;
    strings_free(configuration->listen);
    strings_free(configuration->plugin_directories);
    strings_free(configuration->component_directories);
    strings_free(configuration->exposed);
    strings_free(configuration->annotations);
    for (size_t i = 0; i < configuration->n_peers; i++) {
        free(configuration->peers[i].name);
        free(configuration->peers[i].address);
    }
    free(configuration->peers);
    for (size_t i = 0; i < configuration->n_relays; i++)
        relays_settings_deinit(&configuration->relays[i]);
    free(configuration->relays);
    free(configuration->path);
    free(configuration->name);
    free(configuration->cache_directory);
    free(configuration->log_file);
    config_free(configuration->document);
    free(configuration);
}

/* --- the file --- */

static HRESULT fail_with_record(const struct config_node *node, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];

    error_format(error_get(), hr, text, sizeof(text));
    return config_fail(node, "%s", text);
}

/* What can be said without the transport, which is loaded only where a host starts. */
static HRESULT check_address(const struct config_node *node, const char *address)
{
    char scheme[PLUGIN_SCHEME_SIZE];
    const char *rest;
    HRESULT hr = plugin_address_split(address, scheme, &rest);

    if (FAILED(hr))
        return fail_with_record(node, hr);
    if (strcmp(scheme, "unix") == 0 && rest[0] != '/' && !os_path_is_absolute(rest))
        return config_fail(node, "%.200s has no absolute path; write unix:/directory/name.sock",
                           address);
    return S_OK;
}

static HRESULT check_directory(const struct config_node *node, const char *path)
{
    if (os_path_is_absolute(path))
        return S_OK;
    return config_fail(node, "expected an absolute path, not \"%.200s\"", path);
}

static HRESULT read_list(const struct config_node *root, const char *key, size_t limit,
                         HRESULT (*check)(const struct config_node *, const char *), char ***list)
{
    struct config_node node, element;
    size_t count;
    HRESULT hr;

    if (!config_find(root, key, &node))
        return S_OK;
    hr = config_count(&node, limit, &count);
    if (FAILED(hr))
        return hr;
    *list = calloc(count + 1, sizeof(char *));
    if (!*list)
        return no_memory();
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(&node, i, &element);
        hr = config_text(&element, &(*list)[i]);
        if (SUCCEEDED(hr))
            hr = check(&element, (*list)[i]);
    }
    return hr;
}

static HRESULT check_exposed(const struct config_node *node, const char *pattern)
{
    GUID clsid;

    if (pattern[0] != '{' || guid_parse(pattern, &clsid))
        return S_OK;
    return config_fail(node, "\"%.64s\" is no CLSID", pattern);
}

static HRESULT read_host_name(const struct config_node *node, char **name)
{
    HRESULT hr = config_text(node, name);

    if (SUCCEEDED(hr) && (!class_name_is_host(*name) || strcmp(*name, CLASS_NAME_LOCAL) == 0))
        hr = config_fail(
            node,
            "\"%.64s\" cannot be a host's name: expected letters, digits, '-' and '_', and "
            "not \"" CLASS_NAME_LOCAL "\"",
            *name);
    return hr;
}

static HRESULT read_peer(const struct config_node *object, struct peer_settings *peer)
{
    static const char *const known[] = {"name", "address", NULL};
    struct config_node node;
    HRESULT hr = config_check_keys(object, known);

    if (SUCCEEDED(hr))
        hr = config_require(object, "name", &node);
    if (SUCCEEDED(hr))
        hr = read_host_name(&node, &peer->name);
    if (SUCCEEDED(hr) && config_find(object, "address", &node)) {
        hr = config_text(&node, &peer->address);
        if (SUCCEEDED(hr))
            hr = check_address(&node, peer->address);
    }
    return hr;
}

static HRESULT read_peers(const struct config_node *root, struct configuration *configuration)
{
    struct config_node node, element;
    size_t count;
    HRESULT hr;

    if (!config_find(root, "peers", &node))
        return S_OK;
    hr = config_count(&node, CONFIGURATION_MAX_PEERS, &count);
    if (FAILED(hr))
        return hr;
    configuration->peers = calloc(count + 1, sizeof(*configuration->peers));
    if (!configuration->peers)
        return no_memory();
    configuration->n_peers = count;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(&node, i, &element);
        hr = read_peer(&element, &configuration->peers[i]);
        for (size_t j = 0; SUCCEEDED(hr) && j < i; j++) {
            if (strcmp(configuration->peers[i].name, configuration->peers[j].name) == 0)
                hr = config_fail(&element, "another peer is named %s already",
                                 configuration->peers[i].name);
        }
    }
    return hr;
}

/* A host that listens twice at one address would find it taken; a peer of its own name could not
 * be asked for. */
static HRESULT check_contradictions(const struct config_node *root,
                                    const struct configuration *configuration)
{
    char *const *listen = configuration->listen;
    const char *own = configuration->name ? configuration->name : DEFAULT_NAME;
    struct config_node node, element;

    for (size_t i = 0; listen && listen[i]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(listen[i], listen[j]) != 0)
                continue;
            config_find(root, "listen", &node);
            config_element(&node, i, &element);
            return config_fail(&element, "%.200s is there twice", listen[i]);
        }
    }
    for (size_t i = 0; i < configuration->n_peers; i++) {
        if (strcmp(configuration->peers[i].name, own) != 0)
            continue;
        config_find(root, "peers", &node);
        config_element(&node, i, &element);
        return config_fail(&element, "the peer has the name of this host itself, %s; see \"name\"",
                           own);
    }
    return S_OK;
}

static HRESULT read_number(const struct config_node *object, const char *key, int64_t min,
                           int64_t max, uint32_t *number)
{
    struct config_node node;
    int64_t value = *number;
    HRESULT hr = S_OK;

    if (config_find(object, key, &node))
        hr = config_integer(&node, min, max, &value);
    *number = (uint32_t)value;
    return hr;
}

static HRESULT read_limits(const struct config_node *root, struct configuration *configuration)
{
    static const char *const known_activation[] = {"start_timeout_ms", "idle_ms", "back_off_max_ms",
                                                   NULL};
    static const char *const known_limits[] = {"call_timeout_ms", "max_workers", NULL};
    struct config_node node;
    HRESULT hr = S_OK;

    if (config_find(root, "activation", &node)) {
        hr = config_check_keys(&node, known_activation);
        if (SUCCEEDED(hr))
            hr = read_number(&node, "start_timeout_ms", 100, 600000,
                             &configuration->start_timeout_ms);
        if (SUCCEEDED(hr))
            hr = read_number(&node, "idle_ms", 100, 86400000, &configuration->idle_ms);
        if (SUCCEEDED(hr))
            hr =
                read_number(&node, "back_off_max_ms", 0, 86400000, &configuration->back_off_max_ms);
    }
    if (SUCCEEDED(hr) && config_find(root, "limits", &node)) {
        hr = config_check_keys(&node, known_limits);
        if (SUCCEEDED(hr))
            hr =
                read_number(&node, "call_timeout_ms", 1, 86400000, &configuration->call_timeout_ms);
        if (SUCCEEDED(hr))
            hr = read_number(&node, "max_workers", 2, 4096, &configuration->max_workers);
    }
    return hr;
}

/* Nothing is exposed that is not named: some classes of Windows run any program. */
static HRESULT read_com(const struct config_node *root, struct configuration *configuration)
{
    static const char *const known[] = {"expose", "hang_ms", "annotations", "serve", NULL};
    struct config_node node, serve;
    HRESULT hr;

    if (!config_find(root, "com", &node))
        return S_OK;
    hr = config_check_keys(&node, known);
    if (SUCCEEDED(hr))
        hr = read_number(&node, "hang_ms", 0, 86400000, &configuration->hang_ms);
    if (SUCCEEDED(hr) && config_find(&node, "serve", &serve))
        hr = config_boolean(&serve, &configuration->serves_com);
    if (SUCCEEDED(hr))
        hr = read_list(&node, "expose", CONFIGURATION_MAX_EXPOSED, check_exposed,
                       &configuration->exposed);
    if (SUCCEEDED(hr))
        hr = read_list(&node, "annotations", CONFIGURATION_MAX_ANNOTATIONS, check_directory,
                       &configuration->annotations);
    return hr;
}

static HRESULT read_log(const struct config_node *root, struct configuration *configuration)
{
    static const char *const known[] = {"level", "file", NULL};
    static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
    struct config_node log, node;
    unsigned index;
    HRESULT hr;

    if (!config_find(root, "log", &log))
        return S_OK;
    hr = config_check_keys(&log, known);
    if (SUCCEEDED(hr) && config_find(&log, "level", &node)) {
        hr = config_word(&node, levels, &index);
        if (SUCCEEDED(hr))
            log_level_parse(levels[index], &configuration->log_level);
    }
    if (SUCCEEDED(hr) && config_find(&log, "file", &node)) {
        hr = config_text(&node, &configuration->log_file);
        if (SUCCEEDED(hr))
            hr = check_directory(&node, configuration->log_file);
    }
    return hr;
}

static HRESULT read_file(struct config *config, struct configuration *configuration)
{
    static const char *const known[] = {"name",
                                        "listen",
                                        "plugin_directories",
                                        "component_directories",
                                        "cache_directory",
                                        "peers",
                                        "com",
                                        "relays",
                                        "activation",
                                        "limits",
                                        "log",
                                        NULL};
    struct config_node root = config_root(config), node;
    HRESULT hr = config_check_keys(&root, known);

    if (SUCCEEDED(hr) && config_find(&root, "name", &node))
        hr = read_host_name(&node, &configuration->name);
    if (SUCCEEDED(hr))
        hr = read_list(&root, "listen", CONFIGURATION_MAX_LISTEN, check_address,
                       &configuration->listen);
    if (SUCCEEDED(hr) && configuration->listen && !configuration->listen[0]) {
        config_find(&root, "listen", &node);
        hr = config_fail(&node, "a host listens at one address at least");
    }
    if (SUCCEEDED(hr))
        hr = read_list(&root, "plugin_directories", CONFIGURATION_MAX_DIRECTORIES, check_directory,
                       &configuration->plugin_directories);
    if (SUCCEEDED(hr))
        hr = read_list(&root, "component_directories", CONFIGURATION_MAX_DIRECTORIES,
                       check_directory, &configuration->component_directories);
    if (SUCCEEDED(hr) && config_find(&root, "cache_directory", &node)) {
        hr = config_text(&node, &configuration->cache_directory);
        if (SUCCEEDED(hr))
            hr = check_directory(&node, configuration->cache_directory);
    }
    if (SUCCEEDED(hr))
        hr = read_peers(&root, configuration);
    if (SUCCEEDED(hr))
        hr = read_com(&root, configuration);
    if (SUCCEEDED(hr) && config_find(&root, "relays", &node))
        hr = relays_read(&node, CONFIGURATION_MAX_RELAYS, &configuration->relays,
                         &configuration->n_relays);
    if (SUCCEEDED(hr))
        hr = check_contradictions(&root, configuration);
    if (SUCCEEDED(hr))
        hr = read_limits(&root, configuration);
    if (SUCCEEDED(hr))
        hr = read_log(&root, configuration);
    return hr;
}

/* --- what the file does not say --- */

static HRESULT append(char ***list, char *owned)
{
    return SUCCEEDED(strings_append(list, owned)) ? S_OK : no_memory();
}

/* `place` seen from the program, if there is such a directory. */
static HRESULT append_beside_program(char ***list, const char *const *places)
{
    char *directory = os_path_program_directory();
    HRESULT hr = directory ? S_OK : no_memory();

    for (size_t i = 0; SUCCEEDED(hr) && places[i]; i++) {
        char *joined = os_path_join(directory, places[i]);
        char *path = joined ? os_path_absolute(joined) : NULL;

        free(joined);
        if (!path)
            hr = no_memory();
        else if (os_file_exists(path))
            hr = append(list, path);
        else
            free(path);
    }
    free(directory);
    return hr;
}

static HRESULT append_configured(char ***list, bool system)
{
    char *directory = os_path_configuration(system);
    char *path = directory ? os_path_join(directory, "components.d") : NULL;

    free(directory);
    return append(list, path);
}

/* The user's own, the system's, and what belongs to this installation or build tree. */
static HRESULT default_components(struct configuration *configuration)
{
    static const char *const places[] = {"../lib/viaduct/components.d", "components.d", NULL};
    char ***list = &configuration->component_directories;
    HRESULT hr = configuration->system ? S_OK : append_configured(list, false);

    if (SUCCEEDED(hr))
        hr = append_configured(list, true);
    return SUCCEEDED(hr) ? append_beside_program(list, places) : hr;
}

static HRESULT default_plugins(struct configuration *configuration)
{
    char *directory;
    HRESULT hr = plugin_directory_find(&directory);

    if (SUCCEEDED(hr))
        hr = append(&configuration->plugin_directories, directory);
    else if (hr == VIA_E_PLUGIN)
        error_set(hr, "there are no transport plugins beside this program; name their directory in "
                      "\"plugin_directories\"");
    return hr;
}

static HRESULT fill_in(struct configuration *configuration)
{
    HRESULT hr = S_OK;

    if (!configuration->name)
        configuration->name = strdup(DEFAULT_NAME);
    if (!configuration->cache_directory)
        configuration->cache_directory = os_path_cache(configuration->system);
    if (!configuration->name || !configuration->cache_directory)
        hr = no_memory();
    if (SUCCEEDED(hr) && !configuration->listen)
        hr = append(&configuration->listen, address_of_host(configuration->system));
    if (SUCCEEDED(hr) && !configuration->plugin_directories)
        hr = default_plugins(configuration);
    if (SUCCEEDED(hr) &&
        (!configuration->component_directories || !configuration->component_directories[0])) {
        strings_free(configuration->component_directories);
        configuration->component_directories = NULL;
        hr = default_components(configuration);
    }
    return hr;
}

static HRESULT load_file(const char *path, struct configuration *configuration)
{
    char *directory = path ? NULL : os_path_configuration(configuration->system);
    HRESULT hr;

    configuration->path = path        ? os_path_absolute(path)
                          : directory ? os_path_join(directory, "viaductd.json")
                                      : NULL;
    free(directory);
    if (!configuration->path)
        return no_memory();
    if (!path && !os_file_exists(configuration->path)) {
        free(configuration->path);
        configuration->path = NULL;
        return S_OK;
    }
    hr = config_load(configuration->path, &configuration->document);
    return SUCCEEDED(hr) ? read_file(configuration->document, configuration) : hr;
}

HRESULT configuration_load(const char *path, bool system, struct configuration **out)
{
    struct configuration *configuration = calloc(1, sizeof(*configuration));
    HRESULT hr;

    if (!configuration)
        return no_memory();
    configuration->system = system;
    configuration->start_timeout_ms = START_TIMEOUT_DEFAULT_MS;
    configuration->idle_ms = IDLE_DEFAULT_MS;
    configuration->hang_ms = HANG_DEFAULT_MS;
    configuration->back_off_max_ms = BACK_OFF_MAX_DEFAULT_MS;
    configuration->call_timeout_ms = CALL_TIMEOUT_DEFAULT_MS;
    configuration->max_workers = MAX_WORKERS_DEFAULT;
    configuration->log_level = VIA_LOG_INFO;
    hr = load_file(path, configuration);
    if (SUCCEEDED(hr))
        hr = fill_in(configuration);
    if (FAILED(hr)) {
        configuration_free(configuration);
        return hr;
    }
    *out = configuration;
    return S_OK;
}

static HRESULT blame(const struct configuration *configuration, const char *key, size_t index,
                     HRESULT otherwise)
{
    struct config_node root, list, element;

    if (!configuration->document)
        return otherwise;
    root = config_root(configuration->document);
    if (!config_find(&root, key, &list))
        return otherwise;
    config_element(&list, index, &element);
    return fail_with_record(&element, otherwise);
}

HRESULT configuration_blame_listen(const struct configuration *configuration, size_t index)
{
    return blame(configuration, "listen", index, error_get() ? error_get()->code : VIA_E_ADDRESS);
}

HRESULT configuration_blame_relay(const struct configuration *configuration, size_t index)
{
    return blame(configuration, "relays", index, error_get() ? error_get()->code : E_FAIL);
}
