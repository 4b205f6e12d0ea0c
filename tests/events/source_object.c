#include "tests/events/source_object.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <viaduct/events.h>
#include <viaduct/weak.h>

#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"

struct source {
    ITestSource ITestSource_iface;
    struct via_weak weak;
    struct via_events events;
    ITestEvents *fire;
    ITestOtherEvents *fire_other;
    struct os_mutex lock;
    struct sink_object *sink; /* lock; of Listen */
    IUnknown *kept;           /* lock */
    IWeakReference *known;    /* lock */
};

static atomic_long the_count;

static struct source *from_source(ITestSource *iface)
{
    return (struct source *)((char *)iface - offsetof(struct source, ITestSource_iface));
}

static HRESULT STDMETHODCALLTYPE Source_QueryInterface(ITestSource *iface, REFIID iid,
                                                       void **object)
{
    struct source *self = from_source(iface);
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ITestSource))
        *object = iface;
    else if (IsEqualIID(iid, &IID_IConnectionPointContainer))
        *object = via_events_container(&self->events);
    else if (IsEqualIID(iid, &IID_IWeakReferenceSource))
        *object = via_weak_source(&self->weak);
    if (*object == NULL)
        return E_NOINTERFACE;
    via_weak_add_ref(&self->weak);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Source_AddRef(ITestSource *iface)
{
    return via_weak_add_ref(&from_source(iface)->weak);
}

static ULONG STDMETHODCALLTYPE Source_Release(ITestSource *iface)
{
    struct source *self = from_source(iface);
    ULONG left = via_weak_release(&self->weak);
    if (left > 0)
        return left;
    via_events_deinit(&self->events);
    if (self->sink != NULL)
        ITestEvents_Release(&self->sink->ITestEvents_iface);
    if (self->kept != NULL)
        IUnknown_Release(self->kept);
    if (self->known != NULL)
        IWeakReference_Release(self->known);
    os_mutex_deinit(&self->lock);
    free(self);
    atomic_fetch_sub(&the_count, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Source_Tick(ITestSource *iface, LONG first, ULONG n, ULONG *full)
{
    struct source *self = from_source(iface);
    *full = 0;
    for (ULONG i = 0; i < n; i++) {
        HRESULT hr = ITestEvents_Ticked(self->fire, first + (LONG)i);
        if (FAILED(hr))
            return hr;
        *full += hr == S_FALSE;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Source_Say(ITestSource *iface, BSTR text, IUnknown *object)
{
    return ITestEvents_Said(from_source(iface)->fire, text, object);
}

static HRESULT STDMETHODCALLTYPE Source_Change(ITestSource *iface, ULONG n, const LONG *values)
{
    return ITestOtherEvents_Changed(from_source(iface)->fire_other, n, values);
}

static HRESULT STDMETHODCALLTYPE Source_GetCounters(ITestSource *iface,
                                                    struct SourceCounters *result)
{
    struct via_event_counters counters = {.size = sizeof counters};
    HRESULT hr = via_events_get_counters(&from_source(iface)->events, &IID_ITestEvents, &counters);
    *result = (struct SourceCounters){.sinks = counters.n_sinks,
                                      .fired = counters.n_fired,
                                      .delivered = counters.n_delivered,
                                      .failed = counters.n_failed,
                                      .lost = counters.n_lost,
                                      .dead = counters.n_dead};
    return hr;
}

static HRESULT STDMETHODCALLTYPE Source_MakeSource(ITestSource *iface, ULONG max_queued,
                                                   ITestSource **source)
{
    (void)iface;
    *source = source_object_new(max_queued);
    return *source != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Source_GetProcessId(ITestSource *iface, ULONG *pid)
{
    (void)iface;
    *pid = os_process_id();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Source_CountObjects(ITestSource *iface, LONG *n)
{
    (void)iface;
    *n = (LONG)event_object_count();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Source_Listen(ITestSource *iface, ITestSource *source, ULONG ms,
                                               ULONG *cookie)
{
    struct source *self = from_source(iface);
    struct sink_object *sink = sink_object_new();
    DWORD given = 0;
    if (sink == NULL)
        return E_OUTOFMEMORY;
    sink->delay_ms = ms;
    HRESULT hr = via_advise((IUnknown *)source, &IID_ITestEvents,
                            (IUnknown *)&sink->ITestEvents_iface, &given);
    *cookie = given;
    os_mutex_lock(&self->lock);
    struct sink_object *previous = self->sink;
    self->sink = sink;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        ITestEvents_Release(&previous->ITestEvents_iface);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Source_GetHeard(ITestSource *iface, LONG *last, ULONG *n)
{
    struct source *self = from_source(iface);
    os_mutex_lock(&self->lock);
    *last = self->sink != NULL ? atomic_load(&self->sink->last) : 0;
    *n = self->sink != NULL ? atomic_load(&self->sink->n_calls) : 0;
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Source_Keep(ITestSource *iface, IUnknown *object)
{
    struct source *self = from_source(iface);
    if (object != NULL)
        IUnknown_AddRef(object);
    os_mutex_lock(&self->lock);
    IUnknown *previous = self->kept;
    self->kept = object;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        IUnknown_Release(previous);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Source_Know(ITestSource *iface, IUnknown *object)
{
    struct source *self = from_source(iface);
    IWeakReference *reference = NULL;
    HRESULT hr = object != NULL ? via_weak_get(object, &reference) : S_OK;
    os_mutex_lock(&self->lock);
    IWeakReference *previous = self->known;
    self->known = reference;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        IWeakReference_Release(previous);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Source_GetKnown(ITestSource *iface, IUnknown **object)
{
    struct source *self = from_source(iface);
    *object = NULL;
    os_mutex_lock(&self->lock);
    IWeakReference *known = self->known;
    if (known != NULL)
        IWeakReference_AddRef(known);
    os_mutex_unlock(&self->lock);
    if (known == NULL)
        return S_OK;
    HRESULT hr = IWeakReference_Resolve(known, &IID_IUnknown, (IInspectable **)object);
    IWeakReference_Release(known);
    return hr;
}

static const ITestSourceVtbl source_vtable = {
    Source_QueryInterface, Source_AddRef,     Source_Release,
    Source_Tick,           Source_Say,        Source_Change,
    Source_GetCounters,    Source_MakeSource, Source_GetProcessId,
    Source_CountObjects,   Source_Listen,     Source_GetHeard,
    Source_Keep,           Source_Know,       Source_GetKnown,
};

ITestSource *source_object_new(ULONG max_queued)
{
    struct via_event_options options = {.size = sizeof options, .max_queued = max_queued};
    struct source *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ITestSource_iface.lpVtbl = (void *)&source_vtable;
    IUnknown *object = (IUnknown *)&self->ITestSource_iface;
    if (FAILED(via_weak_init(&self->weak, object))) {
        free(self);
        return NULL;
    }
    os_mutex_init(&self->lock);
    atomic_fetch_add(&the_count, 1);
    HRESULT hr = via_events_init(&self->events, object);
    if (SUCCEEDED(hr))
        hr = via_events_add(&self->events, &IID_ITestEvents, &options, (void **)&self->fire);
    if (SUCCEEDED(hr))
        hr = via_events_add(&self->events, &IID_ITestOtherEvents, NULL, (void **)&self->fire_other);
    if (SUCCEEDED(hr))
        return &self->ITestSource_iface;
    IUnknown_Release(object);
    return NULL;
}

/* --- the sink --- */

static struct sink_object *from_events(ITestEvents *iface)
{
    return (struct sink_object *)((char *)iface - offsetof(struct sink_object, ITestEvents_iface));
}

static HRESULT STDMETHODCALLTYPE Sink_QueryInterface(ITestEvents *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_ITestEvents))
        return E_NOINTERFACE;
    ITestEvents_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Sink_AddRef(ITestEvents *iface)
{
    return atomic_fetch_add(&from_events(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Sink_Release(ITestEvents *iface)
{
    struct sink_object *self = from_events(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left == 0) {
        free(self);
        atomic_fetch_sub(&the_count, 1);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Sink_Ticked(ITestEvents *iface, LONG value)
{
    struct sink_object *self = from_events(iface);
    if (self->ticked != NULL)
        self->ticked(self, value);
    if (self->delay_ms > 0)
        os_sleep_ms(self->delay_ms);
    atomic_store(&self->last, value);
    atomic_fetch_add(&self->n_calls, 1);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Sink_Said(ITestEvents *iface, BSTR text, IUnknown *object)
{
    struct sink_object *self = from_events(iface);
    HRESULT hr = self->said != NULL ? self->said(self, text, object) : S_OK;
    if (self->delay_ms > 0)
        os_sleep_ms(self->delay_ms);
    atomic_fetch_add(&self->n_calls, 1);
    return hr;
}

static const ITestEventsVtbl sink_vtable = {
    Sink_QueryInterface, Sink_AddRef, Sink_Release, Sink_Ticked, Sink_Said,
};

struct sink_object *sink_object_new(void)
{
    struct sink_object *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ITestEvents_iface.lpVtbl = (void *)&sink_vtable;
    atomic_init(&self->refs, 1);
    atomic_fetch_add(&the_count, 1);
    return self;
}

long event_object_count(void)
{
    return atomic_load(&the_count);
}
