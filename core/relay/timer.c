/*
 * Times of a set: one thread that sleeps until something is due and then posts a tick to the
 * reactor, where everything is looked at. A tick says when the next one is needed; while nothing
 * has a time the thread sleeps for good, or is not even there.
 */
#include "core/relay/relay_parts.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* Before a post is tried again that there was no memory for. */
#define POST_AGAIN_MS 50u

void timer_init(struct relay_timer *timer)
{
    os_mutex_init(&timer->lock);
    os_waiter_init(&timer->waiter);
    timer->due_ns = OS_NEVER;
}

static void tick(void *argument)
{
    struct relay_set *set = argument;
    struct relay_timer *timer = &set->timer;
    uint64_t now_ns = os_now_ns();
    uint64_t due_ns = OS_NEVER;
    os_mutex_lock(&set->lock);
    for (struct list *l = set->relays.next; l != &set->relays; l = l->next) {
        uint64_t due = relay_tick(list_entry(l, struct relay, link), now_ns);
        due_ns = due < due_ns ? due : due_ns;
    }
    os_mutex_unlock(&set->lock);
    error_clear();
    os_mutex_lock(&timer->lock);
    timer->is_posted = false;
    if (due_ns < timer->due_ns)
        timer->due_ns = due_ns;
    os_waiter_wake(&timer->waiter);
    os_mutex_unlock(&timer->lock);
}

static void timer_main(void *argument)
{
    struct relay_set *set = argument;
    struct relay_timer *timer = &set->timer;
    os_mutex_lock(&timer->lock);
    while (!timer->is_over || timer->is_posted) {
        bool is_due = !timer->is_posted && timer->due_ns <= os_now_ns();
        uint64_t until_ns = timer->is_posted ? OS_NEVER : timer->due_ns;
        if (is_due) {
            timer->is_posted = true;
            timer->due_ns = OS_NEVER;
        }
        os_mutex_unlock(&timer->lock);
        if (!is_due)
            os_waiter_wait(&timer->waiter, until_ns);
        else
            while (FAILED(os_poller_post(set->poller, tick, set)))
                os_sleep_ms(POST_AGAIN_MS);
        error_clear();
        os_mutex_lock(&timer->lock);
    }
    os_mutex_unlock(&timer->lock);
}

void timer_need(struct relay_set *set, uint64_t due_ns)
{
    struct relay_timer *timer = &set->timer;
    if (due_ns == OS_NEVER)
        return;
    os_mutex_lock(&timer->lock);
    if (due_ns < timer->due_ns) {
        timer->due_ns = due_ns;
        os_waiter_wake(&timer->waiter);
    }
    if (timer->thread == NULL && !timer->is_over &&
        FAILED(os_thread_start(timer_main, set, "via-relay", &timer->thread))) {
        timer->thread = NULL;
        log_warning("relay", "no thread for times: clients that wait for a target, or are idle, "
                             "stay connected until another one comes");
    }
    os_mutex_unlock(&timer->lock);
}

void timer_stop(struct relay_set *set)
{
    struct relay_timer *timer = &set->timer;
    os_mutex_lock(&timer->lock);
    timer->is_over = true;
    struct os_thread *thread = timer->thread;
    os_waiter_wake(&timer->waiter);
    os_mutex_unlock(&timer->lock);
    if (thread != NULL)
        os_thread_join(thread);
    os_waiter_deinit(&timer->waiter);
    os_mutex_deinit(&timer->lock);
}
