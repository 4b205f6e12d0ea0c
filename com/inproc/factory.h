/*
 * Class objects: one for each class that is asked for. It knows the class by its name in the
 * registry; the host is asked when the first object is made.
 */
#ifndef COM_INPROC_FACTORY_H
#define COM_INPROC_FACTORY_H

#include <viaduct/com.h>

HRESULT factory_get(const CLSID *clsid, REFIID iid, void **object);

#endif
