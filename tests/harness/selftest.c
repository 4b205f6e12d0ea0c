/*
 * What the harness must see. tests/harness/CMakeLists.txt runs these one by one: the first group
 * must fail, with the right words, the second must be accepted.
 */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/internal.h"

static void *volatile kept; /* so that the compiler leaves the allocations in */

TEST(crash)
{
    volatile int *volatile nowhere = NULL;

    *nowhere = 1;
}

TEST(hang)
{
    for (;;)
        system_sleep_ms(10);
}

TEST(descriptor)
{
    CHECK_NOT_NULL(fopen(TEST_THIS_FILE, "r"));
}

TEST(memory)
{
    kept = malloc(48);
    kept = NULL;
}

TEST(assertion)
{
    CHECK_EQ(1, 2);
}

static void assert_on_thread(void)
{
    harness_check(false, __FILE__, __LINE__, "from a thread");
}

TEST(check_on_thread)
{
    system_thread(assert_on_thread);
    system_sleep_ms(200);
}

/* Ends with status 0, but without the closing line. */
TEST(quiet_exit)
{
    exit(0);
}

TEST(fine)
{
    char *copy = strdup("text");

    REQUIRE_NOT_NULL(copy);
    CHECK_STR_EQ(copy, "text");
    CHECK_STR_HAS(harness_temporary_directory(), "viaduct-");
    free(copy);
}

/* A cache that lives as long as the process is no leak. */
TEST(once)
{
    static char *cache;

    if (!cache)
        cache = malloc(100);
    CHECK_NOT_NULL(cache);
}

TEST(skip)
{
    SKIP("to show that a skip is counted");
}

TEST(cunit)
{
    CU_ASSERT_EQUAL(2 + 2, 4);
    CU_ASSERT_PTR_NOT_NULL_FATAL(&kept);
}

TEST(failing_allocator)
{
    size_t n;

    for (n = 0; n < 10; n++) {
        void *first, *second;

        harness_fail_allocation(n);
        first = malloc(10);
        second = malloc(20);
        kept = first;
        kept = second;
        free(first);
        free(second);
        if (!harness_allocation_failed())
            break;
        CHECK_EQ(first == NULL, n == 0);
        CHECK_EQ(second == NULL, n == 1);
    }
    CHECK_EQ(n, 2);
}

HARNESS_MAIN("harness_selftest", TEST_ENTRY(crash), TEST_ENTRY_LIMIT(hang, 300),
             TEST_ENTRY(descriptor), TEST_ENTRY(memory), TEST_ENTRY(assertion),
             TEST_ENTRY(check_on_thread), TEST_ENTRY(quiet_exit), TEST_ENTRY(fine),
             TEST_ENTRY(once), TEST_ENTRY(skip), TEST_ENTRY(cunit), TEST_ENTRY(failing_allocator))
