/*
 * VARIANTs of late-bound calls as values for a parameter, or a field of a struct, and back. A
 * VARIANT is first made what the parameter is, as VariantChangeType() does it; then it goes the way
 * of all values.
 */
#include "com/marshal/automation.h"
#include "com/marshal/by_name.h"
#include "com/marshal/records.h"
#include "com/typelib/builtin.h"
#include "core/util/error.h"

#include <string.h>
#include <viaduct/com.h>

/* --- to values --- */

/* What is behind references to VARIANTs, as it lies there, and where; NULL: there is nothing. Its
 * place may be at any multiple of 4: the variables of Wine's VBScript are. */
static void *follow(const VARIANT *variant, VARIANT *copy)
{
    const void *at = variant;
    memset(copy, 0, sizeof(*copy));
    for (unsigned depth = 0; at; depth++) {
        memcpy(copy, at, sizeof(*copy));
        if (depth == TYPELIB_MAX_NESTING || V_VT(copy) != (VT_BYREF | VT_VARIANT))
            break;
        at = V_VARIANTREF(copy);
    }
    return (void *)at;
}

/* What a VARIANT is changed to for a parameter of that type; VT_EMPTY: it is taken as it is. */
static VARTYPE coerced_to(const struct plan_type *type, VARTYPE given)
{
    switch (type->kind) {
    case VIA_TYPE_WCHAR:
        return VT_UI2;
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        return VT_BSTR;
    case VIA_TYPE_HRESULT:
        return given == VT_ERROR ? VT_EMPTY : VT_I4;
    case VIA_TYPE_ENUM: /* its names are known to whoever takes values */
        return given == VT_BSTR ? VT_EMPTY : VT_I4;
    case VIA_TYPE_POINTER:
        return coerced_to(type->element, given);
    case VIA_TYPE_VARIANT:
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_INTERFACE:
        return VT_EMPTY;
    default: /* 0 for those that are not Automation's */
        return automation_vartype(type);
    }
}

/* Of {"vt": "i4[]", "value": [...]} only the value: the parameter has a type of its own. */
static void unwrap(struct via_value *value)
{
    struct via_value content = {0};
    if (value->kind != VIA_VALUE_STRUCT || !via_value_field(value, "vt"))
        return;
    for (uint32_t i = 0; i < value->n; i++) {
        struct via_value_field *field = &value->as.fields[i];
        if (strcmp(field->name, "value"))
            continue;
        content = field->value;
        memset(&field->value, 0, sizeof(field->value));
    }
    via_value_clear(value);
    *value = content;
}

static void take_plain(struct by_name *self, const VARIANT *variant, struct via_value *value)
{
    struct native_scope scope = {0};
    by_name_from_native(self, automation_type(VT_VARIANT), variant, &scope, value);
}

static void take_object(struct by_name *self, const VARIANT *variant, struct via_value *value)
{
    VARTYPE vt = V_VT(variant) & (VARTYPE)~VT_BYREF;
    if (vt != VT_UNKNOWN && vt != VT_DISPATCH)
        by_name_fail(self, DISP_E_TYPEMISMATCH, "an object is expected");
    else
        via_value_set_object(value,
                             V_ISBYREF(variant) ? *V_UNKNOWNREF(variant) : V_UNKNOWN(variant));
}

static void take_record(struct by_name *self, const struct plan_type *type, const VARIANT *variant,
                        struct via_value *value)
{
    struct native_scope scope = {0};
    IRecordInfo *ours = (IRecordInfo *)&type->record->IRecordInfo_iface;
    bool is_record = (V_VT(variant) & ~VT_BYREF) == VT_RECORD && V_RECORDINFO(variant) &&
                     V_RECORD(variant) && IRecordInfo_IsMatchingType(ours, V_RECORDINFO(variant));
    if (is_record)
        by_name_from_native(self, type, V_RECORD(variant), &scope, value);
    else
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a record of that type is expected");
}

static void take_coerced(struct by_name *self, const struct plan_type *type, const VARIANT *variant,
                         struct via_value *value)
{
    VARTYPE vt = coerced_to(type, V_VT(variant) & (VARTYPE)~VT_BYREF);
    VARIANT changed;
    VariantInit(&changed);
    if (type->is_nullable && V_VT(variant) == VT_NULL)
        return;
    if (vt == VT_EMPTY) {
        take_plain(self, variant, value);
    } else {
        HRESULT hr = VariantChangeType(&changed, (VARIANT *)variant, 0, vt);
        if (FAILED(hr))
            by_name_fail(self, hr, "it cannot be changed to the parameter's type");
        else
            take_plain(self, &changed, value);
        VariantClear(&changed);
    }
    unwrap(value);
    /* Script engines have arrays of VARIANTs only; what they hold is changed as it fits. */
    if (value->kind == VIA_VALUE_LIST && vt == VT_EMPTY)
        for (uint32_t i = 0; i < value->n; i++)
            unwrap(&value->as.items[i]);
}

static HRESULT take(struct by_name *self, const struct plan_type *type, const VARIANT *variant,
                    struct via_value *value)
{
    VARIANT copy;
    variant = follow(variant, &copy) ? &copy : NULL;
    via_value_clear(value);
    if (!variant || (V_ISBYREF(variant) && !V_BYREF(variant)))
        by_name_fail(self, E_POINTER, "it refers to nothing");
    else if (type->kind == VIA_TYPE_VARIANT)
        take_plain(self, variant, value);
    else if (type->kind == VIA_TYPE_INTERFACE)
        take_object(self, variant, value);
    else if (type->kind == VIA_TYPE_STRUCT)
        take_record(self, type, variant, value);
    else
        take_coerced(self, type, variant, value);
    if (FAILED(self->result))
        via_value_clear(value);
    return self->result;
}

HRESULT marshal_value_from_variant(const struct marshal_method *method, uint16_t param,
                                   const VARIANT *variant, struct via_value *value)
{
    struct by_name by_name;
    by_name_init(&by_name, method);
    by_name_enter_param(&by_name, param);
    return take(&by_name, method->params[param].type, variant, value);
}

HRESULT marshal_item_from_variant(const struct marshal_method *method, uint16_t param,
                                  const VARIANT *variant, struct via_value *value)
{
    struct by_name by_name;
    by_name_init(&by_name, method);
    by_name_enter_param(&by_name, param);
    return take(&by_name, automation_type(VT_VARIANT), variant, value);
}

/* --- from values --- */

/* An object that is more than IUnknown is what late-bound callers can go on with. */
static void give_object(const struct plan_type *type, const struct via_value *value, VARIANT *out)
{
    IUnknown *object = value->kind == VIA_VALUE_OBJECT ? value->as.object : NULL;
    V_VT(out) = IsEqualGUID(type->iid, &builtin_iid_unknown) ? VT_UNKNOWN : VT_DISPATCH;
    V_UNKNOWN(out) = object;
    if (!object)
        return;
    void *dispatch = NULL;
    if (V_VT(out) == VT_DISPATCH &&
        SUCCEEDED(IUnknown_QueryInterface(object, &builtin_iid_dispatch, &dispatch))) {
        V_DISPATCH(out) = dispatch;
        return;
    }
    V_VT(out) = VT_UNKNOWN;
    IUnknown_AddRef(object);
}

static void give_array(struct by_name *self, const struct plan_type *element,
                       const struct via_value *value, VARIANT *out)
{
    const struct plan_type array = {.kind = VIA_TYPE_SAFEARRAY,
                                    .alignment = sizeof(void *),
                                    .size = sizeof(SAFEARRAY *),
                                    .element = element};
    V_VT(out) = VT_ARRAY | automation_vartype(element);
    V_ARRAY(out) = NULL;
    by_name_to_native(self, &array, value, &V_ARRAY(out));
}

static void give(struct by_name *self, const struct plan_type *type, const struct via_value *value,
                 VARIANT *out)
{
    VARTYPE vt = automation_vartype(type);
    switch (type->kind) {
    case VIA_TYPE_INTERFACE:
        give_object(type, value, out);
        return;
    case VIA_TYPE_STRUCT:
        records_set(self, type->record, value, out);
        return;
    case VIA_TYPE_POINTER:
        if (value->kind == VIA_VALUE_NULL)
            V_VT(out) = VT_NULL;
        else
            give(self, type->element, value, out);
        return;
    case VIA_TYPE_SAFEARRAY:
    case VIA_TYPE_SIZED:
    case VIA_TYPE_ARRAY:
        if (automation_vartype(type->element) != VT_EMPTY) {
            give_array(self, type->element, value, out);
            return;
        }
        break;
    case VIA_TYPE_WCHAR:
        vt = VT_UI2;
        break;
    case VIA_TYPE_VARIANT:
        vt = VT_EMPTY;
        break;
    default:
        break;
    }
    /* What is not Automation's becomes what a plain value is. */
    by_name_to_native(self, vt == VT_EMPTY ? automation_type(VT_VARIANT) : type, value,
                      vt == VT_EMPTY ? (void *)out : automation_place(out));
    if (vt != VT_EMPTY)
        V_VT(out) = vt; /* over which a DECIMAL lies */
}

HRESULT marshal_value_to_variant(const struct marshal_method *method, uint16_t param,
                                 const struct via_value *value, VARIANT *variant)
{
    struct by_name by_name;
    by_name_init(&by_name, method);
    by_name_enter_param(&by_name, param);
    memset(variant, 0, sizeof(*variant));
    give(&by_name, method->params[param].type, value, variant);
    if (FAILED(by_name.result))
        automation_clear(variant);
    return by_name.result;
}

/* --- structs that are in no call --- */

HRESULT marshal_field_from_variant(const struct plan_struct *record, uint16_t field,
                                   const VARIANT *variant, struct via_value *value)
{
    struct by_name by_name;
    by_name_init_record(&by_name, record);
    by_name_enter_field(&by_name, record->fields[field].name);
    return take(&by_name, record->fields[field].type, variant, value);
}

HRESULT marshal_field_to_variant(const struct plan_struct *record, uint16_t field,
                                 const struct via_value *value, VARIANT *variant)
{
    struct by_name by_name;
    by_name_init_record(&by_name, record);
    by_name_enter_field(&by_name, record->fields[field].name);
    memset(variant, 0, sizeof(*variant));
    give(&by_name, record->fields[field].type, value, variant);
    if (FAILED(by_name.result))
        automation_clear(variant);
    return by_name.result;
}

HRESULT marshal_record_from_variant(const VARIANT *variant, const struct plan_struct **record,
                                    struct via_value *value)
{
    struct by_name by_name;
    struct native_scope scope = {0};
    IRecordInfo *info = V_RECORDINFO(variant);
    *record = info ? records_of_info(info) : NULL;
    via_value_clear(value);
    if (!*record || !V_RECORD(variant))
        return error_set(DISP_E_BADVARTYPE, "a record is of a struct that is not described here");
    by_name_init_record(&by_name, *record);
    by_name_from_native(&by_name, (*record)->type, V_RECORD(variant), &scope, value);
    if (FAILED(by_name.result))
        via_value_clear(value);
    return by_name.result;
}

HRESULT marshal_record_to_variant(const struct plan_struct *record, const struct via_value *value,
                                  VARIANT *variant)
{
    struct by_name by_name;
    by_name_init_record(&by_name, record);
    memset(variant, 0, sizeof(*variant));
    records_set(&by_name, record, value, variant);
    if (FAILED(by_name.result))
        automation_clear(variant);
    return by_name.result;
}

/* --- references --- */

HRESULT marshal_replace_variant(VARIANT *to, VARIANT *from)
{
    VARIANT copy;
    const VARIANT *place = &copy;
    void *at = follow(to, &copy);
    VARTYPE vt = V_VT(place) & (VARTYPE)~VT_BYREF;
    HRESULT hr = S_OK;
    if (!at || !V_ISBYREF(to) || (V_ISBYREF(place) && !V_BYREF(place)))
        return S_FALSE;
    if (V_ISBYREF(place) && vt != V_VT(from))
        hr = VariantChangeType(from, from, 0, vt);
    else if (V_ISBYREF(place) && vt == VT_RECORD && !records_fit(place, from))
        hr = DISP_E_TYPEMISMATCH;
    if (FAILED(hr))
        return error_set(hr, "a result cannot be changed to what the caller's VARIANT refers to");
    automation_replace(&copy, from);
    memcpy(at, &copy, sizeof(copy));
    VariantInit(from);
    return S_OK;
}
