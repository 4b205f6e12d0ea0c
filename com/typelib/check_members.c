/*
 * Validation of what types need to know of their neighbours: how many elements an array has, which
 * arm of a union it is, of which interface a pointer is. Each stands in a parameter of the same
 * method or a field of the same struct, or is computed from those.
 */
#include "com/typelib/check.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* --- expressions --- */

static bool is_leaf(uint16_t op)
{
    return op == VIA_OPERATOR_CONST || op == VIA_OPERATOR_PARAM || op == VIA_OPERATOR_FIELD;
}

/* Operands come before what uses them, so that there is no circle; and each expression is small
 * when its parts are counted as often as they are used, since it is evaluated on calls. */
HRESULT check_expressions(const struct via_typelib *lib)
{
    uint8_t *sizes = calloc((size_t)lib->n_expressions + 1, 1);
    HRESULT hr = sizes ? S_OK : error_set(E_OUTOFMEMORY, "no memory to check a type library");
    for (uint16_t i = 0; i < lib->n_expressions && SUCCEEDED(hr); i++) {
        const struct via_expression *self = &lib->expressions[i];
        sizes[i] = 1;
        if (self->op < VIA_OPERATOR_CONST || self->op > VIA_OPERATOR_SHIFT_RIGHT || self->reserved)
            hr = error_set(VIA_E_TYPE, "expression %u has an unknown operator", i);
        else if (is_leaf(self->op))
            continue;
        else if (self->left >= i || self->right >= i)
            hr = error_set(VIA_E_TYPE, "expression %u has an operand that does not come before it",
                           i);
        else if (sizes[self->left] + sizes[self->right] >= TYPELIB_MAX_EXPRESSION)
            hr = error_set(VIA_E_TYPE, "expression %u has more than %d parts", i,
                           TYPELIB_MAX_EXPRESSION);
        else
            sizes[i] = (uint8_t)(sizes[self->left] + sizes[self->right] + 1);
    }
    free(sizes);
    return hr;
}

/* --- unions --- */

/* The type at the end of fixed arrays and pointers; every size_is on the way is a number. */
static const struct via_type *arm_end(const struct via_typelib *lib, uint16_t index)
{
    const struct via_type *type = &lib->types[index];
    while (type->kind == VIA_TYPE_ARRAY || type->kind == VIA_TYPE_POINTER ||
           type->kind == VIA_TYPE_SIZED) {
        bool is_counted = type->kind == VIA_TYPE_SIZED && type->size_from != VIA_SIZE_CONST;
        if (is_counted || type->length_from != VIA_SIZE_NONE)
            return NULL;
        type = &lib->types[type->element];
    }
    return type;
}

static HRESULT check_arm(const struct via_typelib *lib, const struct via_union *self,
                         const struct via_arm *arm)
{
    if (arm->type == VIA_NO_INDEX && arm->name && !*arm->name)
        return S_OK;
    if (!check_is_name(arm->name) || arm->type >= lib->n_types)
        return error_set(VIA_E_TYPE, "union %s has an arm without a valid name or type",
                         self->name);
    const struct via_type *end = arm_end(lib, arm->type);
    bool needs_more = !end || end->kind == VIA_TYPE_UNION || end->kind == VIA_TYPE_HANDLE ||
                      end->kind == VIA_TYPE_OPAQUE ||
                      (end->kind == VIA_TYPE_INTERFACE && end->size_from != VIA_SIZE_NONE);
    if (needs_more)
        return error_set(VIA_E_TYPE, "%s.%s: an arm of a union cannot refer to what is beside it",
                         self->name, arm->name);
    return S_OK;
}

static HRESULT check_cases(const struct via_union *self)
{
    if (self->default_arm != VIA_NO_INDEX && self->default_arm >= self->n_arms)
        return error_set(VIA_E_TYPE, "union %s has no arm %u for its default", self->name,
                         self->default_arm);
    for (uint16_t i = 0; i < self->n_cases; i++) {
        if (self->cases[i].arm >= self->n_arms)
            return error_set(VIA_E_TYPE, "union %s has no arm %u", self->name, self->cases[i].arm);
        for (uint16_t j = 0; j < i; j++)
            if (self->cases[j].value == self->cases[i].value)
                return error_set(VIA_E_TYPE, "union %s has two arms for %d", self->name,
                                 self->cases[i].value);
    }
    return S_OK;
}

HRESULT check_unions(const struct via_typelib *lib)
{
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < lib->n_unions && SUCCEEDED(hr); i++) {
        const struct via_union *self = &lib->unions[i];
        bool holds_something = false;
        if (!check_is_name(self->name))
            return error_set(VIA_E_TYPE, "union %u of the type library has no valid name", i);
        if (self->n_arms > TYPELIB_MAX_ENTRIES || self->n_cases > TYPELIB_MAX_ENTRIES)
            return error_set(VIA_E_TYPE, "union %s has more than %u arms or cases", self->name,
                             TYPELIB_MAX_ENTRIES);
        for (uint16_t j = 0; j < self->n_arms && SUCCEEDED(hr); j++) {
            hr = check_arm(lib, self, &self->arms[j]);
            holds_something |= self->arms[j].type != VIA_NO_INDEX;
        }
        if (SUCCEEDED(hr) && !holds_something)
            hr = error_set(VIA_E_TYPE, "union %s has no arm that holds something", self->name);
        if (SUCCEEDED(hr))
            hr = check_cases(self);
        if (SUCCEEDED(hr))
            hr = check_help(self->name, self->help);
    }
    return hr;
}

/* --- what a type refers to --- */

enum need { NEED_SIZE, NEED_LENGTH, NEED_SWITCH, NEED_IID };

/* Who uses a type: a parameter or a field. */
struct user {
    const struct via_typelib *lib;
    const struct via_method *method; /* or */
    const struct via_struct *record;
    const char *owner; /* for messages: the interface's or the struct's name */
    const char *name;
    bool goes_in;     /* of a parameter: something of it is sent with the call */
    bool is_replaced; /* of a parameter: the method makes it, whole */
};

static HRESULT fail(const struct user *self, const char *what)
{
    if (self->method)
        return error_set(VIA_E_TYPE, "%s.%s(%s): %s", self->owner, self->method->name, self->name,
                         what);
    return error_set(VIA_E_TYPE, "%s.%s: %s", self->owner, self->name, what);
}

static bool can_be(enum need need, uint8_t kind)
{
    if (need == NEED_IID)
        return kind == VIA_TYPE_GUID;
    if (need == NEED_SWITCH && (kind == VIA_TYPE_ENUM || kind == VIA_TYPE_WCHAR))
        return true;
    return kind >= VIA_TYPE_I8 &&
           kind <= (need == NEED_SWITCH ? (uint8_t)VIA_TYPE_U32 : (uint8_t)VIA_TYPE_U64);
}

static const char *const missing[] = {
    [NEED_SIZE] = "its size_is names nothing in the same struct or method",
    [NEED_LENGTH] = "its length_is names nothing in the same struct or method",
    [NEED_SWITCH] = "its switch_is names nothing in the same struct or method",
    [NEED_IID] = "its iid_is names nothing in the same struct or method",
};
static const char *const unfit[] = {
    [NEED_SIZE] = "its size is not an integer",
    [NEED_LENGTH] = "its length is not an integer",
    [NEED_SWITCH] = "its discriminant is not an integer of 32 bits, nor an enum",
    [NEED_IID] = "its IID is not a GUID",
};

/* The size must be known where the elements are made: at the caller for what goes in and for its
 * own buffer, at the method for what it allocates. The others are needed where it is read. */
static bool is_late(const struct user *self, enum need need, const struct via_param *other)
{
    bool is_early = self->goes_in || (need == NEED_SIZE && !self->is_replaced);
    return is_early && !(other->flags & VIA_PARAM_IN);
}

static HRESULT check_param_member(const struct user *self, enum need need, uint16_t index)
{
    if (!self->method || index >= self->method->n_params)
        return fail(self, missing[need]);
    const struct via_param *other = &self->method->params[index];
    if (other->type >= self->lib->n_types || !can_be(need, self->lib->types[other->type].kind))
        return fail(self, unfit[need]);
    if (other->flags & VIA_PARAM_NULLABLE)
        return fail(self, "its size, discriminant or IID may be NULL");
    if (is_late(self, need, other))
        return fail(self, "its size, discriminant or IID is not an [in] parameter");
    return S_OK;
}

static HRESULT check_field_member(const struct user *self, enum need need, uint16_t index)
{
    if (!self->record || index >= self->record->n_fields)
        return fail(self, missing[need]);
    uint16_t type = self->record->fields[index].type;
    if (type >= self->lib->n_types || !can_be(need, self->lib->types[type].kind))
        return fail(self, unfit[need]);
    return S_OK;
}

/* Expressions are known to be small and to end by now. */
static HRESULT check_operands(const struct user *self, enum need need, uint16_t index)
{
    const struct via_expression *it = &self->lib->expressions[index];
    if (it->op == VIA_OPERATOR_CONST)
        return S_OK;
    if (it->op == VIA_OPERATOR_PARAM)
        return check_param_member(self, need, it->left);
    if (it->op == VIA_OPERATOR_FIELD)
        return check_field_member(self, need, it->left);
    HRESULT hr = check_operands(self, need, it->left);
    return FAILED(hr) ? hr : check_operands(self, need, it->right);
}

static HRESULT check_member(const struct user *self, enum need need, uint8_t from, uint16_t index)
{
    switch (from) {
    case VIA_SIZE_PARAM:
        return check_param_member(self, need, index);
    case VIA_SIZE_FIELD:
        return check_field_member(self, need, index);
    case VIA_SIZE_EXPRESSION:
        if (need == NEED_SWITCH || need == NEED_IID || index >= self->lib->n_expressions)
            return fail(self, missing[need]);
        return check_operands(self, need, index);
    default: /* nothing, or a number */
        return S_OK;
    }
}

/* The type and all that it is made of, as far as they share its neighbours. */
static HRESULT check_user(const struct user *self, uint16_t index)
{
    HRESULT hr = S_OK;
    for (const struct via_type *type = &self->lib->types[index]; SUCCEEDED(hr);
         type = &self->lib->types[type->element]) {
        enum need need = type->kind == VIA_TYPE_UNION       ? NEED_SWITCH
                         : type->kind == VIA_TYPE_INTERFACE ? NEED_IID
                                                            : NEED_SIZE;
        hr = check_member(self, need, type->size_from, type->size_index);
        if (SUCCEEDED(hr))
            hr = check_member(self, NEED_LENGTH, type->length_from, type->length_index);
        if (type->kind != VIA_TYPE_ARRAY && type->kind != VIA_TYPE_SIZED &&
            type->kind != VIA_TYPE_POINTER)
            break;
    }
    return hr;
}

HRESULT check_field_references(const struct via_typelib *lib, const struct via_struct *record,
                               const struct via_field *field)
{
    struct user user = {.lib = lib, .record = record, .owner = record->name, .name = field->name};
    return check_user(&user, field->type);
}

HRESULT check_param_references(const struct via_typelib *lib, const struct via_interface *iface,
                               const struct via_method *method, const struct via_param *param)
{
    struct user user = {.lib = lib,
                        .method = method,
                        .owner = iface->name,
                        .name = param->name,
                        .goes_in = param->flags & VIA_PARAM_IN,
                        .is_replaced = param->flags & VIA_PARAM_BY_REF};
    return check_user(&user, param->type);
}
