/* Serves one transfer object at the address that it is given, until it is killed. */
#include <stdio.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/transfer/transfer_object.h"

/* A test that was killed must not leave us behind. */
#define LIFETIME_MS 240000u

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
    hr = via_register_typelib(&transfer_typelib);
    if (FAILED(hr))
        return fail("via_register_typelib", hr);
    via_set_root_object((IUnknown *)transfer_new());
    hr = via_listen(argv[1]);
    if (FAILED(hr))
        return fail("via_listen", hr);
    os_sleep_ms(LIFETIME_MS);
    return 3;
}
