/* Joining the runtime and finding the host. */
#include <viaduct/runtime.h>

#include "cli/cli.h"

int cli_initialize(const struct cli_options *options)
{
    struct via_options runtime = {
        .size = sizeof(runtime),
        .host_address = options->host,
        .agent = "viaduct " VIADUCT_VERSION,
        .call_timeout_ms = options->timeout_ms,
        .activation_timeout_ms = options->timeout_ms,
    };
    HRESULT hr = via_initialize(&runtime);

    return FAILED(hr) ? cli_fail_runtime(hr) : -1;
}

int cli_connect(const struct cli_options *options, IViaductHost **host)
{
    int code = cli_initialize(options);
    HRESULT hr;

    if (code >= 0)
        return code;
    hr = via_host(&IID_IViaductHost, (void **)host);
    if (SUCCEEDED(hr))
        return -1;
    code = cli_fail_runtime(hr);
    via_uninitialize();
    if (hr == VIA_E_ADDRESS && options->host)
        return CLI_USAGE;
    /* Whatever answered or did not (it hangs, it has no descriptor left, it is something else): it
     * was no host. */
    return code == CLI_FAILED ? CLI_UNREACHABLE : code;
}

int cli_disconnect(IViaductHost *host, int code)
{
    if (host)
        IViaductHost_Release(host);
    via_uninitialize();
    return code;
}
