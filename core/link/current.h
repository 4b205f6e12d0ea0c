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

struct thread {
    struct running *running;      /* the innermost */
    struct call *call;            /* the innermost that it waits in */
    struct link_connection *held; /* believed only if its holder is this thread */
    struct worker *worker;        /* NULL: not one of ours */
};

/* The calling thread's. */
struct thread *thread_self(void);

/* Runs a call on this thread: handler.run, with link_current() set. */
void current_run(struct incoming *incoming);

/* A chain id that nobody can guess. */
HRESULT current_new_chain(struct link_id *chain);

#endif
