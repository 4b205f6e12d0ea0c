/*
 * What this node has promised a peer of others' objects (handoff.h), so that it can take it back
 * when that peer ends: the owner may have no connection to him that would tell it, and would keep
 * each object until the promise lapses.
 *
 * The sender is not told what has been accepted. So the tokens of the last ones are kept, for as
 * long as a promise lives at most, and with the peer's end all of them are withdrawn; of what has
 * been accepted, or has lapsed, the owner does not know the token any more, and does nothing. A
 * withdraw goes the way of its provide, behind it.
 */
#ifndef COM_REMOTE_HANDED_ON_H
#define COM_REMOTE_HANDED_ON_H

#include <stdint.h>

struct link_id;
struct peer;
struct promised;

/* Of one recipient: a ring, the oldest first. */
struct handed_on {
    struct promised *ring;
    uint32_t room;
    uint32_t first;
    uint32_t n;
};

/* `owner` has been sent a provide for `recipient`. Where that has ended it is withdrawn at once.
 * Without memory it lapses, as if it were forgotten. */
void handed_on_note(struct peer *recipient, struct peer *owner, const struct link_id *t1);
/* Withdraws all that the peer may not have come for; it is dead, so that nothing comes behind. */
void handed_on_peer_closed(struct peer *recipient);

#endif
