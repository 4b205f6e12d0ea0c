#include "com/inproc/typelib_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"

/* Structs lead to structs. */
#define MAX_DEPTH 16

static const char *check_type(const struct typelib_fit *fit, const struct via_typelib *lib,
                              const struct via_type *type, unsigned depth);

/* --- types --- */

/* NULL: all is well; else what is wrong with it. */
static const char *check_struct(const struct typelib_fit *fit, const struct via_typelib *lib,
                                uint16_t index, unsigned depth)
{
    const struct via_struct *record = &lib->structs[index];
    if (depth > MAX_DEPTH)
        return "a struct in too many others";
    for (uint16_t i = 0; i < record->n_fields; i++)
        if (check_type(fit, lib, &lib->types[record->fields[i].type], depth + 1) != NULL)
            return "a struct with a field that is not of automation's types";
    return NULL;
}

static const char *check_pointed(const struct typelib_fit *fit, const struct via_typelib *lib,
                                 const struct via_type *type)
{
    const struct via_interface *itf = &lib->interfaces[type->index];
    if (type->size_from != VIA_SIZE_NONE)
        return "an interface pointer whose IID another argument says";
    if (builtin_slots(&itf->iid) != 0 || IsEqualGUID(&itf->iid, &builtin_iid_enum_variant))
        return NULL;
    if (fit->interfaces[type->index])
        return NULL;
    return itf->flags & VIA_INTERFACE_EXTERNAL ? "an interface that another library describes"
                                               : "an interface that is left out itself";
}

static const char *check_type(const struct typelib_fit *fit, const struct via_typelib *lib,
                              const struct via_type *type, unsigned depth)
{
    switch (type->kind) {
    case VIA_TYPE_INTERFACE:
        return check_pointed(fit, lib, type);
    case VIA_TYPE_STRUCT:
        return check_struct(fit, lib, type->index, depth);
    case VIA_TYPE_SAFEARRAY:
        return lib->types[type->element].kind == VIA_TYPE_SAFEARRAY
                   ? "an array of arrays"
                   : check_type(fit, lib, &lib->types[type->element], depth + 1);
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        return "a string that is no BSTR";
    case VIA_TYPE_SIZED:
    case VIA_TYPE_ARRAY:
        return "an array that is no SAFEARRAY";
    case VIA_TYPE_WCHAR:
        return "a wchar_t";
    case VIA_TYPE_GUID:
        return "a GUID";
    case VIA_TYPE_POINTER:
        return "a pointer to a pointer";
    case VIA_TYPE_HANDLE:
        return "an OS handle";
    case VIA_TYPE_UNION:
        return "a union";
    case VIA_TYPE_OPAQUE:
        return "of a type that nobody describes";
    default:
        return NULL;
    }
}

static const char *check_param(const struct typelib_fit *fit, const struct via_typelib *lib,
                               const struct via_param *param)
{
    const struct via_type *type = &lib->types[param->type];
    const char *wrong = check_type(fit, lib, type, 0);
    if (wrong == NULL && type->kind == VIA_TYPE_STRUCT && !(param->flags & VIA_PARAM_BY_REF))
        return "a struct by value";
    return wrong;
}

/* --- interfaces --- */

/* In `text` what does not fit; false: all does. */
static bool find_misfit(const struct typelib_fit *fit, const struct via_typelib *lib,
                        uint16_t index, char *text, size_t size)
{
    const struct via_interface *itf = &lib->interfaces[index];
    const struct via_interface *base =
        itf->base != VIA_NO_INDEX ? &lib->interfaces[itf->base] : NULL;
    if (base != NULL && builtin_slots(&base->iid) == 0 && !fit->interfaces[itf->base]) {
        snprintf(text, size, "it is built on %s, which %s", base->name,
                 base->flags & VIA_INTERFACE_EXTERNAL ? "another library describes"
                                                      : "is left out itself");
        return true;
    }
    for (uint16_t i = 0; i < itf->n_methods; i++) {
        const struct via_method *method = &itf->methods[i];
        for (uint16_t k = 0; k < method->n_params; k++) {
            const char *wrong = check_param(fit, lib, &method->params[k]);
            if (wrong == NULL)
                continue;
            snprintf(text, size, "%s(%s) is %s", method->name, method->params[k].name, wrong);
            return true;
        }
    }
    return false;
}

/* One that is left out takes along those that lead to it. */
static void strike_out(struct typelib_fit *fit, const struct via_typelib *lib,
                       typelib_fit_note note, void *context)
{
    char why[256], text[512];
    bool goes_on = true;
    while (goes_on) {
        goes_on = false;
        for (uint16_t i = 0; i < lib->n_interfaces; i++) {
            if (!fit->interfaces[i] || !find_misfit(fit, lib, i, why, sizeof why))
                continue;
            fit->interfaces[i] = false;
            goes_on = true;
            snprintf(text, sizeof text, "interface %s is left out of the type library: %s",
                     lib->interfaces[i].name, why);
            if (note != NULL)
                note(context, text);
        }
    }
}

static bool is_in_another(const GUID *iid, const struct typelib_written *others, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct via_typelib *lib = others[i].lib;
        uint16_t index = typelib_find_interface(lib, iid);
        if (index != VIA_NO_INDEX && !(lib->interfaces[index].flags & VIA_INTERFACE_EXTERNAL) &&
            others[i].fit.interfaces[index])
            return true;
    }
    return false;
}

/* An alias may be of a pointer, which an argument is by reference. */
static bool fits_alias(const struct typelib_fit *fit, const struct via_typelib *lib, uint16_t index)
{
    const struct via_type *type = &lib->types[lib->aliases[index].type];
    if (type->kind == VIA_TYPE_POINTER)
        type = &lib->types[type->element];
    return check_type(fit, lib, type, 0) == NULL;
}

HRESULT typelib_fit_init(struct typelib_fit *fit, const struct via_typelib *lib,
                         const struct typelib_written *others, unsigned n_others,
                         typelib_fit_note note, void *context)
{
    fit->interfaces = calloc(lib->n_interfaces + 1u, sizeof(bool));
    fit->structs = calloc(lib->n_structs + 1u, sizeof(bool));
    fit->aliases = calloc(lib->n_aliases + 1u, sizeof(bool));
    if (fit->interfaces == NULL || fit->structs == NULL || fit->aliases == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a type library");
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        const struct via_interface *itf = &lib->interfaces[i];
        bool is_external = itf->flags & VIA_INTERFACE_EXTERNAL;
        fit->interfaces[i] = builtin_slots(&itf->iid) == 0 &&
                             (!is_external || is_in_another(&itf->iid, others, n_others));
    }
    strike_out(fit, lib, note, context);
    for (uint16_t i = 0; i < lib->n_structs; i++)
        fit->structs[i] = check_struct(fit, lib, i, 0) == NULL;
    for (uint16_t i = 0; i < lib->n_aliases; i++)
        fit->aliases[i] = fits_alias(fit, lib, i);
    return S_OK;
}

void typelib_fit_deinit(struct typelib_fit *fit)
{
    free(fit->interfaces);
    free(fit->structs);
    free(fit->aliases);
    memset(fit, 0, sizeof *fit);
}
