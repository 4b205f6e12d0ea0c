/*
 * The pool. One lock (the node's) covers its queues; a worker takes first what has ended, then jobs
 * in the order in which they came. A connection that is readable is a job like a single call is:
 * with a queue of its own one of them would starve behind the other. A worker that serves a
 * connection keeps it for as long as frames come, and some time longer, asleep in the transport: a
 * hot connection costs no readiness call. When there is more to do than workers, those that only
 * wait are interrupted, and connections are put back after a turn.
 *
 * What a control frame leaves to be done, above all a last release, the worker that has read it
 * does itself, behind the frame: to wake another one costs more than most such jobs take. While it
 * does the reader right may be taken away, as from a method. It keeps one job and no more, so that
 * nothing waits behind one that blocks.
 *
 * A crowd. Where more connections are active than can be kept so, each of their calls would cost a
 * report to the reactor and a wake-up from there. How many others have had a turn since a
 * connection's last one tells; then workers keep no connections, and one that finds the queue empty
 * relieves the reactor of the poller, and serves what it finds there itself. Others help when there
 * is much of it, or when it takes long.
 */
#include "core/link/worker.h"

#include "core/link/connection.h"
#include "core/link/cork.h"
#include "core/link/current.h"
#include "core/link/node.h"
#include "core/link/reactor.h"
#include "core/link/reader.h"
#include "core/link/right.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdlib.h>

/* A turn, when others wait. */
#define TURN_FRAMES 64u
#define TURN_NS     1000000u
/* How long a worker waits for a connection's next frame before it parks it. Long enough for a
 * transport to wait in one plain receive. */
#define HOT_NS 80000000u
/* A crowd: so many others have had a turn between two of a connection, for each processor and at
 * least, often enough. */
#define CROWD_DISTANCE     4u
#define MIN_CROWD_DISTANCE 8u
#define CROWD_TURNS        64u
/* Nothing was ready for so long: it is none any more. */
#define CROWD_IDLE_NS 10000000u
/* What one worker does alone, in queued jobs, and for how long it may do one. */
#define CROWD_SHARE   16u
#define CROWD_SLOW_NS 200000u
/* Sleeping workers do not count, but there is an end. */
#define MAX_THREADS_FACTOR 8u

struct worker {
    struct list link;      /* node->workers */
    struct list idle_link; /* node->idle, while it sleeps and nobody has woken it; node->lock */
    struct os_cond wake;   /* somebody has, or the workers stop */
    struct link_node *node;
    struct os_thread *thread;
    struct link_connection *_Atomic waiting; /* sleeps in its stream, for the next frame */
    bool leads;                              /* its own: it is in the poller */
};

static void worker_main(void *argument);
static void serve(void *argument);

/* Threads or memory are short: what is queued waits until the tick comes, and tries again. */
static void fail_to_start_locked(struct link_node *node, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    if (!node->lacks_worker)
        log_warning("link", "no worker can be started for what has arrived: %s",
                    error_format(error_get(), hr, text, sizeof text));
    node->lacks_worker = true;
    error_clear();
}

static void worker_free(struct worker *worker)
{
    if (worker != NULL)
        os_cond_deinit(&worker->wake);
    free(worker);
}

static bool start_worker_locked(struct link_node *node)
{
    struct worker *worker = calloc(1, sizeof *worker);
    HRESULT hr = E_OUTOFMEMORY;
    if (worker != NULL) {
        worker->node = node;
        os_cond_init(&worker->wake);
        hr = os_thread_start(worker_main, worker, "via-worker", &worker->thread);
    }
    if (FAILED(hr)) {
        fail_to_start_locked(node, hr);
        worker_free(worker);
        return false;
    }
    node->lacks_worker = false;
    list_append(&node->workers, &worker->link);
    node->n_workers++;
    return true;
}

static bool may_start_locked(const struct link_node *node)
{
    uint32_t waiting = atomic_load(&node->n_waiting);
    return node->n_workers < node->settings.max_workers + waiting &&
           node->n_workers < node->settings.max_workers * MAX_THREADS_FACTOR;
}

/* Somebody must look at the queues: of those that sleep, who has worked last. So what it needs is
 * still in the processor's caches, and those that are more than are needed come to their end. */
static void kick_locked(struct link_node *node)
{
    struct list *idle = list_pop(&node->idle);
    if (idle != NULL) {
        node->n_idle--;
        os_cond_signal(&list_entry(idle, struct worker, idle_link)->wake);
        return;
    }
    if (node->n_leading != 0) {
        reactor_interrupt(node);
        return;
    }
    if (may_start_locked(node) && start_worker_locked(node))
        return;
    for (struct list *l = node->workers.next; l != &node->workers; l = l->next) {
        struct worker *worker = list_entry(l, struct worker, link);
        struct link_connection *connection = atomic_exchange(&worker->waiting, NULL);
        if (connection == NULL)
            continue;
        /* Its stream is there: connection_finish takes the node's lock before it closes it. */
        connection_interrupt(connection);
        return;
    }
}

void worker_retry_locked(struct link_node *node, bool *waits)
{
    if (!node->lacks_worker)
        return;
    if (atomic_load(&node->n_ready) == 0)
        node->lacks_worker = false;
    else
        kick_locked(node);
    *waits |= node->lacks_worker;
}

static bool add_locked(struct link_node *node, struct list *queue, struct list *link)
{
    const struct worker *self = thread_self()->worker;
    bool leads = self != NULL && self->leads; /* it looks at the queue next */
    bool added = !node->workers_gone;
    if (added) {
        list_append(queue, link);
        atomic_fetch_add(&node->n_ready, 1);
        /* What ends while the node stops is finished by the thread that stops it. */
        if (queue == &node->ended)
            worker_wake_stopper_locked(node);
        if (!leads && (queue != &node->ended || !node->closing || node->n_workers != 0))
            kick_locked(node);
    }
    return added;
}

static bool add(struct link_node *node, struct list *queue, struct list *link)
{
    os_mutex_lock(&node->lock);
    bool added = add_locked(node, queue, link);
    bool lacks_worker = node->lacks_worker;
    os_mutex_unlock(&node->lock);
    if (lacks_worker)
        node_needs_tick(node);
    return added;
}

bool worker_submit(struct link_node *node, struct link_job *job)
{
    return add(node, &node->jobs, &job->link);
}

bool worker_keep_job(struct link_node *node, struct link_job *job)
{
    struct thread *self = thread_self();
    if (!self->keeps_job || self->kept_job != NULL || self->worker->node != node)
        return false;
    self->kept_job = job;
    return true;
}

void worker_serve_soon(struct link_connection *connection)
{
    connection->serving.run = serve;
    connection->serving.argument = connection;
    worker_submit(connection->node, &connection->serving);
}

void worker_finish_soon(struct link_connection *connection)
{
    add(connection->node, &connection->node->ended, &connection->ended_link);
}

bool worker_are_saturated(struct link_node *node)
{
    if (thread_self()->worker != NULL)
        return false; /* it is in the poller, and works next */
    os_mutex_lock(&node->lock);
    bool saturated = node->n_idle == 0 && !may_start_locked(node);
    os_mutex_unlock(&node->lock);
    return saturated;
}

void worker_sleeps(struct link_node *node, bool sleeps)
{
    if (thread_self()->worker == NULL)
        return;
    if (!sleeps) {
        atomic_fetch_sub(&node->n_waiting, 1);
        return;
    }
    atomic_fetch_add(&node->n_waiting, 1);
    if (atomic_load(&node->n_ready) == 0)
        return;
    os_mutex_lock(&node->lock);
    if (atomic_load(&node->n_ready) != 0)
        kick_locked(node);
    os_mutex_unlock(&node->lock);
}

/* --- a crowd --- */

/* Whether many connections take turns. Turns are counted by several threads at once, so that one
 * may be lost: it is no more than a tendency. */
static void judge_crowd(struct link_connection *connection)
{
    struct link_node *node = connection->node;
    uint32_t now = atomic_load_explicit(&node->n_taken, memory_order_relaxed);
    uint32_t distance = now - connection->taken_at;
    bool is_first = connection->taken_at == 0;
    connection->taken_at = now;
    if (is_first)
        return;
    uint32_t few = node->n_processors * CROWD_DISTANCE;
    few = few < MIN_CROWD_DISTANCE ? MIN_CROWD_DISTANCE : few;
    few = few > node->settings.max_workers ? node->settings.max_workers : few;
    uint32_t crowding = atomic_load_explicit(&node->crowding, memory_order_relaxed);
    if (distance > few && crowding < CROWD_TURNS)
        crowding++;
    else if (distance <= few && crowding > 0)
        crowding--;
    atomic_store_explicit(&node->crowding, crowding, memory_order_relaxed);
    bool is_crowded = atomic_load_explicit(&node->is_crowded, memory_order_relaxed);
    if (crowding == (is_crowded ? 0 : CROWD_TURNS))
        atomic_store(&node->is_crowded, !is_crowded);
}

void worker_look_at_crowd(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    uint32_t n_taken = atomic_load(&node->n_taken);
    uint32_t n_ready = atomic_load(&node->n_ready);
    bool is_stuck = n_taken == node->seen_taken;
    node->seen_taken = n_taken;
    node->n_helpers = is_stuck ? 2 * node->n_helpers + 1 : 0;
    for (uint32_t n = 0; n < node->n_helpers && n < n_ready; n++)
        kick_locked(node);
    if (is_stuck && n_ready == 0)
        atomic_store(&node->is_crowded, false);
    os_mutex_unlock(&node->lock);
}

/* Others help when there is more than one should do alone, as far as there are processors; one is
 * left to the clients, which are on the same machine. */
static void share_locked(struct link_node *node)
{
    uint32_t asleep = node->n_idle + atomic_load(&node->n_waiting);
    uint32_t n_running = node->n_workers > asleep ? node->n_workers - asleep : 0;
    if (atomic_load(&node->n_ready) > CROWD_SHARE && n_running + 1 < node->n_processors)
        kick_locked(node);
}

/* In the reactor's place. False: somebody else is in the poller. */
static bool lead_locked(struct worker *worker)
{
    struct link_node *node = worker->node;
    uint64_t deadline_ns = os_now_ns() + CROWD_IDLE_NS;
    node->n_leading++;
    os_mutex_unlock(&node->lock);
    worker->leads = true;
    bool polled = reactor_relieve(node, deadline_ns);
    worker->leads = false;
    os_mutex_lock(&node->lock);
    node->n_leading--;
    if (polled && atomic_load(&node->n_ready) == 0 && os_now_ns() >= deadline_ns)
        atomic_store(&node->is_crowded, false);
    share_locked(node);
    return polled;
}

/* --- serving a connection --- */

enum next { NEXT_FRAME, NEXT_PARK, NEXT_STALL, NEXT_ROTATE, NEXT_LOST };

/* Sleeps for the next frame, unless somebody else needs the thread or the right. */
static enum next wait_for_frame(struct worker *worker, struct link_connection *connection)
{
    struct link_node *node = worker->node;
    if (connection->stage != STAGE_OPEN || atomic_load(&node->is_crowded))
        return NEXT_PARK;
    right_unwatch(connection);
    cork_flush_mine(node, connection);
    atomic_store(&worker->waiting, connection);
    atomic_store(&connection->worker_waits, true);
    HRESULT hr = VIA_S_INTERRUPTED;
    if (atomic_load(&connection->n_waiters) == 0 && atomic_load(&node->n_ready) == 0)
        hr = reader_wait(connection, os_coarse_now_ns() + HOT_NS);
    atomic_store(&connection->worker_waits, false);
    atomic_store(&worker->waiting, NULL);
    if (hr == S_OK)
        return NEXT_FRAME;
    if (hr == RPC_E_TIMEOUT)
        error_clear();
    else if (FAILED(hr))
        connection_fail(connection, hr, false);
    return NEXT_PARK;
}

static enum next after_frame(struct link_connection *connection, uint32_t n_frames,
                             uint64_t started_ns)
{
    struct link_node *node = connection->node;
    if (thread_self()->held != connection)
        return NEXT_LOST;
    if (atomic_load(&connection->n_waiters) != 0 || connection->stage == STAGE_CLOSED)
        return NEXT_PARK;
    if (atomic_load(&node->n_ready) != 0 &&
        (n_frames >= TURN_FRAMES || os_now_ns() - started_ns > TURN_NS))
        return NEXT_ROTATE;
    return NEXT_FRAME;
}

static void leave(struct link_connection *connection, enum next next)
{
    bool again = false;
    os_mutex_lock(&connection->lock);
    if (right_is_mine_locked(connection, thread_self())) {
        if (next == NEXT_STALL) {
            right_stall_locked(connection);
        } else if (next == NEXT_ROTATE && !connection->drained &&
                   connection->stage != STAGE_CLOSED) {
            connection->holder = &right_of_pool;
            thread_self()->held = NULL;
            again = true;
        } else {
            right_park_locked(connection);
        }
    }
    os_mutex_unlock(&connection->lock);
    if (again)
        worker_serve_soon(connection);
    else
        connection_drop(connection);
}

/* Behind a control frame, which is consumed, and has not cost this thread the right. */
static void run_kept_job(struct link_connection *connection, struct thread *self)
{
    struct link_job *job = self->kept_job;
    self->kept_job = NULL;
    self->has_more = !connection->drained;
    right_expose(connection, self);
    node_needs_tick(connection->node);
    job->run(job->argument);
    right_is_still_mine(connection, self); /* after_frame() looks */
}

/* On a worker; the thread that stops the node, where no worker could be started, reads nothing. */
static void serve(void *argument)
{
    struct link_connection *connection = argument;
    struct thread *self = thread_self();
    struct worker *worker = self->worker;
    uint64_t started_ns = os_now_ns();
    uint32_t n_frames = 0;
    enum next next = worker != NULL ? NEXT_FRAME : NEXT_PARK;
    os_mutex_lock(&connection->lock);
    connection->holder = self;
    self->held = connection;
    os_mutex_unlock(&connection->lock);
    judge_crowd(connection);
    while (next == NEXT_FRAME) {
        HRESULT hr = connection->drained ? VIA_S_WOULD_BLOCK : reader_step(connection, NULL);
        if (self->kept_job != NULL)
            run_kept_job(connection, self);
        if (hr == VIA_S_WOULD_BLOCK)
            next = wait_for_frame(worker, connection);
        else if (hr == READER_FULL)
            next = NEXT_STALL;
        else if (FAILED(hr))
            next = NEXT_PARK;
        else
            next = after_frame(connection, ++n_frames, started_ns);
    }
    error_clear();
    cork_flush_mine(connection->node, connection);
    leave(connection, next);
}

/* --- the threads --- */

static void take_one_locked(struct link_node *node)
{
    struct list *link;
    uint64_t started_ns = atomic_load(&node->is_crowded) ? os_now_ns() : OS_NEVER;
    atomic_fetch_sub(&node->n_ready, 1);
    atomic_fetch_add(&node->n_taken, 1);
    if ((link = list_pop(&node->ended)) != NULL) {
        os_mutex_unlock(&node->lock);
        connection_finish(list_entry(link, struct link_connection, ended_link));
    } else {
        struct link_job *job = list_entry(list_pop(&node->jobs), struct link_job, link);
        os_mutex_unlock(&node->lock);
        job->run(job->argument);
    }
    bool is_slow = started_ns != OS_NEVER && os_now_ns() - started_ns > CROWD_SLOW_NS;
    os_mutex_lock(&node->lock);
    if (is_slow && atomic_load(&node->n_ready) != 0)
        kick_locked(node);
}

/* False: there was nothing to do for so long that the thread may end. */
static bool sleep_idle_locked(struct worker *worker)
{
    struct link_node *node = worker->node;
    uint64_t deadline_ns = os_deadline_ms(node->settings.worker_idle_ms);
    bool in_time = true;
    list_prepend(&node->idle, &worker->idle_link);
    node->n_idle++;
    while (in_time && list_is_linked(&worker->idle_link) && !node->workers_stop)
        in_time = os_cond_wait(&worker->wake, &node->lock, deadline_ns);
    if (!list_is_linked(&worker->idle_link))
        return true;
    list_remove(&worker->idle_link);
    node->n_idle--;
    return in_time;
}

static void join(struct worker *worker)
{
    if (worker == NULL)
        return;
    os_thread_join(worker->thread);
    worker_free(worker);
}

/* A thread cannot join itself: it does so with the one that ended before it, and waits to be
 * joined by the next, or by worker_stop(). Returns the one to join. */
static struct worker *retire_locked(struct worker *worker)
{
    struct link_node *node = worker->node;
    struct worker *before = node->retired;
    list_remove(&worker->link);
    node->n_workers--;
    node->retired = worker;
    return before;
}

static void worker_main(void *argument)
{
    struct worker *worker = argument;
    struct link_node *node = worker->node;
    struct worker *before = NULL;
    thread_self()->worker = worker;
    os_mutex_lock(&node->lock);
    for (;;) {
        if (atomic_load(&node->n_ready) != 0) {
            take_one_locked(node);
            continue;
        }
        if (thread_self()->corked != NULL) {
            os_mutex_unlock(&node->lock);
            cork_flush(node, NULL);
            os_mutex_lock(&node->lock);
            continue;
        }
        if (node->workers_stop)
            break;
        if (atomic_load(&node->is_crowded) &&
            (lead_locked(worker) || atomic_load(&node->n_ready) != 0 || node->workers_stop))
            continue;
        if (!sleep_idle_locked(worker) && atomic_load(&node->n_ready) == 0 && !node->workers_stop) {
            before = retire_locked(worker);
            break;
        }
    }
    os_mutex_unlock(&node->lock);
    join(before);
    error_clear();
    thread_self()->worker = NULL;
    thread_trim(thread_self());
}

/* On the thread that stops the node: what has ended, and jobs if no worker could be started. */
static bool finish_one(struct link_node *node)
{
    os_mutex_lock(&node->lock);
    bool found =
        !list_is_empty(&node->ended) || (node->n_workers == 0 && !list_is_empty(&node->jobs));
    if (found)
        take_one_locked(node);
    os_mutex_unlock(&node->lock);
    return found;
}

void worker_wake_stopper_locked(struct link_node *node)
{
    if (node->stopper != NULL)
        os_waiter_wake(node->stopper);
}

static void wait_for_connections(struct link_node *node)
{
    struct os_waiter waiter;
    os_waiter_init(&waiter);
    os_mutex_lock(&node->lock);
    node->stopper = &waiter;
    while (node->n_connections != 0) {
        os_mutex_unlock(&node->lock);
        if (!finish_one(node))
            os_waiter_wait(&waiter, OS_NEVER);
        os_mutex_lock(&node->lock);
    }
    node->stopper = NULL;
    os_mutex_unlock(&node->lock);
    os_waiter_deinit(&waiter);
}

void worker_stop(struct link_node *node)
{
    wait_for_connections(node);
    os_mutex_lock(&node->lock);
    node->workers_stop = true;
    for (struct list *l = node->idle.next; l != &node->idle; l = l->next)
        os_cond_signal(&list_entry(l, struct worker, idle_link)->wake);
    struct worker *retired = node->retired;
    node->retired = NULL;
    os_mutex_unlock(&node->lock);
    join(retired);
    os_mutex_lock(&node->lock);
    struct list *link;
    while ((link = list_pop(&node->workers)) != NULL) {
        os_mutex_unlock(&node->lock);
        join(list_entry(link, struct worker, link));
        os_mutex_lock(&node->lock);
    }
    node->n_workers = 0;
    node->workers_gone = true;
    /* What was submitted meanwhile, by the last of them. */
    while ((link = list_pop(&node->jobs)) != NULL) {
        struct link_job *job = list_entry(link, struct link_job, link);
        atomic_fetch_sub(&node->n_ready, 1);
        os_mutex_unlock(&node->lock);
        job->run(job->argument);
        os_mutex_lock(&node->lock);
    }
    os_mutex_unlock(&node->lock);
}
