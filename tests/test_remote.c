/* Objects between processes: identity, counts, callbacks, order, hand-off, errors. */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

static LONG remote_count(ITestObject *root)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(root, &n));
    return n;
}

TEST(calls_another_process)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG sum = 0;
        ULONG pid = 0;
        struct via_peer_info info = {.size = sizeof info};
        CHECK_OK(ITestObject_Add(peer.root, 40, 2, &sum));
        CHECK_EQ(sum, 42);
        CHECK_OK(ITestObject_GetProcessId(peer.root, &pid));
        CHECK_EQ(pid, peer_own_pid(&peer));
        CHECK_NE(pid, os_process_id());
        CHECK_OK(via_get_peer((IUnknown *)peer.root, &info));
        CHECK_EQ(info.process_id, pid);
        CHECK_STR_EQ(info.address, peer.address);
        CHECK_EQ(info.is_dead, 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(keeps_identity)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *child = NULL;
        ITestObject *again = NULL;
        ITestObject *home = NULL;
        ITestObject *mine = test_object_new("mine");
        VARIANT_BOOL same = VARIANT_FALSE;
        CHECK_OK(ITestObject_MakeChild(peer.root, &child));
        CHECK_OK(ITestObject_Echo(peer.root, child, &again));
        CHECK_PTR_EQ(again, child);
        CHECK_OK(ITestObject_Echo(peer.root, mine, &home));
        CHECK_PTR_EQ(home, mine);
        CHECK_OK(ITestObject_IsSame(peer.root, (IUnknown *)child, (IUnknown *)child, &same));
        CHECK_EQ(same, VARIANT_TRUE);
        CHECK_OK(ITestObject_IsSame(peer.root, (IUnknown *)mine, (IUnknown *)mine, &same));
        CHECK_EQ(same, VARIANT_TRUE);
        CHECK_OK(ITestObject_IsSame(peer.root, (IUnknown *)mine, (IUnknown *)child, &same));
        CHECK_EQ(same, VARIANT_FALSE);
        ITestObject *none = mine;
        CHECK_OK(ITestObject_Echo(peer.root, NULL, &none));
        CHECK_NULL(none);
        ITestObject_Release(again);
        ITestObject_Release(child);
        ITestObject_Release(home);
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(gives_back_every_count)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = remote_count(peer.root);
        ITestObject *children[10] = {NULL};
        for (int i = 0; i < 10; i++)
            CHECK_OK(ITestObject_MakeChild(peer.root, &children[i]));
        CHECK_EQ(remote_count(peer.root), before + 10);
        for (int i = 0; i < 100; i++) {
            ITestObject *same = NULL;
            CHECK_OK(ITestObject_Echo(peer.root, children[i % 10], &same));
            ITestObject_Release(same);
        }
        for (int i = 0; i < 10; i++)
            ITestObject_Release(children[i]);
        EVENTUALLY(remote_count(peer.root) == before);

        ITestObject *mine = test_object_new("mine");
        CHECK_OK(ITestObject_Keep(peer.root, mine));
        ITestObject_Release(mine);
        CHECK_EQ(test_object_count(), 1);
        CHECK_OK(ITestObject_Keep(peer.root, NULL));
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(asks_for_interfaces)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestName *name = NULL;
        void *missing = &name;
        BSTR text = NULL;
        CHECK_OK(ITestObject_QueryInterface(peer.root, &IID_ITestName, (void **)&name));
        CHECK_OK(ITestName_GetName(name, &text));
        CHECK_EQ(SysStringLen(text), 1);
        SysFreeString(text);
        for (int i = 0; i < 2; i++) {
            HRESULT hr = ITestObject_QueryInterface(peer.root, &IID_ITestMissing, &missing);
            CHECK_HR(hr, E_NOINTERFACE);
            CHECK_NULL(missing);
            CHECK_STR_HAS(error_text(hr), "5A1D7C00-92F1-4C63-8B0E-7D6F0C3E1A03");
        }
        IUnknown *one = NULL;
        IUnknown *two = NULL;
        CHECK_OK(ITestObject_QueryInterface(peer.root, &IID_IUnknown, (void **)&one));
        CHECK_OK(ITestName_QueryInterface(name, &IID_IUnknown, (void **)&two));
        CHECK_PTR_EQ(one, two);
        one->lpVtbl->Release(one);
        two->lpVtbl->Release(two);
        ITestName_Release(name);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(calls_back_on_the_waiting_thread)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *mine = test_object_new("mine");
        LONG levels = 0;
        CHECK_OK(ITestObject_CallBack(peer.root, mine, 64, &levels));
        CHECK_EQ(levels, 64);
        HRESULT hr = ITestObject_CallBack(peer.root, mine, 200, &levels);
        CHECK_HR(hr, VIA_E_DEPTH);
        CHECK_OK(ITestObject_CallBack(peer.root, mine, 3, &levels));
        CHECK_EQ(levels, 3);
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(keeps_one_way_calls_in_order)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ULONG n = 0;
        LONG *values = NULL;
        for (LONG i = 0; i < 50; i++)
            CHECK_OK(ITestObject_Append(peer.root, i, i < 5 ? 20 : 0));
        CHECK_OK(ITestObject_GetAppended(peer.root, &n, &values));
        CHECK_EQ(n, 50);
        for (ULONG i = 0; i < n; i++)
            CHECK_EQ(values[i], i);
        CoTaskMemFree(values);

        /* A last release comes after them, too. */
        LONG before = remote_count(peer.root);
        ITestObject *child = NULL;
        CHECK_OK(ITestObject_MakeChild(peer.root, &child));
        CHECK_OK(ITestObject_Append(child, 1, 50));
        CHECK_OK(ITestObject_Append(child, 2, 50));
        ITestObject_Release(child);
        EVENTUALLY(remote_count(peer.root) == before);
    }
    peer_end(&peer);
    fixture_end();
}

struct caller {
    ITestObject *object;
    struct os_thread *thread;
    ULONG ms;
    HRESULT hr;
    LONG result;
    char text[2048];
};

static void run_overlap(void *argument)
{
    struct caller *caller = argument;
    caller->hr = ITestObject_Overlap(caller->object, caller->ms, &caller->result);
}

static LONG most_overlap(ITestObject *object, ULONG ms)
{
    struct caller callers[4];
    LONG most = 0;
    memset(callers, 0, sizeof callers);
    for (int i = 0; i < 4; i++) {
        callers[i].object = object;
        callers[i].ms = ms;
        CHECK_OK(os_thread_start(run_overlap, &callers[i], "caller", &callers[i].thread));
    }
    for (int i = 0; i < 4; i++) {
        os_thread_join(callers[i].thread);
        CHECK_OK(callers[i].hr);
        most = callers[i].result > most ? callers[i].result : most;
    }
    return most;
}

TEST(runs_a_serial_object_one_call_at_a_time)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *serial = NULL;
        ITestObject *mine = test_object_new("mine");
        LONG levels = 0;
        CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial));
        CHECK_EQ(most_overlap(serial, 50), 1);
        LONG most = 0; /* on a busy machine one can be gone when the next one comes */
        for (ULONG ms = 50; ms < 5000 && most <= 1; ms *= 4)
            most = most_overlap(peer.root, ms);
        CHECK(most > 1);
        /* Its own chain comes in again while it waits. */
        CHECK_OK(ITestObject_CallBack(serial, mine, 8, &levels));
        CHECK_EQ(levels, 8);
        ITestObject_Release(mine);
        ITestObject_Release(serial);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

static void run_echoes(void *argument)
{
    struct caller *caller = argument;
    for (int i = 0; i < 200 && SUCCEEDED(caller->hr); i++) {
        ITestObject *mine = test_object_new("mine");
        ITestObject *same = NULL;
        caller->hr = ITestObject_Echo(caller->object, mine, &same);
        caller->result += same == mine;
        if (same != NULL)
            ITestObject_Release(same);
        ITestObject_Release(mine);
    }
    via_error_message(caller->hr, caller->text, sizeof caller->text);
    SetErrorInfo(0, NULL);
}

/* The peer lets go of an object as soon as it has sent it back, and the thread that reads for all
 * others comes to that release before the caller comes to its reply. */
TEST(gets_its_objects_back_whatever_comes_behind)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct caller callers[4];
        memset(callers, 0, sizeof callers);
        for (int i = 0; i < 4; i++) {
            callers[i].object = peer.root;
            CHECK_OK(os_thread_start(run_echoes, &callers[i], "caller", &callers[i].thread));
        }
        for (int i = 0; i < 4; i++) {
            os_thread_join(callers[i].thread);
            if (!CHECK_OK(callers[i].hr))
                harness_note("%s", callers[i].text);
            CHECK_EQ(callers[i].result, 200);
        }
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

/* A list of 1, 2, ... n. */
static struct TestList *chain_up(struct TestList *list, struct TestNode *nodes, LONG n)
{
    for (LONG i = 0; i < n; i++)
        nodes[i] = (struct TestNode){.value = i + 1, .next = i + 1 < n ? &nodes[i + 1] : NULL};
    list->first = nodes;
    return list;
}

static LONG free_list(struct TestNode *list)
{
    LONG n = 0;
    while (list != NULL) {
        struct TestNode *next = list->next;
        CHECK_EQ(list->value, ++n);
        CoTaskMemFree(list);
        list = next;
    }
    return n;
}

TEST(refuses_null_where_something_has_to_be)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct TestNode node = {.value = 7};
        struct TestList list = {NULL};
        LONG sum = 0;
        CHECK_HR(ITestObject_SumList(peer.root, NULL, &sum), E_POINTER);
        CHECK_STR_HAS(error_text(E_POINTER), "argument list");
        CHECK_HR(ITestObject_SumList(peer.root, &list, &sum), E_POINTER);
        CHECK_STR_HAS(error_text(E_POINTER), "argument list");
        list.first = &node;
        CHECK_HR(ITestObject_SumList(peer.root, &list, NULL), E_POINTER);
        CHECK_OK(ITestObject_SumList(peer.root, &list, &sum));
        CHECK_EQ(sum, 7);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(refuses_lists_beyond_the_depth)
{
    enum { MOST = 1000 };
    static struct TestNode nodes[MOST];
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct TestList head;
        struct TestNode *list = NULL;
        LONG sum = 0;
        CHECK_OK(ITestObject_SumList(peer.root, chain_up(&head, nodes, 30), &sum));
        CHECK_EQ(sum, 30 * 31 / 2);
        CHECK_OK(ITestObject_MakeList(peer.root, 30, &list));
        CHECK_EQ(free_list(list), 30);
        CHECK_HR(ITestObject_SumList(peer.root, chain_up(&head, nodes, MOST), &sum), VIA_E_LIMIT);
        CHECK_STR_HAS(error_text(VIA_E_LIMIT), "nested too deeply");
        CHECK_HR(ITestObject_MakeList(peer.root, MOST, &list), VIA_E_LIMIT);
        CHECK_STR_HAS(error_text(VIA_E_LIMIT), "nested too deeply");
        CHECK_NULL(list);
        CHECK_OK(ITestObject_SumList(peer.root, chain_up(&head, nodes, 3), &sum));
        CHECK_EQ(sum, 6);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(connects_to_the_owner_directly)
{
    struct peer_process owner;
    struct peer_process middle;
    REQUIRE(fixture_begin());
    bool started = peer_launch(&owner, "owner");
    if (peer_start(&middle, "middle") && started) {
        ITestObject *object = NULL;
        ULONG pid = 0;
        LONG sum = 0;
        BSTR address = address_bstr(owner.address);
        HRESULT hr;
        for (int i = 0; i < 200; i++) {
            hr = ITestObject_KeepRootOf(middle.root, address);
            if (SUCCEEDED(hr))
                break;
            os_sleep_ms(20);
        }
        CHECK_OK(hr);
        SysFreeString(address);
        CHECK_OK(ITestObject_GetKept(middle.root, &object));
        if (CHECK_NOT_NULL(object)) {
            CHECK_OK(ITestObject_GetProcessId(object, &pid));
            CHECK_EQ(pid, peer_own_pid(&owner));
            peer_kill(&middle);
            CHECK_OK(ITestObject_Add(object, 20, 3, &sum));
            CHECK_EQ(sum, 23);
            ITestObject_Release(object);
        }
    }
    peer_end(&middle);
    peer_end(&owner);
    fixture_end();
}

TEST(gives_one_proxy_for_two_paths)
{
    struct peer_process owner;
    struct peer_process middle;
    REQUIRE(fixture_begin());
    bool started = peer_start(&owner, "owner");
    if (peer_start(&middle, "middle") && started) {
        LONG before = remote_count(owner.root);
        ITestObject *child = NULL;
        ITestObject *back = NULL;
        CHECK_OK(ITestObject_MakeChild(owner.root, &child));
        CHECK_OK(ITestObject_Keep(middle.root, child)); /* connects to the owner itself */
        CHECK_OK(ITestObject_GetKept(middle.root, &back));
        CHECK_PTR_EQ(back, child);
        ITestObject_Release(back);
        ITestObject_Release(child);
        CHECK_EQ(remote_count(owner.root), before + 1);
        CHECK_OK(ITestObject_GetKept(middle.root, &back));
        LONG sum = 0;
        CHECK_OK(ITestObject_Add(back, 1, 1, &sum));
        CHECK_EQ(sum, 2);
        ITestObject_Release(back);
        CHECK_OK(ITestObject_Keep(middle.root, NULL));
        EVENTUALLY(remote_count(owner.root) == before);
    }
    peer_end(&middle);
    peer_end(&owner);
    fixture_end();
}

/* This process listens nowhere, so the recipient cannot come to its object: the process that hands
 * it on forwards the calls, for as long as it lives. */
TEST(forwards_where_the_owner_cannot_be_reached)
{
    struct peer_process recipient;
    struct peer_process middle;
    REQUIRE(fixture_begin());
    bool started = peer_launch(&recipient, "far");
    if (peer_start(&middle, "middle") && started) {
        ITestObject *mine = test_object_new("mine");
        BSTR address = address_bstr(recipient.address);
        LONG sum = 0;
        for (int i = 0; i < 200 && FAILED(ITestObject_KeepRootOf(middle.root, address)); i++)
            os_sleep_ms(20);
        CHECK_OK(ITestObject_Keep(middle.root, mine));
        for (LONG i = 0; i < 3; i++) {
            CHECK_OK(ITestObject_HandKept(middle.root, address, i, 2, &sum));
            CHECK_EQ(sum, i + 2);
        }
        CHECK_OK(ITestObject_Keep(middle.root, NULL));
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
        SysFreeString(address);
    }
    peer_end(&middle);
    peer_end(&recipient);
    fixture_end();
}

TEST(carries_error_information)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        BSTR text = address_bstr("the drawer is stuck");
        HRESULT hr = ITestObject_Fail(peer.root, text);
        CHECK_HR(hr, E_ABORT);
        CHECK_STR_HAS(error_text(hr), "the drawer is stuck");
        IErrorInfo *info = NULL;
        BSTR source = NULL;
        BSTR file = NULL;
        DWORD context = 0;
        GUID iid;
        CHECK_OK(GetErrorInfo(0, &info));
        if (info != NULL) {
            CHECK_OK(IErrorInfo_GetSource(info, &source));
            CHECK_OK(IErrorInfo_GetHelpFile(info, &file));
            CHECK_OK(IErrorInfo_GetHelpContext(info, &context));
            memset(&iid, 0, sizeof iid);
            CHECK_OK(IErrorInfo_GetGUID(info, &iid));
            CHECK_EQ(SysStringLen(source), strlen("Test.Object"));
            CHECK_EQ(SysStringLen(file), strlen("drawers.hlp"));
            CHECK_EQ(context, 42);
            CHECK(IsEqualGUID(&iid, &IID_ITestObject));
            SysFreeString(source);
            SysFreeString(file);
            IErrorInfo_Release(info);
        }
        SysFreeString(text);
    }
    peer_end(&peer);
    fixture_end();
}

HARNESS_MAIN("remote", TEST_ENTRY(calls_another_process), TEST_ENTRY(keeps_identity),
             TEST_ENTRY(gives_back_every_count), TEST_ENTRY(asks_for_interfaces),
             TEST_ENTRY(calls_back_on_the_waiting_thread), TEST_ENTRY(keeps_one_way_calls_in_order),
             TEST_ENTRY(runs_a_serial_object_one_call_at_a_time),
             TEST_ENTRY(gets_its_objects_back_whatever_comes_behind),
             TEST_ENTRY(refuses_null_where_something_has_to_be),
             TEST_ENTRY(refuses_lists_beyond_the_depth), TEST_ENTRY(connects_to_the_owner_directly),
             TEST_ENTRY(gives_one_proxy_for_two_paths),
             TEST_ENTRY(forwards_where_the_owner_cannot_be_reached),
             TEST_ENTRY(carries_error_information))
