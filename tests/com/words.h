/* The words of a scenario's lines (scenario.txt says what they mean). */
#ifndef TESTS_COM_WORDS_H
#define TESTS_COM_WORDS_H

#include <stdbool.h>
#include <viaduct/late.h>

#define MAX_WORDS 24

enum word_kind {
    WORD_PLAIN,   /* a number, true, false, an object's name; of verbs and members all of these */
    WORD_TEXT,    /* "a text" */
    WORD_LIST,    /* [1,two,3] */
    WORD_OMITTED, /* - */
    WORD_VARIABLE /* &, or & with a number in it: what a method may write to */
};

struct word {
    enum word_kind kind;
    const char *name; /* of the parameter that it is for; NULL: by position */
    char *text;
};

/* Cuts the line up, in place; the number of words. */
unsigned words_split(char *line, struct word *words);

/* For SysFreeString(); of ASCII. */
BSTR word_bstr(const char *text);
/* `object`: what the word names, or NULL. For VariantClear(). */
void word_to_variant(const struct word *word, IUnknown *object, VARIANT *value);
/* The same for via_invoke_list(): as C's own types, where C has one; else `variant` holds it, which
 * is for VariantClear() and lives as long as the argument. A variable is read from, and written to,
 * `variant`. */
struct via_argument word_to_argument(const struct word *word, IUnknown *object, VARIANT *variant);

#endif
