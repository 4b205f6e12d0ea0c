#include "com/remote/factory.h"

#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/typelib/builtin.h"
#include "core/util/error.h"

HRESULT factory_take(IUnknown *found, REFIID iid, void **object)
{
    struct import *import = import_of(found);
    struct face *face;
    HRESULT hr = S_OK;
    if (import != NULL && !import_is_dead(import)) {
        hr = import_face(import, iid, &face);
        if (SUCCEEDED(hr)) {
            *object = face; /* with the reference of `found` */
            return S_OK;
        }
    }
    if (SUCCEEDED(hr))
        hr = found->lpVtbl->QueryInterface(found, iid, object);
    found->lpVtbl->Release(found);
    return hr;
}

static HRESULT call(void *pointer, unsigned slot, void **arguments)
{
    const struct face *face = pointer;
    return proxy_call(pointer, marshal_interface_method(face->itf, slot), arguments);
}

/* An aggregate's parts call each other's inner interfaces directly: it cannot span processes. */
static HRESULT STDMETHODCALLTYPE factory_CreateInstance(void *pointer, IUnknown *outer, REFIID iid,
                                                        void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (outer != NULL)
        return runtime_publish(
            error_set(CLASS_E_NOAGGREGATION, "an object of another process cannot be aggregated"));
    IUnknown *found = NULL;
    IUnknown **result = &found;
    void *arguments[] = {&outer, (void *)&iid, &result}; /* Windows declares `iid` const */
    HRESULT hr = call(pointer, BUILTIN_CREATE_INSTANCE_SLOT, arguments);
    if (FAILED(hr))
        return hr;
    if (found == NULL)
        return runtime_publish(error_set(E_UNEXPECTED, "the class object has created nothing"));
    return runtime_publish(factory_take(found, iid, object));
}

static HRESULT STDMETHODCALLTYPE factory_LockServer(void *pointer, BOOL lock)
{
    void *arguments[] = {&lock};
    return call(pointer, BUILTIN_LOCK_SERVER_SLOT, arguments);
}

const void *const factory_vtable[5] = {
    (const void *)(uintptr_t)proxy_QueryInterface, (const void *)(uintptr_t)proxy_AddRef,
    (const void *)(uintptr_t)proxy_Release,        (const void *)(uintptr_t)factory_CreateInstance,
    (const void *)(uintptr_t)factory_LockServer,
};
