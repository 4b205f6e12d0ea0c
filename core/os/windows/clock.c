#include "core/os/clock.h"

#include <windows.h>

uint64_t os_now_ns(void)
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
    return count / rate * 1000000000u + count % rate * 1000000000u / rate;
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
