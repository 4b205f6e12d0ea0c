/* What the targets need of driver.c where clang's libFuzzer drives them. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

bool fuzz_accepted;

void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

void fuzz_write_file(const char *directory, const char *name, const void *data, size_t size)
{
    (void)directory, (void)name, (void)data, (void)size;
}
