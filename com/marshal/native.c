#include "com/marshal/native.h"
#include "com/marshal/automation.h"
#include "com/marshal/handle.h"

#include <string.h>
#include <viaduct/com.h>

int64_t native_integer(const struct plan_type *type, const void *value)
{
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
    } number = {0};
    memcpy(&number, value, type->size);
    switch (type->kind) {
    case VIA_TYPE_I8:
        return number.i8;
    case VIA_TYPE_U8:
        return number.u8;
    case VIA_TYPE_I16:
        return number.i16;
    case VIA_TYPE_U16:
    case VIA_TYPE_WCHAR:
        return number.u16;
    case VIA_TYPE_I32:
    case VIA_TYPE_ENUM:
        return number.i32;
    case VIA_TYPE_U32:
        return number.u32;
    default:
        return number.i64;
    }
}

/* The value of a parameter or a field; NULL: it is not there. */
static const void *find_member(const struct native_scope *scope, bool is_param, uint16_t index,
                               const struct plan_type **type)
{
    if (is_param) {
        if (!scope->method || !scope->arguments)
            return NULL;
        const struct plan_param *param = &scope->method->params[index];
        *type = param->type;
        return native_target(param, scope->arguments[index]);
    }
    if (!scope->record)
        return NULL;
    *type = scope->record->fields[index].type;
    return (const char *)scope->base + scope->record->fields[index].offset;
}

static bool load(const struct native_scope *scope, bool is_param, uint16_t index,
                 const int64_t *entries, int64_t *value)
{
    const struct plan_type *type;
    if (is_param && entries) {
        *value = entries[index];
        return true;
    }
    const void *member = find_member(scope, is_param, index, &type);
    if (member)
        *value = native_integer(type, member);
    return member != NULL;
}

/* typelib_check() has seen that it is small. */
static bool evaluate(const struct native_scope *scope, const struct via_expression *all,
                     uint16_t index, const int64_t *entries, int64_t *value)
{
    const struct via_expression *self = &all[index];
    int64_t left, right;
    *value = self->value;
    if (self->op == VIA_OPERATOR_CONST)
        return true;
    if (self->op == VIA_OPERATOR_PARAM || self->op == VIA_OPERATOR_FIELD)
        return load(scope, self->op == VIA_OPERATOR_PARAM, self->left, entries, value);
    return evaluate(scope, all, self->left, entries, &left) &&
           evaluate(scope, all, self->right, entries, &right) &&
           typelib_compute(self->op, left, right, value);
}

static bool evaluate_from(const struct native_scope *scope, const struct plan_type *type,
                          uint8_t from, uint16_t index, const int64_t *entries, int64_t *value)
{
    if (from == VIA_SIZE_EXPRESSION)
        return evaluate(scope, type->expressions, index, entries, value);
    return load(scope, from == VIA_SIZE_PARAM, index, entries, value);
}

int64_t native_count(const struct native_scope *scope, const struct plan_type *type)
{
    int64_t count;
    if (type->kind == VIA_TYPE_ARRAY || type->size_from == VIA_SIZE_CONST)
        return type->count;
    bool is_known =
        evaluate_from(scope, type, type->size_from, type->size_index, scope->entry_values, &count);
    return is_known && count >= 0 ? count : -1;
}

int64_t native_length(const struct native_scope *scope, const struct plan_type *type)
{
    int64_t count = native_count(scope, type);
    int64_t length;
    if (type->length_from == VIA_SIZE_NONE)
        return count;
    bool is_known = evaluate_from(scope, type, type->length_from, type->length_index,
                                  scope->entry_choices, &length);
    return is_known && length >= 0 && length <= count ? length : -1;
}

bool native_choice(const struct native_scope *scope, const struct plan_type *type, int64_t *which)
{
    return load(scope, type->size_from == VIA_SIZE_PARAM, type->size_index, scope->entry_choices,
                which);
}

const GUID *native_iid(const struct native_scope *scope, const struct plan_type *type)
{
    const struct plan_type *guid;
    if (type->size_from == VIA_SIZE_NONE)
        return type->iid;
    return find_member(scope, type->size_from == VIA_SIZE_PARAM, type->size_index, &guid);
}

static void clear_elements(const struct plan_type *element, void *values, uint64_t n,
                           const struct native_scope *scope)
{
    for (uint64_t i = 0; i < n && !element->is_plain; i++)
        native_clear(element, (char *)values + i * element->size, scope);
}

static void clear_struct(const struct plan_struct *record, void *value,
                         const struct native_scope *outer)
{
    struct native_scope scope = *outer;
    scope.record = record;
    scope.base = value;
    /* Sizes are plain, so that they are still there whatever the order. */
    for (uint16_t i = 0; i < record->n_fields; i++) {
        const struct plan_field *field = &record->fields[i];
        if (!field->type->is_plain)
            native_clear(field->type, (char *)value + field->offset, &scope);
    }
}

/* The block behind a pointer, with what is in it. */
static void clear_pointer(const struct plan_type *type, void **value,
                          const struct native_scope *scope)
{
    if (!*value)
        return;
    int64_t n = type->kind == VIA_TYPE_POINTER ? 1 : native_length(scope, type);
    clear_elements(type->element, *value, n < 0 ? 0 : (uint64_t)n, scope);
    CoTaskMemFree(*value);
    *value = NULL;
}

static void clear_union(const struct plan_type *type, void *value, const struct native_scope *scope)
{
    int64_t which;
    bool is_known = native_choice(scope, type, &which);
    const struct plan_arm *arm = is_known ? plan_arm(type->choice, which) : NULL;
    if (arm && arm->type && !arm->type->is_plain)
        native_clear(arm->type, value, scope);
    memset(value, 0, type->size);
}

static void clear_array(const struct plan_type *type, void *value, const struct native_scope *scope)
{
    int64_t n = native_length(scope, type);
    clear_elements(type->element, value, n < 0 ? 0 : (uint64_t)n, scope);
}

void native_clear(const struct plan_type *type, void *value, const struct native_scope *scope)
{
    switch (type->kind) {
    case VIA_TYPE_BSTR:
        SysFreeString(*(BSTR *)value);
        *(BSTR *)value = NULL;
        break;
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        CoTaskMemFree(*(void **)value);
        *(void **)value = NULL;
        break;
    case VIA_TYPE_INTERFACE: {
        IUnknown *object = *(IUnknown **)value;
        *(IUnknown **)value = NULL;
        if (object)
            IUnknown_Release(object);
        break;
    }
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
        clear_pointer(type, value, scope);
        break;
    case VIA_TYPE_ARRAY:
        clear_array(type, value, scope);
        break;
    case VIA_TYPE_UNION:
        clear_union(type, value, scope);
        break;
    case VIA_TYPE_VARIANT:
        automation_clear(value);
        break;
    case VIA_TYPE_SAFEARRAY:
        automation_destroy(*(SAFEARRAY **)value);
        *(SAFEARRAY **)value = NULL;
        break;
    case VIA_TYPE_STRUCT:
        clear_struct(type->record, value, scope);
        break;
    case VIA_TYPE_HANDLE:
        handle_clear(value);
        break;
    default:
        memset(value, 0, type->size);
    }
}
