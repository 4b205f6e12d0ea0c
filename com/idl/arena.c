#include "com/idl/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

static void out_of_memory(void)
{
    fputs("viaduct-idl: out of memory\n", stderr);
    exit(1);
}

void *arena_allocate(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof(*block) + size);
    if (!block)
        out_of_memory();
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

char *arena_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_allocate(arena, size + 1);
    memcpy(copy, text, size);
    return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0)
        out_of_memory();
    char *text = arena_allocate(arena, (size_t)n + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)n + 1, format, arguments);
    va_end(arguments);
    return text;
}

void *arena_append(struct arena *arena, void **array, size_t *n, size_t element_size)
{
    /* Grows at powers of two; the old array stays in the arena. */
    if ((*n & (*n - 1)) == 0) {
        size_t room = *n ? *n * 2 : 1;
        void *larger = arena_allocate(arena, room * element_size);
        if (*n)
            memcpy(larger, *array, *n * element_size);
        *array = larger;
    }
    return (char *)*array + (*n)++ * element_size;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
