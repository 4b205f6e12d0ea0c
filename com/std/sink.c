#include "com/std/sink.h"

#include <stdlib.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "com/marshal/marshal.h"
#include "com/remote/call.h"
#include "com/remote/import.h"
#include "com/remote/late.h"
#include "com/remote/node.h"
#include "com/remote/watch.h"
#include "com/std/connection_point.h"
#include "com/std/event.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* So many events of one sink before others on the same worker have their turn. */
#define EVENTS_IN_A_ROW 32
/* Of them so many that the sink's process has not answered: a few round trips' worth. */
#define ONE_WAY_IN_A_ROW 16

struct queued_event {
    struct queued_event *next;
    struct event *event; /* a reference */
};

static void died(void *context, const char *reason)
{
    struct sink *sink = context;

    if (connection_point_remove(sink->point, sink, true))
        log_debug("events", "a sink is gone: %s", reason);
    sink_unref(sink);
}

/* A sink that was made without the interface's header, by a script or from a description. An
 * IDispatch that the runtime makes of a description is none: its ids are those of other methods. */
static HRESULT find_late_target(struct sink *sink)
{
    struct import *import = import_of(sink->advised);

    if (import && !late_has_dispatch(import))
        return E_NOINTERFACE;
    sink->is_late = true;
    return IUnknown_QueryInterface(sink->advised, &IID_IDispatch, &sink->target);
}

static HRESULT find_target(struct sink *sink)
{
    const GUID *iid = marshal_interface_iid(sink->point->itf);
    char text[GUID_TEXT_SIZE];
    HRESULT hr = IUnknown_QueryInterface(sink->advised, iid, &sink->target);

    sink->is_late = marshal_interface_is_dispinterface(sink->point->itf);
    if (hr == E_NOINTERFACE || hr == REGDB_E_IIDNOTREG)
        hr = find_late_target(sink);
    if (hr != E_NOINTERFACE)
        return hr;
    return error_set(CONNECT_E_CANNOTCONNECT,
                     "the sink implements neither the interface %s nor IDispatch",
                     guid_format(iid, text));
}

HRESULT sink_new(struct connection_point *point, IUnknown *advised, struct sink **result)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    struct import *import = import_of(advised);
    HRESULT hr;

    if (!sink)
        return error_set(E_OUTOFMEMORY, "no memory for a sink");
    ref_init(&sink->refs);
    sink->point = connection_point_ref(point);
    sink->last = &sink->first;
    sink->advised = advised;
    IUnknown_AddRef(advised);
    hr = find_target(sink);
    if (SUCCEEDED(hr) && import) {
        ref_inc(&sink->refs); /* the watch's; it may fire before this returns */
        hr = watch_add(import, died, sink, &sink->watch);
        if (FAILED(hr))
            sink_unref(sink);
    }
    if (FAILED(hr)) {
        sink_unref(sink);
        return hr;
    }
    *result = sink;
    return S_OK;
}

void sink_unref(struct sink *sink)
{
    if (ref_dec(&sink->refs) > 0)
        return;
    if (sink->target)
        IUnknown_Release((IUnknown *)sink->target);
    IUnknown_Release(sink->advised);
    connection_point_unref(sink->point);
    free(sink);
}

void sink_unwatch(struct sink *sink)
{
    /* A watch that has fired, or is about to, drops its reference itself. */
    if (sink->watch != 0 && watch_remove(sink->point->node, sink->watch) == S_OK)
        sink_unref(sink);
}

/* --- the queue --- */

static struct queued_event *pop_locked(struct sink *sink)
{
    struct queued_event *queued = sink->first;

    if (!queued)
        return NULL;
    sink->first = queued->next;
    if (!sink->first)
        sink->last = &sink->first;
    sink->n_queued--;
    sink->n_bytes -= event_size(queued->event);
    queued->next = NULL;
    return queued;
}

static bool is_full_locked(const struct sink *sink)
{
    const struct via_event_options *options = &sink->point->options;

    return sink->n_queued > options->max_queued ||
           (sink->n_bytes > options->max_bytes && sink->n_queued > 1);
}

bool sink_push_locked(struct sink *sink, struct event *event, struct queued_event **dropped)
{
    struct queued_event *queued = malloc(sizeof(*queued));
    bool starts = !sink->is_running;

    if (!queued) {
        sink->point->counters.n_lost++;
        return false;
    }
    *queued = (struct queued_event){NULL, event_ref(event)};
    *sink->last = queued;
    sink->last = &queued->next;
    sink->n_queued++;
    sink->n_bytes += event_size(event);
    while (is_full_locked(sink)) {
        struct queued_event *oldest = pop_locked(sink);

        oldest->next = *dropped;
        *dropped = oldest;
        sink->point->counters.n_lost++;
    }
    if (starts) {
        sink->is_running = true;
        ref_inc(&sink->refs); /* the job's */
    }
    return starts;
}

struct queued_event *sink_take_queue_locked(struct sink *sink)
{
    struct queued_event *all = sink->first;

    sink->first = NULL;
    sink->last = &sink->first;
    sink->n_queued = 0;
    sink->n_bytes = 0;
    return all;
}

void queue_free(struct queued_event *events)
{
    while (events) {
        struct queued_event *next = events->next;

        event_unref(events->event);
        free(events);
        events = next;
    }
}

/* --- calling the sink --- */

static void call(struct sink *sink, const struct event *event)
{
    struct connection_point *point = sink->point;
    struct import *import = import_of(sink->target);
    uint32_t usual = via_thread_set_deadline(point->options.deadline_ms);
    HRESULT hr;

    if (import && ++sink->n_unanswered == ONE_WAY_IN_A_ROW) {
        sink->n_unanswered = 0;
        call_await_next(true);
    }
    hr = event_call(event, sink->target, sink->is_late);
    call_await_next(false);
    via_thread_set_deadline(usual);
    os_mutex_lock(&point->lock);
    if (SUCCEEDED(hr))
        point->counters.n_delivered++;
    else
        point->counters.n_failed++;
    os_mutex_unlock(&point->lock);
    if (FAILED(hr)) {
        error_border_clear(); /* nobody waits for it */
        if (import && import_is_dead(import))
            connection_point_remove(point, sink, true);
    }
}

static void deliver(void *argument)
{
    struct sink *sink = argument;
    struct connection_point *point = sink->point;

    for (int i = 0; i < EVENTS_IN_A_ROW; i++) {
        struct queued_event *queued;

        os_mutex_lock(&point->lock);
        queued = pop_locked(sink);
        sink->is_running = queued != NULL;
        os_mutex_unlock(&point->lock);
        if (!queued) {
            sink_unref(sink);
            return;
        }
        call(sink, queued->event);
        queue_free(queued);
    }
    sink_run(sink);
}

void sink_run(struct sink *sink)
{
    node_submit(sink->point->node, &sink->job, deliver, sink);
}
