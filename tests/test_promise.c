/*
 * Calls on objects that are still to come: what takes one round trip, what waits, whose failure is
 * whose, and what is given back.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/async.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

static LONG count(ITestObject *root)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(root, &n));
    return n;
}

static ITestObject *promised(struct via_call *call)
{
    ITestObject *object = NULL;
    CHECK_OK(via_call_object(call, 0, &IID_ITestObject, (void **)&object));
    return object;
}

static struct via_call *begin_later(ITestObject *root, ULONG ms)
{
    struct via_call *call = NULL;
    CHECK_OK(ITestObject_MakeLater_begin(root, ms, NULL, &call));
    return call;
}

TEST(calls_what_is_still_to_come)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = count(peer.root);
        struct via_call *call = begin_later(peer.root, 100);
        ITestObject *child = promised(call);
        ITestObject *same = NULL;
        ITestName *name = NULL;
        LONG sum = 0;
        /* The promised interface is at hand. */
        CHECK_OK(ITestObject_QueryInterface(child, &IID_ITestObject, (void **)&same));
        CHECK_PTR_EQ(same, child);
        CHECK_HR(via_call_wait(call, 0), S_FALSE);
        ITestObject_Release(same);
        CHECK_OK(ITestObject_Add(child, 3, 4, &sum));
        CHECK_EQ(sum, 7);
        CHECK_OK(via_call_wait(call, VIA_NO_DEADLINE));
        CHECK_OK(ITestObject_Add(child, 5, 6, &sum));
        CHECK_EQ(sum, 11);
        CHECK_OK(ITestObject_QueryInterface(child, &IID_ITestName, (void **)&name));
        ITestName_Release(name);
        via_call_release(call);
        CHECK_OK(ITestObject_Add(child, 7, 8, &sum));
        CHECK_EQ(sum, 15);
        ITestObject_Release(child);
        EVENTUALLY(count(peer.root) == before);
        CHECK_OK(ITestObject_CountObjects_begin(peer.root, &call));
        CHECK_HR(via_call_object(call, 0, &IID_ITestObject, (void **)&child), E_INVALIDARG);
        CHECK_NULL(child);
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

/* A child of a child of a child, before there is any. */
TEST(calls_along_a_chain)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = count(peer.root);
        for (int i = 0; i < 200; i++) {
            struct via_call *calls[8] = {NULL};
            ITestObject *objects[8] = {NULL};
            LONG sum = 0;
            for (int k = 0; k < 8; k++) {
                CHECK_OK(
                    ITestObject_MakeChild_begin(k == 0 ? peer.root : objects[k - 1], &calls[k]));
                objects[k] = promised(calls[k]);
            }
            CHECK_OK(ITestObject_Add(objects[7], i, 1, &sum));
            CHECK_EQ(sum, i + 1);
            for (int k = 0; k < 8; k++) {
                /* In one order and in the other. */
                if (i % 2)
                    via_call_release(calls[k]);
                ITestObject_Release(objects[k]);
                if (!(i % 2))
                    via_call_release(calls[k]);
            }
        }
        EVENTUALLY(count(peer.root) == before);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(fails_as_the_call_has)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct via_call *call = NULL, *second = NULL;
        BSTR text = SysAllocString(VIA_STR("no child today"));
        LONG sum = 1;
        CHECK_OK(ITestObject_MakeLater_begin(peer.root, 50, text, &call));
        SysFreeString(text);
        ITestObject *child = promised(call);
        CHECK_OK(ITestObject_Add_begin(child, 1, 2, &second));
        for (int i = 0; i < 3; i++) { /* while it is to come, and when it has not */
            HRESULT hr = ITestObject_Add(child, 1, 2, &sum);
            CHECK_HR(hr, E_ABORT);
            CHECK_STR_HAS(error_text(hr), "no child today");
            CHECK_STR_HAS(error_text(hr), "was to return the object");
        }
        HRESULT hr = ITestObject_Add_finish(second, &sum);
        CHECK_HR(hr, E_ABORT);
        CHECK_STR_HAS(error_text(hr), "no child today");
        ITestName *name = NULL;
        CHECK_HR(ITestObject_QueryInterface(child, &IID_ITestName, (void **)&name), E_ABORT);
        CHECK_NULL(name);
        ITestObject *none = NULL;
        CHECK_HR(via_call_object(call, 0, &IID_ITestObject, (void **)&none), E_ABORT);
        CHECK_NULL(none);
        via_call_release(second);
        via_call_release(call);
        ITestObject_Release(child);

        CHECK_OK(ITestObject_Echo_begin(peer.root, NULL, &call));
        child = promised(call);
        CHECK_HR(ITestObject_Add(child, 1, 2, &sum), E_POINTER);
        CHECK_HR(ITestObject_Add(child, 1, 2, &sum), E_POINTER);
        via_call_release(call);
        ITestObject_Release(child);

        /* It has not the interface that it was said to have. */
        ITestMissing *missing = NULL;
        CHECK_OK(ITestObject_MakeChild_begin(peer.root, &call));
        CHECK_OK(via_call_object(call, 0, &IID_ITestMissing, (void **)&missing));
        CHECK_HR(ITestMissing_Nothing(missing), E_NOINTERFACE);
        CHECK_HR(ITestMissing_Nothing(missing), E_NOINTERFACE);
        ITestMissing_Release(missing);
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

/* What it returns is the same object, whoever asks. */
TEST(becomes_what_it_is)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = count(peer.root);
        struct via_call *call = begin_later(peer.root, 50);
        ITestObject *child = promised(call);
        ITestObject *again = promised(call);
        ITestObject *real = NULL;
        ITestObject *kept = NULL;
        IUnknown *one = NULL, *two = NULL, *three = NULL;
        VARIANT_BOOL same = VARIANT_FALSE;
        struct via_peer_info info = {.size = sizeof info};
        CHECK_OK(ITestObject_Keep(peer.root, child)); /* it is passed on: that waits */
        CHECK_OK(ITestObject_MakeLater_finish(call, &real));
        CHECK_OK(ITestObject_QueryInterface(child, &IID_IUnknown, (void **)&one));
        CHECK_OK(ITestObject_QueryInterface(real, &IID_IUnknown, (void **)&two));
        CHECK_OK(ITestObject_QueryInterface(again, &IID_IUnknown, (void **)&three));
        CHECK_PTR_EQ(one, two);
        CHECK_PTR_EQ(one, three);
        CHECK_OK(ITestObject_GetKept(peer.root, &kept));
        CHECK_PTR_EQ(kept, real);
        CHECK_OK(ITestObject_IsSame(peer.root, (IUnknown *)child, (IUnknown *)real, &same));
        CHECK_EQ(same, VARIANT_TRUE);
        CHECK_OK(via_get_peer((IUnknown *)child, &info));
        CHECK_EQ(info.process_id, peer_own_pid(&peer));
        ITestObject *now = promised(call); /* it is there */
        CHECK_PTR_EQ(now, real);
        ITestObject_Release(now);
        IUnknown_Release(one);
        IUnknown_Release(two);
        IUnknown_Release(three);
        ITestObject_Release(kept);
        ITestObject_Release(real);
        ITestObject_Release(again);
        ITestObject_Release(child);
        via_call_release(call);
        CHECK_OK(ITestObject_Keep(peer.root, NULL));
        EVENTUALLY(count(peer.root) == before);
    }
    peer_end(&peer);
    fixture_end();
}

/* It turns out to be ours, or a third process'. */
TEST(is_called_where_it_lives)
{
    struct peer_process a = {0}, b = {0};
    REQUIRE(fixture_begin());
    if (peer_start(&a, "a") && peer_start(&b, "b")) {
        struct via_call *call = NULL, *second = NULL;
        ITestObject *mine = test_object_new("mine");
        ULONG pid = 0;
        LONG sum = 0;
        CHECK_OK(ITestObject_Echo_begin(a.root, mine, &call));
        ITestObject *object = promised(call);
        CHECK_OK(ITestObject_Append_begin(object, 17, 0, &second));
        via_call_release(second); /* it is made all the same */
        CHECK_OK(ITestObject_Add_begin(object, 1, 2, &second));
        CHECK_OK(ITestObject_GetProcessId(object, &pid));
        CHECK_NE(pid, peer_own_pid(&a));
        CHECK_OK(ITestObject_Add_finish(second, &sum));
        CHECK_EQ(sum, 3);
        via_call_release(second);
        ULONG n = 0;
        LONG *values = NULL;
        EVENTUALLY(SUCCEEDED(ITestObject_GetAppended(mine, &n, &values)) &&
                   (CoTaskMemFree(values), n == 1));
        ITestObject *home = NULL;
        CHECK_OK(ITestObject_QueryInterface(object, &IID_ITestObject, (void **)&home));
        CHECK_PTR_EQ(home, mine);
        ITestObject_Release(home);
        ITestObject_Release(object);
        via_call_release(call);
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);

        BSTR address = address_bstr(b.address);
        CHECK_OK(ITestObject_KeepRootOf(a.root, address));
        SysFreeString(address);
        CHECK_OK(ITestObject_GetKept_begin(a.root, &call));
        object = promised(call);
        CHECK_OK(ITestObject_Add_begin(object, 4, 5, &second));
        CHECK_OK(ITestObject_GetProcessId(object, &pid));
        CHECK_EQ(pid, peer_own_pid(&b));
        CHECK_OK(ITestObject_Add_finish(second, &sum));
        CHECK_EQ(sum, 9);
        via_call_release(second);
        ITestObject_Release(object);
        via_call_release(call);
    }
    peer_end(&a);
    peer_end(&b);
    fixture_end();
}

/* All of it is released before there is anything, in either order, and with a call that is under
 * way. */
TEST(is_given_back_before_it_is_there)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = count(peer.root);
        for (int i = 0; i < 40; i++) {
            struct via_call *call = begin_later(peer.root, (ULONG)i % 20);
            struct via_call *second = NULL;
            ITestObject *child = promised(call);
            if (i % 4 < 2)
                CHECK_OK(ITestObject_Add_begin(child, 1, 2, &second));
            if (i % 2)
                via_call_release(call);
            ITestObject_Release(child);
            if (!(i % 2))
                via_call_release(call);
            via_call_release(second);
        }
        EVENTUALLY(count(peer.root) == before);
        /* A call that is begun holds what it is made on. */
        struct via_call *call = begin_later(peer.root, 50), *second = NULL;
        ITestObject *child = promised(call);
        LONG sum = 0;
        CHECK_OK(ITestObject_Add_begin(child, 1, 2, &second));
        ITestObject_Release(child);
        via_call_release(call);
        CHECK_OK(ITestObject_Add_finish(second, &sum));
        CHECK_EQ(sum, 3);
        via_call_release(second);
        EVENTUALLY(count(peer.root) == before);
    }
    peer_end(&peer);
    fixture_end();
}

/* --- order --- */

#define PER_THREAD 100

struct load {
    ITestObject *object;
    LONG first;
    struct os_thread *thread;
};

/* Numbers, while the object is to come and when it is there. */
static void append_numbers(void *argument)
{
    const struct load *load = argument;
    struct via_call *calls[PER_THREAD] = {NULL};
    for (LONG i = 0; i < PER_THREAD; i++) {
        if (i % 13 == 12)
            CHECK_OK(ITestObject_Append(load->object, load->first + i, 0)); /* one-way */
        else
            CHECK_OK(ITestObject_Append_begin(load->object, load->first + i, 0, &calls[i]));
        if (i % 20 == 19)
            os_sleep_ms(1);
    }
    for (LONG i = 0; i < PER_THREAD; i++) {
        if (calls[i] != NULL)
            CHECK_OK(ITestObject_Append_finish(calls[i]));
        via_call_release(calls[i]);
    }
}

TEST(keeps_order_under_eight_threads)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (int round = 0; round < 8; round++) {
            struct load loads[8];
            struct via_call *call = begin_later(peer.root, (ULONG)round * 3);
            ITestObject *child = promised(call);
            via_call_release(call);
            for (int i = 0; i < 8; i++) {
                loads[i] = (struct load){.object = child, .first = i * PER_THREAD};
                CHECK_OK(os_thread_start(append_numbers, &loads[i], "load", &loads[i].thread));
            }
            for (int i = 0; i < 8; i++)
                os_thread_join(loads[i].thread);
            ULONG n = 0;
            LONG *values = NULL;
            LONG next[8] = {0};
            CHECK_OK(ITestObject_GetAppended(child, &n, &values));
            CHECK_EQ(n, 8 * PER_THREAD);
            for (ULONG i = 0; i < n && values != NULL; i++) {
                LONG thread = values[i] / PER_THREAD;
                if (!CHECK(thread >= 0 && thread < 8) ||
                    !CHECK_EQ(values[i] % PER_THREAD, next[thread]))
                    break;
                next[thread]++;
            }
            CoTaskMemFree(values);
            ITestObject_Release(child);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* --- limits and ends --- */

/* What is not finished is kept by the peer, up to a limit; beyond that calls wait for the reply. */
TEST(does_without_where_too_much_is_kept)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        static struct via_call *calls[1100];
        LONG before = count(peer.root);
        for (int i = 0; i < 1100; i++) {
            LONG sum = 0;
            CHECK_OK(ITestObject_MakeChild_begin(peer.root, &calls[i]));
            ITestObject *child = promised(calls[i]);
            CHECK_OK(ITestObject_Add(child, i, i, &sum));
            CHECK_EQ(sum, 2 * i);
            ITestObject_Release(child);
        }
        for (int i = 0; i < 1100; i++)
            via_call_release(calls[i]);
        EVENTUALLY(count(peer.root) == before);
        for (int i = 0; i < 3000; i++) {
            struct via_call *call = NULL;
            LONG sum = 0;
            CHECK_OK(ITestObject_MakeChild_begin(peer.root, &call));
            ITestObject *child = promised(call);
            via_call_release(call);
            CHECK_OK(ITestObject_Add(child, i, i, &sum));
            ITestObject_Release(child);
        }
        EVENTUALLY(count(peer.root) == before);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(ends_with_the_process_and_at_the_deadline)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG sum = 0;
        struct via_call *call = begin_later(peer.root, 60000);
        ITestObject *child = promised(call);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)child, 50));
        CHECK_HR(ITestObject_Add(child, 1, 2, &sum), RPC_E_TIMEOUT);
        CHECK_HR(ITestObject_Append(child, 1, 0), RPC_E_TIMEOUT); /* it waits */
        CHECK_OK(via_proxy_set_deadline((IUnknown *)child, 0));
        ITestObject *unused = promised(call);
        peer_kill(&peer);
        CHECK_HR(ITestObject_Add(child, 1, 2, &sum), RPC_E_DISCONNECTED);
        ITestName *name = NULL;
        CHECK_HR(ITestObject_QueryInterface(child, &IID_ITestName, (void **)&name),
                 RPC_E_DISCONNECTED);
        ITestObject_Release(child);
        ITestObject_Release(unused);
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

HARNESS_MAIN("promise", TEST_ENTRY(calls_what_is_still_to_come), TEST_ENTRY(calls_along_a_chain),
             TEST_ENTRY(fails_as_the_call_has), TEST_ENTRY(becomes_what_it_is),
             TEST_ENTRY(is_called_where_it_lives), TEST_ENTRY(is_given_back_before_it_is_there),
             TEST_ENTRY(keeps_order_under_eight_threads),
             TEST_ENTRY(does_without_where_too_much_is_kept),
             TEST_ENTRY(ends_with_the_process_and_at_the_deadline))
