/*
 * A type library as IDL that viaduct-idl compiles to the same interfaces: with the same hashes, so
 * that what was regenerated from a live object is what the object has.
 *
 * Descriptions say how an argument is passed, and no longer how it was written: `const` and
 * comments are lost, and a union with a discriminant of its own comes out as a struct of the two.
 */
#include "com/abi/guid.h"
#include "com/typelib/builtin.h"
#include "com/typelib/idl_types.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* include/viaduct/viaduct.idl */
#define ONEWAY   "custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0001, 1)"
#define IN_PLACE "custom(9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002, 1)"

/* What the compiler calls the parameter that a member of a dispinterface returns. */
#define RESULT_NAME "result"

#define MAX_LEAD (2 * TYPELIB_MAX_TEXT + 256)

/* --- interfaces --- */

static void print_help(struct idl_writer *self, const char *separator, const char *help)
{
    if (!help)
        return;
    buffer_print(self->out, "%shelpstring(", separator);
    typelib_print_text(help, self->out);
    buffer_print(self->out, ")");
}

/* A name of an attribute for each flag that is set. */
struct flag_name {
    unsigned flag;
    const char *name;
};

static void print_flags(struct buffer *out, unsigned flags, const struct flag_name *names, size_t n,
                        const char *separator)
{
    for (size_t i = 0; i < n; i++)
        if (flags & names[i].flag) {
            buffer_print(out, "%s%s", separator, names[i].name);
            separator = ", ";
        }
}
#define PRINT_FLAGS(out, flags, names, separator) \
    print_flags(out, flags, names, sizeof(names) / sizeof((names)[0]), separator)

static void print_param_lead(const struct via_param *param, struct buffer *out)
{
    static const struct flag_name names[] = {
        {VIA_PARAM_IN, "in"},
        {VIA_PARAM_OUT, "out"},
        {VIA_PARAM_RETVAL, "retval"},
        {VIA_PARAM_IN_PLACE, IN_PLACE},
        {VIA_PARAM_OPTIONAL, "optional"},
    };
    PRINT_FLAGS(out, param->flags, names, "");
    if (!param->default_value)
        return;
    buffer_print(out, ", defaultvalue(");
    typelib_print_constant(param->default_value, out);
    buffer_print(out, ")");
}

static void write_param(struct idl_writer *self, const struct via_method *method, uint16_t index)
{
    struct buffer text;
    buffer_init(&text, MAX_LEAD);
    print_param_lead(&method->params[index], &text);
    CLEANUP(cleanup_free) char *lead = buffer_take_text(&text);
    buffer_deinit(&text);
    buffer_print(self->out, "%s", index ? ", " : "");
    if (lead)
        idl_write_param(self, method, &method->params[index], lead);
    else
        buffer_fail(self->out, E_OUTOFMEMORY);
}

/* In front of the name: HRESULT, and of a member of a dispinterface what it was written with. The
 * number of parameters that are left. */
static uint16_t write_returned(struct idl_writer *self, const struct via_method *method,
                               bool is_member)
{
    uint16_t n = method->n_params;
    const struct via_param *last = n > 0 ? &method->params[n - 1] : NULL;
    if (is_member && last && last->flags & VIA_PARAM_RETVAL && !strcmp(last->name, RESULT_NAME)) {
        idl_write_result(self, method, last);
        return (uint16_t)(n - 1);
    }
    buffer_print(self->out, is_member ? "void " : "HRESULT ");
    return n;
}

static void write_method(struct idl_writer *self, const struct via_method *method, bool is_member)
{
    static const struct flag_name names[] = {
        {VIA_METHOD_PROPGET, "propget"},       {VIA_METHOD_PROPPUT, "propput"},
        {VIA_METHOD_PROPPUTREF, "propputref"}, {VIA_METHOD_VARARG, "vararg"},
        {VIA_METHOD_RESTRICTED, "restricted"}, {VIA_METHOD_HIDDEN, "hidden"},
        {VIA_METHOD_ONEWAY, ONEWAY},
    };
    buffer_print(self->out, "    [id(%d)", method->dispid);
    PRINT_FLAGS(self->out, method->flags, names, ", ");
    print_help(self, ", ", method->help);
    buffer_print(self->out, "] ");
    uint16_t n = write_returned(self, method, is_member);
    buffer_print(self->out, "%s(", method->name);
    for (uint16_t i = 0; i < n; i++)
        write_param(self, method, i);
    buffer_print(self->out, ");\n");
}

static void write_interface(struct idl_writer *self, const struct via_interface *itf)
{
    static const struct flag_name names[] = {
        {VIA_INTERFACE_DUAL, "dual"},
        {VIA_INTERFACE_OLEAUTOMATION, "oleautomation"},
        {VIA_INTERFACE_RESTRICTED, "restricted"},
        {VIA_INTERFACE_HIDDEN, "hidden"},
        {VIA_INTERFACE_NONEXTENSIBLE, "nonextensible"},
    };
    char iid[GUID_TEXT_SIZE];
    bool is_members = itf->flags & VIA_INTERFACE_DISPINTERFACE;
    buffer_print(self->out, "[\n    %suuid(%.36s)", is_members ? "" : "object, ",
                 guid_format(&itf->iid, iid) + 1);
    PRINT_FLAGS(self->out, itf->flags, names, ", ");
    print_help(self, ",\n    ", itf->help);
    if (is_members)
        buffer_print(self->out, "\n]\ndispinterface %s\n{\n    properties:\n    methods:\n",
                     itf->name);
    else
        buffer_print(self->out, "\n]\ninterface %s : %s\n{\n", itf->name,
                     self->lib->interfaces[itf->base].name);
    for (uint16_t i = 0; i < itf->n_methods; i++)
        write_method(self, &itf->methods[i], is_members);
    buffer_print(self->out, "}\n\n");
}

static const char *keyword(const struct via_interface *itf)
{
    return itf->flags & VIA_INTERFACE_DISPINTERFACE ? "dispinterface" : "interface";
}

static bool is_described(const struct via_interface *itf)
{
    return !(itf->flags & VIA_INTERFACE_EXTERNAL);
}

static void check_base(struct idl_writer *self, const struct via_interface *itf)
{
    const struct via_interface *base = &self->lib->interfaces[itf->base];
    if (SUCCEEDED(self->result) && !is_described(base) && !builtin_slots(&base->iid))
        self->result = error_set(
            VIA_E_TYPE, "interface %s is built on %s, which another type library describes",
            itf->name, base->name);
}

/* Types and methods may name them all. */
static void write_forward(struct idl_writer *self)
{
    for (uint16_t i = 0; i < self->lib->n_interfaces; i++) {
        const struct via_interface *itf = &self->lib->interfaces[i];
        if (!builtin_slots(&itf->iid))
            buffer_print(self->out, "%s %s;\n", keyword(itf), itf->name);
    }
    buffer_print(self->out, "\n");
}

/* Bases come first. */
static void write_interfaces(struct idl_writer *self)
{
    const struct via_typelib *lib = self->lib;
    CLEANUP(cleanup_free) bool *done = calloc((size_t)lib->n_interfaces + 1, sizeof(*done));
    bool is_new = done != NULL;
    if (!done)
        self->result = error_set(E_OUTOFMEMORY, "no memory to write IDL");
    for (uint16_t i = 0; done && i < lib->n_interfaces; i++)
        done[i] = !is_described(&lib->interfaces[i]) || builtin_slots(&lib->interfaces[i].iid);
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

static void write_coclass(struct idl_writer *self, const struct via_coclass *coclass)
{
    static const struct flag_name names[] = {
        {VIA_CLASS_HIDDEN, "hidden"},
        {VIA_CLASS_NONCREATABLE, "noncreatable"},
    };
    static const struct flag_name members[] = {
        {VIA_COCLASS_DEFAULT, "default"},
        {VIA_COCLASS_SOURCE, "source"},
        {VIA_COCLASS_RESTRICTED, "restricted"},
    };
    char clsid[GUID_TEXT_SIZE];
    buffer_print(self->out, "    [\n        uuid(%.36s)", guid_format(&coclass->clsid, clsid) + 1);
    PRINT_FLAGS(self->out, coclass->flags, names, ", ");
    print_help(self, ",\n        ", coclass->help);
    buffer_print(self->out, "\n    ]\n    coclass %s\n    {\n", coclass->name);
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &coclass->interfaces[i];
        const struct via_interface *itf = &self->lib->interfaces[entry->interface_index];
        buffer_print(self->out, "        %s", entry->flags ? "[" : "");
        PRINT_FLAGS(self->out, entry->flags, members, "");
        buffer_print(self->out, "%s%s %s;\n", entry->flags ? "] " : "", keyword(itf), itf->name);
    }
    buffer_print(self->out, "    }\n");
}

static void write_library(struct idl_writer *self)
{
    static const struct flag_name names[] = {
        {VIA_LIBRARY_RESTRICTED, "restricted"},
        {VIA_LIBRARY_HIDDEN, "hidden"},
    };
    const struct via_typelib *lib = self->lib;
    char libid[GUID_TEXT_SIZE];
    buffer_print(self->out, "[\n    uuid(%.36s),\n    version(%u.%u)",
                 guid_format(&lib->libid, libid) + 1, lib->version_major, lib->version_minor);
    PRINT_FLAGS(self->out, lib->flags, names, ", ");
    print_help(self, ",\n    ", lib->help);
    buffer_print(self->out, "\n]\nlibrary %s\n{\n", lib->name);
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        write_coclass(self, &lib->coclasses[i]);
    buffer_print(self->out, "}\n");
}

HRESULT typelib_to_idl(const struct via_typelib *lib, struct buffer *text)
{
    struct idl_writer self = {.lib = lib, .out = text};
    buffer_print(text, "// Made from a description of %s.\n\n", lib->name);
    buffer_print(text, "import \"unknwn.idl\";\nimport \"oaidl.idl\";\n\n");
    write_forward(&self);
    idl_write_types(&self);
    write_interfaces(&self);
    if (lib->n_coclasses > 0)
        write_library(&self);
    return FAILED(self.result) ? self.result : buffer_result(text);
}
