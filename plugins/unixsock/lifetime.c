/*
 * The life of a plugin made of these streams: inits are counted, the first and the last do the
 * work.
 */
#include "plugins/unixsock/stream.h"

static atomic_flag busy = ATOMIC_FLAG_INIT;
static uint32_t n_inits; /* while `busy` is set */

static void enter(void)
{
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        socket_yield();
}

static void leave(void)
{
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

HRESULT plugin_lifetime_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    enter();
    HRESULT hr = n_inits > 0 ? S_FALSE : socket_system_init(host);
    if (SUCCEEDED(hr))
        n_inits++;
    leave();
    return hr;
}

void plugin_lifetime_deinit(void)
{
    enter();
    if (n_inits > 0 && --n_inits == 0) {
        stream_wait_for_posts();
        socket_system_deinit();
    }
    leave();
}
