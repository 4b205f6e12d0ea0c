/* Memory of one run of the compiler: taken piece by piece, given back all at once. Running out ends
 * the program, which is a tool of its own. */
#ifndef COM_IDL_ARENA_H
#define COM_IDL_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *blocks;
};

/* Zeroed. */
void *arena_allocate(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t size);
char *arena_print(struct arena *arena, const char *format, ...);
/* Makes room for one more element in an array of the arena: *n is counted up, the new element
 * zeroed. */
void *arena_append(struct arena *arena, void **array, size_t *n, size_t element_size);
void arena_free(struct arena *arena);

#endif
