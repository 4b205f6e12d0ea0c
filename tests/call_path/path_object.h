/* The object that the process-level tests of the call path call, on either side. */
#ifndef TESTS_CALL_PATH_PATH_OBJECT_H
#define TESTS_CALL_PATH_PATH_OBJECT_H

#include "call_path.h"

#include <stdint.h>

/* Slots for ICallPath::Block. */
#define PATH_N_SLOTS 8u

/* This process' root object; lives as long as it, like the other one. */
ICallPath *path_object(void);

/* `n_threads` threads call `other`.Exchange `n_calls` times each; how many calls came back right.
 * The first that did not is printed. */
uint32_t path_storm(ICallPath *other, uint32_t n_threads, uint32_t n_calls, uint32_t size);

/* Gives every connected Unix socket of this process send and receive buffers of `size` bytes; how
 * many there are. Elsewhere than on POSIX none is found: a Windows pipe has its size from birth. */
uint32_t path_limit_buffers(uint32_t size);

#endif
