#include "com/inproc/factory.h"

#include <stdlib.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>

#include "com/inproc/errors.h"
#include "com/inproc/module.h"
#include "com/inproc/names.h"
#include "core/util/ref.h"

/* Read-only but for the count. */
struct class_object {
    IClassFactory IClassFactory_iface;
    struct ref refs;
    struct class_name class;
};

static struct class_object *class_object_from_IClassFactory(IClassFactory *iface)
{
    return (struct class_object *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                        void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    IClassFactory_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *iface)
{
    return ref_inc(&class_object_from_IClassFactory(iface)->refs);
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *iface)
{
    struct class_object *self = class_object_from_IClassFactory(iface);
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    free(self);
    module_release();
    return 0;
}

/* From a host that is not this process' own. */
static HRESULT create_at(const struct class_name *class, REFIID iid, void **object)
{
    IViaductHost *host = NULL;
    IUnknown *found = NULL;
    WCHAR wide[256];
    HRESULT hr = via_connect(class->host, &IID_IViaductHost, (void **)&host);
    if (FAILED(hr))
        return hr;
    MultiByteToWideChar(CP_UTF8, 0, class->name, -1, wide, 256);
    BSTR name = SysAllocString(wide);
    hr = name != NULL ? IViaductHost_CreateInstance(host, name, &IID_IUnknown, &found)
                      : E_OUTOFMEMORY;
    SysFreeString(name);
    IViaductHost_Release(host);
    if (SUCCEEDED(hr) && found == NULL)
        hr = E_UNEXPECTED;
    if (FAILED(hr))
        return hr;
    hr = IUnknown_QueryInterface(found, iid, object);
    IUnknown_Release(found);
    return hr;
}

/* As IUnknown first: only the object's own process describes what else it has. */
static HRESULT create(const struct class_name *class, REFIID iid, void **object)
{
    IUnknown *found;
    if (class->host[0] != '\0')
        return create_at(class, iid, object);
    HRESULT hr = via_create_instance(class->name, &IID_IUnknown, (void **)&found);
    if (FAILED(hr))
        return hr;
    hr = IUnknown_QueryInterface(found, iid, object);
    IUnknown_Release(found);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    const struct class_object *self = class_object_from_IClassFactory(iface);
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (outer != NULL)
        return CLASS_E_NOAGGREGATION;
    HRESULT hr = module_enter();
    if (FAILED(hr))
        return errors_explain(hr, "Viaduct cannot start in this process");
    hr = create(&self->class, iid, object);
    if (FAILED(hr))
        errors_explain(hr, "%s cannot be created", self->class.name);
    module_leave();
    return hr;
}

static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    if (lock)
        module_hold();
    else
        module_release();
    return S_OK;
}

static const IClassFactoryVtbl factory_vtable = {
    Factory_QueryInterface, Factory_AddRef,     Factory_Release,
    Factory_CreateInstance, Factory_LockServer,
};

HRESULT factory_get(const CLSID *clsid, REFIID iid, void **object)
{
    struct class_object *self = calloc(1, sizeof *self);
    if (self == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = names_find(clsid, &self->class);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    self->IClassFactory_iface.lpVtbl = (IClassFactoryVtbl *)&factory_vtable;
    ref_init(&self->refs);
    module_hold();
    hr = IClassFactory_QueryInterface(&self->IClassFactory_iface, iid, object);
    IClassFactory_Release(&self->IClassFactory_iface);
    return hr;
}
