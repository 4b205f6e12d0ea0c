/*
 * Checks of attributes on the object of attributes.idl, wherever that is. Each is of a row of
 * docs/types.md and of one of the ways to call: by the generated header, by via_invoke() and what
 * the object's process describes, and by IDispatch.
 */
#ifndef TESTS_ATTRIBUTES_CHECKS_H
#define TESTS_ATTRIBUTES_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/com.h>

struct attribute_check {
    const char *row;  /* "optional" */
    const char *form; /* "typed", "by-name" or "late" */
    bool (*run)(IUnknown *object);
};
extern const struct attribute_check attribute_checks[];
extern const size_t n_attribute_checks;

/* What was expected and where, of the last check that returned false. */
const char *attribute_check_failure(void);

#endif
