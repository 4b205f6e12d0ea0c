/*
 * Locks: the gate's, which the process has one of since contexts belong to no node, then a
 * context's. Entering and leaving a context that nobody queues for takes the context's only.
 * Whoever adds to a queue or takes from it has both, so that a call that is found under the gate's
 * lock stays queued until that is given up.
 */
#include "com/remote/gate.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/apartment.h"
#include "com/remote/crosswait.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/util/error.h"

struct context {
    atomic_uint refs;
    struct apartment *apartment; /* read-only; or NULL */
    struct os_mutex lock;
    struct list queue;    /* lock: items that wait, in order of arrival */
    struct list inside;   /* lock: items that are in, the innermost last; empty: free */
    struct link_id chain; /* lock: theirs */
    uint64_t turn;        /* lock: counts who enters and leaves */
};

static struct {
    struct os_mutex lock;
    struct list parts[GATE_N_PARTS]; /* lock: awaited items that are queued, by hash; no `next`:
                                        empty, and never used */
} the_gate = {.lock = OS_MUTEX_INITIALIZER};

static _Thread_local struct context *the_running;

struct context *context_new(void)
{
    struct context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    atomic_init(&context->refs, 1);
    os_mutex_init(&context->lock);
    list_init(&context->queue);
    list_init(&context->inside);
    context->turn = 1;
    return context;
}

struct context *context_new_in(struct apartment *apartment)
{
    struct context *context = context_new();
    if (context != NULL)
        context->apartment = apartment;
    return context;
}

bool context_has_apartment(const struct context *context)
{
    return context != NULL && context->apartment != NULL;
}

bool context_is_elsewhere(const struct context *context)
{
    return context_has_apartment(context) && !apartment_is_current(context->apartment);
}

struct context *context_ref(struct context *context)
{
    if (context != NULL)
        atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
    return context;
}

void context_unref(struct context *context)
{
    if (context == NULL)
        return;
    if (atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel) != 1)
        return;
    os_mutex_deinit(&context->lock);
    if (context->apartment != NULL)
        apartment_context_freed(context->apartment);
    free(context);
}

bool context_is_unused(const struct context *context)
{
    return atomic_load(&((struct context *)context)->refs) == 1;
}

bool context_is_over(const struct context *context)
{
    return context_has_apartment(context) && apartment_is_over(context->apartment);
}

static bool chain_equal(const struct link_id *a, const struct link_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct list *part_of(const struct gate_call *call)
{
    uint32_t chain;
    memcpy(&chain, call->chain.bytes, sizeof chain);
    struct list *part = &the_gate.parts[(chain ^ call->call_id) % GATE_N_PARTS];
    if (!list_is_linked(part))
        list_init(part);
    return part;
}

/* --- in and out --- */

static void enter_locked(struct context *context, struct gate_item *item)
{
    context->chain = item->call.chain;
    list_append(&context->inside, &item->link);
    context->turn++;
}

static bool try_enter_locked(struct context *context, struct gate_item *item)
{
    bool may = list_is_empty(&context->inside) ? list_is_empty(&context->queue)
                                               : chain_equal(&context->chain, &item->call.chain);
    may = may || (context->apartment != NULL && apartment_is_adopted(context->apartment));
    if (may)
        enter_locked(context, item);
    return may;
}

bool gate_enter(struct gate_item *item)
{
    struct context *context = item->context;
    if (context == NULL)
        return true;
    /* Nor on its own thread: the call that it reads for need not be of the chain. */
    if (context->apartment != NULL)
        return false;
    os_mutex_lock(&context->lock);
    bool entered = try_enter_locked(context, item);
    os_mutex_unlock(&context->lock);
    return entered;
}

static void run_item(void *argument)
{
    struct gate_item *item = argument;
    item->run(item);
}

static void submit(struct gate_item *item)
{
    struct context *context = item->context;
    if (!context_has_apartment(context)) {
        node_submit(item->node, &item->job, run_item, item);
        return;
    }
    struct node *node = item->node; /* from here on the item may have run */
    item->job = (struct link_job){.run = run_item, .argument = item};
    if (!apartment_submit(context->apartment, &item->job))
        node_submit(node, &item->job, run_item, item); /* it finds the apartment over */
}

/* False: it may go in after all. */
static bool queue(struct gate_item *item)
{
    struct context *context = item->context;
    struct node *node = item->node;
    bool is_awaited = item->is_awaited;
    item->waiting = (struct list){0};
    item->wait = (struct link_id){0};
    item->turn = 0;
    os_mutex_lock(&the_gate.lock);
    os_mutex_lock(&context->lock);
    bool entered = try_enter_locked(context, item);
    if (!entered) {
        list_append(&context->queue, &item->link);
        if (is_awaited) {
            list_append(part_of(&item->call), &item->waiting);
            item->interval_ns = CROSSWAIT_FIRST_NS;
            item->due_ns = os_now_ns() + item->interval_ns;
        }
    }
    os_mutex_unlock(&context->lock);
    os_mutex_unlock(&the_gate.lock);
    /* From here on the item may have run. */
    if (!entered && is_awaited)
        crosswait_watch(node);
    return !entered;
}

void gate_pass(struct gate_item *item)
{
    if (gate_enter(item) || !queue(item))
        submit(item);
}

void gate_pass_by(struct gate_item *item)
{
    submit(item);
}

static void let_in_next(struct context *context)
{
    struct gate_item *next = NULL;
    os_mutex_lock(&the_gate.lock);
    os_mutex_lock(&context->lock);
    /* Since the last one left, the queue may have been refused, and somebody have come in. */
    struct list *link = list_is_empty(&context->inside) ? list_pop(&context->queue) : NULL;
    if (link != NULL) {
        next = list_entry(link, struct gate_item, link);
        list_remove(&next->waiting);
        enter_locked(context, next);
    }
    os_mutex_unlock(&context->lock);
    os_mutex_unlock(&the_gate.lock);
    if (next != NULL)
        submit(next);
}

void context_leave(struct context *context, struct gate_item *item)
{
    os_mutex_lock(&context->lock);
    list_remove(&item->link);
    context->turn++;
    bool is_wanted = list_is_empty(&context->inside) && !list_is_empty(&context->queue);
    os_mutex_unlock(&context->lock);
    if (is_wanted) /* and as long as it is, nobody but who is queued comes in */
        let_in_next(context);
}

struct context *context_running(void)
{
    return the_running;
}

struct context *context_set_running(struct context *context)
{
    struct context *previous = the_running;
    the_running = context;
    return previous;
}

/* --- who waits for whom --- */

static void copy_call(struct gate_call *to, const struct gate_call *call)
{
    *to = *call;
    if (to->peer != NULL)
        peer_ref(to->peer);
}

void gate_wait_deinit(struct gate_wait *wait)
{
    peer_unref(wait->queued.peer);
    peer_unref(wait->inside.peer);
}

/* False: the item is about to be let in, or there is no randomness left for a name. */
static bool look_locked(struct gate_item *item, struct gate_wait *wait)
{
    struct context *context = item->context;
    bool waits = false;
    os_mutex_lock(&context->lock);
    if (item->turn != context->turn) {
        item->turn = 0;
        if (SUCCEEDED(os_random(&item->wait, sizeof item->wait)))
            item->turn = context->turn;
        else
            error_clear();
    }
    if (item->turn != 0 && !list_is_empty(&context->inside)) {
        waits = true;
        wait->name = item->wait;
        copy_call(&wait->queued, &item->call);
        copy_call(&wait->inside,
                  &list_entry(context->inside.previous, struct gate_item, link)->call);
    }
    os_mutex_unlock(&context->lock);
    return waits;
}

static struct gate_item *find_locked(const struct gate_call *call)
{
    struct list *part = part_of(call);
    for (struct list *l = part->next; l != part; l = l->next) {
        struct gate_item *item = list_entry(l, struct gate_item, waiting);
        if (item->call.peer == call->peer && item->call.call_id == call->call_id &&
            chain_equal(&item->call.chain, &call->chain))
            return item;
    }
    return NULL;
}

bool gate_find(const struct gate_call *call, struct gate_wait *wait)
{
    os_mutex_lock(&the_gate.lock);
    struct gate_item *item = find_locked(call);
    bool found = item != NULL && look_locked(item, wait);
    os_mutex_unlock(&the_gate.lock);
    return found;
}

size_t gate_take_due(struct node *node, unsigned part_index, uint64_t now_ns,
                     struct gate_wait *waits, size_t max, bool *more)
{
    size_t n = 0;
    os_mutex_lock(&the_gate.lock);
    struct list *part = &the_gate.parts[part_index];
    for (struct list *l = part->next; l != NULL && l != part && n < max; l = l->next) {
        struct gate_item *item = list_entry(l, struct gate_item, waiting);
        if (item->node != node)
            continue;
        *more = true;
        if (item->due_ns > now_ns)
            continue;
        item->due_ns = now_ns + item->interval_ns;
        if (item->interval_ns < CROSSWAIT_LONGEST_NS)
            item->interval_ns *= 2;
        n += look_locked(item, &waits[n]);
    }
    os_mutex_unlock(&the_gate.lock);
    return n;
}

bool gate_refuse(const struct gate_call *call, const struct link_id *name, struct error_record *why)
{
    bool refused = false;
    os_mutex_lock(&the_gate.lock);
    struct gate_item *item = find_locked(call);
    if (item != NULL && chain_equal(&item->wait, name)) {
        struct context *context = item->context;
        os_mutex_lock(&context->lock);
        refused = item->turn == context->turn;
        if (refused) {
            list_remove(&item->link);
            list_remove(&item->waiting);
            item->context = NULL;
            item->refusal = why;
        }
        os_mutex_unlock(&context->lock);
    }
    os_mutex_unlock(&the_gate.lock);
    if (refused)
        submit(item);
    return refused;
}
