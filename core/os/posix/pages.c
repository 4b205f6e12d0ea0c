#include "core/os/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

/* The address sanitizer sees only what lies beside memory of malloc's. */
#ifdef __SANITIZE_ADDRESS__
void *os_pages_new(size_t size)
{
    return calloc(1, size);
}

void os_pages_free(void *pages, size_t size)
{
    (void)size;
    free(pages);
}
#else
void *os_pages_new(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void os_pages_free(void *pages, size_t size)
{
    if (pages != NULL)
        munmap(pages, size);
}
#endif
