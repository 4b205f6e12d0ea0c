/*
 * The plugin `unixsock` in a Windows program. Under Wine the host has unix_calls when its module is
 * there and has passed its test, and the streams of stream.c run on those, with Unix paths and
 * descriptors. Everywhere else, above all on Windows itself, they are winsock's, with Windows paths
 * and without handles. Init chooses, and names the table that goes with its choice.
 */
#include "plugins/unixsock/winsock_windows.h"

static HRESULT unixsock_init(const struct via_plugin_host *host);
static void unixsock_deinit(void);

static const char *const schemes[] = {"unix", NULL};

/* `transport`: written under life_lock, and never again with another value while it is up. */
VIADUCT_PLUGIN_EXPORT struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "unixsock",
    .version = "1.0.0",
    .schemes = schemes,
    .init = unixsock_init,
    .deinit = unixsock_deinit,
    .transport = &unixsock_transport,
};

static SRWLOCK life_lock = SRWLOCK_INIT;
static bool is_winsock; /* life_lock */

static HRESULT unixsock_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    AcquireSRWLockExclusive(&life_lock);
    is_winsock = host->unix_calls == NULL;
    const struct via_transport *transport = is_winsock ? &winsock_transport : &unixsock_transport;
    HRESULT hr = is_winsock ? winsock_init(host) : plugin_lifetime_init(host);
    if (hr == S_OK)
        viaduct_plugin.transport = transport;
    ReleaseSRWLockExclusive(&life_lock);
    return hr;
}

static void unixsock_deinit(void)
{
    AcquireSRWLockExclusive(&life_lock);
    if (is_winsock)
        winsock_deinit();
    else
        plugin_lifetime_deinit();
    ReleaseSRWLockExclusive(&life_lock);
}
