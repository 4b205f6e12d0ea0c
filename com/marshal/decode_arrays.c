/*
 * Arrays of a payload: how many elements there are, which the parameters and fields that count them
 * have to say, too; how much memory they may take; and where they may stay.
 */
#include "com/marshal/decode.h"
#include "core/util/error.h"

#include <string.h>

void decode_elements(struct decoder *decoder, const struct plan_type *element, void *values,
                     uint64_t n)
{
    if (element->is_verbatim && n > 0) {
        decode_verbatim(decoder, element, values, (size_t)(n * element->size));
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

void decode_sized(struct decoder *decoder, const struct plan_type *type, void **value)
{
    uint32_t n = decode_u32(decoder);
    if (!decode_is_there(decoder, type, n))
        return;
    const struct plan_type *element = type->element;
    void *lent = decoder->lendable != NULL ? find_lent(decoder, type, n) : NULL;
    uint32_t length = n;
    if (FAILED(decoder->result) || !note_count(decoder, type, n))
        return;
    if (lent != NULL) {
        *value = lent;
        decoder->is_lent = true;
        return;
    }
    if (!read_length(decoder, type, n, &length) || !check_left(decoder, type, length) ||
        !take_slack(decoder, type, n - length))
        return;
    size_t size = (size_t)n * element->size;
    void *values = CoTaskMemAlloc(size);
    if (!decode_note(decoder, values, DECODE_BLOCK))
        return;
    if (!element->is_verbatim || length < n)
        memset(values, 0, size);
    *value = values;
    decode_elements(decoder, element, values, length);
}

void decode_array(struct decoder *decoder, const struct plan_type *type, void *values)
{
    uint32_t length;
    if (read_length(decoder, type, type->count, &length))
        decode_elements(decoder, type->element, values, length);
}

void decode_buffer(struct decoder *decoder, const struct plan_type *type, void *values, int64_t n)
{
    uint32_t length;
    uint32_t count = decode_u32(decoder);
    if (!decode_is_there(decoder, type, count)) {
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
