#include "com/typelib/scope.h"
#include "core/util/buffer.h"

bool scope_is_refguid(const struct via_typelib *lib, const struct via_param *param)
{
    unsigned which = VIA_PARAM_IN | VIA_PARAM_OUT | VIA_PARAM_BY_REF | VIA_PARAM_NULLABLE;
    return lib->types[param->type].kind == VIA_TYPE_GUID &&
           (param->flags & which) == (VIA_PARAM_IN | VIA_PARAM_BY_REF);
}

static void print_member(const struct via_typelib *lib, struct scope scope, uint16_t index,
                         struct buffer *text)
{
    if (scope.method) {
        const struct via_param *param = &scope.method->params[index];
        bool is_pointer =
            scope.is_idl && param->flags & VIA_PARAM_BY_REF && !scope_is_refguid(lib, param);
        buffer_print(text, "%s%s", is_pointer ? "*" : "", param->name);
    } else if (scope.record) {
        buffer_print(text, "%s", scope.record->fields[index].name);
    } else {
        buffer_print(text, "of %u", index);
    }
}

static void print_expression(const struct via_typelib *lib, struct scope scope, uint16_t index,
                             struct buffer *text)
{
    const struct via_expression *self = &lib->expressions[index];
    if (self->op == VIA_OPERATOR_CONST) {
        buffer_print(text, "%lld", (long long)self->value);
    } else if (self->op == VIA_OPERATOR_PARAM || self->op == VIA_OPERATOR_FIELD) {
        print_member(lib, scope, self->left, text);
    } else {
        buffer_print(text, "(");
        print_expression(lib, scope, self->left, text);
        buffer_print(text, " %s ", typelib_operator_name(self->op));
        print_expression(lib, scope, self->right, text);
        buffer_print(text, ")");
    }
}

void scope_print(const struct via_typelib *lib, struct scope scope, uint8_t from, uint16_t index,
                 struct buffer *text)
{
    if (from == VIA_SIZE_EXPRESSION)
        print_expression(lib, scope, index, text);
    else
        print_member(lib, scope, index, text);
}
