/*
 * Validation. Everything that another part of the program will index with, divide by, allocate or
 * call through is checked here once; what passes needs no second look.
 */
#include "com/typelib/check.h"
#include "com/abi/guid.h"
#include "com/typelib/builtin.h"
#include "com/typelib/kinds.h"
#include "core/util/error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <viaduct/automation.h>

/* An identifier of C, at most so long. */
#define MAX_NAME     255
#define MAX_LIB_NAME 255

#define ACCESSOR_FLAGS (VIA_METHOD_PROPGET | VIA_METHOD_PROPPUT | VIA_METHOD_PROPPUTREF)

bool check_is_name(const char *name)
{
    if (!name || !(isalpha((unsigned char)name[0]) || name[0] == '_'))
        return false;
    size_t n = 1;
    while (name[n] && n <= MAX_NAME && (isalnum((unsigned char)name[n]) || name[n] == '_'))
        n++;
    return !name[n] && n <= MAX_NAME;
}

static HRESULT bad_name(const char *what, size_t index)
{
    return error_set(VIA_E_TYPE, "%s %zu of the type library has no valid name", what, index);
}

/* What refers to nothing else in the library. */
static bool is_simple(uint8_t kind)
{
    return (kind >= VIA_TYPE_I8 && kind <= VIA_TYPE_STRING16 && kind != VIA_TYPE_ENUM) ||
           (kind >= VIA_TYPE_CY && kind <= VIA_TYPE_VARIANT) || kind == VIA_TYPE_OPAQUE;
}

/* What a VARTYPE stands for: so a SAFEARRAY can say what its elements are. */
static bool may_be_in_safearray(uint8_t kind)
{
    return (is_simple(kind) && kind != VIA_TYPE_WCHAR && kind != VIA_TYPE_GUID &&
            kind != VIA_TYPE_STRING8 && kind != VIA_TYPE_STRING16) ||
           kind == VIA_TYPE_ENUM || kind == VIA_TYPE_STRUCT || kind == VIA_TYPE_INTERFACE;
}

static HRESULT check_reference(const char *what, size_t index, uint16_t value, uint16_t limit)
{
    if (value < limit)
        return S_OK;
    return error_set(VIA_E_TYPE, "type %zu names %s %u, of which there are %u", index, what, value,
                     limit);
}

/* A VIA_TYPE_SIZED says where its number of elements stands; a union, its discriminant. */
static HRESULT check_from(const struct via_type *type, size_t index)
{
    bool is_sized = type->kind == VIA_TYPE_SIZED, is_union = type->kind == VIA_TYPE_UNION;
    bool is_interface = type->kind == VIA_TYPE_INTERFACE;
    bool is_array = is_sized || type->kind == VIA_TYPE_ARRAY;
    uint8_t most = is_sized ? VIA_SIZE_EXPRESSION : VIA_SIZE_FIELD;
    if (type->size_from > most || (type->size_from == VIA_SIZE_NONE && (is_sized || is_union)) ||
        (type->size_from != VIA_SIZE_NONE && !is_sized && !is_union && !is_interface))
        return error_set(VIA_E_TYPE,
                         "type %zu does not say where its number of elements, its discriminant or "
                         "its IID stands",
                         index);
    if (type->length_from > VIA_SIZE_EXPRESSION || type->length_from == VIA_SIZE_CONST ||
        (type->length_from != VIA_SIZE_NONE && !is_array))
        return error_set(VIA_E_TYPE, "type %zu does not say where its length stands", index);
    if (type->size_from == VIA_SIZE_CONST &&
        (type->count == 0 || type->count > TYPELIB_MAX_VALUE_SIZE))
        return error_set(VIA_E_TYPE, "type %zu has %u elements", index, type->count);
    return S_OK;
}

static HRESULT check_safearray(const struct via_typelib *lib, const struct via_type *type,
                               size_t index)
{
    HRESULT hr = check_reference("type", index, type->element, lib->n_types);
    if (FAILED(hr))
        return hr;
    const struct via_type *element = &lib->types[type->element];
    if (may_be_in_safearray(element->kind) && element->size_from == VIA_SIZE_NONE)
        return S_OK;
    return error_set(VIA_E_TYPE, "type %zu is a SAFEARRAY of what cannot be in one", index);
}

static bool may_be_null(uint8_t kind)
{
    return kind == VIA_TYPE_STRING8 || kind == VIA_TYPE_STRING16 || kind == VIA_TYPE_SIZED ||
           kind == VIA_TYPE_POINTER;
}

static HRESULT check_type(const struct via_typelib *lib, size_t index)
{
    const struct via_type *type = &lib->types[index];
    if (type->flags & ~VIA_TYPE_NULLABLE ||
        ((type->flags & VIA_TYPE_NULLABLE) && !may_be_null(type->kind)))
        return error_set(VIA_E_TYPE, "type %zu has unknown flags", index);
    HRESULT hr = check_from(type, index);
    if (SUCCEEDED(hr) && type->alias > lib->n_aliases)
        hr = error_set(VIA_E_TYPE, "type %zu names alias %u, of which there are %u", index,
                       type->alias, lib->n_aliases);
    if (FAILED(hr))
        return hr;
    switch (type->kind) {
    case VIA_TYPE_ENUM:
        return check_reference("enum", index, type->index, lib->n_enums);
    case VIA_TYPE_STRUCT:
        return check_reference("struct", index, type->index, lib->n_structs);
    case VIA_TYPE_INTERFACE:
        return check_reference("interface", index, type->index, lib->n_interfaces);
    case VIA_TYPE_UNION:
        return check_reference("union", index, type->index, lib->n_unions);
    case VIA_TYPE_ARRAY:
        if (type->count == 0 || type->count > TYPELIB_MAX_VALUE_SIZE)
            return error_set(VIA_E_TYPE, "type %zu is an array of %u elements", index, type->count);
        return check_reference("type", index, type->element, lib->n_types);
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
        return check_reference("type", index, type->element, lib->n_types);
    case VIA_TYPE_SAFEARRAY:
        return check_safearray(lib, type, index);
    case VIA_TYPE_HANDLE:
        if (kinds_handle_name(type->count))
            return S_OK;
        return error_set(VIA_E_TYPE, "type %zu is a handle of the unknown kind %u", index,
                         type->count);
    default:
        if (is_simple(type->kind))
            return S_OK;
        return error_set(VIA_E_TYPE, "type %zu has the unknown kind %u", index, type->kind);
    }
}

/* What a struct or union takes in place, once it is known; `height`: how deep they go in each
 * other. */
struct extent {
    uint32_t size; /* 0: too deep, too large, or it holds itself */
    uint16_t height;
    bool is_known;
};

struct extents {
    const struct via_typelib *lib;
    struct extent *of_struct;
    struct extent *of_union;
};

static struct extent extent_of_type(struct extents *self, uint16_t type, unsigned depth);

/* False: it has become too large. */
static bool add_extent(struct extent *all, struct extent part, bool is_beside)
{
    uint64_t size = (uint64_t)(is_beside ? all->size : 0) + part.size + 7;
    if (part.height > all->height)
        all->height = part.height;
    if (part.size == 0 || size > TYPELIB_MAX_VALUE_SIZE)
        all->size = 0;
    else if (is_beside || size > all->size)
        all->size = (uint32_t)size;
    return part.size != 0 && size <= TYPELIB_MAX_VALUE_SIZE;
}

static struct extent close_extent(struct extent all, struct extent *known)
{
    if (++all.height > TYPELIB_MAX_NESTING)
        all.size = 0;
    *known = all;
    return all;
}

/* Each struct is looked into once, or a few doublings would take for ever. */
static struct extent extent_of_struct(struct extents *self, uint16_t index, unsigned depth)
{
    const struct via_struct *record = &self->lib->structs[index];
    struct extent *known = &self->of_struct[index];
    struct extent all = {0, 0, true};
    if (known->is_known)
        return *known;
    for (uint16_t i = 0; i < record->n_fields && depth <= TYPELIB_MAX_NESTING; i++)
        if (!add_extent(&all, extent_of_type(self, record->fields[i].type, depth + 1), true))
            break;
    return close_extent(all, known);
}

static struct extent extent_of_union(struct extents *self, uint16_t index, unsigned depth)
{
    const struct via_union *choice = &self->lib->unions[index];
    struct extent *known = &self->of_union[index];
    struct extent all = {0, 0, true};
    if (known->is_known)
        return *known;
    for (uint16_t i = 0; i < choice->n_arms && depth <= TYPELIB_MAX_NESTING; i++)
        if (choice->arms[i].type != VIA_NO_INDEX &&
            !add_extent(&all, extent_of_type(self, choice->arms[i].type, depth + 1), false))
            break;
    return close_extent(all, known);
}

static struct extent extent_of_type(struct extents *self, uint16_t type, unsigned depth)
{
    const struct via_type *it = &self->lib->types[type];
    struct extent all = {16, 0, true};
    uint64_t n = 1;
    for (; it->kind == VIA_TYPE_ARRAY; it = &self->lib->types[it->element])
        n = n > TYPELIB_MAX_VALUE_SIZE ? n : n * it->count;
    if (it->kind == VIA_TYPE_STRUCT)
        all = extent_of_struct(self, it->index, depth + 1);
    else if (it->kind == VIA_TYPE_UNION)
        all = extent_of_union(self, it->index, depth + 1);
    else if (it->kind == VIA_TYPE_VARIANT)
        all.size = sizeof(VARIANT);
    n = n > TYPELIB_MAX_VALUE_SIZE ? 0 : n * all.size;
    all.size = n > TYPELIB_MAX_VALUE_SIZE ? 0 : (uint32_t)n;
    return all;
}

static HRESULT check_extents(const struct via_typelib *lib)
{
    struct extents extents = {lib, calloc((size_t)lib->n_structs + 1, sizeof(struct extent)),
                              calloc((size_t)lib->n_unions + 1, sizeof(struct extent))};
    HRESULT hr = S_OK;
    if (!extents.of_struct || !extents.of_union)
        hr = error_set(E_OUTOFMEMORY, "no memory to check a type library");
    for (uint16_t i = 0; i < lib->n_types && SUCCEEDED(hr); i++)
        if (extent_of_type(&extents, i, 0).size == 0)
            hr = error_set(VIA_E_TYPE, "type %u holds itself, or is larger than %u bytes", i,
                           TYPELIB_MAX_VALUE_SIZE);
    /* Those too that no type is: a VARIANT may hold one. */
    for (uint16_t i = 0; i < lib->n_structs && SUCCEEDED(hr); i++)
        if (extent_of_struct(&extents, i, 0).size == 0)
            hr = error_set(VIA_E_TYPE, "struct %s is larger than %u bytes", lib->structs[i].name,
                           TYPELIB_MAX_VALUE_SIZE);
    free(extents.of_struct);
    free(extents.of_union);
    return hr;
}

/* How deep pointers, arrays and structs go; a struct that points to itself ends at the struct. */
static HRESULT check_nesting(const struct via_typelib *lib, uint16_t type)
{
    unsigned depth = 0;
    for (const struct via_type *self = &lib->types[type];
         self->kind == VIA_TYPE_ARRAY || self->kind == VIA_TYPE_SIZED ||
         self->kind == VIA_TYPE_POINTER || self->kind == VIA_TYPE_SAFEARRAY;
         self = &lib->types[self->element])
        if (++depth > TYPELIB_MAX_NESTING)
            return error_set(VIA_E_TYPE, "type %u is nested more than %d deep", type,
                             TYPELIB_MAX_NESTING);
    return S_OK;
}

/* What is in something else is made, copied and thrown away together with it; a handle is not
 * zeroed memory, and is looked after by those who pass it. What is opaque cannot be copied at all.
 */
static bool is_param_only(uint8_t kind)
{
    return kind == VIA_TYPE_HANDLE || kind == VIA_TYPE_OPAQUE;
}

static HRESULT check_params_only(const struct via_typelib *lib)
{
    for (size_t i = 0; i < lib->n_types; i++)
        if (lib->types[i].element < lib->n_types &&
            is_param_only(lib->types[lib->types[i].element].kind))
            return error_set(VIA_E_TYPE, "type %zu has handles in it; only parameters are", i);
    for (uint16_t i = 0; i < lib->n_structs; i++)
        for (uint16_t j = 0; j < lib->structs[i].n_fields; j++)
            if (lib->structs[i].fields[j].type < lib->n_types &&
                is_param_only(lib->types[lib->structs[i].fields[j].type].kind))
                return error_set(VIA_E_TYPE, "%s.%s is a handle; only parameters are",
                                 lib->structs[i].name, lib->structs[i].fields[j].name);
    return S_OK;
}

static HRESULT check_types(const struct via_typelib *lib)
{
    HRESULT hr = S_OK;
    for (size_t i = 0; i < lib->n_types && SUCCEEDED(hr); i++)
        hr = check_type(lib, i);
    if (SUCCEEDED(hr))
        hr = check_params_only(lib);
    for (uint16_t i = 0; i < lib->n_types && SUCCEEDED(hr); i++)
        hr = check_nesting(lib, i);
    return hr;
}

static HRESULT check_field(const struct via_typelib *lib, const struct via_struct *record,
                           uint16_t index)
{
    const struct via_field *field = &record->fields[index];
    if (!check_is_name(field->name))
        return error_set(VIA_E_TYPE, "field %u of struct %s has no valid name", index,
                         record->name);
    if (field->type >= lib->n_types)
        return error_set(VIA_E_TYPE, "%s.%s has the unknown type %u", record->name, field->name,
                         field->type);
    return check_field_references(lib, record, field);
}

static HRESULT check_structs(const struct via_typelib *lib)
{
    for (uint16_t i = 0; i < lib->n_structs; i++) {
        const struct via_struct *record = &lib->structs[i];
        if (!check_is_name(record->name))
            return bad_name("struct", i);
        if (record->n_fields == 0)
            return error_set(VIA_E_TYPE, "struct %s has no fields", record->name);
        for (uint16_t field = 0; field < record->n_fields; field++) {
            HRESULT hr = check_field(lib, record, field);
            if (FAILED(hr))
                return hr;
        }
        if (FAILED(check_help(record->name, record->help)))
            return VIA_E_TYPE;
    }
    return check_extents(lib);
}

static HRESULT check_enums(const struct via_typelib *lib)
{
    for (uint16_t i = 0; i < lib->n_enums; i++) {
        const struct via_enum *self = &lib->enums[i];
        if (!check_is_name(self->name))
            return bad_name("enum", i);
        for (uint16_t j = 0; j < self->n_values; j++)
            if (!check_is_name(self->values[j].name))
                return bad_name("enum value", j);
        if (FAILED(check_help(self->name, self->help)))
            return VIA_E_TYPE;
    }
    return S_OK;
}

static HRESULT fail_param(const struct via_interface *iface, const struct via_method *method,
                          const struct via_param *param, const char *what)
{
    return error_set(VIA_E_TYPE, "%s.%s(%s): %s", iface->name, method->name, param->name, what);
}

/* What may change while a method reads it has nothing in it that was checked. */
static bool may_be_in_place(const struct via_typelib *lib, const struct via_param *param)
{
    const struct via_type *type = &lib->types[param->type];
    unsigned others = VIA_PARAM_OUT | VIA_PARAM_BY_REF;
    return type->kind == VIA_TYPE_SIZED && !(param->flags & others) &&
           lib->types[type->element].kind <= VIA_TYPE_F64;
}

static HRESULT check_param(const struct via_typelib *lib, const struct via_interface *iface,
                           const struct via_method *method, uint16_t index)
{
    const struct via_param *param = &method->params[index];
    if (!check_is_name(param->name))
        return error_set(VIA_E_TYPE, "parameter %u of %s.%s has no valid name", index, iface->name,
                         method->name);
    if (param->type >= lib->n_types)
        return fail_param(iface, method, param, "unknown type");
    uint8_t kind = lib->types[param->type].kind;
    bool is_out = param->flags & VIA_PARAM_OUT;
    if (!(param->flags & (VIA_PARAM_IN | VIA_PARAM_OUT)) || param->flags >= 2 * VIA_PARAM_OPTIONAL)
        return fail_param(iface, method, param, "neither in nor out, or unknown flags");
    if (is_out && !(param->flags & VIA_PARAM_BY_REF) && kind != VIA_TYPE_SIZED)
        return fail_param(iface, method, param, "out, but not by reference");
    if (kind == VIA_TYPE_ARRAY && !(param->flags & VIA_PARAM_BY_REF))
        return fail_param(iface, method, param, "an array by value");
    if ((param->flags & VIA_PARAM_RETVAL) &&
        (!is_out || (param->flags & VIA_PARAM_IN) || index + 1 != method->n_params))
        return fail_param(iface, method, param, "retval, but not the last parameter and out");
    if ((param->flags & VIA_PARAM_NULLABLE) && (is_out || !(param->flags & VIA_PARAM_BY_REF)))
        return fail_param(iface, method, param, "nullable, but not in and by reference");
    if (is_out && (method->flags & VIA_METHOD_ONEWAY))
        return fail_param(iface, method, param, "out in a one-way method");
    if (kind == VIA_TYPE_HANDLE && (param->flags & VIA_PARAM_BY_REF) && !is_out)
        return fail_param(iface, method, param, "a handle that goes in, but by reference");
    if (kind == VIA_TYPE_OPAQUE && (is_out || (param->flags & VIA_PARAM_BY_REF)))
        return fail_param(iface, method, param, "opaque, but not in and by value");
    if ((param->flags & VIA_PARAM_IN_PLACE) && !may_be_in_place(lib, param))
        return fail_param(iface, method, param, "in place, but not an [in] array of numbers");
    const char *wrong = check_optional(lib, param);
    if (!wrong)
        wrong = check_param_alias(lib, param);
    if (wrong)
        return fail_param(iface, method, param, wrong);
    return check_param_references(lib, iface, method, param);
}

static HRESULT check_method(const struct via_typelib *lib, const struct via_interface *iface,
                            uint16_t index)
{
    const struct via_method *method = &iface->methods[index];
    if (!check_is_name(method->name))
        return error_set(VIA_E_TYPE, "method %u of %s has no valid name", index, iface->name);
    if (method->n_params > TYPELIB_MAX_PARAMS)
        return error_set(VIA_E_TYPE, "%s.%s has more than %d parameters", iface->name, method->name,
                         TYPELIB_MAX_PARAMS);
    if (method->flags >= 2 * VIA_METHOD_HIDDEN)
        return error_set(VIA_E_TYPE, "%s.%s has unknown flags", iface->name, method->name);
    HRESULT hr = check_help(method->name, method->help);
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(hr); i++)
        hr = check_param(lib, iface, method, i);
    const char *wrong = SUCCEEDED(hr) ? check_vararg(lib, method) : NULL;
    return wrong ? error_set(VIA_E_TYPE, "%s.%s: %s", iface->name, method->name, wrong) : hr;
}

static const char *accessor_prefix(const struct via_method *method)
{
    return method->flags & VIA_METHOD_PROPGET      ? "get_"
           : method->flags & VIA_METHOD_PROPPUT    ? "put_"
           : method->flags & VIA_METHOD_PROPPUTREF ? "putref_"
                                                   : "";
}

/* As C spells it: "get_Name" for the getter of a property. */
static void spell(const struct via_method *method, char text[MAX_NAME + 8])
{
    snprintf(text, MAX_NAME + 8, "%s%s", accessor_prefix(method), method->name);
}

/* A method is found by its name without case, so that a second one could never be called; in C it
 * would be a second member of that name. Names are valid by now. */
static bool is_same_method(const struct via_method *method, const char *c_name,
                           const struct via_method *other)
{
    char other_c_name[MAX_NAME + 8];
    if (!((method->flags | other->flags) & ACCESSOR_FLAGS))
        return !strcasecmp(method->name, other->name);
    spell(other, other_c_name);
    return !strcasecmp(c_name, other_c_name);
}

/* Among the interface's methods before this one, and those of its bases. A base that is described
 * elsewhere is not looked for. */
static HRESULT check_method_is_new(const struct via_typelib *lib, const struct via_interface *iface,
                                   uint16_t index)
{
    const struct via_method *method = &iface->methods[index];
    const struct via_interface *owner = iface;
    char c_name[MAX_NAME + 8];
    spell(method, c_name);
    for (uint16_t n = index;; owner = &lib->interfaces[owner->base], n = owner->n_methods) {
        bool is_there = builtin_has_method(&owner->iid, c_name);
        for (uint16_t i = 0; i < n && !is_there; i++)
            is_there = is_same_method(method, c_name, &owner->methods[i]);
        if (is_there)
            return error_set(VIA_E_TYPE,
                             "%s.%s is there twice, the other one in %s; case makes no difference",
                             iface->name, c_name, owner->name);
        if (owner->base == VIA_NO_INDEX)
            return S_OK;
    }
}

/* The base chain ends at IUnknown, and does not go in a circle. */
static HRESULT check_bases(const struct via_typelib *lib, uint16_t index)
{
    const struct via_interface *iface = &lib->interfaces[index];
    unsigned n_steps = 0;
    size_t n_methods = 0;
    for (const struct via_interface *self = iface; self->base != VIA_NO_INDEX;
         self = &lib->interfaces[self->base]) {
        n_methods += self->n_methods;
        if (self->base >= lib->n_interfaces || ++n_steps > lib->n_interfaces)
            return error_set(VIA_E_TYPE, "%s: its base interfaces do not end at IUnknown",
                             iface->name);
        if (n_methods > TYPELIB_MAX_SLOTS)
            return error_set(VIA_E_TYPE, "%s has more than %d methods", iface->name,
                             TYPELIB_MAX_SLOTS);
    }
    return S_OK;
}

static HRESULT check_interface(const struct via_typelib *lib, uint16_t index)
{
    const struct via_interface *iface = &lib->interfaces[index];
    if (!check_is_name(iface->name))
        return bad_name("interface", index);
    if (iface->flags >= 2 * VIA_INTERFACE_NONEXTENSIBLE)
        return error_set(VIA_E_TYPE, "%s has unknown flags", iface->name);
    if (iface->base == VIA_NO_INDEX && !IsEqualGUID(&iface->iid, &builtin_iid_unknown) &&
        !(iface->flags & VIA_INTERFACE_EXTERNAL))
        return error_set(VIA_E_TYPE, "%s does not derive from IUnknown", iface->name);
    bool is_described = !(iface->flags & VIA_INTERFACE_EXTERNAL);
    if (builtin_slots(&iface->iid) && is_described)
        return error_set(VIA_E_TYPE, "%s describes an interface that is built in", iface->name);
    if (!is_described && iface->n_methods)
        return error_set(VIA_E_TYPE, "%s is described elsewhere, and has methods", iface->name);
    for (uint16_t i = 0; i < index; i++)
        if (IsEqualGUID(&lib->interfaces[i].iid, &iface->iid))
            return error_set(VIA_E_TYPE, "%s and %s have the same IID", lib->interfaces[i].name,
                             iface->name);
    HRESULT hr = check_bases(lib, index);
    for (uint16_t i = 0; i < iface->n_methods && SUCCEEDED(hr); i++)
        hr = check_method(lib, iface, i);
    if (SUCCEEDED(hr))
        hr = check_dispinterface(lib, iface);
    return SUCCEEDED(hr) ? check_help(iface->name, iface->help) : hr;
}

/* Once all names and base chains are known to be valid. */
static HRESULT check_method_names(const struct via_typelib *lib)
{
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < lib->n_interfaces && SUCCEEDED(hr); i++)
        for (uint16_t j = 0; j < lib->interfaces[i].n_methods && SUCCEEDED(hr); j++)
            hr = check_method_is_new(lib, &lib->interfaces[i], j);
    return hr;
}

static HRESULT check_coclasses(const struct via_typelib *lib)
{
    for (uint16_t i = 0; i < lib->n_coclasses; i++) {
        const struct via_coclass *coclass = &lib->coclasses[i];
        if (!check_is_name(coclass->name))
            return bad_name("coclass", i);
        for (uint16_t j = 0; j < coclass->n_interfaces; j++)
            if (coclass->interfaces[j].interface_index >= lib->n_interfaces)
                return error_set(VIA_E_TYPE, "coclass %s names an unknown interface",
                                 coclass->name);
        HRESULT hr = check_help(coclass->name, coclass->help);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT check_counts(const struct via_typelib *lib)
{
    if (lib->n_types <= TYPELIB_MAX_TYPES && lib->n_structs <= TYPELIB_MAX_ENTRIES &&
        lib->n_enums <= TYPELIB_MAX_ENTRIES && lib->n_interfaces <= TYPELIB_MAX_ENTRIES &&
        lib->n_coclasses <= TYPELIB_MAX_ENTRIES && lib->n_unions <= TYPELIB_MAX_ENTRIES &&
        lib->n_expressions <= TYPELIB_MAX_TYPES && lib->n_aliases <= TYPELIB_MAX_ENTRIES)
        return S_OK;
    return error_set(VIA_E_TYPE,
                     "more than %u types or expressions, or more than %u structs, unions, enums, "
                     "aliases, interfaces or classes",
                     TYPELIB_MAX_TYPES, TYPELIB_MAX_ENTRIES);
}

HRESULT typelib_check(const struct via_typelib *lib)
{
    if (lib->abi != VIA_TYPELIB_ABI || lib->size < sizeof(*lib))
        return error_set(VIA_E_TYPE,
                         "the type library's tables have version %u and %u bytes; version %u "
                         "and %zu bytes are known: compile its IDL again",
                         lib->abi, lib->size, VIA_TYPELIB_ABI, sizeof(*lib));
    if (!lib->name || strlen(lib->name) > MAX_LIB_NAME)
        return error_set(VIA_E_TYPE, "the type library has no name, or one that is too long");
    HRESULT hr = check_counts(lib);
    if (SUCCEEDED(hr))
        hr = check_help(lib->name, lib->help);
    if (SUCCEEDED(hr))
        hr = check_expressions(lib);
    if (SUCCEEDED(hr))
        hr = check_types(lib);
    if (SUCCEEDED(hr))
        hr = check_aliases(lib);
    if (SUCCEEDED(hr))
        hr = check_enums(lib);
    if (SUCCEEDED(hr))
        hr = check_unions(lib);
    if (SUCCEEDED(hr))
        hr = check_structs(lib);
    for (uint16_t i = 0; i < lib->n_interfaces && SUCCEEDED(hr); i++)
        hr = check_interface(lib, i);
    if (SUCCEEDED(hr))
        hr = check_method_names(lib);
    if (SUCCEEDED(hr))
        hr = check_coclasses(lib);
    return FAILED(hr) ? error_wrap(hr, "type library %s is not valid", lib->name) : S_OK;
}
