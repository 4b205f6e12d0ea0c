/*
 * Scope cleanup: a variable that is marked CLEANUP(f) is passed, by address, to f when its scope
 * ends.
 *
 *     CLEANUP(cleanup_free) char *path = os_path_join(a, b);
 *     ...
 *     return TAKE(path);    // leaves NULL behind, so that nothing is freed
 */
#ifndef CORE_UTIL_CLEANUP_H
#define CORE_UTIL_CLEANUP_H

#include <stdlib.h>

#define CLEANUP(function) __attribute__((cleanup(function)))

#define TAKE(pointer)                           \
    __extension__({                             \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL;                       \
        taken_;                                 \
    })

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

#endif
