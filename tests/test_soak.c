/*
 * Very many objects, and very many deaths: nothing is left, nothing hangs, every call is accounted
 * for. How many is set by VIADUCT_SOAK_OBJECTS and VIADUCT_SOAK_KILLS, and VIADUCT_SOAK_SEED
 * repeats who dies when. With VIADUCT_TEST_WINDOWS every second helper program is a Windows one.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/remote/fixture.h"
#include "tests/soak/soak_object.h"
#include "tests/soak/traffic.h"

#define OBJECTS       100000u
#define KILLS         1000u
#define A_FEW_OBJECTS 1000u
#define A_FEW_KILLS   3u
#define N_MAKERS      4
#define N_SERVERS     3
#define N_CLIENTS     3
#define N_PEERS       (N_SERVERS + N_CLIENTS)
/* So many die at once, at most. */
#define MAX_BURST 3u
/* Processes that have been started for those that die next: a start takes longer than all else. */
#define N_SPARES 4u
/* Of some hundred programs that Wine 8 starts while others are killed, one may never get as far as
 * to listen. So many may be lost; what is looked at here are the calls of those that do. */
#define MAX_LOST 5u
/* What lapses has lapsed by then, and what is left is left for good. */
#define EMPTY_MS (2u * SOAK_HANDOFF_MS)

struct peer {
    struct peer_process process;
    ISoak *root;
};

static unsigned setting(const char *name, unsigned usual)
{
    char *text = os_environment(name);
    unsigned n = text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
    free(text);
    return n > 0 ? n : usual;
}

static bool begin(unsigned handoff_ms)
{
    char address[256];
    const struct via_options options = {.size = sizeof options, .handoff_timeout_ms = handoff_ms};
    traffic_init(harness_time_factor());
    fresh_address(address, sizeof address, "soak");
    return CHECK_OK(via_initialize(&options)) && CHECK_OK(via_register_typelib(&soak_typelib)) &&
           CHECK_OK(via_listen(address));
}

/* The `i`-th helper; where there are Windows programs it is one if `i` is odd. */
static bool launch(struct peer *peer, unsigned i, const char *name)
{
    memset(peer, 0, sizeof *peer);
    fixture_launch_native(i % 2 == 0);
    return peer_launch_program(&peer->process, "soak_peer", name);
}

static bool connect_to(struct peer *peer)
{
    return peer_connect(&peer->process, &IID_ISoak, (void **)&peer->root);
}

static void end(struct peer *peer)
{
    if (peer->root != NULL)
        ISoak_Release(peer->root);
    peer->root = NULL;
    peer_end(&peer->process);
}

/* --- what is left --- */

static unsigned number_after(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    return found != NULL ? (unsigned)strtoul(found + strlen(name), NULL, 10) : UINT32_MAX;
}

/* Objects, and entries of the tables but for what this process holds to ask. */
static bool peer_is_empty(struct peer *peer, char *state, size_t size)
{
    INode *node = NULL;
    BSTR json = NULL;
    LONG n_objects = -1;
    bool is_empty = false;
    snprintf(state, size, "it does not answer");
    if (SUCCEEDED(via_connect(peer->process.address, &IID_INode, (void **)&node)) &&
        SUCCEEDED(ISoak_CountObjects(peer->root, &n_objects)) &&
        SUCCEEDED(INode_GetStatistics(node, &json))) {
        char *text = text_from_bstr(json);
        unsigned n_exports = number_after(text, "\"exports\":");
        unsigned n_imports = number_after(text, "\"imports\":");
        unsigned n_handed_on = number_after(text, "\"handed_on\":");
        snprintf(state, size, "%d objects, %u exports, %u imports, %u handed on", (int)n_objects,
                 n_exports, n_imports, n_handed_on);
        is_empty = n_objects == 0 && n_exports == 0 && n_imports == 0 && n_handed_on == 0;
        free(text);
    }
    SysFreeString(json);
    if (node != NULL)
        INode_Release(node);
    return is_empty;
}

static void check_peer_empties(struct peer *peer, uint64_t deadline_ns)
{
    char state[128];
    bool is_empty;
    while (!(is_empty = peer_is_empty(peer, state, sizeof state)) && os_now_ns() < deadline_ns)
        os_sleep_ms(50);
    if (!CHECK(is_empty))
        harness_note("process %u: %s", peer_pid(&peer->process), state);
}

static bool own_tables_are_empty(size_t n_imports)
{
    struct node *node = runtime_node();
    os_mutex_lock(&node->lock);
    bool is_empty = node->exports.n_links == 0 && node->imports.n_links == n_imports &&
                    node->provides.n_links == 0;
    os_mutex_unlock(&node->lock);
    return is_empty && soak_object_count() == 0;
}

/* --- what they have --- */

/* A thread more, or a connection that has moved, is none that was lost. */
#define MORE_ALLOCATIONS 150u
#define MORE_HANDLES     24u

struct resources {
    ULONG allocations;
    ULONG handles;
};

static struct resources count_resources(struct peer *peer)
{
    struct resources now = {0};
    CHECK_OK(ISoak_CountResources(peer->root, &now.allocations, &now.handles));
    return now;
}

static bool has_more(struct peer *peer, const struct resources *before, struct resources *now)
{
    *now = count_resources(peer);
    return now->allocations > before->allocations + MORE_ALLOCATIONS ||
           now->handles > before->handles + MORE_HANDLES;
}

static void check_resources(struct peer *peer, const struct resources *before, uint64_t deadline_ns)
{
    struct resources now;
    bool more;
    while ((more = has_more(peer, before, &now)) && os_now_ns() < deadline_ns)
        os_sleep_ms(50);
    CHECK_FALSE(more);
    harness_note("process %u: %lu allocations, %lu handles; before: %lu, %lu",
                 peer_pid(&peer->process), (unsigned long)now.allocations,
                 (unsigned long)now.handles, (unsigned long)before->allocations,
                 (unsigned long)before->handles);
}

/* --- very many objects --- */

/* Objects that go together, and those that go one by one between two of such batches. */
#define BATCH 32u
#define ALONE 8u

struct maker {
    ISoak *first;
    ISoak *second;
    struct os_thread *thread;
    unsigned n;
    unsigned n_wrong;
    HRESULT hr;
};

/* An object of the first process goes to the second, which connects to the first itself, and comes
 * back; an object of ours goes out and comes home. */
static HRESULT pass_one(struct maker *maker, unsigned i)
{
    ISoak *child = NULL;
    ISoak *same = NULL;
    LONG sum = 0;
    HRESULT hr = ISoak_Make(maker->first, &child);
    if (FAILED(hr))
        return hr;
    hr = i % 2 == 0 ? ISoak_Echo(maker->second, child, &same)
                    : ISoak_CallAdd(maker->second, child, (LONG)i, 1, &sum);
    maker->n_wrong += i % 2 == 0 ? same != child : sum != (LONG)i + 1;
    if (same != NULL)
        ISoak_Release(same);
    if (SUCCEEDED(hr))
        hr = ISoak_Hold(maker->second, i, child);
    ISoak_Release(child);
    return hr;
}

static HRESULT pass_mine(struct maker *maker, unsigned i)
{
    ISoak *mine = soak_object_new();
    ISoak *same = NULL;
    HRESULT hr = ISoak_Echo(maker->first, mine, &same);
    maker->n_wrong += same != mine;
    if (same != NULL)
        ISoak_Release(same);
    if (SUCCEEDED(hr))
        hr = ISoak_Hold(maker->first, i, mine);
    ISoak_Release(mine);
    return hr;
}

/* The same with a batch. */
static HRESULT pass_many(struct maker *maker, bool mine)
{
    ISoak *objects[BATCH] = {NULL};
    ISoak *same[BATCH] = {NULL};
    HRESULT hr = S_OK;
    for (unsigned i = 0; i < BATCH && mine; i++)
        objects[i] = soak_object_new();
    if (!mine)
        hr = ISoak_MakeMany(maker->first, BATCH, objects);
    if (SUCCEEDED(hr))
        hr = ISoak_EchoMany(maker->second, BATCH, objects, same);
    for (unsigned i = 0; i < BATCH; i++) {
        maker->n_wrong += SUCCEEDED(hr) && (same[i] == NULL || same[i] != objects[i]);
        if (same[i] != NULL)
            ISoak_Release(same[i]);
        if (objects[i] != NULL)
            ISoak_Release(objects[i]);
    }
    return hr;
}

static void run_maker(void *argument)
{
    struct maker *maker = argument;
    char text[1024];
    for (unsigned done = 0; done < maker->n && SUCCEEDED(maker->hr); done += ALONE + BATCH) {
        for (unsigned i = done; i < done + ALONE && SUCCEEDED(maker->hr); i++)
            maker->hr = i % 4 == 3 ? pass_mine(maker, i) : pass_one(maker, i);
        if (SUCCEEDED(maker->hr))
            maker->hr = pass_many(maker, done / (ALONE + BATCH) % 4 == 3);
    }
    if (FAILED(maker->hr))
        harness_note("%s", via_error_message(maker->hr, text, sizeof text));
    SetErrorInfo(0, NULL);
}

static void let_go_of_all(struct peer *peer)
{
    for (ULONG i = 0; i < 16; i++)
        ISoak_Hold(peer->root, i, NULL);
}

/* `n` objects, some at a time; all is empty behind it. */
static void make_and_pass(struct peer *peers, unsigned n)
{
    struct maker makers[N_MAKERS];
    for (int i = 0; i < N_MAKERS; i++) {
        makers[i] = (struct maker){
            .first = peers[i % 2].root, .second = peers[1 - i % 2].root, .n = n / N_MAKERS};
        CHECK_OK(os_thread_start(run_maker, &makers[i], "maker", &makers[i].thread));
    }
    for (int i = 0; i < N_MAKERS; i++) {
        os_thread_join(makers[i].thread);
        CHECK_OK(makers[i].hr);
        CHECK_EQ(makers[i].n_wrong, 0);
    }
    for (int i = 0; i < 2; i++)
        let_go_of_all(&peers[i]);
    uint64_t deadline = os_deadline_ms(EMPTY_MS * harness_time_factor());
    for (int i = 0; i < 2; i++)
        check_peer_empties(&peers[i], deadline);
    EVENTUALLY(own_tables_are_empty(2));
}

static void pass_about(unsigned n)
{
    struct peer peers[2];
    struct resources before[2];
    REQUIRE(begin(SOAK_HANDOFF_MS));
    bool started = launch(&peers[0], 0, "soak");
    started = launch(&peers[1], 1, "soak") && started;
    if (started && connect_to(&peers[0]) && connect_to(&peers[1])) {
        make_and_pass(peers, n / 20); /* what is made once is there then */
        for (int i = 0; i < 2; i++)
            before[i] = count_resources(&peers[i]);
        make_and_pass(peers, n);
        uint64_t deadline = os_deadline_ms(EMPTY_MS * harness_time_factor());
        for (int i = 0; i < 2; i++)
            check_resources(&peers[i], &before[i], deadline);
        harness_note("%u objects", n);
    }
    end(&peers[0]);
    end(&peers[1]);
    fixture_end();
}

/* Before the very many, so that what this process makes once is there: else they are passed twice.
 */
TEST(leaves_nothing_of_some_objects)
{
    pass_about(A_FEW_OBJECTS);
}

TEST(leaves_nothing_of_very_many_objects)
{
    pass_about(setting("VIADUCT_SOAK_OBJECTS", OBJECTS));
}

/* --- very many deaths --- */

static uint64_t the_random = 1;

static void seed(void)
{
    char *text = os_environment("VIADUCT_SOAK_SEED");
    uint64_t number = text != NULL ? strtoull(text, NULL, 10) : 0;
    free(text);
    if (number == 0 && FAILED(os_random(&number, sizeof number)))
        error_clear();
    the_random = number | 1; /* never 0, which stays 0 */
    harness_note("VIADUCT_SOAK_SEED=%llu", (unsigned long long)the_random);
}

/* Marsaglia's xorshift, 64 bits. */
static unsigned draw(unsigned below)
{
    the_random ^= the_random << 13;
    the_random ^= the_random >> 7;
    the_random ^= the_random << 17;
    return (unsigned)((the_random >> 33) % below);
}

/* Which servers a client uses from now on; `client` NULL: this process itself. */
static bool tell(struct peer *client, const struct peer *servers)
{
    unsigned first = draw(N_SERVERS);
    unsigned second = (first + 1 + draw(N_SERVERS - 1)) % N_SERVERS;
    const char *addresses[] = {servers[first].process.address, servers[second].process.address};
    if (client == NULL) {
        traffic_set_servers(addresses[0], addresses[1]);
        return true;
    }
    BSTR one = address_bstr(addresses[0]);
    BSTR other = address_bstr(addresses[1]);
    HRESULT hr = ISoak_SetServers(client->root, one, other);
    SysFreeString(one);
    SysFreeString(other);
    return CHECK_OK(hr);
}

/* Of each kind of programs, which take turns: where there are Windows programs, the odd ones. */
struct spares {
    struct peer peers[2][N_SPARES];
    unsigned next[2]; /* the one that was started first */
    unsigned n_lost;
};

static bool runs_under_wine(unsigned i)
{
    CLEANUP(cleanup_free) char *windows = os_environment("VIADUCT_TEST_WINDOWS");
    return os_path_separator == '\\' || (windows != NULL && i % 2 == 1);
}

static bool spares_launch(struct spares *self)
{
    bool good = true;
    memset(self, 0, sizeof *self);
    for (unsigned i = 0; i < 2 * N_SPARES; i++)
        good = launch(&self->peers[i % 2][i / 2], i, SOAK_MORTAL) && good;
    return good;
}

/* One for the `i`-th helper's place; another one is started for the next. */
static bool spares_take(struct spares *self, unsigned i, struct peer *peer)
{
    unsigned *next = &self->next[i % 2];
    struct peer *spare = &self->peers[i % 2][*next];
    *peer = *spare;
    *next = (*next + 1) % N_SPARES;
    bool good = launch(spare, i, SOAK_MORTAL);
    while (good && runs_under_wine(i) && self->n_lost < MAX_LOST) {
        HRESULT hr = peer_try_connect(&peer->process, &IID_ISoak, (void **)&peer->root);
        if (SUCCEEDED(hr))
            return true;
        self->n_lost++;
        printf("process %u has not started: %s\n", peer_pid(&peer->process), error_text(hr));
        error_border_clear();
        end(peer);
        good = launch(peer, i, SOAK_MORTAL);
    }
    return good && connect_to(peer);
}

static void spares_end(struct spares *self)
{
    for (unsigned i = 0; i < 2 * N_SPARES; i++)
        end(&self->peers[i % 2][i / 2]);
}

/* Those that are marked have their places taken, and all clients know the servers. */
static bool start_marked(struct peer *peers, const bool *marked, struct spares *spares)
{
    bool good = true;
    for (unsigned i = 0; i < N_PEERS && good; i++)
        if (marked[i])
            good = spares_take(spares, i, &peers[i]);
    for (unsigned i = N_SERVERS; i < N_PEERS && good; i++)
        good = tell(&peers[i], peers);
    for (unsigned i = N_SERVERS; i < N_PEERS && good; i++)
        if (marked[i])
            good = CHECK_OK(ISoak_StartTraffic(peers[i].root, 2));
    return good && tell(NULL, peers);
}

/* What a process makes once for each interface that it meets, of one that the traffic seldom does.
 */
static void meet_forwarder(const struct peer *peer)
{
    IForwarder *forwarder = NULL;
    if (CHECK_OK(via_connect(peer->process.address, &IID_IForwarder, (void **)&forwarder)))
        IForwarder_Release(forwarder);
}

/* Some of them die in the middle of their calls, and others take their places. */
static bool replace_some(struct peer *peers, unsigned n, struct spares *spares)
{
    bool marked[N_PEERS] = {false};
    unsigned first = draw(N_PEERS);
    unsigned step = draw(2) == 0 ? 1 : N_PEERS - 1; /* to either side */
    for (unsigned i = 0; i < n; i++) {
        unsigned which = (first + i * step) % N_PEERS;
        marked[which] = true;
        peer_kill(&peers[which].process);
    }
    for (unsigned i = 0; i < N_PEERS; i++)
        if (marked[i])
            end(&peers[i]);
    return start_marked(peers, marked, spares);
}

static bool kill_and_replace(struct peer *peers, unsigned n_kills, struct spares *spares)
{
    bool good = true;
    for (unsigned left = n_kills; left > 0 && good;) {
        unsigned n = 1 + draw(MAX_BURST);
        n = n < left ? n : left;
        os_sleep_ms(draw(20 * n));
        good = replace_some(peers, n, spares);
        left -= n;
    }
    os_sleep_ms(100);
    return good;
}

static void check_account(const struct SoakAccount *account, unsigned pid)
{
    CHECK(account->started > 0);
    CHECK_EQ(account->returned + account->failed, account->started);
    CHECK_EQ(account->wrong, 0);
    CHECK_EQ(account->unexplained, 0);
    CHECK_EQ(account->late, 0);
    harness_note("process %u: %llu calls, %llu returned, %llu failed with a cause", pid,
                 (unsigned long long)account->started, (unsigned long long)account->returned,
                 (unsigned long long)account->failed);
}

/* This process has seen all deaths, and the clients those since they began. */
static void check_accounts(struct peer *peers)
{
    struct SoakAccount account = {0};
    traffic_stop();
    traffic_account(&account);
    check_account(&account, os_process_id());
    for (int i = N_SERVERS; i < N_PEERS; i++) {
        memset(&account, 0, sizeof account);
        CHECK_OK(ISoak_StopTraffic(peers[i].root));
        CHECK_OK(ISoak_GetAccount(peers[i].root, &account));
        check_account(&account, peer_pid(&peers[i].process));
    }
}

static void check_all_empty(struct peer *peers)
{
    for (int i = 0; i < N_PEERS; i++)
        let_go_of_all(&peers[i]);
    uint64_t deadline = os_deadline_ms(EMPTY_MS * harness_time_factor());
    for (int i = 0; i < N_PEERS; i++)
        check_peer_empties(&peers[i], deadline);
}

static void kill_and_account(unsigned n_kills)
{
    struct peer peers[N_PEERS];
    struct spares spares;
    bool all[N_PEERS];
    REQUIRE(begin(SOAK_MORTAL_HANDOFF_MS));
    seed();
    memset(peers, 0, sizeof peers);
    memset(all, true, sizeof all);
    bool good = spares_launch(&spares) && start_marked(peers, all, &spares);
    if (good) {
        meet_forwarder(&peers[0]);
        traffic_start(2);
        good = kill_and_replace(peers, n_kills, &spares);
        if (good) {
            check_accounts(peers);
            check_all_empty(peers);
        } else {
            traffic_stop();
        }
    }
    CHECK(good);
    for (int i = 0; i < N_PEERS; i++)
        end(&peers[i]);
    spares_end(&spares);
    EVENTUALLY(own_tables_are_empty(0));
    harness_note("%u kills", n_kills);
    fixture_end();
}

/* As above. */
TEST(survives_some_deaths)
{
    kill_and_account(A_FEW_KILLS);
}

TEST(survives_very_many_deaths)
{
    kill_and_account(setting("VIADUCT_SOAK_KILLS", KILLS));
}

#define HOURS (4u * 3600u * 1000u)

HARNESS_MAIN("soak", TEST_ENTRY(leaves_nothing_of_some_objects),
             TEST_ENTRY_LIMIT(leaves_nothing_of_very_many_objects, HOURS),
             TEST_ENTRY_LIMIT(survives_some_deaths, 60000),
             TEST_ENTRY_LIMIT(survives_very_many_deaths, HOURS))
