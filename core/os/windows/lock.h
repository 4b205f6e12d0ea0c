/* What a lock is here; core/os/thread.h says what one does. The members are an SRWLOCK and a
 * CONDITION_VARIABLE, spelt so that <windows.h> stays out of everybody's way. */
#ifndef CORE_OS_WINDOWS_LOCK_H
#define CORE_OS_WINDOWS_LOCK_H

struct os_mutex {
    void *srw_lock;
};

struct os_cond {
    void *variable;
};

struct os_thread_value {
    void (*release)(void *pointer);
    void *once;          /* INIT_ONCE */
    unsigned long index; /* of fibre-local storage, which has a destructor; written under `once` */
};

#define OS_MUTEX_INITIALIZER \
    {                        \
        0                    \
    }
#define OS_THREAD_VALUE_INITIALIZER(release_it) \
    {                                           \
        .release = (release_it)                 \
    }

#endif
