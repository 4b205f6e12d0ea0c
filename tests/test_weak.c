/* Weak references: they do not keep, they find what lives, and they break cycles. */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <viaduct/runtime.h>
#include <viaduct/weak.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/events/fixture.h"

static HRESULT resolve(IWeakReference *reference, REFIID iid, void *object)
{
    return IWeakReference_Resolve(reference, iid, (IInspectable **)object);
}

static void check_gone(IWeakReference *reference)
{
    void *object = reference;
    CHECK_OK(resolve(reference, &IID_ITestSource, &object));
    CHECK_NULL(object);
}

TEST(finds_an_object_while_it_lives)
{
    REQUIRE(events_begin());
    ITestSource *source = source_object_new(0);
    ITestSource *found = NULL;
    IWeakReference *reference = NULL;
    void *missing = NULL;
    REQUIRE_OK(via_weak_get((IUnknown *)source, &reference));
    CHECK_OK(resolve(reference, &IID_ITestSource, &found));
    CHECK_PTR_EQ(found, source);
    CHECK_EQ(ITestSource_Release(found), 1);
    CHECK_HR(resolve(reference, &IID_ITestQuestions, &missing), E_NOINTERFACE);
    CHECK_EQ(ITestSource_Release(source), 0);
    CHECK_EQ(event_object_count(), 0);
    check_gone(reference);
    CHECK_EQ(IWeakReference_Release(reference), 0);
    fixture_end();
}

TEST(finds_an_object_of_another_process)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        ITestSource *source = NULL;
        ITestSource *found = NULL;
        IWeakReference *reference = NULL;
        void *missing = &peer;
        CHECK_OK(ITestSource_MakeSource(peer.root, 0, &source));
        CHECK_OK(via_weak_get((IUnknown *)source, &reference));
        CHECK_OK(resolve(reference, &IID_ITestSource, &found));
        CHECK_PTR_EQ(found, source);
        ITestSource_Release(found);
        CHECK_HR(resolve(reference, &IID_ITestQuestions, &missing), E_NOINTERFACE);
        CHECK_NULL(missing);
        CHECK_EQ(remote_object_count(peer.root), 2);
        ITestSource_Release(source);
        EVENTUALLY(remote_object_count(peer.root) == 1);
        check_gone(reference);
        peer_kill(&peer.process);
        CHECK_HR(resolve(reference, &IID_ITestSource, &missing), RPC_E_DISCONNECTED);
        CHECK_NULL(missing);
        IWeakReference_Release(reference);
        CHECK_HR(via_weak_get((IUnknown *)peer.root, &reference), RPC_E_DISCONNECTED);
    }
    events_peer_end(&peer);
    fixture_end();
}

/* An object here and one there that hold each other never end; with a weak reference one way they
 * do. */
TEST(breaks_a_cycle_across_processes)
{
    struct events_peer peer;
    REQUIRE(events_begin());
    if (events_peer_start(&peer, "a")) {
        ITestSource *mine = source_object_new(0);
        ITestSource *theirs = NULL;
        IUnknown *known = NULL;
        CHECK_OK(ITestSource_MakeSource(peer.root, 0, &theirs));
        CHECK_OK(ITestSource_Keep(mine, (IUnknown *)theirs));
        CHECK_OK(ITestSource_Keep(theirs, (IUnknown *)mine));
        /* The cycle: both would live on without us. It is broken by hand here ... */
        CHECK_OK(ITestSource_Keep(theirs, NULL));
        /* ... and needs no breaking here. */
        CHECK_OK(ITestSource_Know(theirs, (IUnknown *)mine));
        CHECK_OK(ITestSource_GetKnown(theirs, &known));
        CHECK_PTR_EQ(known, mine);
        if (known != NULL)
            IUnknown_Release(known);
        ITestSource_Release(theirs);
        ITestSource_Release(mine);
        EVENTUALLY(event_object_count() == 0);
        EVENTUALLY(remote_object_count(peer.root) == 1);
    }
    events_peer_end(&peer);
    fixture_end();
}

struct resolver {
    IWeakReference *reference;
    struct os_thread *thread;
    atomic_int *n_started;
    int n_found;
};

static void run_resolver(void *argument)
{
    struct resolver *self = argument;
    ITestSource *found = NULL;
    atomic_fetch_add(self->n_started, 1);
    /* Not for ever: as long as one of the threads has the object, none of them is the last. */
    for (int i = 0; i < 1000; i++) {
        CHECK_OK(resolve(self->reference, &IID_ITestSource, &found));
        if (found == NULL)
            break;
        self->n_found++;
        ITestSource_Release(found);
    }
}

TEST(resolving_races_with_the_last_release)
{
    REQUIRE(events_begin());
    int n_found = 0;
    for (int round = 0; round < 50; round++) {
        ITestSource *source = source_object_new(0);
        struct resolver resolvers[3];
        atomic_int n_started = 0;
        IWeakReference *reference = NULL;
        CHECK_OK(via_weak_get((IUnknown *)source, &reference));
        for (int i = 0; i < 3; i++) {
            resolvers[i] = (struct resolver){.reference = reference, .n_started = &n_started};
            CHECK_OK(
                os_thread_start(run_resolver, &resolvers[i], "resolver", &resolvers[i].thread));
        }
        while (atomic_load(&n_started) == 0)
            os_thread_yield();
        ITestSource_Release(source);
        for (int i = 0; i < 3; i++) {
            os_thread_join(resolvers[i].thread);
            n_found += resolvers[i].n_found;
        }
        check_gone(reference);
        CHECK_EQ(IWeakReference_Release(reference), 0);
    }
    CHECK_EQ(event_object_count(), 0);
    harness_note("found %d times", n_found);
    fixture_end();
}

HARNESS_MAIN("weak", TEST_ENTRY(finds_an_object_while_it_lives),
             TEST_ENTRY(finds_an_object_of_another_process),
             TEST_ENTRY(breaks_a_cycle_across_processes),
             TEST_ENTRY(resolving_races_with_the_last_release))
