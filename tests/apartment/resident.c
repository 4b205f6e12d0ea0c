/* See resident.idl. Nothing here is atomic: an apartment's objects need not be. */
#include "resident.h"

#include <stdbool.h>
#include <stdlib.h>
#include <viaduct/component.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

struct resident {
    IResident IResident_iface;
    ULONG refs;
};

static uint64_t the_thread; /* which made the first object */
static LONG n_made, n_destroyed, n_elsewhere;
static LONG n_inside, n_most_inside;

static void look_where(void)
{
    if (the_thread == 0)
        the_thread = os_thread_id();
    n_elsewhere += os_thread_id() != the_thread;
}

static HRESULT make(REFIID iid, void **object);

static struct resident *resident_from_IResident(IResident *iface)
{
    return (struct resident *)iface;
}

static HRESULT STDMETHODCALLTYPE Resident_QueryInterface(IResident *iface, REFIID iid,
                                                         void **object)
{
    look_where();
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IResident))
        return E_NOINTERFACE;
    IResident_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Resident_AddRef(IResident *iface)
{
    look_where();
    return ++resident_from_IResident(iface)->refs;
}

static ULONG STDMETHODCALLTYPE Resident_Release(IResident *iface)
{
    struct resident *self = resident_from_IResident(iface);
    ULONG left = --self->refs;
    look_where();
    if (left == 0) {
        n_destroyed++;
        free(self);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Resident_GetThread(IResident *iface, LONGLONG *thread,
                                                    BOOL *is_apartment)
{
    (void)iface;
    *thread = (LONGLONG)os_thread_id();
    *is_apartment = os_thread_is_apartment();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Resident_Overlap(IResident *iface, LONG ms, LONG *most)
{
    (void)iface;
    n_inside++;
    if (n_inside > n_most_inside)
        n_most_inside = n_inside;
    os_sleep_ms((unsigned)ms);
    n_inside--;
    *most = n_most_inside;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Resident_Make(IResident *iface, IResident **other)
{
    (void)iface;
    return make(&IID_IResident, (void **)other);
}

static HRESULT STDMETHODCALLTYPE Resident_Visit(IResident *iface, IResident *other, LONGLONG *there,
                                                LONGLONG *here)
{
    BOOL is_apartment;
    (void)iface;
    HRESULT hr = other != NULL ? IResident_GetThread(other, there, &is_apartment) : E_POINTER;
    *here = (LONGLONG)os_thread_id();
    return hr;
}

static HRESULT STDMETHODCALLTYPE Resident_Count(IResident *iface, LONG *made, LONG *destroyed,
                                                LONG *elsewhere)
{
    (void)iface;
    *made = n_made;
    *destroyed = n_destroyed;
    *elsewhere = n_elsewhere;
    return S_OK;
}

static IResidentVtbl resident_vtable = {
    Resident_QueryInterface, Resident_AddRef, Resident_Release, Resident_GetThread,
    Resident_Overlap,        Resident_Make,   Resident_Visit,   Resident_Count,
};

static HRESULT make(REFIID iid, void **object)
{
    struct resident *self = calloc(1, sizeof *self);
    *object = NULL;
    if (self == NULL)
        return E_OUTOFMEMORY;
    look_where();
    n_made++;
    self->IResident_iface.lpVtbl = &resident_vtable;
    self->refs = 1;
    HRESULT hr = Resident_QueryInterface(&self->IResident_iface, iid, object);
    Resident_Release(&self->IResident_iface);
    return hr;
}

/* --- the class object --- */

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                        void **object)
{
    look_where();
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    look_where();
    return 2;
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *iface)
{
    (void)iface;
    look_where();
    return 1;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    (void)iface;
    *object = NULL;
    return outer != NULL ? CLASS_E_NOAGGREGATION : make(iid, object);
}

static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    (void)lock;
    return S_OK;
}

static IClassFactoryVtbl factory_vtable = {Factory_QueryInterface, Factory_AddRef, Factory_Release,
                                           Factory_CreateInstance, Factory_LockServer};
static IClassFactory factory = {&factory_vtable};

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    (void)clsid;
    return Factory_QueryInterface(&factory, iid, object);
}

static const struct via_component_class classes[] = {
    {&CLSID_Resident, "Test.Resident", "for tests", VIA_THREADING_APARTMENT, "Resident"},
};
static const struct via_typelib *const typelibs[] = {&resident_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "resident",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
};
