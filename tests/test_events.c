/* Connection points: order, slow and dead sinks, full queues, enumerators, the object's end. */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/events.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "tests/events/fixture.h"

#define MANY 1000

struct record {
    atomic_int n;
    atomic_int n_wrong; /* not behind the one before */
    _Atomic(LONG) last;
    atomic_bool is_open;
    atomic_int n_waiting;
};

static void note_tick(struct sink_object *sink, LONG value)
{
    struct record *record = sink->context;
    if (value <= atomic_exchange(&record->last, value))
        atomic_fetch_add(&record->n_wrong, 1);
    atomic_fetch_add(&record->n, 1);
}

/* Until the gate is open: what a sink that does not return is like. */
static void wait_at_gate(struct sink_object *sink, LONG value)
{
    struct record *record = sink->context;
    atomic_fetch_add(&record->n_waiting, 1);
    while (!atomic_load(&record->is_open))
        os_sleep_ms(1);
    note_tick(sink, value);
}

static struct sink_object *new_sink(struct record *record)
{
    struct sink_object *sink = sink_object_new();
    if (!CHECK_NOT_NULL(sink))
        abort();
    sink->ticked = note_tick;
    sink->context = record;
    return sink;
}

static DWORD advise(ITestSource *source, struct sink_object *sink)
{
    DWORD cookie = 0;
    CHECK_OK(via_advise((IUnknown *)source, &IID_ITestEvents, (IUnknown *)&sink->ITestEvents_iface,
                        &cookie));
    CHECK_NE(cookie, 0);
    return cookie;
}

static HRESULT unadvise(ITestSource *source, DWORD cookie)
{
    return via_unadvise((IUnknown *)source, &IID_ITestEvents, cookie);
}

static void release_sink(struct sink_object *sink)
{
    ITestEvents_Release(&sink->ITestEvents_iface);
}

static ULONG tick(ITestSource *source, LONG first, ULONG n)
{
    ULONG full = 0;
    CHECK_OK(ITestSource_Tick(source, first, n, &full));
    return full;
}

/* --- in order, to each --- */

static void check_order(ITestSource *source)
{
    struct record records[3] = {{0}};
    struct sink_object *sinks[3];
    DWORD cookies[3];
    for (int i = 0; i < 3; i++) {
        sinks[i] = new_sink(&records[i]);
        cookies[i] = advise(source, sinks[i]);
    }
    CHECK_EQ(source_counters(source).sinks, 3);
    CHECK_EQ(tick(source, 1, MANY), 0);
    for (int i = 0; i < 3; i++) {
        EVENTUALLY(atomic_load(&records[i].n) == MANY);
        CHECK_EQ(atomic_load(&records[i].n_wrong), 0);
        CHECK_OK(unadvise(source, cookies[i]));
    }
    EVENTUALLY(source_counters(source).delivered == 3 * MANY);
    tick(source, MANY + 1, 10);
    CHECK_EQ(source_counters(source).sinks, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(atomic_load(&records[i].n), MANY);
        release_sink(sinks[i]);
    }
}

TEST(tells_each_sink_in_order)
{
    REQUIRE(events_begin());
    ITestSource *source = source_object_new(MANY);
    check_order(source);
    ITestSource_Release(source);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

TEST(tells_sinks_of_another_process)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        ITestSource *source = NULL;
        CHECK_OK(ITestSource_MakeSource(peer.root, MANY, &source));
        check_order(source);
        ITestSource_Release(source);
        EVENTUALLY(event_object_count() == 0);
        EVENTUALLY(remote_object_count(peer.root) == 1);
    }
    events_peer_end(&peer);
    fixture_end();
}

struct heard {
    IUnknown *object;
    WCHAR first;
    atomic_int n;
};

static HRESULT note_said(struct sink_object *sink, BSTR text, IUnknown *object)
{
    struct heard *heard = sink->context;
    heard->first = SysStringLen(text) > 0 ? text[0] : 0;
    heard->object = object;
    if (object != NULL)
        IUnknown_AddRef(object);
    atomic_fetch_add(&heard->n, 1);
    return heard->first == 'f' ? E_FAIL : S_OK;
}

static void say(ITestSource *source, const char *text, IUnknown *object)
{
    BSTR string = address_bstr(text);
    CHECK_OK(ITestSource_Say(source, string, object));
    SysFreeString(string);
}

TEST(carries_texts_and_objects)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        struct heard heard = {0};
        struct sink_object *sink = sink_object_new();
        struct sink_object *mine = sink_object_new();
        sink->said = note_said;
        sink->context = &heard;
        DWORD cookie = advise(peer.root, sink);
        say(peer.root, "hello", (IUnknown *)&mine->ITestEvents_iface);
        EVENTUALLY(atomic_load(&heard.n) == 1);
        CHECK_EQ(heard.first, 'h');
        CHECK_PTR_EQ(heard.object, &mine->ITestEvents_iface); /* it has come home */
        if (heard.object != NULL)
            IUnknown_Release(heard.object);
        say(peer.root, "f", NULL);
        EVENTUALLY(atomic_load(&heard.n) == 2);
        CHECK_NULL(heard.object);
        EVENTUALLY(source_counters(peer.root).failed == 1);
        CHECK_EQ(source_counters(peer.root).sinks, 1); /* a failure is no reason to unadvise it */
        CHECK_OK(unadvise(peer.root, cookie));
        release_sink(sink);
        release_sink(mine);
        EVENTUALLY(event_object_count() == 0);
    }
    events_peer_end(&peer);
    fixture_end();
}

/* --- slow, full, dead --- */

static void check_slow(ITestSource *source)
{
    struct record stuck = {0};
    struct record quick = {0};
    struct sink_object *one = new_sink(&stuck);
    struct sink_object *other = new_sink(&quick);
    one->ticked = wait_at_gate;
    DWORD cookie = advise(source, one);
    DWORD second = advise(source, other);
    ULONG full = tick(source, 1, 1);
    EVENTUALLY(atomic_load(&stuck.n_waiting) == 1);
    for (LONG i = 2; i <= 100; i++) {
        full += tick(source, i, 1);
        EVENTUALLY(atomic_load(&quick.n) == i);
    }
    CHECK_EQ(atomic_load(&stuck.n), 0);
    struct SourceCounters counters = source_counters(source);
    CHECK_EQ(counters.fired, 100);
    atomic_store(&stuck.is_open, true);
    EVENTUALLY(atomic_load(&stuck.last) == 100);
    CHECK_EQ(atomic_load(&quick.n_wrong), 0);
    CHECK_EQ(atomic_load(&stuck.n_wrong), 0);
    EVENTUALLY(source_counters(source).delivered + counters.lost == 200);
    CHECK_EQ(full, counters.lost);
    harness_note("%d of 100 events reached the slow sink, the last ones among them", stuck.n);
    CHECK_OK(unadvise(source, cookie));
    CHECK_OK(unadvise(source, second));
    release_sink(one);
    release_sink(other);
}

TEST(a_slow_sink_harms_nobody)
{
    REQUIRE(events_begin());
    ITestSource *source = source_object_new(8);
    check_slow(source);
    CHECK_EQ(source_counters(source).lost, 100 - 1 - 8); /* one is under way, eight wait */
    ITestSource_Release(source);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

/* A few of its one-way calls wait in the sink's process as well. */
TEST(a_slow_sink_of_another_process_harms_nobody)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        ITestSource *source = NULL;
        CHECK_OK(ITestSource_MakeSource(peer.root, 8, &source));
        check_slow(source);
        CHECK(source_counters(source).lost >= 100 - 16 - 8);
        ITestSource_Release(source);
        EVENTUALLY(event_object_count() == 0);
    }
    events_peer_end(&peer);
    fixture_end();
}

TEST(forgets_a_sink_whose_process_has_ended)
{
    struct events_peer peer;
    struct events_peer listener;
    REQUIRE(events_begin());
    bool started = events_peer_start(&peer, "source");
    if (events_peer_start(&listener, "listener") && started) {
        ULONG cookie = 0;
        LONG last = 0;
        ULONG n = 0;
        CHECK_OK(ITestSource_Listen(listener.root, peer.root, 0, &cookie));
        CHECK_EQ(source_counters(peer.root).sinks, 1);
        tick(peer.root, 5, 1);
        EVENTUALLY(SUCCEEDED(ITestSource_GetHeard(listener.root, &last, &n)) && n == 1);
        CHECK_EQ(last, 5);
        uint64_t killed = os_now_ns();
        peer_kill(&listener.process);
        EVENTUALLY(source_counters(peer.root).sinks == 0); /* without an event */
        CHECK(os_now_ns() - killed < 1000u * UINT64_C(1000000) * harness_time_factor());
        CHECK_EQ(source_counters(peer.root).dead, 1);
        CHECK_HR(unadvise(peer.root, cookie), CONNECT_E_NOCONNECTION);
        tick(peer.root, 6, 1);
    }
    events_peer_end(&listener);
    events_peer_end(&peer);
    fixture_end();
}

/* --- the interfaces of COM --- */

static ULONG count_points(IConnectionPointContainer *container)
{
    IEnumConnectionPoints *points = NULL;
    IEnumConnectionPoints *clone = NULL;
    IConnectionPoint *found[4] = {NULL};
    ULONG n = 9;
    CHECK_OK(IConnectionPointContainer_EnumConnectionPoints(container, &points));
    CHECK_OK(IEnumConnectionPoints_Next(points, 1, found, NULL));
    CHECK_OK(IEnumConnectionPoints_Clone(points, &clone));
    CHECK_HR(IEnumConnectionPoints_Next(points, 3, found + 1, &n), S_FALSE);
    CHECK_EQ(n, 1);
    CHECK_NULL(found[2]);
    CHECK_HR(IEnumConnectionPoints_Next(points, 3, found + 2, NULL), E_POINTER);
    CHECK_HR(IEnumConnectionPoints_Skip(points, 1), S_FALSE);
    CHECK_OK(IEnumConnectionPoints_Skip(clone, 1));
    CHECK_OK(IEnumConnectionPoints_Reset(points));
    CHECK_OK(IEnumConnectionPoints_Skip(points, 2));
    IEnumConnectionPoints_Release(points);
    IEnumConnectionPoints_Release(clone);
    ULONG n_found = 0;
    for (int i = 0; i < 4; i++) {
        IID iid;
        if (found[i] == NULL)
            continue;
        CHECK_OK(IConnectionPoint_GetConnectionInterface(found[i], &iid));
        CHECK(IsEqualIID(&iid, &IID_ITestEvents) || IsEqualIID(&iid, &IID_ITestOtherEvents));
        IConnectionPoint_Release(found[i]);
        n_found++;
    }
    return n_found;
}

static void check_connections(IConnectionPoint *point, const CONNECTDATA *expected)
{
    IEnumConnections *connections = NULL;
    CONNECTDATA data[3];
    ULONG n = 0;
    memset(data, 0, sizeof data);
    CHECK_OK(IConnectionPoint_EnumConnections(point, &connections));
    CHECK_HR(IEnumConnections_Next(connections, 3, data, &n), S_FALSE);
    CHECK_EQ(n, 2);
    for (ULONG i = 0; i < n && i < 2; i++) {
        CHECK_PTR_EQ(data[i].pUnk, expected[i].pUnk);
        CHECK_EQ(data[i].dwCookie, expected[i].dwCookie);
        if (data[i].pUnk != NULL)
            IUnknown_Release(data[i].pUnk);
    }
    IEnumConnections_Release(connections);
}

static void check_interfaces(ITestSource *source)
{
    IConnectionPointContainer *container = NULL;
    IConnectionPointContainer *again = NULL;
    IConnectionPoint *point = NULL;
    struct record record = {0};
    struct sink_object *sinks[2] = {new_sink(&record), new_sink(&record)};
    REQUIRE_OK(
        ITestSource_QueryInterface(source, &IID_IConnectionPointContainer, (void **)&container));
    CHECK_EQ(count_points(container), 2);
    CHECK_HR(IConnectionPointContainer_FindConnectionPoint(container, &IID_ITestQuestions, &point),
             CONNECT_E_NOCONNECTION);
    CHECK_NULL(point);
    CHECK_OK(IConnectionPointContainer_FindConnectionPoint(container, &IID_ITestEvents, &point));
    CHECK_OK(IConnectionPoint_GetConnectionPointContainer(point, &again));
    CHECK_PTR_EQ(again, container);
    CONNECTDATA expected[2];
    for (int i = 0; i < 2; i++) {
        expected[i].pUnk = (IUnknown *)&sinks[i]->ITestEvents_iface;
        CHECK_OK(IConnectionPoint_Advise(point, expected[i].pUnk, &expected[i].dwCookie));
    }
    check_connections(point, expected);
    DWORD cookie = 7;
    CHECK_HR(IConnectionPoint_Advise(point, (IUnknown *)source, &cookie), CONNECT_E_CANNOTCONNECT);
    CHECK_EQ(cookie, 0);
    CHECK_HR(IConnectionPoint_Advise(point, NULL, &cookie), E_POINTER);
    CHECK_HR(IConnectionPoint_Unadvise(point, 0), CONNECT_E_NOCONNECTION);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(IConnectionPoint_Unadvise(point, expected[i].dwCookie));
        CHECK_HR(IConnectionPoint_Unadvise(point, expected[i].dwCookie), CONNECT_E_NOCONNECTION);
        release_sink(sinks[i]);
    }
    IConnectionPointContainer_Release(again);
    IConnectionPointContainer_Release(container);
    IConnectionPoint_Release(point);
}

TEST(has_the_interfaces_of_com)
{
    REQUIRE(events_begin());
    ITestSource *source = source_object_new(0);
    check_interfaces(source);
    ITestSource_Release(source);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

TEST(has_them_across_processes)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        ITestSource *source = NULL;
        CHECK_OK(ITestSource_MakeSource(peer.root, 0, &source));
        check_interfaces(source);
        ITestSource_Release(source);
    }
    EVENTUALLY(event_object_count() == 0);
    events_peer_end(&peer);
    fixture_end();
}

TEST(refuses_what_cannot_be_fired)
{
    REQUIRE(events_begin());
    ITestSource *source = source_object_new(0);
    struct via_events events;
    void *emitter = &events;
    REQUIRE_OK(via_events_init(&events, (IUnknown *)source));
    HRESULT hr = via_events_add(&events, &IID_ITestQuestions, NULL, &emitter);
    CHECK_HR(hr, VIA_E_TYPE);
    CHECK_STR_HAS(error_text(hr), "Ask");
    CHECK_NULL(emitter);
    CHECK_HR(via_events_add(&events, &IID_IErrorInfo, NULL, &emitter), REGDB_E_IIDNOTREG);
    via_events_deinit(&events);
    via_events_deinit(&events);
    ITestSource_Release(source);
    fixture_end();
}

/* --- ends and races --- */

/* What was queued before the object ended still comes. */
TEST(tells_what_was_queued_at_the_end)
{
    REQUIRE(events_begin());
    struct record record = {0};
    struct sink_object *sink = new_sink(&record);
    sink->ticked = wait_at_gate;
    ITestSource *source = source_object_new(0);
    advise(source, sink);
    tick(source, 1, 20);
    EVENTUALLY(atomic_load(&record.n_waiting) == 1);
    CHECK_EQ(ITestSource_Release(source), 0);
    atomic_store(&record.is_open, true);
    EVENTUALLY(atomic_load(&record.n) == 20);
    CHECK_EQ(atomic_load(&record.n_wrong), 0);
    release_sink(sink);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

struct leaver {
    ITestSource *source;
    DWORD cookie;
    atomic_int n;
    HRESULT hr;
};

static void leave_at_once(struct sink_object *sink, LONG value)
{
    struct leaver *leaver = sink->context;
    (void)value;
    leaver->hr = unadvise(leaver->source, leaver->cookie);
    atomic_fetch_add(&leaver->n, 1);
}

TEST(a_sink_may_leave_while_it_is_called)
{
    REQUIRE(events_begin());
    struct leaver leaver = {.source = source_object_new(0), .hr = E_FAIL};
    struct sink_object *sink = sink_object_new();
    sink->ticked = leave_at_once;
    sink->context = &leaver;
    leaver.cookie = advise(leaver.source, sink);
    tick(leaver.source, 1, 50);
    EVENTUALLY(atomic_load(&leaver.n) == 1);
    CHECK_OK(leaver.hr);
    release_sink(sink);
    ITestSource_Release(leaver.source);
    EVENTUALLY(event_object_count() == 0);
    CHECK_EQ(atomic_load(&leaver.n), 1);
    fixture_end();
}

struct worker {
    ITestSource *source;
    struct os_thread *thread;
};

static void come_and_go(void *argument)
{
    struct worker *worker = argument;
    for (int i = 0; i < 100; i++) {
        struct record record = {0};
        struct sink_object *sink = new_sink(&record);
        sink->ticked = NULL; /* the record may be gone when the last event comes */
        DWORD cookie = advise(worker->source, sink);
        tick(worker->source, i, 5);
        CHECK_OK(unadvise(worker->source, cookie));
        release_sink(sink);
    }
}

TEST(many_threads_advise_and_fire)
{
    REQUIRE(events_begin());
    struct worker workers[4];
    ITestSource *source = source_object_new(16);
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){.source = source};
        CHECK_OK(os_thread_start(come_and_go, &workers[i], "worker", &workers[i].thread));
    }
    for (int i = 0; i < 4; i++)
        os_thread_join(workers[i].thread);
    CHECK_EQ(source_counters(source).sinks, 0);
    CHECK_EQ(source_counters(source).fired, 2000);
    ITestSource_Release(source);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

static void advise_and_fire(void)
{
    ITestSource *source = source_object_new(0);
    struct sink_object *sink = sink_object_new();
    DWORD cookie = 0;
    if (source != NULL && sink != NULL &&
        SUCCEEDED(via_advise((IUnknown *)source, &IID_ITestEvents,
                             (IUnknown *)&sink->ITestEvents_iface, &cookie))) {
        ULONG full;
        BSTR text = SysAllocString(VIA_STR("text"));
        ITestSource_Tick(source, 1, 2, &full);
        ITestSource_Say(source, text, (IUnknown *)&sink->ITestEvents_iface);
        SysFreeString(text);
        unadvise(source, cookie);
    }
    if (sink != NULL)
        release_sink(sink);
    if (source != NULL)
        ITestSource_Release(source);
    SetErrorInfo(0, NULL);
}

TEST(survives_failing_allocations)
{
    if (os_path_separator == '\\')
        SKIP("without memory for a new thread's variables MinGW's libgcc ends the process");
    REQUIRE(events_begin());
    advise_and_fire(); /* what is made once is made */
    for (size_t n = 0; harness_fail_allocation(n), advise_and_fire(), harness_allocation_failed();
         n++)
        EVENTUALLY(event_object_count() == 0);
    EVENTUALLY(event_object_count() == 0);
    fixture_end();
}

HARNESS_MAIN("events", TEST_ENTRY(tells_each_sink_in_order),
             TEST_ENTRY(tells_sinks_of_another_process), TEST_ENTRY(carries_texts_and_objects),
             TEST_ENTRY(a_slow_sink_harms_nobody),
             TEST_ENTRY(a_slow_sink_of_another_process_harms_nobody),
             TEST_ENTRY(forgets_a_sink_whose_process_has_ended),
             TEST_ENTRY(has_the_interfaces_of_com), TEST_ENTRY(has_them_across_processes),
             TEST_ENTRY(refuses_what_cannot_be_fired), TEST_ENTRY(tells_what_was_queued_at_the_end),
             TEST_ENTRY(a_sink_may_leave_while_it_is_called),
             TEST_ENTRY(many_threads_advise_and_fire), TEST_ENTRY(survives_failing_allocations))
