/*
 * The run of a suite: CUnit keeps the registry and the count of assertions; selection, time limits,
 * leak checks and skips are made here, around one trampoline (`run_selected`) that CUnit calls for
 * every test.
 *
 * A watchdog thread polls one deadline. It is the only thread of the harness, so that a test's own
 * threads and handles are all that changes while it runs.
 */
#include "tests/harness/internal.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What threads of a test may take to give back what they hold: before the second run, and after it.
 */
#define FIRST_SETTLE_MS  100u
#define SECOND_SETTLE_MS 1000u

static const char *suite_name;
static const struct harness_test *current; /* main thread; others through current_name */
static char current_name[256];
static atomic_uint_fast64_t deadline_ms; /* 0: nothing runs */
static unsigned current_limit_ms;

static char temporary_directory[512];
static char binary_directory[512];

unsigned harness_time_factor(void)
{
    return HARNESS_TIME_FACTOR;
}

unsigned harness_open_descriptors(void)
{
    struct system_descriptors now;

    system_descriptors(&now);
    return now.count;
}

static const char *name_of_current(void)
{
    return current_name;
}

static void watch(void)
{
    for (;;) {
        uint64_t deadline = atomic_load(&deadline_ms);

        if (deadline != 0 && system_now_ms() > deadline) {
            printf("FAIL %s: timed out after %u ms\n", current_name, current_limit_ms);
            fflush(stdout);
            system_print_threads();
            system_abort();
        }
        system_sleep_ms(20);
    }
}

/* A test that ends the process by itself must not look like a suite that passed. */
static void on_exit_inside_test(void)
{
    if (atomic_load(&deadline_ms) == 0)
        return;
    printf("FAIL %s: the test called exit\n", current_name);
    system_abort();
}

const char *harness_binary_directory(void)
{
    if (!binary_directory[0] &&
        system_program_directory(binary_directory, sizeof(binary_directory) - 8))
        strcat(binary_directory, "/../bin");
    return binary_directory;
}

const char *harness_temporary_directory(void)
{
    if (!temporary_directory[0] &&
        !system_make_temporary_directory(temporary_directory, sizeof(temporary_directory)))
        FAIL("no temporary directory could be made");
    return temporary_directory;
}

static void remove_temporary_directory(void)
{
    if (temporary_directory[0])
        system_remove_tree(temporary_directory);
    temporary_directory[0] = '\0';
}

/* What a test must leave as it was. */
struct state {
    struct system_descriptors descriptors;
    struct allocations_mark allocations;
};

static bool descriptors_settled(const struct state *before)
{
    struct system_descriptors now;

    system_descriptors(&now);
    return now.count <= before->descriptors.count;
}

/* Waits a moment for what other threads still have to close or free. */
static bool settled(const struct state *before, unsigned ms)
{
    uint64_t end = system_now_ms() + ms;

    while (!descriptors_settled(before)) {
        if (system_now_ms() > end)
            return false;
        system_sleep_ms(5);
    }
    while (!allocations_settled(&before->allocations)) {
        if (system_now_ms() > end)
            return false;
        system_sleep_ms(5);
    }
    return true;
}

static void run_once(struct state *before)
{
    system_descriptors(&before->descriptors);
    allocations_mark(&before->allocations);
    current_limit_ms =
        (current->limit_ms ? current->limit_ms : HARNESS_LIMIT_MS) * HARNESS_TIME_FACTOR;
    atomic_store(&deadline_ms, system_now_ms() + current_limit_ms);
    checks_begin();
    if (setjmp(checks_leave_test) == 0)
        current->run();
    harness_allocation_failed();
    remove_temporary_directory();
    atomic_store(&deadline_ms, 0);
}

static void run_selected(void)
{
    struct state before;

    run_once(&before);
    if (checks_failed() || checks_skip_reason() ||
        settled(&before, FIRST_SETTLE_MS * HARNESS_TIME_FACTOR))
        return;
    /* Once more: what is made once per process is there by now. */
    run_once(&before);
    if (checks_failed() || checks_skip_reason() ||
        settled(&before, SECOND_SETTLE_MS * HARNESS_TIME_FACTOR + system_lingers_ms))
        return;
    if (!descriptors_settled(&before)) {
        FAIL("the test leaves open descriptors or handles");
        system_descriptors_report(&before.descriptors);
    } else {
        FAIL("the test leaks memory");
        allocations_report(&before.allocations);
    }
}

static bool is_selected(const struct harness_test *test, int argc, char **argv)
{
    const char *also = getenv("VIADUCT_TEST_SELECT"); /* set by ./dev test PATTERN */
    int i;

    if (also && !strstr(test->name, also))
        return false;
    for (i = 1; i < argc; i++) {
        if (strstr(test->name, argv[i]))
            return true;
    }
    return argc <= 1;
}

enum outcome { PASSED, FAILED, SKIPPED, N_OUTCOMES };

static enum outcome run_test(const struct harness_test *test, CU_pSuite suite)
{
    CU_pTest registered = CU_add_test(suite, test->name, run_selected);
    uint64_t start = system_now_ms();
    unsigned long long took;

    current = test;
    snprintf(current_name, sizeof(current_name), "%s.%s", suite_name, test->name);
    if (!registered || CU_run_test(suite, registered) != CUE_SUCCESS) {
        printf("FAIL %s: CUnit: %s\n", test->name, CU_get_error_msg());
        return FAILED;
    }
    took = system_now_ms() - start;
    if (checks_failed()) {
        printf("FAIL %s (%llu ms)\n", test->name, took);
        return FAILED;
    }
    if (checks_skip_reason()) {
        printf("SKIP %s: %s\n", test->name, checks_skip_reason());
        return SKIPPED;
    }
    printf("ok   %s (%llu ms)\n", test->name, took);
    return PASSED;
}

static int list_tests(const struct harness_test *tests, size_t n_tests)
{
    size_t i;

    for (i = 0; i < n_tests; i++)
        printf("%s\n", tests[i].name);
    return 0;
}

int harness_run(const char *suite, const struct harness_test *tests, size_t n_tests, int argc,
                char **argv)
{
    unsigned counts[N_OUTCOMES] = {0};
    CU_pSuite registered;
    size_t i;

    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list_tests(tests, n_tests);
    setvbuf(stdout, NULL, _IOFBF, 8192);
    suite_name = suite;
    snprintf(current_name, sizeof(current_name), "%s", suite);
    system_catch_crashes(name_of_current);
    if (CU_initialize_registry() != CUE_SUCCESS ||
        !(registered = CU_add_suite(suite, NULL, NULL))) {
        printf("FAIL %s: CUnit: %s\n", suite, CU_get_error_msg());
        return 2;
    }
    atexit(on_exit_inside_test);
    system_thread(watch);
    for (i = 0; i < n_tests; i++) {
        if (!is_selected(&tests[i], argc, argv))
            continue;
        counts[run_test(&tests[i], registered)]++;
        fflush(stdout);
    }
    CU_cleanup_registry();
    if (counts[PASSED] + counts[FAILED] + counts[SKIPPED] == 0) {
        printf("no test of the suite %s has such a name\n", suite);
        return 2;
    }
    printf("%u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
    fflush(stdout);
    return counts[FAILED] == 0 ? 0 : 1;
}
