/* See strings.h. */
#include "core/util/strings.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void strings_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

char **strings_copy(const char *const *list)
{
    size_t count = count_of(list);
    char **copy = calloc(count + 1, sizeof(*copy));

    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(list[i]);
        if (!copy[i]) {
            strings_free(copy);
            copy = NULL;
        }
    }
    return copy;
}

HRESULT strings_append(char ***list, char *string)
{
    size_t count = count_of((const char *const *)*list);
    char **larger = string ? realloc(*list, (count + 2) * sizeof(*larger)) : NULL;

    if (!larger) {
        free(string);
        return E_OUTOFMEMORY;
    }
    larger[count] = string;
    larger[count + 1] = NULL;
    *list = larger;
    return S_OK;
}
