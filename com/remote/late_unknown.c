#include "com/remote/late_unknown.h"

#include "com/dispatch/arguments.h"
#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/marshal/marshal.h"
#include "com/remote/runtime.h"
#include "com/typelib/builtin.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* The signature for that many arguments and results. */
static HRESULT find_signature(const struct via_argument *list, size_t n, uint32_t form,
                              const struct marshal_method **method)
{
    unsigned n_in = 0;
    unsigned n_results = 0;
    for (size_t i = 1; i < n; i++) {
        bool is_result = argument_is_result(&list[i]);
        n_in += !is_result;
        n_results += is_result;
        if (list[i].name != NULL)
            return error_set(
                DISP_E_NONAMEDARGS,
                "%s: nobody describes the member, so that its parameters have no names",
                list[0].as.text);
    }
    bool is_put = form == VIA_LATE_PUT;
    if (n_in > BUILTIN_MEMBERS_MAX || n_results > (is_put ? 0u : 1u) || (is_put && n_in == 0))
        return error_set(DISP_E_BADPARAMCOUNT,
                         "%s: nobody describes the member; it can have %u arguments, and %s",
                         list[0].as.text, BUILTIN_MEMBERS_MAX,
                         is_put ? "the last one is the new value" : "one pointer for its result");
    const struct marshal_interface *members = marshal_interface_find(&builtin_iid_members);
    if (members == NULL)
        return error_get()->code;
    *method = members_at(members, is_put           ? BUILTIN_MEMBER_PUT(n_in)
                                  : n_results != 0 ? BUILTIN_MEMBER_GIVE(n_in)
                                                   : BUILTIN_MEMBER_DO(n_in));
    return S_OK;
}

static HRESULT find_member(IDispatch *dispatch, const char *name, uint32_t form,
                           struct dispatch_member *member)
{
    static const WORD forms[] = {DISPATCH_METHOD | DISPATCH_PROPERTYGET, DISPATCH_PROPERTYGET,
                                 DISPATCH_PROPERTYPUT};
    static const GUID none = {0};
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(name);
    if (wide == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a name");
    LPOLESTR names[] = {wide};
    member->owner = NULL;
    member->name = name;
    member->form = forms[form];
    HRESULT hr = IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 1, 0, &member->id);
    return FAILED(hr) ? error_set(hr, "the object has no member %s", name) : S_OK;
}

static HRESULT call(IDispatch *dispatch, const struct dispatch_member *member,
                    const struct arguments *arguments, bool *is_called)
{
    struct via_value in = {0};
    struct via_value out = {0};
    HRESULT hr = arguments_to_values(arguments, &in);
    if (SUCCEEDED(hr))
        hr = dispatch_pass_on_as(dispatch, member, arguments->method, &in, &out, is_called);
    if (SUCCEEDED(hr)) {
        HRESULT given = arguments_from_values(arguments, &out);
        *is_called &= SUCCEEDED(given);
        hr = FAILED(given) ? given : hr;
    }
    via_value_clear(&in);
    via_value_clear(&out);
    return hr;
}

HRESULT late_unknown_invoke(IUnknown *object, uint32_t form, const struct via_argument *list,
                            size_t n)
{
    const struct marshal_method *method = NULL;
    struct arguments arguments;
    struct dispatch_member member;
    bool is_called = false;
    void *pointer = NULL;
    HRESULT hr = object->lpVtbl->QueryInterface(object, &IID_IDispatch, &pointer);
    if (FAILED(hr))
        return hr;
    IDispatch *dispatch = pointer;
    hr = find_signature(list, n, form, &method);
    if (SUCCEEDED(hr))
        hr = find_member(dispatch, list[0].as.text, form, &member);
    if (SUCCEEDED(hr))
        hr = arguments_match(&arguments, method, list + 1, n - 1);
    arguments_clear_results(SUCCEEDED(hr) ? &arguments : NULL, list + 1, n - 1);
    if (SUCCEEDED(hr))
        hr = call(dispatch, &member, &arguments, &is_called);
    IDispatch_Release(dispatch);
    return is_called ? hr : runtime_publish(hr);
}
