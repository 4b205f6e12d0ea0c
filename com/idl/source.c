#include "com/idl/source.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer lines are shown cut. */
#define SHOWN_WIDTH 160

void diagnostics_error(struct diagnostics *diagnostics, struct position position,
                       const char *format, ...)
{
    diagnostics->n_errors++;
    unsigned line = 1;
    size_t start = 0;
    for (size_t i = 0; i < position.offset; i++) {
        if (position.file->text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    size_t column = position.offset - start;
    fprintf(stderr, "%s:%u:%zu: error: ", position.file->path, line, column + 1);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    /* Of a long line, the part around the place. */
    size_t skipped = column < SHOWN_WIDTH ? 0 : column - SHOWN_WIDTH / 2;
    const char *text = position.file->text + start + skipped;
    size_t width = strcspn(text, "\r\n");
    fprintf(stderr, "\n    %.*s\n    ", (int)(width < SHOWN_WIDTH ? width : SHOWN_WIDTH), text);
    for (size_t i = 0; i < column - skipped; i++)
        fputc(text[i] == '\t' ? '\t' : ' ', stderr);
    fputs("^\n", stderr);
}

const struct source_file *source_open(struct arena *arena, const char *path, const char **reason)
{
    CLEANUP(cleanup_free) char *text = NULL;
    size_t size;
    if (FAILED(os_file_read(path, SOURCE_MAX_SIZE, &text, &size))) {
        *reason = arena_print(arena, "%s", error_get()->text);
        return NULL;
    }
    if (strlen(text) != size) {
        *reason = arena_print(arena, "%s holds a zero byte: it is no text", path);
        return NULL;
    }
    struct source_file *file = arena_allocate(arena, sizeof(*file));
    *file = (struct source_file){arena_text(arena, path, strlen(path)),
                                 arena_text(arena, text, size), size};
    return file;
}

const char *source_find(struct arena *arena, const char *name, const char *from,
                        const char *const *directories)
{
    CLEANUP(cleanup_free) char *here = os_path_directory(from);
    for (size_t i = 0; here; i++) {
        const char *directory = i == 0 ? here : directories[i - 1];
        if (!directory)
            break;
        CLEANUP(cleanup_free) char *path = os_path_join(directory, name);
        if (path && os_file_exists(path))
            return arena_text(arena, path, strlen(path));
    }
    return NULL;
}
