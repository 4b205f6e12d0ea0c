/*
 * Running objects: objects that programs have published under a name, for others to look up, and to
 * be told about.
 *
 * An object whose process ends loses its name, by a death watch, within a second; between that and
 * the watch's call it is not found any more, and its name may be taken.
 */
#ifndef HOST_RUNNING_H
#define HOST_RUNNING_H

#include <viaduct/com.h>
#include <viaduct/host.h>

/* Published names altogether, and bytes of one. */
#define RUNNING_MAX      4096u
#define RUNNING_MAX_NAME 255u

struct running;

/* Is told of every change, in the order of the changes; must not call back, nor block. */
typedef void (*running_listener)(void *context, const char *name, enum RunningChange change);

struct running *running_new(void);
/* Nobody is told of the names that are left. After via_uninitialize(). */
void running_free(struct running *running);
/* Before anything is published. */
void running_set_listener(struct running *running, running_listener changed, void *context);

/* VIA_E_ADDRESS_IN_USE while a living object has the name; VIA_E_LIMIT when there are too many;
 * RPC_E_DISCONNECTED: the object's process has ended. */
HRESULT running_publish(struct running *running, const char *name, IUnknown *object);
/* MK_E_UNAVAILABLE when nothing runs under the name. */
HRESULT running_lookup(struct running *running, const char *name, IUnknown **object);
HRESULT running_withdraw(struct running *running, const char *name);
/* What runs, by name; for running_free_list(). */
HRESULT running_list(struct running *running, struct RunningInfo **list, ULONG *count);
void running_free_list(struct RunningInfo *list, ULONG count);
/* Lets all go. */
void running_clear(struct running *running);
size_t running_count(struct running *running);

#endif
