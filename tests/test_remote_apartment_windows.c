/*
 * A thread of a single-threaded apartment answers COM calls from another apartment wherever it
 * waits for Viaduct: in a call of a proxy, in a connect to a server that does not answer yet, in a
 * call whose send queue is full.
 *
 * Where that can be, the COM calls themselves are what ends the wait: the other process is
 * suspended and goes on after the last of them. An apartment that does not answer then waits until
 * Viaduct gives up.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/runtime.h>

#include "com/remote/apartment.h"
#include "com/remote/gate.h"
#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "tests/os/apartment_windows.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

#define DELAY_MS 100u

static void note_time(void *argument)
{
    *(uint64_t *)argument = os_now_ns();
}

TEST(apartment_answers_during_a_call)
{
    struct peer_process peer;
    REQUIRE(fixture_begin());
    if (peer_start(&peer, "a")) {
        struct apartment_caller caller;
        uint64_t answered_ns = 0;
        LONG cancelled = 1;
        if (apartment_caller_start(&caller, DELAY_MS, note_time, &answered_ns)) {
            CHECK_OK(ITestObject_Block(peer.root, 1000, &cancelled));
            uint64_t returned_ns = os_now_ns();
            CHECK_EQ(cancelled, 0);
            CHECK_EQ(caller.n_calls, APARTMENT_N_CALLS);
            apartment_caller_end(&caller);
            CHECK(answered_ns < returned_ns);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* --- a process that stands still --- */

typedef LONG(NTAPI *process_fn)(HANDLE process);

static bool each_thread_of(unsigned pid, const char *function)
{
    process_fn run = (process_fn)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), function);
    HANDLE process = OpenProcess(PROCESS_SUSPEND_RESUME, FALSE, pid);
    bool good = CHECK_NOT_NULL(process) && CHECK_NOT_NULL((void *)run) && CHECK(run(process) >= 0);
    if (process != NULL)
        CloseHandle(process);
    return good;
}

static bool suspend(struct peer_process *peer)
{
    return each_thread_of(peer_pid(peer), "NtSuspendProcess");
}

static void resume(void *argument)
{
    each_thread_of(peer_pid(argument), "NtResumeProcess");
}

/* The process runs, and this one has no connection with it. */
static bool start_and_leave(struct peer_process *peer)
{
    if (!fixture_begin())
        return false;
    bool good = peer_start(peer, "a");
    if (good)
        ITestObject_Release(peer->root);
    peer->root = NULL;
    fixture_end();
    return good;
}

TEST(apartment_answers_while_it_connects)
{
    struct peer_process peer;
    struct apartment_caller caller;
    memset(&peer, 0, sizeof peer);
    bool good = start_and_leave(&peer);
    if (good && CHECK(fixture_begin())) {
        if (suspend(&peer) && apartment_caller_start(&caller, DELAY_MS, resume, &peer)) {
            LONG sum = 0;
            CHECK_OK(via_connect(peer.address, &IID_ITestObject, (void **)&peer.root));
            CHECK_EQ(caller.n_calls, APARTMENT_N_CALLS);
            apartment_caller_end(&caller);
            if (peer.root != NULL) {
                CHECK_OK(ITestObject_Add(peer.root, 1, 2, &sum));
                CHECK_EQ(sum, 3);
            }
        }
        peer_end(&peer);
        fixture_end();
    } else {
        peer_end(&peer);
    }
}

/* --- a full queue --- */

/* 2 MiB of arguments in each call, and more calls than the 16 MiB of the queue take. */
#define N_FILLERS  12u
#define N_UNITS    (1024u * 1024u)
#define FILLING_MS 500u

struct filler {
    ITestObject *object;
    struct os_thread *thread;
    HRESULT hr;
};

static HRESULT call_with_much(ITestObject *object)
{
    BSTR text = SysAllocStringLen(NULL, N_UNITS);
    if (text == NULL)
        return E_OUTOFMEMORY;
    for (UINT i = 0; i < N_UNITS; i++)
        text[i] = L'x';
    HRESULT hr = ITestObject_Fail(object, text);
    SysFreeString(text);
    return hr;
}

static void fill(void *argument)
{
    struct filler *filler = argument;
    filler->hr = call_with_much(filler->object);
}

TEST(apartment_answers_while_the_send_queue_is_full)
{
    struct peer_process peer;
    struct apartment_caller caller;
    struct filler fillers[N_FILLERS];
    REQUIRE(fixture_begin());
    memset(fillers, 0, sizeof fillers);
    if (peer_start(&peer, "a") && suspend(&peer)) {
        for (unsigned i = 0; i < N_FILLERS; i++) {
            fillers[i].object = peer.root;
            CHECK_OK(os_thread_start(fill, &fillers[i], "filler", &fillers[i].thread));
        }
        os_sleep_ms(FILLING_MS);
        if (apartment_caller_start(&caller, DELAY_MS, resume, &peer)) {
            CHECK_HR(call_with_much(peer.root), E_ABORT);
            CHECK_EQ(caller.n_calls, APARTMENT_N_CALLS);
            apartment_caller_end(&caller);
        }
        for (unsigned i = 0; i < N_FILLERS; i++) {
            os_thread_join(fillers[i].thread);
            CHECK_HR(fillers[i].hr, E_ABORT);
        }
    }
    peer_end(&peer);
    fixture_end();
}

/* --- the end of an apartment --- */

/* A job on a thread of the program's own, which leaves COM in it; and then nobody has the apartment
 * any more. */
struct leaver {
    struct gate_item item; /* first */
    struct context *context;
    struct os_waiter is_ready; /* the context is there */
    bool by_bell;              /* another thread passes the job */
    bool has_left;             /* the thread's */
};

static void leave_com(struct gate_item *item)
{
    struct leaver *self = (struct leaver *)(void *)item;
    CoUninitialize();
    CHECK(context_is_over(self->context));
    context_unref(self->context);
    self->has_left = true;
}

static void pump_until_left(const struct leaver *self)
{
    MSG message;
    while (!self->has_left) {
        MsgWaitForMultipleObjects(0, NULL, FALSE, 100, QS_ALLINPUT);
        while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE))
            DispatchMessageW(&message);
    }
}

static void be_an_apartment(void *argument)
{
    struct leaver *self = argument;
    CHECK_OK(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED));
    bool is_adopted = CHECK_OK(apartment_adopt(&self->context));
    self->item = (struct gate_item){.context = self->context, .run = leave_com};
    os_waiter_wake(&self->is_ready);
    if (is_adopted && self->by_bell)
        pump_until_left(self);
    else if (is_adopted)
        gate_pass_by(&self->item);
    CHECK(self->has_left);
}

TEST(a_job_may_have_its_thread_leave)
{
    harness_fill_freed(true);
    for (int by_bell = 0; by_bell < 2; by_bell++) {
        struct leaver leaver = {.by_bell = by_bell};
        struct os_thread *thread;
        os_waiter_init(&leaver.is_ready);
        if (CHECK_OK(os_thread_start(be_an_apartment, &leaver, "leaver", &thread))) {
            os_waiter_wait(&leaver.is_ready, OS_NEVER);
            if (by_bell)
                gate_pass_by(&leaver.item);
            os_thread_join(thread);
        }
        os_waiter_deinit(&leaver.is_ready);
    }
    harness_fill_freed(false);
}

static const struct harness_test tests[] = {
    TEST_ENTRY(a_job_may_have_its_thread_leave),
    TEST_ENTRY(apartment_answers_during_a_call),
    TEST_ENTRY(apartment_answers_while_it_connects),
    TEST_ENTRY(apartment_answers_while_the_send_queue_is_full),
};

/* The main thread is the apartment for as long as the process lives, as in
 * test_os_apartment_windows.c. */
int main(int argc, char **argv)
{
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    int status =
        harness_run("remote_apartment", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
    CoUninitialize();
    return status;
}
