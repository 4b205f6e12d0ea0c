/*
 * One-way calls between processes that leave together: none is kept back, lost or overtaken.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

/* How many numbers the object has been given; a check: they are those from 0 on, in order. */
static ULONG appended(ITestObject *object)
{
    ULONG n = 0;
    LONG *values = NULL;
    CHECK_OK(ITestObject_GetAppended(object, &n, &values));
    for (ULONG i = 0; i < n && values != NULL; i++)
        if (!CHECK_EQ(values[i], i))
            break;
    CoTaskMemFree(values);
    return n;
}

/* The peer does not come back into the runtime: nothing but time sends what it has left there. */
TEST(arrive_while_the_caller_sleeps)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (LONG n = 1; n < 600; n = n * 3 + 1) {
            ITestObject *mine = test_object_new("mine");
            CHECK_OK(ITestObject_Pour(peer.root, mine, n, n < 300 ? 20 : 60000));
            EVENTUALLY(appended(mine) == (ULONG)n);
            ITestObject_Release(mine);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* Of a process that is killed only the last ones are missing. */
TEST(arrive_up_to_the_end_of_the_caller)
{
    REQUIRE(fixture_begin());
    for (int round = 0; round < 5; round++) {
        struct peer_process peer;
        if (!peer_start(&peer, "a"))
            break;
        ITestObject *mine = test_object_new("mine");
        CHECK_OK(ITestObject_Pour(peer.root, mine, 10000000, 0));
        EVENTUALLY(appended(mine) > 100);
        peer_kill(&peer);
        EVENTUALLY(ITestObject_Append(peer.root, 0, 0) == RPC_E_DISCONNECTED);
        CHECK(appended(mine) > 100);
        ITestObject_Release(mine);
        peer_end(&peer);
        EVENTUALLY(test_object_count() == 0);
    }
    fixture_end();
}

struct load {
    ITestObject *object;
    struct os_thread *thread;
};

/* Some take a while: what comes behind them is read by other threads then, and has to wait. */
static void append_and_look(void *argument)
{
    const struct load *load = argument;
    for (LONG i = 0; i < 1000; i++) {
        CHECK_OK(ITestObject_Append(load->object, i, i % 100 == 50 ? 1 : 0));
        if (i % 61 == 60)
            CHECK_EQ(appended(load->object), i + 1);
    }
    CHECK_EQ(appended(load->object), 1000);
}

/* Eight threads on one connection: a call comes after its thread's one-way calls on its object. */
TEST(keep_their_order_under_eight_threads)
{
    struct peer_process peer;
    struct load loads[8];
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (int i = 0; i < 8; i++)
            CHECK_OK(ITestObject_MakeChild(peer.root, &loads[i].object));
        for (int i = 0; i < 8; i++)
            CHECK_OK(os_thread_start(append_and_look, &loads[i], "load", &loads[i].thread));
        for (int i = 0; i < 8; i++) {
            os_thread_join(loads[i].thread);
            ITestObject_Release(loads[i].object);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* Eight threads of the peer, each of which pours into one object of this process. */
TEST(keep_their_order_from_eight_threads_of_the_peer)
{
    struct peer_process peer;
    ITestObject *sources[8];
    ITestObject *mine[8];
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (int i = 0; i < 8; i++) {
            mine[i] = test_object_new("mine");
            CHECK_OK(ITestObject_MakeChild(peer.root, &sources[i]));
        }
        for (int i = 0; i < 8; i++)
            CHECK_OK(ITestObject_Pour(sources[i], mine[i], 1000, 0));
        for (int i = 0; i < 8; i++) {
            EVENTUALLY(appended(mine[i]) == 1000);
            ITestObject_Release(sources[i]);
            ITestObject_Release(mine[i]);
        }
    }
    peer_end(&peer);
    EVENTUALLY(test_object_count() == 0);
    fixture_end();
}

HARNESS_MAIN("oneway", TEST_ENTRY(arrive_while_the_caller_sleeps),
             TEST_ENTRY(arrive_up_to_the_end_of_the_caller),
             TEST_ENTRY(keep_their_order_under_eight_threads),
             TEST_ENTRY(keep_their_order_from_eight_threads_of_the_peer))
