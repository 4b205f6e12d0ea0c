/*
 * Validation of aliases: what they stand for is a type of its own, and what is declared by one is
 * of that type. So whoever reads a type may take the name or what it stands for.
 */
#include "com/typelib/check.h"
#include "core/util/error.h"

#include <string.h>

static bool has_element(uint8_t kind)
{
    return kind == VIA_TYPE_ARRAY || kind == VIA_TYPE_SIZED || kind == VIA_TYPE_POINTER ||
           kind == VIA_TYPE_SAFEARRAY;
}

static HRESULT fail_alias(const struct via_alias *alias, const char *what)
{
    return error_set(VIA_E_TYPE, "alias %s: %s", alias->name, what);
}

/* Its type refers to no parameter or field, and to no alias but those before it. */
static HRESULT check_meaning(const struct via_typelib *lib, uint16_t index)
{
    const struct via_alias *alias = &lib->aliases[index];
    const struct via_type *type = &lib->types[alias->type];
    for (;; type = &lib->types[type->element]) {
        if (type->alias > index)
            return fail_alias(alias, "it stands for an alias that is not in front of it");
        if (type->size_from != VIA_SIZE_NONE || type->length_from != VIA_SIZE_NONE ||
            type->kind == VIA_TYPE_HANDLE)
            return fail_alias(alias, "what it stands for needs more than a name");
        if (!has_element(type->kind))
            return S_OK;
    }
}

static HRESULT check_alias(const struct via_typelib *lib, uint16_t index)
{
    const struct via_alias *alias = &lib->aliases[index];
    if (!check_is_name(alias->name))
        return error_set(VIA_E_TYPE, "alias %u of the type library has no valid name", index);
    if (alias->type >= lib->n_types)
        return fail_alias(alias, "it stands for an unknown type");
    if (alias->flags >= 2 * VIA_ALIAS_PUBLIC)
        return fail_alias(alias, "unknown flags");
    for (uint16_t i = 0; i < index; i++)
        if (!strcmp(lib->aliases[i].name, alias->name))
            return fail_alias(alias, "it is there twice");
    HRESULT hr = check_meaning(lib, index);
    return SUCCEEDED(hr) ? check_help(alias->name, alias->help) : hr;
}

/* A pointer may be said to be a string, or to point to several. */
static bool is_text(const struct via_typelib *lib, const struct via_type *type,
                    const struct via_type *meaning)
{
    if (meaning->kind != VIA_TYPE_POINTER)
        return false;
    uint8_t kind = lib->types[meaning->element].kind;
    return type->kind == VIA_TYPE_STRING16
               ? kind == VIA_TYPE_WCHAR
               : type->kind == VIA_TYPE_STRING8 && (kind == VIA_TYPE_I8 || kind == VIA_TYPE_U8);
}

/* Whether what `meaning` says can have been declared as what `type` says. */
static bool is_same_shape(const struct via_typelib *lib, uint16_t type, uint16_t meaning)
{
    for (;;) {
        const struct via_type *a = &lib->types[type], *b = &lib->types[meaning];
        bool is_sized = a->kind == VIA_TYPE_SIZED && b->kind == VIA_TYPE_POINTER;
        if (is_text(lib, a, b))
            return true;
        if ((a->kind != b->kind && !is_sized) || a->index != b->index ||
            (a->kind == VIA_TYPE_ARRAY && a->count != b->count))
            return false;
        if (!has_element(a->kind))
            return true;
        type = a->element;
        meaning = b->element;
    }
}

static HRESULT check_type_alias(const struct via_typelib *lib, uint16_t index)
{
    const struct via_type *type = &lib->types[index];
    if (type->alias == 0 || is_same_shape(lib, index, lib->aliases[type->alias - 1].type))
        return S_OK;
    return error_set(VIA_E_TYPE, "type %u is not what its alias %s stands for", index,
                     lib->aliases[type->alias - 1].name);
}

HRESULT check_aliases(const struct via_typelib *lib)
{
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < lib->n_aliases && SUCCEEDED(hr); i++)
        hr = check_alias(lib, i);
    for (uint16_t i = 0; i < lib->n_types && SUCCEEDED(hr); i++)
        hr = check_type_alias(lib, i);
    return hr;
}

const char *check_param_alias(const struct via_typelib *lib, const struct via_param *param)
{
    if (param->alias == 0)
        return NULL;
    if (param->alias > lib->n_aliases)
        return "unknown alias";
    const struct via_type *meaning = &lib->types[lib->aliases[param->alias - 1].type];
    if (!(param->flags & VIA_PARAM_BY_REF) || meaning->kind != VIA_TYPE_POINTER ||
        !is_same_shape(lib, param->type, meaning->element))
        return "its alias stands for no pointer to such a type";
    return NULL;
}
