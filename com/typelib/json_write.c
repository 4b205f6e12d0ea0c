/* The JSON form: readable, by names; indexes are made again when it is read. docs/idl.md describes
 * it. */
#include "com/abi/guid.h"
#include "com/typelib/kinds.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"

#include <jansson.h>
#include <stdlib.h>

/* Where a size_is of a type looks: one of the two is set. */
struct owner {
    const struct via_method *method;
    const struct via_struct *record;
};

static json_t *write_member(uint16_t index, const struct owner *owner)
{
    return json_string(owner->method ? owner->method->params[index].name
                                     : owner->record->fields[index].name);
}

static json_t *write_expression(const struct via_typelib *lib, uint16_t index,
                                const struct owner *owner)
{
    const struct via_expression *self = &lib->expressions[index];
    if (self->op == VIA_OPERATOR_CONST)
        return json_integer(self->value);
    if (self->op == VIA_OPERATOR_PARAM || self->op == VIA_OPERATOR_FIELD)
        return write_member(self->left, owner);
    return json_pack("[o, s, o]", write_expression(lib, self->left, owner),
                     typelib_operator_name(self->op), write_expression(lib, self->right, owner));
}

/* A name, a number, or [LEFT, OPERATOR, RIGHT]. */
static json_t *write_from(const struct via_typelib *lib, uint8_t from, uint16_t index,
                          uint32_t count, const struct owner *owner)
{
    if (from == VIA_SIZE_CONST)
        return json_integer(count);
    return from == VIA_SIZE_EXPRESSION ? write_expression(lib, index, owner)
                                       : write_member(index, owner);
}

static void write_also(json_t *json, const char *key, const struct via_typelib *lib, uint8_t from,
                       uint16_t index, const struct owner *owner)
{
    if (from != VIA_SIZE_NONE)
        json_object_set_new(json, key, write_from(lib, from, index, 0, owner));
}

/* `alias` is 1 and its index; 0: none. */
static void write_alias_name(json_t *json, const struct via_typelib *lib, uint16_t alias)
{
    if (alias)
        json_object_set_new(json, "alias", json_string(lib->aliases[alias - 1].name));
}

static json_t *write_type(const struct via_typelib *lib, uint16_t index, const struct owner *owner)
{
    const struct via_type *type = &lib->types[index];
    const char *kind = kinds_name(type->kind);
    if (kind && !(type->flags & VIA_TYPE_NULLABLE) && !type->alias)
        return json_string(kind);
    json_t *json = json_object();
    switch (type->kind) {
    case VIA_TYPE_ENUM:
        json_object_set_new(json, "enum", json_string(lib->enums[type->index].name));
        break;
    case VIA_TYPE_STRUCT:
        json_object_set_new(json, "struct", json_string(lib->structs[type->index].name));
        break;
    case VIA_TYPE_INTERFACE:
        json_object_set_new(json, "interface", json_string(lib->interfaces[type->index].name));
        write_also(json, "iid_is", lib, type->size_from, type->size_index, owner);
        break;
    case VIA_TYPE_UNION:
        json_object_set_new(json, "union", json_string(lib->unions[type->index].name));
        write_also(json, "switch_is", lib, type->size_from, type->size_index, owner);
        break;
    case VIA_TYPE_ARRAY:
        json_object_set_new(json, "array", write_type(lib, type->element, owner));
        json_object_set_new(json, "count", json_integer(type->count));
        write_also(json, "length_is", lib, type->length_from, type->length_index, owner);
        break;
    case VIA_TYPE_SIZED:
        json_object_set_new(json, "sized", write_type(lib, type->element, owner));
        json_object_set_new(json, "size_is",
                            write_from(lib, type->size_from, type->size_index, type->count, owner));
        write_also(json, "length_is", lib, type->length_from, type->length_index, owner);
        break;
    case VIA_TYPE_POINTER:
        json_object_set_new(json, "pointer", write_type(lib, type->element, owner));
        break;
    case VIA_TYPE_SAFEARRAY:
        json_object_set_new(json, "safearray", write_type(lib, type->element, owner));
        break;
    case VIA_TYPE_HANDLE:
        json_object_set_new(json, "handle", json_string(kinds_handle_name(type->count)));
        break;
    default:
        json_object_set_new(json, "type", json_string(kind));
    }
    if (type->flags & VIA_TYPE_NULLABLE)
        json_object_set_new(json, "nullable", json_true());
    write_alias_name(json, lib, type->alias);
    return json;
}

static json_t *write_guid(const GUID *guid)
{
    char text[GUID_TEXT_SIZE];
    return json_string(guid_format(guid, text));
}

static void set_flag(json_t *json, const char *name, unsigned flags, unsigned flag)
{
    if (flags & flag)
        json_object_set_new(json, name, json_true());
}

static void set_help(json_t *json, const char *help)
{
    if (help)
        json_object_set_new(json, "help", json_string(help));
}

static json_t *write_constant(const struct via_constant *self)
{
    if (self->kind == VIA_CONSTANT_TEXT)
        return json_string(self->text);
    return self->kind == VIA_CONSTANT_REAL ? json_real(self->real) : json_integer(self->integer);
}

static json_t *write_enum(const struct via_enum *self)
{
    json_t *values = json_array();
    for (uint16_t i = 0; i < self->n_values; i++)
        json_array_append_new(values, json_pack("{s:s, s:i}", "name", self->values[i].name, "value",
                                                (int)self->values[i].value));
    json_t *json = json_pack("{s:s, s:o}", "name", self->name, "values", values);
    set_help(json, self->help);
    return json;
}

static json_t *write_struct(const struct via_typelib *lib, const struct via_struct *self)
{
    struct owner owner = {.record = self};
    json_t *fields = json_array();
    for (uint16_t i = 0; i < self->n_fields; i++)
        json_array_append_new(fields, json_pack("{s:s, s:o}", "name", self->fields[i].name, "type",
                                                write_type(lib, self->fields[i].type, &owner)));
    json_t *json = json_pack("{s:s, s:o}", "name", self->name, "fields", fields);
    set_help(json, self->help);
    return json;
}

static json_t *write_arm(const struct via_typelib *lib, const struct via_union *self,
                         uint16_t index)
{
    static const struct owner nobody = {0};
    const struct via_arm *arm = &self->arms[index];
    json_t *cases = json_array();
    for (uint16_t i = 0; i < self->n_cases; i++)
        if (self->cases[i].arm == index)
            json_array_append_new(cases, json_integer(self->cases[i].value));
    json_t *json = json_pack("{s:o}", "cases", cases);
    if (arm->type != VIA_NO_INDEX) {
        json_object_set_new(json, "name", json_string(arm->name));
        json_object_set_new(json, "type", write_type(lib, arm->type, &nobody));
    }
    if (self->default_arm == index)
        json_object_set_new(json, "default", json_true());
    return json;
}

static json_t *write_union(const struct via_typelib *lib, const struct via_union *self)
{
    json_t *arms = json_array();
    for (uint16_t i = 0; i < self->n_arms; i++)
        json_array_append_new(arms, write_arm(lib, self, i));
    json_t *json = json_pack("{s:s, s:o}", "name", self->name, "arms", arms);
    set_help(json, self->help);
    return json;
}

static json_t *write_alias(const struct via_typelib *lib, const struct via_alias *self)
{
    static const struct owner nobody = {0};
    static const GUID none;
    json_t *json =
        json_pack("{s:s, s:o}", "name", self->name, "type", write_type(lib, self->type, &nobody));
    set_flag(json, "public", self->flags, VIA_ALIAS_PUBLIC);
    if (!IsEqualGUID(&self->uuid, &none))
        json_object_set_new(json, "uuid", write_guid(&self->uuid));
    set_help(json, self->help);
    return json;
}

static json_t *write_method(const struct via_typelib *lib, const struct via_method *self)
{
    struct owner owner = {.method = self};
    json_t *params = json_array();
    for (uint16_t i = 0; i < self->n_params; i++) {
        const struct via_param *param = &self->params[i];
        json_t *json = json_pack("{s:s, s:o}", "name", param->name, "type",
                                 write_type(lib, param->type, &owner));
        set_flag(json, "in", param->flags, VIA_PARAM_IN);
        set_flag(json, "out", param->flags, VIA_PARAM_OUT);
        set_flag(json, "retval", param->flags, VIA_PARAM_RETVAL);
        set_flag(json, "by_ref", param->flags, VIA_PARAM_BY_REF);
        set_flag(json, "nullable", param->flags, VIA_PARAM_NULLABLE);
        set_flag(json, "in_place", param->flags, VIA_PARAM_IN_PLACE);
        set_flag(json, "optional", param->flags, VIA_PARAM_OPTIONAL);
        write_alias_name(json, lib, param->alias);
        if (param->default_value)
            json_object_set_new(json, "default", write_constant(param->default_value));
        json_array_append_new(params, json);
    }
    json_t *json = json_pack("{s:s, s:i}", "name", self->name, "dispid", (int)self->dispid);
    set_flag(json, "oneway", self->flags, VIA_METHOD_ONEWAY);
    set_flag(json, "propget", self->flags, VIA_METHOD_PROPGET);
    set_flag(json, "propput", self->flags, VIA_METHOD_PROPPUT);
    set_flag(json, "propputref", self->flags, VIA_METHOD_PROPPUTREF);
    set_flag(json, "vararg", self->flags, VIA_METHOD_VARARG);
    set_flag(json, "restricted", self->flags, VIA_METHOD_RESTRICTED);
    set_flag(json, "hidden", self->flags, VIA_METHOD_HIDDEN);
    set_help(json, self->help);
    json_object_set_new(json, "params", params);
    return json;
}

static json_t *write_interface(const struct via_typelib *lib, const struct via_interface *self)
{
    json_t *json = json_pack("{s:s, s:o}", "name", self->name, "iid", write_guid(&self->iid));
    if (self->base != VIA_NO_INDEX)
        json_object_set_new(json, "base", json_string(lib->interfaces[self->base].name));
    set_flag(json, "external", self->flags, VIA_INTERFACE_EXTERNAL);
    set_flag(json, "dual", self->flags, VIA_INTERFACE_DUAL);
    set_flag(json, "oleautomation", self->flags, VIA_INTERFACE_OLEAUTOMATION);
    set_flag(json, "dispinterface", self->flags, VIA_INTERFACE_DISPINTERFACE);
    set_flag(json, "restricted", self->flags, VIA_INTERFACE_RESTRICTED);
    set_flag(json, "hidden", self->flags, VIA_INTERFACE_HIDDEN);
    set_flag(json, "nonextensible", self->flags, VIA_INTERFACE_NONEXTENSIBLE);
    set_help(json, self->help);
    json_t *methods = json_array();
    for (uint16_t i = 0; i < self->n_methods; i++)
        json_array_append_new(methods, write_method(lib, &self->methods[i]));
    json_object_set_new(json, "methods", methods);
    return json;
}

static json_t *write_coclass(const struct via_typelib *lib, const struct via_coclass *self)
{
    json_t *interfaces = json_array();
    for (uint16_t i = 0; i < self->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &self->interfaces[i];
        json_t *json = json_pack("{s:s}", "name", lib->interfaces[entry->interface_index].name);
        set_flag(json, "default", entry->flags, VIA_COCLASS_DEFAULT);
        set_flag(json, "source", entry->flags, VIA_COCLASS_SOURCE);
        set_flag(json, "restricted", entry->flags, VIA_COCLASS_RESTRICTED);
        json_array_append_new(interfaces, json);
    }
    json_t *json = json_pack("{s:s, s:o, s:o}", "name", self->name, "clsid",
                             write_guid(&self->clsid), "interfaces", interfaces);
    set_flag(json, "hidden", self->flags, VIA_CLASS_HIDDEN);
    set_flag(json, "noncreatable", self->flags, VIA_CLASS_NONCREATABLE);
    set_help(json, self->help);
    return json;
}

static json_t *write_library(const struct via_typelib *lib)
{
    json_t *enums = json_array();
    json_t *structs = json_array();
    json_t *unions = json_array();
    json_t *aliases = json_array();
    json_t *interfaces = json_array();
    json_t *coclasses = json_array();
    for (uint16_t i = 0; i < lib->n_enums; i++)
        json_array_append_new(enums, write_enum(&lib->enums[i]));
    for (uint16_t i = 0; i < lib->n_structs; i++)
        json_array_append_new(structs, write_struct(lib, &lib->structs[i]));
    for (uint16_t i = 0; i < lib->n_unions; i++)
        json_array_append_new(unions, write_union(lib, &lib->unions[i]));
    for (uint16_t i = 0; i < lib->n_aliases; i++)
        json_array_append_new(aliases, write_alias(lib, &lib->aliases[i]));
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        json_array_append_new(interfaces, write_interface(lib, &lib->interfaces[i]));
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        json_array_append_new(coclasses, write_coclass(lib, &lib->coclasses[i]));
    json_t *json = json_pack(
        "{s:i, s:s, s:o, s:[ii], s:o, s:o, s:o, s:o, s:o, s:o}", "viaduct_typelib",
        TYPELIB_JSON_VERSION, "name", lib->name, "libid", write_guid(&lib->libid), "version",
        (int)lib->version_major, (int)lib->version_minor, "enums", enums, "structs", structs,
        "unions", unions, "aliases", aliases, "interfaces", interfaces, "coclasses", coclasses);
    set_flag(json, "restricted", lib->flags, VIA_LIBRARY_RESTRICTED);
    set_flag(json, "hidden", lib->flags, VIA_LIBRARY_HIDDEN);
    set_help(json, lib->help);
    return json;
}

HRESULT typelib_to_json(const struct via_typelib *lib, unsigned indent, char **text)
{
    /* Jansson's setters take NULL values and fail, so that memory is checked once, by the reader's
     * own check in the tests of failing allocations, and here by the result. */
    json_t *json = write_library(lib);
    size_t flags = indent ? JSON_INDENT(indent) : JSON_COMPACT;
    char *dumped = json ? json_dumps(json, flags) : NULL;
    json_decref(json);
    if (!dumped)
        return error_set(E_OUTOFMEMORY, "no memory to describe type library %s", lib->name);
    *text = dumped;
    return S_OK;
}
