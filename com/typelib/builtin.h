/*
 * The interfaces of COM's own that every process knows: IUnknown and IDispatch, which every library
 * may name and none describes, and those that have a description here since no IDL can give them
 * one that crosses processes: IClassFactory, connection points, weak references.
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

/* Connection points and weak references (builtin_events.c), and those of them whose proxies have
 * slots of their own (com/remote/local_slots.h). */
extern const struct via_typelib builtin_events_typelib;
extern const GUID builtin_iid_enum_points;
extern const GUID builtin_iid_enum_connections;
extern const GUID builtin_iid_weak_reference;
#define BUILTIN_ENUM_NEXT_SLOT  3u
#define BUILTIN_ENUM_SKIP_SLOT  4u
#define BUILTIN_ENUM_RESET_SLOT 5u
#define BUILTIN_ENUM_CLONE_SLOT 6u
#define BUILTIN_RESOLVE_SLOT    3u

#endif
