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
    void *const *arguments;       /* as libffi has them; NULL: sizes are not known */
    const int64_t *entry_values;  /* what size parameters held when the call began, for arrays that
                                   * the method does not replace; NULL: what they hold now */
    const int64_t *entry_choices; /* the same of lengths and discriminants */
    const struct plan_struct *record;
    const void *base; /* of the struct */
};

/* Elements of one call's arrays that have room, and are not sent (length_is), take at most so much
 * together: memory that no bytes of the message pay for. */
#define NATIVE_MAX_SLACK (16u << 20)

/* Why a value of VIA_TYPE_OPAQUE cannot be passed; behind "interface.method: argument name: ". */
#define NATIVE_OPAQUE                                                                          \
    "its description does not say what it is (a pointer to one, or to how many?), so that it " \
    "cannot be passed to another process; for a COM class a side file of the host (\"com\": "  \
    "{\"annotations\": [FILE]}) can say it, in a line like {\"INTERFACE\": {\"METHOD\": "      \
    "{\"PARAMETER\": {\"size_is\": \"COUNT\"}}}}, or \"one\", \"string\" or \"iid_is\""

/* What a size, a length or a discriminant can be. */
static inline bool native_is_integer(const struct plan_type *type)
{
    return (type->kind >= VIA_TYPE_I8 && type->kind <= VIA_TYPE_U64) ||
           type->kind == VIA_TYPE_ENUM || type->kind == VIA_TYPE_WCHAR;
}
/* An integer of one of those. */
int64_t native_integer(const struct plan_type *type, const void *value);
/* The value that an argument stands for: itself, or what it points to (NULL then possible). */
static inline void *native_target(const struct plan_param *plan, void *argument)
{
    return plan->is_by_ref ? *(void **)argument : argument;
}
/* Elements that there is room for, of a SIZED or ARRAY type. -1: unknown or negative. */
int64_t native_count(const struct native_scope *scope, const struct plan_type *type);
/* Those of them that count, which are the first. -1: unknown, negative, or more than there is room
 * for. */
int64_t native_length(const struct native_scope *scope, const struct plan_type *type);
/* The discriminant of a union. False: unknown. */
bool native_choice(const struct native_scope *scope, const struct plan_type *type, int64_t *which);
/* Of an interface pointer. NULL: unknown. */
const GUID *native_iid(const struct native_scope *scope, const struct plan_type *type);

/* Frees everything that the value holds and zeroes it; `value` itself is the caller's. */
void native_clear(const struct plan_type *type, void *value, const struct native_scope *scope);

#endif
