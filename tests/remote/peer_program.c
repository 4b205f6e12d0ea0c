/*
 * A process for the tests to talk to: serves one test object as its root at the address that it is
 * given, until it is killed or told to exit. Under the name "component" its root is the provider of
 * the test component.
 */
#include <stdio.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include "core/os/clock.h"
#include "tests/remote/test_component.h"
#include "tests/remote/test_object.h"

/* A test that was killed must not leave us behind. */
#define LIFETIME_MS 120000u

extern const struct via_typelib remote_test_typelib;

static int fail(const char *what, HRESULT hr)
{
    char text[1024];
    fprintf(stderr, "%s: %s\n", what, via_error_message(hr, text, sizeof text));
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    HRESULT hr = via_initialize(NULL);
    if (FAILED(hr))
        return fail("via_initialize", hr);
    hr = via_register_typelib(&remote_test_typelib);
    if (FAILED(hr))
        return fail("via_register_typelib", hr);
    const char *name = argc > 2 ? argv[2] : "peer";
    IViaductSurrogate *provider = NULL;
    if (strcmp(name, "component") == 0) {
        hr = via_component_provide(&test_component, &provider);
        if (FAILED(hr))
            return fail("via_component_provide", hr);
    }
    via_set_root_object(provider != NULL ? (IUnknown *)provider
                                         : (IUnknown *)test_object_new(name));
    hr = via_listen(argv[1]);
    if (FAILED(hr))
        return fail("via_listen", hr);
    os_sleep_ms(LIFETIME_MS);
    return 3;
}
