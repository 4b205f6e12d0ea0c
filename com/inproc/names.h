/* Which class of Viaduct a CLSID stands for, as the registry says (ids.h). */
#ifndef COM_INPROC_NAMES_H
#define COM_INPROC_NAMES_H

#include <viaduct/com.h>

struct class_name {
    char name[256];
    char host[256]; /* its address; "": the usual */
};

/* CLASS_E_CLASSNOTAVAILABLE: the registry says nothing of it. */
HRESULT names_find(const CLSID *clsid, struct class_name *found);

#endif
