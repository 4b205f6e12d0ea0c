/*
 * Proxies of class objects. IClassFactory::CreateInstance returns whatever interface its argument
 * names, which no description says; so it travels as IUnknown, and the caller's side asks the
 * object that comes for that interface.
 */
#ifndef COM_REMOTE_FACTORY_H
#define COM_REMOTE_FACTORY_H

#include <viaduct/com.h>

/* The vtable of an IClassFactory proxy. */
extern const void *const factory_vtable[5];

/* Makes an interface pointer of `found`, whose reference it takes, on success and on failure: an
 * object that its maker has already been asked for the interface, so that a proxy does not ask
 * again. */
HRESULT factory_take(IUnknown *found, REFIID iid, void **object);

#endif
