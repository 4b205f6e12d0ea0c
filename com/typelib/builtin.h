/*
 * The interfaces of COM's own that every process knows: IUnknown and IDispatch, which every library
 * may name and none describes, and IClassFactory, which has a description here since no IDL can
 * give it one that crosses processes.
 */
#ifndef COM_TYPELIB_BUILTIN_H
#define COM_TYPELIB_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/guid.h>
#include <viaduct/typelib.h>

extern const GUID builtin_iid_unknown;
extern const GUID builtin_iid_dispatch;
extern const GUID builtin_iid_class_factory;

/* Slots of the vtable of IUnknown or IDispatch; 0 for another one. */
uint16_t builtin_slots(const GUID *iid);
/* Whether a built-in interface has a method of this name itself or from its base; without case. */
bool builtin_has_method(const GUID *iid, const char *name);

/* IClassFactory as it travels: what CreateInstance makes goes as the IUnknown that it derives from,
 * and the caller's proxy asks that for the interface (com/remote/factory.h). */
extern const struct via_typelib builtin_typelib;
#define BUILTIN_CREATE_INSTANCE_SLOT 3u
#define BUILTIN_LOCK_SERVER_SLOT     4u

#endif
