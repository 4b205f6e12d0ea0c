#include "com/remote/apartment.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <viaduct/server.h>

#include "com/remote/export.h"
#include "com/remote/gate.h"
#include "core/link/link.h"
#include "core/os/bell.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/list.h"

struct apartment {
    struct context *context; /* read-only; a reference */
    struct os_mutex lock;
    atomic_bool is_over; /* the thread has left; of one that was adopted, set under lock */

    /* Of one of ours: */
    struct os_thread *thread; /* the owner's */
    struct link_inbox *inbox; /* read-only once it has started; NULL: it was adopted */
    struct os_cond is_up;     /* `started` */
    bool started;             /* lock: the thread has its inbox, or `failure` says why not */
    HRESULT failure;          /* lock */

    /* Of one that was adopted: */
    struct os_bell *bell; /* read-only; NULL: it is ours. Rung when there are jobs */
    struct list jobs;     /* lock */
    struct list own_jobs; /* the thread's: what it has submitted itself while one ran */
    unsigned depth;       /* the thread's: jobs that run, one within the other */
};

static _Thread_local struct apartment *the_current;

static struct apartment *new_apartment(void)
{
    struct apartment *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    os_mutex_init(&self->lock);
    os_cond_init(&self->is_up);
    list_init(&self->jobs);
    list_init(&self->own_jobs);
    atomic_init(&self->is_over, false);
    return self;
}

static void free_apartment(struct apartment *self)
{
    link_inbox_free(self->inbox);
    os_cond_deinit(&self->is_up);
    os_mutex_deinit(&self->lock);
    free(self);
}

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for an apartment");
}

/* --- threads of ours --- */

static void say_started(struct apartment *self, HRESULT hr)
{
    os_mutex_lock(&self->lock);
    self->started = true;
    self->failure = hr;
    os_cond_signal(&self->is_up);
    os_mutex_unlock(&self->lock);
}

static void apartment_main(void *argument)
{
    struct apartment *self = argument;
    HRESULT hr = os_apartment_enter();
    if (SUCCEEDED(hr) && FAILED(hr = link_inbox_new(&self->inbox)))
        os_apartment_leave();
    if (FAILED(hr)) {
        say_started(self, hr);
        return;
    }
    the_current = self;
    say_started(self, S_OK);
    link_inbox_run(self->inbox);
    os_apartment_leave();
}

static HRESULT start(struct apartment *self)
{
    HRESULT hr = os_thread_start(apartment_main, self, "via-apartment", &self->thread);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&self->lock);
    while (!self->started)
        os_cond_wait(&self->is_up, &self->lock, OS_NEVER);
    hr = self->failure;
    os_mutex_unlock(&self->lock);
    if (FAILED(hr)) {
        os_thread_join(self->thread);
        error_set(hr, "an apartment's thread cannot initialize COM");
    }
    return hr;
}

HRESULT apartment_new(struct apartment **apartment)
{
    struct apartment *self = new_apartment();
    if (self == NULL)
        return no_memory();
    self->context = context_new_in(self);
    if (self->context == NULL) {
        free_apartment(self);
        return no_memory();
    }
    HRESULT hr = start(self);
    if (FAILED(hr)) {
        context_unref(self->context); /* and it is gone */
        return hr;
    }
    *apartment = self;
    return S_OK;
}

void apartment_free(struct apartment *self)
{
    if (self == NULL)
        return;
    link_inbox_end(self->inbox);
    os_thread_join(self->thread);
    atomic_store(&self->is_over, true);
    context_unref(self->context); /* and it may be gone */
}

static bool submit_to_inbox(struct apartment *self, struct link_job *job)
{
    bool submitted = link_inbox_put(self->inbox, job);
    if (!submitted)
        atomic_store(&self->is_over, true); /* in case its owner is still about to say so */
    return submitted;
}

/* --- threads that are not ours --- */

static atomic_bool adopts;

void via_adopt_apartments(void)
{
    atomic_store(&adopts, true);
}

bool apartment_adopts(void)
{
    return atomic_load_explicit(&adopts, memory_order_relaxed);
}

static struct link_job *take(struct apartment *self)
{
    os_mutex_lock(&self->lock);
    struct list *link = list_pop(&self->jobs);
    os_mutex_unlock(&self->lock);
    return link != NULL ? list_entry(link, struct link_job, link) : NULL;
}

/* On the thread. What comes from now on is told that the apartment is over. */
static void leave(struct apartment *self)
{
    os_mutex_lock(&self->lock);
    atomic_store(&self->is_over, true);
    os_mutex_unlock(&self->lock);
    the_current = NULL;
    os_bell_free(self->bell);
    context_unref(self->context); /* and it may be gone */
}

/* `job` may be NULL. What it leaves to be done on the thread comes behind it. False: a job has had
 * the thread leave COM, and the apartment, which was kept until then, may be gone. */
static bool run_job(struct apartment *self, struct link_job *job)
{
    struct context *context = context_ref(self->context);
    struct list *link;
    self->depth++;
    if (job != NULL)
        job->run(job->argument);
    while ((link = list_pop(&self->own_jobs)) != NULL) {
        job = list_entry(link, struct link_job, link);
        job->run(job->argument);
    }
    self->depth--;
    bool is_there = !atomic_load(&self->is_over);
    context_unref(context);
    return is_there;
}

static void leave_if_unused(struct apartment *self)
{
    if (self->depth == 0 && context_is_unused(self->context))
        leave(self);
}

/* The thread cannot ring for itself: it would hear that at once, in the middle of what it does. And
 * a job that starts the next one, as the end of a one-way call does, must not have that within
 * itself. */
static void submit_own(struct apartment *self, struct link_job *job)
{
    if (self->depth > 0)
        list_append(&self->own_jobs, &job->link);
    else if (run_job(self, job))
        leave_if_unused(self);
}

static void rung(void *context)
{
    struct apartment *self = context;
    if (run_job(self, take(self)))
        leave_if_unused(self);
}

/* The thread leaves COM, perhaps in a job: its objects go first, while it can still release them.
 */
static void closing(void *context)
{
    struct apartment *self = context;
    struct link_job *job;
    self->depth++;
    while ((job = take(self)) != NULL)
        run_job(self, job);
    export_abandon(self->context);
    while ((job = take(self)) != NULL)
        run_job(self, job);
    run_job(self, NULL);
    self->depth--;
    leave(self);
}

/* False: the thread has left. */
static bool submit_by_bell(struct apartment *self, struct link_job *job)
{
    os_mutex_lock(&self->lock);
    bool is_over = atomic_load(&self->is_over);
    if (!is_over)
        list_append(&self->jobs, &job->link);
    if (!is_over && !os_bell_ring(self->bell)) {
        /* The thread has ended without a word. Jobs from before are lost to it as well. */
        atomic_store(&self->is_over, true);
        list_remove(&job->link);
        is_over = true;
    }
    os_mutex_unlock(&self->lock);
    return !is_over;
}

HRESULT apartment_adopt(struct context **context)
{
    struct apartment *self = the_current;
    if (self != NULL) {
        *context = context_ref(self->context);
        return S_OK;
    }
    if (!os_thread_is_apartment())
        return E_NOTIMPL;
    self = new_apartment();
    if (self == NULL)
        return no_memory();
    HRESULT hr = os_bell_new(rung, closing, self, &self->bell);
    if (SUCCEEDED(hr) && (self->context = context_new_in(self)) == NULL) {
        os_bell_free(self->bell);
        hr = no_memory();
    }
    if (FAILED(hr)) {
        free_apartment(self);
        return hr;
    }
    the_current = self;
    *context = context_ref(self->context);
    return S_OK;
}

bool apartment_is_adopted(const struct apartment *self)
{
    return self->bell != NULL;
}

bool apartment_is_over(struct apartment *self)
{
    return atomic_load(&self->is_over);
}

void apartment_context_freed(struct apartment *self)
{
    free_apartment(self);
}

/* --- both --- */

struct context *apartment_context(struct apartment *self)
{
    return self->context;
}

bool apartment_is_current(const struct apartment *self)
{
    return the_current == self;
}

bool apartment_submit(struct apartment *self, struct link_job *job)
{
    if (self->bell == NULL)
        return submit_to_inbox(self, job);
    if (!apartment_is_current(self))
        return submit_by_bell(self, job);
    submit_own(self, job);
    return true;
}
