/*
 * What a thread is doing in this layer: which calls it runs and waits in, and whose reader right it
 * holds.
 */
#ifndef CORE_LINK_CURRENT_H
#define CORE_LINK_CURRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/link/link.h"

struct call;
struct incoming;
struct worker;

/* A call that the thread runs. */
struct running {
    struct link_current current;
    struct incoming *incoming;
    struct running *outer;
};

/* A job that the thread runs in a chain of its own. */
struct chained {
    const struct link_id *chain;
    const struct running *within; /* the innermost call that it ran when the job began, or NULL */
    struct chained *outer;
};

struct thread {
    struct running *running;      /* the innermost */
    struct chained *chained;      /* the innermost, or NULL */
    struct call *call;            /* the innermost that it waits in */
    struct link_connection *held; /* whose reader right it has, or NULL */
    bool is_exposed;              /* it runs a method meanwhile, and the right may have been taken
                                   * away: right_resume() tells */
    bool has_more;                /* of `held`: when the method began, more had been received */
    const void *corked;           /* where it has left frames that wait: a connection, compared
                                   * only, cork_several, or NULL: nowhere */
    struct worker *worker;        /* NULL: not one of ours */
    struct link_inbox *inbox;     /* NULL: nobody gives it jobs */
    bool keeps_job;               /* it is one, and in handler.control: worker_keep_job() */
    struct link_job *kept_job;    /* to do behind the frame, or NULL */
    struct incoming *spare;       /* a record for the next call that it reads, or NULL */
};

/* The calling thread's. */
struct thread *thread_self(void);
/* It waits in `call` from here on; NULL: in none. */
void thread_waits_in(struct thread *self, struct call *call);

/* Frees what the thread keeps for later; when it ends, or leaves this layer. */
void thread_trim(struct thread *self);

/* Runs a call on this thread: handler.run, with link_current() set. */
void current_run(struct incoming *incoming);

/* The call that the thread runs, the innermost one; NULL: none, or a job in a chain of its own
 * within it. */
struct running *current_running(const struct thread *self);

#endif
