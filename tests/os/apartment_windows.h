/*
 * An object that lives in the calling thread's single-threaded apartment, and a thread of the
 * multithreaded apartment that calls it through COM: for tests that a thread which waits for
 * something else still answers.
 */
#ifndef TESTS_OS_APARTMENT_WINDOWS_H
#define TESTS_OS_APARTMENT_WINDOWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <windows.h>

#include <objbase.h>
#include <objidl.h>

#include "core/os/thread.h"

#define APARTMENT_N_CALLS 5

struct apartment_caller {
    /* What is called. The system has a proxy for IEnumUnknown, whose Reset takes nothing. */
    IEnumUnknown IEnumUnknown_iface;
    DWORD apartment_thread;
    _Atomic int n_calls; /* that the object has seen */
    _Atomic bool on_other_thread;

    IStream *stream;         /* the object, on its way to the caller */
    uint32_t delay_ms;       /* before the first call: until the other thread sleeps */
    void (*then)(void *);    /* after the last call, on the caller's thread; may be NULL */
    void *argument;          /* of `then` */
    struct os_waiter waiter; /* woken at the end */
    struct os_thread *thread;

    /* The caller's; read after apartment_caller_end(). */
    HRESULT unmarshalled, called;
    uint64_t slowest_ns;
};

/* On a thread of an apartment: makes the object and starts the thread. */
bool apartment_caller_start(struct apartment_caller *caller, uint32_t delay_ms,
                            void (*then)(void *), void *argument);
/* Waits for the thread's end, answering calls, and checks that every call was answered by the
 * apartment's thread. */
void apartment_caller_end(struct apartment_caller *caller);

#endif
