/*
 * See object.h. Methods translate strings and errors, and leave the work to the parts of the host.
 * References to the object may outlive the host, in peers' hands; so may not the host itself:
 * disconnecting waits for nothing, since the runtime is taken down before the host is freed.
 *
 * It has three interfaces, which share one count: IViaductHost, IRunningObjects, and the connection
 * points, of which there is one, for IRunningEvents.
 */
#include "host/object.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/events.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "host/host.h"
#include "host/text.h"

struct object {
    IViaductHost IViaductHost_iface;
    IRunningObjects IRunningObjects_iface;
    atomic_uint refs;
    _Atomic(struct host *) host; /* NULL: disconnected */
    struct via_events events;    /* read-only; IRunningEvents */
    IRunningEvents *fire;        /* read-only; theirs */
};

static struct object *object_from_IViaductHost(IViaductHost *iface)
{
    return (struct object *)((char *)iface - offsetof(struct object, IViaductHost_iface));
}

static struct object *object_from_IRunningObjects(IRunningObjects *iface)
{
    return (struct object *)((char *)iface - offsetof(struct object, IRunningObjects_iface));
}

/* NULL sets the error. */
static struct host *host_of(IViaductHost *iface)
{
    struct host *host = atomic_load(&object_from_IViaductHost(iface)->host);

    error_clear();
    if (!host)
        error_set(RPC_E_DISCONNECTED, "the host is shutting down");
    return host;
}

/* The host and a name in UTF-8, which nearly every method needs; the name is for free(). */
static HRESULT enter(IViaductHost *iface, BSTR string, struct host **host, char **name)
{
    *name = NULL;
    *host = host_of(iface);
    if (!*host)
        return RPC_E_DISCONNECTED;
    *name = text_from_bstr(string);
    return *name ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a name");
}

static HRESULT give_text(char *text, BSTR *string)
{
    *string = text_to_bstr(text);
    free(text);
    return *string ? S_OK : error_set(E_OUTOFMEMORY, "no memory for an answer");
}

static HRESULT STDMETHODCALLTYPE Host_QueryInterface(IViaductHost *iface, REFIID iid, void **object)
{
    struct object *self = object_from_IViaductHost(iface);

    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IViaductHost))
        *object = iface;
    else if (IsEqualIID(iid, &IID_IRunningObjects))
        *object = &self->IRunningObjects_iface;
    else if (IsEqualIID(iid, &IID_IConnectionPointContainer))
        *object = via_events_container(&self->events);
    else
        return E_NOINTERFACE;
    IViaductHost_AddRef(iface);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Host_AddRef(IViaductHost *iface)
{
    return atomic_fetch_add(&object_from_IViaductHost(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Host_Release(IViaductHost *iface)
{
    struct object *object = object_from_IViaductHost(iface);
    ULONG left = atomic_fetch_sub(&object->refs, 1) - 1;

    if (left == 0) {
        via_events_deinit(&object->events);
        free(object);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Host_CreateInstance(IViaductHost *iface, BSTR string,
                                                     const GUID *iid, IUnknown **object)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    *object = NULL;
    if (SUCCEEDED(hr))
        hr = host_create_instance(host, name, iid, object);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_GetClassObject(IViaductHost *iface, BSTR string,
                                                     IUnknown **object)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    *object = NULL;
    if (SUCCEEDED(hr))
        hr = host_get_class_object(host, name, object);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_ListClasses(IViaductHost *iface, VARIANT_BOOL peers,
                                                  BSTR string, ULONG limit, BSTR *next,
                                                  ULONG *count, struct ClassInfo **classes)
{
    struct class_page page = {.with_peers = peers != VARIANT_FALSE, .limit = limit};
    CLEANUP(cleanup_free) char *after;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &after);

    *next = NULL;
    *count = 0;
    *classes = NULL;
    if (SUCCEEDED(hr))
        hr = host_list_classes(host, after, &page);
    if (SUCCEEDED(hr)) {
        *next = page.next;
        *count = page.count;
        *classes = page.classes;
    }
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_FindClass(IViaductHost *iface, BSTR string,
                                                struct ClassInfo *info)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    memset(info, 0, sizeof(*info));
    if (SUCCEEDED(hr))
        hr = host_find_class(host, name, info);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_DescribeClass(IViaductHost *iface, BSTR string, BSTR *json)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    *json = NULL;
    if (SUCCEEDED(hr))
        hr = host_describe_class(host, name, json);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_RegisterManifest(IViaductHost *iface, BSTR string, BSTR *path)
{
    CLEANUP(cleanup_free) char *manifest;
    struct host *host;
    char *written = NULL;
    HRESULT hr = enter(iface, string, &host, &manifest);

    *path = NULL;
    if (SUCCEEDED(hr))
        hr = host_register(host, manifest, &written);
    if (SUCCEEDED(hr))
        hr = give_text(written, path);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_Unregister(IViaductHost *iface, BSTR string)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    if (SUCCEEDED(hr))
        hr = host_unregister(host, name);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_GetStatus(IViaductHost *iface, BSTR *json)
{
    struct host *host = host_of(iface);
    char *text = NULL;
    HRESULT hr = host ? host_status(host, &text) : RPC_E_DISCONNECTED;

    *json = NULL;
    if (SUCCEEDED(hr))
        hr = give_text(text, json);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_Publish(IViaductHost *iface, BSTR string, IUnknown *object)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    if (SUCCEEDED(hr))
        hr = running_publish(host->running, name, object);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_Lookup(IViaductHost *iface, BSTR string, IUnknown **object)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    *object = NULL;
    if (SUCCEEDED(hr))
        hr = running_lookup(host->running, name, object);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_Withdraw(IViaductHost *iface, BSTR string)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    if (SUCCEEDED(hr))
        hr = running_withdraw(host->running, name);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_RegisterSurrogate(IViaductHost *iface, BSTR string,
                                                        IViaductSurrogate *surrogate)
{
    CLEANUP(cleanup_free) char *token;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &token);

    if (SUCCEEDED(hr) && !surrogate)
        hr = error_set(E_POINTER, "a process that checks in gives an object");
    if (SUCCEEDED(hr))
        hr = servers_check_in(host->servers, token, surrogate);
    return text_publish_error(hr);
}

static HRESULT STDMETHODCALLTYPE Host_GetProcessExit(IViaductHost *iface, const GUID *node,
                                                     VARIANT_BOOL peers, struct ProcessExit *end)
{
    struct host *host = host_of(iface);

    memset(end, 0, sizeof(*end));
    if (!host)
        return text_publish_error(RPC_E_DISCONNECTED);
    host_process_exit(host, node, peers != VARIANT_FALSE, end);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Host_Join(IViaductHost *iface, BSTR string, IViaductHost *peer)
{
    CLEANUP(cleanup_free) char *name;
    struct host *host;
    HRESULT hr = enter(iface, string, &host, &name);

    if (SUCCEEDED(hr))
        hr = peers_join(host->peers, name, peer);
    return text_publish_error(hr);
}

static const IViaductHostVtbl host_vtable = {
    Host_QueryInterface, Host_AddRef,         Host_Release,
    Host_CreateInstance, Host_GetClassObject, Host_ListClasses,
    Host_FindClass,      Host_DescribeClass,  Host_RegisterManifest,
    Host_Unregister,     Host_GetStatus,      Host_Publish,
    Host_Lookup,         Host_Withdraw,       Host_RegisterSurrogate,
    Host_GetProcessExit, Host_Join,
};

/* --- IRunningObjects, and its events --- */

static HRESULT STDMETHODCALLTYPE Running_QueryInterface(IRunningObjects *iface, REFIID iid,
                                                        void **object)
{
    return Host_QueryInterface(&object_from_IRunningObjects(iface)->IViaductHost_iface, iid,
                               object);
}

static ULONG STDMETHODCALLTYPE Running_AddRef(IRunningObjects *iface)
{
    return Host_AddRef(&object_from_IRunningObjects(iface)->IViaductHost_iface);
}

static ULONG STDMETHODCALLTYPE Running_Release(IRunningObjects *iface)
{
    return Host_Release(&object_from_IRunningObjects(iface)->IViaductHost_iface);
}

static HRESULT STDMETHODCALLTYPE Running_ListRunning(IRunningObjects *iface, ULONG *count,
                                                     struct RunningInfo **objects)
{
    struct host *host = host_of(&object_from_IRunningObjects(iface)->IViaductHost_iface);
    HRESULT hr = RPC_E_DISCONNECTED;

    *count = 0;
    *objects = NULL;
    if (host)
        hr = running_list(host->running, objects, count);
    return text_publish_error(hr);
}

static const IRunningObjectsVtbl running_vtable = {
    Running_QueryInterface,
    Running_AddRef,
    Running_Release,
    Running_ListRunning,
};

/* [under the lock of the running objects] Queues it for whoever has advised. */
static void running_changed(void *context, const char *name, enum RunningChange change)
{
    struct object *object = context;
    BSTR string = text_to_bstr(name);

    if (string)
        IRunningEvents_Changed(object->fire, string, change);
    SysFreeString(string);
}

HRESULT object_new(struct host *host, IViaductHost **out)
{
    struct object *object = calloc(1, sizeof(*object));
    HRESULT hr;

    if (!object)
        return error_set(E_OUTOFMEMORY, "no memory for the host");
    object->IViaductHost_iface.lpVtbl = (IViaductHostVtbl *)&host_vtable;
    object->IRunningObjects_iface.lpVtbl = (IRunningObjectsVtbl *)&running_vtable;
    object->refs = 1;
    object->host = host;
    hr = via_events_init(&object->events, (IUnknown *)&object->IViaductHost_iface);
    if (SUCCEEDED(hr))
        hr = via_events_add(&object->events, &IID_IRunningEvents, NULL, (void **)&object->fire);
    if (FAILED(hr)) {
        text_take_error(hr);
        Host_Release(&object->IViaductHost_iface);
        return hr;
    }
    running_set_listener(host->running, running_changed, object);
    *out = &object->IViaductHost_iface;
    return S_OK;
}

void object_disconnect(IViaductHost *iface)
{
    atomic_store(&object_from_IViaductHost(iface)->host, NULL);
}
