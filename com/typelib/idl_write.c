/*
 * A type library as IDL that viaduct-idl compiles to the same interfaces: with the same hashes, so
 * that what was regenerated from a live object is what the object has.
 *
 * Descriptions say how an argument is passed, and no longer how it was written: names of typedefs,
 * `const` and comments are lost.
 */
#include "com/abi/guid.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LEVELS (TYPELIB_MAX_NESTING + 2)

/* include/viaduct/viaduct.idl */
#define ONEWAY   "custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0001, 1)"
#define IN_PLACE "custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)"

struct writer {
    const struct via_typelib *lib;
    struct buffer *out;
    bool *structs_done;
    HRESULT result;
};

static void fail(struct writer *self, const char *owner, const char *name)
{
    if (SUCCEEDED(self->result))
        self->result = error_set(VIA_E_TYPE, "%s.%s cannot be written as IDL", owner, name);
}

static const char *base_name(const struct via_typelib *lib, const struct via_type *type)
{
    static const char *const names[] = {
        [VIA_TYPE_I8] = "INT8",         [VIA_TYPE_U8] = "BYTE",
        [VIA_TYPE_I16] = "SHORT",       [VIA_TYPE_U16] = "USHORT",
        [VIA_TYPE_I32] = "LONG",        [VIA_TYPE_U32] = "ULONG",
        [VIA_TYPE_I64] = "LONGLONG",    [VIA_TYPE_U64] = "ULONGLONG",
        [VIA_TYPE_F32] = "FLOAT",       [VIA_TYPE_F64] = "DOUBLE",
        [VIA_TYPE_WCHAR] = "WCHAR",     [VIA_TYPE_BOOL] = "VARIANT_BOOL",
        [VIA_TYPE_HRESULT] = "HRESULT", [VIA_TYPE_GUID] = "GUID",
        [VIA_TYPE_BSTR] = "BSTR",       [VIA_TYPE_STRING8] = "char",
        [VIA_TYPE_STRING16] = "WCHAR",  [VIA_TYPE_CY] = "CURRENCY",
        [VIA_TYPE_DATE] = "DATE",       [VIA_TYPE_DECIMAL] = "DECIMAL",
        [VIA_TYPE_VARIANT] = "VARIANT"};
    if (type->kind == VIA_TYPE_INTERFACE)
        return lib->interfaces[type->index].name;
    return type->kind < sizeof(names) / sizeof(names[0]) ? names[type->kind] : NULL;
}

/* "struct Point", "SAFEARRAY(BSTR)", "IUnknown"; false: there is no word for it. */
static bool print_base(struct writer *self, const struct via_type *type)
{
    const struct via_typelib *lib = self->lib;
    const char *name = base_name(lib, type);
    if (type->kind == VIA_TYPE_STRUCT) {
        buffer_print(self->out, "struct %s", lib->structs[type->index].name);
    } else if (type->kind == VIA_TYPE_ENUM) {
        buffer_print(self->out, "enum %s", lib->enums[type->index].name);
    } else if (type->kind == VIA_TYPE_SAFEARRAY) {
        const struct via_type *element = &lib->types[type->element];
        buffer_print(self->out, "SAFEARRAY(");
        if (element->kind == VIA_TYPE_SAFEARRAY || !print_base(self, element))
            return false;
        buffer_print(self->out, element->kind == VIA_TYPE_INTERFACE ? " *)" : ")");
    } else if (name) {
        buffer_print(self->out, "%s", name);
    }
    return name || type->kind == VIA_TYPE_STRUCT || type->kind == VIA_TYPE_ENUM ||
           type->kind == VIA_TYPE_SAFEARRAY;
}

/* A parameter or field, taken apart. */
struct declaration {
    const struct via_method *method; /* where sizes are; or */
    const struct via_struct *record;
    const struct via_type *base;
    const struct via_type *sizes[MAX_LEVELS]; /* NULL: no size_is at this level of pointers */
    unsigned n_stars;                         /* levels of pointers */
    unsigned n_dims;
    uint32_t dims[MAX_LEVELS];
    bool is_string;
    bool has_sizes;
    bool is_nullable; /* the outermost pointer */
};

/* Computed sizes, lengths, and interfaces that an argument names are not written yet: better
 * nothing than an interface with another hash. */
static bool has_form(const struct via_type *type)
{
    bool is_sized = type->kind == VIA_TYPE_SIZED;
    return type->length_from == VIA_SIZE_NONE &&
           (is_sized ? type->size_from <= VIA_SIZE_CONST : type->size_from == VIA_SIZE_NONE);
}

/* False: it has no form here. */
static bool take_apart(const struct via_typelib *lib, uint16_t index, bool by_ref,
                       struct declaration *out)
{
    const struct via_type *type = &lib->types[index];
    out->is_nullable = !by_ref && (type->flags & VIA_TYPE_NULLABLE);
    if (by_ref && type->kind != VIA_TYPE_ARRAY)
        out->n_stars++;
    while (type->kind == VIA_TYPE_ARRAY || type->kind == VIA_TYPE_SIZED ||
           type->kind == VIA_TYPE_POINTER) {
        if (out->n_stars + out->n_dims >= MAX_LEVELS - 1 || !has_form(type))
            return false;
        if (type->kind == VIA_TYPE_ARRAY) {
            if (out->n_stars > 0)
                return false; /* a pointer to an array */
            out->dims[out->n_dims++] = type->count;
        } else {
            if (type->kind == VIA_TYPE_SIZED) {
                out->sizes[out->n_dims + out->n_stars] = type;
                out->has_sizes = true;
            }
            out->n_stars++;
        }
        type = &lib->types[type->element];
    }
    if (!has_form(type))
        return false;
    out->is_string = type->kind == VIA_TYPE_STRING8 || type->kind == VIA_TYPE_STRING16;
    out->n_stars += out->is_string || type->kind == VIA_TYPE_INTERFACE;
    out->base = type;
    return true;
}

static void print_size(const struct declaration *self, const struct via_type *type,
                       struct buffer *out)
{
    if (type->size_from == VIA_SIZE_CONST)
        buffer_print(out, "%u", type->count);
    else if (type->size_from == VIA_SIZE_PARAM && self->method)
        buffer_print(out, "%s%s",
                     self->method->params[type->size_index].flags & VIA_PARAM_BY_REF ? "*" : "",
                     self->method->params[type->size_index].name);
    else if (self->record)
        buffer_print(out, "%s", self->record->fields[type->size_index].name);
}

/* What stands in brackets besides the direction; `separator` goes in front of the first. */
static void print_attributes(const struct declaration *self, struct buffer *out,
                             const char *separator)
{
    unsigned last = 0;
    for (unsigned i = 0; i < MAX_LEVELS; i++)
        if (self->sizes[i])
            last = i;
    if (self->is_string) {
        buffer_print(out, "%sstring", separator);
        separator = ", ";
    }
    if (!self->has_sizes)
        return;
    buffer_print(out, "%ssize_is(", separator);
    for (unsigned i = 0; i <= last; i++) {
        buffer_print(out, "%s", i ? ", " : "");
        if (self->sizes[i])
            print_size(self, self->sizes[i], out);
    }
    buffer_print(out, ")");
}

static bool print_declarator(struct writer *self, const struct declaration *declaration,
                             const char *name)
{
    if (!print_base(self, declaration->base))
        return false;
    buffer_print(self->out, " ");
    for (unsigned i = 0; i < declaration->n_stars; i++)
        buffer_print(self->out, "*");
    buffer_print(self->out, "%s", name);
    for (unsigned i = 0; i < declaration->n_dims; i++)
        buffer_print(self->out, "[%u]", declaration->dims[i]);
    return true;
}

/* --- structs and enums --- */

static void write_struct(struct writer *self, uint16_t index);

/* A struct that is held by value is written before the one that holds it. */
static void write_needed(struct writer *self, uint16_t type)
{
    const struct via_type *inner = &self->lib->types[type];
    while (inner->kind == VIA_TYPE_ARRAY || inner->kind == VIA_TYPE_SIZED ||
           inner->kind == VIA_TYPE_POINTER || inner->kind == VIA_TYPE_SAFEARRAY)
        inner = &self->lib->types[inner->element];
    if (inner->kind == VIA_TYPE_STRUCT)
        write_struct(self, inner->index);
}

static void write_field(struct writer *self, const struct via_struct *record, uint16_t index)
{
    const struct via_field *field = &record->fields[index];
    struct declaration declaration = {.record = record};
    bool is_good = take_apart(self->lib, field->type, false, &declaration);
    bool is_pointer = declaration.base && declaration.n_stars > 0 &&
                      (declaration.base->kind != VIA_TYPE_INTERFACE || declaration.n_stars > 1);
    bool is_ref = is_pointer && declaration.n_dims == 0 && !declaration.is_nullable;
    buffer_print(self->out, "    ");
    if (is_ref || declaration.is_string || declaration.has_sizes) {
        buffer_print(self->out, "[%s", is_ref ? "ref" : "");
        print_attributes(&declaration, self->out, is_ref ? ", " : "");
        buffer_print(self->out, "] ");
    }
    if (!is_good || !print_declarator(self, &declaration, field->name))
        fail(self, record->name, field->name);
    buffer_print(self->out, ";\n");
}

static void write_struct(struct writer *self, uint16_t index)
{
    const struct via_struct *record = &self->lib->structs[index];
    if (self->structs_done[index])
        return;
    self->structs_done[index] = true;
    for (uint16_t i = 0; i < record->n_fields; i++)
        write_needed(self, record->fields[i].type);
    buffer_print(self->out, "struct %s {\n", record->name);
    for (uint16_t i = 0; i < record->n_fields; i++)
        write_field(self, record, i);
    buffer_print(self->out, "};\n\n");
}

static void write_enum(struct writer *self, const struct via_enum *list)
{
    buffer_print(self->out, "enum %s {\n", list->name);
    for (uint16_t i = 0; i < list->n_values; i++)
        buffer_print(self->out, "    %s = %d%s\n", list->values[i].name, list->values[i].value,
                     i + 1 < list->n_values ? "," : "");
    buffer_print(self->out, "};\n\n");
}

/* --- interfaces --- */

static void write_param(struct writer *self, const struct via_method *method, uint16_t index)
{
    const struct via_param *param = &method->params[index];
    struct declaration declaration = {.method = method};
    bool is_good =
        take_apart(self->lib, param->type, param->flags & VIA_PARAM_BY_REF, &declaration);
    bool is_unique = declaration.is_nullable || (param->flags & VIA_PARAM_NULLABLE);
    bool is_in = param->flags & VIA_PARAM_IN;
    buffer_print(self->out, "%s[%s%s%s%s%s", index ? ", " : "", is_in ? "in" : "",
                 param->flags & VIA_PARAM_OUT ? (is_in ? ", out" : "out") : "",
                 param->flags & VIA_PARAM_RETVAL ? ", retval" : "", is_unique ? ", unique" : "",
                 param->flags & VIA_PARAM_IN_PLACE ? ", " IN_PLACE : "");
    print_attributes(&declaration, self->out, ", ");
    buffer_print(self->out, "] ");
    if (!is_good || !print_declarator(self, &declaration, param->name))
        fail(self, method->name, param->name);
}

static void write_method(struct writer *self, const struct via_method *method)
{
    buffer_print(self->out, "    [id(%d)", method->dispid);
    if (method->flags & VIA_METHOD_PROPGET)
        buffer_print(self->out, ", propget");
    if (method->flags & VIA_METHOD_PROPPUT)
        buffer_print(self->out, ", propput");
    if (method->flags & VIA_METHOD_PROPPUTREF)
        buffer_print(self->out, ", propputref");
    if (method->flags & VIA_METHOD_ONEWAY)
        buffer_print(self->out, ", " ONEWAY);
    buffer_print(self->out, "] HRESULT %s(", method->name);
    for (uint16_t i = 0; i < method->n_params; i++)
        write_param(self, method, i);
    buffer_print(self->out, ");\n");
}

static void write_interface(struct writer *self, const struct via_interface *itf)
{
    char iid[GUID_TEXT_SIZE];
    buffer_print(self->out, "[\n    object,%s%s\n    uuid(%.36s)\n]\n",
                 itf->flags & VIA_INTERFACE_DUAL ? " dual," : "",
                 itf->flags & VIA_INTERFACE_OLEAUTOMATION ? " oleautomation," : "",
                 guid_format(&itf->iid, iid) + 1);
    buffer_print(self->out, "interface %s : %s\n{\n", itf->name,
                 self->lib->interfaces[itf->base].name);
    for (uint16_t i = 0; i < itf->n_methods; i++)
        write_method(self, &itf->methods[i]);
    buffer_print(self->out, "}\n\n");
}

static bool is_described(const struct via_interface *itf)
{
    return !(itf->flags & VIA_INTERFACE_EXTERNAL);
}

static void check_base(struct writer *self, const struct via_interface *itf)
{
    const struct via_interface *base = &self->lib->interfaces[itf->base];
    if (SUCCEEDED(self->result) && !is_described(base) && !builtin_slots(&base->iid))
        self->result = error_set(
            VIA_E_TYPE, "interface %s is built on %s, which another type library describes",
            itf->name, base->name);
}

/* Those that others refer to come first as names; bases as a whole. */
static void write_interfaces(struct writer *self)
{
    const struct via_typelib *lib = self->lib;
    CLEANUP(cleanup_free) bool *done = calloc((size_t)lib->n_interfaces + 1, sizeof(*done));
    bool is_new = done != NULL;
    if (!done)
        self->result = error_set(E_OUTOFMEMORY, "no memory to write IDL");
    for (uint16_t i = 0; done && i < lib->n_interfaces; i++) {
        done[i] = !is_described(&lib->interfaces[i]) || builtin_slots(&lib->interfaces[i].iid);
        if (!builtin_slots(&lib->interfaces[i].iid))
            buffer_print(self->out, "interface %s;\n", lib->interfaces[i].name);
    }
    buffer_print(self->out, "\n");
    while (is_new) {
        is_new = false;
        for (uint16_t i = 0; i < lib->n_interfaces; i++) {
            if (done[i] || !done[lib->interfaces[i].base])
                continue;
            check_base(self, &lib->interfaces[i]);
            write_interface(self, &lib->interfaces[i]);
            done[i] = is_new = true;
        }
    }
}

/* --- the library --- */

static void write_coclass(struct writer *self, const struct via_coclass *coclass)
{
    char clsid[GUID_TEXT_SIZE];
    buffer_print(self->out, "    [\n        uuid(%.36s)\n    ]\n    coclass %s\n    {\n",
                 guid_format(&coclass->clsid, clsid) + 1, coclass->name);
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &coclass->interfaces[i];
        bool is_default = entry->flags & VIA_COCLASS_DEFAULT;
        bool is_source = entry->flags & VIA_COCLASS_SOURCE;
        buffer_print(self->out, "        %s%s%s%s%sinterface %s;\n",
                     is_default || is_source ? "[" : "", is_default ? "default" : "",
                     is_default && is_source ? ", " : "", is_source ? "source" : "",
                     is_default || is_source ? "] " : "",
                     self->lib->interfaces[entry->interface_index].name);
    }
    buffer_print(self->out, "    }\n");
}

static void write_library(struct writer *self)
{
    const struct via_typelib *lib = self->lib;
    char libid[GUID_TEXT_SIZE];
    buffer_print(self->out, "[\n    uuid(%.36s),\n    version(%u.%u)\n]\nlibrary %s\n{\n",
                 guid_format(&lib->libid, libid) + 1, lib->version_major, lib->version_minor,
                 lib->name);
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        write_coclass(self, &lib->coclasses[i]);
    buffer_print(self->out, "}\n");
}

HRESULT typelib_to_idl(const struct via_typelib *lib, struct buffer *text)
{
    CLEANUP(cleanup_free) bool *done = calloc((size_t)lib->n_structs + 1, sizeof(*done));
    struct writer self = {.lib = lib, .out = text, .structs_done = done};
    if (!done)
        return error_set(E_OUTOFMEMORY, "no memory to write IDL");
    buffer_print(text, "// Made from a description of %s.\n\n", lib->name);
    buffer_print(text, "import \"unknwn.idl\";\nimport \"oaidl.idl\";\n\n");
    for (uint16_t i = 0; i < lib->n_enums; i++)
        write_enum(&self, &lib->enums[i]);
    for (uint16_t i = 0; i < lib->n_structs; i++)
        write_struct(&self, i);
    write_interfaces(&self);
    if (lib->n_coclasses > 0)
        write_library(&self);
    return FAILED(self.result) ? self.result : buffer_result(text);
}
