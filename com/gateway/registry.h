/* What Windows' registry says of a COM class. */
#ifndef COM_GATEWAY_REGISTRY_H
#define COM_GATEWAY_REGISTRY_H

#include <stdbool.h>
#include <viaduct/com.h>

#define REGISTRY_NAME_SIZE 256u

struct com_class {
    CLSID clsid;
    char progid[REGISTRY_NAME_SIZE]; /* without a version, where it has such a one; "": it has none
                                      */
    char description[REGISTRY_NAME_SIZE];
    bool is_apartment; /* its objects are called on one thread */
    bool has_library;  /* and then: */
    GUID libid;
    unsigned short major, minor;
};

/* REGDB_E_CLASSNOTREG: there is no such class, or it has no server that this process could use. */
HRESULT com_class_read(const CLSID *clsid, struct com_class *class);

/* `visit` for each class with a ProgID, which is what com_class_read() has, once; it says whether
 * to go on. */
HRESULT com_class_each(bool (*visit)(void *context, const CLSID *clsid, const char *progid),
                       void *context);

#endif
