/*
 * Windows' type libraries as Viaduct's.
 *
 * A type library of Windows says less than an interface needs to travel: neither how long an array
 * is, nor that a `char *` is a string. What it leaves open is not guessed. An automation interface
 * has one meaning for each type, which Windows' own marshaler takes it for; anything else is a
 * method that keeps its slot and cannot be called, and whose description names the parameter.
 */
#ifndef COM_GATEWAY_LIBRARY_H
#define COM_GATEWAY_LIBRARY_H

#include <viaduct/com.h>
#include <viaduct/typelib.h>

/* A class that the library leaves out, and what its objects are in the first place. */
struct library_class {
    const char *name;
    const CLSID *clsid;
    const IID *iid; /* one of the library's */
};

/* All of `library`, and `class` too unless it is NULL; for typelib_free(). Interfaces of other
 * libraries are named in it, and left to those. VIA_E_TYPE: it is beyond what a description can
 * say. */
HRESULT library_convert(ITypeLib *library, const struct library_class *class,
                        struct via_typelib **converted);

#endif
