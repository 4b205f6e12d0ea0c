/*
 * The workers of a node: threads that run jobs, serve connections that have become readable, and
 * finish connections that have ended. They start on demand, and end when there was nothing to do
 * for a while.
 */
#ifndef CORE_LINK_WORKER_H
#define CORE_LINK_WORKER_H

#include <stdbool.h>
#include <viaduct/hresult.h>

#include "core/link/link.h"

/* False: the workers have ended for good, and nobody will run it. */
bool worker_submit(struct link_node *node, struct link_job *job);
/* From within handler.control: true: the calling worker does it itself, behind the frame. */
bool worker_keep_job(struct link_node *node, struct link_job *job);
/* The connection's right is held for the pool, which serves it and drops one use. */
void worker_serve_soon(struct link_connection *connection);
void worker_finish_soon(struct link_connection *connection);
/* Whether every worker that may run is busy with something else than waiting for frames. */
bool worker_are_saturated(struct link_node *node);
/* The calling thread sleeps in a call (true) or goes on: a worker that sleeps does not count. */
void worker_sleeps(struct link_node *node, bool sleeps);

/* With node->lock, from the tick: starts the worker that could not be started before; `*waits` when
 * that has failed again. */
void worker_retry_locked(struct link_node *node, bool *waits);

/* From the reactor, which has seen nobody poll for a while: the crowd gets more workers where jobs
 * are not taken up, and ends where there are none. */
void worker_look_at_crowd(struct link_node *node);

/* With node->lock: a connection has ended. */
void worker_wake_stopper_locked(struct link_node *node);
/* Blocks: finishes all connections that have ended, then ends the threads. */
void worker_stop(struct link_node *node);

#endif
