/*
 * The walk through a payload, value by value, and the list of what it has allocated. Arrays are in
 * decode_arrays.c; what values claim of their neighbours is kept and compared in decode_claims.c.
 */
#include "com/marshal/decode.h"
#include "com/marshal/code_page.h"
#include "com/marshal/automation.h"
#include "com/marshal/handle.h"
#include "core/os/handle.h"
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
    decoder->is_result = false;
    decoder->references = NULL;
    decoder->record = NULL;
    decoder->lendable = NULL;
    decoder->is_lent = false;
    decoder->slack = NATIVE_MAX_SLACK;
    decoder->claims = decoder->few_claims;
    decoder->n_claims = 0;
    decoder->claims_room = DECODE_INLINE_CLAIMS;
    decoder->first_claim = 0;
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

void decode_fail_memory(struct decoder *decoder)
{
    if (SUCCEEDED(decoder->result))
        decoder->result =
            error_set(E_OUTOFMEMORY, "no memory for argument %s of %s.%s", decoder->param,
                      decoder->method->owner->name, decoder->method->method->name);
}

static void free_allocation(const struct decode_allocation *allocation)
{
    if (allocation->kind == DECODE_BSTR)
        SysFreeString(allocation->pointer);
    else if (allocation->kind == DECODE_OBJECT)
        IUnknown_Release((IUnknown *)allocation->pointer);
    else if (allocation->kind == DECODE_ARRAY)
        automation_drop_array(allocation->pointer);
    else if (allocation->kind == DECODE_HANDLE)
        os_handle_close((intptr_t)allocation->pointer - 1);
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

bool decode_note(struct decoder *decoder, void *pointer, enum decode_allocation_kind kind)
{
    struct decode_allocation allocation = {pointer, kind};
    if (pointer && (decoder->n_allocations < decoder->room || grow_list(decoder))) {
        decoder->allocations[decoder->n_allocations++] = allocation;
        return true;
    }
    if (pointer)
        free_allocation(&allocation);
    decode_fail_memory(decoder);
    return false;
}

bool decode_note_handle(struct decoder *decoder, intptr_t handle)
{
    /* One more than it is: descriptor 0 is a handle, and a NULL is none to note. */
    return decode_note(decoder, (void *)(handle + 1), DECODE_HANDLE);
}

size_t decode_left(const struct decoder *decoder)
{
    return decoder->size - decoder->at;
}

const uint8_t *decode_take(struct decoder *decoder, size_t alignment, size_t size)
{
    if (FAILED(decoder->result))
        return NULL;
    size_t padding = (alignment - decoder->at % alignment) % alignment;
    if (padding > decode_left(decoder) || size > decode_left(decoder) - padding) {
        decode_fail(decoder, "the message ends within it");
        return NULL;
    }
    const uint8_t *bytes = decoder->data + decoder->at + padding;
    decoder->at += padding + size;
    return bytes;
}

uint32_t decode_u32(struct decoder *decoder)
{
    uint32_t value = 0;
    const uint8_t *bytes = decode_take(decoder, 4, sizeof(value));
    if (bytes)
        memcpy(&value, bytes, sizeof(value));
    return value;
}

bool decode_is_there(struct decoder *decoder, const struct plan_type *type, uint32_t count)
{
    if (FAILED(decoder->result))
        return false;
    if (count != UINT32_MAX)
        return true;
    if (!type->is_nullable && type->kind != VIA_TYPE_BSTR)
        decode_fail(decoder, "it is NULL, which it may not be");
    return false;
}

static void check_utf8(struct decoder *self, const char *text, size_t size)
{
    if (memchr(text, 0, size))
        decode_fail(self, "the string holds a zero");
    else if (!utf8_is_valid(text, size))
        decode_fail(self, "the string is not valid UTF-8");
}

/* For a method that has its texts in the code page. */
static void read_narrow(struct decoder *self, const char *text, size_t size, char **value)
{
    char *narrow = NULL;
    check_utf8(self, text, size);
    if (FAILED(self->result))
        return;
    if (code_page_from_utf8(text, size, &narrow) == E_INVALIDARG)
        decode_fail(self, CODE_PAGE_LACKS);
    else if (decode_note(self, narrow, DECODE_BLOCK)) /* NULL: no memory */
        *value = narrow;
}

static void read_string8(struct decoder *self, const struct plan_type *type, char **value)
{
    uint32_t size = decode_u32(self);
    if (!decode_is_there(self, type, size))
        return;
    const char *text = (const char *)decode_take(self, 1, size);
    if (!text)
        return;
    if (code_page_is_used()) {
        read_narrow(self, text, size, value);
        return;
    }
    char *copy = CoTaskMemAlloc((size_t)size + 1);
    if (!decode_note(self, copy, DECODE_BLOCK))
        return;
    /* The copy is what is checked: the source may be memory that the peer can still write. */
    memcpy(copy, text, size);
    copy[size] = 0;
    *value = copy;
    check_utf8(self, copy, size);
}

static void read_string16(struct decoder *self, const struct plan_type *type, WCHAR **value)
{
    uint32_t n = decode_u32(self);
    if (!decode_is_there(self, type, n))
        return;
    if (n > decode_left(self) / sizeof(WCHAR)) {
        decode_fail(self, "the message ends within it");
        return;
    }
    const uint8_t *text = decode_take(self, 1, n * sizeof(WCHAR));
    if (!text)
        return;
    WCHAR *copy = CoTaskMemAlloc(((size_t)n + 1) * sizeof(WCHAR));
    if (!decode_note(self, copy, DECODE_BLOCK))
        return;
    memcpy(copy, text, n * sizeof(WCHAR));
    copy[n] = 0;
    *value = copy;
    if (utf16_length(copy) != n)
        decode_fail(self, "the string holds a zero");
}

static void read_bstr(struct decoder *self, const struct plan_type *type, BSTR *value)
{
    uint32_t size = decode_u32(self);
    if (!decode_is_there(self, type, size))
        return;
    const char *bytes = (const char *)decode_take(self, 1, size);
    if (!bytes)
        return;
    BSTR copy = SysAllocStringByteLen(bytes, size);
    if (decode_note(self, copy, DECODE_BSTR))
        *value = copy;
}

static void read_object(struct decoder *self, const struct plan_type *type, void **value)
{
    struct decode_claim made = {.type = type, .kind = CLAIM_IID};
    bool says_iid = type->size_from != VIA_SIZE_NONE;
    const uint8_t *bytes = says_iid ? decode_take(self, 4, sizeof(made.iid)) : NULL;
    if (bytes) {
        memcpy(&made.iid, bytes, sizeof(made.iid));
        decode_claim(self, made);
    }
    uint32_t index = decode_u32(self);
    if (FAILED(self->result) || index == MARSHAL_NULL_POINTER)
        return;
    void *object = NULL;
    HRESULT hr = self->pointers->get(self->pointers->context, index,
                                     says_iid ? &made.iid : type->iid, &object);
    if (FAILED(hr))
        self->result = hr;
    else if (decode_note(self, object, DECODE_OBJECT))
        *value = object;
}

static void read_bool(struct decoder *self, void *value)
{
    VARIANT_BOOL boolean;
    const uint8_t *bytes = decode_take(self, sizeof(boolean), sizeof(boolean));
    if (!bytes)
        return;
    memcpy(&boolean, bytes, sizeof(boolean));
    if (boolean != VARIANT_TRUE && boolean != VARIANT_FALSE)
        decode_fail(self, "a boolean is neither 0 nor -1");
    else
        memcpy(value, &boolean, sizeof(boolean));
}

void decode_verbatim(struct decoder *decoder, const struct plan_type *type, void *values,
                     size_t size)
{
    const uint8_t *bytes = decode_take(decoder, type->wire_alignment, size);
    if (bytes)
        memcpy(values, bytes, size);
}

static void read_union(struct decoder *self, const struct plan_type *type, void *value)
{
    struct decode_claim made = {.type = type, .kind = CLAIM_CHOICE};
    made.number = decode_u32(self);
    const struct plan_arm *arm = plan_arm(type->choice, made.number);
    if (FAILED(self->result))
        return;
    if (!arm) {
        decode_fail(self, "a union has no arm for its discriminant");
        return;
    }
    decode_claim(self, made);
    if (arm->type)
        decode_value(self, arm->type, value);
}

static void read_pointer(struct decoder *self, const struct plan_type *type, void **value)
{
    const struct plan_type *element = type->element;
    uint32_t is_there = decode_u32(self);
    if (is_there > 1)
        decode_fail(self, "a pointer is marked neither as NULL nor as there");
    else if (is_there == 0)
        decode_is_there(self, type, UINT32_MAX);
    if (FAILED(self->result) || is_there != 1)
        return;
    void *target = CoTaskMemAlloc(element->size);
    if (!decode_note(self, target, DECODE_BLOCK))
        return;
    memset(target, 0, element->size);
    *value = target;
    decode_value(self, element, target);
}

/* Arrays in the struct have as many elements as its fields say. */
static void check_struct_sizes(struct decoder *self, const struct decode_record *record,
                               const void *value)
{
    for (uint16_t i = 0; i < record->record->n_fields && SUCCEEDED(self->result); i++) {
        const struct plan_field *field = &record->record->fields[i];
        int64_t seen = field->is_size ? record->seen[field->size_slot] : DECODE_UNSEEN;
        if (seen != DECODE_UNSEEN &&
            seen != native_integer(field->type, (const char *)value + field->offset))
            decode_fail(self,
                        "an array in a struct has another number of elements than its size says");
    }
}

static void read_fields(struct decoder *self, const struct plan_struct *record, void *value)
{
    for (uint16_t i = 0; i < record->n_fields; i++)
        decode_value(self, record->fields[i].type, (char *)value + record->fields[i].offset);
}

static void read_sizes(struct decoder *self, const struct plan_struct *record, void *value)
{
    struct decode_record here = {.record = record};
    struct decode_record *outer = self->record;
    here.seen = record->n_sizes <= DECODE_INLINE_SIZES
                    ? here.few
                    : malloc(record->n_sizes * sizeof(*here.seen));
    if (!here.seen) {
        decode_fail_memory(self);
        return;
    }
    for (uint16_t i = 0; i < record->n_sizes; i++)
        here.seen[i] = DECODE_UNSEEN;
    self->record = &here;
    read_fields(self, record, value);
    self->record = outer;
    check_struct_sizes(self, &here, value);
    if (here.seen != here.few)
        free(here.seen);
}

/* Where fields say what other fields are. */
static void read_struct_with_needs(struct decoder *self, const struct plan_struct *record,
                                   void *value)
{
    struct native_scope scope = {.record = record, .base = value};
    size_t outer = self->first_claim;
    self->first_claim = self->n_claims;
    read_sizes(self, record, value);
    decode_check_scope(self, &scope);
    self->first_claim = outer;
}

static void read_struct(struct decoder *self, const struct plan_type *type, void *value)
{
    if (!decode_take(self, type->wire_alignment, 0))
        return;
    if (type->record->has_needs)
        read_struct_with_needs(self, type->record, value);
    else
        read_fields(self, type->record, value);
}

static void read_compound(struct decoder *self, const struct plan_type *type, void *value)
{
    if (++self->depth > TYPELIB_MAX_NESTING) {
        decode_fail(self, "it is nested too deeply");
    } else if (type->kind == VIA_TYPE_STRUCT) {
        read_struct(self, type, value);
    } else if (type->kind == VIA_TYPE_ARRAY) {
        decode_array(self, type, value);
    } else if (type->kind == VIA_TYPE_UNION) {
        read_union(self, type, value);
    } else if (type->kind == VIA_TYPE_SIZED) {
        decode_sized(self, type, value);
    } else if (type->kind == VIA_TYPE_VARIANT) {
        automation_decode_variant(self, value);
    } else if (type->kind == VIA_TYPE_SAFEARRAY) {
        automation_decode_array(self, type->element, value);
    } else {
        read_pointer(self, type, value);
    }
    self->depth--;
}

void decode_value(struct decoder *decoder, const struct plan_type *type, void *value)
{
    if (FAILED(decoder->result))
        return;
    if (type->is_verbatim) {
        decode_verbatim(decoder, type, value, type->size);
        return;
    }
    switch (type->kind) {
    case VIA_TYPE_BOOL:
        read_bool(decoder, value);
        break;
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
        read_object(decoder, type, value);
        break;
    case VIA_TYPE_DECIMAL:
        automation_decode_decimal(decoder, value);
        break;
    case VIA_TYPE_HANDLE:
        handle_decode(decoder, type, value);
        break;
    case VIA_TYPE_OPAQUE:
        decode_fail(decoder, NATIVE_OPAQUE);
        break;
    default:
        read_compound(decoder, type, value);
    }
}

bool decode_marker(struct decoder *decoder)
{
    uint32_t is_there = decode_u32(decoder);
    if (is_there > 1)
        decode_fail(decoder, "a pointer is marked neither as NULL nor as there");
    return is_there == 1;
}

HRESULT decode_finish(struct decoder *decoder)
{
    if (SUCCEEDED(decoder->result) && decode_left(decoder) > 0) {
        decoder->param = "(none)";
        decode_fail(decoder, "the message has bytes that belong to no argument");
    }
    for (size_t i = 0; i < decoder->n_allocations && FAILED(decoder->result); i++)
        free_allocation(&decoder->allocations[i]);
    if (decoder->allocations != decoder->few)
        free(decoder->allocations);
    decode_free_claims(decoder);
    return decoder->result;
}
