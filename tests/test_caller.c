/*
 * via_call_current(): what a method learns of its caller, in every way in which a method can be
 * called. With VIADUCT_TEST_WINDOWS the other process is a Windows program.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/async.h>
#include <viaduct/caller.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/identity.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/util/utf.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

/* Deadlines that are far away are kept by a coarse clock. */
#define SLACK_MS 100u

static bool text_is(BSTR text, const char *expected)
{
    char *utf8 = utf_from_wide(text != NULL ? text : VIA_STR(""), SysStringLen(text));
    bool is = utf8 != NULL && strcmp(utf8, expected) == 0;
    if (!is)
        harness_note("\"%s\" is not \"%s\"", utf8 != NULL ? utf8 : "(none)", expected);
    free(utf8);
    return is;
}

/* The scheme of the peer's address, or shared memory that the connection has moved to. */
static bool transport_fits(BSTR transport, const struct peer_process *peer)
{
    char scheme[16] = "";
    const char *colon = strchr(peer->address, ':');
    memcpy(scheme, peer->address, (size_t)(colon - peer->address));
    return SysStringLen(transport) == 3 && transport[0] == 's' ? true : text_is(transport, scheme);
}

/* What both systems' kernels can know of this process. */
static void check_identity(const struct TestCaller *caller)
{
    struct via_peer_identity self;
    os_identity_self(&self);
    if (caller->known & self.flags & VIA_CALLER_HAS_UNIX) {
        CHECK_EQ(caller->uid, self.uid);
        CHECK_EQ(caller->gid, self.gid);
    }
    if (caller->known & self.flags & VIA_CALLER_HAS_SID)
        CHECK(text_is(caller->sid, self.sid));
    bool same_terms = ((caller->known ^ self.flags) & VIA_CALLER_HAS_UNIX) == 0;
    if ((caller->known & VIA_CALLER_HAS_PID) && same_terms)
        CHECK_EQ(caller->pid, self.pid);
    if (os_path_separator == '/')
        CHECK_EQ(caller->known, VIA_CALLER_HAS_UNIX | VIA_CALLER_HAS_PID);
}

/* That this process has called. */
static void check_is_me(const struct TestCaller *caller, const struct peer_process *peer)
{
    CHECK(caller->isCalled);
    CHECK_EQ(caller->processId, os_process_id());
    CHECK_EQ(caller->isWindows, os_path_separator == '\\');
    CHECK(SysStringLen(caller->agent) > 0);
    CHECK(transport_fits(caller->transport, peer));
    check_identity(caller);
}

static void check_is_nobody(const struct TestCaller *caller)
{
    static const GUID zero;
    CHECK_FALSE(caller->isCalled);
    CHECK_EQ(caller->known | caller->uid | caller->gid | caller->pid | caller->processId, 0);
    CHECK_EQ(caller->remainingMs, VIA_NO_DEADLINE);
    CHECK_FALSE(caller->isOneway || caller->isCancelled || caller->isWindows || caller->isWine);
    CHECK_EQ(memcmp(&caller->node, &zero, sizeof zero), 0);
    CHECK_EQ(SysStringLen(caller->agent), 0);
    CHECK_EQ(SysStringLen(caller->transport), 0);
    CHECK_EQ(SysStringLen(caller->sid), 0);
}

static bool same_node(const struct TestCaller *a, const struct TestCaller *b)
{
    return memcmp(&a->node, &b->node, sizeof a->node) == 0;
}

TEST(a_method_knows_its_caller)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct TestCaller caller = {0};
        CHECK_OK(ITestObject_GetCaller(peer.root, &caller));
        check_is_me(&caller, &peer);
        CHECK_FALSE(caller.isOneway);
        CHECK_FALSE(caller.isCancelled);
        CHECK(caller.remainingMs > 10000 && caller.remainingMs <= 30000 + SLACK_MS);
        test_caller_clear(&caller);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(until_when)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct TestCaller caller = {0};
        CHECK_EQ(via_thread_set_deadline(20000), 0);
        CHECK_OK(ITestObject_GetCaller(peer.root, &caller));
        CHECK(caller.remainingMs <= 20000 + SLACK_MS && caller.remainingMs > 0);
        test_caller_clear(&caller);
        via_thread_set_deadline(0);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, VIA_NO_DEADLINE));
        CHECK_OK(ITestObject_GetCaller(peer.root, &caller));
        CHECK_EQ(caller.remainingMs, VIA_NO_DEADLINE);
        test_caller_clear(&caller);
    }
    peer_end(&peer);
    fixture_end();
}

/* A calls B, which calls A back, and then looks again; the deadline of the inner one is what is
 * left of the outer one's. */
TEST(in_nested_calls)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct via_peer_info info = {.size = sizeof info};
        ITestObject *mine = test_object_new("mine");
        struct TestCaller before = {0}, there = {0}, after = {0}, here;
        CHECK_OK(via_get_peer((IUnknown *)peer.root, &info));
        CHECK_EQ(via_thread_set_deadline(25000), 0);
        CHECK_OK(ITestObject_AskCaller(peer.root, mine, &before, &there, &after));
        via_thread_set_deadline(0);
        check_is_me(&before, &peer);
        check_is_me(&after, &peer);
        CHECK(same_node(&before, &after));
        CHECK_FALSE(same_node(&before, &there));
        CHECK(there.isCalled);
        CHECK_EQ(there.processId, info.process_id);
        CHECK_EQ(there.isWindows, info.is_windows);
        CHECK_EQ(there.isWine, info.is_wine);
        CHECK_EQ(memcmp(&there.node, &info.node, sizeof there.node), 0);
        CHECK(text_is(there.agent, info.agent));
        CHECK(there.remainingMs <= 25000 + SLACK_MS);
        CHECK(there.remainingMs > 0);
        test_object_caller(&here); /* the callback has left nothing behind */
        check_is_nobody(&here);
        test_caller_clear(&here);
        test_caller_clear(&before);
        test_caller_clear(&there);
        test_caller_clear(&after);
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(in_asynchronous_and_one_way_calls)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct via_call *call = NULL;
        struct TestCaller caller = {0};
        CHECK_OK(ITestObject_GetCaller_begin(peer.root, &call));
        CHECK_OK(ITestObject_GetCaller_finish(call, &caller));
        via_call_release(call);
        check_is_me(&caller, &peer);
        CHECK_FALSE(caller.isOneway);
        CHECK(caller.remainingMs <= 30000 + SLACK_MS);
        test_caller_clear(&caller);
        CHECK_OK(ITestObject_GetNoted(peer.root, &caller));
        CHECK_EQ(caller.processId, 0);
        test_caller_clear(&caller);
        CHECK_OK(ITestObject_NoteCaller(peer.root));
        CHECK_OK(ITestObject_GetNoted(peer.root, &caller));
        check_is_me(&caller, &peer);
        CHECK(caller.isOneway);
        CHECK_EQ(caller.remainingMs, VIA_NO_DEADLINE);
        test_caller_clear(&caller);
    }
    peer_end(&peer);
    fixture_end();
}

/* On a worker, behind others. */
TEST(of_a_serial_object)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *serial = NULL;
        struct via_call *blocking = NULL;
        struct TestCaller caller = {0};
        LONG cancelled = 0;
        CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial));
        CHECK_OK(ITestObject_Block_begin(serial, 50, &blocking));
        CHECK_OK(ITestObject_GetCaller(serial, &caller));
        check_is_me(&caller, &peer);
        test_caller_clear(&caller);
        CHECK_OK(ITestObject_Block_finish(blocking, &cancelled));
        via_call_release(blocking);
        ITestObject_Release(serial);
    }
    peer_end(&peer);
    fixture_end();
}

/* Many calls make the connection move to shared memory, where both sides can. */
TEST(over_what_it_comes)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        bool has_moved = false;
        uint64_t until_ns = os_deadline_ms(3000);
        for (int i = 0; os_now_ns() < until_ns && !has_moved; i++) {
            LONG sum;
            struct TestCaller caller = {0};
            for (int j = 0; j < 100; j++)
                CHECK_OK(ITestObject_Add(peer.root, i, j, &sum));
            CHECK_OK(ITestObject_GetCaller(peer.root, &caller));
            has_moved = SysStringLen(caller.transport) == 3;
            CHECK(has_moved ? text_is(caller.transport, "shm")
                            : transport_fits(caller.transport, &peer));
            test_caller_clear(&caller);
        }
        harness_note("the connection %s", has_moved ? "has moved" : "stays where it is");
    }
    peer_end(&peer);
    fixture_end();
}

struct outside {
    struct TestCaller caller;
    atomic_bool done;
};

static void look_in_callback(void *context, struct via_call *call)
{
    struct outside *outside = context;
    (void)call;
    test_object_caller(&outside->caller);
    atomic_store(&outside->done, true);
}

static void look_at_death(void *context, const char *reason)
{
    (void)reason;
    look_in_callback(context, NULL);
}

/* On threads of the application's own, in completion callbacks and death watches, and in a method
 * that is called without the runtime. */
TEST(nobody_calls_outside_of_a_call)
{
    struct peer_process peer;
    struct TestCaller caller;
    test_object_caller(&caller);
    check_is_nobody(&caller);
    test_caller_clear(&caller);
    CHECK_EQ(via_call_is_cancelled(), 0);
    REQUIRE(fixture_begin());
    ITestObject *mine = test_object_new("mine");
    CHECK_OK(ITestObject_GetCaller(mine, &caller));
    check_is_nobody(&caller);
    test_caller_clear(&caller);
    ITestObject_Release(mine);
    if (peer_start(&peer, "a")) {
        struct outside completed = {0}, died = {0};
        struct via_call *call = NULL;
        uint64_t cookie;
        CHECK_OK(ITestObject_Add_begin(peer.root, 1, 2, &call));
        CHECK_OK(via_call_on_done(call, look_in_callback, &completed));
        via_call_release(call);
        EVENTUALLY(atomic_load(&completed.done));
        check_is_nobody(&completed.caller);
        test_caller_clear(&completed.caller);
        CHECK_OK(via_death_watch((IUnknown *)peer.root, look_at_death, &died, &cookie));
        peer_kill(&peer);
        EVENTUALLY(atomic_load(&died.done));
        check_is_nobody(&died.caller);
        test_caller_clear(&died.caller);
    }
    peer_end(&peer);
    fixture_end();
}

/* A program that was built when the struct was shorter. */
TEST(fills_as_much_as_there_is_room_for)
{
    union {
        struct via_caller caller;
        unsigned char bytes[sizeof(struct via_caller)];
    } room;
    memset(&room, 0xEE, sizeof room);
    room.caller.size = offsetof(struct via_caller, pid);
    CHECK_HR(via_call_current(&room.caller), S_FALSE);
    CHECK_EQ(room.caller.size, offsetof(struct via_caller, pid));
    CHECK_EQ(room.caller.gid, 0);
    CHECK_EQ(room.bytes[offsetof(struct via_caller, pid)], 0xEE);
}

HARNESS_MAIN("caller", TEST_ENTRY(a_method_knows_its_caller), TEST_ENTRY(until_when),
             TEST_ENTRY(in_nested_calls), TEST_ENTRY(in_asynchronous_and_one_way_calls),
             TEST_ENTRY(of_a_serial_object), TEST_ENTRY(over_what_it_comes),
             TEST_ENTRY(nobody_calls_outside_of_a_call),
             TEST_ENTRY(fills_as_much_as_there_is_room_for))
