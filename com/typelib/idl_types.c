/*
 * Types as IDL: declarations of parameters, fields and arms, taken apart into what stands in
 * brackets, in front of the name and behind it; and the structs, unions and enums of a library.
 */
#include "com/typelib/idl_types.h"
#include "com/typelib/kinds.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdlib.h>

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
        buffer_print(self->out, "SAFEARRAY(");
        if (element->kind == VIA_TYPE_SAFEARRAY || !print_base(self, element))
            return false;
        buffer_print(self->out, element->kind == VIA_TYPE_INTERFACE ? " *)" : ")");
    } else if (name) {
        buffer_print(self->out, "%s", name);
    }
    return name || type->kind == VIA_TYPE_STRUCT || type->kind == VIA_TYPE_ENUM ||
           type->kind == VIA_TYPE_UNION || type->kind == VIA_TYPE_SAFEARRAY;
}

/* A parameter, field or arm, taken apart. */
struct declaration {
    const struct via_method *method; /* where sizes are; or */
    const struct via_struct *record;
    const struct via_type *base;
    const struct via_type *levels[MAX_LEVELS]; /* of pointers and arrays; NULL: by reference */
    unsigned n_levels;
    unsigned n_stars; /* of the base's own too */
    unsigned n_dims;
    bool is_string;
    bool is_nullable; /* the outermost pointer */
};

/* False: it has no form here. */
static bool take_apart(const struct via_typelib *lib, uint16_t index, bool by_ref,
                       struct declaration *out)
{
    const struct via_type *type = &lib->types[index];
    out->is_nullable = !by_ref && (type->flags & VIA_TYPE_NULLABLE);
    if (by_ref && type->kind != VIA_TYPE_ARRAY) {
        out->levels[out->n_levels++] = NULL;
        out->n_stars++;
    }
    while (type->kind == VIA_TYPE_ARRAY || type->kind == VIA_TYPE_SIZED ||
           type->kind == VIA_TYPE_POINTER) {
        bool is_array = type->kind == VIA_TYPE_ARRAY;
        if (out->n_levels >= MAX_LEVELS - 1 || (is_array && out->n_stars > 0))
            return false; /* too many, or a pointer to an array */
        out->levels[out->n_levels++] = type;
        out->n_dims += is_array;
        out->n_stars += !is_array;
        type = &lib->types[type->element];
    }
    out->is_string = type->kind == VIA_TYPE_STRING8 || type->kind == VIA_TYPE_STRING16;
    out->n_stars += out->is_string || type->kind == VIA_TYPE_INTERFACE;
    out->base = type;
    return true;
}

/* --- what stands in brackets --- */

static void print_name(const struct declaration *self, uint16_t index, struct buffer *out)
{
    if (self->method)
        buffer_print(out, "%s%s", self->method->params[index].flags & VIA_PARAM_BY_REF ? "*" : "",
                     self->method->params[index].name);
    else if (self->record)
        buffer_print(out, "%s", self->record->fields[index].name);
}

static void print_expression(const struct via_typelib *lib, const struct declaration *self,
                             uint16_t index, struct buffer *out)
{
    const struct via_expression *at = &lib->expressions[index];
    if (at->op == VIA_OPERATOR_CONST) {
        buffer_print(out, "%lld", (long long)at->value);
    } else if (at->op == VIA_OPERATOR_PARAM || at->op == VIA_OPERATOR_FIELD) {
        print_name(self, at->left, out);
    } else {
        buffer_print(out, "(");
        print_expression(lib, self, at->left, out);
        buffer_print(out, " %s ", typelib_operator_name(at->op));
        print_expression(lib, self, at->right, out);
        buffer_print(out, ")");
    }
}

static void print_from(const struct via_typelib *lib, const struct declaration *self, uint8_t from,
                       uint16_t index, struct buffer *out)
{
    if (from == VIA_SIZE_EXPRESSION)
        print_expression(lib, self, index, out);
    else
        print_name(self, index, out);
}

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
            print_from(lib, self, type->length_from, type->length_index, out);
        else if (type && !lengths && type->size_from == VIA_SIZE_CONST)
            buffer_print(out, "%u", type->count);
        else if (type && !lengths && type->kind == VIA_TYPE_SIZED)
            print_from(lib, self, type->size_from, type->size_index, out);
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
        print_from(lib, self, base->size_from, base->size_index, out);
        buffer_print(out, ")");
    }
    *separator = ", ";
}

static bool print_declarator(struct idl_writer *self, const struct declaration *declaration,
                             const char *name)
{
    if (!print_base(self, declaration->base))
        return false;
    buffer_print(self->out, " ");
    for (unsigned i = 0; i < declaration->n_stars; i++)
        buffer_print(self->out, "*");
    buffer_print(self->out, "%s", name);
    for (unsigned i = 0; i < declaration->n_levels; i++)
        if (declaration->levels[i] && declaration->levels[i]->kind == VIA_TYPE_ARRAY)
            buffer_print(self->out, "[%u]", declaration->levels[i]->count);
    return true;
}

/* --- structs, unions and enums --- */

static void write_struct(struct idl_writer *self, uint16_t index);
static void write_union(struct idl_writer *self, uint16_t index);

/* What is held by value is written before what holds it. */
static void write_needed(struct idl_writer *self, uint16_t type)
{
    const struct via_type *inner = &self->lib->types[type];
    while (inner->kind == VIA_TYPE_ARRAY || inner->kind == VIA_TYPE_SIZED ||
           inner->kind == VIA_TYPE_POINTER || inner->kind == VIA_TYPE_SAFEARRAY)
        inner = &self->lib->types[inner->element];
    if (inner->kind == VIA_TYPE_STRUCT)
        write_struct(self, inner->index);
    else if (inner->kind == VIA_TYPE_UNION)
        write_union(self, inner->index);
}

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
    unsigned n_own = declaration->base->kind == VIA_TYPE_INTERFACE; /* which may be NULL anyway */
    bool is_ref =
        declaration->n_stars > n_own && declaration->n_dims == 0 && !declaration->is_nullable;
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
    if (self->structs_done[index])
        return;
    self->structs_done[index] = true;
    for (uint16_t i = 0; i < record->n_fields; i++)
        write_needed(self, record->fields[i].type);
    open_type(self, "struct", record->name, record->help);
    for (uint16_t i = 0; i < record->n_fields; i++) {
        struct declaration declaration = {.record = record};
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
    if (self->unions_done[index])
        return;
    self->unions_done[index] = true;
    for (uint16_t i = 0; i < choice->n_arms; i++)
        if (choice->arms[i].type != VIA_NO_INDEX)
            write_needed(self, choice->arms[i].type);
    open_type(self, "union", choice->name, choice->help);
    for (uint16_t i = 0; i < choice->n_arms; i++)
        write_arm(self, choice, i);
    close_type(self, choice->name, choice->help);
}

static void write_enum(struct idl_writer *self, const struct via_enum *list)
{
    open_type(self, "enum", list->name, list->help);
    for (uint16_t i = 0; i < list->n_values; i++)
        buffer_print(self->out, "    %s = %d%s\n", list->values[i].name, list->values[i].value,
                     i + 1 < list->n_values ? "," : "");
    close_type(self, list->name, list->help);
}

void idl_write_types(struct idl_writer *self)
{
    for (uint16_t i = 0; i < self->lib->n_enums; i++)
        write_enum(self, &self->lib->enums[i]);
    for (uint16_t i = 0; i < self->lib->n_structs; i++)
        write_struct(self, i);
    for (uint16_t i = 0; i < self->lib->n_unions; i++)
        write_union(self, i);
}

/* --- parameters --- */

void idl_write_param(struct idl_writer *self, const struct via_method *method,
                     const struct via_param *param, const char *lead)
{
    struct declaration declaration = {.method = method};
    const char *separator = ", ";
    if (!take_apart(self->lib, param->type, param->flags & VIA_PARAM_BY_REF, &declaration)) {
        fail(self, method->name, param->name);
        return;
    }
    bool is_unique = declaration.is_nullable || (param->flags & VIA_PARAM_NULLABLE);
    buffer_print(self->out, "[%s%s", lead, is_unique ? ", unique" : "");
    print_attributes(self->lib, &declaration, self->out, &separator);
    buffer_print(self->out, "] ");
    if (!print_declarator(self, &declaration, param->name))
        fail(self, method->name, param->name);
}

void idl_write_result(struct idl_writer *self, const struct via_method *method,
                      const struct via_param *param)
{
    struct declaration declaration = {.method = method};
    if (!take_apart(self->lib, param->type, false, &declaration) || declaration.n_dims > 0 ||
        !print_declarator(self, &declaration, ""))
        fail(self, method->name, param->name);
}
