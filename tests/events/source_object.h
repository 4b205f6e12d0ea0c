/*
 * An object with events and weak references, and a sink that counts: of the test's own process and
 * of its helper programs.
 */
#ifndef TESTS_EVENTS_SOURCE_OBJECT_H
#define TESTS_EVENTS_SOURCE_OBJECT_H

#include "events_test.h"

/* `max_queued` 0: the default. */
ITestSource *source_object_new(ULONG max_queued);

struct sink_object {
    ITestEvents ITestEvents_iface;
    /* What came; NULL: only counted. Called on whatever thread the event comes. */
    void (*ticked)(struct sink_object *sink, LONG value);
    HRESULT (*said)(struct sink_object *sink, BSTR text, IUnknown *object);
    void *context;
    _Atomic(LONG) last;
    _Atomic(ULONG) n_calls;
    _Atomic(ULONG) refs;
    ULONG delay_ms; /* for each event */
};

/* With one reference; Release frees it. */
struct sink_object *sink_object_new(void);

/* Sources and sinks that live in this process. */
long event_object_count(void);

#endif
