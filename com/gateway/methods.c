/*
 * A method of a vtable has the types of its slot. A member of a dispinterface has what a VARIANT
 * can hold: where its type is nothing of that kind it is a VARIANT, which the object converts.
 */
#include "com/gateway/methods.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "com/gateway/annotations.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#define MAX_NAMES (TYPELIB_MAX_PARAMS + 1)
/* The ids of IUnknown's and IDispatch's methods in type libraries: 0x6000 and the interface's depth
 * and the slot. */
#define IS_OF_DISPATCH(id) (((DWORD)(id)&0xFFFC0000u) == 0x60000000u && ((id)&0xFFFF) < 7)

/* What a method's parameters are called; the last one of a setter has no name. */
struct names {
    BSTR texts[MAX_NAMES];
    UINT n;
};

static void get_names(ITypeInfo *info, const FUNCDESC *function, struct names *names)
{
    memset(names, 0, sizeof *names);
    if (FAILED(ITypeInfo_GetNames(info, function->memid, names->texts, MAX_NAMES, &names->n)))
        names->n = 0;
}

static void free_names(struct names *names)
{
    for (UINT i = 0; i < names->n; i++)
        SysFreeString(names->texts[i]);
}

/* Of a parameter that is called as a type is, which is no name for it in C: case makes no
 * difference to who calls by name. */
static void tell_from_types(const struct conversion *self, char *name)
{
    if (types_find(self->enums, name) == NULL && types_find(self->structs, name) == NULL &&
        types_find(self->interfaces, name) == NULL)
        return;
    int first = (unsigned char)name[0];
    name[0] = (char)(isupper(first) ? tolower(first) : toupper(first));
}

/* For free(). */
static char *param_name(const struct conversion *self, const struct names *names, UINT i,
                        json_t *params)
{
    bool is_named = i + 1 < names->n && names->texts[i + 1] != NULL;
    char *name = is_named ? types_identifier(names->texts[i + 1]) : strdup("value");
    if (name != NULL)
        tell_from_types(self, name);
    if (name == NULL || types_find(params, name) == NULL)
        return name;
    free(name);
    name = malloc(16);
    if (name != NULL)
        snprintf(name, 16, "arg%u", i);
    return name;
}

/* What is being converted. */
struct method {
    const char *owner;
    GUID iid;
    bool is_automation; /* its interface: types have the one meaning that they have there */
    const struct names *names;
    char c_name[256]; /* "get_Level" */
};

/* A parameter that cannot be said: with it the method has a slot, and no call comes to it. */
static void add_opaque(json_t *params, const char *name)
{
    json_array_append_new(params,
                          json_pack("{s:s, s:s, s:b}", "name", name, "type", "opaque", "in", 1));
}

/* A parameter that a side file names, as it is called here. NULL: it names none. */
static json_t *resolve(json_t *reference, const struct names *names)
{
    const char *text = json_string_value(reference);
    if (text == NULL)
        return json_incref(reference); /* a number, or computed */
    for (UINT i = 1; i < names->n; i++) {
        CLEANUP(cleanup_free) char *name = types_identifier(names->texts[i]);
        if (name != NULL && strcasecmp(name, text) == 0)
            return json_string(name);
    }
    log_warning("com", "an annotation names the parameter %s, which its method does not have",
                text);
    return NULL;
}

static bool resolve_all(struct annotation *annotation, const struct names *names)
{
    json_t **references[] = {&annotation->size_is, &annotation->length_is, &annotation->iid_is};
    bool are_known = true;
    for (size_t i = 0; i < 3; i++) {
        if (*references[i] == NULL)
            continue;
        *references[i] = resolve(*references[i], names);
        are_known &= *references[i] != NULL;
    }
    return are_known;
}

/* False: nothing is said of it, or nothing that fits it. */
static bool convert_annotated(struct conversion *self, ITypeInfo *info, const struct method *method,
                              const ELEMDESC *param, json_t *json)
{
    struct annotation annotation;
    const char *name = json_string_value(json_object_get(json, "name"));
    if (!annotations_find(method->owner, &method->iid, method->c_name, name, &annotation))
        return false;
    bool is_good = resolve_all(&annotation, method->names) &&
                   types_annotated_param(self, info, param, &annotation, json);
    if (!is_good)
        log_warning("com", "%s.%s(%s): what an annotation says does not fit the type library",
                    method->owner, method->c_name, name);
    json_decref(annotation.size_is);
    json_decref(annotation.length_is);
    json_decref(annotation.iid_is);
    return is_good;
}

static json_t *convert_params(struct conversion *self, ITypeInfo *info, const FUNCDESC *function,
                              const struct method *method)
{
    json_t *params = json_array();
    for (SHORT i = 0; i < function->cParams; i++) {
        CLEANUP(cleanup_free) char *name = param_name(self, method->names, (UINT)i, params);
        const ELEMDESC *param = &function->lprgelemdescParam[i];
        json_t *json = json_pack("{s:s}", "name", name != NULL ? name : "value");
        if (convert_annotated(self, info, method, param, json) ||
            types_param(self, info, param, method->is_automation, json)) {
            json_array_append_new(params, json);
            continue;
        }
        json_decref(json);
        add_opaque(params, name != NULL ? name : "value");
    }
    return params;
}

/* All that a method is but its parameters. */
static json_t *new_method(const FUNCDESC *function, const struct names *names)
{
    CLEANUP(cleanup_free) char *name = types_identifier(names->n > 0 ? names->texts[0] : NULL);
    json_t *method = json_pack("{s:s, s:i}", "name", name, "dispid", (int)function->memid);
    const char *form = function->invkind == INVOKE_PROPERTYGET      ? "propget"
                       : function->invkind == INVOKE_PROPERTYPUT    ? "propput"
                       : function->invkind == INVOKE_PROPERTYPUTREF ? "propputref"
                                                                    : NULL;
    if (form != NULL)
        json_object_set_new(method, form, json_true());
    if (function->cParamsOpt == -1)
        json_object_set_new(method, "vararg", json_true());
    if (function->wFuncFlags & FUNCFLAG_FRESTRICTED)
        json_object_set_new(method, "restricted", json_true());
    if (function->wFuncFlags & FUNCFLAG_FHIDDEN)
        json_object_set_new(method, "hidden", json_true());
    return method;
}

static bool has_too_many(const FUNCDESC *function)
{
    return function->cParams < 0 || function->cParams >= (SHORT)TYPELIB_MAX_PARAMS;
}

static void name_method(const FUNCDESC *function, struct method *method)
{
    CLEANUP(cleanup_free)
    char *name = types_identifier(method->names->n > 0 ? method->names->texts[0] : NULL);
    const char *prefix = function->invkind == INVOKE_PROPERTYGET      ? "get_"
                         : function->invkind == INVOKE_PROPERTYPUT    ? "put_"
                         : function->invkind == INVOKE_PROPERTYPUTREF ? "putref_"
                                                                      : "";
    snprintf(method->c_name, sizeof method->c_name, "%s%s", prefix, name != NULL ? name : "");
}

/* `of`: what all methods of the interface have in common. */
static json_t *convert_method(struct conversion *self, ITypeInfo *info, const FUNCDESC *function,
                              const struct method *of)
{
    struct names names;
    struct method method = *of;
    get_names(info, function, &names);
    method.names = &names;
    name_method(function, &method);
    json_t *json = new_method(function, &names);
    bool returns_result = function->elemdescFunc.tdesc.vt == VT_HRESULT;
    json_t *params =
        has_too_many(function) ? json_array() : convert_params(self, info, function, &method);
    if (!returns_result || has_too_many(function))
        add_opaque(params, "result");
    json_object_set_new(json, "params", params);
    free_names(&names);
    return json;
}

static int by_slot(const void *left, const void *right)
{
    const FUNCDESC *const *a = left, *const *b = right;
    return (*a)->oVft - (*b)->oVft;
}

/* The library's order need not be the vtable's. */
json_t *methods_of_interface(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes)
{
    CLEANUP(cleanup_free) char *name = types_name(info);
    const struct method of = {
        .owner = name != NULL ? name : "",
        .iid = attributes->guid,
        .is_automation = (attributes->wTypeFlags & (TYPEFLAG_FDUAL | TYPEFLAG_FOLEAUTOMATION)) != 0,
    };
    json_t *methods = json_array();
    UINT n = 0;
    CLEANUP(cleanup_free) FUNCDESC **functions = calloc(attributes->cFuncs + 1u, sizeof *functions);
    for (UINT i = 0; functions != NULL && i < attributes->cFuncs; i++)
        n += SUCCEEDED(ITypeInfo_GetFuncDesc(info, i, &functions[n]));
    if (functions != NULL)
        qsort(functions, n, sizeof(FUNCDESC *), by_slot);
    for (UINT i = 0; i < n; i++) {
        json_array_append_new(methods, convert_method(self, info, functions[i], &of));
        ITypeInfo_ReleaseFuncDesc(info, functions[i]);
    }
    return methods;
}

static bool names_have(const struct names *names, const FUNCDESC *function, const char *param)
{
    bool has = (SHORT)names->n <= function->cParams && strcasecmp(param, "value") == 0;
    for (UINT i = 1; i < names->n && !has; i++) {
        CLEANUP(cleanup_free) char *name = types_identifier(names->texts[i]);
        has = name != NULL && strcasecmp(name, param) == 0;
    }
    return has;
}

bool methods_have(ITypeInfo *info, const char *method, const char *param)
{
    TYPEATTR attributes;
    bool has = false;
    if (!types_attributes(info, &attributes))
        return false;
    for (UINT i = 0; i < attributes.cFuncs && !has; i++) {
        FUNCDESC *function;
        struct names names;
        struct method named = {.names = &names};
        if (FAILED(ITypeInfo_GetFuncDesc(info, i, &function)))
            continue;
        get_names(info, function, &names);
        name_method(function, &named);
        has = strcasecmp(named.c_name, method) == 0 &&
              (param == NULL || names_have(&names, function, param));
        free_names(&names);
        ITypeInfo_ReleaseFuncDesc(info, function);
    }
    return has;
}

/* --- dispinterfaces --- */

static void add_result(struct conversion *self, ITypeInfo *info, const TYPEDESC *type,
                       json_t *params)
{
    if (type->vt == VT_VOID || type->vt == VT_HRESULT)
        return;
    json_array_append_new(params, json_pack("{s:s, s:o, s:b, s:b, s:b}", "name", "result", "type",
                                            types_in_variant(self, info, type), "out", 1, "retval",
                                            1, "by_ref", 1));
}

static json_t *convert_member(struct conversion *self, ITypeInfo *info, const FUNCDESC *function)
{
    struct names names;
    get_names(info, function, &names);
    json_t *method = new_method(function, &names);
    json_t *params = json_array();
    for (SHORT i = 0; i < function->cParams; i++) {
        CLEANUP(cleanup_free) char *name = param_name(self, &names, (UINT)i, params);
        json_t *param = json_pack("{s:s}", "name", name != NULL ? name : "value");
        types_member_param(self, info, &function->lprgelemdescParam[i], param);
        json_array_append_new(params, param);
    }
    add_result(self, info, &function->elemdescFunc.tdesc, params);
    json_object_set_new(method, "params", params);
    free_names(&names);
    return method;
}

static json_t *new_accessor(const char *name, const VARDESC *variable, const char *form)
{
    json_t *method =
        json_pack("{s:s, s:i, s:b}", "name", name, "dispid", (int)variable->memid, form, 1);
    if (variable->wVarFlags & VARFLAG_FRESTRICTED)
        json_object_set_new(method, "restricted", json_true());
    if (variable->wVarFlags & VARFLAG_FHIDDEN)
        json_object_set_new(method, "hidden", json_true());
    return method;
}

static json_t *convert_getter(struct conversion *self, ITypeInfo *info, const VARDESC *variable,
                              const char *name)
{
    json_t *method = new_accessor(name, variable, "propget");
    json_t *params = json_array();
    add_result(self, info, &variable->elemdescVar.tdesc, params);
    json_object_set_new(method, "params", params);
    return method;
}

static json_t *convert_setter(struct conversion *self, ITypeInfo *info, const VARDESC *variable,
                              const char *name)
{
    json_t *method = new_accessor(name, variable, "propput");
    json_object_set_new(method, "params",
                        json_pack("[{s:s, s:o, s:b}]", "name", "value", "type",
                                  types_in_variant(self, info, &variable->elemdescVar.tdesc), "in",
                                  1));
    return method;
}

static const char *form_of(json_t *method)
{
    static const char *const forms[] = {"propget", "propput", "propputref"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (json_is_true(json_object_get(method, forms[i])))
            return forms[i];
    return "";
}

/* Two members are the same to callers who have their name and their form only. */
static void add_member(json_t *methods, json_t *method)
{
    const char *name = json_string_value(json_object_get(method, "name"));
    bool is_there = name == NULL || builtin_has_method(&builtin_iid_dispatch, name);
    size_t i;
    json_t *other;
    json_array_foreach(methods, i, other)
    {
        const char *its = json_string_value(json_object_get(other, "name"));
        bool is_plain = form_of(method)[0] == 0 || form_of(other)[0] == 0;
        is_there |= name != NULL && strcasecmp(its, name) == 0 &&
                    (is_plain || strcmp(form_of(method), form_of(other)) == 0);
    }
    if (is_there)
        json_decref(method);
    else
        json_array_append_new(methods, method);
}

static void add_property(struct conversion *self, ITypeInfo *info, const VARDESC *variable,
                         json_t *methods)
{
    CLEANUP(cleanup_free) char *name = types_member_name(info, variable->memid);
    if (name == NULL || variable->varkind != VAR_DISPATCH)
        return;
    add_member(methods, convert_getter(self, info, variable, name));
    if (!(variable->wVarFlags & VARFLAG_FREADONLY))
        add_member(methods, convert_setter(self, info, variable, name));
}

json_t *methods_of_dispinterface(struct conversion *self, ITypeInfo *info,
                                 const TYPEATTR *attributes)
{
    json_t *methods = json_array();
    for (UINT i = 0; i < attributes->cVars; i++) {
        VARDESC *variable;
        if (FAILED(ITypeInfo_GetVarDesc(info, i, &variable)))
            continue;
        add_property(self, info, variable, methods);
        ITypeInfo_ReleaseVarDesc(info, variable);
    }
    for (UINT i = 0; i < attributes->cFuncs; i++) {
        FUNCDESC *function;
        if (FAILED(ITypeInfo_GetFuncDesc(info, i, &function)))
            continue;
        if (!IS_OF_DISPATCH(function->memid) && !has_too_many(function))
            add_member(methods, convert_member(self, info, function));
        ITypeInfo_ReleaseFuncDesc(info, function);
    }
    return methods;
}
