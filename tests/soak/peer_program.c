/* A process of the soak tests: serves one object as its root, and makes traffic when it is told to.
 */
#include <stdlib.h>
#include <string.h>

#include "core/os/path.h"
#include "tests/remote/serve.h"
#include "tests/soak/soak_object.h"
#include "tests/soak/traffic.h"

static HRESULT make_root(const char *name, IUnknown **root)
{
    (void)name;
    *root = (IUnknown *)soak_object_new();
    return *root != NULL ? S_OK : E_OUTOFMEMORY;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&soak_typelib, NULL};
    static const struct served served = {typelibs, make_root, 15 * SERVE_USUAL_MS};
    bool is_mortal = argc > 2 && strcmp(argv[2], SOAK_MORTAL) == 0;
    const struct via_options options = {.size = sizeof options,
                                        .handoff_timeout_ms =
                                            is_mortal ? SOAK_MORTAL_HANDOFF_MS : SOAK_HANDOFF_MS};
    char *text = os_environment("VIADUCT_TEST_FACTOR");
    traffic_init(text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : 1);
    free(text);
    return serve(&served, &options, argc, argv);
}
