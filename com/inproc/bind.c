#include "com/inproc/bind.h"

#include <stdint.h>
#include <stdlib.h>
#include <viaduct/proxies.h>

#include <windows.h>

#include <oaidl.h>
#include <ocidl.h>

#include "com/inproc/errors.h"
#include "core/util/ref.h"

/* Of arguments of an event. */
#define MAX_ARGUMENTS 32u

const IID bind_iid = {0x63cdbcb0, 0xc1b1, 0x11d0, {0x93, 0x36, 0x00, 0xa0, 0xc9, 0x0d, 0xca, 0xa9}};

/* Only ever prepended to. */
struct handler {
    struct handler *next;
    BSTR name;
    DISPID id;           /* of the event, in its description */
    IDispatch *function; /* a reference */
};

/* Its thread's: the one that binds, which calls of events come to as well. */
struct bind_sink {
    IDispatch IDispatch_iface;
    struct ref refs;
    IID source;
    ITypeInfo *info;  /* of the source; a reference, or NULL: nobody describes it */
    bool is_dispatch; /* the source has members with ids, and no slots */
    struct handler *handlers;
};

static struct bind_sink *bind_sink_from_IDispatch(IDispatch *iface)
{
    return (struct bind_sink *)(void *)iface;
}

/* --- the sink --- */

static HRESULT STDMETHODCALLTYPE Sink_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    struct bind_sink *self = bind_sink_from_IDispatch(iface);
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IDispatch) &&
        !(self->is_dispatch && IsEqualGUID(iid, &self->source)))
        return E_NOINTERFACE;
    IDispatch_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Sink_AddRef(IDispatch *iface)
{
    return ref_inc(&bind_sink_from_IDispatch(iface)->refs);
}

static ULONG STDMETHODCALLTYPE Sink_Release(IDispatch *iface)
{
    struct bind_sink *self = bind_sink_from_IDispatch(iface);
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    while (self->handlers != NULL) {
        struct handler *handler = self->handlers;
        self->handlers = handler->next;
        IDispatch_Release(handler->function);
        SysFreeString(handler->name);
        free(handler);
    }
    if (self->info != NULL)
        ITypeInfo_Release(self->info);
    free(self);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

/* What has the same name, in whatever case, is the same event; the latest handler counts. */
static const struct handler *find_named(const struct bind_sink *self, const WCHAR *name)
{
    const struct handler *handler = self->handlers;
    while (handler != NULL && CompareStringOrdinal(handler->name, -1, name, -1, TRUE) != CSTR_EQUAL)
        handler = handler->next;
    return handler;
}

static HRESULT STDMETHODCALLTYPE Sink_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names,
                                                    UINT n_names, LCID lcid, DISPID *ids)
{
    (void)iid, (void)lcid;
    for (UINT i = 0; i < n_names; i++)
        ids[i] = DISPID_UNKNOWN;
    const struct handler *handler =
        n_names > 0 ? find_named(bind_sink_from_IDispatch(iface), names[0]) : NULL;
    if (handler == NULL)
        return DISP_E_UNKNOWNNAME;
    ids[0] = handler->id;
    return n_names == 1 ? S_OK : DISP_E_UNKNOWNNAME;
}

/* Script engines know numbers as 32 bits with a sign, and as doubles. VariantChangeType() makes a
 * negative one of 32 bits that are too many. */
static void make_plain(VARIANT *argument)
{
    VARTYPE vt = V_VT(argument);
    if (vt != VT_UI2 && vt != VT_UI4 && vt != VT_I1 && vt != VT_I8 && vt != VT_UI8)
        return;
    bool is_too_large = vt == VT_UI4 && V_UI4(argument) > INT32_MAX;
    if (is_too_large || FAILED(VariantChangeType(argument, argument, 0, VT_I4)))
        VariantChangeType(argument, argument, 0, VT_R8);
}

static HRESULT call(IDispatch *function, const DISPPARAMS *params, VARIANT *result,
                    EXCEPINFO *exception, UINT *wrong)
{
    VARIANT arguments[MAX_ARGUMENTS];
    DISPPARAMS plain = {.rgvarg = arguments, .cArgs = params->cArgs};
    static const GUID none;
    if (params->cArgs > MAX_ARGUMENTS)
        return DISP_E_BADPARAMCOUNT;
    HRESULT hr = S_OK;
    for (UINT i = 0; i < params->cArgs; i++) {
        VariantInit(&arguments[i]);
        if (SUCCEEDED(hr))
            hr = VariantCopyInd(&arguments[i], &params->rgvarg[i]);
        make_plain(&arguments[i]);
    }
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(function, DISPID_VALUE, &none, LOCALE_USER_DEFAULT, DISPATCH_METHOD,
                              &plain, result, exception, wrong);
    for (UINT i = 0; i < params->cArgs; i++)
        VariantClear(&arguments[i]);
    return hr;
}

/* An event that nobody has bound is none of an error. */
static HRESULT STDMETHODCALLTYPE Sink_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    const struct bind_sink *self = bind_sink_from_IDispatch(iface);
    const struct handler *handler = self->handlers;
    (void)iid, (void)lcid, (void)flags;
    while (handler != NULL && handler->id != id)
        handler = handler->next;
    return handler != NULL ? call(handler->function, params, result, exception, wrong) : S_OK;
}

static const IDispatchVtbl sink_vtable = {
    Sink_QueryInterface, Sink_AddRef,        Sink_Release, Sink_GetTypeInfoCount,
    Sink_GetTypeInfo,    Sink_GetIDsOfNames, Sink_Invoke,
};

/* --- what the events are --- */

/* The description of a class' interface `iid`, or NULL. */
static ITypeInfo *find_source(ITypeInfo *coclass, const IID *iid)
{
    TYPEATTR *attributes;
    if (FAILED(ITypeInfo_GetTypeAttr(coclass, &attributes)))
        return NULL;
    UINT n = attributes->cImplTypes;
    ITypeInfo_ReleaseTypeAttr(coclass, attributes);
    for (UINT i = 0; i < n; i++) {
        HREFTYPE reference;
        ITypeInfo *info;
        if (FAILED(ITypeInfo_GetRefTypeOfImplType(coclass, i, &reference)) ||
            FAILED(ITypeInfo_GetRefTypeInfo(coclass, reference, &info)))
            continue;
        bool is_it = SUCCEEDED(ITypeInfo_GetTypeAttr(info, &attributes));
        if (is_it) {
            is_it = IsEqualGUID(&attributes->guid, iid);
            ITypeInfo_ReleaseTypeAttr(info, attributes);
        }
        if (is_it)
            return info;
        ITypeInfo_Release(info);
    }
    return NULL;
}

static HRESULT describe_source(IUnknown *proxy, struct bind_sink *sink)
{
    IProvideClassInfo2 *provider;
    ITypeInfo *coclass;
    TYPEATTR *attributes;
    HRESULT hr = IUnknown_QueryInterface(proxy, &IID_IProvideClassInfo2, (void **)&provider);
    if (FAILED(hr))
        return hr;
    hr = IProvideClassInfo2_GetGUID(provider, GUIDKIND_DEFAULT_SOURCE_DISP_IID, &sink->source);
    if (SUCCEEDED(hr) && SUCCEEDED(IProvideClassInfo2_GetClassInfo(provider, &coclass))) {
        sink->info = find_source(coclass, &sink->source);
        ITypeInfo_Release(coclass);
    }
    IProvideClassInfo2_Release(provider);
    if (sink->info != NULL && SUCCEEDED(ITypeInfo_GetTypeAttr(sink->info, &attributes))) {
        sink->is_dispatch =
            attributes->typekind == TKIND_DISPATCH && !(attributes->wTypeFlags & TYPEFLAG_FDUAL);
        ITypeInfo_ReleaseTypeAttr(sink->info, attributes);
    }
    return hr;
}

static HRESULT advise(IUnknown *proxy, struct bind_data *data, struct bind_sink *sink)
{
    IConnectionPointContainer *container;
    HRESULT hr =
        IUnknown_QueryInterface(proxy, &IID_IConnectionPointContainer, (void **)&container);
    if (FAILED(hr))
        return hr;
    hr = IConnectionPointContainer_FindConnectionPoint(container, &sink->source, &data->point);
    IConnectionPointContainer_Release(container);
    if (FAILED(hr))
        return hr;
    hr = IConnectionPoint_Advise(data->point, (IUnknown *)(void *)sink, &data->cookie);
    if (FAILED(hr)) {
        IConnectionPoint_Release(data->point);
        data->point = NULL;
    }
    return hr;
}

static HRESULT listen(IUnknown *proxy, struct bind_data *data)
{
    struct bind_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return E_OUTOFMEMORY;
    sink->IDispatch_iface.lpVtbl = (IDispatchVtbl *)&sink_vtable;
    ref_init(&sink->refs);
    HRESULT hr = describe_source(proxy, sink);
    if (SUCCEEDED(hr))
        hr = advise(proxy, data, sink);
    if (SUCCEEDED(hr))
        data->sink = sink;
    else
        IDispatch_Release(&sink->IDispatch_iface);
    return hr;
}

/* --- IBindEventHandler --- */

static HRESULT id_of(const struct bind_sink *sink, LPCOLESTR event, DISPID *id)
{
    LPOLESTR name = (LPOLESTR)event;
    return sink->info != NULL ? ITypeInfo_GetIDsOfNames(sink->info, &name, 1, id)
                              : DISP_E_UNKNOWNNAME;
}

static HRESULT add(struct bind_sink *sink, LPCOLESTR event, DISPID id, IDispatch *function)
{
    struct handler *handler = calloc(1, sizeof *handler);
    if (handler == NULL || (handler->name = SysAllocString(event)) == NULL) {
        free(handler);
        return E_OUTOFMEMORY;
    }
    IDispatch_AddRef(function);
    handler->id = id;
    handler->function = function;
    handler->next = sink->handlers;
    sink->handlers = handler;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Bind_BindHandler(void *pointer, LPCOLESTR event,
                                                  IDispatch *function)
{
    struct bind_data *data = via_proxy_data(pointer);
    DISPID id;
    if (event == NULL || function == NULL)
        return E_POINTER;
    HRESULT hr = data->sink != NULL ? S_OK : listen(pointer, data);
    if (SUCCEEDED(hr))
        hr = id_of(data->sink, event, &id);
    if (SUCCEEDED(hr))
        hr = add(data->sink, event, id, function);
    return FAILED(hr) ? errors_explain(hr, "event %ls cannot be handled", event) : S_OK;
}

const void *const bind_slots[1] = {(const void *)(uintptr_t)Bind_BindHandler};

void bind_end(void *pointer)
{
    struct bind_data *data = pointer;
    if (data->point != NULL) {
        IConnectionPoint_Unadvise(data->point, data->cookie);
        IConnectionPoint_Release(data->point);
    }
    if (data->sink != NULL)
        IDispatch_Release(&data->sink->IDispatch_iface);
}
