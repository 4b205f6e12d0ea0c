#include "com/remote/apartment.h"

#include <stdlib.h>

#include "com/remote/gate.h"
#include "core/link/link.h"
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
};

static _Thread_local const struct apartment *the_current;

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

void apartment_submit(struct apartment *self, struct link_job *job)
{
    os_mutex_lock(&self->lock);
    list_append(&self->jobs, &job->link);
    os_waiter_wake(&self->work);
    os_mutex_unlock(&self->lock);
}
