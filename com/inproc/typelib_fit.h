/*
 * What of a library can be in a type library that Windows' own marshaler goes by: interfaces whose
 * every parameter is one of automation's types, and the structs and aliases of these. In others it
 * would send one element of an array, or refuse the whole interface. What another library describes
 * fits if it is in that one's type library.
 */
#ifndef COM_INPROC_TYPELIB_FIT_H
#define COM_INPROC_TYPELIB_FIT_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/typelib.h>

struct typelib_fit {
    bool *interfaces; /* by index */
    bool *structs;
    bool *aliases;
};

/* A library that is written already; so many may be referred to. */
#define TYPELIB_MAX_WRITTEN 8u
struct typelib_written {
    const struct via_typelib *lib;
    struct typelib_fit fit;
    const WCHAR *path;
};

/* Is told of each interface that does not fit: "interface ICalculator is left out of the type
 * library: Sum(values) is an array". */
typedef void (*typelib_fit_note)(void *context, const char *text);

/* `others` may be referred to. E_OUTOFMEMORY. For typelib_fit_deinit(), on failure too. `note` may
 * be NULL. */
HRESULT typelib_fit_init(struct typelib_fit *fit, const struct via_typelib *lib,
                         const struct typelib_written *others, unsigned n_others,
                         typelib_fit_note note, void *context);
void typelib_fit_deinit(struct typelib_fit *fit);

#endif
