/*
 * What the helper programs of the tests have in common: each joins the runtime, serves one root
 * object at the address that it is given, and stays until it is killed.
 */
#ifndef TESTS_REMOTE_SERVE_H
#define TESTS_REMOTE_SERVE_H

#include <viaduct/runtime.h>

/* A test that was killed must not leave its helpers behind for longer. */
#define SERVE_USUAL_MS 240000u

struct served {
    const struct via_typelib *const *typelibs; /* NULL behind the last */
    /* The root, with a reference that stays for ever. `name`: what the program was called with
     * behind the address, or "peer". */
    HRESULT (*make_root)(const char *name, IUnknown **root);
    unsigned lifetime_ms;
};

/* The main function: PROGRAM ADDRESS [NAME]. Says on standard error what has failed. */
int serve(const struct served *served, const struct via_options *options, int argc, char **argv);

#endif
