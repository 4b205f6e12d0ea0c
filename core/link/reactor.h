/*
 * The reactor: one thread for each poller of the process, shared by the nodes that use the poller.
 * It runs readiness callbacks, and the ticks of its nodes while they have something to look at.
 *
 * While a node is crowded its workers relieve it of the poller: who finds in it what is ready can
 * serve it without a wake-up of another thread. The reactor's thread then only looks after the
 * ticks, and polls again when no worker has done so for a while.
 */
#ifndef CORE_LINK_REACTOR_H
#define CORE_LINK_REACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct link_node;

/* Joins the node to the reactor of its poller, which starts with its first node. Any thread; once
 * is enough. */
HRESULT reactor_join(struct link_node *node);
/* Blocks until no callback or tick of the node runs. The last one ends the thread. */
void reactor_leave(struct link_node *node);
/* The tick of the node must run soon. */
void reactor_wake(struct link_node *node);

/* On a worker: runs the callbacks of what is ready, once. Blocks until something is, or the
 * deadline. False: somebody else is in the poller. */
bool reactor_relieve(struct link_node *node, uint64_t deadline_ns);
/* Ends the wait of the worker that is in the poller. */
void reactor_interrupt(struct link_node *node);

#endif
