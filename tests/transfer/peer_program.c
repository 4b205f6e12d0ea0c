/*
 * A process for the tests of streams, enumerators and handles: one transfer object as its root. As
 * "locked" it is one that nobody else may open.
 */
#include <string.h>

#include "tests/remote/serve.h"
#include "tests/transfer/system.h"
#include "tests/transfer/transfer_object.h"

static HRESULT make_root(const char *name, IUnknown **root)
{
    if (strcmp(name, "locked") == 0 && !system_lock_process())
        return E_FAIL;
    *root = (IUnknown *)transfer_new();
    return *root != NULL ? S_OK : E_OUTOFMEMORY;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&transfer_typelib, NULL};
    static const struct served served = {typelibs, make_root, SERVE_USUAL_MS};
    return serve(&served, NULL, argc, argv);
}
