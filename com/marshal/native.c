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
        return number.u16;
    case VIA_TYPE_I32:
        return number.i32;
    case VIA_TYPE_U32:
        return number.u32;
    default:
        return number.i64;
    }
}

int64_t native_count(const struct native_scope *scope, const struct plan_type *type)
{
    int64_t count = -1;
    if (type->size_from == VIA_SIZE_CONST)
        return type->count;
    if (type->size_from == VIA_SIZE_PARAM && scope->entry_values)
        count = scope->entry_values[type->size_index];
    else if (type->size_from == VIA_SIZE_PARAM && scope->method && scope->arguments) {
        const struct plan_param *size = &scope->method->params[type->size_index];
        void *target = native_target(size, scope->arguments[type->size_index]);
        if (target)
            count = native_integer(size->type, target);
    }
    if (type->size_from == VIA_SIZE_FIELD && scope->record) {
        const struct plan_field *size = &scope->record->fields[type->size_index];
        count = native_integer(size->type, (const char *)scope->base + size->offset);
    }
    return count < 0 ? -1 : count;
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
    int64_t n = type->kind == VIA_TYPE_POINTER ? 1 : native_count(scope, type);
    clear_elements(type->element, *value, n < 0 ? 0 : (uint64_t)n, scope);
    CoTaskMemFree(*value);
    *value = NULL;
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
        clear_elements(type->element, value, type->count, scope);
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
