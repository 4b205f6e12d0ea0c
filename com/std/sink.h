/*
 * One sink of a connection point, with the queue of its events.
 *
 * Whoever fires queues; a job on a worker, one at a time for each sink, takes event after event and
 * calls the sink with no lock held. So a sink that does not return, or a peer that does not read,
 * holds up its own queue and nothing else. The queue is bounded by number and bytes; the oldest
 * event makes room. Of one-way events each 16th is waited for, so that no more than that many wait
 * in the sink's process, where they would stand in the way of others.
 *
 * A sink leaves its point in one of three ways: unadvised (its queue is dropped), dead (the same),
 * or the object's end (its queue is worked off).
 */
#ifndef COM_STD_SINK_H
#define COM_STD_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>
#include <viaduct/events.h>

#include "core/link/link.h"
#include "core/util/list.h"
#include "core/util/ref.h"

struct connection_point;
struct event;
struct queued_event;

struct sink {
    struct ref refs;                /* its point's list, its death watch, its job */
    struct connection_point *point; /* read-only; keeps its memory */
    IUnknown *advised;              /* read-only; a reference: what Advise was given */
    void *target;                   /* read-only; a reference: its source interface */
    bool is_late;                   /* read-only: `target` is an IDispatch, called by Invoke */
    uint64_t watch;                 /* read-only; 0: the sink is this process' own */
    DWORD cookie;                   /* read-only once it is listed */
    struct list link;               /* point->lock: among the point's sinks */
    bool is_over;                   /* point->lock: unadvised or dead */
    bool is_running;                /* point->lock: its job is submitted, or runs */
    struct queued_event *first;     /* point->lock */
    struct queued_event **last;     /* point->lock */
    uint32_t n_queued;              /* point->lock */
    size_t n_bytes;                 /* point->lock: of what is queued */
    uint32_t n_unanswered;          /* of the job: one-way calls since one was waited for */
    struct sink *next_ready;        /* the firing thread's, from sink_push_locked() to sink_run() */
    struct link_job job;            /* of whoever set is_running */
};

/* With one reference. Asks the sink for the point's source interface, which may block, and if it
 * has none for an IDispatch of its own. CONNECT_E_CANNOTCONNECT: it has none either. A sink of
 * another process is watched from now on. */
HRESULT sink_new(struct connection_point *point, IUnknown *advised, struct sink **sink);
void sink_unref(struct sink *sink);
/* It is in no list any more: its death is of no interest. */
void sink_unwatch(struct sink *sink);

/* Queues an event. `dropped` grows by what had to make room, for queue_free() without the lock.
 * True: the caller runs the sink afterwards, by sink_run(). */
bool sink_push_locked(struct sink *sink, struct event *event, struct queued_event **dropped);
void sink_run(struct sink *sink);
/* Empties the queue. */
struct queued_event *sink_take_queue_locked(struct sink *sink);
/* May release objects: no lock is held. */
void queue_free(struct queued_event *events);

#endif
