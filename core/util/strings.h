/* Lists of strings: arrays of pointers for free() with NULL behind the last. */
#ifndef CORE_UTIL_STRINGS_H
#define CORE_UTIL_STRINGS_H

#include <viaduct/hresult.h>

/* The strings and the list; takes NULL. */
void strings_free(char **list);
/* Every string copied; for strings_free(). NULL without memory. */
char **strings_copy(const char *const *list);
/* Takes `string`, on failure too. A NULL list is an empty one, a NULL string is one that there was
 * no memory for: E_OUTOFMEMORY, without a text. */
HRESULT strings_append(char ***list, char *string);

#endif
