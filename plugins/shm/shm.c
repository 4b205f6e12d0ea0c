/*
 * The plugin `shm`: streams through rings in shared memory.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"
#include "plugins/unixsock/stream.h"

static const struct via_transport transport = {
    .size = sizeof transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES | VIA_TRANSPORT_SHARED | VIA_TRANSPORT_DESCRIPTORS,
    .max_span = SHM_MAX_SPAN,
    .max_handles = SHM_MAX_HANDLES,
    .listen = shm_listen,
    .listener_accept = shm_accept,
    .listener_arm = listener_arm,
    .listener_close = listener_close,
    .connect = shm_connect,
    .set_ready = shm_set_ready,
    .reserve = shm_reserve,
    .commit = shm_commit,
    .peek = shm_peek,
    .consume = shm_consume,
    .read_into = shm_read_into,
    .take_handles = shm_take_handles,
    .wait = shm_wait,
    .interrupt = shm_interrupt,
    .arm = shm_arm,
    .disarm = shm_disarm,
    .park = shm_park,
    .peer_identity = shm_peer_identity,
    .shutdown = shm_shutdown,
    .close = shm_close,
    .offer = shm_offer,
    .attach = shm_attach,
};

static const char *const schemes[] = {"shm", NULL};

static HRESULT shm_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    HRESULT hr = system_check(host);
    return FAILED(hr) ? hr : plugin_lifetime_init(host);
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
    .transport = &transport,
};
