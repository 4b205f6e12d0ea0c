/*
 * Types as IDL: declarations of parameters, fields and arms, taken apart into what stands in
 * brackets, in front of the name and behind it; and the structs, unions and enums of a library.
 */
#include "com/typelib/idl_types.h"
#include "com/abi/guid.h"
#include "com/typelib/kinds.h"
#include "com/typelib/scope.h"
#include "com/typelib/walk.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LEVELS (TYPELIB_MAX_NESTING + 2)

static void fail(struct idl_writer *self, const char *owner, const char *name)
{
    if (SUCCEEDED(self->result))
        self->result = error_set(VIA_E_TYPE, "%s.%s cannot be written as IDL", owner, name);
}

static const char *base_name(const struct via_typelib *lib, const struct via_type *type)
{
    static const char *const names[] = {
        [VIA_TYPE_I8] = "INT8",          [VIA_TYPE_U8] = "BYTE",
        [VIA_TYPE_I16] = "SHORT",        [VIA_TYPE_U16] = "USHORT",
        [VIA_TYPE_I32] = "LONG",         [VIA_TYPE_U32] = "ULONG",
        [VIA_TYPE_I64] = "LONGLONG",     [VIA_TYPE_U64] = "ULONGLONG",
        [VIA_TYPE_F32] = "FLOAT",        [VIA_TYPE_F64] = "DOUBLE",
        [VIA_TYPE_WCHAR] = "WCHAR",      [VIA_TYPE_BOOL] = "VARIANT_BOOL",
        [VIA_TYPE_HRESULT] = "HRESULT",  [VIA_TYPE_GUID] = "GUID",
        [VIA_TYPE_BSTR] = "BSTR",        [VIA_TYPE_STRING8] = "char",
        [VIA_TYPE_STRING16] = "WCHAR",   [VIA_TYPE_CY] = "CURRENCY",
        [VIA_TYPE_DATE] = "DATE",        [VIA_TYPE_DECIMAL] = "DECIMAL",
        [VIA_TYPE_VARIANT] = "VARIANT",  [VIA_TYPE_HANDLE] = "VIA_HANDLE",
        [VIA_TYPE_OPAQUE] = "VIA_OPAQUE"};
    if (type->kind == VIA_TYPE_INTERFACE)
        return lib->interfaces[type->index].name;
    return type->kind < sizeof(names) / sizeof(names[0]) ? names[type->kind] : NULL;
}

static const char *alias_name(const struct via_typelib *lib, uint16_t alias)
{
    return alias ? lib->aliases[alias - 1].name : NULL;
}

/* "struct Point", "SAFEARRAY(BSTR)", "IUnknown"; false: there is no word for it. */
static bool print_base(struct idl_writer *self, const struct via_type *type)
{
    const struct via_typelib *lib = self->lib;
    const char *name = base_name(lib, type);
    if (type->kind == VIA_TYPE_STRUCT) {
        buffer_print(self->out, "struct %s", lib->structs[type->index].name);
    } else if (type->kind == VIA_TYPE_ENUM) {
        buffer_print(self->out, "enum %s", lib->enums[type->index].name);
    } else if (type->kind == VIA_TYPE_UNION) {
        buffer_print(self->out, "union %s", lib->unions[type->index].name);
    } else if (type->kind == VIA_TYPE_SAFEARRAY) {
        const struct via_type *element = &lib->types[type->element];
        const char *alias = alias_name(lib, element->alias);
        buffer_print(self->out, "SAFEARRAY(%s", alias ? alias : "");
        if (element->kind == VIA_TYPE_SAFEARRAY || (!alias && !print_base(self, element)))
            return false;
        buffer_print(self->out, element->kind == VIA_TYPE_INTERFACE && !alias ? " *)" : ")");
    } else if (name) {
        buffer_print(self->out, "%s", name);
    }
    return name || type->kind == VIA_TYPE_STRUCT || type->kind == VIA_TYPE_ENUM ||
           type->kind == VIA_TYPE_UNION || type->kind == VIA_TYPE_SAFEARRAY;
}

/* A parameter, field or arm, taken apart. */
struct declaration {
    struct scope scope; /* where sizes are */
    const struct via_type *base;
    const struct via_type *levels[MAX_LEVELS]; /* of pointers and arrays; NULL: by reference */
    unsigned n_levels;
    const char *alias; /* what it is declared by; NULL: by its base */
    unsigned n_shown;  /* the outer levels, which that does not have in itself */
    bool is_string;
    bool is_nullable; /* the outermost pointer */
};

static bool is_array(const struct via_type *level)
{
    return level && level->kind == VIA_TYPE_ARRAY;
}

/* The first alias from outside is what stands in front of the name. */
static void take_alias(const struct via_typelib *lib, uint16_t alias, struct declaration *out)
{
    if (out->alias || !alias)
        return;
    out->alias = alias_name(lib, alias);
    out->n_shown = out->n_levels;
}

/* False: it has too many levels. */
static bool take_apart(const struct via_typelib *lib, uint16_t index, bool by_ref,
                       struct declaration *out)
{
    const struct via_type *type = &lib->types[index];
    out->is_nullable = !by_ref && (type->flags & VIA_TYPE_NULLABLE);
    if (by_ref && type->kind != VIA_TYPE_ARRAY)
        out->levels[out->n_levels++] = NULL;
    while (type->kind == VIA_TYPE_ARRAY || type->kind == VIA_TYPE_SIZED ||
           type->kind == VIA_TYPE_POINTER) {
        if (out->n_levels >= MAX_LEVELS - 1)
            return false;
        take_alias(lib, type->alias, out);
        out->levels[out->n_levels++] = type;
        type = &lib->types[type->element];
    }
    take_alias(lib, type->alias, out);
    out->n_shown = out->alias ? out->n_shown : out->n_levels;
    out->is_string = type->kind == VIA_TYPE_STRING8 || type->kind == VIA_TYPE_STRING16;
    out->base = type;
    return true;
}

/* --- what stands in brackets --- */

/* "size_is(, *n)": of each level what it is said of; `lengths`: length_is. */
static void print_sizes(const struct via_typelib *lib, const struct declaration *self, bool lengths,
                        struct buffer *out, const char **separator)
{
    unsigned n = 0;
    for (unsigned i = 0; i < self->n_levels; i++) {
        const struct via_type *type = self->levels[i];
        bool is_said =
            type && (lengths ? type->length_from != VIA_SIZE_NONE : type->kind == VIA_TYPE_SIZED);
        n = is_said ? i + 1 : n;
    }
    if (n == 0)
        return;
    buffer_print(out, "%s%s(", *separator, lengths ? "length_is" : "size_is");
    for (unsigned i = 0; i < n; i++) {
        const struct via_type *type = self->levels[i];
        buffer_print(out, "%s", i ? ", " : "");
        if (type && lengths && type->length_from != VIA_SIZE_NONE)
            scope_print(lib, self->scope, type->length_from, type->length_index, out);
        else if (type && !lengths && type->size_from == VIA_SIZE_CONST)
            buffer_print(out, "%u", type->count);
        else if (type && !lengths && type->kind == VIA_TYPE_SIZED)
            scope_print(lib, self->scope, type->size_from, type->size_index, out);
    }
    buffer_print(out, ")");
    *separator = ", ";
}

/* `separator` goes in front of the first; it is ", " when there was one. */
static void print_attributes(const struct via_typelib *lib, const struct declaration *self,
                             struct buffer *out, const char **separator)
{
    const struct via_type *base = self->base;
    if (self->is_string) {
        buffer_print(out, "%sstring", *separator);
        *separator = ", ";
    }
    print_sizes(lib, self, false, out, separator);
    print_sizes(lib, self, true, out, separator);
    if (base->kind == VIA_TYPE_HANDLE)
        buffer_print(out, "%ssystem_handle(sh_%s)", *separator, kinds_handle_name(base->count));
    else if (base->size_from != VIA_SIZE_NONE)
        buffer_print(out, "%s%s(", *separator,
                     base->kind == VIA_TYPE_UNION ? "switch_is" : "iid_is");
    else
        return;
    if (base->kind != VIA_TYPE_HANDLE) {
        scope_print(lib, self->scope, base->size_from, base->size_index, out);
        buffer_print(out, ")");
    }
    *separator = ", ";
}

/* The outer `n` levels, around the name, as C reads them: "(*name)[4]" is a pointer to an array. */
static void print_shape(const struct declaration *self, unsigned n, const char *name,
                        struct buffer *out)
{
    if (n == 0) {
        buffer_print(out, "%s", name);
    } else if (!is_array(self->levels[n - 1])) {
        buffer_print(out, "*");
        print_shape(self, n - 1, name, out);
    } else {
        bool is_around_pointer = n > 1 && !is_array(self->levels[n - 2]);
        buffer_print(out, is_around_pointer ? "(" : "");
        print_shape(self, n - 1, name, out);
        buffer_print(out, "%s[%u]", is_around_pointer ? ")" : "", self->levels[n - 1]->count);
    }
}

/* What comes out as the interface that an argument names: "void **". */
static bool is_of_any_interface(const struct via_typelib *lib,
                                const struct declaration *declaration)
{
    const struct via_type *base = declaration->base;
    return base->kind == VIA_TYPE_INTERFACE && base->size_from != VIA_SIZE_NONE &&
           declaration->n_levels == 1 && !declaration->levels[0] &&
           !strcmp(base_name(lib, base), "IUnknown");
}

static bool print_declarator(struct idl_writer *self, const struct declaration *declaration,
                             const char *name)
{
    bool is_pointer = !declaration->alias &&
                      (declaration->is_string || declaration->base->kind == VIA_TYPE_INTERFACE);
    if (declaration->alias)
        buffer_print(self->out, "%s", declaration->alias);
    else if (is_of_any_interface(self->lib, declaration))
        buffer_print(self->out, "void");
    else if (!print_base(self, declaration->base))
        return false;
    buffer_print(self->out, is_pointer ? " *" : " ");
    print_shape(declaration, declaration->n_shown, name, self->out);
    return true;
}

/* --- structs, unions and enums --- */

/* A field or an arm; `lead` is what stands in its brackets before all else. */
static void write_member(struct idl_writer *self, struct declaration *declaration, uint16_t type,
                         const char *owner, const char *name, const char *lead)
{
    bool is_good = take_apart(self->lib, type, false, declaration);
    const char *separator = *lead ? ", " : "[";
    if (!is_good) {
        fail(self, owner, name);
        return;
    }
    bool is_pointer =
        declaration->n_levels > 0 ? !is_array(declaration->levels[0]) : declaration->is_string;
    bool is_ref = is_pointer && !declaration->is_nullable;
    buffer_print(self->out, "    ");
    if (*lead)
        buffer_print(self->out, "[%s", lead);
    if (is_ref) {
        buffer_print(self->out, "%sref", separator);
        separator = ", ";
    }
    print_attributes(self->lib, declaration, self->out, &separator);
    if (separator[0] == ',')
        buffer_print(self->out, "] ");
    if (!print_declarator(self, declaration, name))
        fail(self, owner, name);
    buffer_print(self->out, ";\n");
}

/* Attributes of a type stand behind `typedef`, which then gives it its name once more. */
static void open_type(struct idl_writer *self, const char *keyword, const char *name,
                      const char *help)
{
    if (help) {
        buffer_print(self->out, "typedef [helpstring(");
        typelib_print_text(help, self->out);
        buffer_print(self->out, ")] ");
    }
    buffer_print(self->out, "%s %s {\n", keyword, name);
}

static void close_type(struct idl_writer *self, const char *name, const char *help)
{
    buffer_print(self->out, "}%s%s;\n\n", help ? " " : "", help ? name : "");
}

static void write_struct(struct idl_writer *self, uint16_t index)
{
    const struct via_struct *record = &self->lib->structs[index];
    open_type(self, "struct", record->name, record->help);
    for (uint16_t i = 0; i < record->n_fields; i++) {
        struct declaration declaration = {.scope = {.record = record, .is_idl = true}};
        write_member(self, &declaration, record->fields[i].type, record->name,
                     record->fields[i].name, "");
    }
    close_type(self, record->name, record->help);
}

/* "case(1, 2), default" */
static void print_labels(const struct via_union *choice, uint16_t arm, struct buffer *out)
{
    const char *separator = "case(";
    for (uint16_t i = 0; i < choice->n_cases; i++) {
        if (choice->cases[i].arm != arm)
            continue;
        buffer_print(out, "%s%d", separator, choice->cases[i].value);
        separator = ", ";
    }
    bool has_cases = separator[0] == ',';
    buffer_print(out, "%s", has_cases ? ")" : "");
    if (choice->default_arm == arm)
        buffer_print(out, "%sdefault", has_cases ? ", " : "");
}

static void write_arm(struct idl_writer *self, const struct via_union *choice, uint16_t index)
{
    const struct via_arm *arm = &choice->arms[index];
    struct declaration declaration = {0};
    struct buffer labels;
    buffer_init(&labels, TYPELIB_MAX_ENTRIES * 16);
    print_labels(choice, index, &labels);
    char *lead = buffer_take_text(&labels);
    if (!lead || !*lead)
        fail(self, choice->name, lead ? arm->name : "(no memory)");
    else if (arm->type == VIA_NO_INDEX)
        buffer_print(self->out, "    [%s] ;\n", lead);
    else
        write_member(self, &declaration, arm->type, choice->name, arm->name, lead);
    free(lead);
    buffer_deinit(&labels);
}

static void write_union(struct idl_writer *self, uint16_t index)
{
    const struct via_union *choice = &self->lib->unions[index];
    open_type(self, "union", choice->name, choice->help);
    for (uint16_t i = 0; i < choice->n_arms; i++)
        write_arm(self, choice, i);
    close_type(self, choice->name, choice->help);
}

static void write_enum(struct idl_writer *self, uint16_t index)
{
    const struct via_enum *list = &self->lib->enums[index];
    open_type(self, "enum", list->name, list->help);
    for (uint16_t i = 0; i < list->n_values; i++)
        buffer_print(self->out, "    %s = %d%s\n", list->values[i].name, list->values[i].value,
                     i + 1 < list->n_values ? "," : "");
    close_type(self, list->name, list->help);
}

/* Where "string" is no attribute, a name says it. */
static const char *text_name(const struct via_type *type)
{
    return type->kind == VIA_TYPE_STRING8 ? "LPSTR" : "LPWSTR";
}

static void print_alias_attributes(struct idl_writer *self, const struct via_alias *alias)
{
    static const GUID none;
    char uuid[GUID_TEXT_SIZE];
    const char *separator = "[";
    if (alias->flags & VIA_ALIAS_PUBLIC) {
        buffer_print(self->out, "[public");
        separator = ", ";
    }
    if (!IsEqualGUID(&alias->uuid, &none)) {
        buffer_print(self->out, "%suuid(%.36s)", separator, guid_format(&alias->uuid, uuid) + 1);
        separator = ", ";
    }
    if (alias->help) {
        buffer_print(self->out, "%shelpstring(", separator);
        typelib_print_text(alias->help, self->out);
        buffer_print(self->out, ")");
        separator = ", ";
    }
    buffer_print(self->out, separator[0] == ',' ? "] " : "");
}

static void define_alias(void *context, uint16_t index)
{
    struct idl_writer *self = context;
    const struct via_alias *alias = &self->lib->aliases[index];
    struct declaration declaration = {0};
    bool is_good = take_apart(self->lib, alias->type, false, &declaration);
    if (is_good && declaration.is_string && !declaration.alias) {
        declaration.alias = text_name(declaration.base);
        declaration.n_shown = declaration.n_levels;
    }
    buffer_print(self->out, "typedef ");
    print_alias_attributes(self, alias);
    if (!is_good || !print_declarator(self, &declaration, alias->name))
        fail(self, "typedef", alias->name);
    buffer_print(self->out, ";\n\n");
}

static void define(void *context, uint8_t kind, uint16_t index)
{
    if (kind == VIA_TYPE_STRUCT)
        write_struct(context, index);
    else if (kind == VIA_TYPE_UNION)
        write_union(context, index);
    else if (kind == VIA_TYPE_ENUM)
        write_enum(context, index);
}

void idl_write_types(struct idl_writer *self)
{
    struct type_walk walk;
    if (!type_walk_init(&walk, self->lib, define, self)) {
        self->result = error_set(E_OUTOFMEMORY, "no memory to write IDL");
        return;
    }
    walk.define_alias = define_alias;
    for (uint16_t i = 0; i < self->lib->n_enums; i++)
        type_walk_to_record(&walk, VIA_TYPE_ENUM, i);
    for (uint16_t i = 0; i < self->lib->n_structs; i++)
        type_walk_to_record(&walk, VIA_TYPE_STRUCT, i);
    for (uint16_t i = 0; i < self->lib->n_unions; i++)
        type_walk_to_record(&walk, VIA_TYPE_UNION, i);
    for (uint16_t i = 0; i < self->lib->n_aliases; i++)
        type_walk_to_alias(&walk, i);
    type_walk_deinit(&walk);
}

/* --- parameters --- */

void idl_write_param(struct idl_writer *self, const struct via_method *method,
                     const struct via_param *param, const char *lead)
{
    struct declaration declaration = {.scope = {.method = method, .is_idl = true}};
    const char *separator = ", ";
    take_alias(self->lib, param->alias, &declaration);
    if (!take_apart(self->lib, param->type, param->flags & VIA_PARAM_BY_REF, &declaration)) {
        fail(self, method->name, param->name);
        return;
    }
    bool is_unique = declaration.is_nullable || (param->flags & VIA_PARAM_NULLABLE);
    if (!declaration.alias && scope_is_refguid(self->lib, param)) {
        buffer_print(self->out, "[%s] REFGUID %s", lead, param->name);
        return;
    }
    buffer_print(self->out, "[%s%s", lead, is_unique ? ", unique" : "");
    print_attributes(self->lib, &declaration, self->out, &separator);
    buffer_print(self->out, "] ");
    if (!print_declarator(self, &declaration, param->name))
        fail(self, method->name, param->name);
}

void idl_write_result(struct idl_writer *self, const struct via_method *method,
                      const struct via_param *param)
{
    struct declaration declaration = {.scope = {.method = method, .is_idl = true}};
    if (!take_apart(self->lib, param->type, false, &declaration) || declaration.n_shown > 0 ||
        !print_declarator(self, &declaration, ""))
        fail(self, method->name, param->name);
}
