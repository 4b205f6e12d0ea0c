#include "com/dispatch/missing.h"

#include <string.h>
#include <viaduct/value.h>

#include "com/marshal/plan.h"

bool missing_is(const VARIANT *argument)
{
    return V_VT(argument) == VT_ERROR && V_ERROR(argument) == DISP_E_PARAMNOTFOUND;
}

static void set_integer(const struct plan_type *type, int64_t number, struct via_value *value)
{
    switch (type->kind) {
    case VIA_TYPE_BOOL:
        value->kind = VIA_VALUE_BOOL;
        value->as.boolean = number != 0;
        return;
    case VIA_TYPE_BSTR:
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
    case VIA_TYPE_INTERFACE:
    case VIA_TYPE_SAFEARRAY:
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
        return; /* NULL, which is what 0 means there */
    default:
        value->kind = VIA_VALUE_I64;
        value->as.i64 = number;
    }
}

static HRESULT set_constant(const struct plan_type *type, const struct via_constant *constant,
                            struct via_value *value)
{
    if (constant->kind == VIA_CONSTANT_TEXT)
        return via_value_set_string(value, constant->text, strlen(constant->text));
    if (constant->kind == VIA_CONSTANT_INTEGER) {
        set_integer(type, constant->integer, value);
        return S_OK;
    }
    value->kind = VIA_VALUE_F64;
    value->as.f64 = constant->real;
    return S_OK;
}

static HRESULT set_nothing(const struct marshal_method *method, unsigned i, struct via_value *value)
{
    const struct plan_param *plan = &method->params[i];
    VARIANT none;
    switch (plan->type->kind) {
    case VIA_TYPE_VARIANT:
        VariantInit(&none);
        V_VT(&none) = VT_ERROR;
        V_ERROR(&none) = DISP_E_PARAMNOTFOUND;
        return marshal_value_from_variant(method, (uint16_t)i, &none, value);
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        return plan->type->is_nullable ? S_OK : via_value_set_string(value, "", 0);
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_UNION:
    case VIA_TYPE_HANDLE:
    case VIA_TYPE_OPAQUE:
        return S_OK; /* NULL: the validation has seen to it that it may be */
    default:
        set_integer(plan->type, 0, value);
        return S_OK;
    }
}

HRESULT missing_value(const struct marshal_method *method, unsigned i, struct via_value *value)
{
    const struct via_param *param = method->params[i].param;
    if (!(param->flags & VIA_PARAM_OPTIONAL))
        return S_FALSE;
    via_value_clear(value);
    if (param->default_value != NULL)
        return set_constant(method->params[i].type, param->default_value, value);
    /* A VARIANT says itself that it is missing, behind a pointer that may be NULL as well. */
    bool is_variant = method->params[i].type->kind == VIA_TYPE_VARIANT;
    return method->params[i].is_nullable && !is_variant ? S_OK : set_nothing(method, i, value);
}
