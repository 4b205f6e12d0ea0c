/*
 * A plugin of winsock's streams over the family of family_inet_windows.c.
 */
#include "plugins/unixsock/winsock_windows.h"

static const char *const schemes[] = {"inet", NULL};

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "winsock-inet",
    .version = "1.0.0",
    .schemes = schemes,
    .init = winsock_init,
    .deinit = winsock_deinit,
    .transport = &winsock_transport,
};
