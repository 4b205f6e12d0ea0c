/* A process for the tests of events to talk to: one source as its root, until it is killed. */
#include <stdio.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/events/source_object.h"

/* A test that was killed must not leave us behind. */
#define LIFETIME_MS 120000u

int main(int argc, char **argv)
{
    char text[1024];
    if (argc < 2)
        return 2;
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&events_test_typelib);
    if (SUCCEEDED(hr))
        hr = via_set_root_object((IUnknown *)source_object_new(0));
    if (SUCCEEDED(hr))
        hr = via_listen(argv[1]);
    if (FAILED(hr)) {
        fprintf(stderr, "events_peer: %s\n", via_error_message(hr, text, sizeof text));
        return 1;
    }
    os_sleep_ms(LIFETIME_MS);
    return 3;
}
