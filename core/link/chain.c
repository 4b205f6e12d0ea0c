#include "core/link/call.h"
#include "core/link/message.h"
#include "core/link/node.h"

#include <string.h>

static struct chain_bucket *bucket_of(struct link_node *node, const struct link_id *chain)
{
    uint32_t hash;
    memcpy(&hash, chain->bytes, sizeof hash);
    return &node->chains[hash % NODE_CHAIN_BUCKETS];
}

void chain_add(struct link_node *node, struct call *call)
{
    struct chain_bucket *bucket = bucket_of(node, &call->chain);
    os_mutex_lock(&bucket->lock);
    list_append(&bucket->calls, &call->chain_link);
    os_mutex_unlock(&bucket->lock);
}

static void run_job(void *argument)
{
    link_message_run(&((struct incoming *)argument)->message);
}

void chain_submit(struct link_node *node, struct incoming *incoming)
{
    incoming->job.run = run_job;
    incoming->job.argument = incoming;
    if (!worker_submit(node, &incoming->job))
        run_job(incoming); /* the node has stopped: it finds its connection closed */
}

void chain_remove(struct link_node *node, struct call *call)
{
    struct chain_bucket *bucket = bucket_of(node, &call->chain);
    os_mutex_lock(&bucket->lock);
    list_remove(&call->chain_link);
    os_mutex_unlock(&bucket->lock);
    /* Nobody adds any more. */
    struct list *link;
    while ((link = list_pop(&call->incoming)) != NULL)
        chain_submit(node, list_entry(link, struct incoming, link));
}

bool chain_try_remove(struct link_node *node, struct call *call)
{
    struct chain_bucket *bucket = bucket_of(node, &call->chain);
    os_mutex_lock(&bucket->lock);
    bool is_idle = list_is_empty(&call->incoming);
    if (is_idle)
        list_remove(&call->chain_link);
    os_mutex_unlock(&bucket->lock);
    return is_idle;
}

static struct call *innermost_locked(struct chain_bucket *bucket, const struct link_id *chain)
{
    for (struct list *l = bucket->calls.previous; l != &bucket->calls; l = l->previous) {
        struct call *call = list_entry(l, struct call, chain_link);
        if (memcmp(&call->chain, chain, sizeof *chain) == 0)
            return call;
    }
    return NULL;
}

bool chain_deliver(struct link_node *node, struct incoming *incoming)
{
    struct chain_bucket *bucket = bucket_of(node, &incoming->chain);
    os_mutex_lock(&bucket->lock);
    struct call *call = innermost_locked(bucket, &incoming->chain);
    if (call != NULL) {
        list_append(&call->incoming, &incoming->link);
        atomic_store(&call->has_incoming, true);
        call_wake(call);
    }
    os_mutex_unlock(&bucket->lock);
    return call != NULL;
}

/* The call that whoever runs call `call_id` of `connection` waits in. */
static struct call *nested_locked(struct chain_bucket *bucket, const struct link_id *chain,
                                  const struct link_connection *connection, uint64_t call_id)
{
    for (struct list *l = bucket->calls.previous; l != &bucket->calls; l = l->previous) {
        struct call *call = list_entry(l, struct call, chain_link);
        /* What it serves is on the stack of the thread that waits in it. */
        if (call->serves != NULL && call->serves->current.connection == connection &&
            call->serves->current.call_id == call_id &&
            memcmp(&call->chain, chain, sizeof *chain) == 0)
            return call;
    }
    return NULL;
}

bool link_chain_follow(struct link_node *node, const struct link_id *chain,
                       const struct link_connection *connection, uint64_t call_id,
                       void (*visit)(void *argument, struct link_connection *connection,
                                     uint64_t call_id),
                       void *argument)
{
    struct chain_bucket *bucket = bucket_of(node, chain);
    struct link_connection *found = NULL;
    uint64_t waits_in = 0;
    os_mutex_lock(&bucket->lock);
    struct call *call = nested_locked(bucket, chain, connection, call_id);
    if (call != NULL) {
        found = link_connection_ref(call->connection);
        waits_in = call->id;
    }
    os_mutex_unlock(&bucket->lock);
    bool visits = found != NULL && connection_use(found);
    if (visits) {
        visit(argument, found, waits_in);
        connection_drop(found);
    }
    link_connection_unref(found);
    return visits;
}

bool chain_is_waited_for(struct link_node *node, const struct link_id *chain)
{
    struct chain_bucket *bucket = bucket_of(node, chain);
    os_mutex_lock(&bucket->lock);
    bool found = innermost_locked(bucket, chain) != NULL;
    os_mutex_unlock(&bucket->lock);
    return found;
}

struct incoming *chain_take(struct link_node *node, struct call *call)
{
    struct chain_bucket *bucket = bucket_of(node, &call->chain);
    os_mutex_lock(&bucket->lock);
    struct list *link = list_pop(&call->incoming);
    if (list_is_empty(&call->incoming))
        atomic_store(&call->has_incoming, false);
    os_mutex_unlock(&bucket->lock);
    return link != NULL ? list_entry(link, struct incoming, link) : NULL;
}
