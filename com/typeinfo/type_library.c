#include <viaduct/type_info.h>

#include <stdlib.h>
#include <strings.h>

#include "com/abi/error_border.h"
#include "com/marshal/marshal.h"
#include "com/typeinfo/functions.h"
#include "com/typeinfo/objects.h"
#include "com/typeinfo/variables.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

static struct type_library *library_from_ITypeLib(ITypeLib *iface)
{
    return (struct type_library *)(void *)iface; /* its first member */
}

static HRESULT STDMETHODCALLTYPE TypeLib_QueryInterface(ITypeLib *iface, REFIID iid, void **object)
{
    struct type_library *self = library_from_ITypeLib(iface);
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_ITypeLib))
        *object = iface;
    else if (IsEqualGUID(iid, &IID_ITypeComp))
        *object = &self->ITypeComp_iface;
    else
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE TypeLib_AddRef(ITypeLib *iface)
{
    return ref_inc(&library_from_ITypeLib(iface)->refs);
}

static ULONG STDMETHODCALLTYPE TypeLib_Release(ITypeLib *iface)
{
    struct type_library *self = library_from_ITypeLib(iface);
    ULONG left = ref_dec(&self->refs);
    if (left == 0)
        free(self);
    return left;
}

/* --- what is in it --- */

static UINT STDMETHODCALLTYPE TypeLib_GetTypeInfoCount(ITypeLib *iface)
{
    return type_places_count(library_from_ITypeLib(iface)->lib);
}

static HRESULT info_at(const struct via_typelib *lib, UINT place, ITypeInfo **info)
{
    struct type_subject subject;
    *info = NULL;
    if (!type_place_at(lib, place, &subject))
        return TYPE_E_ELEMENTNOTFOUND;
    HRESULT hr = type_subject_resolve(&subject);
    return SUCCEEDED(hr) ? type_info_new(&subject, info) : hr;
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetTypeInfo(ITypeLib *iface, UINT index, ITypeInfo **info)
{
    return info != NULL ? info_at(library_from_ITypeLib(iface)->lib, index, info) : E_INVALIDARG;
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetTypeInfoType(ITypeLib *iface, UINT index,
                                                         TYPEKIND *kind)
{
    struct type_subject subject;
    if (kind == NULL)
        return E_INVALIDARG;
    if (!type_place_at(library_from_ITypeLib(iface)->lib, index, &subject))
        return TYPE_E_ELEMENTNOTFOUND;
    *kind = type_subject_kind(&subject);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetTypeInfoOfGuid(ITypeLib *iface, REFGUID guid,
                                                           ITypeInfo **info)
{
    static const GUID none;
    const struct via_typelib *lib = library_from_ITypeLib(iface)->lib;
    struct type_subject subject;
    if (info == NULL)
        return E_INVALIDARG;
    *info = NULL;
    for (UINT i = 0; !IsEqualGUID(guid, &none) && type_place_at(lib, i, &subject); i++) {
        GUID own = type_subject_guid(&subject);
        if (IsEqualGUID(&own, guid))
            return info_at(lib, i, info);
    }
    return TYPE_E_ELEMENTNOTFOUND;
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetLibAttr(ITypeLib *iface, TLIBATTR **result)
{
    const struct via_typelib *lib = library_from_ITypeLib(iface)->lib;
    if (result == NULL)
        return E_INVALIDARG;
    TLIBATTR *attr = calloc(1, sizeof *attr);
    *result = attr;
    if (attr == NULL)
        return E_OUTOFMEMORY;
    attr->guid = lib->libid;
    attr->syskind = sizeof(void *) == 8 ? SYS_WIN64 : SYS_WIN32;
    attr->wMajorVerNum = lib->version_major;
    attr->wMinorVerNum = lib->version_minor;
    if (lib->flags & VIA_LIBRARY_RESTRICTED)
        attr->wLibFlags |= LIBFLAG_FRESTRICTED;
    if (lib->flags & VIA_LIBRARY_HIDDEN)
        attr->wLibFlags |= LIBFLAG_FHIDDEN;
    return S_OK;
}

static void STDMETHODCALLTYPE TypeLib_ReleaseTLibAttr(ITypeLib *iface, TLIBATTR *attr)
{
    (void)iface;
    free(attr);
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetTypeComp(ITypeLib *iface, ITypeComp **comp)
{
    if (comp == NULL)
        return E_INVALIDARG;
    return TypeLib_QueryInterface(iface, &IID_ITypeComp, (void **)comp);
}

static HRESULT STDMETHODCALLTYPE TypeLib_GetDocumentation(ITypeLib *iface, INT index, BSTR *name,
                                                          BSTR *doc, DWORD *help_context,
                                                          BSTR *help_file)
{
    const struct via_typelib *lib = library_from_ITypeLib(iface)->lib;
    struct type_subject subject;
    const char *text = lib->name, *help = lib->help;
    if (index != -1) {
        if (!type_place_at(lib, (UINT)index, &subject))
            return TYPE_E_ELEMENTNOTFOUND;
        text = type_subject_name(&subject);
        help = type_subject_help(&subject);
    }
    return type_documentation(text, help, name, doc, help_context, help_file);
}

/* --- names --- */

/* The member of that name, and its spelling. */
static bool find_member(const struct type_subject *subject, const char *name, MEMBERID *id,
                        const char **spelling)
{
    struct type_function function;
    int variable = variables_with_name(subject, name);
    if (variable >= 0) {
        *id = variable_id((UINT)variable);
        *spelling = variable_name(subject, (UINT)variable);
        return true;
    }
    if (!functions_with_name(subject, name, 0, &function))
        return false;
    *id = function.id;
    *spelling = function_name(&function);
    return true;
}

static const char *find_param(const struct type_subject *subject, const char *name)
{
    struct type_function function;
    for (UINT i = 0; functions_at(subject, i, &function); i++) {
        unsigned n = function_n_params(subject, &function);
        for (unsigned k = 0; k < n; k++)
            if (!strcasecmp(function_param_name(&function, k), name))
                return function_param_name(&function, k);
    }
    return NULL;
}

/* One that cannot be described has no names. */
static bool subject_at(const struct via_typelib *lib, UINT place, struct type_subject *subject)
{
    if (!type_place_at(lib, place, subject))
        return false;
    if (FAILED(type_subject_resolve(subject))) {
        error_clear();
        subject->itf = NULL;
    }
    return true;
}

static const char *find_spelling(const struct via_typelib *lib, const char *name)
{
    struct type_subject subject;
    MEMBERID id;
    const char *spelling = NULL;
    for (UINT i = 0; spelling == NULL && subject_at(lib, i, &subject); i++) {
        if (!strcasecmp(type_subject_name(&subject), name))
            spelling = type_subject_name(&subject);
        else if (!find_member(&subject, name, &id, &spelling))
            spelling = find_param(&subject, name);
    }
    return spelling;
}

/* Writes a name over another one of the same length. */
static void respell(LPOLESTR text, const char *spelling)
{
    WCHAR *wide = utf_to_wide(spelling);
    for (size_t i = 0; wide != NULL && wide[i] != 0 && text[i] != 0; i++)
        text[i] = wide[i];
    free(wide);
}

static HRESULT STDMETHODCALLTYPE TypeLib_IsName(ITypeLib *iface, LPOLESTR text, ULONG hash,
                                                BOOL *is_name)
{
    (void)hash;
    if (text == NULL || is_name == NULL)
        return E_INVALIDARG;
    *is_name = FALSE;
    CLEANUP(cleanup_free) char *name = utf_from_wide(text, utf16_length(text));
    if (name == NULL)
        return E_OUTOFMEMORY;
    const char *spelling = find_spelling(library_from_ITypeLib(iface)->lib, name);
    if (spelling == NULL)
        return S_OK;
    *is_name = TRUE;
    respell(text, spelling);
    return S_OK;
}

static HRESULT find_names(const struct via_typelib *lib, const char *name, ITypeInfo **infos,
                          MEMBERID *ids, USHORT max, USHORT *n, const char **spelling)
{
    struct type_subject subject;
    HRESULT hr = S_OK;
    for (UINT i = 0; *n < max && SUCCEEDED(hr) && subject_at(lib, i, &subject); i++) {
        if (!strcasecmp(type_subject_name(&subject), name)) {
            ids[*n] = MEMBERID_NIL;
            *spelling = type_subject_name(&subject);
        } else if (!find_member(&subject, name, &ids[*n], spelling)) {
            continue;
        }
        hr = type_info_new(&subject, &infos[*n]);
        *n = (USHORT)(*n + SUCCEEDED(hr));
    }
    while (FAILED(hr) && *n > 0) {
        *n = (USHORT)(*n - 1);
        ITypeInfo_Release(infos[*n]);
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE TypeLib_FindName(ITypeLib *iface, LPOLESTR text, ULONG hash,
                                                  ITypeInfo **infos, MEMBERID *ids, USHORT *found)
{
    const char *spelling = NULL;
    (void)hash;
    if (text == NULL || infos == NULL || ids == NULL || found == NULL)
        return E_INVALIDARG;
    USHORT max = *found;
    *found = 0;
    CLEANUP(cleanup_free) char *name = utf_from_wide(text, utf16_length(text));
    if (name == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr =
        find_names(library_from_ITypeLib(iface)->lib, name, infos, ids, max, found, &spelling);
    if (*found > 0)
        respell(text, spelling);
    return hr;
}

static const ITypeLibVtbl type_library_vtbl = {
    TypeLib_QueryInterface,    TypeLib_AddRef,      TypeLib_Release,
    TypeLib_GetTypeInfoCount,  TypeLib_GetTypeInfo, TypeLib_GetTypeInfoType,
    TypeLib_GetTypeInfoOfGuid, TypeLib_GetLibAttr,  TypeLib_GetTypeComp,
    TypeLib_GetDocumentation,  TypeLib_IsName,      TypeLib_FindName,
    TypeLib_ReleaseTLibAttr};

HRESULT type_library_new(const struct via_typelib *lib, ITypeLib **library)
{
    struct type_library *self = calloc(1, sizeof *self);
    *library = NULL;
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a type library");
    self->ITypeLib_iface.lpVtbl = (void *)&type_library_vtbl;
    self->ITypeComp_iface.lpVtbl = (void *)&type_library_comp_vtbl;
    ref_init(&self->refs);
    self->lib = lib;
    *library = &self->ITypeLib_iface;
    return S_OK;
}

HRESULT via_type_library(const struct via_typelib *lib, ITypeLib **library)
{
    *library = NULL;
    HRESULT hr = typelib_catalog_add(lib);
    if (SUCCEEDED(hr)) {
        marshal_interfaces_renew(lib);
        hr = type_library_new(lib, library);
    }
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}
