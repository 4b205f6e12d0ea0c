#include "core/link/reactor.h"

#include "core/link/current.h"
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <stdlib.h>

struct reactor {
    struct list link;         /* reactors_lock */
    struct os_poller *poller; /* read-only */
    struct os_thread *thread; /* reactors_lock */
    unsigned n_nodes;         /* reactors_lock */
    atomic_bool over;
    struct os_mutex lock; /* held while the nodes' ticks run; before node->lock */
    struct list nodes;    /* lock */
};

static struct os_mutex reactors_lock = OS_MUTEX_INITIALIZER;
static struct list reactors = {&reactors, &reactors};

static void reactor_main(void *argument)
{
    struct reactor *reactor = argument;
    uint64_t due_ns = OS_NEVER;
    while (!atomic_load(&reactor->over)) {
        os_poller_run_once(reactor->poller, due_ns);
        due_ns = OS_NEVER;
        uint64_t now_ns = os_now_ns();
        os_mutex_lock(&reactor->lock);
        for (struct list *l = reactor->nodes.next; l != &reactor->nodes; l = l->next) {
            uint64_t due = node_tick(list_entry(l, struct link_node, reactor_link), now_ns);
            due_ns = due < due_ns ? due : due_ns;
        }
        os_mutex_unlock(&reactor->lock);
    }
    error_clear();
    thread_trim(thread_self());
}

static struct reactor *find_locked(struct os_poller *poller)
{
    for (struct list *l = reactors.next; l != &reactors; l = l->next) {
        struct reactor *reactor = list_entry(l, struct reactor, link);
        if (reactor->poller == poller)
            return reactor;
    }
    return NULL;
}

static HRESULT start_locked(struct os_poller *poller, struct reactor **result)
{
    struct reactor *reactor = calloc(1, sizeof *reactor);
    if (reactor == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the reactor");
    reactor->poller = poller;
    os_mutex_init(&reactor->lock);
    list_init(&reactor->nodes);
    HRESULT hr = os_thread_start(reactor_main, reactor, "via-reactor", &reactor->thread);
    if (FAILED(hr)) {
        os_mutex_deinit(&reactor->lock);
        free(reactor);
        return hr;
    }
    list_append(&reactors, &reactor->link);
    *result = reactor;
    return S_OK;
}

HRESULT reactor_join(struct link_node *node)
{
    if (atomic_load_explicit(&node->reactor, memory_order_acquire) != NULL)
        return S_OK;
    HRESULT hr = S_OK;
    os_mutex_lock(&reactors_lock);
    if (atomic_load(&node->reactor) == NULL) {
        struct os_poller *poller = plugin_set_poller(node->plugins);
        struct reactor *reactor = find_locked(poller);
        if (reactor == NULL)
            hr = start_locked(poller, &reactor);
        if (SUCCEEDED(hr)) {
            reactor->n_nodes++;
            os_mutex_lock(&reactor->lock);
            list_append(&reactor->nodes, &node->reactor_link);
            os_mutex_unlock(&reactor->lock);
            atomic_store(&node->reactor, reactor);
            reactor_wake(node);
        }
    }
    os_mutex_unlock(&reactors_lock);
    return hr;
}

void reactor_leave(struct link_node *node)
{
    os_mutex_lock(&reactors_lock);
    struct reactor *reactor = atomic_load(&node->reactor);
    if (reactor != NULL) {
        os_mutex_lock(&reactor->lock);
        list_remove(&node->reactor_link);
        os_mutex_unlock(&reactor->lock);
        atomic_store(&node->reactor, NULL);
        if (--reactor->n_nodes == 0) {
            list_remove(&reactor->link);
            atomic_store(&reactor->over, true);
            os_poller_wake(reactor->poller);
            os_thread_join(reactor->thread);
            /* What streams have posted before they were closed; plugins wait for it when they end.
             */
            os_poller_run_once(reactor->poller, 0);
            os_poller_run_once(reactor->poller, 0);
            os_mutex_deinit(&reactor->lock);
            free(reactor);
        }
    }
    os_mutex_unlock(&reactors_lock);
}

void reactor_wake(struct link_node *node)
{
    struct reactor *reactor = atomic_load(&node->reactor);
    if (reactor != NULL)
        os_poller_wake(reactor->poller);
}
