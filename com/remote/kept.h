/*
 * Results of a peer's calls that it may name as targets before it has them.
 *
 * A call that says so is entered when it arrives, and stays until the peer says finish. Calls on
 * its results that come before it has been answered wait with it. When it is, they start, in the
 * order in which they came, before its reply is sent: the peer learns what the result is from the
 * reply, and what it sends by then comes behind them. What is kept is each result itself, so that
 * the peer may have released it meanwhile.
 *
 * Only objects of this process are called so. A result that lives elsewhere, with the peer or in a
 * third process, is refused with VIA_E_ELSEWHERE: the peer waits for the reply and calls it there.
 * Were the call forwarded, its owner would take this process for the caller.
 */
#ifndef COM_REMOTE_KEPT_H
#define COM_REMOTE_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "com/remote/reference.h"

struct exported;
struct kept;
struct marshal_invocation;
struct peer;
struct stub_call;

/* Which entries of the reply's table objects have become. One that is not noted counts as being
 * elsewhere. */
#define KEPT_MAX_RESULTS 8u
struct kept_notes {
    unsigned n;
    struct {
        const IUnknown *object; /* compared only */
        uint32_t index;
    } notes[KEPT_MAX_RESULTS];
};
static inline void kept_note(struct kept_notes *notes, const IUnknown *object, uint32_t index)
{
    if (notes->n == KEPT_MAX_RESULTS)
        return;
    notes->notes[notes->n].object = object;
    notes->notes[notes->n++].index = index;
}

/* [reader] A call whose results are kept has arrived; the caller has a reference until
 * kept_answer(). VIA_E_LIMIT, VIA_E_PROTOCOL: its id is in use. */
HRESULT kept_begin(struct peer *peer, uint64_t call_id, struct kept **kept);
/* What it has ended with: `invocation` with what its reply will have, or, when it is NULL, a
 * failure, whose record is the thread's and stays there. Starts what waits for it, by
 * stub_start_aimed(), and gives up the reference. NULL is allowed. */
void kept_answer(struct kept *kept, const struct marshal_invocation *invocation,
                 const struct reference_out *out, const struct kept_notes *notes, HRESULT code);

/* The call that a target names, with a reference; NULL with RPC_E_INVALID_OBJECT. */
struct kept *kept_find(struct peer *peer, uint64_t call_id);
void kept_unref(struct kept *kept);
bool kept_is_answered(struct kept *kept);
/* False: it has been answered. Else the call, which is owned, waits for that. */
bool kept_wait(struct kept *kept, struct stub_call *call);
/* Of one that has been answered: the object, with a reference, or why there is none. */
HRESULT kept_result(const struct kept *kept, uint32_t index, struct exported **exported);

/* [reader] The peer names none of its results any more. */
void kept_finish(struct peer *peer, uint64_t call_id);
/* The connection has ended. */
void kept_peer_closed(struct peer *peer);

#endif
