/*
 * Jobs for one thread: where it does them, and that none is forgotten.
 */
#include "core/link/inbox.h"

#include <string.h>

#include "core/link/call.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"

#define N_JOBS      100u
#define PATIENCE_MS 8000u

/* A thread with an inbox, and what it has done. */
struct resident {
    struct os_thread *thread;
    struct link_inbox *inbox;
    struct link_connection *connection; /* for `call` */
    atomic_ullong thread_id;
    atomic_uint is_up;
    unsigned n_run;       /* the thread's */
    bool is_out_of_order; /* the thread's */
    HRESULT called;       /* the thread's: what came of its call */
};

struct errand {
    struct link_job job;
    struct resident *resident;
    unsigned number;
};

static void resident_main(void *argument)
{
    struct resident *resident = argument;
    if (!CHECK_OK(link_inbox_new(&resident->inbox)))
        return;
    atomic_store(&resident->thread_id, os_thread_id());
    atomic_store(&resident->is_up, 1);
    link_inbox_run(resident->inbox);
}

static bool move_in(struct resident *resident)
{
    memset(resident, 0, sizeof *resident);
    return CHECK_OK(os_thread_start(resident_main, resident, "resident", &resident->thread)) &&
           wait_for(&resident->is_up, 1);
}

static void move_out(struct resident *resident)
{
    link_inbox_end(resident->inbox);
    os_thread_join(resident->thread);
}

static bool send_on(struct errand *errand, struct resident *resident, void (*run)(void *errand))
{
    errand->resident = resident;
    errand->job = (struct link_job){.run = run, .argument = errand};
    return link_inbox_put(resident->inbox, &errand->job);
}

static void run_in_order(void *argument)
{
    struct errand *errand = argument;
    struct resident *resident = errand->resident;
    resident->is_out_of_order |= errand->number != resident->n_run++;
}

TEST(all_is_done_before_the_end)
{
    struct resident resident;
    struct errand errands[N_JOBS];
    if (!move_in(&resident))
        return;
    for (unsigned i = 0; i < N_JOBS; i++) {
        errands[i].number = i;
        CHECK(send_on(&errands[i], &resident, run_in_order));
    }
    move_out(&resident);
    CHECK_EQ(resident.n_run, N_JOBS);
    CHECK_FALSE(resident.is_out_of_order);
    CHECK_FALSE(send_on(&errands[0], &resident, run_in_order));
    link_inbox_free(resident.inbox);
}

static void call_until_cancelled(void *argument)
{
    struct resident *resident = ((struct errand *)argument)->resident;
    uint32_t result = 0;
    resident->called =
        call_number(resident->connection, METHOD_SLEEP, PATIENCE_MS, PATIENCE_MS, &result);
    error_clear();
}

/* Ends the call that the thread waits in. */
static void cancel_own_call(void *argument)
{
    struct resident *resident = ((struct errand *)argument)->resident;
    CHECK_EQ(os_thread_id(), atomic_load(&resident->thread_id));
    CHECK_OK(link_cancel(link_connection_node(resident->connection), os_thread_id()));
}

TEST(a_call_that_waits_is_no_hindrance)
{
    struct pair pair;
    struct resident resident;
    struct errand calls, cancels;
    if (!pair_open(&pair, "loop", NULL))
        return;
    if (move_in(&resident)) {
        resident.connection = pair.connection;
        CHECK(send_on(&calls, &resident, call_until_cancelled));
        wait_for(&pair.server.n_running, 1);
        CHECK(send_on(&cancels, &resident, cancel_own_call));
        move_out(&resident);
        CHECK_EQ(resident.called, RPC_E_CALL_CANCELED);
        link_inbox_free(resident.inbox);
    }
    pair_close(&pair);
}

static void count(void *argument)
{
    ((struct errand *)argument)->resident->n_run++;
}

/* A window message has made the inner call while the thread slept in the outer one, or in none, and
 * a job has come when the inner one was as good as over. */
TEST(what_an_inner_call_leaves_wakes_the_outer_sleep)
{
    struct resident self = {0};
    struct errand errand;
    struct call outer, inner;
    memset(&outer, 0, sizeof outer);
    memset(&inner, 0, sizeof inner);
    if (!CHECK_OK(link_inbox_new(&self.inbox)))
        return;
    os_waiter_init(&outer.waiter);
    atomic_store(&outer.in_waiter, true);
    thread_waits_in(thread_self(), &outer);
    thread_waits_in(thread_self(), &inner);
    CHECK(send_on(&errand, &self, count));
    thread_waits_in(thread_self(), &outer);
    CHECK_OK(os_waiter_wait(&outer.waiter, os_deadline_ms(PATIENCE_MS)));
    thread_waits_in(thread_self(), NULL);
    CHECK_OK(os_waiter_wait(&self.inbox->waiter, os_deadline_ms(PATIENCE_MS)));
    link_inbox_end(self.inbox);
    link_inbox_run(self.inbox);
    CHECK_EQ(self.n_run, 1);
    os_waiter_deinit(&outer.waiter);
    link_inbox_free(self.inbox);
}

HARNESS_MAIN("inbox", TEST_ENTRY(all_is_done_before_the_end),
             TEST_ENTRY(a_call_that_waits_is_no_hindrance),
             TEST_ENTRY(what_an_inner_call_leaves_wakes_the_outer_sleep))
