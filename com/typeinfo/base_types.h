/*
 * What every library builds on and none describes: IUnknown, IDispatch and GUID, as Windows'
 * stdole2.tlb has them.
 */
#ifndef COM_TYPEINFO_BASE_TYPES_H
#define COM_TYPEINFO_BASE_TYPES_H

#include <viaduct/com.h>
#include <viaduct/type_description.h>
#include <viaduct/typelib.h>

/* Its interfaces say nothing of their methods; base_function() does. */
extern const struct via_typelib base_library;
#define BASE_UNKNOWN  0u
#define BASE_DISPATCH 1u
#define BASE_GUID     0u /* of the structs */

#define BASE_UNKNOWN_METHODS  3u
#define BASE_DISPATCH_METHODS 4u /* its own */
#define BASE_METHODS          (BASE_UNKNOWN_METHODS + BASE_DISPATCH_METHODS)
#define BASE_MAX_PARAMS       8u

struct base_param {
    const char *name;
    VARTYPE vt; /* VT_USERDEFINED: a GUID */
    uint8_t n_pointers;
    uint8_t flags; /* PARAMFLAG_... */
};

struct base_function {
    const char *name;
    MEMBERID id;
    VARTYPE result;
    uint8_t n_params;
    struct base_param params[BASE_MAX_PARAMS];
};

/* By slot. */
const struct base_function *base_function(unsigned slot);

#endif
