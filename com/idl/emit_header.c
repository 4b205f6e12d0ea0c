/*
 * The header: one portable file, in C with vtable structs and call macros, in C++ with abstract
 * structs whose slots match (no virtual destructor).
 */
#include "com/idl/emit.h"

#include <ctype.h>
#include <string.h>

static void emit_struct(const struct unit *unit, size_t index, struct buffer *out)
{
    const struct unit_struct *self = &unit->structs[index];
    buffer_print(out, "typedef struct %s {\n", self->tag);
    for (uint16_t i = 0; i < self->record.n_fields; i++)
        buffer_print(out, "    %s;\n", self->declarations[i].text);
    buffer_print(out, "} %s;\n\n", self->record.name);
}

static void emit_union(const struct unit *unit, size_t index, struct buffer *out)
{
    const struct unit_union *self = &unit->unions[index];
    buffer_print(out, "typedef union %s {\n", self->tag);
    for (uint16_t i = 0; i < self->record.n_arms; i++)
        if (self->declarations[i].text)
            buffer_print(out, "    %s;\n", self->declarations[i].text);
    buffer_print(out, "} %s;\n\n", self->record.name);
}

static void emit_enum(const struct unit *unit, size_t index, struct buffer *out)
{
    const struct unit_enum *self = &unit->enums[index];
    buffer_print(out, "typedef enum %s {\n", self->tag);
    for (uint16_t i = 0; i < self->list.n_values; i++)
        buffer_print(out, "    %s = %d%s\n", self->list.values[i].name, self->list.values[i].value,
                     i + 1 < self->list.n_values ? "," : "");
    buffer_print(out, "} %s;\n\n", self->list.name);
}

/* Interfaces from the base upwards, IUnknown first. */
static size_t base_chain(const struct unit *unit, size_t index, size_t *chain, size_t room)
{
    size_t n = 0;
    for (size_t i = index; n < room; i = unit->interfaces[i].itf.base) {
        chain[n++] = i;
        if (unit->interfaces[i].itf.base == VIA_NO_INDEX)
            break;
    }
    for (size_t i = 0; i < n / 2; i++) {
        size_t other = chain[i];
        chain[i] = chain[n - 1 - i];
        chain[n - 1 - i] = other;
    }
    return n;
}

#define MAX_CHAIN 64

static void emit_cpp_method(const struct unit_method *method, struct buffer *out)
{
    buffer_print(out, "    virtual HRESULT STDMETHODCALLTYPE %s(", method->c_name);
    for (uint16_t i = 0; i < method->method.n_params; i++)
        buffer_print(out, "%s%s", i ? ", " : "", method->declarations[i].text);
    buffer_print(out, ") = 0;\n");
}

/* Its members are no slots: it is an IDispatch of its own name. */
static bool is_dispinterface(const struct unit_interface *self)
{
    return self->itf.flags & VIA_INTERFACE_DISPINTERFACE;
}

static void emit_cpp_interface(const struct unit *unit, const struct unit_interface *self,
                               struct buffer *out)
{
    buffer_print(out, "struct %s : public %s {\n", self->itf.name,
                 unit->interfaces[self->itf.base].itf.name);
    for (size_t i = 0; i < self->n_methods && !is_dispinterface(self); i++)
        emit_cpp_method(&self->methods[i], out);
    buffer_print(out, "};\n");
}

static void emit_unknown_slots(const char *name, struct buffer *out)
{
    buffer_print(
        out,
        "    HRESULT(STDMETHODCALLTYPE *QueryInterface)(%s *This, REFIID iid, void **object);\n"
        "    ULONG(STDMETHODCALLTYPE *AddRef)(%s *This);\n"
        "    ULONG(STDMETHODCALLTYPE *Release)(%s *This);\n",
        name, name, name);
}

static void emit_dispatch_slots(const char *name, struct buffer *out)
{
    buffer_print(
        out,
        "    HRESULT(STDMETHODCALLTYPE *GetTypeInfoCount)(%s *This, UINT *count);\n"
        "    HRESULT(STDMETHODCALLTYPE *GetTypeInfo)(%s *This, UINT index, LCID lcid, "
        "ITypeInfo **info);\n"
        "    HRESULT(STDMETHODCALLTYPE *GetIDsOfNames)(%s *This, REFIID iid, LPOLESTR *names, "
        "UINT n_names, LCID lcid, DISPID *ids);\n"
        "    HRESULT(STDMETHODCALLTYPE *Invoke)(%s *This, DISPID id, REFIID iid, LCID lcid, "
        "WORD flags, DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception, "
        "UINT *wrong_argument);\n",
        name, name, name, name);
}

static void emit_dispatch_macros(const char *name, struct buffer *out)
{
    buffer_print(
        out,
        "#define %s_GetTypeInfoCount(This, count_) (This)->lpVtbl->GetTypeInfoCount(This, count_)\n"
        "#define %s_GetTypeInfo(This, index_, lcid_, info_) "
        "(This)->lpVtbl->GetTypeInfo(This, index_, lcid_, info_)\n"
        "#define %s_GetIDsOfNames(This, iid_, names_, n_names_, lcid_, ids_) "
        "(This)->lpVtbl->GetIDsOfNames(This, iid_, names_, n_names_, lcid_, ids_)\n"
        "#define %s_Invoke(This, id_, iid_, lcid_, flags_, params_, result_, exception_, wrong_) "
        "(This)->lpVtbl->Invoke(This, id_, iid_, lcid_, flags_, params_, result_, exception_, "
        "wrong_)\n",
        name, name, name, name);
}

static void emit_c_slots(const char *name, const struct unit_interface *self, struct buffer *out)
{
    for (size_t i = 0; i < self->n_methods; i++) {
        const struct unit_method *method = &self->methods[i];
        buffer_print(out, "    HRESULT(STDMETHODCALLTYPE *%s)(%s *This", method->c_name, name);
        for (uint16_t j = 0; j < method->method.n_params; j++)
            buffer_print(out, ", %s", method->declarations[j].text);
        buffer_print(out, ");\n");
    }
}

/* The names of a macro's parameters end in '_', so that the method's own name is not replaced where
 * a parameter is called like it; where that ends in '_' itself, they are numbered. */
static void emit_macro_arguments(const struct unit_method *method, struct buffer *out)
{
    bool is_numbered = method->c_name[strlen(method->c_name) - 1] == '_';
    for (uint16_t i = 0; i < method->method.n_params; i++)
        if (is_numbered)
            buffer_print(out, ", argument%u", i + 1u);
        else
            buffer_print(out, ", %s_", method->method.params[i].name);
}

static void emit_macros(const char *name, const struct unit_interface *self, struct buffer *out)
{
    for (size_t i = 0; i < self->n_methods; i++) {
        const struct unit_method *method = &self->methods[i];
        buffer_print(out, "#define %s_%s(This", name, method->c_name);
        emit_macro_arguments(method, out);
        buffer_print(out, ") (This)->lpVtbl->%s(This", method->c_name);
        emit_macro_arguments(method, out);
        buffer_print(out, ")\n");
    }
}

static void emit_c_interface(const struct unit *unit, size_t index, struct buffer *out)
{
    const char *name = unit->interfaces[index].itf.name;
    size_t chain[MAX_CHAIN];
    size_t n = base_chain(unit, index, chain, MAX_CHAIN);
    buffer_print(out, "typedef struct %sVtbl {\n", name);
    for (size_t i = 0; i < n; i++) {
        const struct unit_interface *self = &unit->interfaces[chain[i]];
        if (!strcmp(self->itf.name, "IUnknown"))
            emit_unknown_slots(name, out);
        else if (!strcmp(self->itf.name, "IDispatch"))
            emit_dispatch_slots(name, out);
        else if (!is_dispinterface(self))
            emit_c_slots(name, self, out);
    }
    buffer_print(out, "} %sVtbl;\nstruct %s {\n    const %sVtbl *lpVtbl;\n};\n", name, name, name);
    buffer_print(out,
                 "#define %s_QueryInterface(This, iid_, object_) "
                 "(This)->lpVtbl->QueryInterface(This, iid_, object_)\n"
                 "#define %s_AddRef(This) (This)->lpVtbl->AddRef(This)\n"
                 "#define %s_Release(This) (This)->lpVtbl->Release(This)\n",
                 name, name, name);
    if (n > 1 && !strcmp(unit->interfaces[chain[1]].itf.name, "IDispatch"))
        emit_dispatch_macros(name, out);
    if (is_dispinterface(&unit->interfaces[index]))
        return;
    for (size_t i = 0; i < n; i++)
        emit_macros(name, &unit->interfaces[chain[i]], out);
    emit_async(unit, name, chain, n, out);
}

static void emit_interface(const struct unit *unit, size_t index, struct buffer *out)
{
    const struct unit_interface *self = &unit->interfaces[index];
    buffer_print(out, "/* %s */\nVIADUCT_IDL_EXTERN const IID %sIID_%s;\n", self->itf.name,
                 is_dispinterface(self) ? "D" : "", self->itf.name);
    buffer_print(out, "#if defined(__cplusplus) && !defined(CINTERFACE)\n");
    emit_cpp_interface(unit, self, out);
    buffer_print(out, "#else\n");
    emit_c_interface(unit, index, out);
    buffer_print(out, "#endif\n\n");
}

static void emit_item(const struct unit *unit, const struct unit_item *item, struct buffer *out)
{
    switch (item->kind) {
    case UNIT_STRUCT:
        emit_struct(unit, item->index, out);
        break;
    case UNIT_UNION:
        emit_union(unit, item->index, out);
        break;
    case UNIT_ENUM:
        emit_enum(unit, item->index, out);
        break;
    case UNIT_INTERFACE:
        emit_interface(unit, item->index, out);
        break;
    case UNIT_FORWARD:
        break; /* every interface is declared in front */
    case UNIT_COCLASS:
        buffer_print(out, "VIADUCT_IDL_EXTERN const CLSID CLSID_%s;\n\n",
                     unit->coclasses[item->index].name);
        break;
    case UNIT_TEXT:
        buffer_print(out, "%s\n", item->text);
        break;
    }
}

static void emit_guard(const struct unit *unit, struct buffer *out)
{
    buffer_print(out, "VIADUCT_IDL_");
    for (const char *c = unit->stem; *c; c++)
        buffer_print(out, "%c", toupper((unsigned char)*c));
    buffer_print(out, "_H");
}

void emit_header(const struct unit *unit, struct buffer *out)
{
    buffer_print(out, "/* Made by viaduct-idl from %s.idl. */\n#ifndef ", unit->stem);
    emit_guard(unit, out);
    buffer_print(out, "\n#define ");
    emit_guard(unit, out);
    buffer_print(out, "\n\n#include <viaduct/async.h>\n#include <viaduct/com.h>\n"
                      "#include <viaduct/typelib.h>\n");
    for (size_t i = 0; i < unit->n_imports; i++)
        buffer_print(out, "#include \"%s\"\n", unit->imports[i]);
    buffer_print(out, "\n#ifndef VIADUCT_IDL_EXTERN\n#ifdef __cplusplus\n"
                      "#define VIADUCT_IDL_EXTERN extern \"C\"\n#else\n"
                      "#define VIADUCT_IDL_EXTERN extern\n#endif\n#endif\n\n");
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (!unit->interfaces[i].is_imported)
            buffer_print(out, "typedef struct %s %s;\n", unit->interfaces[i].itf.name,
                         unit->interfaces[i].itf.name);
    buffer_print(out, "\n");
    for (size_t i = 0; i < unit->n_items; i++)
        emit_item(unit, &unit->items[i], out);
    buffer_print(out,
                 "/* The metadata of all of this, for via_register_typelib(). */\n"
                 "VIADUCT_IDL_EXTERN const struct via_typelib %s_typelib;\n\n#endif\n",
                 unit->stem);
}
