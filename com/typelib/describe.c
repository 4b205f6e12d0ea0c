/*
 * Types and methods as text. The canonical description is this text with every struct that an
 * interface uses spelt out once, where it is first used.
 */
#include "com/abi/guid.h"
#include "com/typelib/kinds.h"
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/sha1.h"

#include <stdlib.h>
#include <string.h>

/* A description is at most so long. */
#define MAX_DESCRIPTION (4u << 20)

/* Where the names are that sizes refer to; neither: the canonical form, which has their numbers. */
struct scope {
    const struct via_method *method;
    const struct via_struct *record;
};

static void print_size(const struct via_type *type, struct scope scope, struct buffer *text)
{
    if (type->size_from == VIA_SIZE_CONST)
        buffer_print(text, "[size %u]", type->count);
    else if (scope.method)
        buffer_print(text, "[%s]", scope.method->params[type->size_index].name);
    else if (scope.record)
        buffer_print(text, "[%s]", scope.record->fields[type->size_index].name);
    else
        buffer_print(text, "[size of %u]", type->size_index);
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
        break;
    case VIA_TYPE_ARRAY:
        print_type(lib, self->element, scope, text);
        buffer_print(text, "[%u]", self->count);
        break;
    case VIA_TYPE_SIZED:
        print_type(lib, self->element, scope, text);
        print_size(self, scope, text);
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
    buffer_print(text, "%s(", method->name);
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct via_param *param = &method->params[i];
        buffer_print(text, "%s%s%s%s%s", i ? ", " : "", param->flags & VIA_PARAM_IN ? "in " : "",
                     param->flags & VIA_PARAM_OUT ? "out " : "",
                     param->flags & VIA_PARAM_RETVAL ? "retval " : "",
                     param->flags & VIA_PARAM_IN_PLACE ? "in-place " : "");
        print_type(lib, param->type, scope, text);
        buffer_print(text, " %s", param->name);
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
    bool *structs_done;
    bool *enums_done;
};

static void define_type(struct describer *self, uint16_t type);

static void define_struct(struct describer *self, uint16_t index)
{
    if (self->structs_done[index])
        return;
    self->structs_done[index] = true;
    const struct via_struct *record = &self->lib->structs[index];
    for (uint16_t i = 0; i < record->n_fields; i++)
        define_type(self, record->fields[i].type);
    buffer_print(self->text, "struct %s {", record->name);
    for (uint16_t i = 0; i < record->n_fields; i++) {
        print_type(self->lib, record->fields[i].type, (struct scope){0}, self->text);
        buffer_print(self->text, " %s;", record->fields[i].name);
    }
    buffer_print(self->text, "}\n");
}

static void define_enum(struct describer *self, uint16_t index)
{
    if (self->enums_done[index])
        return;
    self->enums_done[index] = true;
    const struct via_enum *list = &self->lib->enums[index];
    buffer_print(self->text, "enum %s {", list->name);
    for (uint16_t i = 0; i < list->n_values; i++)
        buffer_print(self->text, "%s=%d;", list->values[i].name, list->values[i].value);
    buffer_print(self->text, "}\n");
}

/* What the type needs is written before what uses it. */
static void define_type(struct describer *self, uint16_t type)
{
    const struct via_type *kind = &self->lib->types[type];
    char iid[GUID_TEXT_SIZE];
    switch (kind->kind) {
    case VIA_TYPE_STRUCT:
        define_struct(self, kind->index);
        break;
    case VIA_TYPE_ENUM:
        define_enum(self, kind->index);
        break;
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_SIZED:
    case VIA_TYPE_POINTER:
    case VIA_TYPE_SAFEARRAY:
        define_type(self, kind->element);
        break;
    case VIA_TYPE_INTERFACE:
        buffer_print(self->text, "uses %s\n",
                     guid_format(&self->lib->interfaces[kind->index].iid, iid));
        break;
    default:
        break;
    }
}

static void describe_method(struct describer *self, const struct via_method *method)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        define_type(self, method->params[i].type);
    buffer_print(self->text, "%d ", method->dispid);
    print_method(self->lib, method, (struct scope){0}, self->text);
    /* How an argument is passed is not in the readable form. */
    for (uint16_t i = 0; i < method->n_params; i++)
        buffer_print(self->text, " %x", method->params[i].flags);
    buffer_print(self->text, "\n");
}

void typelib_describe(const struct via_typelib *lib, uint16_t interface_index, struct buffer *text)
{
    const struct via_interface *iface = &lib->interfaces[interface_index];
    struct describer self = {.lib = lib, .text = text};
    char iid[GUID_TEXT_SIZE], base[GUID_TEXT_SIZE];
    self.structs_done = calloc((size_t)lib->n_structs + 1, sizeof(bool));
    self.enums_done = calloc((size_t)lib->n_enums + 1, sizeof(bool));
    if (self.structs_done && self.enums_done) {
        buffer_print(text, "interface %s %s", iface->name, guid_format(&iface->iid, iid));
        if (iface->base != VIA_NO_INDEX)
            buffer_print(text, " : %s", guid_format(&lib->interfaces[iface->base].iid, base));
        buffer_print(text, "\n");
        for (uint16_t i = 0; i < iface->n_methods; i++)
            describe_method(&self, &iface->methods[i]);
    } else {
        buffer_fail(text, E_OUTOFMEMORY);
    }
    free(self.structs_done);
    free(self.enums_done);
}

HRESULT typelib_hash(const struct via_typelib *lib, uint16_t interface_index,
                     uint8_t hash[TYPELIB_HASH_SIZE])
{
    struct buffer text;
    struct sha1 sha1;
    uint8_t digest[SHA1_SIZE];
    buffer_init(&text, MAX_DESCRIPTION);
    typelib_describe(lib, interface_index, &text);
    HRESULT hr = buffer_result(&text);
    if (SUCCEEDED(hr)) {
        sha1_init(&sha1);
        sha1_update(&sha1, text.data, text.size);
        sha1_finish(&sha1, digest);
        memcpy(hash, digest, TYPELIB_HASH_SIZE);
    }
    buffer_deinit(&text);
    return hr;
}
