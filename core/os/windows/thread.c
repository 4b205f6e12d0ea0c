/*
 * Threads and waiting on Windows. A waiter of a single-threaded apartment's thread sleeps in COM's
 * own wait, which goes on dispatching calls to the apartment; all others sleep on a condition
 * variable.
 */
#include "core/os/thread.h"
#include "core/os/clock.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <windows.h>

#include <objbase.h>

#include "core/os/windows/text.h"

struct os_thread {
    HANDLE handle;
    void (*run)(void *argument);
    void *argument;
};

_Static_assert(sizeof(struct os_mutex) == sizeof(SRWLOCK), "lock.h has the size of an SRWLOCK");
_Static_assert(sizeof(struct os_cond) == sizeof(CONDITION_VARIABLE), "and of a condition variable");

static SRWLOCK *lock_of(struct os_mutex *mutex)
{
    return (SRWLOCK *)(void *)mutex;
}

static CONDITION_VARIABLE *variable_of(struct os_cond *cond)
{
    return (CONDITION_VARIABLE *)(void *)cond;
}

void os_mutex_init(struct os_mutex *mutex)
{
    InitializeSRWLock(lock_of(mutex));
}

void os_mutex_deinit(struct os_mutex *mutex)
{
    (void)mutex;
}

void os_mutex_lock(struct os_mutex *mutex)
{
    AcquireSRWLockExclusive(lock_of(mutex));
}

void os_mutex_unlock(struct os_mutex *mutex)
{
    ReleaseSRWLockExclusive(lock_of(mutex));
}

void os_cond_init(struct os_cond *cond)
{
    InitializeConditionVariable(variable_of(cond));
}

void os_cond_deinit(struct os_cond *cond)
{
    (void)cond;
}

/* Rounded up, so that a wait does not end before its deadline. */
static DWORD ms_until(uint64_t deadline_ns)
{
    if (deadline_ns == OS_NEVER)
        return INFINITE;
    uint64_t now = os_now_ns();
    if (deadline_ns <= now)
        return 0;
    uint64_t ms = (deadline_ns - now + 999999u) / 1000000u;
    return ms < 3600000u ? (DWORD)ms : 3600000u;
}

bool os_cond_wait(struct os_cond *cond, struct os_mutex *mutex, uint64_t deadline_ns)
{
    if (SleepConditionVariableSRW(variable_of(cond), lock_of(mutex), ms_until(deadline_ns), 0))
        return true;
    return os_now_ns() < deadline_ns;
}

void os_cond_signal(struct os_cond *cond)
{
    WakeConditionVariable(variable_of(cond));
}

void os_cond_broadcast(struct os_cond *cond)
{
    WakeAllConditionVariable(variable_of(cond));
}

static DWORD WINAPI thread_main(void *argument)
{
    struct os_thread *thread = argument;
    thread->run(thread->argument);
    /* winpthreads frees a thread's values only of threads that it has made itself. */
    error_clear();
    return 0;
}

HRESULT os_thread_start(void (*run)(void *argument), void *argument, const char *name,
                        struct os_thread **thread)
{
    struct os_thread *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for a thread");
    self->run = run;
    self->argument = argument;
    self->handle = CreateThread(NULL, 0, thread_main, self, 0, NULL);
    if (!self->handle) {
        char reason[256];
        windows_reason(GetLastError(), reason, sizeof(reason));
        free(self);
        return error_set(VIA_E_LIMIT, "cannot start thread %s: %s", name, reason);
    }
    *thread = self;
    return S_OK;
}

void os_thread_join(struct os_thread *thread)
{
    /* What the thread still does may need this one's apartment. */
    DWORD index;
    if (!os_thread_is_apartment() ||
        FAILED(CoWaitForMultipleHandles(0, INFINITE, 1, &thread->handle, &index)))
        WaitForSingleObject(thread->handle, INFINITE);
    CloseHandle(thread->handle);
    free(thread);
}

uint64_t os_thread_id(void)
{
    return GetCurrentThreadId();
}

void os_thread_yield(void)
{
    SwitchToThread();
}

unsigned os_cpu_count(void)
{
    DWORD_PTR ours, all;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) || !ours)
        return 1;
    return (unsigned)__builtin_popcountll(ours);
}

_Static_assert(sizeof(((struct os_thread_value *)0)->once) == sizeof(INIT_ONCE),
               "lock.h has room for an INIT_ONCE");

static BOOL CALLBACK make_index(INIT_ONCE *once, void *parameter, void **context)
{
    struct os_thread_value *value = parameter;
    (void)once;
    (void)context;
    value->index = FlsAlloc(value->release);
    if (value->index == FLS_OUT_OF_INDEXES)
        abort(); /* no index left: the process cannot even start up */
    return TRUE;
}

static DWORD index_of(struct os_thread_value *value)
{
    InitOnceExecuteOnce((INIT_ONCE *)(void *)&value->once, make_index, value, NULL);
    return value->index;
}

void *os_thread_value_get(struct os_thread_value *value)
{
    return FlsGetValue(index_of(value));
}

void os_thread_value_set(struct os_thread_value *value, void *pointer)
{
    FlsSetValue(index_of(value), pointer);
}

bool os_thread_is_apartment(void)
{
    APTTYPE type;
    APTTYPEQUALIFIER qualifier;
    return SUCCEEDED(CoGetApartmentType(&type, &qualifier)) &&
           (type == APTTYPE_STA || type == APTTYPE_MAINSTA);
}

void os_waiter_init(struct os_waiter *waiter)
{
    os_mutex_init(&waiter->mutex);
    os_cond_init(&waiter->cond);
    waiter->woken = false;
    /* Without memory for an event the thread sleeps as any other does: late for COM, but correct.
     */
    waiter->event = os_thread_is_apartment() ? CreateEventW(NULL, FALSE, FALSE, NULL) : NULL;
}

void os_waiter_deinit(struct os_waiter *waiter)
{
    if (waiter->event)
        CloseHandle(waiter->event);
}

/* The event only ends the sleep; what counts is `woken`. COM's wait may also end for reasons of its
 * own. */
static void sleep_in_apartment(struct os_waiter *waiter, uint64_t deadline_ns)
{
    HANDLE event = waiter->event;
    DWORD index;
    os_mutex_unlock(&waiter->mutex);
    HRESULT hr = CoWaitForMultipleHandles(0, ms_until(deadline_ns), 1, &event, &index);
    /* COM is gone from this thread: nothing is left to be served. */
    if (FAILED(hr) && hr != RPC_S_CALLPENDING)
        WaitForSingleObject(event, ms_until(deadline_ns));
    os_mutex_lock(&waiter->mutex);
}

HRESULT os_waiter_wait(struct os_waiter *waiter, uint64_t deadline_ns)
{
    os_mutex_lock(&waiter->mutex);
    while (!waiter->woken && deadline_ns > 0 && os_now_ns() < deadline_ns) {
        if (waiter->event)
            sleep_in_apartment(waiter, deadline_ns);
        else
            os_cond_wait(&waiter->cond, &waiter->mutex, deadline_ns);
    }
    bool woken = waiter->woken;
    waiter->woken = false;
    os_mutex_unlock(&waiter->mutex);
    return woken ? S_OK : RPC_E_TIMEOUT;
}

HRESULT os_apartment_enter(void)
{
    HRESULT hr = CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    return FAILED(hr) ? error_set(hr, "this thread cannot become an apartment of COM") : S_OK;
}

void os_apartment_leave(void)
{
    CoUninitialize();
}

static bool take_wake(struct os_waiter *waiter)
{
    os_mutex_lock(&waiter->mutex);
    bool woken = waiter->woken;
    waiter->woken = false;
    os_mutex_unlock(&waiter->mutex);
    return woken;
}

void os_apartment_wait(struct os_waiter *waiter)
{
    HANDLE event = waiter->event;
    if (event == NULL) {
        os_waiter_wait(waiter, OS_NEVER);
        return;
    }
    while (!take_wake(waiter)) {
        MSG message;
        MsgWaitForMultipleObjectsEx(1, &event, INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) {
            TranslateMessage(&message);
            DispatchMessageW(&message);
        }
    }
}

void os_waiter_wake(struct os_waiter *waiter)
{
    os_mutex_lock(&waiter->mutex);
    waiter->woken = true;
    /* Under the lock, so that the waiter cannot be gone before the signal. */
    if (waiter->event)
        SetEvent(waiter->event);
    else
        os_cond_signal(&waiter->cond);
    os_mutex_unlock(&waiter->mutex);
}

void os_notice_forks(void)
{
}

bool os_is_forked(void)
{
    return false;
}
