/*
 * What of a library can be in a type library that Windows' own marshaler goes by: interfaces whose
 * every parameter is one of automation's types, and the structs of these. In others it would send
 * one element of an array, or refuse the whole interface.
 */
#ifndef COM_INPROC_TYPELIB_FIT_H
#define COM_INPROC_TYPELIB_FIT_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/typelib.h>

struct typelib_fit {
    bool *interfaces; /* by index; what others describe does not fit */
    bool *structs;
};

/* Is told of each interface that does not fit: "interface ICalculator is left out of the type
 * library: Sum(values) is an array". */
typedef void (*typelib_fit_note)(void *context, const char *text);

/* E_OUTOFMEMORY. For typelib_fit_deinit(), on failure too. `note` may be NULL. */
HRESULT typelib_fit_init(struct typelib_fit *fit, const struct via_typelib *lib,
                         typelib_fit_note note, void *context);
void typelib_fit_deinit(struct typelib_fit *fit);

#endif
