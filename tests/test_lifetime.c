/* Ends that come at the wrong moment: of watched processes, of clients, of the runtime itself. */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

#define N_THREADS 4
#define N_WATCHES 300

static LONG remote_count(ITestObject *root)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(root, &n));
    return n;
}

/* --- death watches --- */

enum watched { WATCHED, CANCELLED, TOO_LATE, ENDED };

struct watch {
    atomic_int n_calls;
    enum watched state; /* the thread's that made it */
};

struct watcher {
    ITestObject *root;
    struct os_thread *thread;
    struct watch watches[N_WATCHES];
};

static void count_call(void *context, const char *reason)
{
    struct watch *watch = context;
    CHECK_STR_HAS(reason, "process");
    atomic_fetch_add(&watch->n_calls, 1);
}

/* The proxy goes, and its watch with it; it may have died before. */
static bool watch_a_child(struct watcher *self, struct watch *watch)
{
    ITestObject *child = NULL;
    uint64_t cookie;
    if (FAILED(ITestObject_MakeChild(self->root, &child)))
        return false;
    CHECK_OK(via_death_watch((IUnknown *)child, count_call, watch, &cookie));
    ITestObject_Release(child);
    watch->state = ENDED;
    return true;
}

static void run_watcher(void *argument)
{
    struct watcher *self = argument;
    for (int i = 0; i < N_WATCHES; i++) {
        struct watch *watch = &self->watches[i];
        uint64_t cookie = 0;
        if (i % 3 == 0 && watch_a_child(self, watch))
            continue;
        CHECK_OK(via_death_watch((IUnknown *)self->root, count_call, watch, &cookie));
        CHECK_NE(cookie, 0);
        if (i % 3 == 1)
            watch->state = via_death_unwatch(cookie) == S_OK ? CANCELLED : TOO_LATE;
    }
    SetErrorInfo(0, NULL);
}

static bool is_called_as_it_must(struct watch *watch)
{
    int n = atomic_load(&watch->n_calls);
    if (watch->state == CANCELLED)
        return n == 0;
    return watch->state == ENDED ? n <= 1 : n == 1;
}

static int count_wrong(struct watcher *watchers)
{
    int n_wrong = 0;
    for (int i = 0; i < N_THREADS * N_WATCHES; i++)
        n_wrong += !is_called_as_it_must(&watchers[i / N_WATCHES].watches[i % N_WATCHES]);
    return n_wrong;
}

static void watch_and_kill(unsigned after_ms)
{
    static struct watcher watchers[N_THREADS];
    struct peer_process peer;
    memset(watchers, 0, sizeof watchers);
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        for (int i = 0; i < N_THREADS; i++) {
            watchers[i].root = peer.root;
            CHECK_OK(os_thread_start(run_watcher, &watchers[i], "watcher", &watchers[i].thread));
        }
        os_sleep_ms(after_ms);
        peer_kill(&peer);
        for (int i = 0; i < N_THREADS; i++)
            os_thread_join(watchers[i].thread);
        EVENTUALLY(count_wrong(watchers) == 0);
        os_sleep_ms(20);
        CHECK_EQ(count_wrong(watchers), 0); /* and none is called twice */
    }
    peer_end(&peer);
    fixture_end();
}

/* Death comes while watches are made, cancelled, and ended by the last release of their proxies. */
TEST(a_watch_is_called_once_or_cancelled)
{
    for (unsigned ms = 0; ms < 10; ms += 2)
        watch_and_kill(ms);
}

/* --- clients --- */

/* What the dead one held is given back, and what another one holds is not. */
TEST(a_clients_death_gives_back_exactly_what_it_held)
{
    struct peer_process owner;
    struct peer_process other;
    REQUIRE(fixture_begin());
    bool started = peer_start(&owner, "owner");
    if (peer_start(&other, "other") && started) {
        LONG before = remote_count(owner.root);
        LONG sum = 0;
        ITestObject *both = NULL;
        ITestObject *only = NULL;
        CHECK_OK(ITestObject_MakeChild(owner.root, &both));
        CHECK_OK(ITestObject_Keep(other.root, both));
        ITestObject *chain = NULL; /* the other's alone: kept by an object that it keeps */
        CHECK_OK(ITestObject_MakeChild(other.root, &chain));
        CHECK_OK(ITestObject_MakeChild(owner.root, &only));
        CHECK_OK(ITestObject_Keep(chain, only));
        ITestObject_Release(only);
        CHECK_EQ(remote_count(owner.root), before + 2);
        peer_kill(&other);
        EVENTUALLY(remote_count(owner.root) == before + 1);
        CHECK_OK(ITestObject_Add(both, 20, 3, &sum));
        CHECK_EQ(sum, 23);
        ITestObject_Release(both);
        EVENTUALLY(remote_count(owner.root) == before);
        ITestObject_Release(chain);
    }
    peer_end(&other);
    peer_end(&owner);
    fixture_end();
}

/* --- the runtime --- */

#define N_HELD 200

struct releaser {
    ITestObject *held[N_HELD];
    struct os_thread *thread;
    atomic_int *n_started;
};

static void run_releaser(void *argument)
{
    struct releaser *self = argument;
    atomic_fetch_add(self->n_started, 1);
    for (int i = 0; i < N_HELD; i++) {
        ITestObject_Release(self->held[i]);
        if (i % 16 == 0)
            os_thread_yield();
    }
}

/* Proxies are released while and after the runtime goes down; what a peer holds of ours is given
 * back by that. */
TEST(releases_during_shutdown_are_safe)
{
    static struct releaser releasers[N_THREADS];
    struct peer_process peer;
    atomic_int n_started = 0;
    memset(releasers, 0, sizeof releasers);
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        ITestObject *mine = test_object_new("mine");
        CHECK_OK(ITestObject_Keep(peer.root, mine));
        ITestObject_Release(mine);
        CHECK_EQ(test_object_count(), 1);
        for (int i = 0; i < N_THREADS; i++) {
            releasers[i].n_started = &n_started;
            for (int j = 0; j < N_HELD; j++)
                CHECK_OK(ITestObject_MakeChild(peer.root, &releasers[i].held[j]));
        }
        for (int i = 0; i < N_THREADS; i++)
            CHECK_OK(
                os_thread_start(run_releaser, &releasers[i], "releaser", &releasers[i].thread));
        while (atomic_load(&n_started) == 0)
            os_thread_yield();
        fixture_end();
        for (int i = 0; i < N_THREADS; i++)
            os_thread_join(releasers[i].thread);
        CHECK_EQ(test_object_count(), 0);
        peer_end(&peer); /* the last proxy, and the node's memory with it */
    } else {
        fixture_end();
        peer_end(&peer);
    }
}

HARNESS_MAIN("lifetime", TEST_ENTRY(a_watch_is_called_once_or_cancelled),
             TEST_ENTRY(a_clients_death_gives_back_exactly_what_it_held),
             TEST_ENTRY(releases_during_shutdown_are_safe))
