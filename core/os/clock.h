/*
 * The monotonic clock. Every deadline in the project is a value of it, in nanoseconds.
 */
#ifndef CORE_OS_CLOCK_H
#define CORE_OS_CLOCK_H

#include <stdint.h>

#define OS_NEVER UINT64_MAX

uint64_t os_now_ns(void);
/* The same clock, up to OS_COARSE_NS behind and never ahead, for where that will do: it costs a
 * fifth. */
#define OS_COARSE_NS 16000000u
uint64_t os_coarse_now_ns(void);

/* now + `ms`; OS_NEVER for UINT32_MAX. */
uint64_t os_deadline_ms(uint32_t ms);
/* The same for long times, at a fifth of the cost: never early, and at most OS_COARSE_NS late. */
static inline uint64_t os_coarse_deadline_ms(uint32_t ms)
{
    return ms == UINT32_MAX ? OS_NEVER
                            : os_coarse_now_ns() + OS_COARSE_NS + (uint64_t)ms * 1000000u;
}

/* Blocks the thread for so long. Only for tests and back-off in programs of our own. */
void os_sleep_ms(uint32_t ms);

#endif
