#include "com/marshal/automation.h"
#include "com/marshal/native.h"
#include "com/marshal/records.h"
#include "com/typelib/builtin.h"

#include <string.h>
#include <viaduct/com.h>

#define MAX_DECIMAL_SCALE 28

/* Numbers, which are their own payload. */
#define NUMBER(type_kind, type)                                                                \
    {                                                                                          \
        .kind = (type_kind), .is_plain = true, .is_verbatim = true, .alignment = sizeof(type), \
        .wire_alignment = sizeof(type), .size = sizeof(type), .wire_minimum = sizeof(type)     \
    }
/* Pointers: a count or an index there. */
#define POINTER(type_kind)                                                   \
    .kind = (type_kind), .alignment = _Alignof(void *), .wire_alignment = 4, \
    .size = sizeof(void *), .wire_minimum = 4

static const struct plan_type types[] = {
    [VT_I1] = NUMBER(VIA_TYPE_I8, int8_t),
    [VT_UI1] = NUMBER(VIA_TYPE_U8, uint8_t),
    [VT_I2] = NUMBER(VIA_TYPE_I16, int16_t),
    [VT_UI2] = NUMBER(VIA_TYPE_U16, uint16_t),
    [VT_I4] = NUMBER(VIA_TYPE_I32, int32_t),
    [VT_UI4] = NUMBER(VIA_TYPE_U32, uint32_t),
    [VT_INT] = NUMBER(VIA_TYPE_I32, int32_t),
    [VT_UINT] = NUMBER(VIA_TYPE_U32, uint32_t),
    [VT_I8] = NUMBER(VIA_TYPE_I64, int64_t),
    [VT_UI8] = NUMBER(VIA_TYPE_U64, uint64_t),
    [VT_R4] = NUMBER(VIA_TYPE_F32, float),
    [VT_R8] = NUMBER(VIA_TYPE_F64, double),
    [VT_CY] = NUMBER(VIA_TYPE_CY, int64_t),
    [VT_DATE] = NUMBER(VIA_TYPE_DATE, double),
    [VT_ERROR] = NUMBER(VIA_TYPE_HRESULT, int32_t),
    [VT_BOOL] = {.kind = VIA_TYPE_BOOL,
                 .is_plain = true,
                 .alignment = 2,
                 .wire_alignment = 2,
                 .size = 2,
                 .wire_minimum = 2},
    [VT_DECIMAL] = {.kind = VIA_TYPE_DECIMAL,
                    .is_plain = true,
                    .alignment = 8,
                    .wire_alignment = 8,
                    .size = sizeof(DECIMAL),
                    .wire_minimum = sizeof(DECIMAL)},
    [VT_BSTR] = {POINTER(VIA_TYPE_BSTR)},
    [VT_UNKNOWN] = {POINTER(VIA_TYPE_INTERFACE), .is_any = true, .iid = &builtin_iid_unknown},
    [VT_DISPATCH] = {POINTER(VIA_TYPE_INTERFACE), .is_any = true, .iid = &builtin_iid_dispatch},
    /* Of which struct, the value itself says. */
    [VT_RECORD] = {.kind = VIA_TYPE_STRUCT, .alignment = 8, .wire_alignment = 4, .wire_minimum = 4},
    [VT_VARIANT] = {.kind = VIA_TYPE_VARIANT,
                    .alignment = 8,
                    .wire_alignment = 4,
                    .size = sizeof(VARIANT),
                    .wire_minimum = 4},
};

const struct plan_type *automation_type(VARTYPE vt)
{
    return vt < sizeof(types) / sizeof(types[0]) && types[vt].kind ? &types[vt] : NULL;
}

VARTYPE automation_vartype(const struct plan_type *type)
{
    static const VARTYPE of_kind[] = {
        [VIA_TYPE_I8] = VT_I1,           [VIA_TYPE_U8] = VT_UI1,
        [VIA_TYPE_I16] = VT_I2,          [VIA_TYPE_U16] = VT_UI2,
        [VIA_TYPE_I32] = VT_I4,          [VIA_TYPE_U32] = VT_UI4,
        [VIA_TYPE_I64] = VT_I8,          [VIA_TYPE_U64] = VT_UI8,
        [VIA_TYPE_F32] = VT_R4,          [VIA_TYPE_F64] = VT_R8,
        [VIA_TYPE_BOOL] = VT_BOOL,       [VIA_TYPE_ENUM] = VT_I4,
        [VIA_TYPE_HRESULT] = VT_ERROR,   [VIA_TYPE_BSTR] = VT_BSTR,
        [VIA_TYPE_STRUCT] = VT_RECORD,   [VIA_TYPE_INTERFACE] = VT_UNKNOWN,
        [VIA_TYPE_CY] = VT_CY,           [VIA_TYPE_DATE] = VT_DATE,
        [VIA_TYPE_DECIMAL] = VT_DECIMAL, [VIA_TYPE_VARIANT] = VT_VARIANT};
    if (type->kind == VIA_TYPE_INTERFACE && IsEqualGUID(type->iid, &builtin_iid_dispatch))
        return VT_DISPATCH;
    return type->kind < sizeof(of_kind) / sizeof(of_kind[0]) ? of_kind[type->kind] : VT_EMPTY;
}

bool automation_decimal_is_valid(const DECIMAL *decimal)
{
    return decimal->scale <= MAX_DECIMAL_SCALE &&
           (decimal->sign == 0 || decimal->sign == DECIMAL_NEG);
}

/* --- arrays --- */

uint32_t automation_count(const SAFEARRAY *array)
{
    uint64_t n = 1;
    bool is_empty = false;
    for (USHORT i = 0; i < array->cDims; i++) {
        is_empty |= array->rgsabound[i].cElements == 0;
        n = n > UINT32_MAX ? n : n * array->rgsabound[i].cElements;
    }
    return is_empty || n > UINT32_MAX ? 0 : (uint32_t)n;
}

/* VT_INT and VT_I4 are one type with two names, and so on. */
static VARTYPE plain_name(VARTYPE vt)
{
    if (vt == VT_INT || vt == VT_ERROR)
        return VT_I4;
    if (vt == VT_DISPATCH)
        return VT_UNKNOWN;
    return vt == VT_UINT ? VT_UI4 : vt;
}

const char *automation_check_array(const SAFEARRAY *array, const struct plan_type *element)
{
    VARTYPE vt;
    VARTYPE expected = automation_vartype(element);
    if (array->cDims == 0 || array->cDims > AUTOMATION_MAX_DIMS)
        return "the SAFEARRAY has no dimensions, or more than 60";
    if (array->cbElements != element->size)
        return "the elements of the SAFEARRAY have another size than its type says";
    /* An array that somebody made by hand may not say what is in it. */
    bool says_type = SUCCEEDED(SafeArrayGetVartype((SAFEARRAY *)array, &vt));
    if (says_type ? plain_name(vt) != plain_name(expected) : !element->is_plain)
        return "the elements of the SAFEARRAY have another type than expected";
    if (automation_count(array) > 0 && !array->pvData)
        return "the SAFEARRAY has no elements";
    return NULL;
}

SAFEARRAY *automation_make_array(const struct plan_type *element, UINT n_dims,
                                 SAFEARRAYBOUND *bounds, const GUID *iid)
{
    void *extra = NULL;
    if (element->kind == VIA_TYPE_INTERFACE)
        extra = (void *)iid;
    else if (element->kind == VIA_TYPE_STRUCT)
        extra = (void *)&element->record->IRecordInfo_iface;
    return SafeArrayCreateEx(automation_vartype(element), n_dims, bounds, extra);
}

void automation_destroy(SAFEARRAY *array)
{
    if (!array)
        return;
    array->cLocks = 0; /* whoever has it locked has no right to it any more */
    SafeArrayDestroy(array);
}

void automation_drop_array(SAFEARRAY *array)
{
    memset(array->pvData, 0, (size_t)automation_count(array) * array->cbElements);
    automation_destroy(array);
}

/* --- VARIANTs --- */

void automation_clear(VARIANT *variant)
{
    bool is_array = V_ISARRAY(variant) && !V_ISBYREF(variant);
    if (is_array)
        automation_destroy(V_ARRAY(variant));
    else if (V_VT(variant) == VT_RECORD)
        records_clear(variant);
    else
        VariantClear(variant);
    memset(variant, 0, sizeof(*variant));
}

/* Of a VARIANT's type without VT_BYREF, in memory of its own. */
static void clear_value(VARTYPE vt, void *value)
{
    if (vt == VT_RECORD) {
        automation_clear(value); /* the VARIANT that owns it */
        return;
    }
    struct native_scope scope = {0};
    const struct plan_type *type = automation_type(vt);
    if (vt & VT_ARRAY) {
        automation_destroy(*(SAFEARRAY **)value);
        *(SAFEARRAY **)value = NULL;
    } else if (type) {
        native_clear(type, value, &scope);
    }
}

static size_t value_size(VARTYPE vt)
{
    return vt & VT_ARRAY ? sizeof(SAFEARRAY *) : automation_type(vt)->size;
}

void automation_replace(VARIANT *to, const VARIANT *from)
{
    VARTYPE vt = V_VT(from);
    for (unsigned depth = 0;
         depth < TYPELIB_MAX_NESTING && V_VT(to) == (VT_BYREF | VT_VARIANT) && V_VARIANTREF(to);
         depth++)
        to = V_VARIANTREF(to);
    bool has_place = V_VT(to) == (vt | VT_BYREF) && V_BYREF(to) && vt != VT_EMPTY;
    if (has_place && vt == VT_RECORD) {
        if (records_replace(to, from))
            return;
        has_place = false;
    }
    if (!has_place) {
        automation_clear(to);
        *to = *from;
        return;
    }
    clear_value(vt, V_BYREF(to));
    memcpy(V_BYREF(to), automation_place(from), value_size(vt));
    if (vt == VT_DECIMAL)
        V_DECIMALREF(to)->wReserved = 0;
}

void automation_free_references(struct automation_reference *first)
{
    while (first) {
        struct automation_reference *next = first->next;
        clear_value(first->vt, &first->value);
        CoTaskMemFree(first);
        first = next;
    }
}
