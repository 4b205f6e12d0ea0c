/* Random values for the client by name. */
#ifndef TESTS_RANDOM_INTERFACES_VALUES_H
#define TESTS_RANDOM_INTERFACES_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void random_seed(uint64_t seed);
uint32_t random_next(void);

/* The object of that name in a list, borrowed; NULL: there is none. */
json_t *find_named(json_t *list, const char *name);

/* A value of the type, in the library that has its structs. `others`: the arguments, or the fields,
 * that are there already. An interface is "callback". */
json_t *random_value(json_t *lib, json_t *type, json_t *others);
/* One of `members` that others are made by, and that cannot be filled in: a discriminant, a part of
 * an expression, an IID. NULL: it is an ordinary one. */
json_t *random_needed(json_t *lib, json_t *members, json_t *member);
/* Whether the member of that name counts the elements of another one. */
bool random_is_size(json_t *members, const char *name);
/* Prints which kinds of types had no value yet. */
bool random_had_all_kinds(void);

#endif
