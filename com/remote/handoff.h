/*
 * Handing on a reference to somebody else's object.
 *
 * The sender tells the owner by `provide` whom it gives the object to (T1, T2, the recipient's node
 * and principal), and writes a third party's reference; it does not wait, and keeps the T1 alone,
 * to withdraw when its connection to the recipient ends (handed_on.h). The owner keeps one holder,
 * charged to the sender, until the recipient accepts, the sender withdraws or dies, or
 * handoff_timeout_ms have passed (30 s); of what has ended so it remembers T1 for as long again, so
 * that a recipient who comes is told at once. The recipient connects to the owner directly
 * and accepts by T1; the answer has to be T2, which only the owner can have. An accept that comes
 * before its provide waits for it. Whom the owner cannot be reached by has the sender forward
 * (forward.h), and for that the sender may accept what it has provided itself.
 *
 * A packet (packet.h) has no recipient that the sender knows: node id 0. Once it has been accepted
 * or withdrawn, the owner remembers that as well, since it may be shown again. Its sender waits
 * until the owner has the provide, and its T1 says so (the lowest bit): an accept of a T1 that the
 * owner does not know then comes too late, or somebody has made it up, and does not wait.
 */
#ifndef COM_REMOTE_HANDOFF_H
#define COM_REMOTE_HANDOFF_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "core/link/link.h"

struct exported;
struct frame_provide;
struct import;
struct node;
struct peer;
struct reference_third;

/* Sender: tells the owner of `import` that `recipient` may come, or, where that is NULL, whoever of
 * the sender's user shows T1. Does not block. */
HRESULT handoff_provide(struct import *import, struct peer *recipient, struct link_id *t1,
                        struct link_id *t2);
/* Blocks until the owner has what was provided; then the provide stands. */
HRESULT handoff_settle(struct import *import, uint64_t deadline_ns);
/* Whether T1 is for whoever shows it. */
bool handoff_is_for_anybody(const struct link_id *t1);
void handoff_withdraw(struct import *import, const struct link_id *t1);

/* Owner, [reader]. */
HRESULT handoff_provided(struct peer *sender, const struct frame_provide *provide);
HRESULT handoff_withdrawn(struct peer *sender, const struct link_id *t1);
enum link_route handoff_accepted(struct peer *recipient, struct link_message *message);
/* [worker] Answers an accept that link_message_run() brings back. */
void handoff_run_accept(struct link_message *message);
/* Settles what the peer has provided, and drops its accepts that wait. */
void handoff_peer_closed(struct peer *peer);
/* The node stops: everything is settled. */
void handoff_stop(struct node *node);

/* Recipient. Blocks. The import, with a COM reference; VIA_E_UNREACHABLE lists the addresses tried.
 */
HRESULT handoff_accept(struct node *node, uint64_t id, const struct reference_third *third,
                       uint64_t deadline_ns, struct import **import);
/* Recipient, where the object is its own: takes the provide itself. */
HRESULT handoff_accept_own(struct node *node, uint64_t id, const struct reference_third *third,
                           struct exported **exported);

#endif
