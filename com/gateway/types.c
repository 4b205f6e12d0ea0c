#include "com/gateway/types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"

/* Aliases of aliases, pointers to pointers: more is a mistake. */
#define MAX_DEPTH 16

/* --- names --- */

char *types_identifier(const WCHAR *text)
{
    char *name = text != NULL ? utf_from_wide(text, utf16_length(text)) : strdup("unnamed");
    if (name == NULL)
        return NULL;
    for (char *c = name; *c != 0; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    if (isdigit((unsigned char)name[0]))
        name[0] = '_';
    return name;
}

char *types_name(ITypeInfo *info)
{
    BSTR text = NULL;
    if (FAILED(ITypeInfo_GetDocumentation(info, MEMBERID_NIL, &text, NULL, NULL, NULL)))
        text = NULL;
    char *name = types_identifier(text);
    SysFreeString(text);
    return name;
}

json_t *types_guid(const GUID *guid)
{
    char text[GUID_TEXT_SIZE];
    return json_string(guid_format(guid, text));
}

json_t *types_find(json_t *list, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *own = json_string_value(json_object_get(entry, "name"));
        if (own != NULL && strcmp(own, name) == 0)
            return entry;
    }
    return NULL;
}

/* --- interfaces --- */

static bool get_attributes(ITypeInfo *info, TYPEATTR *copy)
{
    TYPEATTR *attributes;
    if (FAILED(ITypeInfo_GetTypeAttr(info, &attributes)))
        return false;
    *copy = *attributes;
    ITypeInfo_ReleaseTypeAttr(info, attributes);
    return true;
}

ITypeInfo *types_vtable_interface(ITypeInfo *info)
{
    TYPEATTR attributes;
    HREFTYPE reference;
    ITypeInfo *found = NULL;
    if (!get_attributes(info, &attributes))
        return NULL;
    if (attributes.typekind == TKIND_INTERFACE) {
        ITypeInfo_AddRef(info);
        return info;
    }
    /* The other half of a dual interface. */
    bool is_dual =
        attributes.typekind == TKIND_DISPATCH && (attributes.wTypeFlags & TYPEFLAG_FDUAL) != 0;
    if (!is_dual || FAILED(ITypeInfo_GetRefTypeOfImplType(info, (UINT)-1, &reference)) ||
        FAILED(ITypeInfo_GetRefTypeInfo(info, reference, &found)))
        return NULL;
    return found;
}

static bool is_of(ITypeInfo *info, ITypeLib *library)
{
    ITypeLib *its = NULL;
    UINT index;
    if (FAILED(ITypeInfo_GetContainingTypeLib(info, &its, &index)))
        return false;
    TLIBATTR *left = NULL, *right = NULL;
    bool is = false;
    if (SUCCEEDED(ITypeLib_GetLibAttr(its, &left)) &&
        SUCCEEDED(ITypeLib_GetLibAttr(library, &right)))
        is = IsEqualGUID(&left->guid, &right->guid);
    if (left != NULL)
        ITypeLib_ReleaseTLibAttr(its, left);
    if (right != NULL)
        ITypeLib_ReleaseTLibAttr(library, right);
    ITypeLib_Release(its);
    return is;
}

static json_t *find_iid(json_t *list, const GUID *iid)
{
    char text[GUID_TEXT_SIZE];
    size_t i;
    json_t *entry;
    guid_format(iid, text);
    json_array_foreach(list, i, entry)
    {
        const char *own = json_string_value(json_object_get(entry, "iid"));
        if (own != NULL && strcmp(own, text) == 0)
            return entry;
    }
    return NULL;
}

static const char *name_external(struct conversion *self, const char *name, const GUID *iid)
{
    json_t *entry = find_iid(self->interfaces, iid);
    if (entry == NULL) {
        entry = json_pack("{s:s, s:o, s:b, s:[]}", "name", name, "iid", types_guid(iid), "external",
                          1, "methods");
        if (!IsEqualGUID(iid, &IID_IUnknown)) {
            name_external(self, "IUnknown", &IID_IUnknown);
            json_object_set_new(entry, "base", json_string("IUnknown"));
        }
        json_array_append_new(self->interfaces, entry);
    }
    return json_string_value(json_object_get(entry, "name"));
}

const char *types_use_interface(struct conversion *self, ITypeInfo *info)
{
    const char *found = NULL;
    TYPEATTR attributes;
    ITypeInfo *face = types_vtable_interface(info);
    if (face == NULL || !get_attributes(face, &attributes)) {
        if (face != NULL)
            ITypeInfo_Release(face);
        return NULL;
    }
    CLEANUP(cleanup_free) char *name = types_name(face);
    json_t *entry = name != NULL ? find_iid(self->interfaces, &attributes.guid) : NULL;
    if (entry != NULL) {
        found = json_string_value(json_object_get(entry, "name"));
    } else if (name != NULL && !is_of(face, self->library)) {
        found = name_external(self, name, &attributes.guid);
    } else if (name != NULL) {
        /* It is still to be described: the entry holds its place and its name. */
        entry = json_pack("{s:s, s:o}", "name", name, "iid", types_guid(&attributes.guid));
        json_array_append_new(self->interfaces, entry);
        found = json_string_value(json_object_get(entry, "name"));
    }
    ITypeInfo_Release(face);
    return found;
}

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
    if (!get_attributes(other, &attributes))
        attributes.typekind = TKIND_MAX;
    switch (attributes.typekind) {
    case TKIND_ALIAS:
        json = value(self, other, &attributes.tdescAlias, depth + 1);
        break;
    case TKIND_ENUM: /* of another library: its numbers are all that is needed here */
        json = is_of(other, self->library) ? named("enum", self->enums, other) : json_string("i32");
        break;
    case TKIND_RECORD: {
        CLEANUP(cleanup_free) char *name = types_name(other);
        bool is_guid = name != NULL && strcmp(name, "GUID") == 0;
        json = is_guid                       ? json_string("guid")
               : is_of(other, self->library) ? named("struct", self->structs, other)
                                             : NULL;
        break;
    }
    default: /* an interface is pointed to; others are nothing that travels */
        break;
    }
    ITypeInfo_Release(other);
    return json;
}

static json_t *pointed_interface(struct conversion *self, ITypeInfo *info, const TYPEDESC *type)
{
    ITypeInfo *other = NULL;
    TYPEATTR attributes;
    json_t *json = NULL;
    if (type->vt != VT_USERDEFINED ||
        FAILED(ITypeInfo_GetRefTypeInfo(info, type->hreftype, &other)))
        return NULL;
    if (!get_attributes(other, &attributes))
        attributes.typekind = TKIND_MAX;
    if (attributes.typekind == TKIND_INTERFACE || attributes.typekind == TKIND_DISPATCH) {
        const char *name = types_use_interface(self, other);
        /* A dispinterface without a vtable is an IDispatch. */
        if (name == NULL && attributes.typekind == TKIND_DISPATCH)
            name = name_external(self, "IDispatch", &IID_IDispatch);
        json = interface_type(name);
    } else if (attributes.typekind == TKIND_COCLASS) {
        /* A pointer to its default interface. */
        json = interface_type(name_external(self, "IDispatch", &IID_IDispatch));
    } else if (attributes.typekind == TKIND_ALIAS) {
        json = pointed_interface(self, other, &attributes.tdescAlias);
    }
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
        return interface_type(name_external(self, "IUnknown", &IID_IUnknown));
    case VT_DISPATCH:
        return interface_type(name_external(self, "IDispatch", &IID_IDispatch));
    case VT_LPWSTR:
        return json_string("string16");
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
    if (type->vt == VT_LPWSTR) {
        json_decref(what);
        what = json_pack("{s:s, s:b}", "type", "string16", "nullable", 1);
    }
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

bool types_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                 bool is_automation, json_t *json)
{
    USHORT flags = param->paramdesc.wParamFlags;
    bool is_out = (flags & PARAMFLAG_FOUT) != 0;
    bool is_in = (flags & PARAMFLAG_FIN) != 0 || !is_out;
    bool is_retval = (flags & PARAMFLAG_FRETVAL) != 0;
    if (is_in)
        json_object_set_new(json, "in", json_true());
    if (is_out)
        json_object_set_new(json, "out", json_true());
    if (is_out && is_retval)
        json_object_set_new(json, "retval", json_true());
    else
        add_default(&param->paramdesc, json);
    bool is_one = is_automation || is_retval;
    return (!is_out && by_value(self, info, &param->tdesc, json)) ||
           by_reference(self, info, &param->tdesc, is_one, json);
}
