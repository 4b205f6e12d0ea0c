/*
 * Death watches: a callback for the end of an object's owner. A watch does not keep its object.
 *
 * A watch is in the node's tables, by import and by cookie, until it is cancelled, its
 * proxy is released for the last time, or its path ends: whichever takes it out under the node's
 * lock decides, so that it fires once or not at all.
 */
#ifndef COM_REMOTE_WATCH_H
#define COM_REMOTE_WATCH_H

#include <stdint.h>
#include <viaduct/com.h>

struct import;
struct node;
struct peer;
struct watch;

HRESULT watch_add(struct import *import, void (*died)(void *context, const char *reason),
                  void *context, uint64_t *cookie);
/* S_FALSE: it fired, or was never there. */
HRESULT watch_remove(struct node *node, uint64_t cookie);
/* The proxy is going: its watches end without a call. */
void watch_forget_locked(struct import *import);
/* The import's path has ended: its watches join `taken`, for watch_fire(). */
void watch_take_locked(struct import *import, struct watch **taken);
/* Calls each on a worker. May ask the host how the process of `peer` has ended, for less than a
 * second. */
void watch_fire(struct peer *peer, struct watch *fired);

#endif
