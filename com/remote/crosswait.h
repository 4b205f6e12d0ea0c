/*
 * Chains of calls that wait for each other's serial objects: found, and one of them refused.
 *
 * Edge chasing. A call that has queued for a context for CROSSWAIT_FIRST_NS sends a probe along
 * those that it waits for: from the innermost call in the context to where its thread waits, over
 * that connection to the same call at the far end, from there on if that is queued for a context
 * itself, or waits in its turn. A probe that comes back to where it started has gone round a cycle.
 *
 * - Each edge has a random name (gate.h). A probe carries that of the edge that it started from,
 *   and goes on only along edges with smaller ones: of a cycle just one comes back.
 * - Every step follows one call, not a chain: what is still running of a call that was given up
 *   misleads nobody. Every other edge of a cycle stays while one does, but for deadlines, and the
 *   first is looked at again: gate_refuse() refuses only what still waits for the same turn.
 * - A probe is believed only by whom it speaks of: it names a call of the peer that it comes from,
 *   and what may be refused is that call. Chain ids, which let callers in, go only where they were.
 * - Probes are posted; nobody waits for one, and one that the next peer has no room for is dropped.
 *   More are sent while the call is queued, less and less often.
 *
 * Waits that are not found end at their deadlines: behind a one-way call on the same object, and
 * those of an object's destructor.
 */
#ifndef COM_REMOTE_CROSSWAIT_H
#define COM_REMOTE_CROSSWAIT_H

#include <stdint.h>

#include "core/link/link.h"

struct gate_call;
struct node;

#define CROSSWAIT_FIRST_NS   UINT64_C(100000000)
#define CROSSWAIT_LONGEST_NS UINT64_C(800000000)

/* Whom a probe has passed, in words; the text of an error has to hold it. */
#define PROBE_PATH_SIZE 640u

struct probe {
    struct link_id wait; /* the name of the edge that it started from */
    uint32_t n_hops;
    char path[PROBE_PATH_SIZE];
};

/* A call that is awaited has been queued. Does not block. */
void crosswait_watch(struct node *node);
/* A probe has arrived: its sender waits in this call. Does not block. */
void crosswait_received(struct probe *probe, const struct gate_call *call);
void crosswait_stop(struct node *node);

#endif
