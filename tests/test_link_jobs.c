/*
 * What control frames leave to be done: which thread does it, and that nobody waits for it.
 */
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "tests/link/fixture.h"

#include <string.h>

#ifndef LINK_SCHEME
#define LINK_SCHEME "loop"
#endif

#define MAX_JOBS    2
#define PATIENCE_MS 15000u

/* A job that a release frame leaves, and what it has seen. */
struct left {
    struct link_job job;
    struct leaves *leaves;
    atomic_ullong thread;
    atomic_bool was_in_chain;
};

struct leaves {
    struct side *side;
    unsigned n_jobs; /* of each frame */
    void (*work)(struct left *left);
    struct left jobs[MAX_JOBS];
    atomic_ullong reader; /* the thread that has read the frame */
    atomic_uint n_done;
    atomic_bool goes_on; /* who blocks need not any more */
    atomic_uint result;
};

static void run_left(void *argument)
{
    struct left *left = argument;
    atomic_store(&left->thread, os_thread_id());
    atomic_store(&left->was_in_chain, link_current() != NULL);
    if (left->leaves->work != NULL)
        left->leaves->work(left);
    atomic_fetch_add(&left->leaves->n_done, 1);
}

static void leave_jobs(struct side *side, struct link_message *frame)
{
    struct leaves *leaves = atomic_load(&side->context);
    atomic_store(&leaves->reader, os_thread_id());
    for (unsigned i = 0; i < leaves->n_jobs; i++) {
        struct left *left = &leaves->jobs[i];
        left->leaves = leaves;
        left->job = (struct link_job){.run = run_left, .argument = left};
        if (!link_node_submit(link_connection_node(frame->connection), &left->job))
            run_left(left);
    }
}

static bool wait_to_go_on(struct leaves *leaves)
{
    uint64_t until_ns = os_deadline_ms(PATIENCE_MS);
    while (!atomic_load(&leaves->goes_on) && os_now_ns() < until_ns)
        os_sleep_ms(1);
    return atomic_load(&leaves->goes_on);
}

static bool begin(struct pair *pair, struct leaves *leaves, unsigned n_jobs,
                  void (*work)(struct left *left))
{
    memset(leaves, 0, sizeof *leaves);
    if (!pair_open(pair, LINK_SCHEME, NULL))
        return false;
    leaves->side = &pair->server;
    leaves->n_jobs = n_jobs;
    leaves->work = work;
    atomic_store(&pair->server.context, leaves);
    atomic_store(&pair->server.on_release, leave_jobs);
    return true;
}

static void post_release(struct pair *pair)
{
    const uint32_t body[2] = {0};
    struct link_request request = {.kind = WIRE_RELEASE, .body = body, .body_size = sizeof body};
    CHECK_OK(link_post(pair->connection, &request, LINK_NO_WAIT));
}

/* No other thread is woken for it. */
TEST(who_reads_does_it)
{
    struct pair pair;
    struct leaves leaves;
    if (!begin(&pair, &leaves, 1, NULL))
        return;
    for (unsigned i = 1; i <= 100; i++) {
        uint32_t sum = 0;
        post_release(&pair);
        if (!wait_for(&leaves.n_done, i) ||
            !CHECK_EQ(atomic_load(&leaves.jobs[0].thread), atomic_load(&leaves.reader)) ||
            !CHECK_OK(call_add(pair.connection, i, 1, &sum)) || !CHECK_EQ(sum, i + 1))
            break;
    }
    CHECK_FALSE(leaves.jobs[0].was_in_chain);
    pair_close(&pair);
}

/* The first waits until the second has run. */
static void wait_for_the_second(struct left *left)
{
    struct leaves *leaves = left->leaves;
    if (left == &leaves->jobs[0])
        CHECK(wait_to_go_on(leaves));
    else
        atomic_store(&leaves->goes_on, true);
}

TEST(only_one_is_kept_of_a_frame)
{
    struct pair pair;
    struct leaves leaves;
    if (!begin(&pair, &leaves, 2, wait_for_the_second))
        return;
    post_release(&pair);
    wait_for(&leaves.n_done, 2);
    CHECK_EQ(atomic_load(&leaves.jobs[0].thread), atomic_load(&leaves.reader));
    CHECK_NE(atomic_load(&leaves.jobs[1].thread), atomic_load(&leaves.reader));
    pair_close(&pair);
}

static void block(struct left *left)
{
    CHECK(wait_to_go_on(left->leaves));
}

/* Calls behind the frame are answered while the job blocks, which loses the right to read. */
TEST(others_read_while_it_blocks)
{
    struct pair pair;
    struct leaves leaves;
    if (!begin(&pair, &leaves, 1, block))
        return;
    post_release(&pair);
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t sum = 0;
        CHECK_OK(call_number(pair.connection, METHOD_REPLY_LATE, i, PATIENCE_MS / 2, &sum));
        CHECK_EQ(sum, i);
    }
    CHECK_EQ(leaves.n_done, 0);
    atomic_store(&leaves.goes_on, true);
    wait_for(&leaves.n_done, 1);
    uint32_t sum = 0;
    CHECK_OK(call_add(pair.connection, 3, 4, &sum));
    CHECK_EQ(sum, 7);
    pair_close(&pair);
}

/* On the connection that it reads, and is answered on. */
static void call_back(struct left *left)
{
    struct leaves *leaves = left->leaves;
    uint32_t sum = 0;
    CHECK_OK(call_add(atomic_load(&leaves->side->last), 40, 2, &sum));
    CHECK_OK(call_number(atomic_load(&leaves->side->last), METHOD_NEST, 5, LINK_PATIENCE_MS, &sum));
    atomic_store(&leaves->result, sum);
}

TEST(it_may_call_back)
{
    struct pair pair;
    struct leaves leaves;
    if (!begin(&pair, &leaves, 1, call_back))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node));
    for (unsigned i = 1; i <= 20; i++) {
        uint32_t sum = 0;
        atomic_store(&leaves.result, 0);
        post_release(&pair);
        if (i % 2 == 0)
            CHECK_OK(call_add(pair.connection, i, 1, &sum));
        if (!wait_for(&leaves.n_done, i) || !CHECK_EQ(leaves.result, 15))
            break;
    }
    pair_close(&pair);
}

static void sleep_a_while(struct left *left)
{
    (void)left;
    os_sleep_ms(50);
}

/* The end of the connection, and of the node, wait for it. */
TEST(it_runs_before_the_end)
{
    for (unsigned i = 0; i < 10; i++) {
        struct pair pair;
        struct leaves leaves;
        uint32_t sum = 0;
        if (!begin(&pair, &leaves, 2, i % 2 == 0 ? sleep_a_while : NULL))
            return;
        post_release(&pair);
        if (i % 3 != 0)
            CHECK_OK(call_add(pair.connection, 1, 2, &sum));
        wait_for(&pair.server.n_released, 1);
        side_close(i % 2 == 0 ? &pair.server : &pair.client);
        side_close(&pair.server);
        CHECK_EQ(leaves.n_done, 2);
        pair_close(&pair);
    }
}

HARNESS_MAIN("link_jobs_" LINK_SCHEME, TEST_ENTRY(who_reads_does_it),
             TEST_ENTRY(only_one_is_kept_of_a_frame), TEST_ENTRY(others_read_while_it_blocks),
             TEST_ENTRY(it_may_call_back), TEST_ENTRY(it_runs_before_the_end))
