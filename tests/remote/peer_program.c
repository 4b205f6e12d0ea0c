/*
 * A process for the tests to talk to: serves one test object as its root. Under the name
 * "component" its root is the provider of the test component; under the name "impatient" it does
 * not wait long for those whom its objects are handed to, as "patient" for as long as there is.
 */
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include "tests/remote/fixture.h"
#include "tests/remote/serve.h"
#include "tests/remote/test_component.h"

static HRESULT make_root(const char *name, IUnknown **root)
{
    if (strcmp(name, "component") == 0)
        return via_component_provide(&test_component, (IViaductSurrogate **)root);
    *root = (IUnknown *)test_object_new(name);
    return *root != NULL ? S_OK : E_OUTOFMEMORY;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&remote_test_typelib, NULL};
    static const struct served served = {typelibs, make_root, SERVE_USUAL_MS};
    struct via_options options = {.size = sizeof options};
    if (argc > 2 && strcmp(argv[2], "impatient") == 0)
        options.handoff_timeout_ms = IMPATIENT_HANDOFF_MS;
    if (argc > 2 && strcmp(argv[2], "patient") == 0)
        options.handoff_timeout_ms = PATIENT_HANDOFF_MS;
    return serve(&served, &options, argc, argv);
}
