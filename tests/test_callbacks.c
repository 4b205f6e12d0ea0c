/*
 * Chains of synchronous calls that go round and round through three processes, as deep as programs
 * nest them and deeper: none blocks, whatever the objects' contexts, and the probes for chains that
 * wait for each other find nothing where there is nothing. With VIADUCT_TEST_WINDOWS each of the
 * three is a Windows program in turn, in all combinations.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

#define N_PROCESSES 3
#define DEPTH       64
/* Four probes of each call that waits are sent in that time. */
#define PROBED_MS 800u

static const char *const process_names[N_PROCESSES] = {"first", "second", "third"};

struct ring {
    struct peer_process peers[N_PROCESSES];
    ITestObject *objects[N_PROCESSES]; /* one in each */
};

enum kind { FREE, SERIAL, IN_APARTMENT, N_KINDS };

static HRESULT make(ITestObject *root, enum kind kind, ITestObject **object)
{
    switch (kind) {
    case SERIAL:
        return ITestObject_MakeSerialChild(root, object);
    case IN_APARTMENT:
        return ITestObject_MakeApartmentChild(root, object);
    default:
        return ITestObject_MakeChild(root, object);
    }
}

static bool begin(struct ring *ring, unsigned windows, enum kind kind)
{
    bool good = true;
    memset(ring, 0, sizeof *ring);
    for (unsigned i = 0; i < N_PROCESSES; i++)
        good &= peer_launch_one_of(&ring->peers[i], windows, i, process_names[i]);
    for (int i = 0; i < N_PROCESSES && good; i++) {
        struct peer_process *peer = &ring->peers[i];
        good = peer_connect(peer, &IID_ITestObject, (void **)&peer->root) &&
               CHECK_OK(make(peer->root, kind, &ring->objects[i]));
    }
    return good;
}

/* Each process has its root left, and nothing of the others. */
static void end(struct ring *ring)
{
    for (int i = 0; i < N_PROCESSES; i++)
        if (ring->objects[i] != NULL)
            ITestObject_Release(ring->objects[i]);
    for (int i = 0; i < N_PROCESSES; i++) {
        LONG n = 1;
        if (ring->peers[i].root != NULL)
            EVENTUALLY(FAILED(ITestObject_CountObjects(ring->peers[i].root, &n)) || n == 1);
        CHECK_EQ(n, 1);
    }
    for (int i = 0; i < N_PROCESSES; i++)
        peer_end(&ring->peers[i]);
}

static HRESULT call_around(struct ring *ring, int from, ITestObject *gate, LONG *levels)
{
    ITestObject *const *objects = ring->objects;
    return ITestObject_CallAround(objects[from], objects[(from + 1) % N_PROCESSES],
                                  objects[(from + 2) % N_PROCESSES], gate, DEPTH, levels);
}

static void go_round(unsigned windows)
{
    struct ring ring;
    for (enum kind kind = FREE; kind < N_KINDS; kind++) {
        if (begin(&ring, windows, kind)) {
            for (int i = 0; i < N_PROCESSES; i++) {
                LONG levels = 0;
                CHECK_OK(call_around(&ring, i, NULL, &levels));
                CHECK_EQ(levels, DEPTH);
            }
        }
        end(&ring);
    }
}

TEST(callbacks_go_round_three_processes)
{
    fixture_for_each_combination(N_PROCESSES, process_names, go_round);
}

/* --- while others wait --- */

struct chain {
    struct ring *ring;
    ITestObject *gate; /* which the innermost call waits at */
    struct os_thread *thread;
    HRESULT hr;
    LONG levels;
};

static void run_chain(void *argument)
{
    struct chain *chain = argument;
    chain->hr = call_around(chain->ring, 0, chain->gate, &chain->levels);
    if (FAILED(chain->hr))
        FAIL("the chain: %s", error_text(chain->hr));
    SetErrorInfo(0, NULL);
}

struct outsider {
    ITestObject *object;
    struct os_thread *thread;
    HRESULT hr;
    LONG sum;
    atomic_bool is_done;
};

static void run_outsider(void *argument)
{
    struct outsider *outsider = argument;
    outsider->hr = ITestObject_Add(outsider->object, 20, 3, &outsider->sum);
    if (FAILED(outsider->hr))
        FAIL("an outsider: %s", error_text(outsider->hr));
    SetErrorInfo(0, NULL);
    atomic_store(&outsider->is_done, true);
}

/* Questions for interfaces name no chain, and who asks may be what the chain waits for. */
static void ask(ITestObject *object)
{
    ITestName *name = NULL;
    if (CHECK_OK(ITestObject_QueryInterface(object, &IID_ITestName, (void **)&name)))
        ITestName_Release(name);
}

/* The chain is inside all three objects, whose contexts let in one at a time; who calls one of
 * these from outside waits until it has gone, and no probe takes that for a cycle. */
static void wait_for_chain(struct ring *ring)
{
    struct chain chain = {.ring = ring, .gate = test_object_new("gate")};
    struct outsider outsiders[N_PROCESSES];
    memset(outsiders, 0, sizeof outsiders);
    CHECK_OK(os_thread_start(run_chain, &chain, "chain", &chain.thread));
    EVENTUALLY(test_object_met(chain.gate) == 1);
    for (int i = 0; i < N_PROCESSES; i++) {
        outsiders[i].object = ring->objects[i];
        CHECK_OK(os_thread_start(run_outsider, &outsiders[i], "outsider", &outsiders[i].thread));
    }
    os_sleep_ms(PROBED_MS);
    for (int i = 0; i < N_PROCESSES; i++)
        ask(ring->objects[i]);
    for (int i = 0; i < N_PROCESSES; i++)
        CHECK_FALSE(atomic_load(&outsiders[i].is_done));
    CHECK_OK(ITestObject_Meet(chain.gate, 1));
    os_thread_join(chain.thread);
    CHECK_OK(chain.hr);
    CHECK_EQ(chain.levels, DEPTH);
    for (int i = 0; i < N_PROCESSES; i++) {
        os_thread_join(outsiders[i].thread);
        CHECK_OK(outsiders[i].hr);
        CHECK_EQ(outsiders[i].sum, 23);
    }
    ITestObject_Release(chain.gate);
}

static void be_waited_for(unsigned windows)
{
    struct ring ring;
    for (enum kind kind = SERIAL; kind < N_KINDS; kind++) {
        if (begin(&ring, windows, kind))
            wait_for_chain(&ring);
        end(&ring);
        EVENTUALLY(test_object_count() == 0);
    }
}

TEST(a_deep_chain_that_others_wait_for_is_no_cycle)
{
    fixture_for_each_combination(N_PROCESSES, process_names, be_waited_for);
}

/* --- a last release --- */

static void name_it(ITestObject *object, const char *text)
{
    ITestName *name = NULL;
    BSTR string = address_bstr(text);
    if (CHECK_OK(ITestObject_QueryInterface(object, &IID_ITestName, (void **)&name))) {
        CHECK_OK(ITestName_SetName(name, string));
        ITestName_Release(name);
    }
    SysFreeString(string);
}

/* An object calls out when it ends, and is called back in its context, which it still is inside:
 * by way of an object of this process, on another one of that context. */
static void end_with_a_call(ITestObject *root, enum kind kind)
{
    ITestObject *back = test_object_new("back"), *object = NULL, *other = NULL;
    LONG before = 0, n = 0;
    if (CHECK_OK(make(root, kind, &object)) && CHECK_OK(ITestObject_MakeChild(object, &other)) &&
        CHECK_OK(ITestObject_Keep(back, other)) && CHECK_OK(ITestObject_Keep(object, back))) {
        name_it(object, TEST_OBJECT_FAREWELL);
        CHECK_OK(ITestObject_CountObjects(root, &before));
        ITestObject_Release(object);
        EVENTUALLY(FAILED(ITestObject_CountObjects(root, &n)) || n == before - 1);
        ITestObject_Release(other);
    }
    CHECK_OK(ITestObject_Keep(back, NULL));
    ITestObject_Release(back);
}

static void end_with_calls(unsigned windows)
{
    struct peer_process peer;
    if (peer_launch_one_of(&peer, windows, 0, process_names[0]) &&
        peer_connect(&peer, &IID_ITestObject, (void **)&peer.root))
        for (enum kind kind = FREE; kind < N_KINDS; kind++)
            end_with_a_call(peer.root, kind);
    peer_end(&peer);
    EVENTUALLY(test_object_count() == 0);
}

TEST(what_a_last_release_calls_may_call_back)
{
    fixture_for_each_combination(1, process_names, end_with_calls);
}

#define COMBINATIONS_MS 240000u

HARNESS_MAIN("callbacks", TEST_ENTRY_LIMIT(callbacks_go_round_three_processes, COMBINATIONS_MS),
             TEST_ENTRY_LIMIT(a_deep_chain_that_others_wait_for_is_no_cycle, COMBINATIONS_MS),
             TEST_ENTRY_LIMIT(what_a_last_release_calls_may_call_back, COMBINATIONS_MS))
