/* A payload to VARIANTs and SAFEARRAYs. What they say of themselves comes from a peer. */
#include "com/marshal/automation.h"
#include "com/marshal/decode.h"
#include "com/marshal/records.h"
#include "core/util/error.h"

#include <string.h>
#include <viaduct/com.h>

/* Memory for what a VARIANT refers to, which the call has until its end. */
static void *make_reference(struct decoder *self, VARTYPE vt)
{
    struct automation_reference *reference = CoTaskMemAlloc(sizeof(*reference));
    if (!decode_note(self, reference, DECODE_BLOCK))
        return NULL;
    memset(reference, 0, sizeof(*reference));
    reference->next = self->references;
    reference->vt = vt;
    self->references = reference;
    return &reference->value;
}

static void decode_content(struct decoder *self, VARTYPE vt, void *value)
{
    const struct plan_type *type = automation_type(vt & VT_TYPEMASK);
    if (!type)
        decode_fail(self, "a VARIANT has a type that cannot be sent");
    else if (vt & VT_ARRAY)
        automation_decode_array(self, type, value);
    else
        decode_value(self, type, value);
}

static void decode_reference(struct decoder *self, VARTYPE vt, VARIANT *variant)
{
    VARTYPE referred = vt & (VARTYPE)~VT_BYREF;
    if (self->is_result) {
        decode_fail(self, "a VARIANT that comes back refers to something");
        return;
    }
    void *value = make_reference(self, referred);
    if (!value)
        return;
    if (referred == VT_RECORD) {
        records_decode(self, vt, variant, value);
        return;
    }
    decode_content(self, referred, value);
    V_BYREF(variant) = value;
    V_VT(variant) = vt;
}

void automation_decode_variant(struct decoder *decoder, VARIANT *variant)
{
    uint32_t wide = decode_u32(decoder);
    VARTYPE vt = (VARTYPE)wide;
    if (FAILED(decoder->result))
        return;
    bool is_odd = wide > UINT16_MAX || vt & (VT_VECTOR | VT_RESERVED) || vt == VT_VARIANT;
    if (is_odd)
        decode_fail(decoder, "a VARIANT has a type that cannot be sent");
    else if (vt & VT_BYREF)
        decode_reference(decoder, vt, variant);
    else if (vt == VT_RECORD)
        records_decode(decoder, vt, variant, NULL);
    else if (vt != VT_EMPTY && vt != VT_NULL) {
        V_VT(variant) = vt;
        decode_content(decoder, vt, automation_place(variant));
    }
    if (!is_odd)
        V_VT(variant) = vt; /* over which a DECIMAL lies */
}

/* From the left, as SafeArrayCreate() takes them. False, after an error. */
static bool decode_bounds(struct decoder *self, const struct plan_type *element, uint32_t n_dims,
                          SAFEARRAYBOUND *bounds)
{
    uint64_t n = 1;
    bool is_empty = false; /* one dimension of nothing makes all the others harmless */
    for (uint32_t i = 0; i < n_dims; i++) {
        bounds[i].cElements = decode_u32(self);
        bounds[i].lLbound = (LONG)decode_u32(self);
        is_empty |= bounds[i].cElements == 0;
        n = n > UINT32_MAX ? n : n * bounds[i].cElements;
        if ((int64_t)bounds[i].lLbound + bounds[i].cElements > (int64_t)INT32_MAX + 1) {
            decode_fail(self, "a SAFEARRAY has bounds beyond what indexes can be");
            return false;
        }
    }
    if (!is_empty && n > decode_left(self) / element->wire_minimum)
        decode_fail(self, "the message ends within it");
    else if (!is_empty && element->kind == VIA_TYPE_STRUCT)
        decode_take_records(self, element, n);
    return SUCCEEDED(self->result);
}

static bool decode_iid(struct decoder *self, GUID *iid)
{
    const uint8_t *bytes = decode_take(self, 4, sizeof(*iid));
    if (bytes)
        memcpy(iid, bytes, sizeof(*iid));
    return bytes != NULL;
}

void automation_decode_array(struct decoder *decoder, const struct plan_type *element,
                             SAFEARRAY **array)
{
    SAFEARRAYBOUND bounds[AUTOMATION_MAX_DIMS];
    struct plan_type any = *element;
    GUID iid = {0};
    uint32_t n_dims = decode_u32(decoder);
    if (FAILED(decoder->result) || n_dims == UINT32_MAX)
        return;
    if (n_dims == 0 || n_dims > AUTOMATION_MAX_DIMS) {
        decode_fail(decoder, "a SAFEARRAY has no dimensions, or more than 60");
        return;
    }
    if (automation_has_iid(element)) {
        if (!decode_iid(decoder, &iid))
            return;
        any.iid = &iid;
    }
    if (automation_is_any_record(element)) {
        const struct plan_struct *record = records_decode_type(decoder);
        if (!record)
            return;
        any = *record->type;
    }
    if (!decode_bounds(decoder, &any, n_dims, bounds))
        return;
    SAFEARRAY *made = automation_make_array(&any, n_dims, bounds, any.iid);
    if (!decode_note(decoder, made, DECODE_ARRAY))
        return;
    *array = made;
    decode_elements(decoder, &any, made->pvData, automation_count(made));
}

void automation_decode_decimal(struct decoder *decoder, DECIMAL *decimal)
{
    DECIMAL copy;
    const uint8_t *bytes = decode_take(decoder, 8, sizeof(copy));
    if (!bytes)
        return;
    memcpy(&copy, bytes, sizeof(copy));
    if (!automation_decimal_is_valid(&copy) || copy.wReserved != 0)
        decode_fail(decoder, "it is no DECIMAL");
    else
        *decimal = copy;
}
