/*
 * Exports that nobody holds any more: their objects' references are given back, on workers. Where
 * that of one object is all that a frame leaves to be done, the worker that has read it does that.
 *
 * A peer that dies may have held a million of them. Were each a job of its own, all that arrives
 * afterwards would wait behind them; so they lie in a list, which a few jobs empty in short turns.
 * There are several, so that a Release that blocks does not keep the others.
 */
#ifndef COM_REMOTE_LAST_RELEASE_H
#define COM_REMOTE_LAST_RELEASE_H

#include <stdbool.h>

#include "core/link/link.h"

struct exported;
struct node;

#define LAST_RELEASE_JOBS 4u

struct last_releases { /* node->lock, but for what a job passes to its own run */
    struct exported *first;
    struct exported **end; /* NULL: `first` is the end */
    struct last_release_job {
        struct link_job job;
        struct node *node;
        bool runs;
    } jobs[LAST_RELEASE_JOBS];
};

/* The last reference is gone; the export belongs to no context. Takes it over. */
void last_release(struct exported *exported);

#endif
