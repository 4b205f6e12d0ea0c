/*
 * Threads, locks, and the one way to sleep.
 *
 * Mutexes and conditions are small values to embed; they are not recursive. Sleeping for an event
 * that another thread brings is done with a waiter everywhere, because on a thread of a Windows
 * single-threaded apartment it has to go on serving COM calls while it sleeps.
 */
#ifndef CORE_OS_THREAD_H
#define CORE_OS_THREAD_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

/* The structs os_mutex, os_cond and os_thread_value, and OS_MUTEX_INITIALIZER, from the directory
 * of this system. */
#include "lock.h"

void os_mutex_init(struct os_mutex *mutex);
void os_mutex_deinit(struct os_mutex *mutex);
void os_mutex_lock(struct os_mutex *mutex);
void os_mutex_unlock(struct os_mutex *mutex);

void os_cond_init(struct os_cond *cond);
void os_cond_deinit(struct os_cond *cond);
/* Blocks. Returns false when `deadline_ns` has passed; may also wake for no reason. */
bool os_cond_wait(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns);
void os_cond_signal(struct os_cond *cond);
void os_cond_broadcast(struct os_cond *cond);

struct os_thread;
/* `name` has at most 15 characters. The thread's function returns nothing; join frees. */
HRESULT os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                        struct os_thread **thread);
/* Blocks until it has ended; an apartment's thread serves COM meanwhile. */
void os_thread_join(struct os_thread *thread);
/* Of the calling thread; never 0, not used again while the thread lives. */
uint64_t os_thread_id(void);
/* Lets others run; part of every spin. */
void os_thread_yield(void);
/* Between two looks at memory that another processor writes: it need not hurry. */
static inline void os_cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}
unsigned os_cpu_count(void);

/* One pointer for each thread, NULL at first; what is not NULL when a thread ends goes to `release`
 * there. For static variables, made with OS_THREAD_VALUE_INITIALIZER(release). */
void *os_thread_value_get(struct os_thread_value *value);
void os_thread_value_set(struct os_thread_value *value, void *pointer);

/* True on a thread of a Windows single-threaded apartment; false everywhere else. */
bool os_thread_is_apartment(void);

/* Sleeps until it is woken; embed one in what is waited for, or on the stack. `init` belongs to the
 * thread that will wait. A wake before the wait is not lost; several count as one. */
struct os_waiter {
    struct os_mutex mutex;
    struct os_cond cond;
    bool woken;  /* under mutex */
    void *event; /* Windows, on an apartment's thread: what it waits on with COM's pump */
};
void os_waiter_init(struct os_waiter *waiter);
void os_waiter_deinit(struct os_waiter *waiter);
/* Blocks. S_OK: woken, and the wake is used up. RPC_E_TIMEOUT: the deadline has passed. Takes what
 * is there already when `deadline_ns` is 0. */
HRESULT os_waiter_wait(struct os_waiter *waiter, uint64_t deadline_ns);
/* Any thread. The waiter must stay valid until this has returned. */
void os_waiter_wake(struct os_waiter *waiter);

/* Makes the calling thread a single-threaded apartment of COM until it leaves; does nothing where
 * there are none. `wait`, on such a thread: like os_waiter_wait() without a deadline, and answers
 * window messages of every kind, as the thread's own message loop. */
HRESULT os_apartment_enter(void);
void os_apartment_leave(void);
void os_apartment_wait(struct os_waiter *waiter);

/* From now on the children of fork() know what they are. */
void os_notice_forks(void);
/* True in a child of a fork() that the runtime did not make itself. */
bool os_is_forked(void);

#endif
