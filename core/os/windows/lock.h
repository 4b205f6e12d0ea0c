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

#define OS_MUTEX_INITIALIZER \
    {                        \
        0                    \
    }

#endif
