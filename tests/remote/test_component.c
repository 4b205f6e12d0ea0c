#include "tests/remote/test_component.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "tests/remote/test_object.h"

extern const struct via_typelib remote_test_typelib;

const CLSID test_clsid_serial = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 1}};
const CLSID test_clsid_free = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 2}};
const CLSID test_clsid_faceless = {
    0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 3}};

static atomic_int n_locks;

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                        void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    (void)iface;
    *object = NULL;
    if (outer)
        return CLASS_E_NOAGGREGATION;
    ITestObject *made = test_object_new("made");
    if (!made)
        return E_OUTOFMEMORY;
    HRESULT hr = ITestObject_QueryInterface(made, iid, object);
    ITestObject_Release(made);
    return hr;
}

/* Says whether the argument has come as it was given. */
static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    if (lock)
        atomic_fetch_add(&n_locks, 1);
    else if (atomic_fetch_sub(&n_locks, 1) <= 0)
        return E_UNEXPECTED;
    return S_OK;
}

static IClassFactoryVtbl factory_vtable = {Factory_QueryInterface, Factory_AddRef, Factory_Release,
                                           Factory_CreateInstance, Factory_LockServer};
static IClassFactory factory = {&factory_vtable};

/* --- the faceless one --- */

static atomic_uint faceless_refs;

static HRESULT STDMETHODCALLTYPE Faceless_QueryInterface(IUnknown *iface, REFIID iid, void **object)
{
    (void)iface;
    (void)iid;
    *object = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Faceless_AddRef(IUnknown *iface)
{
    (void)iface;
    return atomic_fetch_add(&faceless_refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Faceless_Release(IUnknown *iface)
{
    (void)iface;
    return atomic_fetch_sub(&faceless_refs, 1) - 1;
}

static IUnknownVtbl faceless_vtable = {Faceless_QueryInterface, Faceless_AddRef, Faceless_Release};
static IUnknown faceless = {&faceless_vtable};

static HRESULT STDMETHODCALLTYPE Faceless_Create(IClassFactory *iface, IUnknown *outer, REFIID iid,
                                                 void **object)
{
    unsigned none = 0;

    (void)iface;
    (void)outer;
    (void)iid;
    *object = NULL;
    if (!atomic_compare_exchange_strong(&faceless_refs, &none, 1))
        return E_UNEXPECTED;
    *object = &faceless;
    return S_OK;
}

static IClassFactoryVtbl faceless_factory_vtable = {
    Factory_QueryInterface, Factory_AddRef, Factory_Release, Faceless_Create, Factory_LockServer};
static IClassFactory faceless_factory = {&faceless_factory_vtable};

/* --- the component --- */

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    bool is_faceless = IsEqualCLSID(clsid, &test_clsid_faceless);

    return IClassFactory_QueryInterface(is_faceless ? &faceless_factory : &factory, iid, object);
}

static const struct via_component_class classes[] = {
    {&test_clsid_serial, "Test.Serial", "for tests", VIA_THREADING_SERIAL, "Serial"},
    {&test_clsid_free, "Test.Free", "for tests", VIA_THREADING_FREE, "Free"},
    {&test_clsid_faceless, "Test.Faceless", "for tests", VIA_THREADING_SERIAL, "Faceless"},
};
static const struct via_typelib *const typelibs[] = {&remote_test_typelib};

const struct via_component test_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "test",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 3,
    .classes = classes,
    .get_class_object = get_class_object,
};
