#include <viaduct/taskmem.h>

#include <stdlib.h>

void *CoTaskMemAlloc(SIZE_T size)
{
    /* COM gives a pointer for size 0 too. */
    return malloc(size ? size : 1);
}

void *CoTaskMemRealloc(void *memory, SIZE_T size)
{
    if (memory && size == 0) {
        free(memory);
        return NULL;
    }
    return realloc(memory, size ? size : 1);
}

void CoTaskMemFree(void *memory)
{
    free(memory);
}
