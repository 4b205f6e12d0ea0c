#include "com/std/connection_point.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/value.h>

#include "com/abi/guid.h"
#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/dispatch/set.h"
#include "com/marshal/marshal.h"
#include "com/remote/late.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/std/enumerate.h"
#include "com/std/event.h"
#include "com/std/sink.h"
#include "core/util/error.h"

/* Enough for a burst; 256 events and 1 MiB for each sink that does not keep up. */
#define DEFAULT_QUEUED   256u
#define DEFAULT_BYTES    (1u << 20)
#define DEFAULT_DEADLINE 5000u

static struct connection_point *point_from_IConnectionPoint(IConnectionPoint *iface)
{
    return (struct connection_point *)((char *)iface -
                                       offsetof(struct connection_point, IConnectionPoint_iface));
}

static struct connection_point *point_from_emitter(void *emitter)
{
    return (struct connection_point *)((char *)emitter -
                                       offsetof(struct connection_point, emitter));
}

/* --- the emitter --- */

static HRESULT STDMETHODCALLTYPE Emitter_QueryInterface(void *pointer, REFIID iid, void **object)
{
    struct connection_point *point = point_from_emitter(pointer);

    *object = NULL;
    if (!marshal_interface_has_base(point->itf, iid))
        return E_NOINTERFACE;
    IUnknown_AddRef(point->object);
    *object = pointer;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Emitter_AddRef(void *pointer)
{
    return IUnknown_AddRef(point_from_emitter(pointer)->object);
}

static ULONG STDMETHODCALLTYPE Emitter_Release(void *pointer)
{
    return IUnknown_Release(point_from_emitter(pointer)->object);
}

/* Queues for each sink, all under one lock: so every sink has the same order of events. */
static bool queue_for_all(struct connection_point *point, struct event *event)
{
    struct queued_event *dropped = NULL;
    struct sink *ready = NULL;
    uint64_t lost;

    os_mutex_lock(&point->lock);
    lost = point->counters.n_lost;
    for (struct list *l = point->sinks.next; l != &point->sinks; l = l->next) {
        struct sink *sink = list_entry(l, struct sink, link);

        if (sink_push_locked(sink, event, &dropped)) {
            sink->next_ready = ready;
            ready = sink;
        }
    }
    lost = point->counters.n_lost - lost;
    os_mutex_unlock(&point->lock);
    while (ready) {
        struct sink *next = ready->next_ready;

        sink_run(ready);
        ready = next;
    }
    queue_free(dropped);
    return lost > 0;
}

static HRESULT fire(void *pointer, const struct marshal_method *method, void **arguments)
{
    struct connection_point *point = point_from_emitter(pointer);
    struct event *event;
    bool is_wanted, has_lost;
    HRESULT hr;

    os_mutex_lock(&point->lock);
    point->counters.n_fired++;
    is_wanted = !list_is_empty(&point->sinks);
    os_mutex_unlock(&point->lock);
    if (!is_wanted)
        return S_OK;
    hr = event_new(method, arguments, &event);
    if (FAILED(hr))
        return runtime_publish(hr);
    has_lost = queue_for_all(point, event);
    event_unref(event);
    return has_lost ? S_FALSE : S_OK;
}

/* --- the emitter's IDispatch, of a source that derives from that --- */

static HRESULT STDMETHODCALLTYPE Emitter_GetTypeInfoCount(void *pointer, UINT *count)
{
    (void)pointer;
    if (!count)
        return E_POINTER;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Emitter_GetTypeInfo(void *pointer, UINT index, LCID lcid,
                                                     ITypeInfo **info)
{
    (void)pointer, (void)index, (void)lcid;
    if (!info)
        return E_POINTER;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Emitter_GetIDsOfNames(void *pointer, REFIID iid, LPOLESTR *names,
                                                       UINT n_names, LCID lcid, DISPID *ids)
{
    const struct dispatch_set set = {.n = 1, .interfaces = {point_from_emitter(pointer)->itf}};

    (void)lcid;
    return late_object_get_ids(&set, iid, names, n_names, ids);
}

/* The event is checked, and its arguments have the types of the description, before it is queued.
 */
static HRESULT fire_values(void *pointer, const struct marshal_method *method,
                           const struct via_value *in, struct via_value *out, bool *is_called)
{
    struct marshal_invocation *invocation;
    HRESULT hr = marshal_values_to_invocation(method, in, &invocation);

    if (SUCCEEDED(hr))
        hr = via_value_set_list(out, 0);
    if (FAILED(hr))
        return runtime_publish(hr);
    *is_called = true;
    hr = fire(pointer, method, marshal_invocation_arguments(invocation));
    marshal_invocation_free(invocation);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Emitter_Invoke(void *pointer, DISPID id, REFIID iid, LCID lcid,
                                                WORD flags, DISPPARAMS *params, VARIANT *result,
                                                EXCEPINFO *exception, UINT *wrong)
{
    const struct dispatch_target target = {
        .itf = point_from_emitter(pointer)->itf, .call = fire_values, .context = pointer};
    HRESULT hr = dispatch_check_params(iid, params);

    (void)lcid;
    if (SUCCEEDED(hr))
        hr = dispatch_invoke(&target, id, flags, params, result, exception, wrong);
    return hr == DISP_E_EXCEPTION ? hr : runtime_publish(hr);
}

static const void *const emitter_dispatch[4] = {
    (const void *)(uintptr_t)Emitter_GetTypeInfoCount,
    (const void *)(uintptr_t)Emitter_GetTypeInfo,
    (const void *)(uintptr_t)Emitter_GetIDsOfNames,
    (const void *)(uintptr_t)Emitter_Invoke,
};

static const void *const emitter_unknown[3] = {
    (const void *)(uintptr_t)Emitter_QueryInterface,
    (const void *)(uintptr_t)Emitter_AddRef,
    (const void *)(uintptr_t)Emitter_Release,
};
static const struct marshal_vtable_kind emitter_kind = {emitter_unknown, fire, emitter_dispatch};

/* --- IConnectionPoint --- */

static HRESULT STDMETHODCALLTYPE Point_QueryInterface(IConnectionPoint *iface, REFIID iid,
                                                      void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IConnectionPoint))
        return E_NOINTERFACE;
    IConnectionPoint_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Point_AddRef(IConnectionPoint *iface)
{
    return IUnknown_AddRef(point_from_IConnectionPoint(iface)->object);
}

static ULONG STDMETHODCALLTYPE Point_Release(IConnectionPoint *iface)
{
    return IUnknown_Release(point_from_IConnectionPoint(iface)->object);
}

static HRESULT STDMETHODCALLTYPE Point_GetConnectionInterface(IConnectionPoint *iface, IID *iid)
{
    if (!iid)
        return E_POINTER;
    *iid = *marshal_interface_iid(point_from_IConnectionPoint(iface)->itf);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE
Point_GetConnectionPointContainer(IConnectionPoint *iface, IConnectionPointContainer **container)
{
    if (!container)
        return E_POINTER;
    *container = point_from_IConnectionPoint(iface)->container;
    IConnectionPointContainer_AddRef(*container);
    return S_OK;
}

static struct sink *find_locked(struct connection_point *point, DWORD cookie)
{
    for (struct list *l = point->sinks.next; l != &point->sinks; l = l->next) {
        struct sink *sink = list_entry(l, struct sink, link);

        if (sink->cookie == cookie)
            return sink;
    }
    return NULL;
}

/* 0 is no cookie; after 2^32 of them old ones may still be in use. */
static DWORD new_cookie_locked(struct connection_point *point)
{
    do
        point->last_cookie++;
    while (point->last_cookie == 0 || find_locked(point, point->last_cookie));
    return point->last_cookie;
}

static HRESULT list_sink(struct connection_point *point, struct sink *sink, DWORD *cookie)
{
    bool is_dead, is_full, is_closed;

    os_mutex_lock(&point->lock);
    is_dead = sink->is_over;
    is_closed = point->is_closed;
    is_full = point->counters.n_sinks >= VIA_EVENTS_MAX_SINKS;
    if (!is_dead && !is_full && !is_closed) {
        sink->cookie = new_cookie_locked(point);
        *cookie = sink->cookie;
        list_append(&point->sinks, &sink->link);
        point->counters.n_sinks++;
    }
    os_mutex_unlock(&point->lock);
    if (is_dead)
        return error_set(RPC_E_DISCONNECTED, "the sink's process has ended");
    if (is_closed)
        return error_set(CO_E_OBJNOTCONNECTED, "the object is about to end");
    return is_full ? error_set(CONNECT_E_ADVISELIMIT, "the connection point has %u sinks already",
                               VIA_EVENTS_MAX_SINKS)
                   : S_OK;
}

static HRESULT STDMETHODCALLTYPE Point_Advise(IConnectionPoint *iface, IUnknown *advised,
                                              DWORD *cookie)
{
    struct connection_point *point = point_from_IConnectionPoint(iface);
    struct sink *sink;
    HRESULT hr;

    if (!cookie)
        return E_POINTER;
    *cookie = 0;
    if (!advised)
        return runtime_publish(error_set(E_POINTER, "Advise needs a sink"));
    hr = sink_new(point, advised, &sink);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = list_sink(point, sink, cookie);
    if (FAILED(hr)) {
        sink_unwatch(sink);
        sink_unref(sink);
    }
    return runtime_publish(hr);
}

static HRESULT STDMETHODCALLTYPE Point_Unadvise(IConnectionPoint *iface, DWORD cookie)
{
    struct connection_point *point = point_from_IConnectionPoint(iface);
    struct sink *sink;

    os_mutex_lock(&point->lock);
    sink = find_locked(point, cookie);
    if (sink)
        ref_inc(&sink->refs);
    os_mutex_unlock(&point->lock);
    if (sink) {
        bool was_there = connection_point_remove(point, sink, false);

        sink_unref(sink);
        if (was_there)
            return S_OK;
    }
    return runtime_publish(error_set(
        CONNECT_E_NOCONNECTION, "there is no sink with the cookie %u, or its process has ended",
        (unsigned)cookie));
}

static HRESULT STDMETHODCALLTYPE Point_EnumConnections(IConnectionPoint *iface,
                                                       IEnumConnections **connections)
{
    struct connection_point *point = point_from_IConnectionPoint(iface);
    struct enumerator *enumerator;
    HRESULT hr;

    if (!connections)
        return E_POINTER;
    *connections = NULL;
    os_mutex_lock(&point->lock);
    hr = enumerator_new(&IID_IEnumConnections, point->counters.n_sinks, &enumerator);
    for (struct list *l = point->sinks.next; SUCCEEDED(hr) && l != &point->sinks; l = l->next) {
        struct sink *sink = list_entry(l, struct sink, link);

        enumerator_add(enumerator, sink->advised, sink->cookie);
    }
    os_mutex_unlock(&point->lock);
    if (SUCCEEDED(hr))
        *connections = (IEnumConnections *)enumerator;
    return runtime_publish(hr);
}

static const IConnectionPointVtbl point_vtable = {
    Point_QueryInterface,
    Point_AddRef,
    Point_Release,
    Point_GetConnectionInterface,
    Point_GetConnectionPointContainer,
    Point_Advise,
    Point_Unadvise,
    Point_EnumConnections,
};

/* --- its life --- */

/* Nobody waits for an event, so nobody could give its results. */
static HRESULT check_methods(const struct marshal_interface *itf)
{
    char text[GUID_TEXT_SIZE];

    for (size_t i = 0; i < members_count(itf); i++) {
        const struct marshal_method *method = members_at(itf, i);

        if (marshal_method_has_results(method))
            return error_set(VIA_E_TYPE,
                             "interface %s cannot be a source of queued events: its method %s has "
                             "[out] parameters",
                             guid_format(marshal_interface_iid(itf), text),
                             marshal_method_name(method));
    }
    return S_OK;
}

static void set_options(struct via_event_options *options, const struct via_event_options *given)
{
    *options = (struct via_event_options){.size = sizeof(*options)};
    if (given)
        memcpy(options, given, given->size < sizeof(*options) ? given->size : sizeof(*options));
    if (options->max_queued == 0)
        options->max_queued = DEFAULT_QUEUED;
    if (options->max_bytes == 0)
        options->max_bytes = DEFAULT_BYTES;
    if (options->deadline_ms == 0)
        options->deadline_ms = DEFAULT_DEADLINE;
}

HRESULT connection_point_new(IUnknown *object, IConnectionPointContainer *container, REFIID iid,
                             const struct via_event_options *options,
                             struct connection_point **result)
{
    struct node *node = runtime_node();
    const struct marshal_interface *itf = node ? marshal_interface_find(iid) : NULL;
    const void *const *vtable = NULL;
    struct connection_point *point;
    HRESULT hr = node && itf ? check_methods(itf) : error_get()->code;

    if (SUCCEEDED(hr) && !(vtable = marshal_interface_vtable(itf, &emitter_kind)))
        hr = E_OUTOFMEMORY;
    if (FAILED(hr))
        return hr;
    point = calloc(1, sizeof(*point));
    if (!point)
        return error_set(E_OUTOFMEMORY, "no memory for a connection point");
    point->IConnectionPoint_iface.lpVtbl = (void *)&point_vtable;
    point->emitter.vtable = vtable;
    ref_init(&point->refs);
    point->node = node_ref(node);
    point->object = object;
    point->container = container;
    point->itf = itf;
    set_options(&point->options, options);
    os_mutex_init(&point->lock);
    list_init(&point->sinks);
    *result = point;
    return S_OK;
}

struct connection_point *connection_point_ref(struct connection_point *point)
{
    ref_inc(&point->refs);
    return point;
}

void connection_point_unref(struct connection_point *point)
{
    if (ref_dec(&point->refs) > 0)
        return;
    os_mutex_deinit(&point->lock);
    node_unref(point->node);
    free(point);
}

bool connection_point_remove(struct connection_point *point, struct sink *sink, bool is_dead)
{
    struct queued_event *rest;
    bool was_listed;

    os_mutex_lock(&point->lock);
    was_listed = list_is_linked(&sink->link);
    list_remove(&sink->link);
    sink->is_over = true;
    rest = sink_take_queue_locked(sink);
    if (was_listed) {
        point->counters.n_sinks--;
        point->counters.n_dead += is_dead;
    }
    os_mutex_unlock(&point->lock);
    queue_free(rest);
    if (was_listed) {
        sink_unwatch(sink);
        sink_unref(sink);
    }
    return was_listed;
}

void connection_point_close(struct connection_point *point)
{
    struct list *link;

    os_mutex_lock(&point->lock);
    point->is_closed = true;
    while ((link = list_pop(&point->sinks)) != NULL) {
        struct sink *sink = list_entry(link, struct sink, link);

        point->counters.n_sinks--;
        os_mutex_unlock(&point->lock);
        sink_unwatch(sink);
        sink_unref(sink);
        os_mutex_lock(&point->lock);
    }
    os_mutex_unlock(&point->lock);
    connection_point_unref(point);
}
