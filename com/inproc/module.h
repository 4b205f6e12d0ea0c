/*
 * The in-process server as a module of its process: when the runtime is there, and when the DLL may
 * go.
 *
 * The runtime starts when the first object is wanted, never in DllMain, and ends when nothing is
 * left: no class object, no proxy, and no object of this process that another one has. Whoever
 * finds that ends it, on his thread; a thread that is itself inside the runtime has another one do
 * it, which takes the module along and goes at once.
 *
 *     idle --module_enter()--> running --the last of all goes--> ending --> idle
 */
#ifndef COM_INPROC_MODULE_H
#define COM_INPROC_MODULE_H

#include <stdbool.h>
#include <viaduct/com.h>

/* The runtime is there until module_leave(); counted. Blocks while one ends. */
HRESULT module_enter(void);
void module_leave(void);
/* A class object, or something else that keeps the DLL, but not the runtime. */
void module_hold(void);
void module_release(void);
/* Whether nothing of the DLL is in use. */
bool module_is_unused(void);

#endif
