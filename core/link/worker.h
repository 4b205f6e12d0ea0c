/*
 * The workers of a node: threads that run jobs, serve connections that have become readable, and
 * finish connections that have ended. They start on demand, and end when there was nothing to do
 * for a while.
 */
#ifndef CORE_LINK_WORKER_H
#define CORE_LINK_WORKER_H

#include <stdbool.h>
#include <viaduct/hresult.h>

#include "core/util/list.h"

struct link_connection;
struct link_node;

/* Embedded in what is to be done. */
struct job {
    struct list link;
    void (*run)(void *argument); /* may free what the job is in */
    void *argument;
};

void worker_submit(struct link_node *node, struct job *job);
/* The connection's right is held for the pool, which serves it and drops one use. */
void worker_serve_soon(struct link_connection *connection);
void worker_finish_soon(struct link_connection *connection);
/* Whether every worker that may run is busy with something else than waiting for frames. */
bool worker_are_saturated(struct link_node *node);
/* The calling thread sleeps in a call (true) or goes on: a worker that sleeps does not count. */
void worker_sleeps(struct link_node *node, bool sleeps);

/* With node->lock: a connection has ended. */
void worker_wake_stopper_locked(struct link_node *node);
/* Blocks: finishes all connections that have ended, then ends the threads. */
void worker_stop(struct link_node *node);

#endif
