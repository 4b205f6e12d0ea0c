#include "com/gateway/types.h"

#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/gateway/annotations.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"

/* Aliases of aliases, pointers to pointers: more is a mistake. */
#define MAX_DEPTH 16

/* --- types --- */

static json_t *value(struct conversion *self, ITypeInfo *info, const TYPEDESC *type,
                     unsigned depth);

static json_t *interface_type(const char *name)
{
    return name != NULL ? json_pack("{s:s}", "interface", name) : NULL;
}

static json_t *named(const char *key, json_t *list, ITypeInfo *info)
{
    CLEANUP(cleanup_free) char *name = types_name(info);
    return name != NULL && types_find(list, name) != NULL ? json_pack("{s:s}", key, name) : NULL;
}

static json_t *referenced(struct conversion *self, ITypeInfo *info, HREFTYPE reference,
                          unsigned depth)
{
    ITypeInfo *other = NULL;
    TYPEATTR attributes;
    json_t *json = NULL;
    if (FAILED(ITypeInfo_GetRefTypeInfo(info, reference, &other)))
        return NULL;
    if (!types_attributes(other, &attributes))
        attributes.typekind = TKIND_MAX;
    switch (attributes.typekind) {
    case TKIND_ALIAS:
        json = value(self, other, &attributes.tdescAlias, depth + 1);
        break;
    case TKIND_ENUM: /* of another library: its numbers are all that is needed here */
        json = types_is_of(other, self->library) ? named("enum", self->enums, other)
                                                 : json_string("i32");
        break;
    case TKIND_RECORD: {
        CLEANUP(cleanup_free) char *name = types_name(other);
        bool is_guid = name != NULL && strcmp(name, "GUID") == 0;
        json = is_guid                             ? json_string("guid")
               : types_is_of(other, self->library) ? named("struct", self->structs, other)
                                                   : NULL;
        break;
    }
    default: /* an interface is pointed to; others are nothing that travels */
        break;
    }
    ITypeInfo_Release(other);
    return json;
}

/* What a pointer to a class points to. */
static const char *default_interface(struct conversion *self, ITypeInfo *class, UINT n)
{
    const char *name = NULL;
    for (UINT i = 0; i < n && name == NULL; i++) {
        INT flags = 0;
        HREFTYPE reference;
        ITypeInfo *face;
        if (FAILED(ITypeInfo_GetImplTypeFlags(class, i, &flags)) ||
            (flags & (IMPLTYPEFLAG_FDEFAULT | IMPLTYPEFLAG_FSOURCE)) != IMPLTYPEFLAG_FDEFAULT ||
            FAILED(ITypeInfo_GetRefTypeOfImplType(class, i, &reference)) ||
            FAILED(ITypeInfo_GetRefTypeInfo(class, reference, &face)))
            continue;
        name = types_use_interface(self, face);
        ITypeInfo_Release(face);
    }
    return name != NULL ? name : types_use_dispatch(self);
}

static json_t *pointed_interface(struct conversion *self, ITypeInfo *info, const TYPEDESC *type)
{
    ITypeInfo *other = NULL;
    TYPEATTR attributes;
    json_t *json = NULL;
    if (type->vt != VT_USERDEFINED ||
        FAILED(ITypeInfo_GetRefTypeInfo(info, type->hreftype, &other)))
        return NULL;
    if (!types_attributes(other, &attributes))
        attributes.typekind = TKIND_MAX;
    if (attributes.typekind == TKIND_INTERFACE || attributes.typekind == TKIND_DISPATCH)
        json = interface_type(types_use_interface(self, other));
    else if (attributes.typekind == TKIND_COCLASS)
        json = interface_type(default_interface(self, other, attributes.cImplTypes));
    else if (attributes.typekind == TKIND_ALIAS)
        json = pointed_interface(self, other, &attributes.tdescAlias);
    ITypeInfo_Release(other);
    return json;
}

static const char *simple(VARTYPE type)
{
    static const struct {
        VARTYPE type;
        const char *name;
    } known[] = {
        {VT_I1, "i8"},     {VT_UI1, "u8"},        {VT_I2, "i16"},          {VT_UI2, "u16"},
        {VT_I4, "i32"},    {VT_UI4, "u32"},       {VT_INT, "i32"},         {VT_UINT, "u32"},
        {VT_I8, "i64"},    {VT_UI8, "u64"},       {VT_R4, "f32"},          {VT_R8, "f64"},
        {VT_CY, "cy"},     {VT_DATE, "date"},     {VT_BSTR, "bstr"},       {VT_DECIMAL, "decimal"},
        {VT_BOOL, "bool"}, {VT_ERROR, "hresult"}, {VT_HRESULT, "hresult"}, {VT_VARIANT, "variant"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].type == type)
            return known[i].name;
    return NULL;
}

/* What a variable of the type holds; NULL: nothing that can be said. */
static json_t *value(struct conversion *self, ITypeInfo *info, const TYPEDESC *type, unsigned depth)
{
    const char *name = simple(type->vt);
    if (name != NULL)
        return json_string(name);
    if (depth > MAX_DEPTH)
        return NULL;
    switch (type->vt) {
    case VT_UNKNOWN:
        return interface_type(types_use_unknown(self));
    case VT_DISPATCH:
        return interface_type(types_use_dispatch(self));
    case VT_LPWSTR:
        return json_string("string16");
    case VT_LPSTR:
        return json_string("string8");
    case VT_USERDEFINED:
        return referenced(self, info, type->hreftype, depth);
    case VT_PTR:
        return pointed_interface(self, info, type->lptdesc);
    case VT_SAFEARRAY: {
        json_t *element = value(self, info, type->lptdesc, depth + 1);
        return element != NULL ? json_pack("{s:o}", "safearray", element) : NULL;
    }
    default:
        return NULL;
    }
}

json_t *types_field(struct conversion *self, ITypeInfo *info, const TYPEDESC *type)
{
    if (type->vt != VT_CARRAY)
        return value(self, info, type, 0);
    json_t *json = value(self, info, &type->lpadesc->tdescElem, 1);
    for (USHORT i = type->lpadesc->cDims; i-- > 0 && json != NULL;)
        json = json_pack("{s:o, s:i}", "array", json, "count",
                         (int)type->lpadesc->rgbounds[i].cElements);
    return json;
}

/* What is passed by a pointer to it. `is_one`: certainly to one, and not to the first of many. */
static bool by_reference(struct conversion *self, ITypeInfo *info, const TYPEDESC *type,
                         bool is_one, json_t *json)
{
    if (type->vt != VT_PTR)
        return false;
    const TYPEDESC *to = type->lptdesc;
    json_t *what = value(self, info, to, 0);
    bool is_guid = what != NULL && json_is_string(what) && !strcmp(json_string_value(what), "guid");
    if (what == NULL || (!is_one && !is_guid)) {
        json_decref(what);
        return false;
    }
    json_object_set_new(json, "type", what);
    json_object_set_new(json, "by_ref", json_true());
    return true;
}

static bool by_value(struct conversion *self, ITypeInfo *info, const TYPEDESC *type, json_t *json)
{
    json_t *what = value(self, info, type, 0);
    bool is_record = what != NULL && json_object_get(what, "struct") != NULL;
    if (what == NULL || is_record) {
        json_decref(what);
        return false;
    }
    if (type->vt == VT_LPWSTR || type->vt == VT_LPSTR)
        what = json_pack("{s:o, s:b}", "type", what, "nullable", 1);
    json_object_set_new(json, "type", what);
    return true;
}

/* NULL: of a kind that no description has. */
static json_t *constant(VARIANT *value)
{
    VARIANT changed;
    json_t *json = NULL;
    VariantInit(&changed);
    switch (V_VT(value)) {
    case VT_BSTR: {
        CLEANUP(cleanup_free)
        char *text = V_BSTR(value) != NULL
                         ? utf_from_wide(V_BSTR(value), SysStringLen(V_BSTR(value)))
                         : strdup("");
        json = json_string(text);
        break;
    }
    case VT_R4:
    case VT_R8:
        if (SUCCEEDED(VariantChangeType(&changed, value, 0, VT_R8)))
            json = json_real(V_R8(&changed));
        break;
    default:
        if (SUCCEEDED(VariantChangeType(&changed, value, 0, VT_I8)))
            json = json_integer(V_I8(&changed));
    }
    VariantClear(&changed);
    return json;
}

static void add_default(const PARAMDESC *param, json_t *json)
{
    bool has_default = (param->wParamFlags & PARAMFLAG_FHASDEFAULT) != 0;
    json_t *value = NULL;
    if ((param->wParamFlags & (PARAMFLAG_FOPT | PARAMFLAG_FHASDEFAULT | PARAMFLAG_FLCID)) == 0)
        return;
    json_object_set_new(json, "optional", json_true());
    if (has_default && param->pparamdescex != NULL)
        value = constant(&param->pparamdescex->varDefaultValue);
    else if (param->wParamFlags & PARAMFLAG_FLCID)
        value = json_integer(LOCALE_USER_DEFAULT);
    if (value != NULL)
        json_object_set_new(json, "default", value);
}

/* Whether it goes in and comes out, and what it is when it is left out. */
static void add_direction(const PARAMDESC *param, json_t *json)
{
    USHORT flags = param->wParamFlags;
    bool is_out = (flags & PARAMFLAG_FOUT) != 0;
    if ((flags & PARAMFLAG_FIN) != 0 || !is_out)
        json_object_set_new(json, "in", json_true());
    if (is_out)
        json_object_set_new(json, "out", json_true());
    if (is_out && (flags & PARAMFLAG_FRETVAL) != 0)
        json_object_set_new(json, "retval", json_true());
    else
        add_default(param, json);
}

bool types_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                 bool is_automation, json_t *json)
{
    USHORT flags = param->paramdesc.wParamFlags;
    bool is_out = (flags & PARAMFLAG_FOUT) != 0;
    add_direction(&param->paramdesc, json);
    bool is_one = is_automation || (flags & PARAMFLAG_FRETVAL) != 0;
    return (!is_out && by_value(self, info, &param->tdesc, json)) ||
           by_reference(self, info, &param->tdesc, is_one, json);
}

/* --- with what a side file says --- */

static const char *text_kind(const TYPEDESC *type)
{
    VARTYPE to = type->vt == VT_PTR ? type->lptdesc->vt : VT_EMPTY;
    if (type->vt == VT_LPSTR || to == VT_I1 || to == VT_UI1)
        return "string8";
    return type->vt == VT_LPWSTR || to == VT_I2 || to == VT_UI2 ? "string16" : NULL;
}

static json_t *elements(struct conversion *self, ITypeInfo *info, const TYPEDESC *type,
                        const struct annotation *annotation)
{
    json_t *element = type->vt == VT_PTR ? value(self, info, type->lptdesc, 0) : NULL;
    if (element == NULL)
        return NULL;
    json_t *json = json_pack("{s:o, s:O}", "sized", element, "size_is", annotation->size_is);
    if (annotation->length_is != NULL)
        json_object_set(json, "length_is", annotation->length_is);
    return json;
}

static json_t *any_interface(struct conversion *self, const TYPEDESC *type,
                             const struct annotation *annotation)
{
    if (type->vt != VT_PTR && type->vt != VT_UNKNOWN && type->vt != VT_DISPATCH)
        return NULL;
    return json_pack("{s:s, s:O}", "interface", types_use_unknown(self), "iid_is",
                     annotation->iid_is);
}

static json_t *annotated_type(struct conversion *self, ITypeInfo *info, const TYPEDESC *type,
                              const struct annotation *annotation)
{
    const char *text = annotation->is_text ? text_kind(type) : NULL;
    if (annotation->is_text)
        return text != NULL ? json_string(text) : NULL;
    return annotation->iid_is != NULL ? any_interface(self, type, annotation)
                                      : elements(self, info, type, annotation);
}

bool types_annotated_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                           const struct annotation *annotation, json_t *json)
{
    const TYPEDESC *type = &param->tdesc;
    bool is_out = (param->paramdesc.wParamFlags & PARAMFLAG_FOUT) != 0;
    bool is_array = annotation->size_is != NULL;
    if (annotation->is_one)
        return types_param(self, info, param, true, json);
    if (!annotation->is_text && !is_array && annotation->iid_is == NULL)
        return false;
    /* What the method makes is behind one more pointer; an array may be the caller's buffer. */
    bool is_made = is_out && type->vt == VT_PTR && (!is_array || type->lptdesc->vt == VT_PTR);
    json_t *what = is_out && !is_array && !is_made
                       ? NULL
                       : annotated_type(self, info, is_made ? type->lptdesc : type, annotation);
    if (what == NULL)
        return false;
    add_direction(&param->paramdesc, json);
    json_object_set_new(json, "type", what);
    if (is_made)
        json_object_set_new(json, "by_ref", json_true());
    return true;
}

json_t *types_in_variant(struct conversion *self, ITypeInfo *info, const TYPEDESC *type)
{
    json_t *json = value(self, info, type, 0);
    const char *name = json_string_value(json);
    bool is_of_none =
        json == NULL ||
        (name != NULL && (strncmp(name, "string", 6) == 0 || strcmp(name, "guid") == 0));
    if (!is_of_none)
        return json;
    json_decref(json);
    return json_string("variant");
}

void types_member_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                        json_t *json)
{
    USHORT flags = param->paramdesc.wParamFlags;
    bool is_out = (flags & PARAMFLAG_FOUT) != 0 && param->tdesc.vt == VT_PTR;
    const TYPEDESC *type = is_out ? param->tdesc.lptdesc : &param->tdesc;
    if ((flags & PARAMFLAG_FIN) != 0 || !is_out)
        json_object_set_new(json, "in", json_true());
    if (is_out) {
        json_object_set_new(json, "out", json_true());
        json_object_set_new(json, "by_ref", json_true());
    }
    json_object_set_new(json, "type", types_in_variant(self, info, type));
    if (is_out && (flags & (PARAMFLAG_FRETVAL | PARAMFLAG_FIN)) == PARAMFLAG_FRETVAL)
        json_object_set_new(json, "retval", json_true());
    else
        add_default(&param->paramdesc, json);
}
