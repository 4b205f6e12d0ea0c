/*
 * The plugin `shm`: streams through rings in shared memory.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"
#include "plugins/unixsock/stream.h"

static const char *const schemes[] = {"shm", NULL};

static HRESULT shm_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    system_init(host);
    return plugin_lifetime_init(host);
}

static void shm_deinit(void)
{
    shm_ready_wait_for_posts();
    plugin_lifetime_deinit();
}

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "shm",
    .version = "1.0.0",
    .schemes = schemes,
    .init = shm_init,
    .deinit = shm_deinit,
    .transport = &shm_transport,
};
