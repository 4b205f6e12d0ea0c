#include "com/remote/handed_on.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/frames.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#define FIRST_ROOM 8u
/* As many as an owner keeps for one sender. */
#define MOST PEER_MAX_PROVIDES

struct promised {
    struct peer *owner; /* a reference */
    struct link_id t1;
    uint64_t expires_ns;
};

static struct promised *oldest(struct handed_on *self)
{
    return &self->ring[self->first];
}

static struct peer *take_oldest(struct handed_on *self)
{
    struct peer *owner = oldest(self)->owner;
    self->first = (self->first + 1) % self->room;
    self->n--;
    return owner;
}

static bool grow(struct handed_on *self)
{
    uint32_t room = self->room > 0 ? 2 * self->room : FIRST_ROOM;
    struct promised *ring = room <= MOST ? malloc(room * sizeof *ring) : NULL;
    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < self->n; i++)
        ring[i] = self->ring[(self->first + i) % self->room];
    free(self->ring);
    *self = (struct handed_on){.ring = ring, .room = room, .n = self->n};
    return true;
}

static void withdraw(struct peer *owner, const struct link_id *t1)
{
    if (FAILED(frame_post_withdraw(owner->connection, t1)))
        error_clear(); /* the owner is gone, and the promise with it */
}

/* The owners of those that leave: two for each that comes, so that the ring shrinks again. */
struct left {
    struct peer *owners[2];
};

static void note_locked(struct handed_on *self, const struct promised *promised, uint64_t now_ns,
                        struct left *left)
{
    unsigned n_left = 0;
    while (n_left < 2 && self->n > 0 && oldest(self)->expires_ns <= now_ns)
        left->owners[n_left++] = take_oldest(self);
    if (self->n == self->room && !grow(self)) {
        if (self->n == 0) {
            left->owners[0] = promised->owner;
            return;
        }
        left->owners[0] = take_oldest(self);
    }
    self->ring[(self->first + self->n) % self->room] = *promised;
    self->n++;
}

void handed_on_note(struct peer *recipient, struct peer *owner, const struct link_id *t1)
{
    uint64_t now_ns = os_now_ns();
    struct promised promised = {.owner = peer_ref(owner), .t1 = *t1};
    struct left left = {{NULL}};
    promised.expires_ns = now_ns + recipient->node->settings.handoff_timeout_ms * UINT64_C(1000000);
    os_mutex_lock(&recipient->lock);
    bool dead = recipient->dead;
    if (!dead)
        note_locked(&recipient->handed_on, &promised, now_ns, &left);
    os_mutex_unlock(&recipient->lock);
    if (dead) {
        withdraw(owner, t1);
        peer_unref(owner);
    }
    peer_unref(left.owners[0]);
    peer_unref(left.owners[1]);
}

void handed_on_peer_closed(struct peer *recipient)
{
    os_mutex_lock(&recipient->lock);
    struct handed_on all = recipient->handed_on;
    recipient->handed_on = (struct handed_on){0};
    os_mutex_unlock(&recipient->lock);
    /* Where this node ends, the owners see that for themselves. */
    bool ends = atomic_load(&recipient->node->closed);
    uint64_t now_ns = os_now_ns();
    while (all.n > 0) {
        struct promised *promised = oldest(&all);
        if (!ends && promised->expires_ns > now_ns)
            withdraw(promised->owner, &promised->t1);
        peer_unref(take_oldest(&all));
    }
    free(all.ring);
}
