/*
 * The reactor: one thread for each poller of the process, shared by the nodes that use the poller.
 * It runs readiness callbacks, and the ticks of its nodes while they have something to look at.
 */
#ifndef CORE_LINK_REACTOR_H
#define CORE_LINK_REACTOR_H

#include <viaduct/hresult.h>

struct link_node;

/* Joins the node to the reactor of its poller, which starts with its first node. Any thread; once
 * is enough. */
HRESULT reactor_join(struct link_node *node);
/* Blocks until no callback or tick of the node runs. The last one ends the thread. */
void reactor_leave(struct link_node *node);
/* The tick of the node must run soon. */
void reactor_wake(struct link_node *node);

#endif
