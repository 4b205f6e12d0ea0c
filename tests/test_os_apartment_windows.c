/*
 * A thread of a single-threaded apartment that waits still answers COM calls. An object that lives
 * in such an apartment is called from the multithreaded one while its thread sleeps in
 * os_waiter_wait().
 */
#include "core/os/clock.h"
#include "core/os/thread.h"

#include <stdatomic.h>
#include <windows.h>

#include <objbase.h>
#include <objidl.h>

#include "tests/harness/harness.h"

/* What is called. The system has a proxy for IEnumUnknown, whose Reset takes nothing. */
struct counter {
    IEnumUnknown IEnumUnknown_iface;
    DWORD apartment_thread;
    _Atomic int n_calls;
    _Atomic bool on_other_thread;
};

static struct counter *counter_from_IEnumUnknown(IEnumUnknown *iface)
{
    return CONTAINING_RECORD(iface, struct counter, IEnumUnknown_iface);
}

static HRESULT STDMETHODCALLTYPE Counter_QueryInterface(IEnumUnknown *iface, REFIID iid,
                                                        void **object)
{
    bool known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IEnumUnknown);
    *object = known ? iface : NULL;
    return known ? S_OK : E_NOINTERFACE;
}

/* It lives on the test's stack. */
static ULONG STDMETHODCALLTYPE Counter_AddRef(IEnumUnknown *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Counter_Release(IEnumUnknown *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Counter_Next(IEnumUnknown *iface, ULONG count, IUnknown **objects,
                                              ULONG *n_fetched)
{
    (void)iface;
    (void)count;
    (void)objects;
    (void)n_fetched;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Counter_Skip(IEnumUnknown *iface, ULONG count)
{
    (void)iface;
    (void)count;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Counter_Reset(IEnumUnknown *iface)
{
    struct counter *self = counter_from_IEnumUnknown(iface);
    if (GetCurrentThreadId() != self->apartment_thread)
        self->on_other_thread = true;
    self->n_calls++;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Counter_Clone(IEnumUnknown *iface, IEnumUnknown **clone)
{
    (void)iface;
    *clone = NULL;
    return E_NOTIMPL;
}

static IEnumUnknownVtbl counter_vtable = {Counter_QueryInterface, Counter_AddRef, Counter_Release,
                                          Counter_Next,           Counter_Skip,   Counter_Reset,
                                          Counter_Clone};

#define N_CALLS 5

struct scene {
    struct counter counter;
    IStream *stream; /* the object, on its way to the caller */
    struct os_waiter waiter;
    HRESULT unmarshalled, called; /* the caller's */
    uint64_t slowest_ns;
};

/* In the multithreaded apartment: calls the object, then ends its thread's sleep. */
static void call_object(void *argument)
{
    struct scene *scene = argument;
    IEnumUnknown *object;
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    scene->unmarshalled =
        CoGetInterfaceAndReleaseStream(scene->stream, &IID_IEnumUnknown, (void **)&object);
    if (SUCCEEDED(scene->unmarshalled)) {
        os_sleep_ms(50); /* the other thread is asleep by then */
        for (int i = 0; i < N_CALLS; i++) {
            uint64_t start = os_now_ns();
            scene->called = object->lpVtbl->Reset(object);
            uint64_t time = os_now_ns() - start;
            scene->slowest_ns = time > scene->slowest_ns ? time : scene->slowest_ns;
        }
        object->lpVtbl->Release(object);
    }
    os_waiter_wake(&scene->waiter);
    CoUninitialize();
}

TEST(waiting_apartment_answers_calls)
{
    struct scene scene = {.counter = {.IEnumUnknown_iface = {&counter_vtable}},
                          .unmarshalled = E_FAIL,
                          .called = E_FAIL};
    struct os_thread *caller;
    REQUIRE(os_thread_is_apartment());
    scene.counter.apartment_thread = GetCurrentThreadId();
    os_waiter_init(&scene.waiter);
    REQUIRE_OK(CoMarshalInterThreadInterfaceInStream(
        &IID_IEnumUnknown, (IUnknown *)&scene.counter.IEnumUnknown_iface, &scene.stream));
    REQUIRE_OK(os_thread_start(call_object, &scene, "caller", &caller));
    CHECK_OK(os_waiter_wait(&scene.waiter, os_deadline_ms(10000)));
    os_thread_join(caller);
    os_waiter_deinit(&scene.waiter);
    CHECK_OK(scene.unmarshalled);
    CHECK_OK(scene.called);
    CHECK_EQ(scene.counter.n_calls, N_CALLS);
    CHECK_FALSE(scene.counter.on_other_thread);
    CHECK(scene.slowest_ns < 1000000000u);
}

static void wait_in_apartment(void *argument)
{
    HRESULT *results = argument;
    struct os_waiter waiter;
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    os_waiter_init(&waiter);
    results[0] = os_waiter_wait(&waiter, 0);
    uint64_t deadline = os_deadline_ms(30);
    results[1] = os_waiter_wait(&waiter, deadline);
    results[2] = os_now_ns() >= deadline ? S_OK : E_FAIL;
    os_waiter_wake(&waiter);
    results[3] = os_waiter_wait(&waiter, OS_NEVER);
    results[4] = os_waiter_wait(&waiter, 0);
    /* Without COM it is an ordinary thread again, and the waiter still works. */
    CoUninitialize();
    deadline = os_deadline_ms(30);
    results[5] = os_waiter_wait(&waiter, deadline);
    os_waiter_deinit(&waiter);
}

TEST(waiter_of_an_apartment_times_out_and_keeps_an_early_wake)
{
    HRESULT results[6];
    struct os_thread *thread;
    REQUIRE_OK(os_thread_start(wait_in_apartment, results, "apartment", &thread));
    os_thread_join(thread);
    CHECK_HR(results[0], RPC_E_TIMEOUT);
    CHECK_HR(results[1], RPC_E_TIMEOUT);
    CHECK_OK(results[2]);
    CHECK_OK(results[3]);
    CHECK_HR(results[4], RPC_E_TIMEOUT);
    CHECK_HR(results[5], RPC_E_TIMEOUT);
}

static const struct harness_test tests[] = {
    TEST_ENTRY(waiting_apartment_answers_calls),
    TEST_ENTRY(waiter_of_an_apartment_times_out_and_keeps_an_early_wake),
};

/* The main thread is the apartment for as long as the process lives: Wine never closes what it
 * opened for an apartment whose objects were marshalled. */
int main(int argc, char **argv)
{
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    int status = harness_run("os_apartment", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    CoUninitialize();
    return status;
}
