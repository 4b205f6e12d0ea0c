/*
 * Chains of calls that wait for each other's serial objects: one call is refused, by name, and the
 * others go on; and nothing is refused that only waits long.
 */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/remote/crosswait.h"
#include "com/remote/gate.h"
#include "com/remote/runtime.h"
#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

#define N_REPETITIONS 10
#define MAX_CROSSING  3

/* One chain: it goes into `object`, and from there to `other` once all have gone into theirs. */
struct crossing {
    ITestObject *object;
    ITestObject *gate;
    ITestObject *via;
    ITestObject *other;
    LONG n;
    struct os_thread *thread;
    HRESULT hr;
    LONG sum;
    uint64_t took_ns;
    char text[2048];
};

static void run_crossing(void *argument)
{
    struct crossing *crossing = argument;
    uint64_t start_ns = os_now_ns();
    crossing->hr = ITestObject_Cross(crossing->object, crossing->gate, crossing->n, crossing->via,
                                     crossing->other, &crossing->sum);
    crossing->took_ns = os_now_ns() - start_ns;
    if (FAILED(crossing->hr))
        via_error_message(crossing->hr, crossing->text, sizeof crossing->text);
}

static void start(struct crossing *crossing)
{
    CHECK_OK(os_thread_start(run_crossing, crossing, "crossing", &crossing->thread));
}

static void join_succeeded(struct crossing *crossing)
{
    os_thread_join(crossing->thread);
    if (!CHECK_OK(crossing->hr))
        FAIL("%s", crossing->text);
    CHECK_EQ(crossing->sum, 23);
}

static struct crossing *check_refused(struct crossing *crossings, LONG n)
{
    struct crossing *refused = NULL;
    LONG n_refused = 0;
    for (LONG i = 0; i < n; i++) {
        if (SUCCEEDED(crossings[i].hr)) {
            CHECK_EQ(crossings[i].sum, 23);
            continue;
        }
        CHECK_HR(crossings[i].hr, VIA_E_DEADLOCK);
        refused = &crossings[i];
        n_refused++;
    }
    CHECK_EQ(n_refused, 1);
    return refused;
}

/* Chain i is inside objects[i] and calls the next one: which chain was refused. */
static struct crossing *cross(ITestObject *const *objects, LONG n, ITestObject *via,
                              struct crossing *crossings)
{
    ITestObject *gate = test_object_new("gate");
    memset(crossings, 0, (size_t)n * sizeof *crossings);
    for (LONG i = 0; i < n; i++) {
        crossings[i].object = objects[i];
        crossings[i].other = objects[(i + 1) % n];
        crossings[i].gate = gate;
        crossings[i].via = via;
        crossings[i].n = n;
        start(&crossings[i]);
    }
    for (LONG i = 0; i < n; i++) {
        os_thread_join(crossings[i].thread);
        CHECK(crossings[i].took_ns < UINT64_C(5000000000) * harness_time_factor());
    }
    ITestObject_Release(gate);
    return check_refused(crossings, n);
}

/* `pids`: what the processes call themselves; a Windows one has another number here. */
static void check_names(const struct crossing *refused, const ULONG *pids, LONG n)
{
    char who[96];
    if (refused == NULL)
        return;
    snprintf(who, sizeof who, "ITestObject::Cross of process %u", (unsigned)os_process_id());
    CHECK_STR_HAS(refused->text, who);
    for (LONG i = 0; i < n; i++) {
        snprintf(who, sizeof who, "in process %u", (unsigned)pids[i]);
        CHECK_STR_HAS(refused->text, who);
        snprintf(who, sizeof who, "ITestObject::Add of process %u", (unsigned)pids[i]);
        CHECK_STR_HAS(refused->text, who);
    }
}

static void cross_processes(LONG n, unsigned windows)
{
    struct peer_process peers[MAX_CROSSING];
    ITestObject *objects[MAX_CROSSING] = {NULL};
    ULONG pids[MAX_CROSSING];
    struct crossing crossings[MAX_CROSSING];
    bool started = true;
    for (LONG i = 0; i < n; i++)
        started = peer_launch_one_of(&peers[i], windows, (unsigned)i, "a") && started;
    for (LONG i = 0; i < n && started; i++)
        started = peer_connect(&peers[i], &IID_ITestObject, (void **)&peers[i].root) &&
                  CHECK_OK(ITestObject_GetProcessId(peers[i].root, &pids[i])) &&
                  CHECK_OK(ITestObject_MakeSerialChild(peers[i].root, &objects[i]));
    for (int i = 0; started && i < N_REPETITIONS; i++)
        check_names(cross(objects, n, NULL, crossings), pids, n);
    for (LONG i = 0; i < n; i++) {
        LONG sum = 0;
        if (objects[i] != NULL) {
            CHECK_OK(ITestObject_Add(objects[i], 1, 2, &sum)); /* nobody is inside any more */
            ITestObject_Release(objects[i]);
        }
        peer_end(&peers[i]);
    }
}

static void cross_two(unsigned windows)
{
    cross_processes(2, windows);
}

static void cross_three(unsigned windows)
{
    cross_processes(3, windows);
}

static const char *const crossing_names[MAX_CROSSING] = {"first", "second", "third"};

TEST(refuses_one_of_two_processes)
{
    fixture_for_each_combination(2, crossing_names, cross_two);
}

TEST(refuses_one_of_three_processes)
{
    fixture_for_each_combination(3, crossing_names, cross_three);
}

/* Both objects in one process: the chains come back to it by way of this one. A probe does so, too,
 * and must not wait for the one-way call. */
static void cross_in_one_process(bool is_behind_oneway)
{
    struct peer_process peer;
    ITestObject *objects[2] = {NULL};
    struct crossing crossings[2];
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *via = test_object_new("via");
        CHECK_OK(ITestObject_MakeSerialChild(peer.root, &objects[0]));
        CHECK_OK(ITestObject_MakeSerialChild(peer.root, &objects[1]));
        if (is_behind_oneway)
            CHECK_OK(ITestObject_Append(peer.root, 1, 60000));
        for (int i = 0; i < (is_behind_oneway ? 1 : N_REPETITIONS); i++) {
            struct crossing *refused = cross(objects, 2, via, crossings);
            if (refused != NULL)
                CHECK_STR_HAS(refused->text, "ITestObject::Cross of process");
        }
        ITestObject_Release(objects[0]);
        ITestObject_Release(objects[1]);
        ITestObject_Release(via);
    }
    peer_end(&peer);
    EVENTUALLY(test_object_count() == 0);
    fixture_end();
}

TEST(refuses_one_in_one_process)
{
    cross_in_one_process(false);
}

TEST(passes_one_way_calls)
{
    cross_in_one_process(true);
}

/* --- what only waits --- */

struct caller {
    ITestObject *object;
    ULONG ms;
    struct os_thread *thread;
    HRESULT hr;
    LONG most;
};

static void run_overlap(void *argument)
{
    struct caller *caller = argument;
    caller->hr = ITestObject_Overlap(caller->object, caller->ms, &caller->most);
}

static void overlap(ITestObject *object, int n, ULONG ms)
{
    struct caller callers[32];
    memset(callers, 0, sizeof callers);
    for (int i = 0; i < n; i++) {
        callers[i].object = object;
        callers[i].ms = ms;
        CHECK_OK(os_thread_start(run_overlap, &callers[i], "caller", &callers[i].thread));
    }
    for (int i = 0; i < n; i++) {
        os_thread_join(callers[i].thread);
        CHECK_OK(callers[i].hr);
        CHECK_EQ(callers[i].most, 1);
    }
}

TEST(lets_a_call_wait_for_a_busy_object)
{
    struct peer_process peer;
    ITestObject *serial = NULL;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a") && CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial))) {
        overlap(serial, 2, 500);
        overlap(serial, 32, 30);
        ITestObject_Release(serial);
    }
    peer_end(&peer);
    fixture_end();
}

/* What a call has said of an object holds until that call hands it out, whatever runs within it. */
TEST(a_callback_leaves_an_object_serial)
{
    struct peer_process peer;
    ITestObject *serial = NULL;
    ITestObject *back = test_object_new("back");
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a") &&
        CHECK_OK(ITestObject_MakeSerialChildMeanwhile(peer.root, back, &serial))) {
        overlap(serial, 2, 500);
        ITestObject_Release(serial);
    }
    ITestObject_Release(back);
    peer_end(&peer);
    fixture_end();
}

/* The chain inside waits for this process, which is slow, not blocked. */
TEST(lets_a_call_wait_for_a_callback)
{
    struct peer_process peer;
    ITestObject *serial = NULL;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a") && CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial))) {
        ITestObject *gate = test_object_new("gate");
        /* `other` is the object itself: its own chain comes in again. */
        struct crossing inside = {.object = serial, .gate = gate, .other = serial, .n = 3};
        struct crossing outside = {.object = serial, .gate = gate, .other = serial, .n = 1};
        start(&inside);
        EVENTUALLY(test_object_met(gate) == 1);
        start(&outside);
        os_sleep_ms(500);
        CHECK_OK(ITestObject_Meet(gate, 1));
        CHECK_OK(ITestObject_Meet(gate, 1));
        join_succeeded(&inside);
        join_succeeded(&outside);
        ITestObject_Release(gate);
        ITestObject_Release(serial);
    }
    peer_end(&peer);
    EVENTUALLY(test_object_count() == 0);
    fixture_end();
}

/* One waits for the next, which waits for a third: a long way, and no cycle. */
TEST(lets_calls_wait_in_a_row)
{
    struct peer_process a;
    struct peer_process b;
    ITestObject *first = NULL;
    ITestObject *second = NULL;
    REQUIRE(fixture_begin());
    bool started = peer_start(&a, "a");
    if (peer_start(&b, "b") && started && CHECK_OK(ITestObject_MakeSerialChild(a.root, &first)) &&
        CHECK_OK(ITestObject_MakeSerialChild(b.root, &second))) {
        ITestObject *gate = test_object_new("gate");
        struct caller busy = {.object = second, .ms = 600};
        struct crossing next = {.object = first, .gate = gate, .other = second, .n = 1};
        struct crossing last = {.object = first, .gate = gate, .other = second, .n = 1};
        CHECK_OK(os_thread_start(run_overlap, &busy, "caller", &busy.thread));
        os_sleep_ms(50);
        start(&next);
        start(&last);
        os_thread_join(busy.thread);
        CHECK_OK(busy.hr);
        join_succeeded(&next);
        join_succeeded(&last);
        ITestObject_Release(gate);
        ITestObject_Release(first);
        ITestObject_Release(second);
    }
    peer_end(&b);
    peer_end(&a);
    EVENTUALLY(test_object_count() == 0);
    fixture_end();
}

/* --- probes that are not what they say --- */

/* Waits until a call is queued in this process. */
static bool find_queued(struct gate_wait *wait)
{
    bool more = false;
    uint64_t end_ns = os_deadline_ms(5000 * harness_time_factor());
    while (os_now_ns() < end_ns) {
        for (unsigned part = 0; part < GATE_N_PARTS; part++)
            if (gate_take_due(runtime_node(), part, UINT64_MAX / 2, wait, 1, &more) == 1)
                return true;
        os_sleep_ms(5);
    }
    return CHECK(false && "no call was queued");
}

static void probe(const struct gate_call *call, const struct link_id *name, uint32_t n_hops)
{
    struct probe probe = {.wait = *name, .n_hops = n_hops, .path = "a\nlie"};
    crosswait_received(&probe, call);
}

static void probe_wrongly(const struct gate_wait *wait)
{
    struct link_id name = wait->name;
    struct gate_call call = wait->queued;
    name.bytes[15] ^= 1;
    probe(&call, &name, 0);
    memset(&name, 0xFF, sizeof name);
    probe(&call, &name, 0);
    memset(&name, 0, sizeof name);
    probe(&call, &name, 0);
    probe(&call, &wait->name, 64);
    probe(&call, &wait->name, UINT32_MAX);
    call.call_id++;
    probe(&call, &wait->name, 0);
    call = wait->queued;
    call.chain.bytes[0] ^= 1;
    probe(&call, &wait->name, 0);
    call = wait->queued;
    call.peer = NULL; /* any other */
    call.call_id = wait->queued.call_id + 1;
    probe(&call, &wait->name, 0);
    probe(&wait->inside, &wait->name, 0);
}

/* This process has the object; the peer's calls on it, in chains that begin here, queue. */
TEST(refuses_nothing_that_a_probe_does_not_know)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct gate_wait wait;
        ITestObject *serial = test_object_new("serial");
        ITestObject *gate = test_object_new("gate");
        CHECK_OK(via_object_set_serial((IUnknown *)serial));
        CHECK_OK(ITestObject_Keep(peer.root, serial)); /* hands it out, with its mark */
        struct crossing inside = {.object = peer.root, .gate = serial, .other = peer.root, .n = 2};
        struct crossing queued = {.object = peer.root, .gate = gate, .other = serial, .n = 1};
        struct crossing last = queued;
        start(&inside);
        EVENTUALLY(test_object_met(serial) == 1);
        start(&queued);
        if (find_queued(&wait)) {
            struct gate_wait still;
            probe_wrongly(&wait);
            if (CHECK(gate_find(&wait.queued, &still))) {
                CHECK_MEM_EQ(&still.name, &wait.name, sizeof wait.name);
                gate_wait_deinit(&still);
            }
            probe(&wait.queued, &wait.name, 0);
            probe(&wait.queued, &wait.name, 0); /* once only */
            gate_wait_deinit(&wait);
        }
        os_thread_join(queued.thread);
        CHECK_HR(queued.hr, VIA_E_DEADLOCK);
        CHECK_STR_HAS(queued.text, "a lie");
        start(&last);
        CHECK_OK(ITestObject_Meet(serial, 1));
        join_succeeded(&inside);
        join_succeeded(&last);
        CHECK_OK(ITestObject_Keep(peer.root, NULL));
        ITestObject_Release(serial);
        ITestObject_Release(gate);
    }
    peer_end(&peer);
    EVENTUALLY(test_object_count() == 0);
    fixture_end();
}

#define COMBINATIONS_MS 240000u

HARNESS_MAIN("crosswait", TEST_ENTRY_LIMIT(refuses_one_of_two_processes, COMBINATIONS_MS),
             TEST_ENTRY_LIMIT(refuses_one_of_three_processes, COMBINATIONS_MS),
             TEST_ENTRY(refuses_one_in_one_process), TEST_ENTRY(passes_one_way_calls),
             TEST_ENTRY(lets_a_call_wait_for_a_busy_object),
             TEST_ENTRY(a_callback_leaves_an_object_serial),
             TEST_ENTRY(lets_a_call_wait_for_a_callback), TEST_ENTRY(lets_calls_wait_in_a_row),
             TEST_ENTRY(refuses_nothing_that_a_probe_does_not_know))
