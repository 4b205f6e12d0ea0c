#include "core/link/reactor.h"

#include "core/link/current.h"
#include "core/link/node.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <stdlib.h>

/* Between two looks of a reactor that has been relieved. */
#define MIN_LOOK_NS 2000000u
#define MAX_LOOK_NS 4000000u
/* Looks that have seen no worker poll, before the reactor does so itself. */
#define MAX_MISSES 2u

struct reactor {
    struct list link;         /* reactors_lock */
    struct os_poller *poller; /* read-only */
    struct os_thread *thread; /* reactors_lock */
    unsigned n_nodes;         /* reactors_lock */
    atomic_bool over;
    atomic_bool is_polled;      /* who sets it is in the poller */
    _Atomic uint32_t n_reliefs; /* how often a worker was; written by that one */
    /* The reactor's thread is not in the poller, and looks at the ticks soon in any case: nobody
     * need wake it. Written by it. */
    atomic_bool is_relieved;
    struct os_waiter relieved; /* where it sleeps meanwhile */
    uint32_t seen_reliefs;     /* the reactor's thread's */
    uint32_t n_misses;         /* the reactor's thread's */
    struct os_mutex lock;      /* held while the nodes' ticks run; before node->lock */
    struct list nodes;         /* lock */
};

static struct os_mutex reactors_lock = OS_MUTEX_INITIALIZER;
static struct list reactors = {&reactors, &reactors};

static bool poll(struct reactor *reactor, uint64_t deadline_ns)
{
    if (atomic_exchange(&reactor->is_polled, true))
        return false;
    os_poller_run_once(reactor->poller, deadline_ns);
    atomic_store(&reactor->is_polled, false);
    return true;
}

/* Runs the ticks of all nodes; returns when the next one is due. */
static uint64_t tick(struct reactor *reactor, bool *is_crowded)
{
    uint64_t due_ns = OS_NEVER;
    uint64_t now_ns = os_now_ns();
    *is_crowded = false;
    os_mutex_lock(&reactor->lock);
    for (struct list *l = reactor->nodes.next; l != &reactor->nodes; l = l->next) {
        struct link_node *node = list_entry(l, struct link_node, reactor_link);
        uint64_t due = node_tick(node, now_ns);
        due_ns = due < due_ns ? due : due_ns;
        *is_crowded |= atomic_load(&node->is_crowded);
    }
    os_mutex_unlock(&reactor->lock);
    return due_ns;
}

/* No worker has polled for a while: all are busy, or sleep. */
static void look_at_crowds(struct reactor *reactor)
{
    os_mutex_lock(&reactor->lock);
    for (struct list *l = reactor->nodes.next; l != &reactor->nodes; l = l->next)
        worker_look_at_crowd(list_entry(l, struct link_node, reactor_link));
    os_mutex_unlock(&reactor->lock);
    poll(reactor, 0);
}

/* Whether workers do the polling. */
static bool has_relief(struct reactor *reactor, bool is_crowded)
{
    uint32_t n_reliefs = atomic_load(&reactor->n_reliefs);
    bool is_polled = atomic_load(&reactor->is_polled) || n_reliefs != reactor->seen_reliefs;
    reactor->seen_reliefs = n_reliefs;
    if (!is_crowded || is_polled)
        reactor->n_misses = 0;
    else if (++reactor->n_misses >= MAX_MISSES)
        look_at_crowds(reactor);
    return is_crowded || is_polled;
}

static void sleep_relieved(struct reactor *reactor, uint64_t due_ns)
{
    uint64_t now_ns = os_now_ns();
    uint64_t until_ns = due_ns;
    if (until_ns < now_ns + MIN_LOOK_NS)
        until_ns = now_ns + MIN_LOOK_NS;
    if (until_ns > now_ns + MAX_LOOK_NS)
        until_ns = now_ns + MAX_LOOK_NS;
    os_waiter_wait(&reactor->relieved, until_ns);
    error_clear();
}

static void reactor_main(void *argument)
{
    struct reactor *reactor = argument;
    while (!atomic_load(&reactor->over)) {
        bool is_crowded;
        uint64_t due_ns = tick(reactor, &is_crowded);
        bool is_relieved = has_relief(reactor, is_crowded);
        /* What it was not woken for is looked at before it goes to the poller. */
        if (atomic_exchange(&reactor->is_relieved, is_relieved) && !is_relieved)
            continue;
        if (is_relieved)
            sleep_relieved(reactor, due_ns);
        else
            poll(reactor, due_ns);
    }
    error_clear();
    thread_trim(thread_self());
}

bool reactor_relieve(struct link_node *node, uint64_t deadline_ns)
{
    struct reactor *reactor = atomic_load(&node->reactor);
    if (reactor == NULL || !poll(reactor, deadline_ns))
        return false;
    atomic_fetch_add(&reactor->n_reliefs, 1);
    return true;
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
    os_waiter_init(&reactor->relieved);
    list_init(&reactor->nodes);
    HRESULT hr = os_thread_start(reactor_main, reactor, "via-reactor", &reactor->thread);
    if (FAILED(hr)) {
        os_waiter_deinit(&reactor->relieved);
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
            os_waiter_wake(&reactor->relieved);
            os_thread_join(reactor->thread);
            /* What streams have posted before they were closed, and what has become of their
             * operations, however many: plugins wait for it when they end. */
            os_poller_drain(reactor->poller);
            os_waiter_deinit(&reactor->relieved);
            os_mutex_deinit(&reactor->lock);
            free(reactor);
        }
    }
    os_mutex_unlock(&reactors_lock);
}

void reactor_wake(struct link_node *node)
{
    struct reactor *reactor = atomic_load(&node->reactor);
    if (reactor != NULL && !atomic_load(&reactor->is_relieved))
        os_poller_wake(reactor->poller);
}

void reactor_interrupt(struct link_node *node)
{
    struct reactor *reactor = atomic_load(&node->reactor);
    if (reactor != NULL)
        os_poller_wake(reactor->poller);
}
