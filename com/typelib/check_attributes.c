/*
 * Validation of what descriptions say for callers by name and for people: defaults, arguments that
 * may be left out, variable arguments, dispinterfaces, help.
 */
#include "com/typelib/builtin.h"
#include "com/typelib/check.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <math.h>
#include <string.h>

/* --- texts and constants --- */

static bool is_text(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' && text[i] != '\n' && text[i] != '\t')
            return false;
    return size <= TYPELIB_MAX_TEXT && utf8_is_valid(text, size);
}

HRESULT check_help(const char *owner, const char *help)
{
    if (!help || is_text(help))
        return S_OK;
    return error_set(VIA_E_TYPE, "the help of %s is longer than %u bytes, or no text", owner,
                     TYPELIB_MAX_TEXT);
}

static bool is_constant(const struct via_constant *constant)
{
    switch (constant->kind) {
    case VIA_CONSTANT_INTEGER:
        return !constant->text;
    case VIA_CONSTANT_REAL:
        return !constant->text && isfinite(constant->real);
    case VIA_CONSTANT_TEXT:
        return constant->text && is_text(constant->text);
    default:
        return false;
    }
}

/* --- parameters --- */

static bool has_nothing(const struct via_typelib *lib, const struct via_param *param)
{
    const struct via_type *type = &lib->types[param->type];
    switch (type->kind) {
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_UNION:
        return param->flags & VIA_PARAM_NULLABLE;
    case VIA_TYPE_POINTER:
        return (type->flags & VIA_TYPE_NULLABLE) || (param->flags & VIA_PARAM_NULLABLE);
    case VIA_TYPE_SIZED:
        return type->flags & VIA_TYPE_NULLABLE;
    default:
        return true;
    }
}

const char *check_optional(const struct via_typelib *lib, const struct via_param *param)
{
    bool is_optional = param->flags & VIA_PARAM_OPTIONAL;
    if (!param->default_value) {
        bool is_good = !is_optional || !(param->flags & VIA_PARAM_IN) || has_nothing(lib, param);
        return is_good ? NULL : "optional, but there is nothing of its type that it could be then";
    }
    if (!is_optional || !(param->flags & VIA_PARAM_IN))
        return "a default value, but not in and optional";
    if (!is_constant(param->default_value))
        return "its default value is no number and no text";
    if (!typelib_constant_fits(&lib->types[param->type], param->default_value))
        return "its default value is not of its type";
    return NULL;
}

/* --- methods --- */

static const struct via_type *end_of(const struct via_typelib *lib, const struct via_param *param)
{
    const struct via_type *type = &lib->types[param->type];
    return type->kind == VIA_TYPE_SAFEARRAY ? &lib->types[type->element] : NULL;
}

const char *check_vararg(const struct via_typelib *lib, const struct via_method *method)
{
    uint16_t n = method->n_params;
    if (!(method->flags & VIA_METHOD_VARARG))
        return NULL;
    if (method->flags & (VIA_METHOD_PROPPUT | VIA_METHOD_PROPPUTREF))
        return "vararg, but it sets a property";
    if (n > 0 && (method->params[n - 1].flags & VIA_PARAM_RETVAL))
        n--;
    const struct via_type *element = n > 0 ? end_of(lib, &method->params[n - 1]) : NULL;
    if (!element || element->kind != VIA_TYPE_VARIANT ||
        !(method->params[n - 1].flags & VIA_PARAM_IN))
        return "vararg, but its last argument is no [in] SAFEARRAY(VARIANT)";
    for (uint16_t i = 0; i < n; i++)
        if (method->params[i].flags & VIA_PARAM_OPTIONAL)
            return "vararg, but an argument is optional";
    return NULL;
}

/* --- dispinterfaces --- */

static bool may_be_in_variant(const struct via_type *type)
{
    switch (type->kind) {
    case VIA_TYPE_WCHAR:
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
    case VIA_TYPE_HANDLE:
    case VIA_TYPE_OPAQUE:
    case VIA_TYPE_UNION:
        return false;
    default:
        return type->size_from == VIA_SIZE_NONE;
    }
}

static HRESULT check_member(const struct via_typelib *lib, const struct via_interface *iface,
                            const struct via_method *method)
{
    if (method->flags & VIA_METHOD_ONEWAY)
        return error_set(VIA_E_TYPE, "%s.%s is one-way, but a member of a dispinterface",
                         iface->name, method->name);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (!may_be_in_variant(&lib->types[method->params[i].type]))
            return error_set(VIA_E_TYPE,
                             "%s.%s(%s): a member of a dispinterface has arguments "
                             "that a VARIANT can hold",
                             iface->name, method->name, method->params[i].name);
    return S_OK;
}

HRESULT check_dispinterface(const struct via_typelib *lib, const struct via_interface *iface)
{
    const struct via_interface *base =
        iface->base == VIA_NO_INDEX ? NULL : &lib->interfaces[iface->base];
    HRESULT hr = S_OK;
    if (base && (base->flags & VIA_INTERFACE_DISPINTERFACE))
        return error_set(VIA_E_TYPE, "%s is built on the dispinterface %s", iface->name,
                         base->name);
    if (!(iface->flags & VIA_INTERFACE_DISPINTERFACE))
        return S_OK;
    if (!base || !IsEqualGUID(&base->iid, &builtin_iid_dispatch) ||
        (iface->flags & VIA_INTERFACE_DUAL))
        return error_set(VIA_E_TYPE, "the dispinterface %s is not one of IDispatch alone",
                         iface->name);
    for (uint16_t i = 0; i < iface->n_methods && SUCCEEDED(hr); i++)
        hr = check_member(lib, iface, &iface->methods[i]);
    return hr;
}
