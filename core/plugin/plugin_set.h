/*
 * The set of transport plugins that this process uses: search, load, check, find by scheme.
 *
 * A plugin keeps its state in its module, so a process has one set and one poller that serves it;
 * nodes in one process share them. A set is filled at start-up, by one thread, and then only read:
 * the look-up functions take no lock. Modules are never unmapped while a stream of theirs may be
 * alive; plugin_set_free comes after every link is closed.
 */
#ifndef CORE_PLUGIN_PLUGIN_SET_H
#define CORE_PLUGIN_PLUGIN_SET_H

#include <stddef.h>
#include <stdbool.h>
#include <viaduct/plugin/plugin.h>

struct os_module;
struct os_poller;
struct plugin_set;

/* An address's scheme has at most this many characters, its terminator included. */
#define PLUGIN_SCHEME_SIZE 16
/* A whole address, its terminator included. */
#define PLUGIN_ADDRESS_SIZE 512

/* Creates an empty set. `poller` (borrowed, outlives the set) serves the plugins' descriptors and
 * handles; `runtime_directory` (copied) is where plugins may put sockets of their own; NULL: none.
 * Several sets may exist at once if all name the same poller; with another one E_UNEXPECTED. */
HRESULT plugin_set_new(struct os_poller *poller, const char *runtime_directory,
                       struct plugin_set **set);

/* The poller that it was made with. */
struct os_poller *plugin_set_poller(const struct plugin_set *set);

/* Takes every plugin down and frees the set. Every listener and stream must be closed. NULL is
 * allowed. */
void plugin_set_free(struct plugin_set *set);

/* Loads every file named viaduct-*.so (.dll on Windows) of `directory`, an absolute path. A file
 * that cannot be used is logged and passed over; VIA_E_PLUGIN if the directory has none that can.
 */
HRESULT plugin_set_search(struct plugin_set *set, const char *directory);

/* The directory with the plugins of the installation or the build tree that this program, or
 * else the runtime library, belongs to, for free(). VIA_E_PLUGIN when there is none. */
HRESULT plugin_directory_find(char **directory);

/* Loads one file, by absolute path. VIA_E_PLUGIN names the file and what is wrong with it. */
HRESULT plugin_set_load(struct plugin_set *set, const char *path);

/* Adds a plugin that is part of this program, after the same checks. `plugin` outlives the set. */
HRESULT plugin_set_add(struct plugin_set *set, const struct via_plugin *plugin);

/* The plugins in the order in which they were added; NULL behind the last. */
const struct via_plugin *plugin_set_get(const struct plugin_set *set, size_t index);

/* The transport that serves `scheme`; VIA_E_ADDRESS lists the schemes that are there. */
HRESULT plugin_set_find(const struct plugin_set *set, const char *scheme,
                        const struct via_transport **transport);

/* The other way round: the first scheme that the transport serves; NULL: no plugin's. */
const char *plugin_set_scheme(const struct plugin_set *set, const struct via_transport *transport);

/* Splits "scheme:rest" and finds its transport. `rest` points into `address`. */
HRESULT plugin_set_resolve(const struct plugin_set *set, const char *address,
                           const struct via_transport **transport, const char **rest);

/* Splits "scheme:rest": a scheme is a lower-case letter and then lower-case letters or digits, the
 * rest is not empty, the whole at most PLUGIN_ADDRESS_SIZE bytes of printable UTF-8. VIA_E_ADDRESS
 * says what is wrong. */
HRESULT plugin_address_split(const char *address, char scheme[PLUGIN_SCHEME_SIZE],
                             const char **rest);
/* Whether the text of an error names the address, itself or as a path: it need not be said again.
 */
bool plugin_address_is_named(const char *address, const char *text);

/* Opens a plugin's file and checks its tables, without running anything of it. VIA_E_PLUGIN. */
HRESULT plugin_open(const char *path, struct os_module **module, const struct via_plugin **plugin);

/* Checks the tables that a plugin exports, completely; `origin` (a file's name) stands in the
 * message. */
HRESULT plugin_check(const struct via_plugin *plugin, const char *origin);

#endif
