/* What a class says of itself: its type library, asked of the host, and its default interface. */
#ifndef CLI_CLASS_H
#define CLI_CLASS_H

#include <stdbool.h>
#include <viaduct/host.h>
#include <viaduct/typelib.h>

#include "com/typelib/typelib.h"

struct class
{
    char *json;
    struct via_typelib *lib;
    const struct via_coclass *coclass;
};

/* -1, or the exit code after a message. */
int class_load(IViaductHost *host, const char *name, struct class *class);
void class_deinit(struct class *class);

/* "Method" of the default interface, or "Interface.Method". -1, or the exit code after a message
 * that lists what there is. The names stay valid as long as the class. */
int class_find_method(const struct class *class, const char *name, unsigned forms,
                      const struct via_interface **itf, struct typelib_method *method);

/* The interface's method of that name, without case, in one of the forms. S_FALSE: it has none. */
HRESULT method_find(const struct via_typelib *lib, uint16_t index, const char *name, unsigned forms,
                    struct typelib_method *method);
/* Appends the names of its methods in one of the forms, each behind "OWNER." unless that is "". */
HRESULT method_list(const struct via_typelib *lib, uint16_t index, unsigned forms,
                    const char *owner, char *list, size_t size);
/* "method", "property to get", for messages about what there is none of. */
const char *method_noun(unsigned forms);

#endif
