/*
 * What late-bound callers ask of an object, from another process: what interfaces it has, and its
 * own IDispatch. DISPPARAMS, EXCEPINFO and VARIANTs that refer to something have no wire form of
 * their own, so it is INodeDispatch that travels: the owner's runtime answers it with a stub beside
 * the object, in the object's context.
 */
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/dispatch/exception.h"
#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/late.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"
#include "core/util/ref.h"

/* --- the owner's side --- */

/* Read-only but for the count. */
struct late_stub {
    INodeDispatch INodeDispatch_iface;
    struct ref refs;
    IUnknown *object; /* the export's, which holds it longer */
};

static struct late_stub *stub_from_INodeDispatch(INodeDispatch *iface)
{
    return (struct late_stub *)(void *)iface;
}

/* Only the export calls it, which knows what it is. */
static HRESULT STDMETHODCALLTYPE stub_QueryInterface(INodeDispatch *iface, REFIID iid,
                                                     void **object)
{
    (void)iface, (void)iid;
    *object = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE stub_AddRef(INodeDispatch *iface)
{
    return ref_inc(&stub_from_INodeDispatch(iface)->refs);
}

static ULONG STDMETHODCALLTYPE stub_Release(INodeDispatch *iface)
{
    struct late_stub *self = stub_from_INodeDispatch(iface);
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    free(self);
    return 0;
}

static HRESULT STDMETHODCALLTYPE stub_GetInterfaces(INodeDispatch *iface, ULONG *count, GUID **iids)
{
    *count = 0;
    *iids = NULL;
    return runtime_publish(interfaces_list(stub_from_INodeDispatch(iface)->object, iids, count));
}

/* E_NOTIMPL: the object has none. Nobody calls slots of IDispatch on an interface that has others.
 * What this process does not know may be a dispinterface; then the object's IDispatch has its
 * members. */
static HRESULT find_own(const struct late_stub *self, const GUID *iid, IDispatch **dispatch)
{
    const struct marshal_interface *itf =
        IsEqualGUID(iid, &IID_IDispatch) ? NULL : marshal_interface_find(iid);
    void *pointer = NULL;
    if (itf == NULL)
        error_clear();
    else if (!marshal_interface_has_base(itf, &IID_IDispatch))
        return error_set(E_INVALIDARG, "an interface that is no IDispatch is called as one");
    HRESULT hr =
        IUnknown_QueryInterface(self->object, itf != NULL ? iid : &IID_IDispatch, &pointer);
    *dispatch = pointer;
    return FAILED(hr) || pointer == NULL ? E_NOTIMPL : S_OK;
}

/* The elements of a one-dimensional array of elements of that size; NULL arrays have none. */
static HRESULT elements_of(SAFEARRAY *array, size_t size, void **elements, UINT *n)
{
    *elements = NULL;
    *n = 0;
    if (array == NULL)
        return S_OK;
    if (array->cDims != 1 || array->cbElements != size)
        return error_set(E_INVALIDARG, "a list has one dimension");
    *elements = array->pvData;
    *n = array->rgsabound[0].cElements;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE stub_GetIDs(INodeDispatch *iface, const GUID *iid,
                                             SAFEARRAY *names, ULONG lcid, SAFEARRAY **ids,
                                             LONG *result)
{
    static const GUID none = {0};
    IDispatch *dispatch;
    void *list;
    UINT n;
    *ids = NULL;
    *result = E_NOTIMPL;
    HRESULT hr = elements_of(names, sizeof(BSTR), &list, &n);
    if (FAILED(hr))
        return runtime_publish(hr);
    BSTR *texts = list;
    for (UINT i = 0; i < n; i++)
        if (texts[i] == NULL)
            return E_INVALIDARG;
    hr = find_own(stub_from_INodeDispatch(iface), iid, &dispatch);
    if (FAILED(hr))
        return hr == E_NOTIMPL ? S_OK : runtime_publish(hr);
    *ids = SafeArrayCreateVector(VT_I4, 0, n);
    if (*ids == NULL)
        hr = E_OUTOFMEMORY;
    else if (n > 0)
        *result = IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, texts, n, lcid, (*ids)->pvData);
    else
        *result = E_INVALIDARG;
    IDispatch_Release(dispatch);
    return hr;
}

static void give_failure(HRESULT code, EXCEPINFO *exception, UINT wrong,
                         struct DispatchFailure *failure)
{
    if (code != DISP_E_EXCEPTION)
        exception_clear(exception);
    failure->code = exception->scode;
    failure->number = exception->wCode;
    failure->wrongArgument = wrong;
    failure->source = exception->bstrSource;
    failure->description = exception->bstrDescription;
    failure->helpFile = exception->bstrHelpFile;
    failure->helpContext = exception->dwHelpContext;
}

static HRESULT STDMETHODCALLTYPE stub_Call(INodeDispatch *iface, const GUID *iid, LONG id,
                                           ULONG lcid, USHORT flags, SAFEARRAY **arguments,
                                           SAFEARRAY *names, VARIANT *result,
                                           struct DispatchFailure *failure, LONG *code)
{
    static const GUID none = {0};
    IDispatch *dispatch = NULL;
    DISPPARAMS params = {0};
    EXCEPINFO exception = {0};
    UINT wrong = 0;
    void *list;
    void *named;
    VariantInit(result);
    memset(failure, 0, sizeof *failure);
    *code = E_NOTIMPL;
    HRESULT hr = elements_of(*arguments, sizeof(VARIANT), &list, &params.cArgs);
    if (SUCCEEDED(hr))
        hr = elements_of(names, sizeof(DISPID), &named, &params.cNamedArgs);
    if (SUCCEEDED(hr) && params.cNamedArgs > params.cArgs)
        hr = error_set(E_INVALIDARG, "more arguments have names than there are");
    if (SUCCEEDED(hr))
        hr = find_own(stub_from_INodeDispatch(iface), iid, &dispatch);
    if (FAILED(hr))
        return hr == E_NOTIMPL ? S_OK : runtime_publish(hr);
    params.rgvarg = list;
    params.rgdispidNamedArgs = named;
    *code = IDispatch_Invoke(dispatch, id, (REFIID)&none, lcid, flags, &params, result, &exception,
                             &wrong);
    if (*code == DISP_E_EXCEPTION)
        exception_complete(dispatch, &exception);
    IDispatch_Release(dispatch);
    if (FAILED(*code))
        VariantClear(result);
    give_failure(*code, &exception, wrong, failure);
    return S_OK;
}

static const INodeDispatchVtbl stub_vtable = {
    stub_QueryInterface, stub_AddRef, stub_Release, stub_GetInterfaces, stub_GetIDs, stub_Call,
};

HRESULT late_stub_new(IUnknown *object, void **stub)
{
    struct late_stub *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an object's IDispatch");
    self->INodeDispatch_iface.lpVtbl = (void *)&stub_vtable;
    ref_init(&self->refs);
    self->object = object;
    *stub = self;
    return S_OK;
}

/* --- the caller's side --- */

static HRESULT find_remote(struct import *import, INodeDispatch **remote)
{
    struct face *face;
    HRESULT hr = import_face(import, &IID_INodeDispatch, &face);
    if (SUCCEEDED(hr))
        *remote = (INodeDispatch *)(void *)face;
    return hr;
}

static SAFEARRAY *array_of_names(LPOLESTR *names, UINT n)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_BSTR, 0, n);
    for (UINT i = 0; array != NULL && i < n; i++) {
        BSTR copy = SysAllocString(names[i]);
        ((BSTR *)array->pvData)[i] = copy;
        if (copy == NULL) {
            SafeArrayDestroy(array);
            return NULL;
        }
    }
    return array;
}

HRESULT late_remote_get_ids(struct import *import, const GUID *iid, LPOLESTR *names, UINT n_names,
                            LCID lcid, DISPID *ids)
{
    INodeDispatch *remote;
    LONG result = S_OK;
    SAFEARRAY *found = NULL;
    HRESULT hr = find_remote(import, &remote);
    if (FAILED(hr))
        return hr;
    SAFEARRAY *array = array_of_names(names, n_names);
    if (array == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for names, or one is NULL");
    hr = INodeDispatch_GetIDs(remote, iid, array, lcid, &found, &result);
    SafeArrayDestroy(array);
    if (FAILED(hr))
        return hr;
    bool fits = found != NULL && found->cDims == 1 && found->cbElements == sizeof(DISPID) &&
                found->rgsabound[0].cElements == n_names;
    if (fits)
        memcpy(ids, found->pvData, n_names * sizeof *ids);
    SafeArrayDestroy(found);
    if (!fits)
        return error_set(RPC_E_INVALID_DATA, "the object's owner answers other names");
    return FAILED(result) ? error_set(result, "the object's own IDispatch does not know the name")
                          : result;
}

/* Shallow copies: nothing in them is freed here, and references stay references. */
static SAFEARRAY *array_of_arguments(const DISPPARAMS *params)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_VARIANT, 0, params->cArgs);
    VARIANT *elements = array != NULL ? array->pvData : NULL;
    HRESULT hr = S_OK;
    for (UINT i = 0; array != NULL && i < params->cArgs && SUCCEEDED(hr); i++)
        hr = VariantCopy(&elements[i], &params->rgvarg[i]);
    if (SUCCEEDED(hr))
        return array;
    SafeArrayDestroy(array);
    return NULL;
}

/* What the method left in arguments that refer to something goes there. */
static HRESULT take_back(const DISPPARAMS *params, SAFEARRAY *array, UINT *wrong)
{
    bool fits = array != NULL && array->cDims == 1 && array->cbElements == sizeof(VARIANT) &&
                array->rgsabound[0].cElements == params->cArgs;
    VARIANT *elements = fits ? array->pvData : NULL;
    if (!fits)
        return params->cArgs == 0 ? S_OK
                                  : error_set(RPC_E_INVALID_DATA, "other arguments come back");
    for (UINT i = 0; i < params->cArgs; i++) {
        VARIANT value;
        if (!V_ISBYREF(&params->rgvarg[i]))
            continue;
        VariantInit(&value);
        HRESULT hr = VariantCopyInd(&value, &elements[i]);
        if (SUCCEEDED(hr))
            hr = marshal_replace_variant(&params->rgvarg[i], &value);
        VariantClear(&value);
        if (FAILED(hr) && wrong != NULL)
            *wrong = i;
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static void take_failure(struct DispatchFailure *failure, EXCEPINFO *exception)
{
    EXCEPINFO all = {.wCode = failure->number,
                     .bstrSource = failure->source,
                     .bstrDescription = failure->description,
                     .bstrHelpFile = failure->helpFile,
                     .dwHelpContext = failure->helpContext,
                     .scode = failure->code};
    if (exception != NULL)
        *exception = all;
    else
        exception_raise(DISP_E_EXCEPTION, &all);
}

HRESULT late_remote_invoke(struct import *import, const GUID *iid, DISPID id, LCID lcid, WORD flags,
                           DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception, UINT *wrong)
{
    INodeDispatch *remote;
    struct DispatchFailure failure = {0};
    LONG code = S_OK;
    VARIANT value;
    if (result != NULL)
        VariantInit(result);
    HRESULT hr = find_remote(import, &remote);
    if (FAILED(hr))
        return hr;
    SAFEARRAY *arguments = array_of_arguments(params);
    SAFEARRAY *names = SafeArrayCreateVector(VT_I4, 0, params->cNamedArgs);
    VariantInit(&value);
    if (arguments != NULL && names != NULL) {
        if (params->cNamedArgs > 0)
            memcpy(names->pvData, params->rgdispidNamedArgs, params->cNamedArgs * sizeof(DISPID));
        hr = INodeDispatch_Call(remote, iid, id, lcid, flags, &arguments, names, &value, &failure,
                                &code);
    } else {
        hr = error_set(E_OUTOFMEMORY, "no memory for the arguments of a late-bound call");
    }
    SafeArrayDestroy(names);
    if (SUCCEEDED(hr))
        hr = take_back(params, arguments, wrong);
    SafeArrayDestroy(arguments);
    if (FAILED(hr) || result == NULL)
        VariantClear(&value);
    else
        *result = value;
    if (FAILED(hr))
        return hr;
    if (FAILED(code) && wrong != NULL)
        *wrong = failure.wrongArgument;
    if (code == DISP_E_EXCEPTION)
        take_failure(&failure, exception);
    return FAILED(code) && code != DISP_E_EXCEPTION
               ? error_set(code, "the object's own IDispatch refuses the call")
               : code;
}
