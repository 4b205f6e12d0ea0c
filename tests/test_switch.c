/*
 * Connections that move to shared memory while they are hot, and back: what is under way meanwhile
 * arrives, once and in order.
 */
#include "core/link/connection.h"
#include "core/link/node.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "tests/link/fixture.h"

#include <stdlib.h>
#include <string.h>

static struct link_settings settings_of(uint32_t hot_calls, uint32_t cold_ms)
{
    struct link_settings settings;
    patient_settings(&settings);
    settings.hot_calls = hot_calls;
    settings.cold_ms = cold_ms;
    return settings;
}

static enum switch_state state_of(struct link_connection *connection)
{
    os_mutex_lock(&connection->lock);
    enum switch_state state = connection->switching.state;
    os_mutex_unlock(&connection->lock);
    return state;
}

/* Both directions of both ends. */
static bool is_in_memory(struct pair *pair)
{
    return state_of(pair->connection) == SWITCH_SHARED && sender_is_shared(pair->connection) &&
           state_of(pair->server.last) == SWITCH_SHARED && sender_is_shared(pair->server.last);
}

static bool is_at_home(struct pair *pair)
{
    return state_of(pair->connection) == SWITCH_NONE && !sender_is_shared(pair->connection) &&
           state_of(pair->server.last) == SWITCH_NONE && !sender_is_shared(pair->server.last);
}

static bool reaches(struct pair *pair, bool (*holds)(struct pair *))
{
    uint64_t deadline_ns = os_deadline_ms(LINK_PATIENCE_MS / 2);
    while (!holds(pair) && os_now_ns() < deadline_ns)
        os_sleep_ms(1);
    return holds(pair);
}

/* A slow machine may need a few tries to make so many calls in 10 ms. */
static bool heat(struct pair *pair)
{
    uint32_t sum = 0;
    uint64_t deadline_ns = os_deadline_ms(LINK_PATIENCE_MS / 2);
    while (!is_in_memory(pair) && os_now_ns() < deadline_ns)
        if (!CHECK_OK(call_add(pair->connection, 1, 2, &sum)) || !CHECK_EQ(sum, 3))
            return false;
    return CHECK(is_in_memory(pair));
}

/* What carries connections before they move. */
static const char *base_scheme(void)
{
    const char *chosen = getenv("TEST_BASE_SCHEME");
    return chosen != NULL ? chosen : "unix";
}

static bool open_pair(struct pair *pair, const struct link_settings *settings)
{
    return pair_open_with(pair, base_scheme(), settings, settings) &&
           CHECK_OK(link_node_need_reactor(pair->client.node)) &&
           CHECK(pair->connection->switching.is_possible);
}

TEST(moves_when_hot_and_back_when_idle)
{
    struct pair pair;
    struct link_settings settings = settings_of(2, 100);
    uint32_t sum;
    if (!open_pair(&pair, &settings))
        return;
    for (int i = 0; i < 5; i++) {
        if (!heat(&pair))
            break;
        CHECK_OK(call_number(pair.connection, METHOD_NEST, 20, LINK_PATIENCE_MS, &sum));
        CHECK_EQ(sum, 20 * 21 / 2);
        CHECK_OK(call_number(pair.server.last, METHOD_NEST, 20, LINK_PATIENCE_MS, &sum));
        CHECK_EQ(sum, 20 * 21 / 2);
        CHECK(reaches(&pair, is_at_home));
        CHECK_OK(call_add(pair.connection, 1, 2, &sum));
    }
    pair_close(&pair);
}

TEST(moves_for_a_large_payload)
{
    struct pair pair;
    struct link_settings settings = settings_of(1u << 30, 30000);
    struct link_message reply;
    size_t size = 3u * 1024u * 1024u + 5u;
    if (!open_pair(&pair, &settings))
        return;
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 31 + i / 4093);
    for (int i = 0; i < 4; i++) {
        if (!CHECK_OK(
                call_method(pair.connection, METHOD_ECHO, data, size, LINK_PATIENCE_MS, &reply)))
            break;
        CHECK(reply.payload_size == size && memcmp(reply.payload, data, size) == 0);
        link_message_release(&reply);
    }
    CHECK(is_in_memory(&pair));
    free(data);
    pair_close(&pair);
}

TEST(stays_where_one_side_wants_to)
{
    struct pair pair;
    struct link_settings hot = settings_of(2, 100);
    struct link_settings stays = hot;
    stays.stay = true;
    for (int i = 0; i < 2; i++) {
        if (!pair_open_with(&pair, base_scheme(), i == 0 ? &hot : &stays, i == 0 ? &stays : &hot))
            return;
        uint32_t sum;
        for (uint32_t n = 0; n < 500; n++)
            CHECK_OK(call_add(pair.connection, n, 1, &sum));
        CHECK(is_at_home(&pair));
        pair_close(&pair);
    }
}

/* What hello has not announced is refused before anything is made of it: on a first path that is
 * memory already the two would share what frames are copied to. */
TEST(refuses_offers_where_it_cannot_move)
{
    struct link_settings stays = settings_of(2, 100);
    stays.stay = true;
    const char *const schemes[] = {"shm", base_scheme()};
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        const uint64_t cookie = 1;
        const uint32_t payload[2] = {WIRE_SWITCH_OFFER, 0};
        const struct link_request offer = {.kind = WIRE_SWITCH,
                                           .body = &cookie,
                                           .body_size = sizeof cookie,
                                           .payload = payload,
                                           .payload_size = sizeof payload};
        uint32_t sum;
        if (!pair_open_with(&pair, schemes[i], i == 0 ? NULL : &stays, NULL))
            return;
        CHECK_FALSE(pair.connection->switching.is_possible);
        CHECK_OK(call_add(pair.connection, 1, 2, &sum));
        CHECK_OK(link_node_need_reactor(pair.client.node)); /* the goodbye is read when it comes */
        CHECK_OK(sender_send(pair.connection, &offer, 0, SEND_QUEUE, 0));
        wait_for(&pair.server.n_closed, 1);
        wait_for(&pair.client.n_closed, 1);
        struct error_record *cause = link_connection_cause(pair.connection);
        char text[ERROR_TEXT_SIZE];
        CHECK_STR_HAS(error_format(cause, E_FAIL, text, sizeof text), "out of turn");
        error_record_free(cause);
        pair_close(&pair);
    }
}

/* --- under load --- */

struct load {
    struct link_connection *connection;
    atomic_bool *over;
    atomic_uint *n_counted; /* at the other side */
    unsigned n_calls;
    unsigned n_wrong;
    struct os_thread *thread;
};

static void call_all_kinds(void *argument)
{
    struct load *load = argument;
    uint8_t bytes[3000];
    for (uint32_t i = 0; !atomic_load(load->over); i++) {
        uint32_t result = 0;
        struct link_message reply;
        size_t size = i % sizeof bytes;
        memset(bytes, (int)i, size);
        bool right = SUCCEEDED(call_add(load->connection, i, 7, &result)) && result == i + 7;
        right =
            right &&
            SUCCEEDED(call_number(load->connection, METHOD_NEST, 3, LINK_PATIENCE_MS, &result)) &&
            result == 6;
        if (right && SUCCEEDED(call_method(load->connection, METHOD_ECHO, bytes, size,
                                           LINK_PATIENCE_MS, &reply))) {
            right = reply.payload_size == size && memcmp(reply.payload, bytes, size) == 0;
            link_message_release(&reply);
        } else {
            right = false;
        }
        load->n_calls++;
        if (!right && load->n_wrong++ == 0) {
            char text[ERROR_TEXT_SIZE];
            harness_note("%s", error_format(error_get(), S_OK, text, sizeof text));
        }
    }
    error_clear();
}

static void number_one_way_calls(void *argument)
{
    struct load *load = argument;
    for (uint32_t i = 0; !atomic_load(load->over); i++) {
        bool sent = SUCCEEDED(
            call_method(load->connection, METHOD_COUNT, &i, sizeof i, LINK_PATIENCE_MS, NULL));
        load->n_calls += sent;
        load->n_wrong += !sent;
        while (load->n_calls - atomic_load(load->n_counted) > 500 && !atomic_load(load->over))
            os_thread_yield();
    }
    error_clear();
}

/* Goes back from either side at moments that have nothing to do with what is under way. */
static unsigned move_to_and_fro(struct pair *pair, unsigned n_wanted)
{
    unsigned n_moves = 0;
    uint64_t until_ns = os_deadline_ms(15000u * harness_time_factor());
    uint64_t state = 88172645463325252u;
    while (n_moves < n_wanted && os_now_ns() < until_ns) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        for (unsigned i = state % 64; i > 0; i--)
            os_thread_yield();
        if (!is_in_memory(pair))
            continue;
        n_moves++;
        if (state & (1u << 20))
            CHECK_OK(switch_leave(pair->connection));
        if (state & (1u << 21))
            CHECK_OK(switch_leave(pair->server.last));
    }
    return n_moves;
}

TEST(loses_and_overtakes_nothing)
{
    struct pair pair;
    struct link_settings settings = settings_of(2, 30000);
    atomic_bool over = false;
    if (!open_pair(&pair, &settings))
        return;
    struct load loads[6];
    for (int i = 0; i < 6; i++) {
        loads[i] = (struct load){.connection = i % 2 == 0 ? pair.connection : pair.server.last,
                                 .over = &over,
                                 .n_counted =
                                     i % 2 == 0 ? &pair.server.n_counted : &pair.client.n_counted};
        CHECK_OK(os_thread_start(i < 4 ? call_all_kinds : number_one_way_calls, &loads[i], "load",
                                 &loads[i].thread));
    }
    unsigned n_moves = move_to_and_fro(&pair, 8);
    atomic_store(&over, true);
    for (int i = 0; i < 6; i++) {
        os_thread_join(loads[i].thread);
        CHECK_EQ(loads[i].n_wrong, 0);
        CHECK(loads[i].n_calls > 0);
    }
    CHECK_EQ(n_moves, 8);
    wait_for(&pair.server.n_counted, loads[4].n_calls);
    wait_for(&pair.client.n_counted, loads[5].n_calls);
    CHECK_EQ(pair.server.n_out_of_order, 0);
    CHECK_EQ(pair.client.n_out_of_order, 0);
    harness_note("%u moves, %u and %u one-way calls", n_moves, loads[4].n_calls, loads[5].n_calls);
    pair_close(&pair);
}

/* --- the end --- */

TEST(ends_calls_in_memory_when_the_peer_goes)
{
    struct link_settings settings = settings_of(2, 30000);
    for (int i = 0; i < 5; i++) {
        struct pair pair;
        uint32_t result;
        if (!open_pair(&pair, &settings) || !heat(&pair))
            return;
        CHECK_HR(call_number(pair.connection, METHOD_DROP, 0, LINK_PATIENCE_MS, &result),
                 RPC_E_DISCONNECTED);
        wait_for(&pair.client.n_closed, 1);
        wait_for(&pair.server.n_closed, 1);
        pair_close(&pair);
    }
}

TEST(stops_while_it_moves)
{
    struct link_settings settings = settings_of(2, 30000);
    for (unsigned i = 0; i < 30; i++) {
        struct pair pair;
        uint32_t sum;
        if (!open_pair(&pair, &settings))
            return;
        for (unsigned n = 0; n < i % 7; n++)
            CHECK_OK(call_add(pair.connection, 1, 2, &sum));
        if (i % 3 == 0)
            CHECK_OK(switch_leave(pair.server.last));
        pair_close(&pair);
    }
}

/* A job that keeps a worker. */
struct keeper {
    struct link_job job;
    atomic_uint *n_kept;
    atomic_bool *goes_on;
};

static void keep_worker(void *argument)
{
    struct keeper *keeper = argument;
    uint64_t deadline_ns = os_deadline_ms(LINK_PATIENCE_MS);
    atomic_fetch_add(keeper->n_kept, 1);
    while (!atomic_load(keeper->goes_on) && os_now_ns() < deadline_ns)
        os_sleep_ms(1);
    atomic_fetch_sub(keeper->n_kept, 1);
}

/* The client's end is cold, and will go back. */
static bool has_cooled(struct pair *pair)
{
    struct link_node *node = pair->client.node;
    os_mutex_lock(&node->lock);
    bool has_cooled = !list_is_linked(&pair->connection->switching.link);
    os_mutex_unlock(&node->lock);
    return has_cooled;
}

/* How often it is queued that the connection goes back; a queue that is broken may have no end. */
static unsigned n_leaving(struct link_connection *connection)
{
    const struct link_node *node = connection->node;
    unsigned n = 0;
    os_mutex_lock(&connection->node->lock);
    const struct list *l = node->jobs.next;
    for (unsigned i = 0; l != &node->jobs && i < 10; i++, l = l->next)
        n += l == &connection->switching.leave_job.link;
    os_mutex_unlock(&connection->node->lock);
    return n;
}

static bool leaves_once(struct pair *pair)
{
    return n_leaving(pair->connection) == 1;
}

/* The connection is used and idle again before a worker has had time to take it back. */
TEST(goes_back_once_when_workers_are_busy)
{
    enum { N_WORKERS = 2 };
    struct pair pair;
    struct keeper keepers[N_WORKERS];
    atomic_uint n_kept = 0;
    atomic_bool goes_on = false;
    struct link_settings settings = settings_of(1, 50);
    settings.max_workers = N_WORKERS;
    if (!pair_open_with(&pair, base_scheme(), NULL, &settings))
        return;
    CHECK_OK(link_node_need_reactor(pair.client.node)); /* which it may never come to sleep for */
    for (unsigned i = 0; i < N_WORKERS; i++) {
        keepers[i] =
            (struct keeper){{.run = keep_worker, .argument = &keepers[i]}, &n_kept, &goes_on};
        CHECK(link_node_submit(pair.client.node, &keepers[i].job));
    }
    if (wait_for(&n_kept, N_WORKERS) && heat(&pair)) {
        CHECK(reaches(&pair, has_cooled) && reaches(&pair, leaves_once));
        switch_watch(pair.connection);
        os_sleep_ms(200);
        CHECK(leaves_once(&pair));
        CHECK_FALSE(has_cooled(&pair));
    }
    atomic_store(&goes_on, true);
    wait_for(&n_kept, 0);
    CHECK(reaches(&pair, is_at_home));
    CHECK(reaches(&pair, has_cooled));
    pair_close(&pair);
}

HARNESS_MAIN("switch", TEST_ENTRY(moves_when_hot_and_back_when_idle),
             TEST_ENTRY(moves_for_a_large_payload), TEST_ENTRY(stays_where_one_side_wants_to),
             TEST_ENTRY(refuses_offers_where_it_cannot_move),
             TEST_ENTRY_LIMIT(loses_and_overtakes_nothing, 40000),
             TEST_ENTRY(ends_calls_in_memory_when_the_peer_goes), TEST_ENTRY(stops_while_it_moves),
             TEST_ENTRY(goes_back_once_when_workers_are_busy))
