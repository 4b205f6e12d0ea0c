/* Fault: a plugin that is up refuses to be inited again. */
#include "tests/faulty/base.h"

static HRESULT init(const struct via_plugin_host *host)
{
    HRESULT hr = plugin_lifetime_init(host);
    if (hr != S_FALSE)
        return hr;
    plugin_lifetime_deinit();
    return E_UNEXPECTED;
}

FAULTY_PLUGIN(init, .size = sizeof transport)
