/*
 * The functions of an interface as ITypeInfo has them.
 *
 * The vtable's view has the interface's own methods, as C has them. What late-bound callers see is
 * all members, those of bases too, whose result is the [retval] parameter; where the interface is
 * dual, the seven functions of IDispatch stand in front, restricted, as in Windows' libraries.
 */
#ifndef COM_TYPEINFO_FUNCTIONS_H
#define COM_TYPEINFO_FUNCTIONS_H

#include "com/typeinfo/subject.h"

struct base_function;
struct marshal_method;

struct type_function {
    const struct marshal_method *method; /* NULL: */
    const struct base_function *base;    /* one of IDispatch's */
    unsigned slot;
    MEMBERID id;
};

UINT functions_count(const struct type_subject *subject);
/* False: there are fewer. */
bool functions_at(const struct type_subject *subject, UINT index, struct type_function *function);
/* The first one with that id, or name (without case), in one of the forms `kinds`; 0: any. */
bool functions_with_id(const struct type_subject *subject, MEMBERID id,
                       struct type_function *function);
bool functions_with_name(const struct type_subject *subject, const char *name, WORD kinds,
                         struct type_function *function);

const char *function_name(const struct type_function *function);
/* NULL: it has none. */
const char *function_help(const struct type_function *function);
INVOKEKIND function_kind(const struct type_function *function);
/* Parameters of the view: a result is none. */
unsigned function_n_params(const struct type_subject *subject,
                           const struct type_function *function);
const char *function_param_name(const struct type_function *function, unsigned index);

/* For function_free(). NULL without memory. */
FUNCDESC *function_describe(const struct type_subject *subject,
                            const struct type_function *function);
void function_free(FUNCDESC *desc);

#endif
