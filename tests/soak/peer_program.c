/* A process of the soak tests: serves one object as its root, and makes traffic when it is told to,
 * until it is killed. */
#include <stdio.h>
#include <stdlib.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/path.h"
#include "tests/soak/soak_object.h"
#include "tests/soak/traffic.h"

/* A test that was killed must not leave us behind. */
#define LIFETIME_MS 3600000u

int main(int argc, char **argv)
{
    char text[1024];
    if (argc < 2)
        return 2;
    char *factor = os_environment("VIADUCT_TEST_FACTOR");
    traffic_init(factor != NULL && atoi(factor) > 0 ? (unsigned)atoi(factor) : 1);
    free(factor);
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&soak_typelib);
    if (SUCCEEDED(hr))
        hr = via_set_root_object((IUnknown *)soak_object_new());
    if (SUCCEEDED(hr))
        hr = via_listen(argv[1]);
    if (FAILED(hr)) {
        fprintf(stderr, "soak_peer: %s\n", via_error_message(hr, text, sizeof text));
        return 1;
    }
    os_sleep_ms(LIFETIME_MS);
    return 3;
}
