/*
 * See class_object.h. The wrapper is the identity, and answers for IClassFactory; other interfaces
 * of a class object are the inner one's own.
 */
#include "com/std/class_object.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <viaduct/runtime.h>

#include "core/link/link.h"
#include "core/util/error.h"

struct class_object {
    IClassFactory IClassFactory_iface;
    atomic_uint refs;
    const struct via_component_class *class; /* read-only */
    IUnknown *inner;                         /* read-only */
    IClassFactory *factory;                  /* read-only; of `inner` */
};

static struct class_object *class_object_from_IClassFactory(IClassFactory *iface)
{
    return (struct class_object *)((char *)iface -
                                   offsetof(struct class_object, IClassFactory_iface));
}

HRESULT class_object_check_threading(const struct via_component_class *class, const char *where)
{
    if (class->threading <= VIA_THREADING_APARTMENT)
        return S_OK;
    return error_set(VIA_E_TYPE, "%s: class %s has the unknown threading %u", where, class->progid,
                     class->threading);
}

HRESULT class_object_create(const struct via_component_class *class, IClassFactory *factory,
                            IUnknown *outer, REFIID iid, void **object)
{
    HRESULT hr = IClassFactory_CreateInstance(factory, outer, iid, object);

    /* What a process makes for itself it does not hand out now: a mark would stay behind. */
    if (SUCCEEDED(hr) && class->threading == VIA_THREADING_SERIAL && link_current())
        hr = via_object_set_serial(*object);
    if (FAILED(hr) && *object) {
        IUnknown_Release((IUnknown *)*object);
        *object = NULL;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE ClassObject_QueryInterface(IClassFactory *iface, REFIID iid,
                                                            void **object)
{
    struct class_object *self = class_object_from_IClassFactory(iface);

    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return IUnknown_QueryInterface(self->inner, iid, object);
    IClassFactory_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE ClassObject_AddRef(IClassFactory *iface)
{
    return atomic_fetch_add(&class_object_from_IClassFactory(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE ClassObject_Release(IClassFactory *iface)
{
    struct class_object *self = class_object_from_IClassFactory(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;

    if (left == 0) {
        IClassFactory_Release(self->factory);
        IUnknown_Release(self->inner);
        free(self);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE ClassObject_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                            REFIID iid, void **object)
{
    struct class_object *self = class_object_from_IClassFactory(iface);

    *object = NULL;
    return class_object_create(self->class, self->factory, outer, iid, object);
}

static HRESULT STDMETHODCALLTYPE ClassObject_LockServer(IClassFactory *iface, BOOL lock)
{
    return IClassFactory_LockServer(class_object_from_IClassFactory(iface)->factory, lock);
}

static const IClassFactoryVtbl class_object_vtable = {
    ClassObject_QueryInterface, ClassObject_AddRef,     ClassObject_Release,
    ClassObject_CreateInstance, ClassObject_LockServer,
};

HRESULT class_object_wrap(const struct via_component_class *class, IUnknown *inner,
                          IUnknown **object)
{
    struct class_object *self;
    void *factory = NULL;

    *object = NULL;
    if (class->threading != VIA_THREADING_SERIAL ||
        FAILED(IUnknown_QueryInterface(inner, &IID_IClassFactory, &factory))) {
        *object = inner;
        return S_OK;
    }
    self = calloc(1, sizeof(*self));
    if (!self) {
        IClassFactory_Release((IClassFactory *)factory);
        IUnknown_Release(inner);
        return error_set(E_OUTOFMEMORY, "no memory for the class object of %s", class->progid);
    }
    self->IClassFactory_iface.lpVtbl = (IClassFactoryVtbl *)&class_object_vtable;
    self->refs = 1;
    self->class = class;
    self->inner = inner;
    self->factory = factory;
    *object = (IUnknown *)&self->IClassFactory_iface;
    return S_OK;
}
