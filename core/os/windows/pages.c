#include "core/os/pages.h"

#include <windows.h>

void *os_pages_new(size_t size)
{
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void os_pages_free(void *pages, size_t size)
{
    (void)size;
    if (pages != NULL)
        VirtualFree(pages, 0, MEM_RELEASE);
}
