#include "com/remote/apartment.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "com/remote/export.h"
#include "com/remote/gate.h"
#include "core/link/link.h"
#include "core/os/bell.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/list.h"

struct apartment {
    struct context *context;  /* read-only; a reference */
    struct os_thread *thread; /* the owner's */
    struct os_mutex lock;
    struct os_cond is_up;  /* `started` */
    struct list jobs;      /* lock */
    bool ends;             /* lock: the thread leaves when it has nothing to do */
    bool started;          /* lock: the thread has its waiter, or `failure` says why not */
    HRESULT failure;       /* lock */
    struct os_waiter work; /* woken when there are jobs, or an end; made by the thread */

    /* Of one that was adopted: */
    struct os_bell *bell; /* read-only; NULL: the thread is ours. Rung when there are jobs */
    unsigned depth;       /* the thread's: jobs that run, one within the other */
    struct list own_jobs; /* the thread's: what it has submitted itself while one ran */
    atomic_bool is_over;  /* set under lock: the thread has left */
};

static _Thread_local struct apartment *the_current;

static struct link_job *take(struct apartment *self, bool *ends)
{
    os_mutex_lock(&self->lock);
    struct list *link = list_pop(&self->jobs);
    *ends = self->ends;
    os_mutex_unlock(&self->lock);
    return link != NULL ? list_entry(link, struct link_job, link) : NULL;
}

static void run_jobs(struct apartment *self)
{
    bool ends = false;
    for (;;) {
        struct link_job *job = take(self, &ends);
        if (job != NULL)
            job->run(job->argument);
        else if (ends)
            return;
        else
            os_apartment_wait(&self->work);
    }
}

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
    if (FAILED(hr)) {
        say_started(self, hr);
        return;
    }
    the_current = self;
    os_waiter_init(&self->work);
    say_started(self, S_OK);
    run_jobs(self);
    os_waiter_deinit(&self->work);
    os_apartment_leave();
}

static void free_it(struct apartment *self)
{
    context_unref(self->context);
    os_cond_deinit(&self->is_up);
    os_mutex_deinit(&self->lock);
    free(self);
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
    struct apartment *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an apartment");
    os_mutex_init(&self->lock);
    os_cond_init(&self->is_up);
    list_init(&self->jobs);
    self->context = context_new_in(self);
    HRESULT hr = self->context != NULL ? start(self)
                                       : error_set(E_OUTOFMEMORY, "no memory for an apartment");
    if (FAILED(hr)) {
        free_it(self);
        return hr;
    }
    *apartment = self;
    return S_OK;
}

void apartment_free(struct apartment *self)
{
    if (self == NULL)
        return;
    os_mutex_lock(&self->lock);
    self->ends = true;
    os_waiter_wake(&self->work);
    os_mutex_unlock(&self->lock);
    os_thread_join(self->thread);
    free_it(self);
}

struct context *apartment_context(struct apartment *self)
{
    return self->context;
}

bool apartment_is_current(const struct apartment *self)
{
    return the_current == self;
}

static void submit_own(struct apartment *self, struct link_job *job);

bool apartment_submit(struct apartment *self, struct link_job *job)
{
    if (self->bell != NULL && apartment_is_current(self)) {
        submit_own(self, job);
        return true;
    }
    os_mutex_lock(&self->lock);
    bool is_over = atomic_load(&self->is_over);
    if (!is_over)
        list_append(&self->jobs, &job->link);
    if (!is_over && self->bell == NULL) {
        os_waiter_wake(&self->work);
    } else if (!is_over && !os_bell_ring(self->bell)) {
        /* The thread has ended without a word. Jobs from before are lost to it as well. */
        atomic_store(&self->is_over, true);
        list_remove(&job->link);
        is_over = true;
    }
    os_mutex_unlock(&self->lock);
    return !is_over;
}

/* --- threads that are not ours --- */

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

/* `job` may be NULL. What it leaves to be done on the thread comes behind it. */
static void run_job(struct apartment *self, struct link_job *job)
{
    struct list *link;
    self->depth++;
    if (job != NULL)
        job->run(job->argument);
    while ((link = list_pop(&self->own_jobs)) != NULL) {
        job = list_entry(link, struct link_job, link);
        job->run(job->argument);
    }
    self->depth--;
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
    if (self->depth > 0) {
        list_append(&self->own_jobs, &job->link);
        return;
    }
    run_job(self, job);
    leave_if_unused(self);
}

static void rung(void *context)
{
    struct apartment *self = context;
    bool ends;
    run_job(self, take(self, &ends));
    leave_if_unused(self);
}

/* The thread leaves COM: its objects go first, while it can still release them. */
static void closing(void *context)
{
    struct apartment *self = context;
    bool ends;
    struct link_job *job;
    self->depth++;
    while ((job = take(self, &ends)) != NULL)
        run_job(self, job);
    export_abandon(self->context);
    while ((job = take(self, &ends)) != NULL)
        run_job(self, job);
    run_job(self, NULL);
    leave(self);
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
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an apartment");
    os_mutex_init(&self->lock);
    os_cond_init(&self->is_up);
    list_init(&self->jobs);
    list_init(&self->own_jobs);
    atomic_init(&self->is_over, false);
    HRESULT hr = os_bell_new(rung, closing, self, &self->bell);
    if (SUCCEEDED(hr) && (self->context = context_new_in(self)) == NULL) {
        os_bell_free(self->bell);
        hr = error_set(E_OUTOFMEMORY, "no memory for an apartment");
    }
    if (FAILED(hr)) {
        os_cond_deinit(&self->is_up);
        os_mutex_deinit(&self->lock);
        free(self);
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
    if (self->bell == NULL)
        return;
    os_cond_deinit(&self->is_up);
    os_mutex_deinit(&self->lock);
    free(self);
}
