#include "com/remote/local_slots.h"

#include "com/marshal/marshal.h"
#include "com/remote/factory.h"
#include "com/remote/import.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/remote/stream_slots.h"
#include "com/typelib/builtin.h"

static HRESULT call(void *pointer, unsigned slot, void **arguments)
{
    const struct face *face = pointer;
    return proxy_call(pointer, marshal_interface_method(face->itf, slot), arguments);
}

#define UNKNOWN_SLOTS                                                                     \
    (const void *)(uintptr_t)proxy_QueryInterface, (const void *)(uintptr_t)proxy_AddRef, \
        (const void *)(uintptr_t)proxy_Release

/* --- enumerators --- */

static HRESULT STDMETHODCALLTYPE enum_Next(void *pointer, ULONG n, void *items, ULONG *fetched)
{
    ULONG count = 0;
    ULONG *counted = &count;
    void *arguments[] = {&n, &items, &counted};
    if (fetched != NULL)
        *fetched = 0;
    if (items == NULL || (fetched == NULL && n != 1)) /* COM's rule: one need not be counted */
        return E_POINTER;
    HRESULT hr = call(pointer, BUILTIN_ENUM_NEXT_SLOT, arguments);
    if (fetched != NULL)
        *fetched = count;
    return hr;
}

static HRESULT STDMETHODCALLTYPE enum_Skip(void *pointer, ULONG n)
{
    void *arguments[] = {&n};
    return call(pointer, BUILTIN_ENUM_SKIP_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE enum_Reset(void *pointer)
{
    return call(pointer, BUILTIN_ENUM_RESET_SLOT, NULL);
}

static HRESULT STDMETHODCALLTYPE enum_Clone(void *pointer, void **clone)
{
    void *arguments[] = {&clone};
    return call(pointer, BUILTIN_ENUM_CLONE_SLOT, arguments);
}

static const void *const enum_vtable[] = {
    UNKNOWN_SLOTS,
    (const void *)(uintptr_t)enum_Next,
    (const void *)(uintptr_t)enum_Skip,
    (const void *)(uintptr_t)enum_Reset,
    (const void *)(uintptr_t)enum_Clone,
};

/* --- IWeakReference --- */

static HRESULT STDMETHODCALLTYPE weak_Resolve(void *pointer, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    IUnknown *found = NULL;
    IUnknown **result = &found;
    void *arguments[] = {(void *)&iid, &result}; /* Windows declares `iid` const */
    HRESULT hr = call(pointer, BUILTIN_RESOLVE_SLOT, arguments);
    if (FAILED(hr) || found == NULL)
        return hr;
    return runtime_publish(factory_take(found, iid, object));
}

static const void *const weak_vtable[] = {
    UNKNOWN_SLOTS,
    (const void *)(uintptr_t)weak_Resolve,
};

const void *const *local_slots_find(const struct marshal_interface *itf)
{
    const GUID *iid = marshal_interface_iid(itf);
    if (IsEqualGUID(iid, &builtin_iid_class_factory))
        return factory_vtable;
    if (marshal_interface_is_enumerator(itf)) /* COM's own, and users' */
        return enum_vtable;
    if (IsEqualGUID(iid, &builtin_iid_sequential_stream) || IsEqualGUID(iid, &builtin_iid_stream))
        return stream_proxy_vtable;
    return IsEqualGUID(iid, &builtin_iid_weak_reference) ? weak_vtable : NULL;
}
