/*
 * COM's free-threaded marshaler is told with each call which object it is about, so that one of
 * them, which belongs to no object, does for all proxies.
 */
#include "com/remote/agile.h"

#include <stdint.h>
#include <stdlib.h>
#include <viaduct/proxies.h>

#include "com/remote/guest.h"
#include "com/remote/import.h"
#include "com/remote/packet.h"
#include "com/remote/proxy.h"

/* Of the interfaces that say that an object is agile: no method but IUnknown's. */
static const GUID iid_agile = {
    0x94ea2b94, 0xe9cc, 0x49e0, {0xc0, 0xff, 0xee, 0x64, 0xca, 0x8f, 0x5b, 0x90}};

bool agile_is(const GUID *iid)
{
    return IsEqualGUID(iid, &IID_IMarshal) || IsEqualGUID(iid, &iid_agile);
}

/* COM's; made once, and kept as long as the process. */
static HRESULT marshaler(IMarshal **result)
{
    static _Atomic(IMarshal *) the_marshaler;
    IMarshal *known = atomic_load(&the_marshaler);
    IUnknown *unknown = NULL;
    HRESULT hr = known != NULL ? S_OK : CoCreateFreeThreadedMarshaler(NULL, &unknown);
    if (known == NULL && SUCCEEDED(hr)) {
        IMarshal *made = NULL;
        hr = IUnknown_QueryInterface(unknown, &IID_IMarshal, (void **)&made);
        IUnknown_Release(unknown);
        if (SUCCEEDED(hr) && atomic_compare_exchange_strong(&the_marshaler, &known, made))
            known = made;
        else if (SUCCEEDED(hr))
            IMarshal_Release(made); /* another thread was first */
    }
    *result = known;
    return hr;
}

static struct import *import_from(IMarshal *self)
{
    return ((struct face *)(void *)self)->import;
}

/* Whether the proxy goes as a packet, which is read once: those that COM keeps in tables are not.
 * The same each time it is asked, since COM asks for the class, the size and the data in turn. */
static bool goes_as_packet(IMarshal *self, DWORD context, DWORD flags)
{
    return (context == MSHCTX_LOCAL || context == MSHCTX_NOSHAREDMEM) &&
           (flags & (MSHLFLAGS_TABLESTRONG | MSHLFLAGS_TABLEWEAK)) == 0 &&
           guest_unmarshaler() != NULL && packet_is_possible(import_from(self));
}

static HRESULT STDMETHODCALLTYPE get_class(IMarshal *self, REFIID iid, void *pointer, DWORD context,
                                           void *reserved, DWORD flags, CLSID *clsid)
{
    IMarshal *inner;
    if (goes_as_packet(self, context, flags)) {
        *clsid = *guest_unmarshaler();
        return S_OK;
    }
    HRESULT hr = marshaler(&inner);
    return SUCCEEDED(hr)
               ? IMarshal_GetUnmarshalClass(inner, iid, pointer, context, reserved, flags, clsid)
               : hr;
}

static HRESULT STDMETHODCALLTYPE get_size(IMarshal *self, REFIID iid, void *pointer, DWORD context,
                                          void *reserved, DWORD flags, DWORD *size)
{
    IMarshal *inner;
    if (goes_as_packet(self, context, flags)) {
        *size = (DWORD)packet_size(import_from(self));
        return S_OK;
    }
    HRESULT hr = marshaler(&inner);
    return SUCCEEDED(hr)
               ? IMarshal_GetMarshalSizeMax(inner, iid, pointer, context, reserved, flags, size)
               : hr;
}

static HRESULT STDMETHODCALLTYPE marshal(IMarshal *self, IStream *stream, REFIID iid, void *pointer,
                                         DWORD context, void *reserved, DWORD flags)
{
    IMarshal *inner;
    if (goes_as_packet(self, context, flags))
        return via_write_packet(stream, (IUnknown *)(void *)self);
    HRESULT hr = marshaler(&inner);
    return SUCCEEDED(hr)
               ? IMarshal_MarshalInterface(inner, stream, iid, pointer, context, reserved, flags)
               : hr;
}

static HRESULT STDMETHODCALLTYPE unmarshal(IMarshal *self, IStream *stream, REFIID iid,
                                           void **pointer)
{
    IMarshal *inner;
    (void)self;
    HRESULT hr = marshaler(&inner);
    return SUCCEEDED(hr) ? IMarshal_UnmarshalInterface(inner, stream, iid, pointer) : hr;
}

static HRESULT STDMETHODCALLTYPE release_data(IMarshal *self, IStream *stream)
{
    IMarshal *inner;
    (void)self;
    HRESULT hr = marshaler(&inner);
    return SUCCEEDED(hr) ? IMarshal_ReleaseMarshalData(inner, stream) : hr;
}

static HRESULT STDMETHODCALLTYPE disconnect(IMarshal *self, DWORD reserved)
{
    (void)self, (void)reserved;
    return S_OK; /* a proxy's connection is Viaduct's */
}

static const void *const vtable[9] = {
    (const void *)(uintptr_t)proxy_QueryInterface,
    (const void *)(uintptr_t)proxy_AddRef,
    (const void *)(uintptr_t)proxy_Release,
    (const void *)(uintptr_t)get_class,
    (const void *)(uintptr_t)get_size,
    (const void *)(uintptr_t)marshal,
    (const void *)(uintptr_t)unmarshal,
    (const void *)(uintptr_t)release_data,
    (const void *)(uintptr_t)disconnect,
};

struct face *agile_face_new(struct import *import, const GUID *iid)
{
    struct face *face = calloc(1, sizeof *face);
    if (face == NULL)
        return NULL;
    face->vtable = vtable;
    face->import = import;
    face->iid = *iid;
    return face;
}
