/*
 * Walking native values: counting the elements of size_is arrays, and freeing what values hold.
 */
#ifndef COM_MARSHAL_NATIVE_H
#define COM_MARSHAL_NATIVE_H

#include "com/marshal/plan.h"

/* Where the sizes of size_is types are: the arguments of a call, or the struct that holds the
 * field. */
struct native_scope {
    const struct marshal_method *method;
    void *const *arguments;      /* as libffi has them; NULL: sizes are not known */
    const int64_t *entry_values; /* what size parameters held when the call began, for arrays that
                                  * the method does not replace; NULL: what they hold now */
    const struct plan_struct *record;
    const void *base; /* of the struct */
};

/* An integer of one of the types that may be sizes. Negative: -1. */
int64_t native_integer(const struct plan_type *type, const void *value);
/* The value that an argument stands for: itself, or what it points to (NULL then possible). */
static inline void *native_target(const struct plan_param *plan, void *argument)
{
    return plan->is_by_ref ? *(void **)argument : argument;
}
/* Elements of a SIZED type. -1: unknown or negative. */
int64_t native_count(const struct native_scope *scope, const struct plan_type *type);

/* Frees everything that the value holds and zeroes it; `value` itself is the caller's. */
void native_clear(const struct plan_type *type, void *value, const struct native_scope *scope);

#endif
