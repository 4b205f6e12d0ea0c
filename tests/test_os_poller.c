/* The reactor: one-shot reports, closing from everywhere, posts in order, ends of processes. */
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/os/descriptors.h"

/* Long enough for a report to have come if one comes. */
#define QUIET_MS 30

struct seen {
    struct os_poller *poller;
    struct os_watch *watch;
    struct os_watch *other;
    _Atomic int n;
    _Atomic uint32_t events;
    uint64_t thread;
    bool close_self, close_other, rearm;
    _Atomic bool slow; /* the callback takes its time */
    _Atomic bool inside;
};

static void on_ready(void *argument, uint32_t events)
{
    struct seen *seen = argument;
    seen->inside = true;
    seen->n++;
    seen->events = events;
    seen->thread = os_thread_id();
    if (seen->slow)
        os_sleep_ms(50);
    if (seen->rearm)
        CHECK_OK(os_watch_arm(seen->watch, VIA_READY_READ));
    if (seen->close_other) {
        os_watch_close(seen->other);
        seen->other = NULL;
    }
    if (seen->close_self)
        os_watch_close(seen->watch);
    seen->inside = false;
}

/* Runs the reactor until `n` reports have come, and then until none comes for a while. */
static void run_until(struct seen *seen, int n)
{
    uint64_t deadline = os_deadline_ms(10000);
    while (seen->n < n && os_now_ns() < deadline)
        os_poller_run_once(seen->poller, deadline);
    uint64_t quiet = os_deadline_ms(QUIET_MS);
    while (os_now_ns() < quiet)
        os_poller_run_once(seen->poller, quiet);
}

/* A poller with a watch on `ends[0]`. */
static bool set_up(struct seen *seen, intptr_t ends[2])
{
    memset(seen, 0, sizeof(*seen));
    if (!descriptors_pair(ends))
        return false;
    if (!CHECK_OK(os_poller_new(&seen->poller)))
        return false;
    return CHECK_OK(os_watch_open(seen->poller, ends[0], on_ready, seen, &seen->watch));
}

static void tear_down(struct seen *seen, const intptr_t ends[2])
{
    os_poller_free(seen->poller);
    descriptors_close(ends[0]);
    if (ends[1] >= 0)
        descriptors_close(ends[1]);
}

#define SET_UP(name, pair)      \
    struct seen name;           \
    intptr_t pair[2];           \
    if (!set_up(&(name), pair)) \
    SKIP("descriptors cannot be watched here: %s", os_unix_calls_reason())

TEST(report_comes_once_for_each_arming)
{
    SET_UP(seen, ends);
    CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    run_until(&seen, 1);
    CHECK_EQ(seen.n, 1);
    CHECK_EQ(seen.events, VIA_READY_READ);
    CHECK(seen.thread == os_thread_id());
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    run_until(&seen, 2);
    CHECK_EQ(seen.n, 2);
    char byte;
    CHECK_EQ(descriptors_read(ends[0], &byte, 1), 1);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    run_until(&seen, 2);
    CHECK_EQ(seen.n, 2);
    CHECK_EQ(descriptors_write(ends[1], "b", 1), 1);
    run_until(&seen, 3);
    CHECK_EQ(seen.n, 3);
    os_watch_close(seen.watch);
    tear_down(&seen, ends);
}

TEST(edges_are_reported_though_nobody_reads)
{
    SET_UP(seen, ends);
    CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
    CHECK_OK(os_watch_arm_edges(seen.watch));
    run_until(&seen, 1);
    CHECK_EQ(seen.n, 1); /* what was there when it was armed */
    for (int n = 2; n < 5; n++) {
        CHECK_EQ(descriptors_write(ends[1], "b", 1), 1);
        run_until(&seen, n);
        CHECK_EQ(seen.n, n);
    }
    os_watch_disarm(seen.watch);
    CHECK_EQ(descriptors_write(ends[1], "c", 1), 1);
    run_until(&seen, 4);
    CHECK_EQ(seen.n, 4);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    run_until(&seen, 5);
    CHECK_EQ(seen.n, 5);
    CHECK_EQ(descriptors_write(ends[1], "d", 1), 1);
    run_until(&seen, 5);
    CHECK_EQ(seen.n, 5); /* one-shot again */
    os_watch_close(seen.watch);
    tear_down(&seen, ends);
}

/* A hint, so what is reported is the same as without it; what the kernel still watches does not
 * show while nothing is armed. */
TEST(to_arm_again_overlooks_nothing)
{
    const uint32_t again = VIA_READY_READ | VIA_READY_AGAIN;
    SET_UP(seen, ends);
    CHECK_OK(os_watch_arm(seen.watch, again));
    for (int n = 1; n < 5; n++) {
        char byte;
        CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
        run_until(&seen, n);
        CHECK_EQ(seen.n, n);
        CHECK_EQ(seen.events, VIA_READY_READ);
        /* What comes while nothing is armed is reported when it is armed, whether the kernel has
         * been heard about it meanwhile or not. */
        CHECK_EQ(descriptors_read(ends[0], &byte, 1), 1);
        CHECK_EQ(descriptors_write(ends[1], "b", 1), 1);
        if (n % 2 == 0)
            run_until(&seen, n);
        CHECK_EQ(seen.n, n);
        CHECK_OK(os_watch_arm(seen.watch, again));
        run_until(&seen, n + 1);
        CHECK_EQ(seen.n, ++n);
        CHECK_EQ(descriptors_read(ends[0], &byte, 1), 1);
        CHECK_OK(os_watch_arm(seen.watch, again));
        run_until(&seen, n);
        CHECK_EQ(seen.n, n); /* nothing is there */
    }
    os_watch_disarm(seen.watch);
    CHECK_EQ(descriptors_write(ends[1], "c", 1), 1);
    run_until(&seen, seen.n);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_WRITE));
    int n = seen.n + 1;
    run_until(&seen, n);
    CHECK_EQ(seen.events, VIA_READY_WRITE);
    CHECK_OK(os_watch_arm(seen.watch, again));
    run_until(&seen, ++n);
    CHECK_EQ(seen.n, n);
    descriptors_close(ends[1]);
    ends[1] = -1;
    CHECK_OK(os_watch_arm(seen.watch, again));
    run_until(&seen, ++n);
    CHECK_EQ(seen.n, n);
    CHECK(seen.events & VIA_READY_CLOSED);
    os_watch_close(seen.watch);
    tear_down(&seen, ends);
}

TEST(writing_and_the_end_are_reported)
{
    SET_UP(seen, ends);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_WRITE));
    run_until(&seen, 1);
    CHECK_EQ(seen.n, 1);
    CHECK_EQ(seen.events, VIA_READY_WRITE);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    descriptors_close(ends[1]);
    ends[1] = -1;
    run_until(&seen, 2);
    CHECK_EQ(seen.n, 2);
    CHECK((seen.events & (VIA_READY_READ | VIA_READY_CLOSED)) ==
          (VIA_READY_READ | VIA_READY_CLOSED));
    /* Who waits for room alone learns of the end as well. */
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_WRITE));
    run_until(&seen, 3);
    CHECK_EQ(seen.n, 3);
    CHECK(seen.events & VIA_READY_CLOSED);
    os_watch_close(seen.watch);
    tear_down(&seen, ends);
}

TEST(arming_again_replaces_and_disarming_silences)
{
    SET_UP(seen, ends);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_WRITE));
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_WRITE));
    os_watch_disarm(seen.watch);
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    descriptors_close(ends[1]);
    ends[1] = -1;
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    os_watch_close(seen.watch);
    tear_down(&seen, ends);
}

TEST(watch_is_closed_and_armed_in_its_own_callback)
{
    SET_UP(seen, ends);
    seen.rearm = true;
    CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
    CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
    uint64_t deadline = os_deadline_ms(10000);
    while (seen.n < 5 && os_now_ns() < deadline)
        os_poller_run_once(seen.poller, deadline);
    CHECK_EQ(seen.n, 5);
    seen.rearm = false;
    seen.close_self = true;
    run_until(&seen, 6);
    CHECK_EQ(seen.n, 6);
    tear_down(&seen, ends);
}

/* Both are ready in one batch; whichever comes first closes the other, whose report must not come.
 */
TEST(watch_that_another_callback_closed_stays_silent)
{
    for (int round = 0; round < 20; round++) {
        SET_UP(one, first);
        struct seen two = {.poller = one.poller, .close_other = true};
        intptr_t second[2];
        REQUIRE(descriptors_pair(second));
        REQUIRE_OK(os_watch_open(one.poller, second[0], on_ready, &two, &two.watch));
        one.other = two.watch;
        two.other = one.watch;
        one.close_other = true;
        CHECK_EQ(descriptors_write(first[1], "a", 1), 1);
        CHECK_EQ(descriptors_write(second[1], "a", 1), 1);
        CHECK_OK(os_watch_arm(one.watch, VIA_READY_READ));
        CHECK_OK(os_watch_arm(two.watch, VIA_READY_READ));
        /* Lets both get as far as the reactor where a thread brings them. */
        os_sleep_ms(2);
        uint64_t deadline = os_deadline_ms(10000);
        while (one.n + two.n < 1 && os_now_ns() < deadline)
            os_poller_run_once(one.poller, deadline);
        os_poller_run_once(one.poller, os_deadline_ms(2));
        CHECK_EQ(one.n + two.n, 1);
        os_watch_close(one.n ? one.watch : two.watch);
        tear_down(&one, first);
        descriptors_close(second[0]);
        descriptors_close(second[1]);
    }
}

struct reactor {
    struct os_poller *poller;
    _Atomic bool over;
};

static void run_reactor(void *argument)
{
    struct reactor *reactor = argument;
    while (!reactor->over)
        os_poller_run_once(reactor->poller, OS_NEVER);
}

TEST(closing_waits_for_the_callback)
{
    SET_UP(seen, ends);
    struct reactor reactor = {.poller = seen.poller};
    struct os_thread *thread;
    REQUIRE_OK(os_thread_start(run_reactor, &reactor, "reactor", &thread));
    CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
    for (int round = 0; round < 5; round++) {
        seen.slow = true;
        int before = seen.n;
        CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
        uint64_t deadline = os_deadline_ms(10000);
        while (!seen.inside && os_now_ns() < deadline)
            os_thread_yield();
        os_watch_close(seen.watch);
        CHECK_FALSE(seen.inside);
        CHECK_EQ(seen.n, before + 1);
        REQUIRE_OK(os_watch_open(seen.poller, ends[0], on_ready, &seen, &seen.watch));
    }
    os_watch_close(seen.watch);
    reactor.over = true;
    os_poller_wake(seen.poller);
    os_thread_join(thread);
    tear_down(&seen, ends);
}

/* Arms, disarms and closes race with the reactor; sanitizers look on. */
TEST(watches_come_and_go_while_the_reactor_runs)
{
    SET_UP(seen, ends);
    struct reactor reactor = {.poller = seen.poller};
    struct os_thread *thread;
    os_watch_close(seen.watch);
    REQUIRE_OK(os_thread_start(run_reactor, &reactor, "reactor", &thread));
    CHECK_EQ(descriptors_write(ends[1], "a", 1), 1);
    for (int round = 0; round < 300; round++) {
        REQUIRE_OK(os_watch_open(seen.poller, ends[0], on_ready, &seen, &seen.watch));
        CHECK_OK(os_watch_arm(seen.watch, VIA_READY_READ));
        if (round % 3 == 0)
            os_watch_disarm(seen.watch);
        if (round % 3 == 1)
            os_thread_yield();
        os_watch_close(seen.watch);
        int after = seen.n;
        if (round % 10 == 0) {
            os_thread_yield();
            CHECK_EQ(seen.n, after);
        }
    }
    reactor.over = true;
    os_poller_wake(seen.poller);
    os_thread_join(thread);
    tear_down(&seen, ends);
}

/* ---- without descriptors ---- */

struct order {
    struct os_poller *poller;
    int n;
    bool in_order;
};

struct step {
    struct order *order;
    int index;
};

static void take_step(void *argument)
{
    struct step *step = argument;
    step->order->in_order = step->order->in_order && step->order->n == step->index;
    step->order->n++;
    if (step->index == 99)
        os_poller_wake(step->order->poller);
}

static void post_all(void *argument)
{
    struct step *steps = argument;
    for (int i = 0; i < 100; i++)
        CHECK_OK(os_poller_post(steps[0].order->poller, take_step, &steps[i]));
}

TEST(posts_run_once_and_in_order)
{
    struct order order = {.in_order = true};
    struct step steps[100];
    struct os_thread *thread;
    REQUIRE_OK(os_poller_new(&order.poller));
    for (int i = 0; i < 100; i++)
        steps[i] = (struct step){.order = &order, .index = i};
    REQUIRE_OK(os_thread_start(post_all, steps, "posts", &thread));
    uint64_t deadline = os_deadline_ms(10000);
    while (order.n < 100 && os_now_ns() < deadline)
        os_poller_run_once(order.poller, deadline);
    os_thread_join(thread);
    CHECK_EQ(order.n, 100);
    CHECK(order.in_order);
    /* What is posted last runs when the poller is freed. */
    steps[0].index = 100;
    CHECK_OK(os_poller_post(order.poller, take_step, &steps[0]));
    os_poller_free(order.poller);
    CHECK_EQ(order.n, 101);
}

TEST(run_once_ends_at_its_deadline_or_by_a_wake)
{
    struct os_poller *poller;
    REQUIRE_OK(os_poller_new(&poller));
    uint64_t deadline = os_deadline_ms(20);
    os_poller_run_once(poller, deadline);
    CHECK(os_now_ns() >= deadline);
    os_poller_wake(poller);
    os_poller_run_once(poller, OS_NEVER);
    os_poller_run_once(poller, 0);
    os_poller_free(poller);
    os_poller_free(NULL);
}

TEST(poller_survives_every_failed_allocation)
{
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        struct os_poller *poller = NULL;
        struct order order = {.in_order = true};
        struct step step = {.order = &order};
        harness_fail_allocation(n);
        HRESULT hr = os_poller_new(&poller);
        if (SUCCEEDED(hr))
            hr = os_poller_post(poller, take_step, &step);
        failed = harness_allocation_failed();
        CHECK_HR(hr, failed ? E_OUTOFMEMORY : S_OK);
        os_poller_free(poller);
        CHECK_EQ(order.n, failed ? 0 : 1);
    }
    error_clear();
}

static HRESULT start_child(const char *what, struct os_process **process)
{
    CLEANUP(cleanup_free) char *program = os_path_program();
    const char *arguments[] = {program, "--child", what, NULL};
    struct os_spawn_options options = {.arguments = arguments};
    return os_process_spawn(&options, process);
}

TEST(end_of_a_process_is_reported_once)
{
    struct seen seen = {.poller = NULL};
    struct os_process *process;
    struct os_exit_status status;
    REQUIRE_OK(os_poller_new(&seen.poller));
    REQUIRE_OK(start_child("sleep", &process));
    REQUIRE_OK(
        os_watch_process(seen.poller, os_process_pid(process), on_ready, &seen, &seen.watch));
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    uint64_t start = os_now_ns();
    os_process_kill(process);
    run_until(&seen, 1);
    CHECK_EQ(seen.n, 1);
    CHECK(seen.events & VIA_READY_CLOSED);
    CHECK(os_now_ns() - start < 1000000000u * (uint64_t)harness_time_factor());
    os_watch_close(seen.watch);
    CHECK_OK(os_process_wait(process, os_deadline_ms(10000), &status));
    os_process_free(process);
    os_poller_free(seen.poller);
}

TEST(watch_on_a_process_is_closed_before_its_end)
{
    struct seen seen = {.poller = NULL};
    struct os_process *process;
    struct os_exit_status status;
    REQUIRE_OK(os_poller_new(&seen.poller));
    REQUIRE_OK(start_child("sleep", &process));
    REQUIRE_OK(
        os_watch_process(seen.poller, os_process_pid(process), on_ready, &seen, &seen.watch));
    os_watch_close(seen.watch);
    uint32_t id = os_process_pid(process);
    os_process_kill(process);
    CHECK_OK(os_process_wait(process, os_deadline_ms(10000), &status));
    os_process_free(process);
    run_until(&seen, 0);
    CHECK_EQ(seen.n, 0);
    CHECK_HR(os_watch_process(seen.poller, id, on_ready, &seen, &seen.watch), VIA_WIN32(2));
    CHECK_STR_HAS(error_get() ? error_get()->text : "", "no process");
    os_poller_free(seen.poller);
    error_clear();
}

static const struct harness_test tests[] = {
    TEST_ENTRY(report_comes_once_for_each_arming),
    TEST_ENTRY(edges_are_reported_though_nobody_reads),
    TEST_ENTRY(to_arm_again_overlooks_nothing),
    TEST_ENTRY(writing_and_the_end_are_reported),
    TEST_ENTRY(arming_again_replaces_and_disarming_silences),
    TEST_ENTRY(watch_is_closed_and_armed_in_its_own_callback),
    TEST_ENTRY(watch_that_another_callback_closed_stays_silent),
    TEST_ENTRY(closing_waits_for_the_callback),
    TEST_ENTRY(watches_come_and_go_while_the_reactor_runs),
    TEST_ENTRY(posts_run_once_and_in_order),
    TEST_ENTRY(run_once_ends_at_its_deadline_or_by_a_wake),
    TEST_ENTRY(poller_survives_every_failed_allocation),
    TEST_ENTRY(end_of_a_process_is_reported_once),
    TEST_ENTRY(watch_on_a_process_is_closed_before_its_end),
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--child") == 0) {
        os_sleep_ms(30000);
        return 0;
    }
    return harness_run("os_poller", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
