/* VARIANTs and SAFEARRAYs to a payload; docs/wire-protocol.md has the form. */
#include "com/marshal/automation.h"
#include "com/marshal/encode.h"
#include "com/marshal/records.h"

#include <viaduct/com.h>

/* Whether there can be such a VARIANT. */
static bool is_sendable(VARTYPE vt)
{
    VARTYPE kind = vt & VT_TYPEMASK;
    bool is_nothing = kind == VT_EMPTY || kind == VT_NULL;
    if (vt & (VT_VECTOR | VT_RESERVED) || (vt == VT_VARIANT))
        return false;
    return is_nothing ? vt == kind : automation_type(kind) != NULL;
}

static void encode_content(struct encoder *self, VARTYPE vt, const void *value)
{
    struct native_scope scope = {0};
    const struct plan_type *type = automation_type(vt & VT_TYPEMASK);
    if (vt & VT_ARRAY)
        automation_encode_array(self, type, *(SAFEARRAY *const *)value);
    else if (type)
        encode_value(self, type, value, &scope);
}

void automation_encode_variant(struct encoder *encoder, const VARIANT *variant)
{
    VARTYPE vt = V_VT(variant);
    const void *value = V_ISBYREF(variant) ? V_BYREF(variant) : automation_place(variant);
    if (!is_sendable(vt)) {
        encode_fail(encoder, DISP_E_BADVARTYPE, "a VARIANT has a type that cannot be sent");
        return;
    }
    if (!value && (vt & VT_TYPEMASK) != VT_RECORD) {
        encode_fail(encoder, E_POINTER, "a VARIANT refers to nothing");
        return;
    }
    if (encoder->is_result)
        vt &= (VARTYPE)~VT_BYREF;
    /* A reference to a VARIANT is then that VARIANT itself. */
    if (vt != VT_VARIANT)
        encode_u32(encoder, vt);
    if ((vt & (VARTYPE)~VT_BYREF) == VT_RECORD)
        records_encode(encoder, variant);
    else
        encode_content(encoder, vt & (VARTYPE)~VT_BYREF, value);
}

static void encode_iid(struct encoder *self, const struct plan_type *element, SAFEARRAY *array)
{
    GUID iid;
    if (FAILED(SafeArrayGetIID(array, &iid)))
        iid = *element->iid;
    buffer_align(self->out, 4);
    buffer_append(self->out, &iid, sizeof(iid));
}

void automation_encode_array(struct encoder *encoder, const struct plan_type *element,
                             SAFEARRAY *array)
{
    struct native_scope scope = {0};
    if (!array) {
        encode_u32(encoder, UINT32_MAX);
        return;
    }
    const struct plan_struct *record = NULL;
    bool says_record = automation_is_any_record(element);
    if (says_record) {
        record = records_of_array(array);
        if (!record) {
            records_encode_type(encoder, NULL);
            return;
        }
        element = record->type;
    }
    const char *wrong = automation_check_array(array, element);
    if (wrong) {
        encode_fail(encoder, E_INVALIDARG, wrong);
        return;
    }
    encode_u32(encoder, array->cDims);
    if (says_record)
        records_encode_type(encoder, record);
    if (automation_has_iid(element))
        encode_iid(encoder, element, array);
    for (USHORT i = array->cDims; i > 0; i--) {
        const SAFEARRAYBOUND *bound = &array->rgsabound[i - 1];
        encode_u32(encoder, bound->cElements);
        encode_u32(encoder, (uint32_t)bound->lLbound);
    }
    encode_elements(encoder, element, array->pvData, automation_count(array), &scope);
}

void automation_encode_decimal(struct encoder *encoder, const DECIMAL *decimal)
{
    DECIMAL copy = *decimal;
    if (!automation_decimal_is_valid(decimal)) {
        encode_fail(encoder, E_INVALIDARG, "it is no DECIMAL");
        return;
    }
    copy.wReserved = 0;
    buffer_align(encoder->out, 8);
    buffer_append(encoder->out, &copy, sizeof(copy));
}
