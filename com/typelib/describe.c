/*
 * Types and methods as text. The canonical description is this text with every struct that an
 * interface uses spelt out once, where it is first used. What is only for people, help and what is
 * hidden, is no part of it.
 */
#include "com/abi/guid.h"
#include "com/typelib/kinds.h"
#include "com/typelib/scope.h"
#include "com/typelib/walk.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/sha1.h"

#include <string.h>

/* A description is at most so long. */
#define MAX_DESCRIPTION (4u << 20)

static void print_size(const struct via_typelib *lib, const struct via_type *type,
                       struct scope scope, struct buffer *text)
{
    bool is_named = scope.method || scope.record;
    buffer_print(text, is_named && type->size_from != VIA_SIZE_CONST ? "[" : "[size ");
    if (type->size_from == VIA_SIZE_CONST)
        buffer_print(text, "%u", type->count);
    else
        scope_print(lib, scope, type->size_from, type->size_index, text);
    buffer_print(text, "]");
}

/* length_is, switch_is or iid_is. */
static void print_also(const struct via_typelib *lib, const char *what, uint8_t from,
                       uint16_t index, struct scope scope, struct buffer *text)
{
    if (from == VIA_SIZE_NONE)
        return;
    buffer_print(text, "[%s ", what);
    scope_print(lib, scope, from, index, text);
    buffer_print(text, "]");
}

static void print_type(const struct via_typelib *lib, uint16_t type, struct scope scope,
                       struct buffer *text)
{
    const struct via_type *self = &lib->types[type];
    switch (self->kind) {
    case VIA_TYPE_ENUM:
        buffer_print(text, "enum %s", lib->enums[self->index].name);
        break;
    case VIA_TYPE_STRUCT:
        buffer_print(text, "struct %s", lib->structs[self->index].name);
        break;
    case VIA_TYPE_INTERFACE:
        buffer_print(text, "%s*", lib->interfaces[self->index].name);
        print_also(lib, "iid", self->size_from, self->size_index, scope, text);
        break;
    case VIA_TYPE_UNION:
        buffer_print(text, "union %s", lib->unions[self->index].name);
        print_also(lib, "switch", self->size_from, self->size_index, scope, text);
        break;
    case VIA_TYPE_ARRAY:
        print_type(lib, self->element, scope, text);
        buffer_print(text, "[%u]", self->count);
        print_also(lib, "length", self->length_from, self->length_index, scope, text);
        break;
    case VIA_TYPE_SIZED:
        print_type(lib, self->element, scope, text);
        print_size(lib, self, scope, text);
        print_also(lib, "length", self->length_from, self->length_index, scope, text);
        break;
    case VIA_TYPE_POINTER:
        print_type(lib, self->element, scope, text);
        buffer_print(text, "*");
        break;
    case VIA_TYPE_SAFEARRAY:
        buffer_print(text, "safearray(");
        print_type(lib, self->element, scope, text);
        buffer_print(text, ")");
        break;
    case VIA_TYPE_HANDLE:
        buffer_print(text, "handle(%s)", kinds_handle_name(self->count));
        break;
    default:
        buffer_print(text, "%s", kinds_name(self->kind));
    }
    if (self->flags & VIA_TYPE_NULLABLE)
        buffer_print(text, "?");
}

void typelib_print_field(const struct via_typelib *lib, const struct via_struct *record,
                         uint16_t field, struct buffer *text)
{
    struct scope scope = {.record = record};
    print_type(lib, record->fields[field].type, scope, text);
    buffer_print(text, " %s", record->fields[field].name);
}

static void print_method(const struct via_typelib *lib, const struct via_method *method,
                         struct scope scope, struct buffer *text)
{
    if (method->flags & VIA_METHOD_ONEWAY)
        buffer_print(text, "oneway ");
    if (method->flags & VIA_METHOD_PROPGET)
        buffer_print(text, "propget ");
    if (method->flags & VIA_METHOD_PROPPUT)
        buffer_print(text, "propput ");
    if (method->flags & VIA_METHOD_PROPPUTREF)
        buffer_print(text, "propputref ");
    if (method->flags & VIA_METHOD_VARARG)
        buffer_print(text, "vararg ");
    if (method->flags & VIA_METHOD_RESTRICTED)
        buffer_print(text, "restricted ");
    buffer_print(text, "%s(", method->name);
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct via_param *param = &method->params[i];
        buffer_print(text, "%s%s%s%s%s%s", i ? ", " : "", param->flags & VIA_PARAM_IN ? "in " : "",
                     param->flags & VIA_PARAM_OUT ? "out " : "",
                     param->flags & VIA_PARAM_RETVAL ? "retval " : "",
                     param->flags & VIA_PARAM_IN_PLACE ? "in-place " : "",
                     param->flags & VIA_PARAM_OPTIONAL ? "optional " : "");
        print_type(lib, param->type, scope, text);
        buffer_print(text, " %s", param->name);
        if (param->default_value) {
            buffer_print(text, " = ");
            typelib_print_constant(param->default_value, text);
        }
    }
    buffer_print(text, ")");
}

void typelib_print_method(const struct via_typelib *lib, const struct via_method *method,
                          struct buffer *text)
{
    print_method(lib, method, (struct scope){.method = method}, text);
}

struct describer {
    const struct via_typelib *lib;
    struct buffer *text;
};

static void define_struct(struct describer *self, uint16_t index)
{
    const struct via_struct *record = &self->lib->structs[index];
    buffer_print(self->text, "struct %s {", record->name);
    for (uint16_t i = 0; i < record->n_fields; i++) {
        print_type(self->lib, record->fields[i].type, (struct scope){0}, self->text);
        buffer_print(self->text, " %s;", record->fields[i].name);
    }
    buffer_print(self->text, "}\n");
}

static void print_arm(struct describer *self, const struct via_union *choice, uint16_t index)
{
    const struct via_arm *arm = &choice->arms[index];
    for (uint16_t i = 0; i < choice->n_cases; i++)
        if (choice->cases[i].arm == index)
            buffer_print(self->text, "%d:", choice->cases[i].value);
    if (choice->default_arm == index)
        buffer_print(self->text, "default:");
    if (arm->type != VIA_NO_INDEX)
        print_type(self->lib, arm->type, (struct scope){0}, self->text);
    buffer_print(self->text, " %s;", arm->name);
}

static void define_union(struct describer *self, uint16_t index)
{
    const struct via_union *choice = &self->lib->unions[index];
    buffer_print(self->text, "union %s {", choice->name);
    for (uint16_t i = 0; i < choice->n_arms; i++)
        print_arm(self, choice, i);
    buffer_print(self->text, "}\n");
}

static void define_enum(struct describer *self, uint16_t index)
{
    const struct via_enum *list = &self->lib->enums[index];
    buffer_print(self->text, "enum %s {", list->name);
    for (uint16_t i = 0; i < list->n_values; i++)
        buffer_print(self->text, "%s=%d;", list->values[i].name, list->values[i].value);
    buffer_print(self->text, "}\n");
}

static void define(void *context, uint8_t kind, uint16_t index)
{
    struct describer *self = context;
    char iid[GUID_TEXT_SIZE];
    if (kind == VIA_TYPE_STRUCT)
        define_struct(self, index);
    else if (kind == VIA_TYPE_UNION)
        define_union(self, index);
    else if (kind == VIA_TYPE_ENUM)
        define_enum(self, index);
    else
        buffer_print(self->text, "uses %s\n", guid_format(&self->lib->interfaces[index].iid, iid));
}

static void describe_method(const struct via_typelib *lib, const struct via_method *method,
                            struct type_walk *walk, struct buffer *text)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        type_walk_to(walk, method->params[i].type);
    buffer_print(text, "%d ", method->dispid);
    print_method(lib, method, (struct scope){0}, text);
    /* How an argument is passed is not in the readable form. */
    for (uint16_t i = 0; i < method->n_params; i++)
        buffer_print(text, " %x", method->params[i].flags);
    buffer_print(text, "\n");
}

void typelib_describe(const struct via_typelib *lib, uint16_t interface_index, struct buffer *text)
{
    const struct via_interface *iface = &lib->interfaces[interface_index];
    struct describer self = {lib, text};
    struct type_walk walk;
    char iid[GUID_TEXT_SIZE], base[GUID_TEXT_SIZE];
    if (!type_walk_init(&walk, lib, define, &self)) {
        buffer_fail(text, E_OUTOFMEMORY);
        return;
    }
    buffer_print(text, "%s %s %s",
                 iface->flags & VIA_INTERFACE_DISPINTERFACE ? "dispinterface" : "interface",
                 iface->name, guid_format(&iface->iid, iid));
    if (iface->base != VIA_NO_INDEX)
        buffer_print(text, " : %s", guid_format(&lib->interfaces[iface->base].iid, base));
    buffer_print(text, "\n");
    for (uint16_t i = 0; i < iface->n_methods; i++)
        describe_method(lib, &iface->methods[i], &walk, text);
    type_walk_deinit(&walk);
}

static HRESULT hash_text(struct buffer *text, uint8_t hash[TYPELIB_HASH_SIZE])
{
    struct sha1 sha1;
    uint8_t digest[SHA1_SIZE];
    HRESULT hr = buffer_result(text);
    if (FAILED(hr))
        return hr;
    sha1_init(&sha1);
    sha1_update(&sha1, text->data, text->size);
    sha1_finish(&sha1, digest);
    memcpy(hash, digest, TYPELIB_HASH_SIZE);
    return S_OK;
}

HRESULT typelib_hash(const struct via_typelib *lib, uint16_t interface_index,
                     uint8_t hash[TYPELIB_HASH_SIZE])
{
    struct buffer text;
    buffer_init(&text, MAX_DESCRIPTION);
    typelib_describe(lib, interface_index, &text);
    HRESULT hr = hash_text(&text, hash);
    buffer_deinit(&text);
    return hr;
}

HRESULT typelib_struct_hash(const struct via_typelib *lib, uint16_t index,
                            uint8_t hash[TYPELIB_HASH_SIZE])
{
    struct buffer text;
    struct describer self = {lib, &text};
    struct type_walk walk;
    if (!type_walk_init(&walk, lib, define, &self))
        return E_OUTOFMEMORY;
    buffer_init(&text, MAX_DESCRIPTION);
    type_walk_to_record(&walk, VIA_TYPE_STRUCT, index);
    HRESULT hr = hash_text(&text, hash);
    buffer_deinit(&text);
    type_walk_deinit(&walk);
    return hr;
}
