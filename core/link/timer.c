/*
 * Timers: a list by time, looked at by the node's tick. A timer's memory goes when it has been
 * cancelled and does not run, whichever comes last.
 */
#include "core/link/timer.h"

#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/worker.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <stdlib.h>

enum timer_state { TIMER_WAITS, TIMER_QUEUED, TIMER_RUNS, TIMER_DONE };

struct link_timer {
    struct list link; /* node->timers; node->lock */
    struct link_job job;
    struct link_node *node;
    uint64_t when_ns;
    void (*run)(void *argument);
    void *argument;
    enum timer_state state; /* node->lock */
    bool cancelled;         /* node->lock: whoever ends it frees it */
};

static void insert_locked(struct link_node *node, struct link_timer *timer)
{
    struct list *after = node->timers.previous;
    while (after != &node->timers &&
           list_entry(after, struct link_timer, link)->when_ns > timer->when_ns)
        after = after->previous;
    list_prepend(after, &timer->link);
}

HRESULT link_node_timer(struct link_node *node, uint64_t when_ns, void (*run)(void *argument),
                        void *argument, struct link_timer **timer)
{
    struct link_timer *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a timer");
    self->node = node;
    self->when_ns = when_ns;
    self->run = run;
    self->argument = argument;
    HRESULT hr = reactor_join(node);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    *timer = self; /* before it can run */
    os_mutex_lock(&node->lock);
    insert_locked(node, self);
    bool is_first = node->timers.next == &self->link;
    os_mutex_unlock(&node->lock);
    if (is_first)
        reactor_wake(node);
    return S_OK;
}

static void run_timer(void *argument)
{
    struct link_timer *timer = argument;
    struct link_node *node = timer->node;
    os_mutex_lock(&node->lock);
    bool runs = !timer->cancelled;
    timer->state = runs ? TIMER_RUNS : TIMER_DONE;
    os_mutex_unlock(&node->lock);
    if (runs)
        timer->run(timer->argument);
    os_mutex_lock(&node->lock);
    timer->state = TIMER_DONE;
    bool frees = timer->cancelled;
    os_mutex_unlock(&node->lock);
    if (frees)
        free(timer);
}

bool link_timer_cancel(struct link_timer *timer)
{
    if (timer == NULL)
        return false;
    struct link_node *node = timer->node;
    os_mutex_lock(&node->lock);
    enum timer_state state = timer->state;
    timer->cancelled = true;
    if (state == TIMER_WAITS)
        list_remove(&timer->link);
    os_mutex_unlock(&node->lock);
    if (state == TIMER_WAITS || state == TIMER_DONE)
        free(timer);
    return state == TIMER_WAITS || state == TIMER_QUEUED;
}

uint64_t timer_take_due_locked(struct link_node *node, uint64_t now_ns, struct list *due)
{
    while (!list_is_empty(&node->timers)) {
        struct link_timer *timer = list_entry(node->timers.next, struct link_timer, link);
        if (timer->when_ns > now_ns)
            return timer->when_ns;
        list_remove(&timer->link);
        timer->state = TIMER_QUEUED;
        timer->job.run = run_timer;
        timer->job.argument = timer;
        list_append(due, &timer->job.link);
    }
    return OS_NEVER;
}
