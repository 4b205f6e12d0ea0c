/*
 * The local server's class objects: one for each class of Viaduct that is registered with a local
 * server, for the machine or for this user. What they create are orders (order.h).
 */
#ifndef COM_INPROC_SERVER_CLASSES_H
#define COM_INPROC_SERVER_CLASSES_H

#include <stdint.h>
#include <viaduct/com.h>

/* One thread, the one that owns the apartment, calls all of these. */

/* Registers with COM what is in the registry, and takes back what is not in it any more. The error
 * names the class that COM refuses; the others are served. `n`: of classes. */
HRESULT classes_refresh(unsigned *n);
void classes_revoke(void);
/* A number that changes whenever a client asks for something. */
uint64_t classes_activity(void);

#endif
