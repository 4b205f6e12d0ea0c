#include "com/remote/gate.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/node.h"

struct context {
    atomic_uint refs;
    struct os_mutex lock;
    struct gate_item *first; /* lock; waiting */
    struct gate_item **last; /* lock */
    struct link_id chain;    /* lock; whose calls are inside */
    unsigned depth;          /* lock; how many; 0: free */
};

static _Thread_local struct context *the_running;

struct context *context_new(void)
{
    struct context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    atomic_init(&context->refs, 1);
    os_mutex_init(&context->lock);
    context->last = &context->first;
    return context;
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
    free(context);
}

bool chain_equal(const struct link_id *a, const struct link_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool enter_locked(struct context *context, const struct link_id *chain)
{
    if (context->depth > 0 && !chain_equal(&context->chain, chain))
        return false;
    if (context->depth == 0 && context->first != NULL)
        return false;
    context->chain = *chain;
    context->depth++;
    return true;
}

bool context_try_enter(struct context *context, const struct link_id *chain)
{
    os_mutex_lock(&context->lock);
    bool entered = enter_locked(context, chain);
    os_mutex_unlock(&context->lock);
    return entered;
}

static void run_item(void *argument)
{
    struct gate_item *item = argument;
    item->run(item);
}

void gate_pass(struct gate_item *item)
{
    struct context *context = item->context;
    if (context != NULL) {
        os_mutex_lock(&context->lock);
        bool entered = enter_locked(context, &item->chain);
        if (!entered) {
            item->next = NULL;
            *context->last = item;
            context->last = &item->next;
        }
        os_mutex_unlock(&context->lock);
        if (!entered)
            return;
    }
    node_submit(item->node, run_item, item);
}

void context_leave(struct context *context)
{
    os_mutex_lock(&context->lock);
    struct gate_item *next = NULL;
    if (--context->depth == 0 && context->first != NULL) {
        next = context->first;
        context->first = next->next;
        if (context->first == NULL)
            context->last = &context->first;
        context->chain = next->chain;
        context->depth = 1;
    }
    os_mutex_unlock(&context->lock);
    if (next != NULL)
        node_submit(next->node, run_item, next);
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
