/* The arguments of via_invoke() as the values of a call by name, and its results back. */
#ifndef COM_DISPATCH_ARGUMENTS_H
#define COM_DISPATCH_ARGUMENTS_H

#include <stdbool.h>
#include <viaduct/late.h>

#include "com/typelib/typelib.h"

struct marshal_method;

#define ARGUMENTS_MAX_REST 256

struct arguments {
    const struct marshal_method *method;
    const struct via_argument *given[TYPELIB_MAX_PARAMS]; /* by parameter; NULL: none */
    bool leaves_sizes;                                    /* what counts arrays was not given */
    const struct via_argument *rest[ARGUMENTS_MAX_REST];  /* beyond the others: [vararg] */
    uint32_t n_rest;
};

/* Finds the parameter of each argument; `list` is borrowed. DISP_E_BADPARAMCOUNT,
 * DISP_E_PARAMNOTFOUND, DISP_E_PARAMNOTOPTIONAL. */
HRESULT arguments_match(struct arguments *self, const struct marshal_method *method,
                        const struct via_argument *list, size_t n);
/* The [in] arguments, in order. */
HRESULT arguments_to_values(const struct arguments *self, struct via_value *in);
/* Writes the results, all or none. Takes what it needs out of `out`. */
HRESULT arguments_from_values(const struct arguments *self, struct via_value *out);
/* Pointers that receive something are NULL until then, but for those whose content goes in, too.
 * `self` NULL: before it is known which these are. */
void arguments_clear_results(const struct arguments *self, const struct via_argument *list,
                             size_t n);

/* One argument alone, and one result alone, for calls without a description. */
HRESULT argument_to_value(const struct via_argument *argument, struct via_value *value);
bool argument_is_result(const struct via_argument *argument);

#endif
