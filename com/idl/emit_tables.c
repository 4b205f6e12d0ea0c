/* The C source: ids, and the type library as constant tables. */
#include "com/idl/emit.h"
#include "com/typelib/typelib.h"

static void emit_guid(const GUID *guid, struct buffer *out)
{
    const uint8_t *d = guid->Data4;
    buffer_print(out,
                 "{0x%08X, 0x%04X, 0x%04X, {0x%02X, 0x%02X, 0x%02X, 0x%02X, 0x%02X, 0x%02X, "
                 "0x%02X, 0x%02X}}",
                 (unsigned)guid->Data1, guid->Data2, guid->Data3, d[0], d[1], d[2], d[3], d[4],
                 d[5], d[6], d[7]);
}

static void emit_ids(const struct unit *unit, struct buffer *out)
{
    for (size_t i = 0; i < unit->n_interfaces; i++) {
        const struct unit_interface *self = &unit->interfaces[i];
        if (self->is_imported || !self->is_defined)
            continue;
        bool is_dispinterface = self->itf.flags & VIA_INTERFACE_DISPINTERFACE;
        buffer_print(out, "const IID %sIID_%s = ", is_dispinterface ? "D" : "", self->itf.name);
        emit_guid(&self->itf.iid, out);
        buffer_print(out, ";\n");
    }
    for (size_t i = 0; i < unit->n_coclasses; i++) {
        buffer_print(out, "const CLSID CLSID_%s = ", unit->coclasses[i].name);
        emit_guid(&unit->coclasses[i].clsid, out);
        buffer_print(out, ";\n");
    }
    buffer_print(out, "\n");
}

static void emit_types(const struct via_typelib *lib, struct buffer *out)
{
    buffer_print(out, "static const struct via_type types[] = {\n");
    for (uint16_t i = 0; i < lib->n_types; i++) {
        const struct via_type *type = &lib->types[i];
        buffer_print(out, "    {%u, %u, %u, %u, %u, %u, %u, %u, %u, %u, 0},\n", type->kind,
                     type->flags, type->size_from, type->length_from, type->index, type->element,
                     type->size_index, type->length_index, type->count, type->alias);
    }
    buffer_print(out, "    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},\n};\n\n");
}

/* Behind `before`: a string, or 0 where there is none. */
static void emit_text(const char *before, const char *text, struct buffer *out)
{
    buffer_print(out, "%s", before);
    if (text)
        typelib_print_text(text, out);
    else
        buffer_print(out, "0");
}

static void emit_structs(const struct via_typelib *lib, struct buffer *out)
{
    for (uint16_t i = 0; i < lib->n_structs; i++) {
        buffer_print(out, "static const struct via_field fields_%u[] = {\n", i);
        for (uint16_t j = 0; j < lib->structs[i].n_fields; j++)
            buffer_print(out, "    {\"%s\", %u},\n", lib->structs[i].fields[j].name,
                         lib->structs[i].fields[j].type);
        buffer_print(out, "};\n");
    }
    buffer_print(out, "static const struct via_struct structs[] = {\n");
    for (uint16_t i = 0; i < lib->n_structs; i++) {
        buffer_print(out, "    {\"%s\", %u, fields_%u", lib->structs[i].name,
                     lib->structs[i].n_fields, i);
        emit_text(", ", lib->structs[i].help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, 0, 0, 0},\n};\n\n");
}

/* The least number has no literal of its own. */
static void emit_number(int64_t value, struct buffer *out)
{
    if (value == INT64_MIN)
        buffer_print(out, "INT64_MIN");
    else
        buffer_print(out, "%lld", (long long)value);
}

static void emit_expressions(const struct via_typelib *lib, struct buffer *out)
{
    buffer_print(out, "static const struct via_expression expressions[] = {\n");
    for (uint16_t i = 0; i < lib->n_expressions; i++) {
        const struct via_expression *self = &lib->expressions[i];
        buffer_print(out, "    {%u, %u, %u, 0, ", self->op, self->left, self->right);
        emit_number(self->value, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, 0, 0, 0, 0},\n};\n\n");
}

static void emit_unions(const struct via_typelib *lib, struct buffer *out)
{
    for (uint16_t i = 0; i < lib->n_unions; i++) {
        const struct via_union *self = &lib->unions[i];
        buffer_print(out, "static const struct via_arm arms_%u[] = {\n", i);
        for (uint16_t j = 0; j < self->n_arms; j++)
            buffer_print(out, "    {\"%s\", %u},\n", self->arms[j].name, self->arms[j].type);
        buffer_print(out, "    {0, 0},\n};\nstatic const struct via_case cases_%u[] = {\n", i);
        for (uint16_t j = 0; j < self->n_cases; j++)
            buffer_print(out, "    {(int32_t)%lldLL, %u},\n", (long long)self->cases[j].value,
                         self->cases[j].arm);
        buffer_print(out, "    {0, 0},\n};\n");
    }
    buffer_print(out, "static const struct via_union unions[] = {\n");
    for (uint16_t i = 0; i < lib->n_unions; i++) {
        buffer_print(out, "    {\"%s\", %u, %u, %u, arms_%u, cases_%u", lib->unions[i].name,
                     lib->unions[i].n_arms, lib->unions[i].n_cases, lib->unions[i].default_arm, i,
                     i);
        emit_text(", ", lib->unions[i].help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, 0, 0, 0, 0, 0, 0},\n};\n\n");
}

static void emit_enums(const struct via_typelib *lib, struct buffer *out)
{
    for (uint16_t i = 0; i < lib->n_enums; i++) {
        buffer_print(out, "static const struct via_enumerator values_%u[] = {\n", i);
        for (uint16_t j = 0; j < lib->enums[i].n_values; j++)
            buffer_print(out, "    {\"%s\", %d},\n", lib->enums[i].values[j].name,
                         lib->enums[i].values[j].value);
        buffer_print(out, "    {0, 0},\n};\n");
    }
    buffer_print(out, "static const struct via_enum enums[] = {\n");
    for (uint16_t i = 0; i < lib->n_enums; i++) {
        buffer_print(out, "    {\"%s\", %u, values_%u", lib->enums[i].name, lib->enums[i].n_values,
                     i);
        emit_text(", ", lib->enums[i].help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, 0, 0, 0},\n};\n\n");
}

static void emit_constant(const struct via_constant *self, struct buffer *out)
{
    buffer_print(out, "{%u, ", self->kind);
    emit_number(self->integer, out);
    buffer_print(out, ", ");
    typelib_print_real(self->real, out);
    emit_text(", ", self->text, out);
    buffer_print(out, "}");
}

/* Tables of each interface and method have their indexes in their names. */
static void emit_params(const struct via_method *self, uint16_t interface_index, uint16_t index,
                        struct buffer *out)
{
    for (uint16_t i = 0; i < self->n_params; i++) {
        if (!self->params[i].default_value)
            continue;
        buffer_print(out, "static const struct via_constant default_%u_%u_%u = ", interface_index,
                     index, i);
        emit_constant(self->params[i].default_value, out);
        buffer_print(out, ";\n");
    }
    buffer_print(out, "static const struct via_param params_%u_%u[] = {\n", interface_index, index);
    for (uint16_t i = 0; i < self->n_params; i++) {
        const struct via_param *param = &self->params[i];
        buffer_print(out, "    {\"%s\", %u, 0x%02x, %u, ", param->name, param->type, param->flags,
                     param->alias);
        if (param->default_value)
            buffer_print(out, "&default_%u_%u_%u},\n", interface_index, index, i);
        else
            buffer_print(out, "0},\n");
    }
    buffer_print(out, "};\n");
}

static void emit_methods(const struct via_typelib *lib, uint16_t index, struct buffer *out)
{
    const struct via_interface *self = &lib->interfaces[index];
    for (uint16_t i = 0; i < self->n_methods; i++)
        if (self->methods[i].n_params)
            emit_params(&self->methods[i], index, i, out);
    if (!self->n_methods)
        return;
    buffer_print(out, "static const struct via_method methods_%u[] = {\n", index);
    for (uint16_t i = 0; i < self->n_methods; i++) {
        const struct via_method *method = &self->methods[i];
        buffer_print(out, "    {\"%s\", %d, 0x%02x, %u, ", method->name, method->dispid,
                     method->flags, method->n_params);
        if (method->n_params)
            buffer_print(out, "params_%u_%u", index, i);
        else
            buffer_print(out, "0");
        emit_text(", ", method->help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "};\n");
}

static void emit_interfaces(const struct via_typelib *lib, struct buffer *out)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        emit_methods(lib, i, out);
    buffer_print(out, "static const struct via_interface interfaces[] = {\n");
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        const struct via_interface *self = &lib->interfaces[i];
        buffer_print(out, "    {\"%s\", ", self->name);
        emit_guid(&self->iid, out);
        buffer_print(out, ", %u, 0x%02x, %u, ", self->base, self->flags, self->n_methods);
        if (self->n_methods)
            buffer_print(out, "methods_%u", i);
        else
            buffer_print(out, "0");
        emit_text(", ", self->help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "};\n\n");
}

static void emit_coclasses(const struct via_typelib *lib, struct buffer *out)
{
    for (uint16_t i = 0; i < lib->n_coclasses; i++) {
        buffer_print(out, "static const struct via_coclass_interface members_%u[] = {\n", i);
        for (uint16_t j = 0; j < lib->coclasses[i].n_interfaces; j++)
            buffer_print(out, "    {%u, 0x%02x},\n",
                         lib->coclasses[i].interfaces[j].interface_index,
                         lib->coclasses[i].interfaces[j].flags);
        buffer_print(out, "    {0, 0},\n};\n");
    }
    buffer_print(out, "static const struct via_coclass coclasses[] = {\n");
    for (uint16_t i = 0; i < lib->n_coclasses; i++) {
        buffer_print(out, "    {\"%s\", ", lib->coclasses[i].name);
        emit_guid(&lib->coclasses[i].clsid, out);
        buffer_print(out, ", 0x%02x, %u, members_%u", lib->coclasses[i].flags,
                     lib->coclasses[i].n_interfaces, i);
        emit_text(", ", lib->coclasses[i].help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, {0, 0, 0, {0}}, 0, 0, 0, 0},\n};\n\n");
}

static void emit_aliases(const struct via_typelib *lib, struct buffer *out)
{
    buffer_print(out, "static const struct via_alias aliases[] = {\n");
    for (uint16_t i = 0; i < lib->n_aliases; i++) {
        const struct via_alias *self = &lib->aliases[i];
        buffer_print(out, "    {\"%s\", %u, 0x%02x, ", self->name, self->type, self->flags);
        emit_guid(&self->uuid, out);
        emit_text(", ", self->help, out);
        buffer_print(out, "},\n");
    }
    buffer_print(out, "    {0, 0, 0, {0, 0, 0, {0}}, 0},\n};\n\n");
}

void emit_tables(const struct unit *unit, const char *header, struct buffer *out)
{
    const struct via_typelib *lib = &unit->lib;
    buffer_print(out, "/* Made by viaduct-idl from %s.idl. */\n#include \"%s\"\n\n", unit->stem,
                 header);
    emit_ids(unit, out);
    emit_types(lib, out);
    emit_structs(lib, out);
    emit_unions(lib, out);
    emit_expressions(lib, out);
    emit_enums(lib, out);
    emit_interfaces(lib, out);
    emit_coclasses(lib, out);
    emit_aliases(lib, out);
    buffer_print(out,
                 "const struct via_typelib %s_typelib = {\n"
                 "    VIA_TYPELIB_ABI, sizeof(struct via_typelib), \"%s\", ",
                 unit->stem, lib->name);
    emit_guid(&lib->libid, out);
    buffer_print(
        out,
        ",\n    %u, %u, %u, %u, %u, %u, %u,\n"
        "    types, structs, enums, interfaces, coclasses, %u, %u, unions, expressions, 0x%02x, "
        "%u",
        lib->version_major, lib->version_minor, lib->n_types, lib->n_structs, lib->n_enums,
        lib->n_interfaces, lib->n_coclasses, lib->n_unions, lib->n_expressions, lib->flags,
        lib->n_aliases);
    emit_text(", ", lib->help, out);
    buffer_print(out, ", aliases};\n");
}
