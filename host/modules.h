/* Component modules that run in the host itself ("activation": "host"). Once loaded they stay. */
#ifndef HOST_MODULES_H
#define HOST_MODULES_H

#include <viaduct/com.h>
#include <viaduct/host.h>

struct modules;

struct modules *modules_new(void);
/* Gives the components' interfaces back; the code stays loaded. */
void modules_free(struct modules *modules);

/* What creates the classes of the module at `path`, with a reference. */
HRESULT modules_get(struct modules *modules, const char *path, IViaductSurrogate **provider);

#endif
