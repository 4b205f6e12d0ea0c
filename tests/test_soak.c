/*
 * Very many objects, and very many deaths: nothing is left, nothing hangs, every call is accounted
 * for. How many is set by VIADUCT_SOAK_OBJECTS and VIADUCT_SOAK_KILLS; the defaults are for every
 * day.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "tests/remote/fixture.h"
#include "tests/soak/soak_object.h"
#include "tests/soak/traffic.h"

#define OBJECTS   2000u
#define KILLS     10u
#define N_SERVERS 3
#define N_CLIENTS 3
#define N_PEERS   (N_SERVERS + N_CLIENTS)
/* A promised object that nobody comes for stays for 30 s. */
#define EMPTY_MS 45000u

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

static bool begin(void)
{
    char address[256];
    traffic_init(harness_time_factor());
    fresh_address(address, sizeof address, "soak");
    return fixture_begin() && CHECK_OK(via_register_typelib(&soak_typelib)) &&
           CHECK_OK(via_listen(address));
}

static bool start(struct peer *peer, const char *name)
{
    memset(peer, 0, sizeof *peer);
    return peer_launch_program(&peer->process, "soak_peer", name) &&
           peer_connect(&peer->process, &IID_ISoak, (void **)&peer->root);
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

/* --- very many objects --- */

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

static void run_maker(void *argument)
{
    struct maker *maker = argument;
    char text[1024];
    for (unsigned i = 0; i < maker->n && SUCCEEDED(maker->hr); i++)
        maker->hr = i % 4 == 3 ? pass_mine(maker, i) : pass_one(maker, i);
    if (FAILED(maker->hr))
        harness_note("%s", via_error_message(maker->hr, text, sizeof text));
    SetErrorInfo(0, NULL);
}

static void let_go_of_all(struct peer *peer)
{
    for (ULONG i = 0; i < 16; i++)
        ISoak_Hold(peer->root, i, NULL);
}

TEST(leaves_nothing_of_very_many_objects)
{
    struct peer peers[2];
    struct maker makers[4];
    unsigned n = setting("VIADUCT_SOAK_OBJECTS", OBJECTS);
    REQUIRE(begin());
    bool started = start(&peers[0], "first");
    if (start(&peers[1], "second") && started) {
        for (int i = 0; i < 4; i++) {
            makers[i] = (struct maker){
                .first = peers[i % 2].root, .second = peers[1 - i % 2].root, .n = n / 4};
            CHECK_OK(os_thread_start(run_maker, &makers[i], "maker", &makers[i].thread));
        }
        for (int i = 0; i < 4; i++) {
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
        harness_note("%u objects", n);
    }
    end(&peers[0]);
    end(&peers[1]);
    fixture_end();
}

/* --- very many deaths --- */

static unsigned draw(unsigned below)
{
    uint32_t n = 0;
    if (FAILED(os_random(&n, sizeof n)))
        error_clear();
    return n % below;
}

static bool tell_client(struct peer *client, const struct peer *servers)
{
    unsigned first = draw(N_SERVERS);
    unsigned second = (first + 1 + draw(N_SERVERS - 1)) % N_SERVERS;
    BSTR one = address_bstr(servers[first].process.address);
    BSTR other = address_bstr(servers[second].process.address);
    HRESULT hr = ISoak_SetServers(client->root, one, other);
    SysFreeString(one);
    SysFreeString(other);
    return CHECK_OK(hr);
}

static bool start_client(struct peer *client, const struct peer *servers)
{
    return start(client, "client") && tell_client(client, servers) &&
           CHECK_OK(ISoak_StartTraffic(client->root, 2));
}

/* One of them dies in the middle of its calls, and another takes its place. */
static bool replace_one(struct peer *peers)
{
    unsigned which = draw(N_PEERS);
    struct peer *victim = &peers[which];
    peer_kill(&victim->process);
    end(victim);
    if (which >= N_SERVERS)
        return start_client(victim, peers);
    if (!start(victim, "server"))
        return false;
    for (int i = N_SERVERS; i < N_PEERS; i++)
        if (!tell_client(&peers[i], peers))
            return false;
    return true;
}

static void check_account(struct peer *client)
{
    struct SoakAccount account = {0};
    CHECK_OK(ISoak_StopTraffic(client->root));
    CHECK_OK(ISoak_GetAccount(client->root, &account));
    CHECK(account.started > 0);
    CHECK_EQ(account.returned + account.failed, account.started);
    CHECK_EQ(account.wrong, 0);
    CHECK_EQ(account.unexplained, 0);
    CHECK_EQ(account.late, 0);
    harness_note("process %u: %llu calls, %llu returned, %llu failed with a cause",
                 peer_pid(&client->process), (unsigned long long)account.started,
                 (unsigned long long)account.returned, (unsigned long long)account.failed);
}

TEST(survives_very_many_deaths)
{
    struct peer peers[N_PEERS];
    unsigned n_kills = setting("VIADUCT_SOAK_KILLS", KILLS);
    bool good = true;
    REQUIRE(begin());
    memset(peers, 0, sizeof peers);
    for (int i = 0; i < N_SERVERS && good; i++)
        good = start(&peers[i], "server");
    for (int i = N_SERVERS; i < N_PEERS && good; i++)
        good = start_client(&peers[i], peers);
    for (unsigned i = 0; i < n_kills && good; i++) {
        os_sleep_ms(draw(50));
        good = replace_one(peers);
    }
    os_sleep_ms(100);
    for (int i = N_SERVERS; i < N_PEERS && good; i++)
        check_account(&peers[i]);
    for (int i = 0; i < N_PEERS && good; i++)
        let_go_of_all(&peers[i]);
    uint64_t deadline = os_deadline_ms(EMPTY_MS * harness_time_factor());
    for (int i = 0; i < N_PEERS && good; i++)
        check_peer_empties(&peers[i], deadline);
    CHECK(good);
    for (int i = 0; i < N_PEERS; i++)
        end(&peers[i]);
    EVENTUALLY(own_tables_are_empty(0));
    harness_note("%u kills", n_kills);
    fixture_end();
}

#define HOURS (4u * 3600u * 1000u)

HARNESS_MAIN("soak", TEST_ENTRY_LIMIT(leaves_nothing_of_very_many_objects, HOURS),
             TEST_ENTRY_LIMIT(survives_very_many_deaths, HOURS))
