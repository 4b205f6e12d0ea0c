/* The interfaces that every library may name and none describes. */
#ifndef COM_TYPELIB_BUILTIN_H
#define COM_TYPELIB_BUILTIN_H

#include <stdint.h>
#include <viaduct/guid.h>

extern const GUID builtin_iid_unknown;
extern const GUID builtin_iid_dispatch;

/* Slots of a built-in interface's vtable; 0 for another one. */
uint16_t builtin_slots(const GUID *iid);

#endif
