#include "tests/soak/soak_object.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/os/thread.h"
#include "tests/harness/harness.h"
#include "tests/soak/traffic.h"

#define N_PLACES 16u

struct soak {
    ISoak ISoak_iface;
    atomic_uint refs;
    struct os_mutex lock;
    ISoak *places[N_PLACES]; /* lock */
};

static atomic_long the_count;

static struct soak *from_soak(ISoak *iface)
{
    return (struct soak *)((char *)iface - offsetof(struct soak, ISoak_iface));
}

static HRESULT STDMETHODCALLTYPE Soak_QueryInterface(ISoak *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_ISoak))
        return E_NOINTERFACE;
    ISoak_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Soak_AddRef(ISoak *iface)
{
    return atomic_fetch_add(&from_soak(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Soak_Release(ISoak *iface)
{
    struct soak *self = from_soak(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left > 0)
        return left;
    for (unsigned i = 0; i < N_PLACES; i++)
        if (self->places[i] != NULL)
            ISoak_Release(self->places[i]);
    os_mutex_deinit(&self->lock);
    free(self);
    atomic_fetch_sub(&the_count, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Soak_Add(ISoak *iface, LONG a, LONG b, LONG *sum)
{
    (void)iface;
    *sum = a + b;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_Make(ISoak *iface, ISoak **child)
{
    (void)iface;
    *child = soak_object_new();
    return *child != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Soak_Echo(ISoak *iface, ISoak *object, ISoak **same)
{
    (void)iface;
    *same = object;
    if (object != NULL)
        ISoak_AddRef(object);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_Hold(ISoak *iface, ULONG place, ISoak *object)
{
    struct soak *self = from_soak(iface);
    if (object != NULL)
        ISoak_AddRef(object);
    os_mutex_lock(&self->lock);
    ISoak *previous = self->places[place % N_PLACES];
    self->places[place % N_PLACES] = object;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        ISoak_Release(previous);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_CallAdd(ISoak *iface, ISoak *object, LONG a, LONG b,
                                              LONG *sum)
{
    (void)iface;
    return object != NULL ? ISoak_Add(object, a, b, sum) : E_POINTER;
}

static HRESULT STDMETHODCALLTYPE Soak_MakeMany(ISoak *iface, ULONG n, ISoak **children)
{
    (void)iface;
    for (ULONG i = 0; i < n; i++)
        children[i] = soak_object_new(); /* NULL where memory is short; the test sees that */
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_EchoMany(ISoak *iface, ULONG n, ISoak **objects, ISoak **same)
{
    HRESULT hr = S_OK;
    for (ULONG i = 0; i < n; i++) {
        LONG sum = 0;
        if (i % 4 == 0 && objects[i] != NULL && SUCCEEDED(hr))
            hr = ISoak_Add(objects[i], (LONG)i, 1, &sum);
        if (SUCCEEDED(hr))
            hr = Soak_Echo(iface, objects[i], &same[i]);
        else
            same[i] = NULL;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE Soak_CountResources(ISoak *iface, ULONG *allocations,
                                                     ULONG *handles)
{
    (void)iface;
    *allocations = (ULONG)harness_live_allocations();
    *handles = (ULONG)harness_open_descriptors();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_CountObjects(ISoak *iface, LONG *n)
{
    (void)iface;
    *n = (LONG)soak_object_count() - 1;
    return S_OK;
}

static void copy_address(BSTR from, char to[256])
{
    UINT n = SysStringLen(from);
    for (UINT i = 0; i < 255; i++)
        to[i] = i < n ? (char)from[i] : '\0'; /* addresses are ASCII */
    to[255] = '\0';
}

static HRESULT STDMETHODCALLTYPE Soak_SetServers(ISoak *iface, BSTR first, BSTR second)
{
    char addresses[2][256];
    (void)iface;
    copy_address(first, addresses[0]);
    copy_address(second, addresses[1]);
    traffic_set_servers(addresses[0], addresses[1]);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_StartTraffic(ISoak *iface, ULONG threads)
{
    (void)iface;
    traffic_start(threads);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_StopTraffic(ISoak *iface)
{
    (void)iface;
    traffic_stop();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Soak_GetAccount(ISoak *iface, struct SoakAccount *account)
{
    (void)iface;
    traffic_account(account);
    return S_OK;
}

static const ISoakVtbl soak_vtable = {
    Soak_QueryInterface, Soak_AddRef,       Soak_Release,        Soak_Add,
    Soak_Make,           Soak_Echo,         Soak_Hold,           Soak_CallAdd,
    Soak_MakeMany,       Soak_EchoMany,     Soak_CountResources, Soak_CountObjects,
    Soak_SetServers,     Soak_StartTraffic, Soak_StopTraffic,    Soak_GetAccount,
};

ISoak *soak_object_new(void)
{
    struct soak *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ISoak_iface.lpVtbl = (void *)&soak_vtable;
    atomic_init(&self->refs, 1);
    os_mutex_init(&self->lock);
    atomic_fetch_add(&the_count, 1);
    return &self->ISoak_iface;
}

long soak_object_count(void)
{
    return atomic_load(&the_count);
}
