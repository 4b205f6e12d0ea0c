/*
 * ITypeComp: names that are bound to what they mean, as compilers ask. Of a type these are its
 * members; of a library its enums' constants, and the names of its enums.
 */
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "com/typeinfo/functions.h"
#include "com/typeinfo/objects.h"
#include "com/typeinfo/variables.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* What Bind has found. */
struct binding {
    ITypeInfo **info;
    DESCKIND *kind;
    BINDPTR *bound;
};

static bool begin(struct binding *self, LPOLESTR text, char **name)
{
    *self->info = NULL;
    *self->kind = DESCKIND_NONE;
    self->bound->lpfuncdesc = NULL;
    *name = utf_from_wide(text, utf16_length(text));
    return *name != NULL;
}

static HRESULT finish(struct binding *self, const struct type_subject *subject, DESCKIND kind,
                      void *desc)
{
    HRESULT hr = desc != NULL ? type_info_new(subject, self->info) : E_OUTOFMEMORY;
    if (FAILED(hr)) {
        if (kind == DESCKIND_FUNCDESC)
            function_free(desc);
        else
            free(desc);
        return hr;
    }
    *self->kind = kind;
    if (kind == DESCKIND_FUNCDESC)
        self->bound->lpfuncdesc = desc;
    else
        self->bound->lpvardesc = desc;
    return S_OK;
}

/* S_FALSE: the subject has no such member. */
static HRESULT bind_member(struct binding *self, const struct type_subject *subject,
                           const char *name, WORD flags)
{
    struct type_function function;
    int variable = variables_with_name(subject, name);
    if (variable >= 0)
        return finish(self, subject, DESCKIND_VARDESC, variable_describe(subject, (UINT)variable));
    if (functions_with_name(subject, name, flags, &function))
        return finish(self, subject, DESCKIND_FUNCDESC, function_describe(subject, &function));
    return functions_with_name(subject, name, 0, &function) ? TYPE_E_TYPEMISMATCH : S_FALSE;
}

/* --- of a type --- */

static struct type_info *info_from_ITypeComp(ITypeComp *iface)
{
    return (struct type_info *)(void *)((char *)iface -
                                        offsetof(struct type_info, ITypeComp_iface));
}

static HRESULT STDMETHODCALLTYPE InfoComp_QueryInterface(ITypeComp *iface, REFIID iid,
                                                         void **object)
{
    return ITypeInfo_QueryInterface(&info_from_ITypeComp(iface)->ITypeInfo_iface, iid, object);
}

static ULONG STDMETHODCALLTYPE InfoComp_AddRef(ITypeComp *iface)
{
    return ITypeInfo_AddRef(&info_from_ITypeComp(iface)->ITypeInfo_iface);
}

static ULONG STDMETHODCALLTYPE InfoComp_Release(ITypeComp *iface)
{
    return ITypeInfo_Release(&info_from_ITypeComp(iface)->ITypeInfo_iface);
}

/* In the type, then in what it derives from. */
static HRESULT STDMETHODCALLTYPE InfoComp_Bind(ITypeComp *iface, LPOLESTR text, ULONG hash,
                                               WORD flags, ITypeInfo **info, DESCKIND *kind,
                                               BINDPTR *bound)
{
    struct type_subject subject = info_from_ITypeComp(iface)->subject, base;
    struct binding binding = {info, kind, bound};
    CLEANUP(cleanup_free) char *name = NULL;
    HREFTYPE ref;
    (void)hash;
    if (text == NULL || info == NULL || kind == NULL || bound == NULL)
        return E_INVALIDARG;
    if (!begin(&binding, text, &name))
        return E_OUTOFMEMORY;
    for (;;) {
        HRESULT hr = bind_member(&binding, &subject, name, flags);
        if (hr != S_FALSE)
            return hr;
        if (subject.view != TYPE_VIEW_INTERFACE || FAILED(type_impl_at(&subject, 0, &ref)))
            return S_OK;
        hr = type_ref_find(&subject, ref, &base);
        if (FAILED(hr))
            return hr;
        subject = base;
    }
}

static HRESULT STDMETHODCALLTYPE InfoComp_BindType(ITypeComp *iface, LPOLESTR text, ULONG hash,
                                                   ITypeInfo **info, ITypeComp **comp)
{
    (void)iface, (void)hash;
    if (text == NULL || info == NULL || comp == NULL)
        return E_INVALIDARG;
    *info = NULL; /* types are in no types */
    *comp = NULL;
    return S_OK;
}

const ITypeCompVtbl type_info_comp_vtbl = {InfoComp_QueryInterface, InfoComp_AddRef,
                                           InfoComp_Release, InfoComp_Bind, InfoComp_BindType};

/* --- of a library --- */

static struct type_library *library_from_ITypeComp(ITypeComp *iface)
{
    return (struct type_library *)(void *)((char *)iface -
                                           offsetof(struct type_library, ITypeComp_iface));
}

static HRESULT STDMETHODCALLTYPE LibComp_QueryInterface(ITypeComp *iface, REFIID iid, void **object)
{
    return ITypeLib_QueryInterface(&library_from_ITypeComp(iface)->ITypeLib_iface, iid, object);
}

static ULONG STDMETHODCALLTYPE LibComp_AddRef(ITypeComp *iface)
{
    return ITypeLib_AddRef(&library_from_ITypeComp(iface)->ITypeLib_iface);
}

static ULONG STDMETHODCALLTYPE LibComp_Release(ITypeComp *iface)
{
    return ITypeLib_Release(&library_from_ITypeComp(iface)->ITypeLib_iface);
}

/* A name of an enum is bound to its constants. */
static HRESULT bind_enum(struct binding *self, const struct type_subject *subject)
{
    ITypeInfo *info;
    HRESULT hr = type_info_new(subject, &info);
    if (FAILED(hr))
        return hr;
    hr = ITypeInfo_GetTypeComp(info, &self->bound->lptcomp);
    ITypeInfo_Release(info);
    if (SUCCEEDED(hr))
        *self->kind = DESCKIND_TYPECOMP;
    return hr;
}

static HRESULT STDMETHODCALLTYPE LibComp_Bind(ITypeComp *iface, LPOLESTR text, ULONG hash,
                                              WORD flags, ITypeInfo **info, DESCKIND *kind,
                                              BINDPTR *bound)
{
    const struct via_typelib *lib = library_from_ITypeComp(iface)->lib;
    struct binding binding = {info, kind, bound};
    struct type_subject subject;
    CLEANUP(cleanup_free) char *name = NULL;
    (void)hash;
    if (text == NULL || info == NULL || kind == NULL || bound == NULL)
        return E_INVALIDARG;
    if (!begin(&binding, text, &name))
        return E_OUTOFMEMORY;
    for (UINT i = 0; type_place_at(lib, i, &subject); i++) {
        if (subject.view != TYPE_VIEW_ENUM)
            continue;
        if (!strcasecmp(type_subject_name(&subject), name))
            return bind_enum(&binding, &subject);
        HRESULT hr = bind_member(&binding, &subject, name, flags);
        if (hr != S_FALSE)
            return hr;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE LibComp_BindType(ITypeComp *iface, LPOLESTR text, ULONG hash,
                                                  ITypeInfo **info, ITypeComp **comp)
{
    const struct via_typelib *lib = library_from_ITypeComp(iface)->lib;
    struct type_subject subject;
    (void)hash;
    if (text == NULL || info == NULL || comp == NULL)
        return E_INVALIDARG;
    *info = NULL;
    *comp = NULL;
    CLEANUP(cleanup_free) char *name = utf_from_wide(text, utf16_length(text));
    if (name == NULL)
        return E_OUTOFMEMORY;
    for (UINT i = 0; type_place_at(lib, i, &subject); i++) {
        if (strcasecmp(type_subject_name(&subject), name))
            continue;
        HRESULT hr = type_subject_resolve(&subject);
        if (SUCCEEDED(hr))
            hr = type_info_new(&subject, info);
        return FAILED(hr) ? hr : ITypeInfo_GetTypeComp(*info, comp);
    }
    return S_OK;
}

const ITypeCompVtbl type_library_comp_vtbl = {LibComp_QueryInterface, LibComp_AddRef,
                                              LibComp_Release, LibComp_Bind, LibComp_BindType};
