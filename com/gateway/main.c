/*
 * viaduct-com: serves one COM class of Windows to the host that has started it.
 *
 *     viaduct-com {CLSID} HANG_MS [ANNOTATIONS...]
 *
 * The main thread makes the process' multithreaded apartment, where classes that are not
 * apartment-threaded live. The others have the component's apartment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include "com/gateway/annotations.h"
#include "com/gateway/component.h"
#include "core/os/program.h"
#include "core/util/error.h"

static int fail(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    fprintf(stderr, "viaduct-com: %s\n", error_format(error_get(), hr, text, sizeof text));
    return 1;
}

static int run(const char *clsid, uint32_t hang_ms, char *const *annotations)
{
    const struct via_component *component;
    char text[ERROR_TEXT_SIZE];
    HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (FAILED(hr))
        return fail(error_set(hr, "COM cannot be initialized"));
    /* Before anything else uses COM. Nobody calls this process by COM, and local servers are called
     * as who we are. */
    hr = CoInitializeSecurity(NULL, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_DEFAULT,
                              RPC_C_IMP_LEVEL_IDENTIFY, NULL, EOAC_NONE, NULL);
    if (SUCCEEDED(hr))
        hr = annotations_load(annotations);
    if (SUCCEEDED(hr))
        hr = component_of_class(clsid, &component);
    if (FAILED(hr))
        return fail(hr);
    via_set_describer(component_describe);
    via_use_code_page();
    via_adopt_apartments();
    if (hang_ms > 0)
        hr = via_set_hang_limit(hang_ms);
    if (SUCCEEDED(hr))
        hr = via_component_serve(component);
    CoUninitialize();
    if (SUCCEEDED(hr))
        return 0;
    fprintf(stderr, "viaduct-com: %s\n", via_error_message(hr, text, sizeof text));
    return 1;
}

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);
    if (argc < 3) {
        fprintf(stderr, "viaduct-com {CLSID} HANG_MS [ANNOTATIONS...] is started by viaductd, for "
                        "the COM classes that its configuration exposes\n");
        return os_program_end("viaduct-com", 2);
    }
    uint32_t hang_ms = (uint32_t)strtoul(arguments[2], NULL, 10);
    return os_program_end("viaduct-com", run(arguments[1], hang_ms, arguments + 3));
}
