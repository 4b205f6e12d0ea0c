#include "com/remote/watch.h"

#include <stdlib.h>

#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "core/util/error.h"

/* In node->watches under the node's lock; once taken out, owned by whoever calls it. */
struct watch {
    struct watch *next;
    struct link_job job; /* when it has fired */
    uint64_t cookie;
    const struct import *import; /* compared only */
    struct peer *peer;           /* compared only */
    void (*died)(void *context, const char *reason);
    void *context;
    char reason[ERROR_TEXT_SIZE];
};

static void run_watch(void *argument)
{
    struct watch *watch = argument;
    watch->died(watch->context, watch->reason);
    free(watch);
}

static void write_reason(struct watch *watch, struct import *import, struct peer *peer)
{
    HRESULT hr = RPC_E_DISCONNECTED;
    if (peer != NULL)
        hr = peer_disconnected(peer);
    else
        error_give(error_record_copy(import->cause));
    error_format(error_get(), hr, watch->reason, sizeof watch->reason);
    error_clear();
}

HRESULT watch_add(struct import *import, void (*died)(void *context, const char *reason),
                  void *context, uint64_t *cookie)
{
    struct node *node = import->node;
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a death watch");
    watch->import = import;
    watch->peer = import->peer;
    watch->died = died;
    watch->context = context;
    HRESULT hr = link_node_need_reactor(node->link);
    if (FAILED(hr)) {
        free(watch);
        return hr;
    }
    os_mutex_lock(&node->lock);
    watch->cookie = ++node->next_watch;
    *cookie = watch->cookie;
    bool alive = import->listed; /* leaves the table under this lock when its peer dies */
    if (alive) {
        watch->next = node->watches;
        node->watches = watch;
    }
    os_mutex_unlock(&node->lock);
    if (!alive) {
        write_reason(watch, import, import->peer);
        node_submit(node, &watch->job, run_watch, watch);
    }
    return S_OK;
}

HRESULT watch_remove(struct node *node, uint64_t cookie)
{
    struct watch *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct watch **slot = &node->watches; *slot != NULL; slot = &(*slot)->next) {
        if ((*slot)->cookie != cookie)
            continue;
        found = *slot;
        *slot = found->next;
        break;
    }
    os_mutex_unlock(&node->lock);
    free(found);
    return found != NULL ? S_OK : S_FALSE;
}

void watch_forget_locked(struct node *node, const struct import *import)
{
    struct watch **slot = &node->watches;
    while (*slot != NULL) {
        struct watch *watch = *slot;
        if (watch->import != import) {
            slot = &watch->next;
            continue;
        }
        *slot = watch->next;
        free(watch);
    }
}

void watch_fire(struct peer *peer)
{
    struct node *node = peer->node;
    struct watch *fired = NULL;
    os_mutex_lock(&node->lock);
    struct watch **slot = &node->watches;
    while (*slot != NULL) {
        struct watch *watch = *slot;
        if (watch->peer != peer) {
            slot = &watch->next;
            continue;
        }
        *slot = watch->next;
        watch->next = fired;
        fired = watch;
    }
    os_mutex_unlock(&node->lock);
    while (fired != NULL) {
        struct watch *next = fired->next;
        write_reason(fired, NULL, peer);
        node_submit(node, &fired->job, run_watch, fired);
        fired = next;
    }
}
