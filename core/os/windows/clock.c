/*
 * The clock. Under Wine QueryPerformanceCounter is a transition to Wine's Unix side, which is dear
 * and comes several times with each call; the winelib module reads Linux's clock for a quarter of
 * the time. The first use decides, since the two count from different moments.
 */
#include "core/os/clock.h"
#include "core/os/windows/unix_module.h"

#include <windows.h>

static int64_t now_by_counter(void)
{
    static _Atomic uint64_t frequency; /* the same for every thread that finds it out */
    uint64_t rate = frequency;
    LARGE_INTEGER value;
    if (!rate) {
        QueryPerformanceFrequency(&value);
        frequency = rate = (uint64_t)value.QuadPart;
    }
    QueryPerformanceCounter(&value);
    uint64_t count = (uint64_t)value.QuadPart;
    return (int64_t)(count / rate * 1000000000u + count % rate * 1000000000u / rate);
}

uint64_t os_now_ns(void)
{
    static int64_t (*_Atomic chosen)(void); /* the same for every thread that finds it out */
    int64_t (*now_ns)(void) = chosen;
    if (!now_ns) {
        const struct unix_module *module = unix_module();
        chosen = now_ns = module ? module->now_ns : now_by_counter;
    }
    return (uint64_t)now_ns();
}

uint64_t os_coarse_now_ns(void)
{
    return os_now_ns(); /* the system's coarse clocks count from elsewhere */
}

uint64_t os_deadline_ms(uint32_t ms)
{
    return ms == UINT32_MAX ? OS_NEVER : os_now_ns() + (uint64_t)ms * 1000000u;
}

void os_sleep_ms(uint32_t ms)
{
    Sleep(ms);
}
