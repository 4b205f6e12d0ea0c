/*
 * Input files, positions in them, and errors that show where they are.
 */
#ifndef COM_IDL_SOURCE_H
#define COM_IDL_SOURCE_H

#include "com/idl/arena.h"
#include "core/util/printf.h"

#include <stdbool.h>
#include <stddef.h>

/* A file of at most this many bytes. */
#define SOURCE_MAX_SIZE (8u << 20)
/* All files and macros together, each time that they are used: a few that double each other would
 * otherwise never end. */
#define SOURCE_MAX_TOTAL (16u << 20)
/* After so many errors the compiler gives up. */
#define SOURCE_MAX_ERRORS 20

struct source_file {
    const char *path;
    const char *text; /* zero-terminated */
    size_t size;
};

struct position {
    const struct source_file *file;
    size_t offset;
};

struct diagnostics {
    unsigned n_errors;
};

/* Prints "file:line:column: error: text", the line and a caret. */
void diagnostics_error(struct diagnostics *diagnostics, struct position position,
                       const char *format, ...) PRINTF_LIKE(3, 4);

/* Reads a whole file; NULL after printing nothing: the caller knows where it was asked for.
 * `reason` receives what is wrong. */
const struct source_file *source_open(struct arena *arena, const char *path, const char **reason);
/* The file under `name`: beside `from`, then in `directories` (NULL at the end). NULL: not found.
 */
const char *source_find(struct arena *arena, const char *name, const char *from,
                        const char *const *directories);

#endif
