#include "com/remote/watch.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "core/util/error.h"

/* Once it has been taken out, owned by whoever did. */
struct watch {
    struct table_link link;        /* node->watches, by import; node->lock */
    struct table_link cookie_link; /* node->watch_cookies; node->lock */
    struct watch *next;            /* among those that have been taken out */
    struct import *import; /* read-only; not counted: it takes the watch out before it ends */
    struct link_job job;   /* when it has fired */
    uint64_t cookie;       /* read-only once it is in the table */
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

static void write_reason(const struct import *import, struct peer *peer,
                         char reason[ERROR_TEXT_SIZE])
{
    HRESULT hr = RPC_E_DISCONNECTED;
    if (peer != NULL)
        hr = peer_disconnected(peer);
    else
        error_give(error_record_copy(import->cause));
    error_format(error_get(), hr, reason, ERROR_TEXT_SIZE);
    error_clear();
}

static uint64_t import_hash(const struct import *import)
{
    return table_hash_u64((uint64_t)(uintptr_t)import);
}

/* S_FALSE: the import is dead, and nothing was done; it is alive as long as it is listed. */
static HRESULT insert_locked(struct node *node, struct watch *watch)
{
    watch->cookie = ++node->next_watch;
    if (!watch->import->listed)
        return S_FALSE;
    if (!table_insert(&node->watches, &watch->link, import_hash(watch->import)))
        return E_OUTOFMEMORY;
    if (table_insert(&node->watch_cookies, &watch->cookie_link, table_hash_u64(watch->cookie)))
        return S_OK;
    table_remove(&node->watches, &watch->link);
    return E_OUTOFMEMORY;
}

static void take_out_locked(struct node *node, struct watch *watch)
{
    table_remove(&node->watches, &watch->link);
    table_remove(&node->watch_cookies, &watch->cookie_link);
}

HRESULT watch_add(struct import *import, void (*died)(void *context, const char *reason),
                  void *context, uint64_t *cookie)
{
    struct node *node = import->node;
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a death watch");
    watch->import = import;
    watch->died = died;
    watch->context = context;
    HRESULT hr = link_node_need_reactor(node->link);
    if (FAILED(hr)) {
        free(watch);
        return hr;
    }
    os_mutex_lock(&node->lock);
    hr = insert_locked(node, watch);
    *cookie = watch->cookie; /* under the lock: it may fire as soon as that is free */
    os_mutex_unlock(&node->lock);
    if (FAILED(hr)) {
        free(watch);
        return error_set(hr, "no memory for a death watch");
    }
    if (hr == S_FALSE) {
        write_reason(import, import->peer, watch->reason);
        node_submit(node, &watch->job, run_watch, watch);
    }
    return S_OK;
}

HRESULT watch_remove(struct node *node, uint64_t cookie)
{
    struct watch *found = NULL;
    os_mutex_lock(&node->lock);
    struct table_link *link = table_find(&node->watch_cookies, table_hash_u64(cookie));
    while (link != NULL && TABLE_ENTRY(link, struct watch, cookie_link)->cookie != cookie)
        link = table_again(link);
    if (link != NULL) {
        found = TABLE_ENTRY(link, struct watch, cookie_link);
        take_out_locked(node, found);
    }
    os_mutex_unlock(&node->lock);
    free(found);
    return found != NULL ? S_OK : S_FALSE;
}

void watch_take_locked(struct import *import, struct watch **taken)
{
    struct node *node = import->node;
    if (node->watches.n_links == 0)
        return;
    struct table_link *link = table_find(&node->watches, import_hash(import));
    while (link != NULL) {
        struct watch *watch = TABLE_ENTRY(link, struct watch, link);
        link = table_again(link);
        if (watch->import != import)
            continue;
        take_out_locked(node, watch);
        watch->next = *taken;
        *taken = watch;
    }
}

void watch_forget_locked(struct import *import)
{
    struct watch *forgotten = NULL;
    watch_take_locked(import, &forgotten);
    while (forgotten != NULL) {
        struct watch *next = forgotten->next;
        free(forgotten);
        forgotten = next;
    }
}

void watch_fire(struct peer *peer, struct watch *fired)
{
    char reason[ERROR_TEXT_SIZE];
    if (fired == NULL)
        return;
    write_reason(NULL, peer, reason); /* once for all: finding out may take most of a second */
    while (fired != NULL) {
        struct watch *next = fired->next;
        memcpy(fired->reason, reason, sizeof reason);
        node_submit(peer->node, &fired->job, run_watch, fired);
        fired = next;
    }
}
