/* Native memory to values. */
#include "com/marshal/automation.h"
#include "com/marshal/by_name.h"
#include "com/marshal/code_page.h"
#include "com/marshal/handle.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void allow_null(struct by_name *self, const struct plan_type *type)
{
    if (!type->is_nullable && type->kind != VIA_TYPE_BSTR)
        by_name_fail(self, E_POINTER, "it is NULL, which it may not be");
}

static void get_scalar(const struct plan_type *type, const void *native, struct via_value *value)
{
    float single;
    uint64_t number = 0;
    switch (type->kind) {
    case VIA_TYPE_F32:
        memcpy(&single, native, sizeof(single));
        value->kind = VIA_VALUE_F64;
        value->as.f64 = single;
        break;
    case VIA_TYPE_F64:
        value->kind = VIA_VALUE_F64;
        memcpy(&value->as.f64, native, sizeof(double));
        break;
    case VIA_TYPE_BOOL:
        memcpy(&number, native, sizeof(VARIANT_BOOL));
        value->kind = VIA_VALUE_BOOL;
        value->as.boolean = number != 0;
        break;
    case VIA_TYPE_GUID:
        value->kind = VIA_VALUE_GUID;
        memcpy(&value->as.guid, native, sizeof(GUID));
        break;
    case VIA_TYPE_U64:
        memcpy(&number, native, sizeof(number));
        value->kind = number > INT64_MAX ? VIA_VALUE_U64 : VIA_VALUE_I64;
        value->as.u64 = number;
        break;
    case VIA_TYPE_WCHAR:
        memcpy(&number, native, sizeof(WCHAR));
        value->kind = VIA_VALUE_I64;
        value->as.i64 = (int64_t)number;
        break;
    case VIA_TYPE_HRESULT: {
        int32_t code;
        memcpy(&code, native, sizeof(code));
        value->kind = VIA_VALUE_I64;
        value->as.i64 = code;
        break;
    }
    default:
        value->kind = VIA_VALUE_I64;
        value->as.i64 = native_integer(type, native);
    }
}

/* By its name, when it has one. */
static void get_enum(struct by_name *self, const struct plan_type *type, const void *native,
                     struct via_value *value)
{
    const struct via_enum *list = type->enumeration;
    int32_t number;
    memcpy(&number, native, sizeof(number));
    for (uint16_t i = 0; i < list->n_values; i++) {
        if (list->values[i].value != number)
            continue;
        by_name_check(
            self, via_value_set_string(value, list->values[i].name, strlen(list->values[i].name)));
        return;
    }
    value->kind = VIA_VALUE_I64;
    value->as.i64 = number;
}

/* An odd number of bytes is no text. */
static void get_bytes(struct by_name *self, BSTR native, struct via_value *value)
{
    UINT n = SysStringByteLen(native);
    const uint8_t *bytes = (const uint8_t *)native;
    CLEANUP(cleanup_free) char *hex = malloc(2 * (size_t)n + 1);
    struct via_value *field = NULL;
    for (UINT i = 0; hex && i < n; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", bytes[i]);
    by_name_check(self, hex ? via_value_add_field(value, "bytes", &field) : E_OUTOFMEMORY);
    if (field)
        by_name_check(self, via_value_set_string(field, hex, 2 * (size_t)n));
}

static void get_string(struct by_name *self, const struct plan_type *type, void *native,
                       struct via_value *value)
{
    if (!native) {
        allow_null(self, type);
        return;
    }
    if (type->kind == VIA_TYPE_STRING8) {
        CLEANUP(cleanup_free) char *utf8 = code_page_is_used() ? code_page_to_utf8(native) : NULL;
        const char *text = code_page_is_used() ? utf8 : native;
        by_name_check(self, text ? via_value_set_string(value, text, strlen(text)) : E_OUTOFMEMORY);
        return;
    }
    if (type->kind == VIA_TYPE_BSTR && SysStringByteLen(native) % sizeof(OLECHAR)) {
        get_bytes(self, native, value);
        return;
    }
    size_t n = type->kind == VIA_TYPE_BSTR ? SysStringLen(native) : utf16_length(native);
    size_t size = 0;
    CLEANUP(cleanup_free) char *text = utf_from_wide_counted(native, n, &size);
    by_name_check(self, text ? via_value_set_string(value, text, size) : E_OUTOFMEMORY);
}

void by_name_get_elements(struct by_name *self, const struct plan_type *element, const void *native,
                          uint32_t n, const struct native_scope *scope, struct via_value *value)
{
    uint32_t size = element->size;
    by_name_check(self, via_value_set_list(value, n));
    for (uint32_t i = 0; i < n && SUCCEEDED(self->result); i++)
        by_name_from_native(self, element, (const char *)native + (size_t)i * size, scope,
                            &value->as.items[i]);
}

static void get_struct(struct by_name *self, const struct plan_type *type, const void *native,
                       const struct native_scope *outer, struct via_value *value)
{
    const struct plan_struct *record = type->record;
    struct native_scope scope = *outer;
    scope.record = record;
    scope.base = native;
    for (uint16_t i = 0; i < record->n_fields && SUCCEEDED(self->result); i++) {
        struct via_value *field = NULL;
        by_name_check(self, via_value_add_field(value, record->fields[i].name, &field));
        if (field)
            by_name_from_native(self, record->fields[i].type,
                                (const char *)native + record->fields[i].offset, &scope, field);
    }
}

static void get_sized(struct by_name *self, const struct plan_type *type, const void *native,
                      const struct native_scope *scope, struct via_value *value)
{
    int64_t n = native_length(scope, type);
    bool is_null = !native && (n != 0 || type->is_nullable);
    if (is_null)
        allow_null(self, type);
    else if (n < 0 || n > UINT32_MAX)
        by_name_fail(self, DISP_E_OVERFLOW, "its number of elements is out of range");
    else
        by_name_get_elements(self, type->element, native, (uint32_t)n, scope, value);
}

static void get_array(struct by_name *self, const struct plan_type *type, const void *native,
                      const struct native_scope *scope, struct via_value *value)
{
    int64_t n = native_length(scope, type);
    if (n < 0)
        by_name_fail(self, DISP_E_OVERFLOW, "its number of elements is out of range");
    else
        by_name_get_elements(self, type->element, native, (uint32_t)n, scope, value);
}

/* By the arm's name; nothing where there is nothing. */
static void get_union(struct by_name *self, const struct plan_type *type, const void *native,
                      const struct native_scope *scope, struct via_value *value)
{
    int64_t which;
    const struct plan_arm *arm =
        native_choice(scope, type, &which) ? plan_arm(type->choice, which) : NULL;
    struct via_value *field = NULL;
    if (!arm)
        by_name_fail(self, E_INVALIDARG, "the union has no arm for its discriminant");
    else if (arm->type)
        by_name_check(self, via_value_add_field(value, arm->name, &field));
    if (field)
        by_name_from_native(self, arm->type, native, scope, field);
}

static void get_pointer(struct by_name *self, const struct plan_type *type, const void *native,
                        const struct native_scope *scope, struct via_value *value)
{
    if (native)
        by_name_from_native(self, type->element, native, scope, value);
    else
        allow_null(self, type);
}

void by_name_from_native(struct by_name *self, const struct plan_type *type, const void *native,
                         const struct native_scope *scope, struct via_value *value)
{
    if (FAILED(self->result))
        return;
    switch (type->kind) {
    case VIA_TYPE_ENUM:
        get_enum(self, type, native, value);
        break;
    case VIA_TYPE_BSTR:
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        get_string(self, type, *(void *const *)native, value);
        break;
    case VIA_TYPE_INTERFACE:
        via_value_set_object(value, *(IUnknown *const *)native);
        break;
    case VIA_TYPE_STRUCT:
        get_struct(self, type, native, scope, value);
        break;
    case VIA_TYPE_ARRAY:
        get_array(self, type, native, scope, value);
        break;
    case VIA_TYPE_UNION:
        get_union(self, type, native, scope, value);
        break;
    case VIA_TYPE_SIZED:
        get_sized(self, type, *(void *const *)native, scope, value);
        break;
    case VIA_TYPE_POINTER:
        get_pointer(self, type, *(void *const *)native, scope, value);
        break;
    case VIA_TYPE_CY:
    case VIA_TYPE_DATE:
    case VIA_TYPE_DECIMAL:
    case VIA_TYPE_VARIANT:
    case VIA_TYPE_SAFEARRAY:
        automation_from_native(self, type, native, value);
        break;
    case VIA_TYPE_OPAQUE:
        by_name_fail(self, VIA_E_TYPE, NATIVE_OPAQUE);
        break;
    case VIA_TYPE_HANDLE:
        if (!handle_is_none(native))
            by_name_fail(self, DISP_E_TYPEMISMATCH, BY_NAME_NO_HANDLES);
        break;
    default:
        get_scalar(type, native, value);
    }
}
