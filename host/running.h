/*
 * Running objects: objects that programs have published under a name, for others to look up. One
 * whose owner is gone is dropped when it is next looked at. Those that nobody looks at are dropped
 * together, each time that there are twice as many names as after the last time.
 */
#ifndef HOST_RUNNING_H
#define HOST_RUNNING_H

#include <viaduct/com.h>

/* Published names altogether, and characters of one. */
#define RUNNING_MAX      4096u
#define RUNNING_MAX_NAME 255u

struct running;

struct running *running_new(void);
void running_free(struct running *running);

/* VIA_E_ADDRESS_IN_USE while a living object has the name; VIA_E_LIMIT when there are too many. */
HRESULT running_publish(struct running *running, const char *name, IUnknown *object);
/* MK_E_UNAVAILABLE when nothing runs under the name. */
HRESULT running_lookup(struct running *running, const char *name, IUnknown **object);
HRESULT running_withdraw(struct running *running, const char *name);
/* Lets all go. */
void running_clear(struct running *running);
size_t running_count(struct running *running);

#endif
