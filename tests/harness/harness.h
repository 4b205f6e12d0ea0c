/*
 * The frame around CUnit that every suite runs in.
 *
 * A suite is one program. Each of its tests runs alone and in table order, in this process, under a
 * time limit; before and after it open descriptors (handles on Windows) and live allocations are
 * counted, and a test that leaves more than it found fails by name. A test that leaves something
 * the first time is run a second time, since caches and thread-local state that live as long as the
 * process are made once: so a test must be repeatable in one process. What threads give back a
 * moment late is waited for.
 *
 *     #include "tests/harness/harness.h"
 *
 *     TEST(adds_two_numbers)
 *     {
 *         CHECK_EQ(add(1, 2), 3);
 *     }
 *
 *     HARNESS_MAIN("calculator", TEST_ENTRY(adds_two_numbers))
 *
 * The program takes test names or parts of them as arguments, and --list. It ends with the line
 * "N passed, N failed, N skipped" and with status 0 only if none failed; whoever runs a suite asks
 * for both, because under Wine a crash can end with status 0.
 *
 * CHECK_ macros report and go on; REQUIRE_ macros also leave the function that they stand in (a
 * function that returns void, and so not a thread's main function). All of them may be used on any
 * thread, and so may CUnit's own CU_ASSERT_ macros, except that the _FATAL ones belong to the
 * test's own thread.
 */
#ifndef TESTS_HARNESS_HARNESS_H
#define TESTS_HARNESS_HARNESS_H

#include "core/util/printf.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct harness_test {
    const char *name;
    void (*run)(void);
    unsigned limit_ms; /* 0: HARNESS_LIMIT_MS */
};

/* What a test may take, before the factor for slow builds (sanitizers, Wine). */
#define HARNESS_LIMIT_MS 20000u

#define TEST(test_name) static void test_name(void)

/* Table entries. */
#define TEST_ENTRY(test_name)    \
    {                            \
#test_name, test_name, 0 \
    }
#define TEST_ENTRY_LIMIT(test_name, limit) \
    {                                      \
#test_name, test_name, (limit)     \
    }

/* The main function of a suite: its name and its table entries. */
#define HARNESS_MAIN(suite_name, ...)                                                        \
    int main(int argc, char **argv)                                                          \
    {                                                                                        \
        static const struct harness_test tests[] = {__VA_ARGS__};                            \
        return harness_run(suite_name, tests, sizeof(tests) / sizeof(tests[0]), argc, argv); \
    }

int harness_run(const char *suite, const struct harness_test *tests, size_t n_tests, int argc,
                char **argv);

/* Leaves the test, which counts as skipped: for what this system cannot show. Only in the test
 * itself. */
#define SKIP(...)                  \
    do {                           \
        harness_skip(__VA_ARGS__); \
        return;                    \
    } while (0)

/* Fails the test with a text of its own. */
#define FAIL(...) harness_fail(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition)       harness_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_FALSE(condition) harness_check(!(condition), __FILE__, __LINE__, "not: " #condition)
#define CHECK_NULL(pointer) \
    harness_check((pointer) == NULL, __FILE__, __LINE__, #pointer " == NULL")
#define CHECK_NOT_NULL(pointer) \
    harness_check((pointer) != NULL, __FILE__, __LINE__, #pointer " != NULL")

/* Integers and enums, compared as 64-bit; the failure shows both values. */
#define CHECK_EQ(actual, expected)                                                          \
    harness_check_integer((int64_t)(actual), (int64_t)(expected), true, __FILE__, __LINE__, \
                          #actual " == " #expected)
#define CHECK_NE(actual, unexpected)                                                           \
    harness_check_integer((int64_t)(actual), (int64_t)(unexpected), false, __FILE__, __LINE__, \
                          #actual " != " #unexpected)
#define CHECK_PTR_EQ(actual, expected) \
    harness_check_pointer((actual), (expected), __FILE__, __LINE__, #actual " == " #expected)
#define CHECK_STR_EQ(actual, expected) \
    harness_check_string((actual), (expected), __FILE__, __LINE__, #actual " == " #expected)
#define CHECK_STR_HAS(actual, part) \
    harness_check_contains((actual), (part), __FILE__, __LINE__, #actual " contains " #part)
#define CHECK_MEM_EQ(actual, expected, size) \
    harness_check_memory((actual), (expected), (size), __FILE__, __LINE__, #actual " == " #expected)

/* Results of calls; the failure shows the code in hexadecimal. */
#define CHECK_HR(actual, expected)                                                   \
    harness_check_result((int32_t)(actual), (int32_t)(expected), __FILE__, __LINE__, \
                         #actual " == " #expected)
#define CHECK_OK(actual) CHECK_HR(actual, 0)

/* The same, and the function ends on failure. */
#define REQUIRE(condition)     \
    do {                       \
        if (!CHECK(condition)) \
            return;            \
    } while (0)
#define REQUIRE_EQ(actual, expected)     \
    do {                                 \
        if (!CHECK_EQ(actual, expected)) \
            return;                      \
    } while (0)
#define REQUIRE_NOT_NULL(pointer)     \
    do {                              \
        if (!CHECK_NOT_NULL(pointer)) \
            return;                   \
    } while (0)
#define REQUIRE_OK(actual)     \
    do {                       \
        if (!CHECK_OK(actual)) \
            return;            \
    } while (0)

bool harness_check(bool passed, const char *file, unsigned line, const char *text);
bool harness_check_integer(int64_t actual, int64_t other, bool equal, const char *file,
                           unsigned line, const char *text);
bool harness_check_pointer(const void *actual, const void *expected, const char *file,
                           unsigned line, const char *text);
bool harness_check_string(const char *actual, const char *expected, const char *file, unsigned line,
                          const char *text);
bool harness_check_contains(const char *actual, const char *part, const char *file, unsigned line,
                            const char *text);
bool harness_check_memory(const void *actual, const void *expected, size_t size, const char *file,
                          unsigned line, const char *text);
bool harness_check_result(int32_t actual, int32_t expected, const char *file, unsigned line,
                          const char *text);
void harness_fail(const char *file, unsigned line, const char *format, ...) PRINTF_LIKE(3, 4);
void harness_skip(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line of output that belongs to the running test; safe on any thread. */
void harness_note(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The failing allocator. From the next allocation that this program's own code makes (libraries
 * that are linked dynamically do not count) the one with index `n` fails once; every thread counts.
 *
 *     for (size_t n = 0; harness_fail_allocation(n), try_it(), harness_allocation_failed(); n++)
 *         ;
 */
void harness_fail_allocation(size_t n);
/* From now on what is freed is filled first, so that who uses it still comes to grief; where the
 * program runs under AddressSanitizer, that sees to it. */
void harness_fill_freed(bool fills);
/* Ends the planned failure; true if it has happened. */
bool harness_allocation_failed(void);

/* The directory of this build's programs ("…/build/linux/bin") and a fresh, empty directory for the
 * running test, removed with what is in it when the test ends. Both are owned by the harness. */
const char *harness_binary_directory(void);
const char *harness_temporary_directory(void);

/* For helper programs, which may link the harness to be counted: this program's own allocations
 * that are live, and its open descriptors or handles. Under LeakSanitizer there are 0 allocations,
 * or SIZE_MAX once some are lost. */
size_t harness_live_allocations(void);
unsigned harness_open_descriptors(void);

/* A factor for times in tests: 1, or more in slow builds (sanitizers, Wine). */
unsigned harness_time_factor(void);

#endif
