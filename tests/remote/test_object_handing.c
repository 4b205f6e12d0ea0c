/* Children, which may be serial or an apartment's, and what is kept and handed on. */
#include "tests/remote/test_object_parts.h"

#include <viaduct/proxies.h>
#include <viaduct/runtime.h>
#include <viaduct/stream.h>

#include "com/remote/apartment.h"
#include "com/remote/export.h"
#include "core/os/clock.h"

/* --- children --- */

HRESULT STDMETHODCALLTYPE Test_MakeChild(ITestObject *iface, ITestObject **child)
{
    (void)iface;
    *child = test_object_new("child");
    return *child != NULL ? S_OK : E_OUTOFMEMORY;
}

HRESULT STDMETHODCALLTYPE Test_MakeSerialChild(ITestObject *iface, ITestObject **child)
{
    (void)iface;
    *child = test_object_new("serial");
    return *child != NULL ? via_object_set_serial((IUnknown *)*child) : E_OUTOFMEMORY;
}

HRESULT STDMETHODCALLTYPE Test_MakeSerialChildMeanwhile(ITestObject *iface, ITestObject *back,
                                                        ITestObject **child)
{
    LONG levels = 0;
    HRESULT hr = Test_MakeSerialChild(iface, child);
    if (FAILED(hr))
        return hr;
    hr = ITestObject_CallBack(back, iface, 2, &levels);
    if (FAILED(hr)) {
        ITestObject_Release(*child);
        *child = NULL;
    }
    return hr;
}

/* The process has one, which ends with it. */
static HRESULT get_apartment(struct apartment **apartment)
{
    static struct os_mutex lock = OS_MUTEX_INITIALIZER;
    static struct apartment *the_apartment; /* lock */
    HRESULT hr = S_OK;
    os_mutex_lock(&lock);
    if (the_apartment == NULL)
        hr = apartment_new(&the_apartment);
    *apartment = the_apartment;
    os_mutex_unlock(&lock);
    return hr;
}

HRESULT STDMETHODCALLTYPE Test_MakeApartmentChild(ITestObject *iface, ITestObject **child)
{
    (void)iface;
    struct apartment *apartment;
    *child = NULL;
    HRESULT hr = get_apartment(&apartment);
    if (FAILED(hr))
        return hr;
    *child = test_object_new("apartment");
    if (*child == NULL)
        return E_OUTOFMEMORY;
    test_object_of(*child)->apartment = apartment;
    return export_mark((IUnknown *)*child, apartment_context(apartment));
}

HRESULT STDMETHODCALLTYPE Test_MakeLater(ITestObject *iface, ULONG ms, BSTR text,
                                         ITestObject **child)
{
    *child = NULL;
    os_sleep_ms(ms);
    return text != NULL ? Test_Fail(iface, text) : Test_MakeSerialChild(iface, child);
}

/* --- what is kept --- */

HRESULT STDMETHODCALLTYPE Test_Keep(ITestObject *iface, ITestObject *object)
{
    struct test_object *self = test_object_of(iface);
    if (object != NULL)
        ITestObject_AddRef(object);
    os_mutex_lock(&self->lock);
    ITestObject *previous = self->kept;
    self->kept = object;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        ITestObject_Release(previous);
    return S_OK;
}

HRESULT STDMETHODCALLTYPE Test_GetKept(ITestObject *iface, ITestObject **object)
{
    struct test_object *self = test_object_of(iface);
    os_mutex_lock(&self->lock);
    *object = self->kept;
    if (self->kept != NULL)
        ITestObject_AddRef(self->kept);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

/* Addresses are ASCII. */
static HRESULT connect_to(BSTR address, ITestObject **root)
{
    char text[256];
    UINT n = SysStringLen(address);
    if (n >= sizeof text)
        return E_INVALIDARG;
    for (UINT i = 0; i <= n; i++)
        text[i] = (char)address[i];
    return via_connect(text, &IID_ITestObject, (void **)root);
}

HRESULT STDMETHODCALLTYPE Test_KeepRootOf(ITestObject *iface, BSTR address)
{
    ITestObject *root;
    HRESULT hr = connect_to(address, &root);
    if (FAILED(hr))
        return hr;
    hr = Test_Keep(iface, root);
    ITestObject_Release(root);
    return hr;
}

HRESULT STDMETHODCALLTYPE Test_HandKept(ITestObject *iface, BSTR address, LONG a, LONG b, LONG *sum)
{
    ITestObject *root;
    ITestObject *kept;
    HRESULT hr = connect_to(address, &root);
    if (FAILED(hr))
        return hr;
    Test_GetKept(iface, &kept);
    hr = ITestObject_CallAdd(root, kept, a, b, sum);
    ITestObject_Release(root);
    ITestObject_Release(kept);
    return hr;
}

HRESULT STDMETHODCALLTYPE Test_KeepKeptOf(ITestObject *iface, BSTR address)
{
    ITestObject *root;
    ITestObject *kept = NULL;
    HRESULT hr = connect_to(address, &root);
    if (FAILED(hr))
        return hr;
    hr = ITestObject_GetKept(root, &kept);
    ITestObject_Release(root);
    if (FAILED(hr))
        return hr;
    hr = Test_Keep(iface, kept);
    ITestObject_Release(kept);
    return hr;
}

static HRESULT read_stream(IStream *stream, ULONG *size, BYTE **bytes)
{
    const LARGE_INTEGER start = {.QuadPart = 0};
    STATSTG status;
    HRESULT hr = stream->lpVtbl->Stat(stream, &status, STATFLAG_NONAME);
    if (SUCCEEDED(hr))
        hr = stream->lpVtbl->Seek(stream, start, STREAM_SEEK_SET, NULL);
    if (FAILED(hr))
        return hr;
    *bytes = CoTaskMemAlloc((SIZE_T)status.cbSize.QuadPart);
    return *bytes != NULL
               ? stream->lpVtbl->Read(stream, *bytes, (ULONG)status.cbSize.QuadPart, size)
               : E_OUTOFMEMORY;
}

HRESULT STDMETHODCALLTYPE Test_PackKept(ITestObject *iface, ULONG *size, BYTE **packet)
{
    ITestObject *kept = NULL;
    IStream *stream;
    *size = 0;
    *packet = NULL;
    HRESULT hr = via_stream_on_memory(NULL, 0, &stream);
    if (FAILED(hr))
        return hr;
    Test_GetKept(iface, &kept);
    hr = via_write_packet(stream, (IUnknown *)kept);
    if (SUCCEEDED(hr))
        hr = read_stream(stream, size, packet);
    if (kept != NULL)
        ITestObject_Release(kept);
    stream->lpVtbl->Release(stream);
    return hr;
}
