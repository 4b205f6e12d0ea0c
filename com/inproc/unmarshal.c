/*
 * Neither the class object nor what it makes has a state: there is one of each for ever, and their
 * references count as the module's.
 */
#include "com/inproc/unmarshal.h"

#include <viaduct/proxies.h>

#include <windows.h>

#include <objbase.h>

#include "com/inproc/errors.h"
#include "com/inproc/factory.h"
#include "com/inproc/ids.h"
#include "com/inproc/module.h"
#include "com/inproc/order.h"

const CLSID unmarshal_clsid = INPROC_UNMARSHAL_CLSID;

bool unmarshal_is_registered(void)
{
    DWORD n_bytes = 0;
    return RegGetValueW(HKEY_CLASSES_ROOT, L"CLSID\\" INPROC_UNMARSHAL_TEXT L"\\InprocServer32",
                        NULL, RRF_RT_REG_SZ, NULL, NULL, &n_bytes) == ERROR_SUCCESS;
}

static HRESULT query(void *self, const IID *own, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, own))
        return E_NOINTERFACE;
    module_hold();
    *object = self;
    return S_OK;
}

/* --- the marshaler --- */

static HRESULT STDMETHODCALLTYPE Marshal_QueryInterface(IMarshal *iface, REFIID iid, void **object)
{
    return query(iface, &IID_IMarshal, iid, object);
}

static ULONG STDMETHODCALLTYPE Marshal_AddRef(IMarshal *iface)
{
    (void)iface;
    module_hold();
    return 2;
}

static ULONG STDMETHODCALLTYPE Marshal_Release(IMarshal *iface)
{
    (void)iface;
    module_release();
    return 1;
}

static HRESULT STDMETHODCALLTYPE Marshal_GetUnmarshalClass(IMarshal *iface, REFIID iid,
                                                           void *pointer, DWORD context,
                                                           void *reserved, DWORD flags,
                                                           CLSID *clsid)
{
    (void)iface, (void)iid, (void)pointer, (void)context, (void)reserved, (void)flags;
    *clsid = unmarshal_clsid;
    return S_OK;
}

/* Proxies write their packets themselves. */
static HRESULT STDMETHODCALLTYPE Marshal_GetMarshalSizeMax(IMarshal *iface, REFIID iid,
                                                           void *pointer, DWORD context,
                                                           void *reserved, DWORD flags, DWORD *size)
{
    (void)iface, (void)iid, (void)pointer, (void)context, (void)reserved, (void)flags;
    *size = 0;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Marshal_MarshalInterface(IMarshal *iface, IStream *stream,
                                                          REFIID iid, void *pointer, DWORD context,
                                                          void *reserved, DWORD flags)
{
    (void)iface, (void)stream, (void)iid, (void)pointer;
    (void)context, (void)reserved, (void)flags;
    return E_NOTIMPL;
}

/* S_FALSE: the stream has no order, and stands where it stood. */
static HRESULT read_order(IStream *stream, struct order_packet *order)
{
    ULONG n = 0;
    HRESULT hr = IStream_Read(stream, &order->kind, sizeof order->kind, &n);
    if (FAILED(hr))
        return hr;
    if (n != sizeof order->kind || order->kind != ORDER_CREATE) {
        LARGE_INTEGER back = {.QuadPart = -(LONGLONG)n};
        hr = IStream_Seek(stream, back, STREAM_SEEK_CUR, NULL);
        return FAILED(hr) ? hr : S_FALSE;
    }
    hr = IStream_Read(stream, &order->clsid, sizeof order->clsid, &n);
    if (FAILED(hr))
        return hr;
    return n == sizeof order->clsid ? S_OK : RPC_E_INVALID_DATA;
}

/* A class that nobody has registered here cannot be ordered: whoever has written the order can have
 * made no other object than the client itself could. */
static HRESULT carry_out(const struct order_packet *order, REFIID iid, void **object)
{
    IClassFactory *factory;
    HRESULT hr = factory_get(&order->clsid, &IID_IClassFactory, (void **)&factory);
    if (FAILED(hr))
        return errors_explain(hr, "what the local server creates is not registered here");
    hr = IClassFactory_CreateInstance(factory, NULL, iid, object);
    IClassFactory_Release(factory);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Marshal_UnmarshalInterface(IMarshal *iface, IStream *stream,
                                                            REFIID iid, void **object)
{
    struct order_packet order;
    (void)iface;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    HRESULT hr = read_order(stream, &order);
    if (hr != S_FALSE)
        return FAILED(hr) ? hr : carry_out(&order, iid, object);
    hr = module_enter();
    if (FAILED(hr))
        return errors_explain(hr, "Viaduct cannot start in this process");
    hr = via_read_packet(stream, iid, object);
    if (FAILED(hr))
        errors_explain(hr, "an object that another process has passed cannot be had");
    module_leave();
    return hr;
}

static HRESULT STDMETHODCALLTYPE Marshal_ReleaseMarshalData(IMarshal *iface, IStream *stream)
{
    struct order_packet order;
    (void)iface;
    HRESULT hr = read_order(stream, &order);
    if (hr != S_FALSE)
        return hr; /* an order that nobody takes has made nothing */
    hr = module_enter();
    if (FAILED(hr))
        return errors_explain(hr, "Viaduct cannot start in this process");
    hr = via_release_packet(stream);
    if (FAILED(hr))
        errors_explain(hr, "what was marshalled cannot be released");
    module_leave();
    return hr;
}

static HRESULT STDMETHODCALLTYPE Marshal_DisconnectObject(IMarshal *iface, DWORD reserved)
{
    (void)iface, (void)reserved;
    return S_OK;
}

static const IMarshalVtbl marshal_vtable = {
    Marshal_QueryInterface,
    Marshal_AddRef,
    Marshal_Release,
    Marshal_GetUnmarshalClass,
    Marshal_GetMarshalSizeMax,
    Marshal_MarshalInterface,
    Marshal_UnmarshalInterface,
    Marshal_ReleaseMarshalData,
    Marshal_DisconnectObject,
};

static IMarshal the_marshaler = {(IMarshalVtbl *)&marshal_vtable};

/* --- its class object --- */

static HRESULT STDMETHODCALLTYPE Class_QueryInterface(IClassFactory *iface, REFIID iid,
                                                      void **object)
{
    return query(iface, &IID_IClassFactory, iid, object);
}

static ULONG STDMETHODCALLTYPE Class_AddRef(IClassFactory *iface)
{
    (void)iface;
    module_hold();
    return 2;
}

static ULONG STDMETHODCALLTYPE Class_Release(IClassFactory *iface)
{
    (void)iface;
    module_release();
    return 1;
}

static HRESULT STDMETHODCALLTYPE Class_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                      REFIID iid, void **object)
{
    (void)iface;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    return outer != NULL ? CLASS_E_NOAGGREGATION
                         : IMarshal_QueryInterface(&the_marshaler, iid, object);
}

static HRESULT STDMETHODCALLTYPE Class_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    if (lock)
        module_hold();
    else
        module_release();
    return S_OK;
}

static const IClassFactoryVtbl class_vtable = {
    Class_QueryInterface, Class_AddRef, Class_Release, Class_CreateInstance, Class_LockServer,
};

static IClassFactory the_class = {(IClassFactoryVtbl *)&class_vtable};

HRESULT unmarshal_get(REFIID iid, void **object)
{
    return IClassFactory_QueryInterface(&the_class, iid, object);
}
