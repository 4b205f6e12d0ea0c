/*
 * A thread of a single-threaded apartment that waits still answers COM calls. An object that lives
 * in such an apartment is called from the multithreaded one while its thread sleeps in
 * os_waiter_wait().
 */
#include "tests/os/apartment_windows.h"

#include "core/os/clock.h"
#include "tests/harness/harness.h"

TEST(waiting_apartment_answers_calls)
{
    struct apartment_caller caller;
    REQUIRE(apartment_caller_start(&caller, 50, NULL, NULL));
    /* The caller's end, after its last call, is what is slept for. */
    apartment_caller_end(&caller);
    CHECK(caller.slowest_ns < 1000000000u);
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
