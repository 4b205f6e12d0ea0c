/*
 * What an administrator says: viaductd's configuration file, completed by defaults.
 * docs/configuration.md is its reference. Read once, at the start, and never changed.
 */
#ifndef HOST_CONFIGURATION_H
#define HOST_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>
#include <viaduct/plugin/host.h>

#include "host/peers.h"
#include "host/relays.h"

/* More of them is a mistake in the file. */
#define CONFIGURATION_MAX_LISTEN      16u
#define CONFIGURATION_MAX_DIRECTORIES 32u
#define CONFIGURATION_MAX_PEERS       64u
#define CONFIGURATION_MAX_EXPOSED     256u
#define CONFIGURATION_MAX_RELAYS      64u
#define CONFIGURATION_MAX_ANNOTATIONS 32u

struct config;

struct configuration {
    bool system;
    bool serves_com;         /* com_server.h */
    struct config *document; /* what was read, to name places in it; NULL: there is no file */
    char *path;              /* of the file, or NULL: there is none, all defaults */
    char *name;              /* what this host calls itself to its peers */
    char **listen;           /* NULL at the end, in this list and the next two */
    char **plugin_directories;
    char **component_directories; /* in order of precedence, the writable one first */
    char *cache_directory;        /* for what can be made again */
    char **exposed;               /* COM classes, exposed.h; NULL: none */
    char **annotations;           /* side files for them; NULL: none */
    struct peer_settings *peers;
    size_t n_peers;
    struct relays_settings *relays;
    size_t n_relays;
    uint32_t start_timeout_ms;
    uint32_t idle_ms;
    uint32_t hang_ms; /* of exposed COM classes; 0: they may */
    uint32_t back_off_max_ms;
    uint32_t call_timeout_ms;
    uint32_t max_workers;
    enum via_log_level log_level;
    char *log_file; /* NULL: standard error */
};

/* `path` NULL: the usual place, where it may be missing. VIA_E_CONFIG names file, line, column and
 * key. */
HRESULT configuration_load(const char *path, bool system, struct configuration **configuration);
/* An address of `listen` has turned out to be none: puts its place in the file in front of the
 * thread's error. VIA_E_CONFIG, or the error as it is where the address is not from the file. */
HRESULT configuration_blame_listen(const struct configuration *configuration, size_t index);
/* The same for the relay at `index` of "relays", which could not be started. */
HRESULT configuration_blame_relay(const struct configuration *configuration, size_t index);
/* Takes NULL. */
void configuration_free(struct configuration *configuration);

#endif
