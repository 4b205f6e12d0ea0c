#include <viaduct/type_info.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "com/abi/error_border.h"
#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "com/typeinfo/functions.h"
#include "com/typeinfo/objects.h"
#include "com/typeinfo/type_desc.h"
#include "com/typeinfo/variables.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

static struct type_info *info_from_ITypeInfo(ITypeInfo *iface)
{
    return (struct type_info *)(void *)iface; /* its first member */
}

static HRESULT STDMETHODCALLTYPE TypeInfo_QueryInterface(ITypeInfo *iface, REFIID iid,
                                                         void **object)
{
    struct type_info *self = info_from_ITypeInfo(iface);
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_ITypeInfo))
        *object = iface;
    else if (IsEqualGUID(iid, &IID_ITypeComp))
        *object = &self->ITypeComp_iface;
    else
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE TypeInfo_AddRef(ITypeInfo *iface)
{
    return ref_inc(&info_from_ITypeInfo(iface)->refs);
}

static ULONG STDMETHODCALLTYPE TypeInfo_Release(ITypeInfo *iface)
{
    struct type_info *self = info_from_ITypeInfo(iface);
    ULONG left = ref_dec(&self->refs);
    if (left == 0)
        free(self);
    return left;
}

/* --- the type --- */

static WORD class_flags(const struct via_coclass *coclass)
{
    WORD flags = 0;
    if ((coclass->flags & VIA_CLASS_NONCREATABLE) == 0)
        flags |= TYPEFLAG_FCANCREATE;
    if (coclass->flags & VIA_CLASS_HIDDEN)
        flags |= TYPEFLAG_FHIDDEN;
    return flags;
}

static WORD type_flags(const struct type_subject *subject)
{
    const struct via_interface *itf = type_subject_interface(subject);
    WORD flags = 0;
    if (subject->view == TYPE_VIEW_COCLASS)
        return class_flags(&subject->lib->coclasses[subject->index]);
    if (itf == NULL)
        return 0;
    bool is_late_bound = subject->view == TYPE_VIEW_DISPATCH ||
                         marshal_interface_has_base(subject->itf, &IID_IDispatch);
    if (is_late_bound)
        flags |= TYPEFLAG_FDISPATCHABLE;
    if (itf->flags & VIA_INTERFACE_DUAL)
        flags |= TYPEFLAG_FDUAL;
    bool is_automation = (itf->flags & (VIA_INTERFACE_DUAL | VIA_INTERFACE_OLEAUTOMATION)) != 0;
    if (is_automation && subject->view == TYPE_VIEW_INTERFACE)
        flags |= TYPEFLAG_FOLEAUTOMATION; /* of the slots, as Windows has it */
    if (itf->flags & VIA_INTERFACE_RESTRICTED)
        flags |= TYPEFLAG_FRESTRICTED;
    if (itf->flags & VIA_INTERFACE_HIDDEN)
        flags |= TYPEFLAG_FHIDDEN;
    if (itf->flags & VIA_INTERFACE_NONEXTENSIBLE)
        flags |= TYPEFLAG_FNONEXTENSIBLE;
    return flags;
}

static void set_size(const struct type_subject *subject, TYPEATTR *attr)
{
    struct typelib_layout layout = {sizeof(void *), _Alignof(void *)};
    if (subject->view == TYPE_VIEW_ENUM)
        layout = (struct typelib_layout){4, 4};
    else if (subject->view == TYPE_VIEW_STRUCT)
        layout = typelib_struct_layout(subject->lib, subject->index);
    else if (subject->view == TYPE_VIEW_UNION)
        layout = typelib_union_layout(subject->lib, subject->index);
    else if (subject->view == TYPE_VIEW_ALIAS)
        layout = typelib_layout(subject->lib, subject->lib->aliases[subject->index].type);
    attr->cbSizeInstance = layout.size;
    attr->cbAlignment = (WORD)layout.alignment;
}

/* Of what late-bound callers see the vtable is IDispatch's. */
static WORD vtable_size(const struct type_subject *subject)
{
    if (subject->view == TYPE_VIEW_DISPATCH)
        return sizeof(IDispatchVtbl);
    if (subject->view != TYPE_VIEW_INTERFACE)
        return 0;
    if (subject->itf != NULL)
        return (WORD)(subject->itf->n_slots * sizeof(void *));
    return IsEqualGUID(&subject->lib->interfaces[subject->index].iid, &IID_IDispatch)
               ? sizeof(IDispatchVtbl)
               : sizeof(IUnknownVtbl);
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetTypeAttr(ITypeInfo *iface, TYPEATTR **result)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    if (result == NULL)
        return E_INVALIDARG;
    struct type_block block;
    uint16_t meaning = subject->view == TYPE_VIEW_ALIAS ? subject->lib->aliases[subject->index].type
                                                        : VIA_NO_INDEX;
    size_t extra = type_desc_extra(subject->lib, meaning, false);
    TYPEATTR *attr = type_block_new(&block, sizeof *attr, extra);
    *result = attr;
    if (attr == NULL)
        return E_OUTOFMEMORY;
    if (meaning != VIA_NO_INDEX)
        type_desc_make(subject, subject->lib, meaning, false, &block, &attr->tdescAlias);
    attr->guid = type_subject_guid(subject);
    attr->memidConstructor = MEMBERID_NIL;
    attr->memidDestructor = MEMBERID_NIL;
    attr->typekind = type_subject_kind(subject);
    attr->cFuncs = (WORD)functions_count(subject);
    attr->cVars = (WORD)variables_count(subject);
    attr->cImplTypes = (WORD)type_impls_count(subject);
    attr->cbSizeVft = vtable_size(subject);
    attr->wTypeFlags = type_flags(subject);
    if (subject->view == TYPE_VIEW_COCLASS) {
        attr->wMajorVerNum = subject->lib->version_major;
        attr->wMinorVerNum = subject->lib->version_minor;
    }
    set_size(subject, attr);
    return S_OK;
}

static void STDMETHODCALLTYPE TypeInfo_ReleaseTypeAttr(ITypeInfo *iface, TYPEATTR *attr)
{
    (void)iface;
    free(attr);
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetTypeComp(ITypeInfo *iface, ITypeComp **comp)
{
    if (comp == NULL)
        return E_INVALIDARG;
    return TypeInfo_QueryInterface(iface, &IID_ITypeComp, (void **)comp);
}

/* --- functions and variables --- */

static HRESULT STDMETHODCALLTYPE TypeInfo_GetFuncDesc(ITypeInfo *iface, UINT index, FUNCDESC **desc)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    struct type_function function;
    if (desc == NULL)
        return E_INVALIDARG;
    *desc = NULL;
    if (!functions_at(subject, index, &function))
        return TYPE_E_ELEMENTNOTFOUND;
    *desc = function_describe(subject, &function);
    return *desc != NULL ? S_OK : E_OUTOFMEMORY;
}

static void STDMETHODCALLTYPE TypeInfo_ReleaseFuncDesc(ITypeInfo *iface, FUNCDESC *desc)
{
    (void)iface;
    function_free(desc);
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetVarDesc(ITypeInfo *iface, UINT index, VARDESC **desc)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    if (desc == NULL)
        return E_INVALIDARG;
    *desc = NULL;
    if (index >= variables_count(subject))
        return TYPE_E_ELEMENTNOTFOUND;
    *desc = variable_describe(subject, index);
    return *desc != NULL ? S_OK : E_OUTOFMEMORY;
}

static void STDMETHODCALLTYPE TypeInfo_ReleaseVarDesc(ITypeInfo *iface, VARDESC *desc)
{
    (void)iface;
    free(desc);
}

/* In the interface or a base of it; *owner becomes the one that has it. */
static bool find_function(struct type_subject *owner, MEMBERID id, struct type_function *function)
{
    HREFTYPE ref;
    struct type_subject base;
    while (!functions_with_id(owner, id, function)) {
        if (owner->view != TYPE_VIEW_INTERFACE || FAILED(type_impl_at(owner, 0, &ref)) ||
            FAILED(type_ref_find(owner, ref, &base)))
            return false;
        *owner = base;
    }
    return true;
}

static HRESULT give_name(const char *name, BSTR *text)
{
    *text = type_text(name);
    return *text != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetNames(ITypeInfo *iface, MEMBERID id, BSTR *names,
                                                   UINT max, UINT *n)
{
    struct type_subject owner = info_from_ITypeInfo(iface)->subject;
    struct type_function function;
    HRESULT hr = S_OK;
    if (names == NULL || n == NULL)
        return E_INVALIDARG;
    *n = 0;
    int variable = variables_with_id(&owner, id);
    bool is_function = variable < 0 && find_function(&owner, id, &function);
    if (variable < 0 && !is_function)
        return TYPE_E_ELEMENTNOTFOUND;
    UINT n_names = is_function ? 1 + function_n_params(&owner, &function) : 1;
    for (UINT i = 0; i < n_names && i < max && SUCCEEDED(hr); i++) {
        const char *name = !is_function ? variable_name(&owner, (UINT)variable)
                           : i == 0     ? function_name(&function)
                                        : function_param_name(&function, i - 1);
        hr = give_name(name, &names[i]);
        *n += SUCCEEDED(hr);
    }
    while (FAILED(hr) && *n > 0)
        SysFreeString(names[--*n]);
    return hr;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetDocumentation(ITypeInfo *iface, MEMBERID id,
                                                           BSTR *name, BSTR *doc,
                                                           DWORD *help_context, BSTR *help_file)
{
    struct type_subject owner = info_from_ITypeInfo(iface)->subject;
    struct type_function function;
    const char *text, *help = NULL;
    int variable = variables_with_id(&owner, id);
    if (id == MEMBERID_NIL) {
        text = type_subject_name(&owner);
        help = type_subject_help(&owner);
    } else if (variable >= 0) {
        text = variable_name(&owner, (UINT)variable);
    } else if (find_function(&owner, id, &function)) {
        text = function_name(&function);
        help = function_help(&function);
    } else {
        return TYPE_E_ELEMENTNOTFOUND;
    }
    return type_documentation(text, help, name, doc, help_context, help_file);
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetMops(ITypeInfo *iface, MEMBERID id, BSTR *mops)
{
    (void)iface, (void)id;
    if (mops != NULL)
        *mops = NULL;
    return S_OK;
}

/* --- other types --- */

static HRESULT STDMETHODCALLTYPE TypeInfo_GetRefTypeOfImplType(ITypeInfo *iface, UINT index,
                                                               HREFTYPE *ref)
{
    if (ref == NULL)
        return E_INVALIDARG;
    return type_impl_at(&info_from_ITypeInfo(iface)->subject, index, ref);
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetImplTypeFlags(ITypeInfo *iface, UINT index, INT *flags)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    if (flags == NULL)
        return E_INVALIDARG;
    *flags = 0;
    if (index >= type_impls_count(subject))
        return TYPE_E_ELEMENTNOTFOUND;
    if (subject->view != TYPE_VIEW_COCLASS)
        return S_OK;
    uint16_t own = subject->lib->coclasses[subject->index].interfaces[index].flags;
    if (own & VIA_COCLASS_DEFAULT)
        *flags |= IMPLTYPEFLAG_FDEFAULT;
    if (own & VIA_COCLASS_SOURCE)
        *flags |= IMPLTYPEFLAG_FSOURCE;
    if (own & VIA_COCLASS_RESTRICTED)
        *flags |= IMPLTYPEFLAG_FRESTRICTED;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetRefTypeInfo(ITypeInfo *iface, HREFTYPE ref,
                                                         ITypeInfo **info)
{
    struct type_subject subject;
    if (info == NULL)
        return E_INVALIDARG;
    *info = NULL;
    HRESULT hr = type_ref_find(&info_from_ITypeInfo(iface)->subject, ref, &subject);
    return SUCCEEDED(hr) ? type_info_new(&subject, info) : hr;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetContainingTypeLib(ITypeInfo *iface, ITypeLib **lib,
                                                               UINT *index)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    if (index != NULL)
        *index = type_subject_place(subject);
    return lib != NULL ? type_library_new(subject->lib, lib) : S_OK;
}

/* --- what modules have, and nothing here --- */

static HRESULT STDMETHODCALLTYPE TypeInfo_GetDllEntry(ITypeInfo *iface, MEMBERID id,
                                                      INVOKEKIND kind, BSTR *dll, BSTR *name,
                                                      WORD *ordinal)
{
    (void)iface, (void)id, (void)kind;
    if (dll != NULL)
        *dll = NULL;
    if (name != NULL)
        *name = NULL;
    if (ordinal != NULL)
        *ordinal = 0;
    return TYPE_E_BADMODULEKIND;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_AddressOfMember(ITypeInfo *iface, MEMBERID id,
                                                          INVOKEKIND kind, PVOID *address)
{
    (void)iface, (void)id, (void)kind;
    if (address != NULL)
        *address = NULL;
    return TYPE_E_BADMODULEKIND;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_CreateInstance(ITypeInfo *iface, IUnknown *outer,
                                                         REFIID iid, PVOID *object)
{
    const struct type_subject *subject = &info_from_ITypeInfo(iface)->subject;
    (void)outer, (void)iid;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (subject->view != TYPE_VIEW_COCLASS)
        return TYPE_E_WRONGTYPEKIND;
    HRESULT hr = error_set(E_NOTIMPL,
                           "a description of class %s makes no objects: call "
                           "via_create_instance()",
                           type_subject_name(subject));
    error_border_publish(hr);
    return hr;
}

/* --- late binding --- */

/* Names and members of a class are those of its default interface. */
static HRESULT called_subject(const struct type_info *self, struct type_subject *subject)
{
    HREFTYPE ref;
    *subject = self->subject;
    if (subject->view != TYPE_VIEW_COCLASS)
        return S_OK;
    const struct via_coclass *coclass = &subject->lib->coclasses[subject->index];
    uint16_t index = typelib_default_interface(subject->lib, coclass);
    if (index == VIA_NO_INDEX)
        return TYPE_E_ELEMENTNOTFOUND;
    ref = type_ref_of_interface(&self->subject, subject->lib, index);
    return type_ref_find(&self->subject, ref, subject);
}

/* The member that the name means, as IDispatch::GetIDsOfNames() of the object has it. */
static bool find_named(const struct type_subject *subject, const char *name,
                       struct type_function *function)
{
    const struct marshal_method *method =
        subject->itf != NULL ? members_named(subject->itf, name, 0) : NULL;
    if (method == NULL)
        return functions_with_name(subject, name, 0, function);
    *function =
        (struct type_function){.method = method, .slot = method->slot, .id = members_id(method)};
    return true;
}

static HRESULT find_param(const struct type_subject *subject, const struct type_function *function,
                          LPOLESTR name, MEMBERID *id)
{
    CLEANUP(cleanup_free)
    char *text = name != NULL ? utf_from_wide(name, utf16_length(name)) : NULL;
    unsigned n = function_n_params(subject, function);
    for (unsigned i = 0; text != NULL && i < n; i++) {
        if (strcasecmp(function_param_name(function, i), text))
            continue;
        *id = (MEMBERID)i;
        return S_OK;
    }
    return error_set(DISP_E_UNKNOWNNAME, "%s has no parameter %s", function_name(function),
                     text != NULL ? text : "(NULL)");
}

static HRESULT get_ids(const struct type_info *self, LPOLESTR *names, UINT n, MEMBERID *ids)
{
    struct type_subject subject;
    struct type_function function;
    CLEANUP(cleanup_free)
    char *name = names[0] != NULL ? utf_from_wide(names[0], utf16_length(names[0])) : NULL;
    HRESULT hr = called_subject(self, &subject);
    if (FAILED(hr))
        return hr;
    int variable = name != NULL ? variables_with_name(&subject, name) : -1;
    if (variable >= 0) {
        ids[0] = variable_id((UINT)variable);
        return n == 1 ? S_OK : DISP_E_UNKNOWNNAME;
    }
    if (name == NULL || !find_named(&subject, name, &function))
        return error_set(DISP_E_UNKNOWNNAME, "%s has no member %s", type_subject_name(&subject),
                         name != NULL ? name : "(NULL)");
    ids[0] = function.id;
    for (UINT i = 1; i < n; i++) {
        HRESULT found = find_param(&subject, &function, names[i], &ids[i]);
        hr = FAILED(found) ? found : hr;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_GetIDsOfNames(ITypeInfo *iface, LPOLESTR *names, UINT n,
                                                        MEMBERID *ids)
{
    if (names == NULL || ids == NULL || n == 0)
        return E_INVALIDARG;
    for (UINT i = 0; i < n; i++)
        ids[i] = MEMBERID_NIL;
    HRESULT hr = get_ids(info_from_ITypeInfo(iface), names, n, ids);
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}

static HRESULT call_instance(void *instance, const struct marshal_method *method,
                             const struct via_value *in, struct via_value *out, bool *is_called)
{
    struct marshal_invocation *invocation;
    *is_called = false;
    HRESULT hr = marshal_values_to_invocation(method, in, &invocation);
    if (FAILED(hr))
        return hr;
    *is_called = true;
    error_border_clear();
    hr = marshal_run_values(invocation, instance, out);
    marshal_invocation_free(invocation);
    return hr;
}

/* What has no vtable of its own is called by IDispatch: a dispinterface is one itself. */
static HRESULT invoke_dispatch(const struct type_subject *subject, IUnknown *instance, MEMBERID id,
                               WORD flags, DISPPARAMS *params, VARIANT *result,
                               EXCEPINFO *exception, UINT *wrong)
{
    static const GUID none;
    void *dispatch;
    bool is_own = (type_subject_interface(subject)->flags & VIA_INTERFACE_DISPINTERFACE) != 0;
    GUID iid = is_own ? type_subject_guid(subject) : IID_IDispatch;
    HRESULT hr = IUnknown_QueryInterface(instance, &iid, &dispatch);
    if (FAILED(hr))
        return hr;
    hr = IDispatch_Invoke((IDispatch *)dispatch, id, (REFIID)&none, 0, flags, params, result,
                          exception, wrong);
    IDispatch_Release((IDispatch *)dispatch);
    return hr;
}

static HRESULT STDMETHODCALLTYPE TypeInfo_Invoke(ITypeInfo *iface, PVOID instance, MEMBERID id,
                                                 WORD flags, DISPPARAMS *params, VARIANT *result,
                                                 EXCEPINFO *exception, UINT *wrong)
{
    struct type_subject subject;
    if (instance == NULL)
        return E_INVALIDARG;
    HRESULT hr = called_subject(info_from_ITypeInfo(iface), &subject);
    if (SUCCEEDED(hr) && subject.itf == NULL)
        hr = error_set(DISP_E_MEMBERNOTFOUND, "%s has no members to call",
                       type_subject_name(&subject));
    if (SUCCEEDED(hr))
        hr = dispatch_check_params(NULL, params);
    bool is_plain = subject.view == TYPE_VIEW_DISPATCH && !type_subject_is_dual(&subject);
    if (SUCCEEDED(hr) && is_plain)
        return invoke_dispatch(&subject, instance, id, flags, params, result, exception, wrong);
    struct dispatch_target target = {
        .itf = subject.itf, .call = call_instance, .context = instance};
    if (SUCCEEDED(hr))
        hr = dispatch_invoke(&target, id, flags, params, result, exception, wrong);
    if (FAILED(hr) && hr != DISP_E_EXCEPTION)
        error_border_publish(hr);
    return hr;
}

static const ITypeInfoVtbl type_info_vtbl = {
    TypeInfo_QueryInterface,       TypeInfo_AddRef,          TypeInfo_Release,
    TypeInfo_GetTypeAttr,          TypeInfo_GetTypeComp,     TypeInfo_GetFuncDesc,
    TypeInfo_GetVarDesc,           TypeInfo_GetNames,        TypeInfo_GetRefTypeOfImplType,
    TypeInfo_GetImplTypeFlags,     TypeInfo_GetIDsOfNames,   TypeInfo_Invoke,
    TypeInfo_GetDocumentation,     TypeInfo_GetDllEntry,     TypeInfo_GetRefTypeInfo,
    TypeInfo_AddressOfMember,      TypeInfo_CreateInstance,  TypeInfo_GetMops,
    TypeInfo_GetContainingTypeLib, TypeInfo_ReleaseTypeAttr, TypeInfo_ReleaseFuncDesc,
    TypeInfo_ReleaseVarDesc};

HRESULT type_info_new(const struct type_subject *subject, ITypeInfo **info)
{
    struct type_info *self = calloc(1, sizeof *self);
    *info = NULL;
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a type information");
    self->ITypeInfo_iface.lpVtbl = (void *)&type_info_vtbl;
    self->ITypeComp_iface.lpVtbl = (void *)&type_info_comp_vtbl;
    ref_init(&self->refs);
    self->subject = *subject;
    *info = &self->ITypeInfo_iface;
    return S_OK;
}

HRESULT type_info_of_dispatch(const struct marshal_interface *itf, ITypeInfo **info)
{
    struct type_subject subject;
    type_subject_of_interface(itf, true, &subject);
    return type_info_new(&subject, info);
}

HRESULT via_type_info(REFIID iid, ITypeInfo **info)
{
    struct type_subject subject;
    *info = NULL;
    HRESULT hr = type_subject_of_iid(iid, &subject);
    if (SUCCEEDED(hr))
        hr = type_info_new(&subject, info);
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}
