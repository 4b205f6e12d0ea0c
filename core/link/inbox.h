/*
 * What other threads give one thread to do. It does that where it has nothing else to do, in
 * link_inbox_run(), and wherever it waits in a call: what the call waits for may itself wait for
 * the job.
 *
 * The inbox knows the innermost call that the thread waits in. Who adds a job sets `has_jobs` and
 * then wakes the thread in that call; who waits says first where it sleeps and then looks at
 * `has_jobs`. So one of the two sees the other. A call that ends may leave jobs behind, and on
 * Windows the thread may have made it out of a window message, within another sleep: so what it
 * waits in then is woken as well. The call stays known until nobody wakes it any more, and gives
 * back its use of the connection behind that.
 */
#ifndef CORE_LINK_INBOX_H
#define CORE_LINK_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/link/current.h"
#include "core/os/thread.h"

struct link_inbox {
    struct os_mutex lock;
    struct list jobs;        /* lock */
    bool ends;               /* lock: when all jobs have run */
    bool has_ended;          /* lock: and they have */
    struct call *call;       /* lock: the innermost that the thread waits in, or NULL */
    atomic_bool has_jobs;    /* written under lock */
    struct os_waiter waiter; /* where the thread sleeps in no call */
};

static inline bool inbox_has_jobs(const struct link_inbox *inbox)
{
    return inbox != NULL && atomic_load(&((struct link_inbox *)inbox)->has_jobs);
}
/* On its thread, which may have none: NULL, as where there is no job. */
struct link_job *inbox_take(struct link_inbox *inbox);
/* The thread waits in `call` from here on, or in none of its calls. */
void inbox_follow(struct link_inbox *inbox, struct call *call);

#endif
