/*
 * Proxies of COM's own interfaces whose methods promise the caller more than a description can say:
 * an enumerator's Next may be asked not to count, IWeakReference::Resolve gives any interface.
 * Their slots do that here, and send the rest.
 */
#ifndef COM_REMOTE_LOCAL_SLOTS_H
#define COM_REMOTE_LOCAL_SLOTS_H

#include <viaduct/com.h>

struct marshal_interface;

/* The vtable for the proxies of an interface; NULL: it needs none of its own. */
const void *const *local_slots_find(const struct marshal_interface *itf);

#endif
