/* How calls on objects of other processes end: deadlines, cancelling, the process' death. */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

struct caller {
    ITestObject *object;
    struct os_thread *thread;
    _Atomic uint64_t id;
    HRESULT hr;
    LONG result;
    uint64_t ended_ns;
    char text[2048];
};

static LONG last_block(ITestObject *object)
{
    LONG value = 0;
    CHECK_OK(ITestObject_GetLastBlock(object, &value));
    return value;
}

TEST(gives_back_what_a_dead_process_held)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *mine = test_object_new("mine");
        CHECK_OK(ITestObject_Keep(peer.root, mine));
        ITestObject_Release(mine);
        CHECK_EQ(test_object_count(), 1);
        peer_kill(&peer);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(ends_a_call_at_its_deadline)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG cancelled = 0;
        LONG sum = 0;
        uint64_t start = os_now_ns();
        CHECK_EQ(via_thread_set_deadline(100), 0);
        HRESULT hr = ITestObject_Block(peer.root, 10000, &cancelled);
        CHECK_EQ(via_thread_set_deadline(0), 100);
        CHECK_HR(hr, RPC_E_TIMEOUT);
        CHECK(os_now_ns() - start < 2000u * UINT64_C(1000000) * harness_time_factor());
        CHECK(os_now_ns() - start >= 100u * UINT64_C(1000000));
        EVENTUALLY(last_block(peer.root) == 1);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 50));
        CHECK_HR(ITestObject_Block(peer.root, 10000, &cancelled), RPC_E_TIMEOUT);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 0));
        CHECK_OK(ITestObject_Add(peer.root, 1, 2, &sum));
        CHECK_EQ(sum, 3);
    }
    peer_end(&peer);
    fixture_end();
}

static void run_block(void *argument)
{
    struct caller *caller = argument;
    atomic_store(&caller->id, via_thread_id());
    caller->hr = ITestObject_Block(caller->object, 20000, &caller->result);
    caller->ended_ns = os_now_ns();
    via_error_message(caller->hr, caller->text, sizeof caller->text);
}

TEST(cancels_a_call)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct caller caller = {.object = peer.root};
        CHECK_HR(via_cancel(via_thread_id()), S_FALSE);
        CHECK_OK(os_thread_start(run_block, &caller, "caller", &caller.thread));
        while (atomic_load(&caller.id) == 0)
            os_sleep_ms(1);
        os_sleep_ms(50);
        while (via_cancel(caller.id) != S_OK)
            os_sleep_ms(1); /* it does not call yet */
        os_thread_join(caller.thread);
        CHECK_HR(caller.hr, RPC_E_CALL_CANCELED);
        EVENTUALLY(last_block(peer.root) == 1);
    }
    peer_end(&peer);
    fixture_end();
}

static void count_death(void *context, const char *reason)
{
    CHECK_STR_HAS(reason, "process");
    atomic_fetch_add((atomic_int *)context, 1);
}

TEST(ends_pending_calls_when_the_process_dies)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct caller callers[8];
        char pid[32];
        atomic_int deaths = 0;
        atomic_int forgotten = 0;
        uint64_t cookie = 0;
        uint64_t other = 0;
        LONG sum = 0;
        memset(callers, 0, sizeof callers);
        snprintf(pid, sizeof pid, "process %u", peer_own_pid(&peer));
        CHECK_OK(via_death_watch((IUnknown *)peer.root, count_death, &deaths, &cookie));
        CHECK_OK(via_death_watch((IUnknown *)peer.root, count_death, &forgotten, &other));
        CHECK_OK(via_death_unwatch(other));
        for (int i = 0; i < 8; i++) {
            callers[i].object = peer.root;
            CHECK_OK(os_thread_start(run_block, &callers[i], "caller", &callers[i].thread));
        }
        os_sleep_ms(100);
        uint64_t killed = os_now_ns();
        peer_kill(&peer);
        for (int i = 0; i < 8; i++) {
            os_thread_join(callers[i].thread);
            CHECK_HR(callers[i].hr, RPC_E_DISCONNECTED);
            CHECK(callers[i].ended_ns - killed < 1000u * UINT64_C(1000000) * harness_time_factor());
            CHECK_STR_HAS(callers[i].text, pid);
        }
        EVENTUALLY(atomic_load(&deaths) == 1);
        CHECK_HR(ITestObject_Add(peer.root, 1, 2, &sum), RPC_E_DISCONNECTED);
        struct via_peer_info info = {.size = sizeof info};
        CHECK_OK(via_get_peer((IUnknown *)peer.root, &info));
        CHECK_EQ(info.is_dead, 1);
        CHECK_EQ(atomic_load(&deaths), 1);
        CHECK_EQ(atomic_load(&forgotten), 0);
        CHECK_HR(via_death_unwatch(cookie), S_FALSE);
    }
    peer_end(&peer);
    fixture_end();
}

HARNESS_MAIN("remote_ends", TEST_ENTRY(gives_back_what_a_dead_process_held),
             TEST_ENTRY(ends_a_call_at_its_deadline), TEST_ENTRY(cancels_a_call),
             TEST_ENTRY(ends_pending_calls_when_the_process_dies))
