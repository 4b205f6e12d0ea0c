/* Death watches: a callback for the end of an object's owner. A watch does not keep its object. */
#ifndef COM_REMOTE_WATCH_H
#define COM_REMOTE_WATCH_H

#include <stdint.h>
#include <viaduct/com.h>

struct import;
struct node;
struct peer;

HRESULT watch_add(struct import *import, void (*died)(void *context, const char *reason),
                  void *context, uint64_t *cookie);
/* S_FALSE: it fired, or was never there. */
HRESULT watch_remove(struct node *node, uint64_t cookie);
/* The proxy is going: its watches end without a call. */
void watch_forget_locked(struct node *node, const struct import *import);
/* The path of all that were received over `peer` has ended. */
void watch_fire(struct peer *peer);

#endif
