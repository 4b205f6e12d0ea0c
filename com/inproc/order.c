#include "com/inproc/order.h"

#include <stdlib.h>

#include <windows.h>

#include <objidl.h>

#include "com/inproc/ids.h"
#include "core/util/ref.h"

/* Read-only but for the count. */
struct order {
    IMarshal IMarshal_iface;
    struct ref refs;
    CLSID clsid;
    IID asked;
};

static struct order *order_from_IMarshal(IMarshal *iface)
{
    return (struct order *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE Order_QueryInterface(IMarshal *iface, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IMarshal) &&
        !IsEqualGUID(iid, &order_from_IMarshal(iface)->asked))
        return E_NOINTERFACE;
    IMarshal_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Order_AddRef(IMarshal *iface)
{
    return ref_inc(&order_from_IMarshal(iface)->refs);
}

static ULONG STDMETHODCALLTYPE Order_Release(IMarshal *iface)
{
    struct order *self = order_from_IMarshal(iface);
    ULONG left = ref_dec(&self->refs);
    if (left == 0)
        free(self);
    return left;
}

/* Another computer has other classes registered. */
static HRESULT STDMETHODCALLTYPE Order_GetUnmarshalClass(IMarshal *iface, REFIID iid, void *pointer,
                                                         DWORD context, void *reserved, DWORD flags,
                                                         CLSID *clsid)
{
    static const CLSID own = INPROC_UNMARSHAL_CLSID;
    (void)iface, (void)iid, (void)pointer, (void)reserved, (void)flags;
    if (context == MSHCTX_DIFFERENTMACHINE)
        return CLASS_E_CLASSNOTAVAILABLE;
    *clsid = own;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Order_GetMarshalSizeMax(IMarshal *iface, REFIID iid, void *pointer,
                                                         DWORD context, void *reserved, DWORD flags,
                                                         DWORD *size)
{
    (void)iface, (void)iid, (void)pointer, (void)context, (void)reserved, (void)flags;
    *size = sizeof(struct order_packet);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Order_MarshalInterface(IMarshal *iface, IStream *stream,
                                                        REFIID iid, void *pointer, DWORD context,
                                                        void *reserved, DWORD flags)
{
    struct order_packet packet = {.kind = ORDER_CREATE, .clsid = order_from_IMarshal(iface)->clsid};
    (void)iid, (void)pointer, (void)context, (void)reserved, (void)flags;
    return IStream_Write(stream, &packet, sizeof packet, NULL);
}

/* The DLL's class does it. */
static HRESULT STDMETHODCALLTYPE Order_UnmarshalInterface(IMarshal *iface, IStream *stream,
                                                          REFIID iid, void **object)
{
    (void)iface, (void)stream, (void)iid;
    *object = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Order_ReleaseMarshalData(IMarshal *iface, IStream *stream)
{
    (void)iface, (void)stream;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Order_DisconnectObject(IMarshal *iface, DWORD reserved)
{
    (void)iface, (void)reserved;
    return S_OK;
}

static const IMarshalVtbl order_vtable = {
    Order_QueryInterface,
    Order_AddRef,
    Order_Release,
    Order_GetUnmarshalClass,
    Order_GetMarshalSizeMax,
    Order_MarshalInterface,
    Order_UnmarshalInterface,
    Order_ReleaseMarshalData,
    Order_DisconnectObject,
};

HRESULT order_new(const CLSID *clsid, REFIID asked, void **object)
{
    struct order *self = calloc(1, sizeof *self);
    *object = NULL;
    if (self == NULL)
        return E_OUTOFMEMORY;
    self->IMarshal_iface.lpVtbl = (IMarshalVtbl *)&order_vtable;
    ref_init(&self->refs);
    self->clsid = *clsid;
    self->asked = *asked;
    *object = &self->IMarshal_iface;
    return S_OK;
}
