/*
 * The libraries that describe a class: its own, and those that it leaves interfaces to, which the
 * class' process describes as well.
 */
#ifndef COM_INPROC_CLASS_LIBRARIES_H
#define COM_INPROC_CLASS_LIBRARIES_H

#include <viaduct/host.h>
#include <viaduct/typelib.h>

/* What the registry keeps of a class' libraries is one text: more of them are left out. */
#define CLASS_MAX_LIBRARIES 9u

struct class_libraries {
    unsigned n; /* 0: nobody describes the class */
    /* Those that others are built on come first; the class' own is the last. The runtime knows
     * them, for ever. */
    struct via_typelib *list[CLASS_MAX_LIBRARIES];
};

/* Asks the host, and the class' process, which it starts. A failure to describe the class itself is
 * one; interfaces that nobody describes are left out. */
HRESULT class_libraries_ask(IViaductHost *host, const char *name,
                            struct class_libraries *libraries);

#endif
