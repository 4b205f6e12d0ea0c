/* The owner. */
#include "com/remote/handoff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/export.h"
#include "com/remote/frames.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/reference.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

#define MAX_WAITING_ACCEPTS 256u
/* Broken promises that are remembered; an accept of one that is not waits until it expires. */
#define MAX_BROKEN 4096u

/* An object that was promised to a recipient, at its owner. In node->provides under node->lock. */
struct provide {
    struct table_link link;
    struct peer *sender;       /* a reference; who is charged */
    struct exported *exported; /* a holder */
    struct frame_provide frame;
    uint64_t expires_ns;
};

/* What has become of a promise, for those who come for it now. */
enum fate {
    FATE_UNKNOWN,
    FATE_LAPSED, /* nobody came in time */
    FATE_ENDED,  /* its sender has, and it with him */
    FATE_FETCHED,
    FATE_WITHDRAWN
};

/* A promise that is over, whose recipient may come yet: he is told so at once. One to whoever shows
 * it may be shown again, and so is remembered also when it was fetched. In node->broken under
 * node->lock. */
struct broken {
    struct table_link link;
    struct link_id t1;
    enum fate fate;
    uint64_t expires_ns;
};

/* An accept that is here before its provide. In node->accepts under node->lock. */
struct waiting_accept {
    struct table_link link;
    struct link_job job;          /* when it does not wait any more */
    struct link_message *message; /* owned */
    struct peer *recipient;       /* a reference */
    struct link_id t1;
    uint64_t object;
    uint64_t expires_ns;
};

static bool id_equal(const struct link_id *a, const struct link_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct provide *find_provide_locked(struct node *node, const struct link_id *t1)
{
    struct table_link *link = table_find(&node->provides, table_hash(t1, sizeof *t1));
    while (link != NULL) {
        struct provide *provide = TABLE_ENTRY(link, struct provide, link);
        if (id_equal(&provide->frame.t1, t1))
            return provide;
        link = table_again(link);
    }
    return NULL;
}

static struct waiting_accept *find_accept_locked(struct node *node, const struct link_id *t1)
{
    struct table_link *link = table_find(&node->accepts, table_hash(t1, sizeof *t1));
    while (link != NULL) {
        struct waiting_accept *waiting = TABLE_ENTRY(link, struct waiting_accept, link);
        if (id_equal(&waiting->t1, t1))
            return waiting;
        link = table_again(link);
    }
    return NULL;
}

static uint64_t expiry_from(const struct node *node, uint64_t now_ns)
{
    return now_ns + node->settings.handoff_timeout_ms * UINT64_C(1000000);
}

static const struct broken *find_broken_locked(struct node *node, const struct link_id *t1)
{
    struct table_link *link = table_find(&node->broken, table_hash(t1, sizeof *t1));
    while (link != NULL && !id_equal(&TABLE_ENTRY(link, struct broken, link)->t1, t1))
        link = table_again(link);
    return link != NULL ? TABLE_ENTRY(link, struct broken, link) : NULL;
}

/* Without memory it is as if it had never been promised. */
static void remember_broken_locked(struct node *node, const struct provide *provide, enum fate fate,
                                   uint64_t now_ns)
{
    const struct link_id *t1 = &provide->frame.t1;
    struct broken *broken = node->broken.n_links < MAX_BROKEN ? malloc(sizeof *broken) : NULL;
    if (broken == NULL)
        return;
    *broken = (struct broken){.t1 = *t1, .fate = fate, .expires_ns = expiry_from(node, now_ns)};
    if (!table_insert(&node->broken, &broken->link, table_hash(t1, sizeof *t1)))
        free(broken);
}

static void take_provide_locked(struct node *node, struct provide *provide)
{
    table_remove(&node->provides, &provide->link);
    provide->sender->n_provides--;
}

static void start_timer_locked(struct node *node, uint64_t expires_ns);

/* It was promised to whoever shows T1: the sender did not know his node. */
static bool is_for_anybody(const struct provide *provide)
{
    static const struct link_id nobody;
    return id_equal(&provide->frame.recipient, &nobody);
}

/* Before its time is up. */
static void end_provide_locked(struct node *node, struct provide *provide, enum fate fate)
{
    take_provide_locked(node, provide);
    if (fate == FATE_FETCHED && !is_for_anybody(provide))
        return;
    uint64_t now_ns = os_now_ns();
    remember_broken_locked(node, provide, fate, now_ns);
    start_timer_locked(node, expiry_from(node, now_ns));
}

static void take_accept_locked(struct node *node, struct waiting_accept *waiting)
{
    table_remove(&node->accepts, &waiting->link);
    waiting->recipient->n_accepts--;
}

static void free_provide(struct provide *provide)
{
    export_unhold(provide->exported);
    peer_unref(provide->sender);
    free(provide);
}

/* An accept whose time is up runs, does not find its provide, and is answered with that. The peer
 * stays until then: its connection may have ended. */
static void run_accept(void *argument)
{
    struct waiting_accept *waiting = argument;
    link_message_run(waiting->message);
    peer_unref(waiting->recipient);
    free(waiting);
}

static void end_wait(struct node *node, struct waiting_accept *waiting)
{
    node_submit(node, &waiting->job, run_accept, waiting);
}

static void lapse(void *argument);

/* One timer serves all; it is set for the first that expires. All live equally long. */
static void start_timer_locked(struct node *node, uint64_t expires_ns)
{
    if (node->handoff_timer_runs || atomic_load(&node->closed))
        return;
    struct link_timer *timer;
    if (FAILED(link_node_timer(node->link, expires_ns, lapse, node, &timer))) {
        error_clear(); /* the next one that comes tries again; the peers' ends settle it in any case
                        */
        return;
    }
    node->handoff_timer = timer;
    node->handoff_timer_runs = true;
}

/* Those that have been taken out of the tables, linked by their table links. */
struct taken {
    struct table_link *provides;
    struct table_link *accepts;
    uint64_t next_ns; /* when the first of those that stay expires; UINT64_MAX: none does */
};

static bool is_over(struct taken *taken, const struct peer *owner, const struct peer *peer,
                    uint64_t expires_ns, uint64_t now_ns)
{
    if ((peer != NULL && owner == peer) || expires_ns <= now_ns)
        return true;
    if (expires_ns < taken->next_ns)
        taken->next_ns = expires_ns;
    return false;
}

/* Takes out what is the peer's or has expired, in one walk: the lock is held for as long as the
 * tables are, and all else happens behind it. With OS_NEVER everything has expired, for good. */
static void take_locked(struct node *node, const struct peer *peer, uint64_t now_ns,
                        struct taken *taken)
{
    *taken = (struct taken){.next_ns = UINT64_MAX};
    struct table_link *next;
    for (struct table_link *l = table_walk(&node->provides, NULL); l != NULL; l = next) {
        struct provide *provide = TABLE_ENTRY(l, struct provide, link);
        next = table_walk(&node->provides, l);
        if (!is_over(taken, provide->sender, peer, provide->expires_ns, now_ns))
            continue;
        take_provide_locked(node, provide);
        if (now_ns != OS_NEVER)
            remember_broken_locked(
                node, provide, provide->expires_ns <= now_ns ? FATE_LAPSED : FATE_ENDED, now_ns);
        l->next = taken->provides;
        taken->provides = l;
    }
    for (struct table_link *l = table_walk(&node->accepts, NULL); l != NULL; l = next) {
        struct waiting_accept *waiting = TABLE_ENTRY(l, struct waiting_accept, link);
        next = table_walk(&node->accepts, l);
        if (!is_over(taken, waiting->recipient, peer, waiting->expires_ns, now_ns))
            continue;
        take_accept_locked(node, waiting);
        l->next = taken->accepts;
        taken->accepts = l;
    }
    for (struct table_link *l = table_walk(&node->broken, NULL); l != NULL; l = next) {
        struct broken *broken = TABLE_ENTRY(l, struct broken, link);
        next = table_walk(&node->broken, l);
        if (!is_over(taken, NULL, peer, broken->expires_ns, now_ns))
            continue;
        table_remove(&node->broken, l);
        free(broken);
    }
}

static void end_taken(struct node *node, const struct taken *taken)
{
    struct table_link *next;
    for (struct table_link *l = taken->provides; l != NULL; l = next) {
        next = l->next;
        free_provide(TABLE_ENTRY(l, struct provide, link));
    }
    for (struct table_link *l = taken->accepts; l != NULL; l = next) {
        next = l->next;
        end_wait(node, TABLE_ENTRY(l, struct waiting_accept, link));
    }
}

static void lapse(void *argument)
{
    struct node *node = argument;
    struct taken taken;
    os_mutex_lock(&node->lock);
    take_locked(node, NULL, os_now_ns(), &taken);
    struct link_timer *timer = node->handoff_timer;
    node->handoff_timer = NULL;
    node->handoff_timer_runs = false;
    if (taken.next_ns != UINT64_MAX)
        start_timer_locked(node, taken.next_ns);
    os_mutex_unlock(&node->lock);
    if (timer != NULL)
        link_timer_cancel(timer);
    end_taken(node, &taken);
}

HRESULT handoff_provided(struct peer *sender, const struct frame_provide *frame)
{
    struct node *node = sender->node;
    struct exported *exported = peer_resolve(sender, frame->object);
    if (exported == NULL)
        return error_wrap(VIA_E_PROTOCOL, "a peer hands on an object that it does not have");
    struct provide *provide = calloc(1, sizeof *provide);
    if (provide == NULL) {
        export_unref(exported);
        return error_set(E_OUTOFMEMORY, "no memory for a provide");
    }
    provide->sender = peer_ref(sender);
    provide->exported = exported;
    provide->frame = *frame;
    provide->expires_ns = expiry_from(node, os_now_ns());
    struct waiting_accept *waiting = NULL;
    os_mutex_lock(&node->lock);
    exported->n_holders++;
    bool room =
        sender->n_provides < PEER_MAX_PROVIDES && find_provide_locked(node, &frame->t1) == NULL &&
        table_insert(&node->provides, &provide->link, table_hash(&frame->t1, sizeof frame->t1));
    if (room) {
        sender->n_provides++;
        start_timer_locked(node, provide->expires_ns);
        waiting = find_accept_locked(node, &frame->t1);
        if (waiting != NULL)
            take_accept_locked(node, waiting);
    }
    os_mutex_unlock(&node->lock);
    if (waiting != NULL)
        end_wait(node, waiting);
    if (room)
        return S_OK;
    free_provide(provide);
    return error_set(VIA_E_LIMIT, "a peer has %u objects handed on that nobody accepted",
                     PEER_MAX_PROVIDES);
}

HRESULT handoff_withdrawn(struct peer *sender, const struct link_id *t1)
{
    struct node *node = sender->node;
    os_mutex_lock(&node->lock);
    struct provide *provide = find_provide_locked(node, t1);
    if (provide != NULL && provide->sender == sender)
        end_provide_locked(node, provide, FATE_WITHDRAWN);
    else
        provide = NULL; /* it has been accepted, has lapsed, or is another's */
    os_mutex_unlock(&node->lock);
    if (provide != NULL)
        free_provide(provide);
    return S_OK;
}

enum link_route handoff_accepted(struct peer *recipient, struct link_message *message)
{
    struct node *node = recipient->node;
    struct link_id t1;
    uint64_t object;
    frame_read_accept(message, &t1, &object);
    struct waiting_accept *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL || FAILED(link_message_own(message))) {
        free(waiting);
        error_set(E_OUTOFMEMORY, "no memory for an accept");
        link_reply_error(message, E_OUTOFMEMORY, false);
        return LINK_ROUTE_REFUSED;
    }
    *waiting = (struct waiting_accept){.message = message, .t1 = t1, .object = object};
    waiting->expires_ns = expiry_from(node, os_now_ns());
    os_mutex_lock(&node->lock);
    bool waits = !handoff_is_for_anybody(&t1) && find_provide_locked(node, &t1) == NULL &&
                 find_broken_locked(node, &t1) == NULL && !atomic_load(&node->closed) &&
                 recipient->n_accepts < MAX_WAITING_ACCEPTS &&
                 table_insert(&node->accepts, &waiting->link, table_hash(&t1, sizeof t1));
    if (waits) {
        waiting->recipient = peer_ref(recipient);
        recipient->n_accepts++;
        start_timer_locked(node, waiting->expires_ns);
    }
    os_mutex_unlock(&node->lock);
    if (waits)
        return LINK_ROUTE_QUEUED;
    free(waiting);
    return LINK_ROUTE_ANY;
}

/* The principal that the sender saw, and the one that has come. They may have come over transports
 * that name principals differently (a uid, a SID); then the secret T1 and the node id have to do.
 */
static bool principal_fits(const struct via_peer_identity *promised,
                           const struct via_peer_identity *came)
{
    if (promised->flags & came->flags & VIA_PEER_HAS_UNIX)
        return promised->uid == came->uid;
    if (promised->flags & came->flags & VIA_PEER_HAS_SID)
        return strcmp(promised->sid, came->sid) == 0;
    return true;
}

/* Who comes for what was promised; `peer` NULL: this node itself. What was promised to whoever
 * shows it is for the sender's own user. */
static bool is_recipient(const struct node *node, const struct provide *provide,
                         const struct peer *peer)
{
    if (is_for_anybody(provide))
        return peer == NULL ||
               principal_fits(&peer_info(provide->sender)->identity, &peer_info(peer)->identity);
    if (peer == NULL)
        return id_equal(&provide->frame.recipient, link_node_id(node->link));
    const struct link_peer *info = peer_info(peer);
    return id_equal(&provide->frame.recipient, &info->node) &&
           principal_fits(&provide->frame.principal, &info->identity);
}

static void set_error_of(const struct node *node, enum fate fate, uint64_t object)
{
    unsigned limit_ms = node->settings.handoff_timeout_ms;
    unsigned s = limit_ms / 1000;
    unsigned tenths = limit_ms / 100 % 10;
    switch (fate) {
    case FATE_LAPSED:
        error_set(RPC_E_INVALID_OBJECT,
                  "object %" PRIu64 " was handed to this process more than %u.%u s ago, and is not "
                  "kept for it any longer",
                  object, s, tenths);
        break;
    case FATE_ENDED:
        error_set(RPC_E_INVALID_OBJECT,
                  "the process that handed on object %" PRIu64
                  " has ended before this one came for it",
                  object);
        break;
    case FATE_FETCHED:
        error_set(RPC_E_INVALID_OBJECT,
                  "object %" PRIu64 " has been fetched already: it was handed on for one time",
                  object);
        break;
    case FATE_WITHDRAWN:
        error_set(RPC_E_INVALID_OBJECT,
                  "the process that handed on object %" PRIu64 " has taken that back", object);
        break;
    default:
        error_set(RPC_E_INVALID_OBJECT,
                  "nobody has handed object %" PRIu64 " to this process within %u.%u s", object, s,
                  tenths);
        break;
    }
}

/* Takes the provide that fits, or sets the error. It is the recipient's, or the sender's who takes
 * it back to forward the object (forward.h). */
static struct provide *take_fitting(struct node *node, const struct link_id *t1, uint64_t object,
                                    const struct peer *peer)
{
    os_mutex_lock(&node->lock);
    struct provide *provide = find_provide_locked(node, t1);
    bool fits = provide != NULL && provide->frame.object == object &&
                (is_recipient(node, provide, peer) || provide->sender == peer);
    bool found = provide != NULL;
    const struct broken *broken = found ? NULL : find_broken_locked(node, t1);
    enum fate fate = broken != NULL ? broken->fate : FATE_UNKNOWN;
    if (fits)
        end_provide_locked(node, provide, FATE_FETCHED);
    os_mutex_unlock(&node->lock);
    if (fits)
        return provide;
    if (found)
        error_set(E_ACCESSDENIED, "the object was handed to another process than this one");
    else
        set_error_of(node, fate, object);
    return NULL;
}

void handoff_run_accept(struct link_message *message)
{
    struct peer *peer = peer_of(message->connection);
    struct link_id t1;
    uint64_t object;
    frame_read_accept(message, &t1, &object);
    link_message_decoded(message);
    struct provide *provide = take_fitting(peer->node, &t1, object, peer);
    if (provide == NULL) {
        link_reply_error(message, error_get()->code, false);
        return;
    }
    struct exported *exported = provide->exported;
    struct link_id t2 = provide->frame.t2;
    peer_unref(provide->sender);
    free(provide);
    HRESULT hr = peer_give(peer, exported); /* with the provide's holder */
    if (FAILED(hr)) {
        link_reply_error(message, hr, false);
        return;
    }
    uint8_t body[FRAME_REPLY_BODY];
    frame_write_reply(body, S_OK);
    struct link_request reply = {.kind = WIRE_REPLY,
                                 .body = body,
                                 .body_size = sizeof body,
                                 .payload = &t2,
                                 .payload_size = sizeof t2};
    if (FAILED(link_reply(message, &reply)))
        error_clear(); /* the recipient is gone; its end takes the count back */
}

void handoff_peer_closed(struct peer *peer)
{
    struct node *node = peer->node;
    struct taken taken;
    os_mutex_lock(&node->lock);
    take_locked(node, peer, os_now_ns(), &taken);
    os_mutex_unlock(&node->lock);
    end_taken(node, &taken);
}

void handoff_stop(struct node *node)
{
    struct taken taken;
    os_mutex_lock(&node->lock);
    struct link_timer *timer = node->handoff_timer;
    node->handoff_timer = NULL;
    node->handoff_timer_runs = true; /* no other is started */
    take_locked(node, NULL, OS_NEVER, &taken);
    os_mutex_unlock(&node->lock);
    if (timer != NULL)
        link_timer_cancel(timer);
    end_taken(node, &taken);
}

/* --- the recipient, where it is the owner --- */

HRESULT handoff_accept_own(struct node *node, uint64_t id, const struct reference_third *third,
                           struct exported **exported)
{
    struct provide *provide = take_fitting(node, &third->t1, id, NULL);
    if (provide == NULL)
        return error_get()->code;
    *exported = export_ref(provide->exported);
    free_provide(provide);
    return S_OK;
}
