/* One object for ever, that is its own class object's product: the smallest component there can be.
 */
#include "adder.h"

#include <viaduct/component.h>

#ifndef ADDER_THREADING
#define ADDER_THREADING VIA_THREADING_SERIAL
#endif

static HRESULT STDMETHODCALLTYPE Adder_QueryInterface(IAdder *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IAdder))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Adder_AddRef(IAdder *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Adder_Release(IAdder *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Adder_Add(IAdder *iface, LONG a, LONG b, LONG *sum)
{
    (void)iface;
    *sum = a + b;
    return S_OK;
}

static LONG the_offset; /* the object is serial, or the tests call it from one thread */

static HRESULT STDMETHODCALLTYPE Adder_get_Offset(IAdder *iface, LONG *offset)
{
    (void)iface;
    *offset = the_offset;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_put_Offset(IAdder *iface, LONG offset)
{
    (void)iface;
    the_offset = offset;
    return S_OK;
}

static IAdderVtbl adder_vtable = {Adder_QueryInterface, Adder_AddRef,    Adder_Release, Adder_Add,
                                  Adder_get_Offset,     Adder_put_Offset};
static IAdder adder = {&adder_vtable};

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
    return outer ? CLASS_E_NOAGGREGATION : IAdder_QueryInterface(&adder, iid, object);
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
    *object = NULL;
    return IsEqualCLSID(clsid, &CLSID_Adder) ? IClassFactory_QueryInterface(&factory, iid, object)
                                             : CLASS_E_CLASSNOTAVAILABLE;
}

static const struct via_component_class classes[] = {
    {&CLSID_Adder, "Test.Adder", "for tests", ADDER_THREADING, "Adder"},
};
static const struct via_typelib *const typelibs[] = {&adder_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "adder",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
};
