/*
 * The preprocessor and the lexer in one: characters of a stack of inputs (files, macro
 * replacements) become tokens. Directives, comments and conditions are gone afterwards.
 */
#ifndef COM_IDL_LEX_H
#define COM_IDL_LEX_H

#include "com/idl/source.h"

#include <stdint.h>

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_REAL, /* "1.5", "-2e-3": its sign is a part of it */
    TOKEN_STRING,
    TOKEN_PUNCTUATION,
    TOKEN_OTHER /* begins like a number and is none, or is no character of IDL */
};

struct token {
    enum token_kind kind;
    struct position position;
    const char *text; /* the name; the string without quotes, escapes resolved; one
                         character */
    int64_t number;
    double real;
};

struct macro {
    const char *name;
    const char *text;
};

struct lexer {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const char *const *directories; /* -I, NULL at the end */
    struct input *input;
    struct macro *macros;
    size_t n_macros;
    unsigned n_includes;
    size_t total; /* what the inputs had so far, SOURCE_MAX_TOTAL at most */
    bool failed;  /* an error that nothing can follow */
};

void lexer_init(struct lexer *lexer, struct arena *arena, struct diagnostics *diagnostics,
                const char *const *directories);
/* Puts a file in front of what is left. `end_marks`: its end gives a TOKEN_END instead of going on.
 */
void lexer_push_file(struct lexer *lexer, const struct source_file *file, bool end_marks);
/* Ends a file that gave TOKEN_END. */
void lexer_pop_file(struct lexer *lexer);

struct token lexer_next(struct lexer *lexer);
/* The raw word "xxxxxxxx-xxxx-...": what stands in uuid() and custom(). Macros are replaced. NULL:
 * none. */
const char *lexer_uuid(struct lexer *lexer, struct position *position);

#endif
