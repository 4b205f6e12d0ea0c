/* The interfaces that every library may name and none describes. */
#ifndef COM_TYPELIB_BUILTIN_H
#define COM_TYPELIB_BUILTIN_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/guid.h>

extern const GUID builtin_iid_unknown;
extern const GUID builtin_iid_dispatch;

/* Slots of a built-in interface's vtable; 0 for another one. */
uint16_t builtin_slots(const GUID *iid);
/* Whether a built-in interface has a method of this name itself or from its base; without case. */
bool builtin_has_method(const GUID *iid, const char *name);

#endif
