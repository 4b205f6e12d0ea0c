/*
 * A library is converted in two passes: first all that types may name (enums, structs, interfaces
 * and their bases), then methods. The result is made in the JSON form and read from that, so that
 * every rule is checked where those of peers are.
 */
#include "com/gateway/library.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "com/gateway/methods.h"
#include "com/gateway/types.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

static void no_type_attributes(ITypeInfo *info, TYPEATTR **attributes)
{
    if (*attributes != NULL)
        ITypeInfo_ReleaseTypeAttr(info, *attributes);
    *attributes = NULL;
}

/* --- enums and structs --- */

static void add_enum(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes)
{
    CLEANUP(cleanup_free) char *name = types_name(info);
    json_t *values = json_array();
    for (UINT i = 0; i < attributes->cVars; i++) {
        VARDESC *variable;
        VARIANT number;
        if (FAILED(ITypeInfo_GetVarDesc(info, i, &variable)))
            continue;
        VariantInit(&number);
        CLEANUP(cleanup_free) char *own = types_member_name(info, variable->memid);
        if (own != NULL && variable->varkind == VAR_CONST &&
            SUCCEEDED(VariantChangeType(&number, variable->lpvarValue, 0, VT_I4)))
            json_array_append_new(
                values, json_pack("{s:s, s:i}", "name", own, "value", (int)V_I4(&number)));
        VariantClear(&number);
        ITypeInfo_ReleaseVarDesc(info, variable);
    }
    if (name != NULL && types_find(self->enums, name) == NULL)
        json_array_append_new(self->enums, json_pack("{s:s, s:O}", "name", name, "values", values));
    json_decref(values);
}

/* A struct with a field that cannot be said is left out, and with it what uses it. */
static void add_struct(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes)
{
    CLEANUP(cleanup_free) char *name = types_name(info);
    json_t *fields = json_array();
    for (UINT i = 0; i < attributes->cVars && fields != NULL; i++) {
        VARDESC *variable;
        json_t *type = NULL;
        if (FAILED(ITypeInfo_GetVarDesc(info, i, &variable)))
            continue;
        CLEANUP(cleanup_free) char *own = types_member_name(info, variable->memid);
        type = types_field(self, info, &variable->elemdescVar.tdesc);
        ITypeInfo_ReleaseVarDesc(info, variable);
        if (type != NULL && own != NULL) {
            json_array_append_new(fields, json_pack("{s:s, s:o}", "name", own, "type", type));
            continue;
        }
        json_decref(type);
        json_decref(fields);
        fields = NULL;
    }
    if (fields != NULL && name != NULL && json_array_size(fields) > 0 &&
        types_find(self->structs, name) == NULL)
        json_array_append_new(self->structs,
                              json_pack("{s:s, s:O}", "name", name, "fields", fields));
    json_decref(fields);
}

/* --- interfaces --- */

static ITypeInfo *base_of(ITypeInfo *info)
{
    HREFTYPE reference;
    ITypeInfo *base = NULL;
    if (FAILED(ITypeInfo_GetRefTypeOfImplType(info, 0, &reference)) ||
        FAILED(ITypeInfo_GetRefTypeInfo(info, reference, &base)))
        return NULL;
    return base;
}

static void describe_vtable(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes,
                            json_t *entry)
{
    ITypeInfo *base = base_of(info);
    const char *base_name = base != NULL ? types_use_interface(self, base) : NULL;
    if (base != NULL)
        ITypeInfo_Release(base);
    if (base_name != NULL)
        json_object_set_new(entry, "base", json_string(base_name));
    if (attributes->wTypeFlags & TYPEFLAG_FDUAL)
        json_object_set_new(entry, "dual", json_true());
    if (attributes->wTypeFlags & TYPEFLAG_FOLEAUTOMATION)
        json_object_set_new(entry, "oleautomation", json_true());
    json_object_set_new(entry, "methods", methods_of_interface(self, info, attributes));
}

static void describe_interface(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes)
{
    const char *name = types_use_interface(self, info);
    json_t *entry = name != NULL ? types_find(self->interfaces, name) : NULL;
    if (entry == NULL || json_object_get(entry, "methods") != NULL)
        return;
    if (attributes->typekind == TKIND_INTERFACE) {
        describe_vtable(self, info, attributes, entry);
        return;
    }
    json_object_set_new(entry, "base", json_string(types_use_dispatch(self)));
    json_object_set_new(entry, "dispinterface", json_true());
    json_object_set_new(entry, "methods", methods_of_dispinterface(self, info, attributes));
}

/* --- classes --- */

static json_t *implemented(struct conversion *self, ITypeInfo *info, UINT i)
{
    HREFTYPE reference;
    ITypeInfo *face = NULL;
    INT flags = 0;
    json_t *json = NULL;
    if (SUCCEEDED(ITypeInfo_GetRefTypeOfImplType(info, i, &reference)) &&
        SUCCEEDED(ITypeInfo_GetRefTypeInfo(info, reference, &face))) {
        const char *name = types_use_interface(self, face);
        json = name != NULL ? json_pack("{s:s}", "name", name) : NULL;
        ITypeInfo_Release(face);
    }
    if (json != NULL && SUCCEEDED(ITypeInfo_GetImplTypeFlags(info, i, &flags))) {
        if (flags & IMPLTYPEFLAG_FDEFAULT)
            json_object_set_new(json, "default", json_true());
        if (flags & IMPLTYPEFLAG_FSOURCE)
            json_object_set_new(json, "source", json_true());
    }
    return json;
}

static void add_class(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes)
{
    CLEANUP(cleanup_free) char *name = types_name(info);
    json_t *interfaces = json_array();
    for (UINT i = 0; i < attributes->cImplTypes; i++) {
        json_t *entry = implemented(self, info, i);
        if (entry != NULL)
            json_array_append_new(interfaces, entry);
    }
    json_array_append_new(self->coclasses,
                          json_pack("{s:s, s:o, s:o}", "name", name, "clsid",
                                    types_guid(&attributes->guid), "interfaces", interfaces));
}

static void add_unlisted_class(struct conversion *self, const struct library_class *class)
{
    json_t *entry = types_find_iid(self->interfaces, class->iid);
    if (entry == NULL || json_object_get(entry, "external") != NULL)
        return;
    CLEANUP(cleanup_free) char *name = strdup(class->name);
    for (char *c = name; c != NULL && *c != 0; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    json_array_append_new(self->coclasses,
                          json_pack("{s:s, s:o, s:[{s:O, s:b}]}", "name", name, "clsid",
                                    types_guid(class->clsid), "interfaces", "name",
                                    json_object_get(entry, "name"), "default", 1));
}

/* --- the library --- */

enum pass { PASS_ENUMS, PASS_STRUCTS, PASS_INTERFACES, PASS_CLASSES, N_PASSES };

static void convert_type(struct conversion *self, ITypeInfo *info, enum pass pass)
{
    TYPEATTR *attributes = NULL;
    ITypeInfo *face = NULL;
    if (FAILED(ITypeInfo_GetTypeAttr(info, &attributes)))
        return;
    TYPEKIND kind = attributes->typekind;
    if (pass == PASS_ENUMS && kind == TKIND_ENUM)
        add_enum(self, info, attributes);
    else if (pass == PASS_STRUCTS && kind == TKIND_RECORD)
        add_struct(self, info, attributes);
    else if (pass == PASS_CLASSES && kind == TKIND_COCLASS)
        add_class(self, info, attributes);
    else if (pass == PASS_INTERFACES)
        face = types_described(info);
    no_type_attributes(info, &attributes);
    if (face == NULL)
        return;
    if (SUCCEEDED(ITypeInfo_GetTypeAttr(face, &attributes)))
        describe_interface(self, face, attributes);
    no_type_attributes(face, &attributes);
    ITypeInfo_Release(face);
}

/* Interfaces that are named and in the end have no description are described elsewhere. */
static void finish_interfaces(struct conversion *self)
{
    size_t i;
    json_t *entry;
    json_array_foreach(self->interfaces, i, entry)
    {
        if (json_object_get(entry, "methods") != NULL)
            continue;
        json_object_set_new(entry, "external", json_true());
        json_object_set_new(entry, "methods", json_array());
    }
}

static json_t *pack(struct conversion *self)
{
    TLIBATTR *attributes = NULL;
    BSTR text = NULL;
    json_t *json = NULL;
    if (FAILED(ITypeLib_GetDocumentation(self->library, MEMBERID_NIL, &text, NULL, NULL, NULL)))
        text = NULL;
    CLEANUP(cleanup_free) char *name = types_identifier(text);
    SysFreeString(text);
    if (SUCCEEDED(ITypeLib_GetLibAttr(self->library, &attributes))) {
        json = json_pack("{s:i, s:s, s:o, s:[ii], s:O, s:O, s:O, s:O}", "viaduct_typelib",
                         TYPELIB_JSON_VERSION, "name", name, "libid", types_guid(&attributes->guid),
                         "version", (int)attributes->wMajorVerNum, (int)attributes->wMinorVerNum,
                         "enums", self->enums, "structs", self->structs, "interfaces",
                         self->interfaces, "coclasses", self->coclasses);
        ITypeLib_ReleaseTLibAttr(self->library, attributes);
    }
    return json;
}

HRESULT library_convert(ITypeLib *library, const struct library_class *class,
                        struct via_typelib **converted)
{
    struct conversion self = {.library = library,
                              .enums = json_array(),
                              .structs = json_array(),
                              .interfaces = json_array(),
                              .coclasses = json_array()};
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (int pass = 0; pass < N_PASSES; pass++) {
        for (UINT i = 0; i < n; i++) {
            ITypeInfo *info;
            if (FAILED(ITypeLib_GetTypeInfo(library, i, &info)))
                continue;
            convert_type(&self, info, (enum pass)pass);
            ITypeInfo_Release(info);
        }
    }
    finish_interfaces(&self);
    if (class != NULL)
        add_unlisted_class(&self, class);
    json_t *json = pack(&self);
    CLEANUP(cleanup_free) char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    json_decref(self.enums);
    json_decref(self.structs);
    json_decref(self.interfaces);
    json_decref(self.coclasses);
    if (text == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a type library");
    return typelib_from_json(text, strlen(text), converted);
}
