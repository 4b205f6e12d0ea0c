/* Threads that call over one connection, again and again. */
#ifndef TESTS_LINK_CALLERS_H
#define TESTS_LINK_CALLERS_H

#include "tests/link/fixture.h"

struct caller {
    struct link_connection *connection;
    unsigned n_calls;
    enum method method;
    uint32_t argument;
    atomic_uint n_failed;
    atomic_bool stop;
    struct os_thread *thread;
};

/* A thread's main function: what the struct caller that it gets says. */
void call_often(void *argument);
/* Each on a thread of its own, to the end; all must be right. */
void run_callers(struct caller *callers, size_t n);

#endif
