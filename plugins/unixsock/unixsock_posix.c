/*
 * The plugin `unixsock`: streams over Unix-domain sockets, addressed by the socket file's absolute
 * path.
 */
#include "plugins/unixsock/stream.h"

static const char *const schemes[] = {"unix", NULL};

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "unixsock",
    .version = "1.0.0",
    .schemes = schemes,
    .init = plugin_lifetime_init,
    .deinit = plugin_lifetime_deinit,
    .transport = &unixsock_transport,
};
