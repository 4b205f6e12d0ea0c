/*
 * Registering classes of Viaduct as COM classes of Windows: the in-process server as their server,
 * their ProgIDs, and a type library. All of a class is written, or nothing; what belongs to
 * something else is never overwritten, and unregistering leaves nothing behind.
 *
 * Which keys there are, is said in ids.h and docs/com.md.
 */
#ifndef COM_INPROC_REGISTER_H
#define COM_INPROC_REGISTER_H

#include <stdbool.h>
#include <viaduct/host.h>

#include "com/inproc/registered.h"

struct register_options {
    const char *directory; /* where viaduct-inproc.dll is */
    const char *host;      /* an address that clients connect to; NULL: the usual host */
    bool is_user;          /* HKCU instead of HKLM */
    bool has_local_server; /* LocalServer32 too */
    /* Is told what a user should know: which interfaces are not in the type library, and why.
     * NULL: nobody is. */
    void (*note)(void *context, const char *text);
    void *context;
};

/* Blocks: asks the host what `name` is. Repeating is allowed, and replaces what was registered for
 * the class. REGDB_E_CLASSNOTREG: the host has none; VIA_WIN32(183), "already exists": the CLSID or
 * a ProgID belongs to something else, which is named; E_ACCESSDENIED. `done` (may be NULL) is what
 * is registered then. */
HRESULT register_class(IViaductHost *host, const char *name, const struct register_options *options,
                       struct registered *done);
/* Asks nobody. `name`: see registered_find(). REGDB_E_CLASSNOTREG: it is not registered there. */
HRESULT register_remove(const char *name, bool is_user, struct registered *done);

#endif
