/*
 * Arguments in shared memory: blocks that are passed as they lie or as copies, how long they are in
 * use, and what is left when the connection is idle or has ended.
 */
#include "core/link/connection.h"
#include "core/link/memory.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1024 * 1024)

static uint32_t fill(void *data, size_t size, unsigned seed)
{
    uint8_t *bytes = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i] = (uint8_t)(i * 31 + i / 4093 + seed);
    return sum;
}

static uint32_t count(struct link_connection *connection, bool own)
{
    struct memory *memory = atomic_load(&connection->memory);
    if (memory == NULL)
        return 0;
    os_mutex_lock(&memory->lock);
    uint32_t n = own ? memory->n_arenas : memory->n_borrowed;
    os_mutex_unlock(&memory->lock);
    return n;
}

/* One call with these bytes beside its payload. */
static bool pass(struct link_connection *connection, const void *data, size_t size, bool in_place,
                 uint32_t expected)
{
    struct link_blocks *blocks = NULL;
    uint32_t answer[3] = {0};
    return CHECK(link_blocks_add(&blocks, connection, data, size, 8)) &&
           CHECK_OK(call_with_blocks(connection, blocks, in_place, 0, LINK_PATIENCE_MS, answer)) &&
           CHECK_EQ(answer[0], 1) && CHECK_EQ(answer[1], expected) && CHECK_EQ(answer[2], expected);
}

TEST(copies_what_lies_elsewhere)
{
    struct pair pair;
    uint8_t *data = malloc(17 * MIB);
    if (!pair_open(&pair, "unix", NULL))
        return;
    static const size_t sizes[] = {16384, 65536, 100000, MIB, 17 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned j = 0; j < (sizes[i] > MIB ? 1 : 3); j++)
            pass(pair.connection, data, sizes[i], j % 2, fill(data, sizes[i], j));
    CHECK(count(pair.connection, true) <= 3);
    CHECK_EQ(count(pair.server.last, false), count(pair.connection, true));
    /* The other way too. */
    CHECK_OK(link_node_need_reactor(pair.client.node));
    pass(pair.server.last, data, MIB, false, fill(data, MIB, 9));
    struct link_blocks *blocks = NULL;
    CHECK_FALSE(link_blocks_add(&blocks, pair.connection, data, 1000, 8));
    CHECK_NULL(blocks);
    pair_close(&pair);
    free(data);
}

TEST(passes_blocks_and_parts_of_them)
{
    struct pair pair;
    if (!pair_open(&pair, "unix", NULL))
        return;
    uint8_t *block = link_block_new(pair.connection, 100000);
    if (CHECK_NOT_NULL(block)) {
        struct link_blocks *blocks = NULL;
        uint32_t answer[3] = {0};
        uint32_t sum = fill(block, 100000, 1);
        pass(pair.connection, block, 100000, true, sum);
        pass(pair.connection, block, 100000, false, sum);
        pass(pair.connection, block + 5000, 3000, true, fill(block + 5000, 3000, 7));
        /* Several, one of them twice, and one that is copied. */
        static uint8_t elsewhere[20000];
        sum = 2 * fill(block, 50000, 2) + fill(elsewhere, sizeof elsewhere, 3);
        CHECK(link_blocks_add(&blocks, pair.connection, block, 50000, 0));
        CHECK(link_blocks_add(&blocks, pair.connection, elsewhere, sizeof elsewhere, 4));
        CHECK(link_blocks_add(&blocks, pair.connection, block, 50000, 8));
        CHECK_OK(call_with_blocks(pair.connection, blocks, true, 0, LINK_PATIENCE_MS, answer));
        CHECK_EQ(answer[0], 3);
        CHECK_EQ(answer[1], sum);
        CHECK(link_block_free(block));
    }
    CHECK_FALSE(link_block_free(&pair));
    pair_close(&pair);
}

struct caller {
    struct link_connection *connection;
    void *data;
    size_t size;
    bool in_place;
    uint32_t limit_ms;
    uint32_t answer[3];
    HRESULT result;
};

static void call_slowly(void *argument)
{
    struct caller *self = argument;
    struct link_blocks *blocks = NULL;
    self->result = E_FAIL;
    if (link_blocks_add(&blocks, self->connection, self->data, self->size, 0))
        self->result = call_with_blocks(self->connection, blocks, self->in_place, 300,
                                        self->limit_ms, self->answer);
    error_clear();
}

/* Whether a method sees what its caller writes meanwhile. */
static void change_meanwhile(bool in_place)
{
    struct pair pair;
    struct os_thread *thread;
    if (!pair_open(&pair, "unix", NULL))
        return;
    struct caller caller = {pair.connection,
                            link_block_new(pair.connection, MIB),
                            MIB,
                            in_place,
                            LINK_PATIENCE_MS,
                            {0},
                            S_OK};
    if (CHECK_NOT_NULL(caller.data)) {
        uint32_t before = fill(caller.data, MIB, 1);
        pair.server.reads_slowly = true;
        CHECK_OK(os_thread_start(call_slowly, &caller, "caller", &thread));
        wait_for(&pair.server.n_read, 1);
        ((volatile uint8_t *)caller.data)[0]++;
        pair.server.reads_slowly = false;
        os_thread_join(thread);
        CHECK_OK(caller.result);
        CHECK_EQ(caller.answer[1], before);
        CHECK_EQ(caller.answer[2], before + in_place);
        CHECK(link_block_free(caller.data));
    }
    pair_close(&pair);
}

TEST(methods_see_changes_only_in_place)
{
    change_meanwhile(true);
    change_meanwhile(false);
}

TEST(blocks_are_in_use_until_the_answer)
{
    struct pair pair;
    struct os_thread *thread;
    struct link_settings settings;
    link_settings_default(&settings);
    if (!pair_open_with(&pair, "unix", &settings, &settings))
        return;
    struct caller caller = {pair.connection,
                            link_block_new(pair.connection, MIB),
                            MIB,
                            true,
                            1000u * harness_time_factor(),
                            {0},
                            S_OK};
    void *first = caller.data;
    if (CHECK_NOT_NULL(first)) {
        fill(first, MIB, 1);
        pair.server.reads_slowly = true;
        CHECK_OK(os_thread_start(call_slowly, &caller, "caller", &thread));
        wait_for(&pair.server.n_read, 1);
        os_thread_join(thread);
        CHECK_HR(caller.result, RPC_E_TIMEOUT);
        CHECK(link_block_free(first));
        CHECK_FALSE(link_block_free(first));
        /* The method still reads it. */
        void *second = link_block_new(pair.connection, MIB);
        CHECK(second != NULL && second != first);
        uint32_t sum = 0;
        pair.server.reads_slowly = false;
        wait_for(&pair.server.n_running, 0);
        CHECK_OK(call_add(pair.connection, 1, 2, &sum)); /* behind the late answer */
        void *third = link_block_new(pair.connection, MIB);
        CHECK_PTR_EQ(third, first);
        link_block_free(second);
        link_block_free(third);
    }
    pair_close(&pair);
}

TEST(blocks_outlive_the_connection)
{
    struct pair pair;
    if (!pair_open(&pair, "unix", NULL))
        return;
    uint8_t *block = link_block_new(pair.connection, MIB);
    if (CHECK_NOT_NULL(block)) {
        pass(pair.connection, block, MIB, true, fill(block, MIB, 1));
        struct link_blocks *blocks = NULL;
        CHECK(link_blocks_add(&blocks, pair.connection, block, MIB, 0));
        link_connection_close(pair.connection, E_ABORT, "the test ends it");
        uint32_t answer[3];
        CHECK_HR(call_with_blocks(pair.connection, blocks, true, 0, LINK_PATIENCE_MS, answer),
                 RPC_E_DISCONNECTED);
        wait_for(&pair.client.n_closed, 1);
        fill(block, MIB, 2);
        CHECK_NULL(link_block_new(pair.connection, MIB));
        CHECK(link_block_free(block));
    }
    error_clear();
    pair_close(&pair);
}

TEST(a_connection_has_so_much_and_no_more)
{
    struct pair pair;
    void *blocks[16];
    size_t n = 0;
    if (!pair_open(&pair, "unix", NULL))
        return;
    while (n < 16 && (blocks[n] = link_block_new(pair.connection, 9 * MIB)) != NULL)
        n++;
    CHECK_EQ(n, WIRE_MAX_ARENA_BYTES / (9 * MIB));
    CHECK_NULL(link_block_new(pair.connection, WIRE_MAX_ARENA_BYTES + 1));
    /* What finds no room is not passed beside the payload. */
    uint8_t *data = calloc(1, 9 * MIB);
    struct link_blocks *list = NULL;
    CHECK_FALSE(link_blocks_add(&list, pair.connection, data, 9 * MIB, 0));
    for (size_t i = 0; i < n; i++)
        CHECK(link_block_free(blocks[i]));
    pass(pair.connection, data, 9 * MIB, false, 0);
    free(data);
    pair_close(&pair);
}

TEST(memory_is_given_back_when_idle)
{
    struct pair pair;
    struct link_settings settings;
    static uint8_t data[MIB];
    link_settings_default(&settings);
    settings.cold_ms = 100;
    if (!pair_open_with(&pair, "unix", &settings, &settings))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node));
    for (unsigned i = 0; i < 3; i++) {
        if (!pass(pair.connection, data, MIB, i % 2, fill(data, MIB, i)))
            break;
        CHECK(count(pair.connection, true) == 1);
        uint64_t deadline_ns = os_deadline_ms(10000);
        while ((count(pair.connection, true) != 0 || count(pair.server.last, false) != 0) &&
               os_now_ns() < deadline_ns)
            os_sleep_ms(5);
        CHECK_EQ(count(pair.connection, true), 0);
        CHECK_EQ(count(pair.server.last, false), 0);
    }
    pair_close(&pair);
}

TEST(without_memory_nothing_is_passed_so)
{
    struct pair pair;
    static uint8_t data[MIB];
    struct link_settings settings;
    struct link_blocks *blocks = NULL;
    link_settings_default(&settings);
    settings.stay = true;
    if (!pair_open_with(&pair, "unix", &settings, NULL))
        return;
    CHECK_NULL(link_block_new(pair.connection, MIB));
    CHECK_FALSE(link_blocks_add(&blocks, pair.connection, data, MIB, 0));
    pair_close(&pair);
}

TEST(what_the_peer_refuses_is_not_used)
{
    struct pair pair;
    static uint8_t data[MIB];
    if (!pair_open(&pair, "unix", NULL))
        return;
    uint8_t *block = link_block_new(pair.connection, MIB);
    if (CHECK_NOT_NULL(block)) {
        struct link_blocks *blocks = NULL;
        CHECK_OK(arena_refused(atomic_load(&pair.connection->memory), 1));
        CHECK_FALSE(link_blocks_add(&blocks, pair.connection, block, MIB, 0));
        CHECK_FALSE(link_blocks_add(&blocks, pair.connection, data, MIB, 0));
        CHECK_NULL(link_block_new(pair.connection, MIB));
        fill(block, MIB, 1);
        CHECK(link_block_free(block));
    }
    pair_close(&pair);
}

/* --- many at once --- */

#define N_THREADS 4
#define N_CALLS   60

static atomic_uint n_passed;

static void call_often(void *argument)
{
    struct caller *self = argument;
    uint8_t *data = malloc(256 * 1024);
    for (unsigned i = 0; i < N_CALLS; i++) {
        size_t size = 16384 + (i * 7919u) % (200 * 1024);
        uint8_t *block = i % 3 == 0 ? link_block_new(self->connection, size) : NULL;
        uint8_t *bytes = block != NULL ? block : data;
        uint32_t answer[3] = {0};
        uint32_t sum = fill(bytes, size, i);
        struct link_blocks *blocks = NULL;
        /* Not while another thread makes an arena, or the tick takes one away. */
        bool is_passed = link_blocks_add(&blocks, self->connection, bytes, size, 8);
        CHECK_OK(call_with_blocks(self->connection, blocks, i % 2, 0, LINK_PATIENCE_MS, answer));
        CHECK_EQ(answer[0], is_passed);
        CHECK_EQ(answer[1], is_passed ? sum : 0);
        CHECK_EQ(answer[2], answer[1]);
        n_passed += is_passed;
        if (block != NULL)
            CHECK(link_block_free(block));
    }
    free(data);
}

/* Over a connection that moves to shared memory and back meanwhile. */
TEST(threads_pass_blocks_at_once)
{
    struct pair pair;
    struct link_settings settings;
    struct os_thread *threads[N_THREADS];
    link_settings_default(&settings);
    settings.hot_calls = 8;
    settings.cold_ms = 5;
    if (!pair_open_with(&pair, "unix", &settings, &settings))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node));
    struct caller callers[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        callers[i] = (struct caller){.connection = i % 2 ? pair.connection : pair.server.last};
        REQUIRE_OK(os_thread_start(call_often, &callers[i], "caller", &threads[i]));
    }
    for (int i = 0; i < N_THREADS; i++)
        os_thread_join(threads[i]);
    CHECK(n_passed > N_CALLS);
    pair_close(&pair);
}

HARNESS_MAIN("link_memory", TEST_ENTRY(copies_what_lies_elsewhere),
             TEST_ENTRY(passes_blocks_and_parts_of_them),
             TEST_ENTRY(methods_see_changes_only_in_place),
             TEST_ENTRY(blocks_are_in_use_until_the_answer),
             TEST_ENTRY(blocks_outlive_the_connection),
             TEST_ENTRY(a_connection_has_so_much_and_no_more),
             TEST_ENTRY(memory_is_given_back_when_idle),
             TEST_ENTRY(without_memory_nothing_is_passed_so),
             TEST_ENTRY(what_the_peer_refuses_is_not_used), TEST_ENTRY(threads_pass_blocks_at_once))
