/*
 * Loading and finding plugins. The order of the checks is the order of trust: first whose file it
 * is (core/os/module.h), then its tables, and only then is its code run. The tables are checked
 * again after init, which may have put another transport in place.
 */
#include "core/plugin/plugin_set.h"

#include "core/os/file.h"
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/plugin/host_table.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_PREFIX "viaduct-"

struct loaded {
    const struct via_plugin *plugin;
    struct os_module *module; /* NULL: part of this program */
};

struct plugin_set {
    const struct via_plugin_host *host;
    struct os_poller *poller;
    struct loaded *plugins;
    size_t n_plugins;
};

HRESULT plugin_set_new(struct os_poller *poller, const char *runtime_directory,
                       struct plugin_set **set)
{
    struct plugin_set *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    HRESULT hr = plugin_host_acquire(poller, runtime_directory, &self->host);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    self->poller = poller;
    *set = self;
    return S_OK;
}

void plugin_set_free(struct plugin_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = set->n_plugins; i-- > 0;) {
        set->plugins[i].plugin->deinit();
        if (set->plugins[i].module != NULL)
            os_module_close(set->plugins[i].module);
    }
    plugin_host_release();
    free(set->plugins);
    free(set);
}

struct os_poller *plugin_set_poller(const struct plugin_set *set)
{
    return set->poller;
}

static const struct via_plugin *plugin_of_scheme(const struct plugin_set *set, const char *scheme)
{
    for (size_t i = 0; i < set->n_plugins; i++) {
        const struct via_plugin *plugin = set->plugins[i].plugin;
        for (const char *const *s = plugin->schemes; *s != NULL; s++) {
            if (strcmp(*s, scheme) == 0)
                return plugin;
        }
    }
    return NULL;
}

static HRESULT add(struct plugin_set *set, const struct via_plugin *plugin,
                   struct os_module *module, const char *origin)
{
    for (const char *const *scheme = plugin->schemes; *scheme != NULL; scheme++) {
        const struct via_plugin *other = plugin_of_scheme(set, *scheme);
        if (other != NULL)
            return error_set(VIA_E_PLUGIN,
                             "%s serves the scheme \"%s\", which the plugin \"%s\" serves already; "
                             "remove one of them",
                             origin, *scheme, other->name);
    }
    struct loaded *plugins = realloc(set->plugins, (set->n_plugins + 1) * sizeof *plugins);
    if (plugins == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    set->plugins = plugins;
    HRESULT hr = plugin->init(set->host);
    if (FAILED(hr))
        return error_wrap(VIA_E_PLUGIN, "the plugin %s cannot be used here", origin);
    hr = plugin_check(plugin, origin);
    if (FAILED(hr)) {
        plugin->deinit();
        return hr;
    }
    plugins[set->n_plugins++] = (struct loaded){plugin, module};
    return S_OK;
}

HRESULT plugin_set_add(struct plugin_set *set, const struct via_plugin *plugin)
{
    HRESULT hr = plugin_check(plugin, "a built-in plugin");
    return FAILED(hr) ? hr : add(set, plugin, NULL, "a built-in plugin");
}

HRESULT plugin_open(const char *path, struct os_module **module, const struct via_plugin **plugin)
{
    struct os_module *opened;
    if (!os_path_is_absolute(path))
        return error_set(VIA_E_PLUGIN, "the plugin's path \"%s\" is not absolute", path);
    HRESULT hr = os_module_open(path, &opened);
    if (FAILED(hr))
        return error_wrap(VIA_E_PLUGIN, "the plugin %s cannot be loaded", path);
    const struct via_plugin *exported = os_module_symbol(opened, VIADUCT_PLUGIN_SYMBOL);
    if (exported == NULL)
        hr = error_set(
            VIA_E_PLUGIN,
            "%s is not a usable plugin: it does not export \"" VIADUCT_PLUGIN_SYMBOL "\"", path);
    else
        hr = plugin_check(exported, path);
    if (FAILED(hr)) {
        os_module_close(opened);
        return hr;
    }
    *module = opened;
    *plugin = exported;
    return S_OK;
}

HRESULT plugin_set_load(struct plugin_set *set, const char *path)
{
    struct os_module *module;
    const struct via_plugin *plugin;
    HRESULT hr = plugin_open(path, &module, &plugin);
    if (FAILED(hr))
        return hr;
    hr = add(set, plugin, module, path);
    if (FAILED(hr))
        os_module_close(module);
    return hr;
}

static bool is_plugin_name(const char *name)
{
    size_t length = strlen(name);
    size_t suffix = strlen(os_module_suffix);
    return strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0 && length > suffix &&
           strcmp(name + length - suffix, os_module_suffix) == 0;
}

/* Loads one file of a directory; a failure is only logged. */
static void try_load(struct plugin_set *set, const char *directory, const char *name)
{
    char text[ERROR_TEXT_SIZE];
    char *path = os_path_join(directory, name);
    HRESULT hr = path != NULL ? plugin_set_load(set, path) : E_OUTOFMEMORY;
    if (FAILED(hr))
        log_warning("plugin", "%s", error_format(error_get(), hr, text, sizeof text));
    free(path);
}

HRESULT plugin_set_search(struct plugin_set *set, const char *directory)
{
    char **names;
    size_t before = set->n_plugins;
    if (!os_path_is_absolute(directory))
        return error_set(VIA_E_PLUGIN, "the plugin directory \"%s\" is not absolute", directory);
    HRESULT hr = os_directory_list(directory, &names);
    if (FAILED(hr))
        return hr;
    size_t n_files = 0;
    for (char **name = names; *name != NULL; name++) {
        if (is_plugin_name(*name)) {
            n_files++;
            try_load(set, directory, *name);
        }
    }
    os_names_free(names);
    if (set->n_plugins > before)
        return S_OK;
    if (n_files == 0)
        return error_set(VIA_E_PLUGIN, "there is no plugin (" FILE_PREFIX "*%s) in %s",
                         os_module_suffix, directory);
    return error_wrap(VIA_E_PLUGIN, "none of the %zu plugins in %s can be used", n_files,
                      directory);
}

/* S_FALSE: none of them is there. */
static HRESULT find_place(const char *directory, const char *const *places, char **out)
{
    for (; *places; places++) {
        char *joined = os_path_join(directory, *places);
        char *path = joined == NULL ? NULL : os_path_absolute(joined);
        free(joined);
        if (path == NULL)
            return E_OUTOFMEMORY;
        if (os_file_exists(path)) {
            *out = path;
            return S_OK;
        }
        free(path);
    }
    return S_FALSE;
}

HRESULT plugin_directory_find(char **out)
{
    static const char *const beside_program[] = {"../lib/viaduct/plugins", "plugins",
                                                 "../bin/plugins", NULL};
    static const char *const beside_library[] = {"viaduct/plugins", "../viaduct/plugins", "plugins",
                                                 NULL};
    char *program = os_path_program_directory();
    char *library = os_path_module_directory();
    HRESULT hr = program && library ? find_place(program, beside_program, out) : E_OUTOFMEMORY;
    if (hr == S_FALSE)
        hr = find_place(library, beside_library, out);
    if (hr == S_FALSE)
        hr = error_set(VIA_E_PLUGIN,
                       "no transport plugins beside %s and %s; set VIADUCT_PLUGIN_PATH", program,
                       library);
    else if (FAILED(hr))
        hr = error_set(hr, "no memory to look for plugins");
    free(program);
    free(library);
    return hr;
}

const struct via_plugin *plugin_set_get(const struct plugin_set *set, size_t index)
{
    return index < set->n_plugins ? set->plugins[index].plugin : NULL;
}

HRESULT plugin_set_find(const struct plugin_set *set, const char *scheme,
                        const struct via_transport **transport)
{
    const struct via_plugin *plugin = plugin_of_scheme(set, scheme);
    if (plugin != NULL) {
        *transport = plugin->transport;
        return S_OK;
    }
    char known[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < set->n_plugins; i++) {
        for (const char *const *s = set->plugins[i].plugin->schemes; *s != NULL; s++) {
            int n =
                snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? ", " : "", *s);
            if (n > 0 && (size_t)n < sizeof known - length)
                length += (size_t)n;
        }
    }
    return error_set(VIA_E_ADDRESS, "no plugin serves the scheme \"%s\"; the schemes here are: %s",
                     scheme, length > 0 ? known : "none, no plugin is loaded");
}

const char *plugin_set_scheme(const struct plugin_set *set, const struct via_transport *transport)
{
    for (size_t i = 0; i < set->n_plugins; i++)
        if (set->plugins[i].plugin->transport == transport)
            return set->plugins[i].plugin->schemes[0];
    return NULL;
}

HRESULT plugin_set_resolve(const struct plugin_set *set, const char *address,
                           const struct via_transport **transport, const char **rest)
{
    char scheme[PLUGIN_SCHEME_SIZE];
    const char *after;
    HRESULT hr = plugin_address_split(address, scheme, &after);
    if (SUCCEEDED(hr))
        hr = plugin_set_find(set, scheme, transport);
    if (SUCCEEDED(hr))
        *rest = after;
    return hr;
}
