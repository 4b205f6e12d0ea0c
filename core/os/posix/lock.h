/* What a lock is here; core/os/thread.h says what one does. */
#ifndef CORE_OS_POSIX_LOCK_H
#define CORE_OS_POSIX_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

struct os_mutex {
    pthread_mutex_t mutex;
};

struct os_cond {
    pthread_cond_t cond;
};

struct os_thread_value {
    void (*release)(void *pointer);
    pthread_mutex_t lock; /* while the key is made */
    atomic_bool has_key;
    pthread_key_t key;
};

#define OS_MUTEX_INITIALIZER      \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }
#define OS_THREAD_VALUE_INITIALIZER(release_it)                    \
    {                                                              \
        .release = (release_it), .lock = PTHREAD_MUTEX_INITIALIZER \
    }

#endif
