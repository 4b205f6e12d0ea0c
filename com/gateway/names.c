/* How a conversion calls what types refer to: names, and the interfaces that it knows. */
#include "com/gateway/types.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"

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
    /* Names that compilers have made up begin with two, which are C's own. */
    size_t n_bars = strspn(name, "_");
    if (n_bars > 1)
        memmove(name + 1, name + n_bars, strlen(name + n_bars) + 1);
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

char *types_member_name(ITypeInfo *info, MEMBERID id)
{
    BSTR text = NULL;
    UINT n = 0;
    if (FAILED(ITypeInfo_GetNames(info, id, &text, 1, &n)) || n == 0)
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

bool types_attributes(ITypeInfo *info, TYPEATTR *copy)
{
    TYPEATTR *attributes;
    if (FAILED(ITypeInfo_GetTypeAttr(info, &attributes)))
        return false;
    *copy = *attributes;
    ITypeInfo_ReleaseTypeAttr(info, attributes);
    return true;
}

ITypeInfo *types_described(ITypeInfo *info)
{
    TYPEATTR attributes;
    HREFTYPE reference;
    ITypeInfo *found = NULL;
    if (!types_attributes(info, &attributes))
        return NULL;
    bool is_dispatch = attributes.typekind == TKIND_DISPATCH;
    /* The other half of a dual interface. */
    if (is_dispatch && (attributes.wTypeFlags & TYPEFLAG_FDUAL) != 0 &&
        SUCCEEDED(ITypeInfo_GetRefTypeOfImplType(info, (UINT)-1, &reference)) &&
        SUCCEEDED(ITypeInfo_GetRefTypeInfo(info, reference, &found)))
        return found;
    if (!is_dispatch && attributes.typekind != TKIND_INTERFACE)
        return NULL;
    ITypeInfo_AddRef(info);
    return info;
}

bool types_is_of(ITypeInfo *info, ITypeLib *library)
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

json_t *types_find_iid(json_t *list, const GUID *iid)
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
    json_t *entry = types_find_iid(self->interfaces, iid);
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

const char *types_use_unknown(struct conversion *self)
{
    return name_external(self, "IUnknown", &IID_IUnknown);
}

const char *types_use_dispatch(struct conversion *self)
{
    return name_external(self, "IDispatch", &IID_IDispatch);
}

/* Interfaces that every process describes by itself, whatever a library says of them. */
static bool is_known(const GUID *iid)
{
    static const struct via_typelib *const builtin[] = {&builtin_typelib, &builtin_events_typelib,
                                                        &builtin_streams_typelib};
    bool is = builtin_slots(iid) != 0;
    for (size_t i = 0; i < sizeof builtin / sizeof *builtin && !is; i++)
        is = typelib_find_interface(builtin[i], iid) != VIA_NO_INDEX;
    return is;
}

const char *types_use_interface(struct conversion *self, ITypeInfo *info)
{
    const char *found = NULL;
    TYPEATTR attributes;
    ITypeInfo *face = types_described(info);
    if (face == NULL || !types_attributes(face, &attributes)) {
        if (face != NULL)
            ITypeInfo_Release(face);
        return NULL;
    }
    CLEANUP(cleanup_free) char *name = types_name(face);
    json_t *entry = name != NULL ? types_find_iid(self->interfaces, &attributes.guid) : NULL;
    if (entry != NULL) {
        found = json_string_value(json_object_get(entry, "name"));
    } else if (name != NULL && (is_known(&attributes.guid) || !types_is_of(face, self->library))) {
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
