/*
 * A transport plugin: a module that carries the bytes of a connection, and nothing else of
 * Viaduct's.
 *
 * A plugin exports one data symbol, `viaduct_plugin` (VIADUCT_PLUGIN_SYMBOL), and includes only the
 * headers of this directory and <viaduct/hresult.h>. Every table starts with its size, so that
 * either side can be newer: fields are only ever appended, and a field past the other side's size
 * is not there. No function returns a struct. Whoever allocated a thing frees it: buffers come from
 * the host's table and go back through it; listeners and streams are the plugin's.
 *
 * Result codes are HRESULTs. A failing function calls the host's set_error() first, with a message
 * that says what failed, on which address, and what to do.
 */
#ifndef VIADUCT_PLUGIN_PLUGIN_H
#define VIADUCT_PLUGIN_PLUGIN_H

#include <viaduct/hresult.h>
#include <viaduct/plugin/host.h>
#include <viaduct/plugin/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin with another ABI version is refused. Appending fields does not change it. */
#define VIA_PLUGIN_ABI 1u

#define VIADUCT_PLUGIN_SYMBOL "viaduct_plugin"

struct via_plugin {
    uint32_t abi;               /* VIA_PLUGIN_ABI */
    uint32_t size;              /* sizeof(struct via_plugin) */
    const char *name;           /* "unixsock" */
    const char *version;        /* "1.0.0", for people */
    const char *const *schemes; /* address schemes it serves, {"unix", NULL}; lower case letters */
    /* [any thread, may block] Called before anything else. `host` stays valid until deinit returns.
     * May be called again after deinit, and repeated: the second init in a row returns S_FALSE and
     * the plugin stays up until as many deinits. */
    HRESULT (*init)(const struct via_plugin_host *host);
    /* [any thread, may block] After the last listener and stream are closed. */
    void (*deinit)(void);
    /* Complete when the plugin is loaded. The first init may put another table in place, if what
     * the transport can do depends on the system that it finds; the host looks after init, and the
     * table stays until deinit. */
    const struct via_transport *transport;
};

#ifdef _WIN32
#define VIADUCT_PLUGIN_EXPORT __declspec(dllexport)
#else
#define VIADUCT_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
}
#endif

#endif
