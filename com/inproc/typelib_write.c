#include "com/inproc/typelib_write.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>
#include <viaduct/type_info.h>

#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* One type, as it is read and as it is written. */
struct pair {
    ITypeInfo *from; /* the vtable's side of a dual interface; NULL: the type is left out */
    ICreateTypeInfo *to;
    BSTR name;
    TYPEKIND kind; /* of what is written */
    bool is_filled;
};

struct copying {
    const struct via_typelib *lib;
    const struct typelib_fit *fit;
    ITypeLib *from, *standard;
    ITypeLib *others[TYPELIB_MAX_WRITTEN]; /* the files of `written` */
    const struct typelib_written *written;
    unsigned n_others;
    ICreateTypeLib2 *to;
    struct pair *pairs; /* by place */
    UINT n;
};

static HRESULT failed(HRESULT hr, const char *what, const WCHAR *name)
{
    CLEANUP(cleanup_free)
    char *text = name != NULL ? utf_from_wide(name, utf16_length(name)) : NULL;
    return error_set(hr, "Windows' type libraries do not take %s%s%s", what,
                     text != NULL ? " " : "", text != NULL ? text : "");
}

/* --- which types --- */

static HRESULT get_kind(ITypeInfo *info, TYPEKIND *kind, GUID *guid, WORD *flags)
{
    TYPEATTR *attributes;
    HRESULT hr = ITypeInfo_GetTypeAttr(info, &attributes);
    if (FAILED(hr))
        return hr;
    *kind = attributes->typekind;
    *guid = attributes->guid;
    *flags = attributes->wTypeFlags;
    ITypeInfo_ReleaseTypeAttr(info, attributes);
    return S_OK;
}

static bool is_interface(TYPEKIND kind)
{
    return kind == TKIND_INTERFACE || kind == TKIND_DISPATCH;
}

/* The alias with so many public ones in front of it. */
static uint16_t alias_at(const struct via_typelib *lib, UINT n)
{
    uint16_t i = 0;
    while (!(lib->aliases[i].flags & VIA_ALIAS_PUBLIC) || n-- > 0)
        i++;
    return i;
}

/* `n`: how many structs, or public aliases, are in front of it. */
static bool fits(const struct copying *self, TYPEKIND kind, const GUID *guid, UINT n)
{
    uint16_t index;
    switch (kind) {
    case TKIND_INTERFACE:
    case TKIND_DISPATCH:
        index = typelib_find_interface(self->lib, guid);
        return index != VIA_NO_INDEX && self->fit->interfaces[index];
    case TKIND_RECORD:
        return self->fit->structs[n];
    case TKIND_ALIAS:
        return self->fit->aliases[alias_at(self->lib, n)];
    case TKIND_UNION:
        return false;
    default:
        return true;
    }
}

/* The side of a dual interface that has its slots: *info becomes that. */
static HRESULT turn_to_vtable(ITypeInfo **info)
{
    HREFTYPE ref;
    ITypeInfo *other;
    HRESULT hr = ITypeInfo_GetRefTypeOfImplType(*info, (UINT)-1, &ref);
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetRefTypeInfo(*info, ref, &other);
    if (FAILED(hr))
        return hr;
    ITypeInfo_Release(*info);
    *info = other;
    return S_OK;
}

static HRESULT write_header(struct copying *self, struct pair *pair, const GUID *guid, WORD flags)
{
    BSTR help = NULL;
    HRESULT hr = ICreateTypeLib2_CreateTypeInfo(self->to, pair->name, pair->kind, &pair->to);
    if (SUCCEEDED(hr) && !IsEqualGUID(guid, &GUID_NULL))
        hr = ICreateTypeInfo_SetGuid(pair->to, guid);
    /* What is written is for Windows' marshaler, whose interfaces say so. */
    if (pair->kind == TKIND_INTERFACE)
        flags |= TYPEFLAG_FOLEAUTOMATION;
    if (SUCCEEDED(hr) && flags != 0)
        hr = ICreateTypeInfo_SetTypeFlags(pair->to, flags);
    if (SUCCEEDED(hr) && pair->kind == TKIND_COCLASS)
        hr = ICreateTypeInfo_SetVersion(pair->to, self->lib->version_major,
                                        self->lib->version_minor);
    if (SUCCEEDED(ITypeInfo_GetDocumentation(pair->from, MEMBERID_NIL, NULL, &help, NULL, NULL)) &&
        help != NULL)
        ICreateTypeInfo_SetDocString(pair->to, help);
    SysFreeString(help);
    return FAILED(hr) ? failed(hr, "type", pair->name) : S_OK;
}

/* `counts`: of types of each kind that came before. */
static HRESULT begin_pair(struct copying *self, UINT place, UINT counts[TKIND_MAX])
{
    struct pair *pair = &self->pairs[place];
    GUID guid;
    WORD flags = 0;
    HRESULT hr = ITypeLib_GetTypeInfo(self->from, place, &pair->from);
    if (SUCCEEDED(hr))
        hr = get_kind(pair->from, &pair->kind, &guid, &flags);
    UINT own = SUCCEEDED(hr) ? counts[pair->kind]++ : 0;
    if (SUCCEEDED(hr) && !fits(self, pair->kind, &guid, own)) {
        ITypeInfo_Release(pair->from);
        pair->from = NULL;
        return S_OK;
    }
    if (SUCCEEDED(hr) && pair->kind == TKIND_RECORD)
        hr = typelib_record_guid(self->lib, (uint16_t)own, &guid);
    if (SUCCEEDED(hr) && pair->kind == TKIND_DISPATCH && (flags & TYPEFLAG_FDUAL)) {
        hr = turn_to_vtable(&pair->from);
        if (SUCCEEDED(hr))
            hr = get_kind(pair->from, &pair->kind, &guid, &flags);
    }
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetDocumentation(pair->from, MEMBERID_NIL, &pair->name, NULL, NULL, NULL);
    if (FAILED(hr))
        return error_set(hr, "a type of library %s cannot be read", self->lib->name);
    return write_header(self, pair, &guid, flags);
}

/* --- references --- */

static HRESULT get_standard(const struct copying *self, const GUID *guid, const WCHAR *name,
                            ITypeInfo **info)
{
    USHORT n = 1;
    MEMBERID id;
    WCHAR text[64];
    *info = NULL;
    if (!IsEqualGUID(guid, &GUID_NULL))
        return ITypeLib_GetTypeInfoOfGuid(self->standard, guid, info);
    wcsncpy(text, name, 63);
    text[63] = 0;
    HRESULT hr = ITypeLib_FindName(self->standard, text, 0, info, &id, &n);
    return SUCCEEDED(hr) && n == 0 ? TYPE_E_ELEMENTNOTFOUND : hr;
}

/* Also of a GUID_NULL: it is none of these. */
static ITypeInfo *find_in_others(const struct copying *self, const GUID *guid)
{
    ITypeInfo *info;
    for (unsigned i = 0; i < self->n_others && !IsEqualGUID(guid, &GUID_NULL); i++)
        if (SUCCEEDED(ITypeLib_GetTypeInfoOfGuid(self->others[i], guid, &info)))
            return info;
    return NULL;
}

static HRESULT fill_pair(const struct copying *self, struct pair *pair);

/* Structs and aliases need to know how large the others are that they name. */
static HRESULT refer_to_pair(const struct copying *self, struct pair *pair, ITypeInfo **info)
{
    bool is_first = pair->kind == TKIND_RECORD || pair->kind == TKIND_ALIAS;
    HRESULT hr = is_first ? fill_pair(self, pair) : S_OK;
    return SUCCEEDED(hr) ? ICreateTypeInfo_QueryInterface(pair->to, &IID_ITypeInfo, (void **)info)
                         : hr;
}

/* The type that `other` is, in what is written or in Windows' own library; with a reference. */
static HRESULT find_written(const struct copying *self, ITypeInfo *other, ITypeInfo **info)
{
    BSTR name = NULL;
    TYPEKIND kind;
    GUID guid;
    WORD flags;
    HRESULT hr = get_kind(other, &kind, &guid, &flags);
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetDocumentation(other, MEMBERID_NIL, &name, NULL, NULL, NULL);
    *info = NULL;
    for (UINT i = 0; SUCCEEDED(hr) && i < self->n; i++)
        if (self->pairs[i].from != NULL && !wcscmp(self->pairs[i].name, name) &&
            is_interface(kind) == is_interface(self->pairs[i].kind)) {
            hr = refer_to_pair(self, &self->pairs[i], info);
            break;
        }
    if (SUCCEEDED(hr) && *info == NULL && is_interface(kind))
        *info = find_in_others(self, &guid);
    if (SUCCEEDED(hr) && *info == NULL)
        hr = get_standard(self, &guid, name, info);
    if (FAILED(hr))
        hr = failed(hr, "a reference to", name);
    SysFreeString(name);
    return hr;
}

static HRESULT map_ref(const struct copying *self, const struct pair *pair, HREFTYPE *ref)
{
    ITypeInfo *other, *written;
    HRESULT hr = ITypeInfo_GetRefTypeInfo(pair->from, *ref, &other);
    if (FAILED(hr))
        return failed(hr, "a type of", pair->name);
    hr = find_written(self, other, &written);
    ITypeInfo_Release(other);
    if (FAILED(hr))
        return hr;
    hr = ICreateTypeInfo_AddRefTypeInfo(pair->to, written, ref);
    ITypeInfo_Release(written);
    return FAILED(hr) ? failed(hr, "a reference in", pair->name) : S_OK;
}

/* In the description, which is a copy of our own. */
static HRESULT map_type(const struct copying *self, const struct pair *pair, TYPEDESC *type)
{
    while (type->vt == VT_PTR || type->vt == VT_SAFEARRAY)
        type = type->lptdesc;
    if (type->vt == VT_CARRAY)
        return map_type(self, pair, &type->lpadesc->tdescElem);
    return type->vt == VT_USERDEFINED ? map_ref(self, pair, &type->hreftype) : S_OK;
}

static HRESULT add_impls(const struct copying *self, const struct pair *pair)
{
    TYPEATTR *attributes;
    UINT n = 0;
    HRESULT hr = ITypeInfo_GetTypeAttr(pair->from, &attributes);
    if (FAILED(hr))
        return hr;
    WORD n_impls = attributes->cImplTypes;
    ITypeInfo_ReleaseTypeAttr(pair->from, attributes);
    for (WORD i = 0; i < n_impls && SUCCEEDED(hr); i++) {
        HREFTYPE ref;
        INT flags = 0;
        hr = ITypeInfo_GetRefTypeOfImplType(pair->from, i, &ref);
        if (SUCCEEDED(hr))
            hr = ITypeInfo_GetImplTypeFlags(pair->from, i, &flags);
        if (SUCCEEDED(hr))
            hr = map_ref(self, pair, &ref);
        if (FAILED(hr) && pair->kind == TKIND_COCLASS) {
            error_clear(); /* an interface that is left out */
            hr = S_OK;
            continue;
        }
        if (SUCCEEDED(hr))
            hr = ICreateTypeInfo_AddImplType(pair->to, n, ref);
        if (SUCCEEDED(hr) && flags != 0)
            hr = ICreateTypeInfo_SetImplTypeFlags(pair->to, n, flags);
        n++;
    }
    return hr;
}

/* --- members --- */

#define MAX_NAMES (TYPELIB_MAX_PARAMS + 1)

/* The value that a property is set to has no name. */
static HRESULT name_function(const struct pair *pair, UINT index, const FUNCDESC *desc)
{
    BSTR names[MAX_NAMES] = {NULL};
    UINT n = 0;
    HRESULT hr = ITypeInfo_GetNames(pair->from, desc->memid, names, MAX_NAMES, &n);
    bool is_put = (desc->invkind & (INVOKE_PROPERTYPUT | INVOKE_PROPERTYPUTREF)) != 0;
    UINT max = (UINT)desc->cParams + (is_put ? 0 : 1);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_SetFuncAndParamNames(pair->to, index, names, n < max ? n : max);
    if (FAILED(hr))
        hr = failed(hr, "the names of", names[0]);
    for (UINT i = 0; i < n; i++)
        SysFreeString(names[i]);
    return hr;
}

static HRESULT add_function(const struct copying *self, const struct pair *pair, UINT index)
{
    FUNCDESC *desc;
    BSTR help = NULL;
    HRESULT hr = ITypeInfo_GetFuncDesc(pair->from, index, &desc);
    if (FAILED(hr))
        return failed(hr, "a function of", pair->name);
    for (SHORT i = 0; i < desc->cParams && SUCCEEDED(hr); i++)
        hr = map_type(self, pair, &desc->lprgelemdescParam[i].tdesc);
    if (SUCCEEDED(hr))
        hr = map_type(self, pair, &desc->elemdescFunc.tdesc);
    if (SUCCEEDED(hr)) {
        hr = ICreateTypeInfo_AddFuncDesc(pair->to, index, desc);
        hr =
            FAILED(hr) ? failed(hr, "a function of", pair->name) : name_function(pair, index, desc);
    }
    if (SUCCEEDED(hr) &&
        SUCCEEDED(ITypeInfo_GetDocumentation(pair->from, desc->memid, NULL, &help, NULL, NULL)) &&
        help != NULL)
        ICreateTypeInfo_SetFuncDocString(pair->to, index, help);
    SysFreeString(help);
    ITypeInfo_ReleaseFuncDesc(pair->from, desc);
    return hr;
}

static HRESULT add_variable(const struct copying *self, const struct pair *pair, UINT index)
{
    VARDESC *desc;
    BSTR name = NULL;
    UINT n = 0;
    HRESULT hr = ITypeInfo_GetVarDesc(pair->from, index, &desc);
    if (FAILED(hr))
        return failed(hr, "a member of", pair->name);
    hr = map_type(self, pair, &desc->elemdescVar.tdesc);
    if (SUCCEEDED(hr))
        hr = ITypeInfo_GetNames(pair->from, desc->memid, &name, 1, &n);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_AddVarDesc(pair->to, index, desc);
    if (SUCCEEDED(hr))
        hr = ICreateTypeInfo_SetVarName(pair->to, index, name);
    if (FAILED(hr))
        hr = failed(hr, "a member of", pair->name);
    SysFreeString(name);
    ITypeInfo_ReleaseVarDesc(pair->from, desc);
    return hr;
}

static HRESULT set_meaning(const struct copying *self, const struct pair *pair)
{
    TYPEATTR *attributes;
    HRESULT hr = ITypeInfo_GetTypeAttr(pair->from, &attributes);
    if (FAILED(hr))
        return hr;
    hr = map_type(self, pair, &attributes->tdescAlias);
    if (SUCCEEDED(hr)) {
        hr = ICreateTypeInfo_SetTypeDescAlias(pair->to, &attributes->tdescAlias);
        if (FAILED(hr))
            hr = failed(hr, "what is meant by", pair->name);
    }
    ITypeInfo_ReleaseTypeAttr(pair->from, attributes);
    return hr;
}

static HRESULT fill_pair(const struct copying *self, struct pair *pair)
{
    TYPEATTR *attributes;
    if (pair->is_filled)
        return S_OK;
    pair->is_filled = true;
    HRESULT hr = ITypeInfo_GetTypeAttr(pair->from, &attributes);
    if (FAILED(hr))
        return hr;
    WORD n_functions = attributes->cFuncs, n_variables = attributes->cVars;
    ITypeInfo_ReleaseTypeAttr(pair->from, attributes);
    hr = pair->kind == TKIND_ALIAS ? set_meaning(self, pair) : add_impls(self, pair);
    for (UINT i = 0; i < n_functions && SUCCEEDED(hr); i++)
        hr = add_function(self, pair, i);
    for (UINT i = 0; i < n_variables && SUCCEEDED(hr); i++)
        hr = add_variable(self, pair, i);
    if (FAILED(hr))
        return hr;
    hr = ICreateTypeInfo_LayOut(pair->to);
    return FAILED(hr) ? failed(hr, "type", pair->name) : S_OK;
}

/* --- the library --- */

static HRESULT write_library(struct copying *self)
{
    TLIBATTR *attributes;
    BSTR name = NULL, help = NULL;
    HRESULT hr = ITypeLib_GetDocumentation(self->from, -1, &name, &help, NULL, NULL);
    if (SUCCEEDED(hr))
        hr = ICreateTypeLib2_SetName(self->to, name);
    if (SUCCEEDED(hr) && help != NULL)
        hr = ICreateTypeLib2_SetDocString(self->to, help);
    if (SUCCEEDED(hr))
        hr = ITypeLib_GetLibAttr(self->from, &attributes);
    if (SUCCEEDED(hr)) {
        ICreateTypeLib2_SetGuid(self->to, &attributes->guid);
        ICreateTypeLib2_SetVersion(self->to, attributes->wMajorVerNum, attributes->wMinorVerNum);
        ICreateTypeLib2_SetLcid(self->to, LOCALE_NEUTRAL);
        ICreateTypeLib2_SetLibFlags(self->to, attributes->wLibFlags);
        ITypeLib_ReleaseTLibAttr(self->from, attributes);
    }
    SysFreeString(name);
    SysFreeString(help);
    return FAILED(hr) ? failed(hr, "the attributes of a library", NULL) : S_OK;
}

static HRESULT open_libraries(struct copying *self, const WCHAR *path)
{
    char text[ERROR_TEXT_SIZE];
    HRESULT hr = via_type_library(self->lib, &self->from);
    if (FAILED(hr))
        return error_set(hr, "%s", via_error_message(hr, text, sizeof text));
    hr = LoadTypeLibEx(L"stdole2.tlb", REGKIND_NONE, &self->standard);
    if (FAILED(hr))
        return error_set(hr, "Windows' own type library, stdole2.tlb, cannot be loaded");
    for (unsigned i = 0; i < self->n_others; i++) {
        hr = LoadTypeLibEx(self->written[i].path, REGKIND_NONE, &self->others[i]);
        if (FAILED(hr))
            return failed(hr, "what they refer to, the file", self->written[i].path);
    }
    hr = CreateTypeLib2(SYS_WIN64, path, &self->to);
    if (FAILED(hr))
        return failed(hr, "the file", path);
    self->n = ITypeLib_GetTypeInfoCount(self->from);
    self->pairs = calloc(self->n + 1u, sizeof *self->pairs);
    return self->pairs != NULL ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a type library");
}

static void close_libraries(struct copying *self)
{
    for (UINT i = 0; self->pairs != NULL && i < self->n; i++) {
        if (self->pairs[i].from != NULL)
            ITypeInfo_Release(self->pairs[i].from);
        if (self->pairs[i].to != NULL)
            ICreateTypeInfo_Release(self->pairs[i].to);
        SysFreeString(self->pairs[i].name);
    }
    free(self->pairs);
    if (self->to != NULL)
        ICreateTypeLib2_Release(self->to);
    for (unsigned i = 0; i < self->n_others; i++)
        if (self->others[i] != NULL)
            ITypeLib_Release(self->others[i]);
    if (self->standard != NULL)
        ITypeLib_Release(self->standard);
    if (self->from != NULL)
        ITypeLib_Release(self->from);
}

HRESULT typelib_write(const struct via_typelib *lib, const struct typelib_fit *fit,
                      const struct typelib_written *others, unsigned n_others, const WCHAR *path)
{
    struct copying copying = {.lib = lib, .fit = fit, .written = others, .n_others = n_others};
    UINT counts[TKIND_MAX] = {0};
    HRESULT hr = open_libraries(&copying, path);
    if (SUCCEEDED(hr))
        hr = write_library(&copying);
    /* All types first: they refer to each other. */
    for (UINT i = 0; i < copying.n && SUCCEEDED(hr); i++)
        hr = begin_pair(&copying, i, counts);
    for (UINT i = 0; i < copying.n && SUCCEEDED(hr); i++)
        if (copying.pairs[i].from != NULL)
            hr = fill_pair(&copying, &copying.pairs[i]);
    if (SUCCEEDED(hr)) {
        hr = ICreateTypeLib2_SaveAllChanges(copying.to);
        if (FAILED(hr))
            failed(hr, "the file", path);
    }
    close_libraries(&copying);
    return hr;
}

HRESULT typelib_record_guid(const struct via_typelib *lib, uint16_t index, GUID *guid)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    HRESULT hr = typelib_struct_hash(lib, index, hash);
    if (FAILED(hr))
        return hr;
    /* As a UUID of version 5. */
    memcpy(guid, hash, sizeof *guid);
    guid->Data1 ^= lib->libid.Data1;
    guid->Data3 = (guid->Data3 & 0x0FFF) | 0x5000;
    guid->Data4[0] = (guid->Data4[0] & 0x3F) | 0x80;
    return S_OK;
}
