#include "core/link/inbox.h"

#include <stdlib.h>

#include "core/link/call.h"
#include "core/util/error.h"

HRESULT link_inbox_new(struct link_inbox **result)
{
    struct link_inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a thread's jobs");
    os_mutex_init(&inbox->lock);
    list_init(&inbox->jobs);
    os_waiter_init(&inbox->waiter);
    thread_self()->inbox = inbox;
    *result = inbox;
    return S_OK;
}

void link_inbox_free(struct link_inbox *inbox)
{
    if (inbox == NULL)
        return;
    os_waiter_deinit(&inbox->waiter);
    os_mutex_deinit(&inbox->lock);
    free(inbox);
}

static void wake_locked(struct link_inbox *inbox)
{
    if (inbox->call != NULL)
        call_wake(inbox->call);
    else
        os_waiter_wake(&inbox->waiter);
}

bool link_inbox_put(struct link_inbox *inbox, struct link_job *job)
{
    os_mutex_lock(&inbox->lock);
    bool may = !inbox->has_ended;
    if (may) {
        list_append(&inbox->jobs, &job->link);
        atomic_store(&inbox->has_jobs, true);
        wake_locked(inbox);
    }
    os_mutex_unlock(&inbox->lock);
    return may;
}

void link_inbox_end(struct link_inbox *inbox)
{
    os_mutex_lock(&inbox->lock);
    inbox->ends = true;
    os_waiter_wake(&inbox->waiter); /* in a call the thread goes on to its end */
    os_mutex_unlock(&inbox->lock);
}

struct link_job *inbox_take(struct link_inbox *inbox)
{
    if (!inbox_has_jobs(inbox))
        return NULL;
    os_mutex_lock(&inbox->lock);
    struct list *link = list_pop(&inbox->jobs);
    if (list_is_empty(&inbox->jobs))
        atomic_store(&inbox->has_jobs, false);
    os_mutex_unlock(&inbox->lock);
    return link != NULL ? list_entry(link, struct link_job, link) : NULL;
}

void inbox_follow(struct link_inbox *inbox, struct call *call)
{
    os_mutex_lock(&inbox->lock);
    inbox->call = call;
    if (!list_is_empty(&inbox->jobs))
        wake_locked(inbox);
    os_mutex_unlock(&inbox->lock);
}

static bool has_ended(struct link_inbox *inbox)
{
    os_mutex_lock(&inbox->lock);
    inbox->has_ended = inbox->ends && list_is_empty(&inbox->jobs);
    os_mutex_unlock(&inbox->lock);
    return inbox->has_ended;
}

void link_inbox_run(struct link_inbox *inbox)
{
    struct link_job *job;
    for (;;) {
        while ((job = inbox_take(inbox)) != NULL)
            job->run(job->argument);
        if (has_ended(inbox))
            break;
        os_apartment_wait(&inbox->waiter);
    }
    thread_self()->inbox = NULL;
}
