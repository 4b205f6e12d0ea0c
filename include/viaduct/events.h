/*
 * Events in a few lines: for the object that has them, and for the client that wants them.
 *
 * An object embeds a struct via_events, which answers for IConnectionPointContainer:
 *
 *     struct clock {
 *         IClock IClock_iface;
 *         struct via_events events;
 *         IClockEvents *fire;
 *     };
 *
 *     via_events_init(&clock->events, (IUnknown *)&clock->IClock_iface);
 *     via_events_add(&clock->events, &IID_IClockEvents, NULL, (void **)&clock->fire);
 *     QueryInterface:  IsEqualIID(iid, &IID_IConnectionPointContainer)
 *                          ? (void *)via_events_container(&clock->events) : ...
 *     an event:        IClockEvents_Ticked(clock->fire, now);
 *     the end:         via_events_deinit(&clock->events);
 *
 * A call of the emitter (`fire`) is copied, queued for each sink, and returns at once. Every sink
 * has a queue of its own, which one thread of the runtime at a time works off: each gets all events
 * in order, and a sink that is slow, stopped or dead delays neither the object nor other sinks.
 * Events of a method that is not one-way are called with a deadline. A sink whose process has ended
 * is unadvised.
 *
 * When a sink's queue is full its oldest event is dropped, the call that caused it returns S_FALSE,
 * and `n_lost` counts it.
 */
#ifndef VIADUCT_EVENTS_H
#define VIADUCT_EVENTS_H

#include <viaduct/com.h>
#include <viaduct/connection_points.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sinks that one connection point takes; CONNECT_E_ADVISELIMIT beyond. */
#define VIA_EVENTS_MAX_SINKS 4096u

/* Embedded in the object. Private: the object's IConnectionPointContainer, and what is behind it.
 */
struct via_events {
    const void *vtable;
    struct via_event_source *source;
};

/* What QueryInterface gives for IID_IConnectionPointContainer; not counted. */
static inline IConnectionPointContainer *via_events_container(struct via_events *events)
{
    return (IConnectionPointContainer *)(void *)events;
}

/* Every field but `size` may be 0: the default then. */
struct via_event_options {
    uint32_t size;        /* sizeof(struct via_event_options) */
    uint32_t max_queued;  /* events that wait for one sink; default 256 */
    uint32_t max_bytes;   /* their arguments' bytes, but one event always has room; default 1 MiB */
    uint32_t deadline_ms; /* for one call of a sink; default 5000 */
};

struct via_event_counters {
    uint32_t size; /* set by the caller: sizeof(struct via_event_counters) */
    uint32_t n_sinks;
    uint64_t n_fired;     /* calls of the emitter */
    uint64_t n_delivered; /* calls of sinks that succeeded */
    uint64_t n_failed;    /* calls of sinks that failed */
    uint64_t n_lost;      /* events that a full queue has dropped */
    uint64_t n_dead;      /* sinks that were unadvised because their process had ended */
};

/* [the object's maker] `object` is borrowed: the object itself, whose reference count its
 * connection points share. */
VIA_API HRESULT via_events_init(struct via_events *events, IUnknown *object);
/* [before the object is handed out] A connection point for the source interface `iid`, which this
 * process has a description of (via_register_typelib). `options` may be NULL. `emitter`: receives
 * an interface pointer `iid`, which is borrowed: it lives as long as `events`. That of a
 * dispinterface is an IDispatch; via_invoke() calls its members.
 * VIA_E_TYPE: the interface has a method with [out] parameters, which no queued event can fill;
 * REGDB_E_IIDNOTREG: no description; CO_E_NOTINITIALIZED: no runtime (via_initialize). */
VIA_API HRESULT via_events_add(struct via_events *events, REFIID iid,
                               const struct via_event_options *options, void **emitter);
/* [any thread] E_NOINTERFACE: there is no such connection point. */
VIA_API HRESULT via_events_get_counters(struct via_events *events, REFIID iid,
                                        struct via_event_counters *counters);
/* [the object's end; nobody has a reference any more] What is queued is still delivered. Does not
 * block. Allowed on zeroed memory, and after via_events_init() has failed. */
VIA_API void via_events_deinit(struct via_events *events);

/* --- the client --- */

/* Block where the object is another process'. Finds the connection point for `iid` and gives it the
 * sink, which has to implement `iid`, or an IDispatch of its own. E_NOINTERFACE: the object has no
 * events; CONNECT_E_NOCONNECTION: it has none of that interface; CONNECT_E_CANNOTCONNECT: the sink
 * implements neither. */
VIA_API HRESULT via_advise(IUnknown *object, REFIID iid, IUnknown *sink, DWORD *cookie);
/* Events that are queued do not come any more; a call that is under way may still. */
VIA_API HRESULT via_unadvise(IUnknown *object, REFIID iid, DWORD cookie);

#ifdef __cplusplus
}
#endif

#endif
