#include "com/marshal/decode.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <stdlib.h>
#include <string.h>

void decode_init(struct decoder *decoder, const struct marshal_method *method,
                 const struct marshal_pointers *pointers, const uint8_t *data, size_t size)
{
    /* Not cleared as a whole: this is on every call's path. */
    decoder->method = method;
    decoder->pointers = pointers;
    decoder->data = data;
    decoder->size = size;
    decoder->at = 0;
    decoder->param = "?";
    decoder->depth = 0;
    decoder->result = S_OK;
    decoder->allocations = decoder->few;
    decoder->n_allocations = 0;
    decoder->room = DECODE_INLINE_ALLOCATIONS;
    for (uint16_t i = 0; i < method->n_params; i++)
        decoder->seen[i] = DECODE_UNSEEN;
}

void decode_fail(struct decoder *decoder, const char *what)
{
    if (FAILED(decoder->result))
        return;
    decoder->result =
        error_set(RPC_E_INVALID_DATA, "%s.%s: argument %s: %s", decoder->method->owner->name,
                  decoder->method->method->name, decoder->param, what);
}

static void fail_memory(struct decoder *self)
{
    if (SUCCEEDED(self->result))
        self->result = error_set(E_OUTOFMEMORY, "no memory for argument %s of %s.%s", self->param,
                                 self->method->owner->name, self->method->method->name);
}

static void free_allocation(const struct decode_allocation *allocation)
{
    if (allocation->kind == DECODE_BSTR)
        SysFreeString(allocation->pointer);
    else if (allocation->kind == DECODE_OBJECT)
        IUnknown_Release((IUnknown *)allocation->pointer);
    else
        CoTaskMemFree(allocation->pointer);
}

static bool grow_list(struct decoder *self)
{
    size_t size = self->room * sizeof(*self->allocations);
    struct decode_allocation *larger = malloc(2 * size);
    if (!larger)
        return false;
    memcpy(larger, self->allocations, size);
    if (self->allocations != self->few)
        free(self->allocations);
    self->allocations = larger;
    self->room *= 2;
    return true;
}

/* Lists what has been allocated. False, and it is freed, when there is no memory for that or for
 * it. */
static bool note(struct decoder *self, void *pointer, enum decode_allocation_kind kind, uint32_t n)
{
    struct decode_allocation allocation = {pointer, kind, n};
    if (pointer && (self->n_allocations < self->room || grow_list(self))) {
        self->allocations[self->n_allocations++] = allocation;
        return true;
    }
    if (pointer)
        free_allocation(&allocation);
    fail_memory(self);
    return false;
}

static size_t left(const struct decoder *self)
{
    return self->size - self->at;
}

/* The next `size` bytes, after aligning; NULL when they are not there. */
static const uint8_t *take(struct decoder *self, size_t alignment, size_t size)
{
    if (FAILED(self->result))
        return NULL;
    size_t padding = (alignment - self->at % alignment) % alignment;
    if (padding > left(self) || size > left(self) - padding) {
        decode_fail(self, "the message ends within it");
        return NULL;
    }
    const uint8_t *bytes = self->data + self->at + padding;
    self->at += padding + size;
    return bytes;
}

static uint32_t read_u32(struct decoder *self)
{
    uint32_t value = 0;
    const uint8_t *bytes = take(self, 4, sizeof(value));
    if (bytes)
        memcpy(&value, bytes, sizeof(value));
    return value;
}

/* True when a value follows; NULL is refused where it may not be. */
static bool is_not_null(struct decoder *self, const struct via_type *type, uint32_t count)
{
    if (FAILED(self->result))
        return false;
    if (count != UINT32_MAX)
        return true;
    if (!(type->flags & VIA_TYPE_NULLABLE) && type->kind != VIA_TYPE_BSTR)
        decode_fail(self, "it is NULL, which it may not be");
    return false;
}

static void read_string8(struct decoder *self, const struct via_type *type, char **value)
{
    uint32_t size = read_u32(self);
    if (!is_not_null(self, type, size))
        return;
    const char *text = (const char *)take(self, 1, size);
    if (!text)
        return;
    char *copy = CoTaskMemAlloc((size_t)size + 1);
    if (!note(self, copy, DECODE_BLOCK, 0))
        return;
    /* The copy is what is checked: the source may be memory that the peer can still write. */
    memcpy(copy, text, size);
    copy[size] = 0;
    *value = copy;
    if (memchr(copy, 0, size))
        decode_fail(self, "the string holds a zero");
    else if (!utf8_is_valid(copy, size))
        decode_fail(self, "the string is not valid UTF-8");
}

static void read_string16(struct decoder *self, const struct via_type *type, WCHAR **value)
{
    uint32_t n = read_u32(self);
    if (!is_not_null(self, type, n))
        return;
    if (n > left(self) / sizeof(WCHAR)) {
        decode_fail(self, "the message ends within it");
        return;
    }
    const uint8_t *text = take(self, 1, n * sizeof(WCHAR));
    if (!text)
        return;
    WCHAR *copy = CoTaskMemAlloc(((size_t)n + 1) * sizeof(WCHAR));
    if (!note(self, copy, DECODE_BLOCK, 0))
        return;
    memcpy(copy, text, n * sizeof(WCHAR));
    copy[n] = 0;
    *value = copy;
    if (utf16_length(copy) != n)
        decode_fail(self, "the string holds a zero");
}

static void read_bstr(struct decoder *self, const struct via_type *type, BSTR *value)
{
    uint32_t size = read_u32(self);
    if (!is_not_null(self, type, size))
        return;
    const char *bytes = (const char *)take(self, 1, size);
    if (!bytes)
        return;
    BSTR copy = SysAllocStringByteLen(bytes, size);
    if (note(self, copy, DECODE_BSTR, 0))
        *value = copy;
}

static void read_object(struct decoder *self, const struct via_typelib *lib,
                        const struct via_type *type, void **value)
{
    uint32_t index = read_u32(self);
    if (FAILED(self->result) || index == MARSHAL_NULL_POINTER)
        return;
    void *object = NULL;
    HRESULT hr = self->pointers->get(self->pointers->context, index,
                                     &lib->interfaces[type->index].iid, &object);
    if (FAILED(hr))
        self->result = hr;
    else if (note(self, object, DECODE_OBJECT, 0))
        *value = object;
}

static void read_scalar(struct decoder *self, const struct via_typelib *lib,
                        const struct via_type *type, void *value)
{
    struct typelib_layout layout = typelib_layout(lib, (uint16_t)(type - lib->types));
    const uint8_t *bytes = take(self, layout.alignment, layout.size);
    if (!bytes)
        return;
    memcpy(value, bytes, layout.size);
    if (type->kind == VIA_TYPE_BOOL) {
        VARIANT_BOOL boolean;
        memcpy(&boolean, value, sizeof(boolean));
        if (boolean != VARIANT_TRUE && boolean != VARIANT_FALSE)
            decode_fail(self, "a boolean is neither 0 nor -1");
    }
}

static void read_elements(struct decoder *self, const struct via_typelib *lib,
                          const struct via_type *element, void *values, uint64_t n)
{
    uint32_t size = plan_native_size(lib, element);
    if (element->kind <= VIA_TYPE_WCHAR && n > 0) {
        const uint8_t *bytes = take(self, plan_wire_alignment(lib, element), (size_t)(n * size));
        if (bytes)
            memcpy(values, bytes, (size_t)(n * size));
        return;
    }
    for (uint64_t i = 0; i < n && SUCCEEDED(self->result); i++)
        decode_value(self, lib, element, (char *)values + i * size);
}

/* The count agrees with the other arrays of the same size parameter. */
static bool note_count(struct decoder *self, const struct via_type *type, uint32_t n)
{
    if (type->size_from == VIA_SIZE_CONST && n != type->count) {
        decode_fail(self, "it has another number of elements than its type says");
        return false;
    }
    if (type->size_from != VIA_SIZE_PARAM)
        return true;
    int64_t *seen = &self->seen[type->size_index];
    if (*seen != DECODE_UNSEEN && *seen != n) {
        decode_fail(self, "it has another number of elements than an array of the same size");
        return false;
    }
    *seen = n;
    return true;
}

/* Reads and bounds a count. False: NULL, or a failure. */
static bool read_count(struct decoder *self, const struct via_typelib *lib,
                       const struct via_type *type, uint32_t *n)
{
    const struct via_type *element = &lib->types[type->element];
    *n = read_u32(self);
    if (!is_not_null(self, type, *n))
        return false;
    if (*n > left(self) / plan_wire_minimum(lib, element)) {
        decode_fail(self, "the message ends within it");
        return false;
    }
    return true;
}

static void read_sized(struct decoder *self, const struct via_typelib *lib,
                       const struct via_type *type, void **value)
{
    const struct via_type *element = &lib->types[type->element];
    uint32_t n;
    if (!read_count(self, lib, type, &n) || !note_count(self, type, n))
        return;
    size_t size = plan_native_size(lib, element);
    void *values = CoTaskMemAlloc(n * size);
    if (!note(self, values, DECODE_BLOCK, n))
        return;
    memset(values, 0, n * size);
    *value = values;
    read_elements(self, lib, element, values, n);
}

void decode_buffer(struct decoder *decoder, const struct via_typelib *lib,
                   const struct via_type *type, void *values, int64_t n)
{
    uint32_t count;
    if (!read_count(decoder, lib, type, &count)) {
        /* NULL: the method was given NULL, so the caller gave NULL. */
        if (SUCCEEDED(decoder->result) && values && n > 0)
            decode_fail(decoder, "it is NULL, but the caller's array is not");
        return;
    }
    if ((int64_t)count != n || (count > 0 && !values)) {
        decode_fail(decoder, "it has another number of elements than the caller's array");
        return;
    }
    read_elements(decoder, lib, &lib->types[type->element], values, count);
}

static void read_pointer(struct decoder *self, const struct via_typelib *lib,
                         const struct via_type *type, void **value)
{
    const struct via_type *element = &lib->types[type->element];
    uint32_t is_there = read_u32(self);
    if (is_there > 1)
        decode_fail(self, "a pointer is marked neither as NULL nor as there");
    else if (is_there == 0)
        is_not_null(self, type, UINT32_MAX);
    if (FAILED(self->result) || is_there != 1)
        return;
    size_t size = plan_native_size(lib, element);
    void *target = CoTaskMemAlloc(size);
    if (!note(self, target, DECODE_BLOCK, 1))
        return;
    memset(target, 0, size);
    *value = target;
    decode_value(self, lib, element, target);
}

static int64_t elements_of(const struct decoder *self, const void *array)
{
    for (size_t i = self->n_allocations; i > 0; i--)
        if (self->allocations[i - 1].pointer == array)
            return self->allocations[i - 1].n;
    return -1;
}

/* Arrays in the struct have as many elements as its fields say. */
static void check_struct_sizes(struct decoder *self, const struct via_typelib *lib,
                               const struct via_type *type, const void *value)
{
    const struct via_struct *record = &lib->structs[type->index];
    struct native_scope scope = {.record = record, .record_index = type->index, .base = value};
    for (uint16_t i = 0; i < record->n_fields; i++) {
        const struct via_type *field = &lib->types[record->fields[i].type];
        if (field->kind != VIA_TYPE_SIZED || field->size_from != VIA_SIZE_FIELD)
            continue;
        void *array;
        memcpy(&array, (const char *)value + typelib_field_offset(lib, type->index, i),
               sizeof(array));
        if (array && elements_of(self, array) != native_count(&scope, lib, field))
            decode_fail(self,
                        "an array in a struct has another number of elements than its size says");
    }
}

static void read_struct(struct decoder *self, const struct via_typelib *lib,
                        const struct via_type *type, void *value)
{
    const struct via_struct *record = &lib->structs[type->index];
    size_t alignment = plan_wire_alignment(lib, type);
    if (!take(self, alignment, 0))
        return;
    for (uint16_t i = 0; i < record->n_fields; i++)
        decode_value(self, lib, &lib->types[record->fields[i].type],
                     (char *)value + typelib_field_offset(lib, type->index, i));
    if (SUCCEEDED(self->result))
        check_struct_sizes(self, lib, type, value);
}

static void read_compound(struct decoder *self, const struct via_typelib *lib,
                          const struct via_type *type, void *value)
{
    if (++self->depth > TYPELIB_MAX_NESTING) {
        decode_fail(self, "it is nested too deeply");
    } else if (type->kind == VIA_TYPE_STRUCT) {
        read_struct(self, lib, type, value);
    } else if (type->kind == VIA_TYPE_ARRAY) {
        read_elements(self, lib, &lib->types[type->element], value, type->count);
    } else if (type->kind == VIA_TYPE_SIZED) {
        read_sized(self, lib, type, value);
    } else {
        read_pointer(self, lib, type, value);
    }
    self->depth--;
}

void decode_value(struct decoder *decoder, const struct via_typelib *lib,
                  const struct via_type *type, void *value)
{
    if (FAILED(decoder->result))
        return;
    switch (type->kind) {
    case VIA_TYPE_BSTR:
        read_bstr(decoder, type, value);
        break;
    case VIA_TYPE_STRING8:
        read_string8(decoder, type, value);
        break;
    case VIA_TYPE_STRING16:
        read_string16(decoder, type, value);
        break;
    case VIA_TYPE_INTERFACE:
        read_object(decoder, lib, type, value);
        break;
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
        read_compound(decoder, lib, type, value);
        break;
    default:
        read_scalar(decoder, lib, type, value);
    }
}

bool decode_marker(struct decoder *decoder)
{
    uint32_t is_there = read_u32(decoder);
    if (is_there > 1)
        decode_fail(decoder, "a pointer is marked neither as NULL nor as there");
    return is_there == 1;
}

HRESULT decode_finish(struct decoder *decoder)
{
    if (SUCCEEDED(decoder->result) && left(decoder) > 0) {
        decoder->param = "(none)";
        decode_fail(decoder, "the message has bytes that belong to no argument");
    }
    for (size_t i = 0; i < decoder->n_allocations && FAILED(decoder->result); i++)
        free_allocation(&decoder->allocations[i]);
    if (decoder->allocations != decoder->few)
        free(decoder->allocations);
    return decoder->result;
}
