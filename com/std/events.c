#include <viaduct/events.h>

#include <stdlib.h>
#include <string.h>

#include "com/abi/guid.h"
#include "com/marshal/marshal.h"
#include "com/remote/runtime.h"
#include "com/std/connection_point.h"
#include "com/std/enumerate.h"
#include "core/util/error.h"

struct via_event_source {
    IUnknown *object;                /* read-only; borrowed */
    struct connection_point *points; /* read-only once the object is handed out */
};

static struct via_events *events_from_container(IConnectionPointContainer *iface)
{
    return (struct via_events *)(void *)iface;
}

static struct connection_point *find_point(const struct via_events *events, REFIID iid)
{
    struct connection_point *point = events->source->points;

    while (point && !IsEqualIID(marshal_interface_iid(point->itf), iid))
        point = point->next;
    return point;
}

/* --- IConnectionPointContainer: an interface of the object --- */

static HRESULT STDMETHODCALLTYPE Container_QueryInterface(IConnectionPointContainer *iface,
                                                          REFIID iid, void **object)
{
    return IUnknown_QueryInterface(events_from_container(iface)->source->object, iid, object);
}

static ULONG STDMETHODCALLTYPE Container_AddRef(IConnectionPointContainer *iface)
{
    return IUnknown_AddRef(events_from_container(iface)->source->object);
}

static ULONG STDMETHODCALLTYPE Container_Release(IConnectionPointContainer *iface)
{
    return IUnknown_Release(events_from_container(iface)->source->object);
}

static HRESULT STDMETHODCALLTYPE Container_EnumConnectionPoints(IConnectionPointContainer *iface,
                                                                IEnumConnectionPoints **points)
{
    struct via_events *events = events_from_container(iface);
    struct enumerator *enumerator;
    ULONG n = 0;
    HRESULT hr;

    if (!points)
        return E_POINTER;
    *points = NULL;
    for (struct connection_point *point = events->source->points; point; point = point->next)
        n++;
    hr = enumerator_new(&IID_IEnumConnectionPoints, n, &enumerator);
    if (FAILED(hr))
        return runtime_publish(hr);
    for (struct connection_point *point = events->source->points; point; point = point->next)
        enumerator_add(enumerator, (IUnknown *)&point->IConnectionPoint_iface, 0);
    *points = (IEnumConnectionPoints *)enumerator;
    return S_OK;
}

static HRESULT no_point(REFIID iid)
{
    char text[GUID_TEXT_SIZE];

    return error_set(CONNECT_E_NOCONNECTION, "the object has no events of interface %s",
                     guid_format(iid, text));
}

static HRESULT STDMETHODCALLTYPE Container_FindConnectionPoint(IConnectionPointContainer *iface,
                                                               REFIID iid, IConnectionPoint **found)
{
    struct connection_point *point;

    if (!found)
        return E_POINTER;
    *found = NULL;
    point = find_point(events_from_container(iface), iid);
    if (!point)
        return runtime_publish(no_point(iid));
    *found = &point->IConnectionPoint_iface;
    IConnectionPoint_AddRef(*found);
    return S_OK;
}

static const IConnectionPointContainerVtbl container_vtable = {
    Container_QueryInterface,
    Container_AddRef,
    Container_Release,
    Container_EnumConnectionPoints,
    Container_FindConnectionPoint,
};

/* --- the object's side --- */

HRESULT via_events_init(struct via_events *events, IUnknown *object)
{
    *events = (struct via_events){0};
    events->source = calloc(1, sizeof(*events->source));
    if (!events->source)
        return runtime_publish(error_set(E_OUTOFMEMORY, "no memory for an object's events"));
    events->vtable = &container_vtable;
    events->source->object = object;
    return S_OK;
}

HRESULT via_events_add(struct via_events *events, REFIID iid,
                       const struct via_event_options *options, void **emitter)
{
    struct connection_point *point;
    HRESULT hr;

    *emitter = NULL;
    if (options && options->size < sizeof(options->size))
        return runtime_publish(error_set(E_INVALIDARG, "via_event_options.size is not set"));
    hr = connection_point_new(events->source->object, via_events_container(events), iid, options,
                              &point);
    if (FAILED(hr))
        return runtime_publish(hr);
    point->next = events->source->points;
    events->source->points = point;
    *emitter = &point->emitter;
    return S_OK;
}

HRESULT via_events_get_counters(struct via_events *events, REFIID iid,
                                struct via_event_counters *counters)
{
    struct connection_point *point = find_point(events, iid);
    struct via_event_counters copy;
    uint32_t size = counters->size;

    if (!point) {
        no_point(iid);
        return runtime_publish(error_get()->code);
    }
    os_mutex_lock(&point->lock);
    copy = point->counters;
    os_mutex_unlock(&point->lock);
    copy.size = size;
    memcpy(counters, &copy, size < sizeof(copy) ? size : sizeof(copy));
    return S_OK;
}

void via_events_deinit(struct via_events *events)
{
    struct connection_point *point = events->source ? events->source->points : NULL;

    while (point) {
        struct connection_point *next = point->next;

        connection_point_close(point);
        point = next;
    }
    free(events->source);
    events->source = NULL;
}

/* --- the client --- */

static HRESULT find_remote_point(IUnknown *object, REFIID iid, IConnectionPoint **point)
{
    IConnectionPointContainer *container;
    HRESULT hr =
        IUnknown_QueryInterface(object, &IID_IConnectionPointContainer, (void **)&container);

    if (FAILED(hr))
        return hr;
    hr = IConnectionPointContainer_FindConnectionPoint(container, iid, point);
    IConnectionPointContainer_Release(container);
    return hr;
}

HRESULT via_advise(IUnknown *object, REFIID iid, IUnknown *sink, DWORD *cookie)
{
    IConnectionPoint *point;
    HRESULT hr;

    *cookie = 0;
    hr = find_remote_point(object, iid, &point);
    if (FAILED(hr))
        return hr;
    hr = IConnectionPoint_Advise(point, sink, cookie);
    IConnectionPoint_Release(point);
    return hr;
}

HRESULT via_unadvise(IUnknown *object, REFIID iid, DWORD cookie)
{
    IConnectionPoint *point;
    HRESULT hr = find_remote_point(object, iid, &point);

    if (FAILED(hr))
        return hr;
    hr = IConnectionPoint_Unadvise(point, cookie);
    IConnectionPoint_Release(point);
    return hr;
}
