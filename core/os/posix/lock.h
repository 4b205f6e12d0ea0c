/* What a lock is here; core/os/thread.h says what one does. */
#ifndef CORE_OS_POSIX_LOCK_H
#define CORE_OS_POSIX_LOCK_H

#include <pthread.h>

struct os_mutex {
    pthread_mutex_t mutex;
};

struct os_cond {
    pthread_cond_t cond;
};

#define OS_MUTEX_INITIALIZER {PTHREAD_MUTEX_INITIALIZER}

#endif
