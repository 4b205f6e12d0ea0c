/*
 * Asynchronous calls between processes: begin and finish, order, deadlines, cancelling, completion
 * callbacks, calls that nobody finishes.
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

static struct via_call *begin_add(ITestObject *object, LONG a, LONG b)
{
    struct via_call *call = NULL;
    CHECK_OK(ITestObject_Add_begin(object, a, b, &call));
    return call;
}

static struct via_call *begin_block(ITestObject *object, ULONG ms)
{
    struct via_call *call = NULL;
    CHECK_OK(ITestObject_Block_begin(object, ms, &call));
    return call;
}

/* It does not look at its deadline. */
static struct via_call *begin_sleep(ITestObject *object, ULONG ms)
{
    struct via_call *call = NULL;
    CHECK_OK(ITestObject_Overlap_begin(object, ms, &call));
    return call;
}

static LONG count(ITestObject *root)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(root, &n));
    return n;
}

TEST(is_finished_later)
{
    struct peer_process peer;
    struct via_call *calls[200] = {NULL};
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (LONG i = 0; i < 200; i++)
            calls[i] = begin_add(peer.root, i, 1000);
        for (LONG i = 199; i >= 0; i--) {
            LONG sum = 0;
            CHECK_OK(ITestObject_Add_finish(calls[i], &sum));
            CHECK_EQ(sum, i + 1000);
            sum = 0;
            CHECK_OK(ITestObject_Add_finish(calls[i], &sum)); /* again */
            CHECK_EQ(sum, i + 1000);
            via_call_release(calls[i]);
        }
        struct via_call *call = begin_add(peer.root, 1, 2);
        LONG n = 5;
        CHECK_HR(ITestObject_Overlap_finish(call, &n), E_INVALIDARG);
        CHECK_HR(ITestObject_Add_finish(call, NULL), E_POINTER);
        CHECK_OK(via_call_wait(call, VIA_NO_DEADLINE));
        CHECK_OK(via_call_wait(call, 0));
        CHECK_HR(via_call_cancel(call), S_FALSE);
        via_call_release(call);
        via_call_release(NULL);
    }
    peer_end(&peer);
    fixture_end();
}

/* Objects both ways, strings, arrays that the method makes, and what a method fails with. */
TEST(carries_what_calls_carry)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct via_call *call = NULL;
        ITestObject *mine = test_object_new("mine");
        ITestObject *same[2] = {NULL, NULL};
        CHECK_OK(ITestObject_Echo_begin(peer.root, mine, &call));
        ITestObject_Release(mine); /* the call has what it needs */
        CHECK_OK(ITestObject_Echo_finish(call, &same[0]));
        CHECK_OK(ITestObject_Echo_finish(call, &same[1]));
        CHECK_PTR_EQ(same[0], mine);
        CHECK_PTR_EQ(same[1], mine);
        via_call_release(call);
        ITestObject_Release(same[0]);
        ITestObject_Release(same[1]);
        EVENTUALLY(test_object_count() == 0);

        ULONG n = 0;
        LONG *values = NULL;
        CHECK_OK(ITestObject_Append(peer.root, 7, 0));
        CHECK_OK(ITestObject_Append(peer.root, 8, 0));
        CHECK_OK(ITestObject_GetAppended_begin(peer.root, &call));
        CHECK_OK(ITestObject_GetAppended_finish(call, &n, &values));
        CHECK_EQ(n, 2);
        CHECK(values != NULL && values[0] == 7 && values[1] == 8);
        CoTaskMemFree(values);
        via_call_release(call);

        BSTR text = SysAllocString(VIA_STR("so it is"));
        CHECK_OK(ITestObject_Fail_begin(peer.root, text, &call));
        SysFreeString(text);
        HRESULT hr = ITestObject_Fail_finish(call);
        CHECK(FAILED(hr));
        CHECK_STR_HAS(error_text(hr), "so it is");
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(runs_within_begin_on_an_object_of_this_process)
{
    REQUIRE(fixture_begin());
    ITestObject *mine = test_object_new("mine");
    struct via_call *call = begin_add(mine, 4, 5);
    LONG sum = 0;
    CHECK_OK(via_call_wait(call, 0));
    CHECK_OK(ITestObject_Add_finish(call, &sum));
    CHECK_EQ(sum, 9);
    via_call_release(call);

    ITestObject *child = NULL;
    ITestObject *again = NULL;
    CHECK_OK(ITestObject_MakeChild_begin(mine, &call));
    CHECK_EQ(test_object_count(), 2);
    CHECK_OK(ITestObject_MakeChild_finish(call, &child));
    CHECK_OK(ITestObject_MakeChild_finish(call, &again));
    CHECK_PTR_EQ(child, again);
    ITestObject_Release(child);
    ITestObject_Release(again);
    CHECK_EQ(test_object_count(), 2);
    via_call_release(call);
    CHECK_EQ(test_object_count(), 1);

    BSTR text = SysAllocString(VIA_STR("here"));
    CHECK_OK(ITestObject_Fail_begin(mine, text, &call));
    SysFreeString(text);
    HRESULT hr = ITestObject_Fail_finish(call);
    CHECK(FAILED(hr));
    CHECK_STR_HAS(error_text(hr), "here");
    via_call_release(call);
    ITestObject_Release(mine);
    CHECK_EQ(test_object_count(), 0);
    fixture_end();
}

/* What nobody takes is given back, whether it comes before or after the call is released. */
TEST(gives_back_what_nobody_takes)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG before = count(peer.root);
        struct via_call *call = NULL;
        for (int i = 0; i < 50; i++) {
            CHECK_OK(ITestObject_MakeChild_begin(peer.root, &call));
            via_call_release(call);
            CHECK_OK(ITestObject_MakeChild_begin(peer.root, &call));
            CHECK_OK(via_call_wait(call, VIA_NO_DEADLINE));
            via_call_release(call);
        }
        EVENTUALLY(count(peer.root) == before);
        ITestObject *mine = test_object_new("mine");
        CHECK_OK(ITestObject_Echo_begin(peer.root, mine, &call));
        via_call_release(call);
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(ends_at_its_deadline)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG most = 0;
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 100));
        struct via_call *call = begin_sleep(peer.root, 1000);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 0));
        CHECK_HR(ITestObject_Overlap_finish(call, &most), RPC_E_TIMEOUT);
        CHECK_STR_HAS(error_text(RPC_E_TIMEOUT), "ITestObject.Overlap: process ");
        CHECK_HR(ITestObject_Overlap_finish(call, &most), RPC_E_TIMEOUT);
        CHECK_STR_HAS(error_text(RPC_E_TIMEOUT), "did not answer in time");
        CHECK_EQ(via_thread_set_deadline(20), 0);
        CHECK_HR(ITestObject_Overlap(peer.root, 1000, &most), RPC_E_TIMEOUT);
        via_thread_set_deadline(0);
        CHECK_STR_HAS(error_text(RPC_E_TIMEOUT), "ITestObject.Overlap: process ");
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

struct cancelling {
    struct via_call *call;
    uint64_t thread;
    uint64_t started_ns;
};

static void cancel_call(void *argument)
{
    struct cancelling *self = argument;
    os_sleep_ms(20);
    self->started_ns = os_now_ns();
    CHECK_OK(via_call_cancel(self->call));
}

TEST(is_cancelled_while_others_wait)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG cancelled = 0;
        uint64_t fastest_ns = UINT64_MAX;
        for (int i = 0; i < 10; i++) {
            struct os_thread *thread;
            struct cancelling self = {.call = begin_block(peer.root, 60000)};
            CHECK_OK(os_thread_start(cancel_call, &self, "cancel", &thread));
            CHECK_HR(ITestObject_Block_finish(self.call, &cancelled), RPC_E_CALL_CANCELED);
            uint64_t now_ns = os_now_ns();
            os_thread_join(thread);
            if (now_ns - self.started_ns < fastest_ns)
                fastest_ns = now_ns - self.started_ns;
            CHECK_HR(via_call_cancel(self.call), S_FALSE);
            via_call_release(self.call);
        }
        CHECK(fastest_ns < UINT64_C(10000000) * harness_time_factor());
        EVENTUALLY(SUCCEEDED(ITestObject_GetLastBlock(peer.root, &cancelled)) && cancelled == 1);
    }
    peer_end(&peer);
    fixture_end();
}

static void cancel_thread(void *argument)
{
    os_sleep_ms(20);
    while (via_cancel(((struct cancelling *)argument)->thread) != S_OK)
        os_sleep_ms(1); /* it does not wait yet */
}

/* via_cancel() ends a wait for an asynchronous call as it does any other. */
TEST(is_cancelled_with_the_thread_that_finishes_it)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct os_thread *thread;
        LONG cancelled = 0;
        struct cancelling self = {.thread = via_thread_id()};
        struct via_call *call = begin_block(peer.root, 60000);
        CHECK_OK(os_thread_start(cancel_thread, &self, "cancel", &thread));
        CHECK_HR(ITestObject_Block_finish(call, &cancelled), RPC_E_CALL_CANCELED);
        os_thread_join(thread);
        via_call_release(call);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(fails_with_the_process)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        LONG cancelled = 0;
        struct via_call *call = begin_block(peer.root, 60000);
        struct via_call *dropped = begin_block(peer.root, 60000);
        via_call_release(dropped);
        CHECK_HR(via_call_wait(call, 20), S_FALSE);
        peer_kill(&peer);
        HRESULT hr = ITestObject_Block_finish(call, &cancelled);
        CHECK_HR(hr, RPC_E_DISCONNECTED);
        CHECK_STR_HAS(error_text(hr), "has ended");
        via_call_release(call);
        CHECK_HR(ITestObject_Block_begin(peer.root, 1, &call), RPC_E_DISCONNECTED);
        CHECK_NULL(call);
    }
    peer_end(&peer);
    fixture_end();
}

/* --- completion callbacks --- */

struct completion {
    atomic_int n;
    atomic_int code;
    atomic_int sum;
    _Atomic uint64_t thread;
};

static void add_is_done(void *context, struct via_call *call)
{
    struct completion *completion = context;
    LONG sum = 0;
    CHECK_OK(via_call_wait(call, 0));
    atomic_store(&completion->code, ITestObject_Add_finish(call, &sum));
    atomic_store(&completion->sum, sum);
    atomic_store(&completion->thread, via_thread_id());
    atomic_fetch_add(&completion->n, 1);
}

static void sleep_is_done(void *context, struct via_call *call)
{
    struct completion *completion = context;
    LONG most = 0;
    atomic_store(&completion->code, ITestObject_Overlap_finish(call, &most));
    atomic_fetch_add(&completion->n, 1);
}

TEST(says_when_it_is_over)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct completion one = {0}, two = {0}, late = {0}, local = {0};
        struct via_call *call = begin_add(peer.root, 1, 2);
        CHECK_OK(via_call_on_done(call, add_is_done, &one));
        CHECK_HR(via_call_on_done(call, add_is_done, &one), E_UNEXPECTED);
        via_call_release(call);
        EVENTUALLY(atomic_load(&one.n) == 1);
        CHECK_EQ(atomic_load(&one.sum), 3);
        CHECK_NE(atomic_load(&one.thread), via_thread_id());

        call = begin_add(peer.root, 2, 3); /* over before anybody wants to know */
        CHECK_OK(via_call_wait(call, VIA_NO_DEADLINE));
        CHECK_OK(via_call_on_done(call, add_is_done, &two));
        via_call_release(call);
        EVENTUALLY(atomic_load(&two.n) == 1);
        CHECK_EQ(atomic_load(&two.sum), 5);

        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 100));
        call = begin_sleep(peer.root, 1000);
        CHECK_OK(via_call_on_done(call, sleep_is_done, &late));
        via_call_release(call);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 0));
        EVENTUALLY(atomic_load(&late.n) == 1);
        CHECK_HR(atomic_load(&late.code), RPC_E_TIMEOUT);

        ITestObject *mine = test_object_new("mine");
        call = begin_add(mine, 3, 4);
        CHECK_OK(via_call_on_done(call, add_is_done, &local));
        via_call_release(call);
        EVENTUALLY(atomic_load(&local.n) == 1);
        CHECK_EQ(atomic_load(&local.sum), 7);
        ITestObject_Release(mine);
    }
    peer_end(&peer);
    fixture_end();
}

TEST(says_that_the_process_is_gone)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct completion completion = {0};
        struct via_call *call = begin_sleep(peer.root, 60000);
        CHECK_OK(via_call_on_done(call, sleep_is_done, &completion));
        via_call_release(call);
        os_sleep_ms(20);
        peer_kill(&peer);
        EVENTUALLY(atomic_load(&completion.n) == 1);
        CHECK_HR(atomic_load(&completion.code), RPC_E_DISCONNECTED);
    }
    peer_end(&peer);
    fixture_end();
}

/* --- chains --- */

/* What it calls back is served by the thread that waits for it, or else by a worker. */
TEST(is_called_back)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *mine = test_object_new("mine");
        struct via_call *call = NULL;
        for (int waits = 0; waits < 2; waits++) {
            LONG levels = 0;
            CHECK_OK(ITestObject_CallBack_begin(peer.root, mine, 20, &call));
            if (!waits)
                EVENTUALLY(via_call_wait(call, 0) == S_OK);
            CHECK_OK(ITestObject_CallBack_finish(call, &levels));
            CHECK_EQ(levels, 20);
            via_call_release(call);
        }
        ITestObject_Release(mine);
        EVENTUALLY(test_object_count() == 0);
    }
    peer_end(&peer);
    fixture_end();
}

/* --- order --- */

#define PER_THREAD 120

struct load {
    ITestObject *object;
    LONG first;
    struct os_thread *thread;
};

/* Numbers, by all three kinds of calls. */
static void append_mixed(void *argument)
{
    const struct load *load = argument;
    struct via_call *calls[PER_THREAD] = {NULL};
    for (LONG i = 0; i < PER_THREAD; i++) {
        LONG value = load->first + i;
        if (i % 7 == 3)
            CHECK_OK(ITestObject_Append(load->object, value, 0)); /* one-way */
        else
            CHECK_OK(ITestObject_Append_begin(load->object, value, 0, &calls[i]));
        if (i % 31 == 30) {
            LONG most = 0;
            CHECK_OK(ITestObject_Overlap(load->object, 0, &most));
        }
    }
    for (LONG i = 0; i < PER_THREAD; i++) {
        if (calls[i] != NULL)
            CHECK_OK(ITestObject_Append_finish(calls[i]));
        via_call_release(calls[i]);
    }
}

static void check_order(ITestObject *object)
{
    ULONG n = 0;
    LONG *values = NULL;
    LONG next[8] = {0};
    CHECK_OK(ITestObject_GetAppended(object, &n, &values));
    CHECK_EQ(n, 8 * PER_THREAD);
    for (ULONG i = 0; i < n && values != NULL; i++) {
        LONG thread = values[i] / PER_THREAD;
        if (!CHECK(thread >= 0 && thread < 8) || !CHECK_EQ(values[i] % PER_THREAD, next[thread]))
            break;
        next[thread]++;
    }
    CoTaskMemFree(values);
}

/* Of each thread, calls on a serial object run in the order in which they were begun. */
TEST(keeps_its_place_under_eight_threads)
{
    struct peer_process peer;
    struct load loads[8];
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (int round = 0; round < 5; round++) {
            ITestObject *serial = NULL;
            CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial));
            for (int i = 0; i < 8; i++) {
                loads[i] = (struct load){.object = serial, .first = i * PER_THREAD};
                CHECK_OK(os_thread_start(append_mixed, &loads[i], "load", &loads[i].thread));
            }
            for (int i = 0; i < 8; i++)
                os_thread_join(loads[i].thread);
            check_order(serial);
            ITestObject_Release(serial);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* Who begins more than may be unanswered is told so, and goes on when some have been. */
TEST(is_limited)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        static struct via_call *calls[3000];
        int n = 0;
        HRESULT hr = S_OK;
        ITestObject *serial = NULL;
        CHECK_OK(ITestObject_MakeSerialChild(peer.root, &serial));
        struct via_call *first = begin_block(serial, 60000);
        while (n < 3000 && SUCCEEDED(hr = ITestObject_Add_begin(serial, n, n, &calls[n])))
            n++;
        CHECK_HR(hr, VIA_E_LIMIT);
        CHECK_STR_HAS(error_text(hr), "have not been answered");
        CHECK_OK(via_call_cancel(first));
        via_call_release(first);
        for (int i = 0; i < n; i++) {
            LONG sum = -1;
            CHECK_OK(ITestObject_Add_finish(calls[i], &sum));
            CHECK_EQ(sum, 2 * i);
            via_call_release(calls[i]);
        }
        ITestObject_Release(serial);
    }
    peer_end(&peer);
    fixture_end();
}

HARNESS_MAIN("async", TEST_ENTRY(is_finished_later), TEST_ENTRY(carries_what_calls_carry),
             TEST_ENTRY(runs_within_begin_on_an_object_of_this_process),
             TEST_ENTRY(gives_back_what_nobody_takes), TEST_ENTRY(ends_at_its_deadline),
             TEST_ENTRY(is_cancelled_while_others_wait),
             TEST_ENTRY(is_cancelled_with_the_thread_that_finishes_it),
             TEST_ENTRY(fails_with_the_process), TEST_ENTRY(says_when_it_is_over),
             TEST_ENTRY(says_that_the_process_is_gone), TEST_ENTRY(is_called_back),
             TEST_ENTRY(keeps_its_place_under_eight_threads), TEST_ENTRY(is_limited))
