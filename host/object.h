/* The host as others see it: the object behind IViaductHost. */
#ifndef HOST_OBJECT_H
#define HOST_OBJECT_H

#include <viaduct/com.h>
#include <viaduct/host.h>

struct host;

/* The object borrows the host, which outlives every call. */
HRESULT object_new(struct host *host, IViaductHost **object);
/* From now on every method fails: the host is shutting down. */
void object_disconnect(IViaductHost *object);

#endif
