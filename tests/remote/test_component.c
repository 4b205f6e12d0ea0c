#include "tests/remote/test_component.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <viaduct/object.h>

#include "tests/remote/test_object.h"

const CLSID test_clsid_serial = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 1}};
const CLSID test_clsid_free = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 2}};
const CLSID test_clsid_faceless = {
    0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 0, 3}};

static struct via_module module;
static const struct via_object_kind made_kind = {.module = &module};

static HRESULT make_test_object(REFIID iid, void **object)
{
    ITestObject *made = test_object_new("made");
    if (made == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = ITestObject_QueryInterface(made, iid, object);
    ITestObject_Release(made);
    return hr;
}

/* Says whether the argument has come as it was given. */
static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    if (!lock && via_module_is_idle(&module))
        return E_UNEXPECTED;
    return via_factory_LockServer(iface, lock);
}

static IClassFactoryVtbl factory_vtable = {
    via_factory_QueryInterface, via_factory_AddRef, via_factory_Release,
    via_factory_CreateInstance, Factory_LockServer,
};
static struct via_factory factory = {{&factory_vtable}, &made_kind, make_test_object};

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

static HRESULT make_faceless(REFIID iid, void **object)
{
    unsigned none = 0;
    (void)iid;
    if (!atomic_compare_exchange_strong(&faceless_refs, &none, 1))
        return E_UNEXPECTED;
    *object = &faceless;
    return S_OK;
}

static struct via_factory faceless_factory = VIA_FACTORY(&made_kind, make_faceless);

/* --- the component --- */

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    bool is_faceless = IsEqualCLSID(clsid, &test_clsid_faceless);

    return via_factory_get(is_faceless ? &faceless_factory : &factory, iid, object);
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
