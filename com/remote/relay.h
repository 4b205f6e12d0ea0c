/* The relays of this process' node (<viaduct/relay.h>), which come and go with it. */
#ifndef COM_REMOTE_RELAY_H
#define COM_REMOTE_RELAY_H

#include <viaduct/hresult.h>

struct os_poller;
struct plugin_set;

/* Both are borrowed until the end. */
HRESULT runtime_relays_begin(struct os_poller *poller, const struct plugin_set *plugins);
/* Blocks. Stops all relays; the reactor still runs. Allowed without a begin. */
void runtime_relays_end(void);

#endif
