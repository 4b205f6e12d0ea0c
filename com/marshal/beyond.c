#include "com/marshal/beyond.h"

#include "com/marshal/plan.h"
#include "com/typelib/builtin.h"

bool marshal_method_is_dual(const struct marshal_method *method)
{
    return (method->owner->flags & VIA_INTERFACE_DUAL) &&
           !(method->method->flags & (VIA_METHOD_RESTRICTED | VIA_METHOD_VARARG));
}

/* COM's own interfaces have marshalers of their own, which know what theirs are. */
static bool is_builtin(const struct via_typelib *lib)
{
    return lib == &builtin_typelib || lib == &builtin_events_typelib ||
           lib == &builtin_streams_typelib;
}

const char *marshal_method_param_beyond_com(const struct marshal_method *method)
{
    for (uint16_t i = 0; i < method->n_params && !is_builtin(method->lib); i++) {
        const struct plan_type *type = method->params[i].type;
        if (type->kind == VIA_TYPE_SIZED || type->kind == VIA_TYPE_STRING8 ||
            (type->kind == VIA_TYPE_INTERFACE && type->size_from != VIA_SIZE_NONE))
            return method->params[i].param->name;
    }
    return NULL;
}
