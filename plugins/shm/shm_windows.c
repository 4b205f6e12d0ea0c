/*
 * The plugin `shm` in a Windows program. Under Wine the host has unix_calls when its module is
 * there, and streams are those of Linux. Everywhere else, above all on Windows itself, they go
 * through sections and are set up over pipes. Init chooses, and names the table that goes with its
 * choice.
 */
#include "plugins/shm/section_windows.h"
#include "plugins/shm/system.h"

#include "plugins/unixsock/overlapped_listener_windows.h"
#include "plugins/unixsock/stream.h"

static HRESULT shm_init(const struct via_plugin_host *host);
static void shm_deinit(void);

const struct via_transport section_transport = {
    .size = sizeof section_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_SHARED | VIA_TRANSPORT_BARE_OFFERS,
    .max_span = SHM_MAX_SPAN,
    .max_handles = 0,
    .listen = section_listen,
    .listener_accept = section_accept,
    .listener_arm = overlapped_listener_arm,
    .listener_close = overlapped_listener_close,
    .connect = section_connect,
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
    .offer = section_offer,
    .attach = section_attach,
};

static const char *const schemes[] = {"shm", NULL};

/* `transport`: written under life_lock, and never again with another value while it is up. */
VIADUCT_PLUGIN_EXPORT struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "shm",
    .version = "1.0.0",
    .schemes = schemes,
    .init = shm_init,
    .deinit = shm_deinit,
    .transport = &shm_transport,
};

static SRWLOCK life_lock = SRWLOCK_INIT;
static bool has_sections; /* life_lock */

static HRESULT shm_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    AcquireSRWLockExclusive(&life_lock);
    has_sections = host->unix_calls == NULL;
    system_init(host);
    HRESULT hr = has_sections ? overlapped_init(host, NULL) : plugin_lifetime_init(host);
    if (hr == S_OK)
        viaduct_plugin.transport = has_sections ? &section_transport : &shm_transport;
    ReleaseSRWLockExclusive(&life_lock);
    return hr;
}

static void shm_deinit(void)
{
    AcquireSRWLockExclusive(&life_lock);
    shm_ready_wait_for_posts();
    if (has_sections)
        overlapped_deinit(NULL);
    else
        plugin_lifetime_deinit();
    ReleaseSRWLockExclusive(&life_lock);
}
