#include "core/os/thread.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct os_thread {
    pthread_t thread;
    void (*run)(void *argument);
    void *argument;
    char name[16];
};

void os_mutex_init(struct os_mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL);
}

void os_mutex_deinit(struct os_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->mutex);
}

void os_mutex_lock(struct os_mutex *mutex)
{
    pthread_mutex_lock(&mutex->mutex);
}

void os_mutex_unlock(struct os_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->mutex);
}

void os_cond_init(struct os_cond *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&cond->cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

void os_cond_deinit(struct os_cond *cond)
{
    pthread_cond_destroy(&cond->cond);
}

bool os_cond_wait(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    if (deadline_ns == OS_NEVER) {
        pthread_cond_wait(&cond->cond, &mutex->mutex);
        return true;
    }
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                             .tv_nsec = (long)(deadline_ns % 1000000000u)};
    return pthread_cond_timedwait(&cond->cond, &mutex->mutex, &until) != ETIMEDOUT;
}

void os_cond_signal(struct os_cond *cond)
{
    pthread_cond_signal(&cond->cond);
}

void os_cond_broadcast(struct os_cond *cond)
{
    pthread_cond_broadcast(&cond->cond);
}

static void *thread_main(void *argument)
{
    struct os_thread *thread = argument;
    pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->argument);
    return NULL;
}

HRESULT os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                        struct os_thread **thread)
{
    struct os_thread *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for a thread");
    self->run = run;
    self->argument = argument;
    strncpy(self->name, name, sizeof(self->name) - 1);
    int failure = pthread_create(&self->thread, NULL, thread_main, self);
    if (failure) {
        free(self);
        return error_set(VIA_E_LIMIT, "cannot start thread %s: %s; raise the limit of processes",
                         name, strerror(failure));
    }
    *thread = self;
    return S_OK;
}

void os_thread_join(struct os_thread *thread)
{
    pthread_join(thread->thread, NULL);
    free(thread);
}

uint64_t os_thread_id(void)
{
    static _Thread_local uint64_t id;
    if (!id)
        id = (uint64_t)syscall(SYS_gettid);
    return id;
}

void os_thread_yield(void)
{
    sched_yield();
}

unsigned os_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

static pthread_key_t key_of(struct os_thread_value *value)
{
    if (atomic_load_explicit(&value->has_key, memory_order_acquire))
        return value->key;
    pthread_mutex_lock(&value->lock);
    if (!atomic_load_explicit(&value->has_key, memory_order_relaxed)) {
        if (pthread_key_create(&value->key, value->release))
            abort(); /* no key left: the process cannot even start up */
        atomic_store_explicit(&value->has_key, true, memory_order_release);
    }
    pthread_mutex_unlock(&value->lock);
    return value->key;
}

void *os_thread_value_get(struct os_thread_value *value)
{
    return pthread_getspecific(key_of(value));
}

void os_thread_value_set(struct os_thread_value *value, void *pointer)
{
    pthread_setspecific(key_of(value), pointer);
}

bool os_thread_is_apartment(void)
{
    return false;
}

void os_waiter_init(struct os_waiter *waiter)
{
    os_mutex_init(&waiter->mutex);
    os_cond_init(&waiter->cond);
    waiter->woken = false;
    waiter->event = NULL;
}

void os_waiter_deinit(struct os_waiter *waiter)
{
    os_cond_deinit(&waiter->cond);
    os_mutex_deinit(&waiter->mutex);
}

HRESULT os_waiter_wait(struct os_waiter *waiter, uint64_t deadline_ns)
{
    os_mutex_lock(&waiter->mutex);
    while (!waiter->woken && deadline_ns > 0 &&
           os_cond_wait(&waiter->cond, &waiter->mutex, deadline_ns))
        ;
    bool woken = waiter->woken;
    waiter->woken = false;
    os_mutex_unlock(&waiter->mutex);
    return woken ? S_OK : RPC_E_TIMEOUT;
}

void os_waiter_wake(struct os_waiter *waiter)
{
    os_mutex_lock(&waiter->mutex);
    waiter->woken = true;
    /* Under the lock, so that the waiter cannot be gone before the signal. */
    os_cond_signal(&waiter->cond);
    os_mutex_unlock(&waiter->mutex);
}

static atomic_bool forked;

static void note_fork(void)
{
    atomic_store_explicit(&forked, true, memory_order_relaxed);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, note_fork);
}

HRESULT os_apartment_enter(void)
{
    return S_OK;
}

void os_apartment_leave(void)
{
}

void os_apartment_wait(struct os_waiter *waiter)
{
    os_waiter_wait(waiter, OS_NEVER);
}

void os_notice_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
}

bool os_is_forked(void)
{
    return atomic_load_explicit(&forked, memory_order_relaxed);
}
