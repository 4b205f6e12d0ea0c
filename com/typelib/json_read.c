/*
 * Reads the JSON form. The text may come from a peer: every shape is checked here, every rule by
 * typelib_check() on the tables that come out.
 */
#include "com/abi/guid.h"
#include "com/typelib/json_reader.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t data[];
};

void reader_fail(struct reader *reader, const char *what)
{
    if (SUCCEEDED(reader->result))
        reader->result = error_set(VIA_E_TYPE, "a type library in JSON form: %s", what);
}

static void *allocate(struct reader *self, size_t n, size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + n * size + 1);
    if (!block) {
        if (SUCCEEDED(self->result))
            self->result = error_set(E_OUTOFMEMORY, "no memory for a type library");
        return NULL;
    }
    block->next = self->out->blocks;
    self->out->blocks = block;
    return block->data;
}

static const char *read_name(struct reader *self, json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text) {
        reader_fail(self, "a name is missing");
        return "";
    }
    char *copy = allocate(self, strlen(text) + 1, 1);
    return copy ? strcpy(copy, text) : "";
}

/* NULL: there is none. */
static const char *read_help(struct reader *self, json_t *object)
{
    json_t *help = json_object_get(object, "help");
    if (help && !json_is_string(help))
        reader_fail(self, "help is no text");
    return json_is_string(help) ? read_name(self, object, "help") : NULL;
}

static json_t *read_list(struct reader *self, json_t *object, const char *key, size_t *n)
{
    json_t *list = json_object_get(object, key);
    *n = json_array_size(list);
    if (json_is_array(list) && *n <= TYPELIB_MAX_ENTRIES)
        return list;
    reader_fail(self, "a list is missing or too long");
    *n = 0;
    return NULL;
}

unsigned reader_flag(json_t *object, const char *key, unsigned flag)
{
    return json_is_true(json_object_get(object, key)) ? flag : 0;
}

static GUID read_guid(struct reader *self, json_t *object, const char *key)
{
    GUID guid = {0};
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || !guid_parse(text, &guid))
        reader_fail(self, "a GUID is missing or malformed");
    return guid;
}

uint16_t reader_find_name(struct reader *reader, json_t *list, json_t *name)
{
    const char *wanted = json_string_value(name);
    size_t i;
    json_t *entry;
    if (wanted) {
        json_array_foreach(list, i, entry)
        {
            const char *text = json_string_value(json_object_get(entry, "name"));
            if (text && !strcmp(text, wanted))
                return (uint16_t)i;
        }
    }
    reader_fail(reader, "a reference names nothing in the library");
    return 0;
}

static void read_enum(struct reader *self, json_t *json, struct via_enum *out)
{
    size_t n;
    json_t *list = read_list(self, json, "values", &n);
    struct via_enumerator *values = allocate(self, n, sizeof(*values));
    out->name = read_name(self, json, "name");
    for (size_t i = 0; values && i < n; i++) {
        json_t *entry = json_array_get(list, i);
        values[i].name = read_name(self, entry, "name");
        json_int_t value = json_integer_value(json_object_get(entry, "value"));
        if (value < INT32_MIN || value > INT32_MAX)
            reader_fail(self, "an enum's value is out of range");
        values[i].value = (int32_t)value;
    }
    out->help = read_help(self, json);
    out->values = values;
    out->n_values = (uint16_t)n;
}

static void read_struct(struct reader *self, json_t *json, struct via_struct *out)
{
    struct members members = {.size_from = VIA_SIZE_FIELD};
    size_t n;
    members.list = read_list(self, json, "fields", &n);
    struct via_field *fields = allocate(self, n, sizeof(*fields));
    out->name = read_name(self, json, "name");
    for (size_t i = 0; fields && i < n; i++) {
        json_t *entry = json_array_get(members.list, i);
        fields[i].name = read_name(self, entry, "name");
        fields[i].type = reader_type(self, json_object_get(entry, "type"), &members);
    }
    out->help = read_help(self, json);
    out->fields = fields;
    out->n_fields = (uint16_t)n;
}

static void read_cases(struct reader *self, json_t *json, uint16_t arm, struct via_case *cases,
                       uint16_t *n)
{
    size_t i;
    json_t *value;
    json_array_foreach(json, i, value)
    {
        json_int_t number = json_integer_value(value);
        if (!json_is_integer(value) || number < INT32_MIN || number > INT32_MAX)
            reader_fail(self, "a union's case is out of range");
        cases[(*n)++] = (struct via_case){(int32_t)number, arm};
    }
}

static void read_union(struct reader *self, json_t *json, struct via_union *out)
{
    static const struct members nobody = {0};
    size_t n_arms, n_cases = 0;
    json_t *list = read_list(self, json, "arms", &n_arms);
    for (size_t i = 0; i < n_arms; i++)
        n_cases += json_array_size(json_object_get(json_array_get(list, i), "cases"));
    if (n_cases > TYPELIB_MAX_ENTRIES) {
        reader_fail(self, "a union has too many cases");
        return;
    }
    struct via_arm *arms = allocate(self, n_arms, sizeof(*arms));
    struct via_case *cases = allocate(self, n_cases, sizeof(*cases));
    out->name = read_name(self, json, "name");
    out->default_arm = VIA_NO_INDEX;
    for (uint16_t i = 0; arms && cases && i < n_arms; i++) {
        json_t *entry = json_array_get(list, i);
        json_t *type = json_object_get(entry, "type");
        arms[i] = (struct via_arm){"", VIA_NO_INDEX};
        if (type) {
            arms[i].name = read_name(self, entry, "name");
            arms[i].type = reader_type(self, type, &nobody);
        }
        read_cases(self, json_object_get(entry, "cases"), i, cases, &out->n_cases);
        if (json_is_true(json_object_get(entry, "default")))
            out->default_arm = i;
    }
    out->help = read_help(self, json);
    out->arms = arms;
    out->cases = cases;
    out->n_arms = (uint16_t)n_arms;
}

static void read_alias(struct reader *self, json_t *json, struct via_alias *out)
{
    static const struct members nobody = {0};
    out->name = read_name(self, json, "name");
    out->type = reader_type(self, json_object_get(json, "type"), &nobody);
    out->flags = (uint16_t)reader_flag(json, "public", VIA_ALIAS_PUBLIC);
    if (json_object_get(json, "uuid"))
        out->uuid = read_guid(self, json, "uuid");
    out->help = read_help(self, json);
}

static const struct via_constant *read_default(struct reader *self, json_t *json)
{
    json_t *value = json_object_get(json, "default");
    struct via_constant *constant = value ? allocate(self, 1, sizeof(*constant)) : NULL;
    if (!constant)
        return NULL;
    if (json_is_integer(value)) {
        *constant = (struct via_constant){VIA_CONSTANT_INTEGER, json_integer_value(value), 0, NULL};
    } else if (json_is_real(value)) {
        *constant = (struct via_constant){VIA_CONSTANT_REAL, 0, json_real_value(value), NULL};
    } else if (json_is_string(value)) {
        const char *text = read_name(self, json, "default");
        *constant = (struct via_constant){VIA_CONSTANT_TEXT, 0, 0, text};
    } else {
        reader_fail(self, "a default value is neither a number nor a text");
    }
    return constant;
}

static unsigned read_method_flags(json_t *json)
{
    return reader_flag(json, "oneway", VIA_METHOD_ONEWAY) |
           reader_flag(json, "propget", VIA_METHOD_PROPGET) |
           reader_flag(json, "propput", VIA_METHOD_PROPPUT) |
           reader_flag(json, "propputref", VIA_METHOD_PROPPUTREF) |
           reader_flag(json, "vararg", VIA_METHOD_VARARG) |
           reader_flag(json, "restricted", VIA_METHOD_RESTRICTED) |
           reader_flag(json, "hidden", VIA_METHOD_HIDDEN);
}

static void read_method(struct reader *self, json_t *json, struct via_method *out)
{
    struct members members = {.size_from = VIA_SIZE_PARAM};
    size_t n;
    members.list = read_list(self, json, "params", &n);
    struct via_param *params = allocate(self, n, sizeof(*params));
    json_int_t dispid = json_integer_value(json_object_get(json, "dispid"));
    if (dispid < INT32_MIN || dispid > INT32_MAX)
        reader_fail(self, "a method's id is out of range");
    out->name = read_name(self, json, "name");
    out->dispid = (int32_t)dispid;
    out->help = read_help(self, json);
    out->flags = (uint16_t)read_method_flags(json);
    for (size_t i = 0; params && i < n; i++) {
        json_t *entry = json_array_get(members.list, i);
        params[i].name = read_name(self, entry, "name");
        params[i].type = reader_type(self, json_object_get(entry, "type"), &members);
        params[i].flags = (uint16_t)(reader_flag(entry, "in", VIA_PARAM_IN) |
                                     reader_flag(entry, "out", VIA_PARAM_OUT) |
                                     reader_flag(entry, "retval", VIA_PARAM_RETVAL) |
                                     reader_flag(entry, "by_ref", VIA_PARAM_BY_REF) |
                                     reader_flag(entry, "nullable", VIA_PARAM_NULLABLE) |
                                     reader_flag(entry, "in_place", VIA_PARAM_IN_PLACE) |
                                     reader_flag(entry, "optional", VIA_PARAM_OPTIONAL));
        params[i].alias = reader_alias(self, entry);
        params[i].default_value = read_default(self, entry);
    }
    out->params = params;
    out->n_params = (uint16_t)n;
}

static void read_interface(struct reader *self, json_t *json, struct via_interface *out)
{
    size_t n;
    json_t *list = read_list(self, json, "methods", &n);
    json_t *base = json_object_get(json, "base");
    struct via_method *methods = allocate(self, n, sizeof(*methods));
    out->name = read_name(self, json, "name");
    out->iid = read_guid(self, json, "iid");
    out->base = base ? reader_find_name(self, self->interfaces, base) : VIA_NO_INDEX;
    out->flags = (uint16_t)(reader_flag(json, "external", VIA_INTERFACE_EXTERNAL) |
                            reader_flag(json, "dual", VIA_INTERFACE_DUAL) |
                            reader_flag(json, "oleautomation", VIA_INTERFACE_OLEAUTOMATION) |
                            reader_flag(json, "dispinterface", VIA_INTERFACE_DISPINTERFACE) |
                            reader_flag(json, "restricted", VIA_INTERFACE_RESTRICTED) |
                            reader_flag(json, "hidden", VIA_INTERFACE_HIDDEN) |
                            reader_flag(json, "nonextensible", VIA_INTERFACE_NONEXTENSIBLE));
    out->help = read_help(self, json);
    for (size_t i = 0; methods && i < n; i++)
        read_method(self, json_array_get(list, i), &methods[i]);
    out->methods = methods;
    out->n_methods = (uint16_t)n;
}

static void read_coclass(struct reader *self, json_t *json, struct via_coclass *out)
{
    size_t n;
    json_t *list = read_list(self, json, "interfaces", &n);
    struct via_coclass_interface *interfaces = allocate(self, n, sizeof(*interfaces));
    out->name = read_name(self, json, "name");
    out->clsid = read_guid(self, json, "clsid");
    out->flags = (uint16_t)(reader_flag(json, "hidden", VIA_CLASS_HIDDEN) |
                            reader_flag(json, "noncreatable", VIA_CLASS_NONCREATABLE));
    out->help = read_help(self, json);
    for (size_t i = 0; interfaces && i < n; i++) {
        json_t *entry = json_array_get(list, i);
        interfaces[i].interface_index =
            reader_find_name(self, self->interfaces, json_object_get(entry, "name"));
        interfaces[i].flags = (uint16_t)(reader_flag(entry, "default", VIA_COCLASS_DEFAULT) |
                                         reader_flag(entry, "source", VIA_COCLASS_SOURCE) |
                                         reader_flag(entry, "restricted", VIA_COCLASS_RESTRICTED));
    }
    out->interfaces = interfaces;
    out->n_interfaces = (uint16_t)n;
}

static void read_header(struct reader *self, json_t *json)
{
    struct via_typelib *lib = &self->out->lib;
    json_t *version = json_object_get(json, "version");
    if (json_integer_value(json_object_get(json, "viaduct_typelib")) != TYPELIB_JSON_VERSION)
        reader_fail(self, "it has another version than this program knows");
    lib->abi = VIA_TYPELIB_ABI;
    lib->size = sizeof(*lib);
    lib->name = read_name(self, json, "name");
    lib->libid = read_guid(self, json, "libid");
    lib->version_major = (uint16_t)json_integer_value(json_array_get(version, 0));
    lib->version_minor = (uint16_t)json_integer_value(json_array_get(version, 1));
    lib->flags = (uint16_t)(reader_flag(json, "restricted", VIA_LIBRARY_RESTRICTED) |
                            reader_flag(json, "hidden", VIA_LIBRARY_HIDDEN));
    lib->help = read_help(self, json);
}

static void read_library(struct reader *self, json_t *json)
{
    struct via_typelib *lib = &self->out->lib;
    size_t n_enums, n_structs, n_interfaces, n_coclasses, n_unions = 0, n_aliases = 0;
    read_header(self, json);
    self->enums = read_list(self, json, "enums", &n_enums);
    self->structs = read_list(self, json, "structs", &n_structs);
    if (json_object_get(json, "unions"))
        self->unions = read_list(self, json, "unions", &n_unions);
    if (json_object_get(json, "aliases"))
        self->aliases = read_list(self, json, "aliases", &n_aliases);
    self->interfaces = read_list(self, json, "interfaces", &n_interfaces);
    json_t *coclass_list = read_list(self, json, "coclasses", &n_coclasses);
    struct via_enum *enums = allocate(self, n_enums, sizeof(*enums));
    struct via_struct *structs = allocate(self, n_structs, sizeof(*structs));
    struct via_union *unions = allocate(self, n_unions, sizeof(*unions));
    struct via_alias *aliases = allocate(self, n_aliases, sizeof(*aliases));
    struct via_interface *interfaces = allocate(self, n_interfaces, sizeof(*interfaces));
    struct via_coclass *coclasses = allocate(self, n_coclasses, sizeof(*coclasses));
    for (size_t i = 0; enums && i < n_enums; i++)
        read_enum(self, json_array_get(self->enums, i), &enums[i]);
    for (size_t i = 0; structs && i < n_structs; i++)
        read_struct(self, json_array_get(self->structs, i), &structs[i]);
    for (size_t i = 0; unions && i < n_unions; i++)
        read_union(self, json_array_get(self->unions, i), &unions[i]);
    for (size_t i = 0; aliases && i < n_aliases; i++)
        read_alias(self, json_array_get(self->aliases, i), &aliases[i]);
    for (size_t i = 0; interfaces && i < n_interfaces; i++)
        read_interface(self, json_array_get(self->interfaces, i), &interfaces[i]);
    for (size_t i = 0; coclasses && i < n_coclasses; i++)
        read_coclass(self, json_array_get(coclass_list, i), &coclasses[i]);
    lib->enums = enums;
    lib->structs = structs;
    lib->interfaces = interfaces;
    lib->coclasses = coclasses;
    lib->unions = unions;
    lib->n_unions = (uint16_t)n_unions;
    lib->aliases = aliases;
    lib->n_aliases = (uint16_t)n_aliases;
    lib->types = self->out->types;
    lib->expressions = self->out->expressions;
    lib->n_enums = (uint16_t)n_enums;
    lib->n_structs = (uint16_t)n_structs;
    lib->n_interfaces = (uint16_t)n_interfaces;
    lib->n_coclasses = (uint16_t)n_coclasses;
}

HRESULT typelib_from_json(const char *text, size_t size, struct via_typelib **lib)
{
    json_error_t where;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!json)
        return error_set(VIA_E_TYPE, "a type library in JSON form, line %d, column %d: %s",
                         where.line, where.column, where.text);
    struct parsed *out = calloc(1, sizeof(*out));
    struct reader reader = {.out = out};
    if (out)
        read_library(&reader, json);
    else
        reader.result = error_set(E_OUTOFMEMORY, "no memory for a type library");
    json_decref(json);
    if (SUCCEEDED(reader.result))
        reader.result = typelib_check(&out->lib);
    if (FAILED(reader.result)) {
        typelib_free(out ? &out->lib : NULL);
        return reader.result;
    }
    *lib = &out->lib;
    return S_OK;
}

void typelib_free(struct via_typelib *lib)
{
    struct parsed *self = (struct parsed *)lib;
    if (!self)
        return;
    while (self->blocks) {
        struct block *next = self->blocks->next;
        free(self->blocks);
        self->blocks = next;
    }
    free(self->types);
    free(self->expressions);
    free(self);
}
