/*
 * The object by which a host creates the classes of one component, in the host's own process or in
 * another one.
 */
#include "com/std/provider.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "com/remote/runtime.h"
#include "com/std/class_object.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "core/util/utf.h"

struct provider {
    IViaductSurrogate IViaductSurrogate_iface;
    atomic_uint refs;
    const struct via_component *component; /* read-only */
    const struct provider_events *events;  /* read-only; NULL: part of another process */
};

static struct provider *provider_from_IViaductSurrogate(IViaductSurrogate *iface)
{
    return (struct provider *)((char *)iface - offsetof(struct provider, IViaductSurrogate_iface));
}

static HRESULT STDMETHODCALLTYPE Provider_QueryInterface(IViaductSurrogate *iface, REFIID iid,
                                                         void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IViaductSurrogate))
        return E_NOINTERFACE;
    IViaductSurrogate_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Provider_AddRef(IViaductSurrogate *iface)
{
    return atomic_fetch_add(&provider_from_IViaductSurrogate(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Provider_Release(IViaductSurrogate *iface)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);
    ULONG left = atomic_fetch_sub(&provider->refs, 1) - 1;

    if (left == 0)
        free(provider);
    return left;
}

/* Before anything is asked of the component; after S_OK goes end(). */
static HRESULT begin(const struct provider *provider)
{
    if (provider->events && !provider->events->begin())
        return runtime_publish(error_set(CO_E_SERVER_STOPPING,
                                         "the process of component %s is ending",
                                         provider->component->name));
    return S_OK;
}

static void end(const struct provider *provider)
{
    if (provider->events)
        provider->events->end();
}

static const struct via_component_class *find_class(const struct via_component *component,
                                                    const GUID *clsid)
{
    for (uint32_t i = 0; i < component->n_classes; i++) {
        if (IsEqualGUID(component->classes[i].clsid, clsid))
            return &component->classes[i];
    }
    return NULL;
}

static HRESULT no_class(const struct provider *provider, const GUID *clsid)
{
    char text[GUID_TEXT_SIZE];

    return runtime_publish(error_set(CLASS_E_CLASSNOTAVAILABLE,
                                     "component %s has no class %s; register it again",
                                     provider->component->name, guid_format(clsid, text)));
}

/* Keeps what the component's own code has said about its failure; else says where it happened. */
static HRESULT component_failed(const struct provider *provider, HRESULT hr)
{
    error_border_capture(hr);
    error_wrap(hr, "component %s has not created the object", provider->component->name);
    return runtime_publish(hr);
}

static HRESULT create(const struct provider *provider, const GUID *clsid, const GUID *iid,
                      IUnknown **object)
{
    const struct via_component_class *class = find_class(provider->component, clsid);
    IClassFactory *factory = NULL;
    void *created = NULL;
    HRESULT hr;

    if (!class)
        return no_class(provider, clsid);
    hr = provider->component->get_class_object(clsid, &IID_IClassFactory, (void **)&factory);
    if (SUCCEEDED(hr)) {
        hr = class_object_create(class, factory, NULL, iid, &created);
        IClassFactory_Release(factory);
    }
    if (FAILED(hr))
        return component_failed(provider, hr);
    *object = created;
    return hr;
}

static HRESULT STDMETHODCALLTYPE Provider_CreateInstance(IViaductSurrogate *iface,
                                                         const GUID *clsid, const GUID *iid,
                                                         IUnknown **object)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);
    HRESULT hr = begin(provider);

    *object = NULL;
    if (FAILED(hr))
        return hr;
    hr = create(provider, clsid, iid, object);
    end(provider);
    return hr;
}

static HRESULT get_class_object(const struct provider *provider, const GUID *clsid,
                                IUnknown **object)
{
    const struct via_component_class *class = find_class(provider->component, clsid);
    void *inner = NULL;
    HRESULT hr;

    if (!class)
        return no_class(provider, clsid);
    hr = provider->component->get_class_object(clsid, &IID_IUnknown, &inner);
    if (FAILED(hr))
        return component_failed(provider, hr);
    return runtime_publish(class_object_wrap(class, inner, object));
}

static HRESULT STDMETHODCALLTYPE Provider_GetClassObject(IViaductSurrogate *iface,
                                                         const GUID *clsid, IUnknown **object)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);
    HRESULT hr = begin(provider);

    *object = NULL;
    if (FAILED(hr))
        return hr;
    hr = get_class_object(provider, clsid, object);
    end(provider);
    return hr;
}

static HRESULT describe(const struct via_component *component, const GUID *clsid, BSTR *json)
{
    HRESULT hr = error_set(CLASS_E_CLASSNOTAVAILABLE, "component %s does not describe this class",
                           component->name);
    WCHAR *wide = NULL;
    char *text = NULL;

    for (uint32_t i = 0; i < component->n_typelibs; i++) {
        if (typelib_find_coclass(component->typelibs[i], clsid) != VIA_NO_INDEX) {
            hr = typelib_to_json(component->typelibs[i], 0, &text);
            break;
        }
    }
    if (FAILED(hr))
        return hr;
    wide = utf_to_wide(text);
    *json = wide ? SysAllocString(wide) : NULL;
    free(wide);
    free(text);
    return *json ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a description");
}

static HRESULT STDMETHODCALLTYPE Provider_DescribeClass(IViaductSurrogate *iface, const GUID *clsid,
                                                        BSTR *json)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);
    HRESULT hr = begin(provider);

    *json = NULL;
    if (FAILED(hr))
        return hr;
    hr = runtime_publish(describe(provider->component, clsid, json));
    end(provider);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Provider_GetObjectCount(IViaductSurrogate *iface, ULONG *count)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);

    *count = provider->events ? provider->events->count_objects() : 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Provider_Shutdown(IViaductSurrogate *iface)
{
    struct provider *provider = provider_from_IViaductSurrogate(iface);

    if (!provider->events)
        return runtime_publish(error_set(E_NOTIMPL,
                                         "component %s runs in the host, and ends with it",
                                         provider->component->name));
    provider->events->shut_down("the host has asked for it");
    return S_OK;
}

static const IViaductSurrogateVtbl provider_vtable = {
    Provider_QueryInterface, Provider_AddRef,         Provider_Release,
    Provider_CreateInstance, Provider_GetClassObject, Provider_DescribeClass,
    Provider_GetObjectCount, Provider_Shutdown,
};

bool component_wants_apartment(const struct via_component *component)
{
    bool wants = false;

    for (uint32_t i = 0; i < component->n_classes; i++)
        wants |= component->classes[i].threading == VIA_THREADING_APARTMENT;
    return wants;
}

HRESULT provider_new(const struct via_component *component, const struct provider_events *events,
                     IViaductSurrogate **out)
{
    struct provider *provider;

    for (uint32_t i = 0; i < component->n_classes; i++) {
        HRESULT hr = class_object_check_threading(&component->classes[i], component->name);

        if (FAILED(hr))
            return hr;
    }
    if (!events && component_wants_apartment(component))
        return error_set(VIA_E_TYPE,
                         "component %s wants an apartment, which it has in a process of its own "
                         "only: let its manifest say \"activation\": \"surrogate\"",
                         component->name);
    for (uint32_t i = 0; i < component->n_typelibs; i++) {
        HRESULT hr = via_register_typelib(component->typelibs[i]);

        if (FAILED(hr))
            return hr;
    }
    provider = calloc(1, sizeof(*provider));
    if (!provider)
        return error_set(E_OUTOFMEMORY, "no memory for component %s", component->name);
    provider->IViaductSurrogate_iface.lpVtbl = (IViaductSurrogateVtbl *)&provider_vtable;
    provider->refs = 1;
    provider->component = component;
    provider->events = events;
    *out = &provider->IViaductSurrogate_iface;
    return S_OK;
}

HRESULT via_component_provide(const struct via_component *component, IViaductSurrogate **provider)
{
    *provider = NULL;
    return runtime_publish(provider_new(component, NULL, provider));
}
