/*
 * The thread's error information where the system has none. One object implements both interfaces,
 * as Windows' own does.
 */
#include "core/util/list.h"
#include "core/util/ref.h"

#include <pthread.h>
#include <stdlib.h>
#include <viaduct/com.h>

struct error_info {
    IErrorInfo IErrorInfo_iface;
    ICreateErrorInfo ICreateErrorInfo_iface;
    struct ref refs;
    /* Set before the object is shared, as COM's rules have it. */
    GUID iid;
    BSTR source;
    BSTR description;
    BSTR help_file;
    DWORD help_context;
};

static struct error_info *info_from_IErrorInfo(IErrorInfo *iface)
{
    return list_entry(iface, struct error_info, IErrorInfo_iface);
}

static struct error_info *info_from_ICreateErrorInfo(ICreateErrorInfo *iface)
{
    return list_entry(iface, struct error_info, ICreateErrorInfo_iface);
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_QueryInterface(IErrorInfo *iface, REFIID iid,
                                                          void **object)
{
    struct error_info *self = info_from_IErrorInfo(iface);
    if (!object)
        return E_POINTER;
    *object = NULL;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IErrorInfo))
        *object = &self->IErrorInfo_iface;
    else if (IsEqualGUID(iid, &IID_ICreateErrorInfo))
        *object = &self->ICreateErrorInfo_iface;
    else
        return E_NOINTERFACE;
    ref_inc(&self->refs);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE ErrorInfo_AddRef(IErrorInfo *iface)
{
    return ref_inc(&info_from_IErrorInfo(iface)->refs);
}

static ULONG STDMETHODCALLTYPE ErrorInfo_Release(IErrorInfo *iface)
{
    struct error_info *self = info_from_IErrorInfo(iface);
    ULONG left = ref_dec(&self->refs);
    if (left == 0) {
        SysFreeString(self->source);
        SysFreeString(self->description);
        SysFreeString(self->help_file);
        free(self);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_GetGUID(IErrorInfo *iface, GUID *iid)
{
    *iid = info_from_IErrorInfo(iface)->iid;
    return S_OK;
}

static HRESULT copy_out(BSTR from, BSTR *to)
{
    *to = from ? SysAllocStringLen(from, SysStringLen(from)) : NULL;
    return from && !*to ? E_OUTOFMEMORY : S_OK;
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_GetSource(IErrorInfo *iface, BSTR *source)
{
    return copy_out(info_from_IErrorInfo(iface)->source, source);
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_GetDescription(IErrorInfo *iface, BSTR *description)
{
    return copy_out(info_from_IErrorInfo(iface)->description, description);
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_GetHelpFile(IErrorInfo *iface, BSTR *file)
{
    return copy_out(info_from_IErrorInfo(iface)->help_file, file);
}

static HRESULT STDMETHODCALLTYPE ErrorInfo_GetHelpContext(IErrorInfo *iface, DWORD *context)
{
    *context = info_from_IErrorInfo(iface)->help_context;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_QueryInterface(ICreateErrorInfo *iface, REFIID iid,
                                                                void **object)
{
    return ErrorInfo_QueryInterface(&info_from_ICreateErrorInfo(iface)->IErrorInfo_iface, iid,
                                    object);
}

static ULONG STDMETHODCALLTYPE CreateErrorInfo_AddRef(ICreateErrorInfo *iface)
{
    return ErrorInfo_AddRef(&info_from_ICreateErrorInfo(iface)->IErrorInfo_iface);
}

static ULONG STDMETHODCALLTYPE CreateErrorInfo_Release(ICreateErrorInfo *iface)
{
    return ErrorInfo_Release(&info_from_ICreateErrorInfo(iface)->IErrorInfo_iface);
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_SetGUID(ICreateErrorInfo *iface, REFGUID iid)
{
    info_from_ICreateErrorInfo(iface)->iid = *iid;
    return S_OK;
}

static HRESULT copy_in(LPCOLESTR from, BSTR *to)
{
    BSTR copy = from ? SysAllocString(from) : NULL;
    if (from && !copy)
        return E_OUTOFMEMORY;
    SysFreeString(*to);
    *to = copy;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_SetSource(ICreateErrorInfo *iface, LPOLESTR source)
{
    return copy_in(source, &info_from_ICreateErrorInfo(iface)->source);
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_SetDescription(ICreateErrorInfo *iface,
                                                                LPOLESTR text)
{
    return copy_in(text, &info_from_ICreateErrorInfo(iface)->description);
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_SetHelpFile(ICreateErrorInfo *iface, LPOLESTR file)
{
    return copy_in(file, &info_from_ICreateErrorInfo(iface)->help_file);
}

static HRESULT STDMETHODCALLTYPE CreateErrorInfo_SetHelpContext(ICreateErrorInfo *iface,
                                                                DWORD context)
{
    info_from_ICreateErrorInfo(iface)->help_context = context;
    return S_OK;
}

static const IErrorInfoVtbl error_info_vtbl = {ErrorInfo_QueryInterface, ErrorInfo_AddRef,
                                               ErrorInfo_Release,        ErrorInfo_GetGUID,
                                               ErrorInfo_GetSource,      ErrorInfo_GetDescription,
                                               ErrorInfo_GetHelpFile,    ErrorInfo_GetHelpContext};
static const ICreateErrorInfoVtbl create_error_info_vtbl = {
    CreateErrorInfo_QueryInterface, CreateErrorInfo_AddRef,        CreateErrorInfo_Release,
    CreateErrorInfo_SetGUID,        CreateErrorInfo_SetSource,     CreateErrorInfo_SetDescription,
    CreateErrorInfo_SetHelpFile,    CreateErrorInfo_SetHelpContext};

HRESULT CreateErrorInfo(ICreateErrorInfo **info)
{
    *info = NULL;
    struct error_info *self = calloc(1, sizeof(*self));
    if (!self)
        return E_OUTOFMEMORY;
    self->IErrorInfo_iface.lpVtbl = &error_info_vtbl;
    self->ICreateErrorInfo_iface.lpVtbl = &create_error_info_vtbl;
    ref_init(&self->refs);
    *info = &self->ICreateErrorInfo_iface;
    return S_OK;
}

static pthread_key_t thread_info_key;
static pthread_once_t thread_info_once = PTHREAD_ONCE_INIT;

static void release_at_exit(void *info)
{
    IErrorInfo_Release((IErrorInfo *)info);
}

static void make_key(void)
{
    if (pthread_key_create(&thread_info_key, release_at_exit))
        abort(); /* no key left: the process cannot even start up */
}

HRESULT SetErrorInfo(ULONG reserved, IErrorInfo *info)
{
    if (reserved)
        return E_INVALIDARG;
    pthread_once(&thread_info_once, make_key);
    IErrorInfo *old = pthread_getspecific(thread_info_key);
    if (!info && !old)
        return S_OK;
    if (info)
        IErrorInfo_AddRef(info);
    pthread_setspecific(thread_info_key, info);
    if (old)
        IErrorInfo_Release(old);
    return S_OK;
}

HRESULT GetErrorInfo(ULONG reserved, IErrorInfo **info)
{
    if (reserved || !info)
        return E_INVALIDARG;
    pthread_once(&thread_info_once, make_key);
    *info = pthread_getspecific(thread_info_key);
    pthread_setspecific(thread_info_key, NULL);
    return *info ? S_OK : S_FALSE;
}
