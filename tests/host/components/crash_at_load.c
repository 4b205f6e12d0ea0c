/* A module that ends its process while it is loaded. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void crash(void)
{
    fputs("the moon is full\n", stderr);
    fflush(stderr);
    abort();
}
