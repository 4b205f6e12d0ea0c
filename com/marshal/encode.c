#include "com/marshal/encode.h"
#include "com/marshal/code_page.h"
#include "com/marshal/automation.h"
#include "com/marshal/handle.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <stdlib.h>
#include <string.h>

void encode_fail(struct encoder *encoder, HRESULT code, const char *what)
{
    if (FAILED(encoder->result))
        return;
    encoder->result = error_set(code, "%s.%s: argument %s: %s", encoder->method->owner->name,
                                encoder->method->method->name, encoder->param, what);
}

void encode_u32(struct encoder *encoder, uint32_t value)
{
    buffer_align(encoder->out, 4);
    buffer_append(encoder->out, &value, sizeof(value));
}

/* A count that stands for NULL. */
static void write_null(struct encoder *self)
{
    encode_u32(self, UINT32_MAX);
}

static void write_utf8(struct encoder *self, const char *text)
{
    size_t size = strlen(text);
    if (!utf8_is_valid(text, size)) {
        encode_fail(self, E_INVALIDARG, "the string is not valid UTF-8");
        return;
    }
    if (size >= UINT32_MAX) {
        encode_fail(self, VIA_E_LIMIT, "the string is too long");
        return;
    }
    encode_u32(self, (uint32_t)size);
    buffer_append(self->out, text, size);
}

static void write_string8(struct encoder *self, const struct plan_type *type, const char *text)
{
    if (!text && type->is_nullable) {
        write_null(self);
        return;
    }
    if (!text) {
        encode_fail(self, E_POINTER, "the string is NULL");
        return;
    }
    if (!code_page_is_used()) {
        write_utf8(self, text);
        return;
    }
    char *converted = code_page_to_utf8(text);
    if (converted)
        write_utf8(self, converted);
    else
        encode_fail(self, E_OUTOFMEMORY, "no memory for a text");
    free(converted);
}

static void write_string16(struct encoder *self, const struct plan_type *type, const WCHAR *text)
{
    if (!text && type->is_nullable) {
        write_null(self);
        return;
    }
    if (!text) {
        encode_fail(self, E_POINTER, "the string is NULL");
        return;
    }
    size_t n = utf16_length(text);
    if (n >= UINT32_MAX / sizeof(WCHAR)) {
        encode_fail(self, VIA_E_LIMIT, "the string is too long");
        return;
    }
    encode_u32(self, (uint32_t)n);
    buffer_append(self->out, text, n * sizeof(WCHAR));
}

static void write_bstr(struct encoder *self, BSTR text)
{
    if (!text) {
        write_null(self);
        return;
    }
    encode_u32(self, SysStringByteLen(text));
    buffer_append(self->out, text, SysStringByteLen(text));
}

static void write_bool(struct encoder *self, const void *value)
{
    VARIANT_BOOL boolean;
    memcpy(&boolean, value, sizeof(boolean));
    /* Anything but 0 is true to COM; only -1 goes on the wire. */
    boolean = boolean ? VARIANT_TRUE : VARIANT_FALSE;
    buffer_align(self->out, sizeof(boolean));
    buffer_append(self->out, &boolean, sizeof(boolean));
}

/* Of which interface it is, where the description does not say. */
static void write_iid(struct encoder *self, const struct plan_type *type,
                      const struct native_scope *scope)
{
    const GUID *iid = native_iid(scope, type);
    if (!iid) {
        encode_fail(self, E_POINTER, "the IID of the object is NULL");
        return;
    }
    buffer_align(self->out, 4);
    buffer_append(self->out, iid, sizeof(*iid));
}

static void write_object(struct encoder *self, const struct plan_type *type, IUnknown *object,
                         const struct native_scope *scope)
{
    uint32_t index = MARSHAL_NULL_POINTER;
    if (type->size_from != VIA_SIZE_NONE)
        write_iid(self, type, scope);
    if (FAILED(self->result))
        return;
    if (object) {
        HRESULT hr = self->pointers->add(self->pointers->context, object, &index);
        if (FAILED(hr)) {
            if (SUCCEEDED(self->result))
                self->result = hr;
            return;
        }
    }
    encode_u32(self, index);
}

static void write_verbatim(struct encoder *self, const struct plan_type *type, const void *values,
                           size_t size)
{
    buffer_align(self->out, type->wire_alignment);
    buffer_append(self->out, values, size);
}

void encode_elements(struct encoder *encoder, const struct plan_type *element, const void *values,
                     uint64_t n, const struct native_scope *scope)
{
    if (element->is_verbatim && n > 0) {
        /* The product fits: the caller's memory holds them. */
        write_verbatim(encoder, element, values, (size_t)(n * element->size));
        return;
    }
    for (uint64_t i = 0; i < n && SUCCEEDED(encoder->result) && SUCCEEDED(encoder->out->result);
         i++)
        encode_value(encoder, element, (const char *)values + i * element->size, scope);
}

/* Passes the elements beside the payload, if it may be, and there is a way. */
static bool lend(struct encoder *self, const struct plan_type *element, const void *values,
                 uint64_t n)
{
    const struct marshal_pointers *pointers = self->pointers;
    if (!self->lends || n == 0)
        return false;
    buffer_align(self->out, element->wire_alignment);
    return pointers->lend(pointers->context, values, (size_t)(n * element->size), self->out->size);
}

/* The elements that count, of `n` that there is room for. */
static void write_first(struct encoder *self, const struct plan_type *type, const void *values,
                        uint64_t n, const struct native_scope *scope)
{
    int64_t length = native_length(scope, type);
    if (length < 0) {
        encode_fail(self, E_INVALIDARG, "its length is negative, or more than there is room for");
        return;
    }
    if (type->kind == VIA_TYPE_SIZED && n - (uint64_t)length > NATIVE_MAX_SLACK) {
        encode_fail(self, VIA_E_LIMIT, "it has more room than a call can make");
        return;
    }
    encode_u32(self, (uint32_t)length);
    encode_elements(self, type->element, values, (uint64_t)length, scope);
}

static void write_sized(struct encoder *self, const struct plan_type *type, const void *values,
                        const struct native_scope *scope)
{
    /* NULL whatever its size says. */
    if (!values && type->is_nullable) {
        write_null(self);
        return;
    }
    int64_t n = native_count(scope, type);
    if (n < 0 || n >= UINT32_MAX) {
        encode_fail(self, E_INVALIDARG, "its number of elements is negative or too large");
        return;
    }
    if (!values && n > 0) {
        encode_fail(self, E_POINTER, "the array is NULL");
        return;
    }
    encode_u32(self, (uint32_t)n);
    if (type->length_from != VIA_SIZE_NONE)
        write_first(self, type, values, (uint64_t)n, scope);
    else if (!lend(self, type->element, values, (uint64_t)n))
        encode_elements(self, type->element, values, (uint64_t)n, scope);
}

static void write_array(struct encoder *self, const struct plan_type *type, const void *values,
                        const struct native_scope *scope)
{
    if (type->length_from != VIA_SIZE_NONE)
        write_first(self, type, values, type->count, scope);
    else
        encode_elements(self, type->element, values, type->count, scope);
}

static void write_union(struct encoder *self, const struct plan_type *type, const void *value,
                        const struct native_scope *scope)
{
    int64_t which = 0;
    bool is_known = native_choice(scope, type, &which);
    const struct plan_arm *arm = is_known ? plan_arm(type->choice, which) : NULL;
    if (!arm) {
        encode_fail(self, E_INVALIDARG, "the union has no arm for its discriminant");
        return;
    }
    encode_u32(self, (uint32_t)which);
    if (arm->type)
        encode_value(self, arm->type, value, scope);
}

static void write_pointer(struct encoder *self, const struct plan_type *type, const void *value,
                          const struct native_scope *scope)
{
    if (!value && !type->is_nullable) {
        encode_fail(self, E_POINTER, "the pointer is NULL");
        return;
    }
    encode_u32(self, value != NULL);
    if (value)
        encode_value(self, type->element, value, scope);
}

static void write_struct(struct encoder *self, const struct plan_type *type, const void *value,
                         const struct native_scope *outer)
{
    const struct plan_struct *record = type->record;
    struct native_scope scope = *outer;
    scope.record = record;
    scope.base = value;
    buffer_align(self->out, type->wire_alignment);
    for (uint16_t i = 0; i < record->n_fields; i++) {
        const struct plan_field *field = &record->fields[i];
        encode_value(self, field->type, (const char *)value + field->offset, &scope);
    }
}

static void write_compound(struct encoder *self, const struct plan_type *type, const void *value,
                           const struct native_scope *scope)
{
    if (++self->depth > TYPELIB_MAX_NESTING) {
        encode_fail(self, VIA_E_LIMIT, "it is nested too deeply");
    } else if (type->kind == VIA_TYPE_STRUCT) {
        write_struct(self, type, value, scope);
    } else if (type->kind == VIA_TYPE_ARRAY) {
        write_array(self, type, value, scope);
    } else if (type->kind == VIA_TYPE_UNION) {
        write_union(self, type, value, scope);
    } else if (type->kind == VIA_TYPE_SIZED) {
        write_sized(self, type, *(void *const *)value, scope);
    } else if (type->kind == VIA_TYPE_VARIANT) {
        automation_encode_variant(self, value);
    } else if (type->kind == VIA_TYPE_SAFEARRAY) {
        automation_encode_array(self, type->element, *(SAFEARRAY *const *)value);
    } else {
        write_pointer(self, type, *(void *const *)value, scope);
    }
    self->depth--;
}

void encode_value(struct encoder *encoder, const struct plan_type *type, const void *value,
                  const struct native_scope *scope)
{
    if (FAILED(encoder->result))
        return;
    if (type->is_verbatim) {
        write_verbatim(encoder, type, value, type->size);
        return;
    }
    switch (type->kind) {
    case VIA_TYPE_BOOL:
        write_bool(encoder, value);
        break;
    case VIA_TYPE_BSTR:
        write_bstr(encoder, *(BSTR const *)value);
        break;
    case VIA_TYPE_STRING8:
        write_string8(encoder, type, *(const char *const *)value);
        break;
    case VIA_TYPE_STRING16:
        write_string16(encoder, type, *(const WCHAR *const *)value);
        break;
    case VIA_TYPE_INTERFACE:
        write_object(encoder, type, *(IUnknown *const *)value, scope);
        break;
    case VIA_TYPE_DECIMAL:
        automation_encode_decimal(encoder, value);
        break;
    case VIA_TYPE_HANDLE:
        handle_encode(encoder, type, value);
        break;
    case VIA_TYPE_OPAQUE:
        encode_fail(encoder, VIA_E_TYPE, NATIVE_OPAQUE);
        break;
    default:
        write_compound(encoder, type, value, scope);
    }
}

void encode_marker(struct encoder *encoder, bool is_there)
{
    encode_u32(encoder, is_there);
}

HRESULT encode_result(struct encoder *encoder)
{
    return FAILED(encoder->result) ? encoder->result : buffer_result(encoder->out);
}
