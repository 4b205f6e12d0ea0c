/* A process for the tests of events to talk to: one source as its root. */
#include "tests/events/source_object.h"
#include "tests/remote/serve.h"

static HRESULT make_root(const char *name, IUnknown **root)
{
    (void)name;
    *root = (IUnknown *)source_object_new(0);
    return *root != NULL ? S_OK : E_OUTOFMEMORY;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&events_test_typelib, NULL};
    static const struct served served = {typelibs, make_root, SERVE_USUAL_MS};
    return serve(&served, NULL, argc, argv);
}
