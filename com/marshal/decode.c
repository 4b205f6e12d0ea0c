/*
 * The walk through a payload, value by value, and the list of what it has allocated. What values
 * claim of their neighbours is kept and compared in decode_claims.c.
 */
#include "com/marshal/decode.h"
#include "com/marshal/automation.h"
#include "com/marshal/handle.h"
#include "core/os/handle.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <stdlib.h>
#include <string.h>

/* Structs that count their arrays by so many fields need no memory for that. */
#define INLINE_SIZES 4

/* A struct that is being read. A size may come behind the arrays that it counts. */
struct decode_record {
    const struct plan_struct *record;
    int64_t *seen; /* elements of the arrays, by the size's slot; few, or on the heap */
    int64_t few[INLINE_SIZES];
};

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

/* True when a value follows; NULL is refused where it may not be. */
static bool is_not_null(struct decoder *self, const struct plan_type *type, uint32_t count)
{
    if (FAILED(self->result))
        return false;
    if (count != UINT32_MAX)
        return true;
    if (!type->is_nullable && type->kind != VIA_TYPE_BSTR)
        decode_fail(self, "it is NULL, which it may not be");
    return false;
}

static void read_string8(struct decoder *self, const struct plan_type *type, char **value)
{
    uint32_t size = decode_u32(self);
    if (!is_not_null(self, type, size))
        return;
    const char *text = (const char *)decode_take(self, 1, size);
    if (!text)
        return;
    char *copy = CoTaskMemAlloc((size_t)size + 1);
    if (!decode_note(self, copy, DECODE_BLOCK))
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

static void read_string16(struct decoder *self, const struct plan_type *type, WCHAR **value)
{
    uint32_t n = decode_u32(self);
    if (!is_not_null(self, type, n))
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
    if (!is_not_null(self, type, size))
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

static void read_verbatim(struct decoder *self, const struct plan_type *type, void *values,
                          size_t size)
{
    const uint8_t *bytes = decode_take(self, type->wire_alignment, size);
    if (bytes)
        memcpy(values, bytes, size);
}

void decode_elements(struct decoder *decoder, const struct plan_type *element, void *values,
                     uint64_t n)
{
    if (element->is_verbatim && n > 0) {
        read_verbatim(decoder, element, values, (size_t)(n * element->size));
        return;
    }
    for (uint64_t i = 0; i < n && SUCCEEDED(decoder->result); i++)
        decode_value(decoder, element, (char *)values + i * element->size);
}

/* Where to note what the arrays have that the type's size counts; NULL: nothing to agree with. */
static int64_t *seen_of(struct decoder *self, const struct plan_type *type)
{
    if (type->size_from == VIA_SIZE_PARAM)
        return &self->seen[type->size_index];
    if (type->size_from == VIA_SIZE_FIELD)
        return &self->record->seen[self->record->record->fields[type->size_index].size_slot];
    return NULL;
}

/* The count agrees with the other arrays of the same size. */
static bool note_count(struct decoder *self, const struct plan_type *type, uint32_t n)
{
    if (type->size_from == VIA_SIZE_CONST && n != type->count) {
        decode_fail(self, "it has another number of elements than its type says");
        return false;
    }
    if (type->size_from == VIA_SIZE_EXPRESSION)
        decode_claim(self, (struct decode_claim){.type = type, .kind = CLAIM_COUNT, .number = n});
    int64_t *seen = seen_of(self, type);
    if (!seen)
        return true;
    if (*seen != DECODE_UNSEEN && *seen != n) {
        decode_fail(self, "it has another number of elements than an array of the same size");
        return false;
    }
    *seen = n;
    return true;
}

/* What is left can hold so many elements. */
static bool check_left(struct decoder *self, const struct plan_type *type, uint32_t n)
{
    if (n > decode_left(self) / type->element->wire_minimum)
        decode_fail(self, "the message ends within it");
    return SUCCEEDED(self->result);
}

/* The elements that count, of `n` for which there is room in native memory; the number of them is
 * in front. */
static bool read_length(struct decoder *self, const struct plan_type *type, uint32_t n,
                        uint32_t *length)
{
    *length = n;
    if (type->length_from == VIA_SIZE_NONE)
        return SUCCEEDED(self->result);
    *length = decode_u32(self);
    if (*length > n)
        decode_fail(self, "its length is more than there is room for");
    if (FAILED(self->result))
        return false;
    decode_claim(self,
                 (struct decode_claim){.type = type, .kind = CLAIM_LENGTH, .number = *length});
    return check_left(self, type, *length);
}

/* Native bytes for one of the message that are no excess: a VARIANT has 24 for 4. */
#define PAID_FACTOR 16

/* Memory that the message does not pay for. */
static bool take_bytes(struct decoder *self, uint64_t size)
{
    if (size > self->slack) {
        decode_fail(self, "it has more room than a call can make");
        return false;
    }
    self->slack -= (size_t)size;
    return true;
}

static bool take_slack(struct decoder *self, const struct plan_type *type, uint32_t n)
{
    return take_bytes(self, (uint64_t)n * type->element->size);
}

/* A union of a large and a small arm is large, whichever is sent. */
bool decode_take_records(struct decoder *decoder, const struct plan_type *type, uint64_t n)
{
    uint64_t paid = (uint64_t)type->wire_minimum * PAID_FACTOR;
    return type->size <= paid || take_bytes(decoder, n * (type->size - paid));
}

/* The elements of a lendable array, where they can stay: beside the payload, or in it. NULL: they
 * are to be copied out of it, or a failure. */
static void *find_lent(struct decoder *self, const struct plan_type *type, uint32_t n)
{
    const struct marshal_pointers *pointers = self->pointers;
    const struct plan_type *element = type->element;
    const void *data = NULL;
    uint64_t size = (uint64_t)n * element->size;
    if (n == 0 || size > SIZE_MAX || !decode_take(self, element->wire_alignment, 0))
        return NULL;
    HRESULT hr = S_FALSE;
    if (pointers->borrow != NULL)
        hr = pointers->borrow(pointers->context, self->at, (size_t)size,
                              self->lendable->is_in_place, &data);
    if (FAILED(hr))
        self->result = hr;
    else if (hr == S_OK && (uintptr_t)data % element->alignment != 0)
        decode_fail(self, "it lies where such elements cannot");
    else if (hr == S_FALSE && pointers->keeps_payload &&
             (uintptr_t)(self->data + self->at) % element->alignment == 0)
        data = decode_take(self, 1, (size_t)size);
    return SUCCEEDED(self->result) ? (void *)(uintptr_t)data : NULL;
}

static void read_sized(struct decoder *self, const struct plan_type *type, void **value)
{
    uint32_t n = decode_u32(self);
    if (!is_not_null(self, type, n))
        return;
    const struct plan_type *element = type->element;
    void *lent = self->lendable != NULL ? find_lent(self, type, n) : NULL;
    uint32_t length = n;
    if (FAILED(self->result) || !note_count(self, type, n))
        return;
    if (lent != NULL) {
        *value = lent;
        self->is_lent = true;
        return;
    }
    if (!read_length(self, type, n, &length) || !check_left(self, type, length) ||
        !take_slack(self, type, n - length))
        return;
    size_t size = (size_t)n * element->size;
    void *values = CoTaskMemAlloc(size);
    if (!decode_note(self, values, DECODE_BLOCK))
        return;
    if (!element->is_verbatim || length < n)
        memset(values, 0, size);
    *value = values;
    decode_elements(self, element, values, length);
}

static void read_array(struct decoder *self, const struct plan_type *type, void *values)
{
    uint32_t length;
    if (read_length(self, type, type->count, &length))
        decode_elements(self, type->element, values, length);
}

void decode_buffer(struct decoder *decoder, const struct plan_type *type, void *values, int64_t n)
{
    uint32_t length;
    uint32_t count = decode_u32(decoder);
    if (!is_not_null(decoder, type, count)) {
        /* NULL: the method was given NULL, so the caller gave NULL. */
        if (SUCCEEDED(decoder->result) && values && n > 0)
            decode_fail(decoder, "it is NULL, but the caller's array is not");
        return;
    }
    if ((int64_t)count != n || (count > 0 && !values)) {
        decode_fail(decoder, "it has another number of elements than the caller's array");
        return;
    }
    if (read_length(decoder, type, count, &length) && check_left(decoder, type, length))
        decode_elements(decoder, type->element, values, length);
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
        is_not_null(self, type, UINT32_MAX);
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
    here.seen =
        record->n_sizes <= INLINE_SIZES ? here.few : malloc(record->n_sizes * sizeof(*here.seen));
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
        read_array(self, type, value);
    } else if (type->kind == VIA_TYPE_UNION) {
        read_union(self, type, value);
    } else if (type->kind == VIA_TYPE_SIZED) {
        read_sized(self, type, value);
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
        read_verbatim(decoder, type, value, type->size);
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
