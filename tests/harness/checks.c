/*
 * Assertions. CUnit's CU_assertImplementation keeps a list that nothing protects, so every call of
 * it, from our macros and from CUnit's, is led through a wrapper here (the linker's --wrap) that
 * holds a lock, prints the failure at once, and does the leaving of fatal assertions itself.
 */
#include "tests/harness/internal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

CU_BOOL __real_CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                       const char *file, const char *function, CU_BOOL fatal);
CU_BOOL __wrap_CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                       const char *file, const char *function, CU_BOOL fatal);

static atomic_flag lock = ATOMIC_FLAG_INIT; /* output, and CUnit's list */
static atomic_uint n_failures;              /* of the running test */
static char skip_text[512];                 /* test's thread */
static bool skipped;                        /* test's thread */
static _Thread_local bool on_test_thread;
jmp_buf checks_leave_test; /* set by the test's thread */

static void acquire(void)
{
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
        system_yield();
}

static void release(void)
{
    atomic_flag_clear_explicit(&lock, memory_order_release);
}

void checks_begin(void)
{
    on_test_thread = true;
    atomic_store(&n_failures, 0);
    skipped = false;
}

bool checks_failed(void)
{
    return atomic_load(&n_failures) != 0;
}

const char *checks_skip_reason(void)
{
    return skipped ? skip_text : NULL;
}

CU_BOOL __wrap_CU_assertImplementation(CU_BOOL value, unsigned line, const char *condition,
                                       const char *file, const char *function, CU_BOOL fatal)
{
    acquire();
    __real_CU_assertImplementation(value, line, condition, file, function, CU_FALSE);
    if (!value) {
        atomic_fetch_add(&n_failures, 1);
        printf("%s:%u: failed: %s\n", file, line, condition);
        fflush(stdout);
    }
    release();
    if (!value && fatal) {
        if (!on_test_thread) {
            printf("%s:%u: a fatal assertion outside the test's own thread\n", file, line);
            fflush(stdout);
            system_abort();
        }
        longjmp(checks_leave_test, 1);
    }
    return value;
}

static bool report(bool passed, const char *file, unsigned line, const char *text)
{
    CU_assertImplementation(passed ? CU_TRUE : CU_FALSE, line, text, file, "", CU_FALSE);
    return passed;
}

bool harness_check(bool passed, const char *file, unsigned line, const char *text)
{
    return report(passed, file, line, text);
}

bool harness_check_integer(int64_t actual, int64_t other, bool equal, const char *file,
                           unsigned line, const char *text)
{
    char buffer[512];

    if ((actual == other) == equal)
        return report(true, file, line, text);
    snprintf(buffer, sizeof(buffer), "%s (%" PRId64 " and %" PRId64 ")", text, actual, other);
    return report(false, file, line, buffer);
}

bool harness_check_pointer(const void *actual, const void *expected, const char *file,
                           unsigned line, const char *text)
{
    char buffer[512];

    if (actual == expected)
        return report(true, file, line, text);
    snprintf(buffer, sizeof(buffer), "%s (%p and %p)", text, actual, expected);
    return report(false, file, line, buffer);
}

bool harness_check_string(const char *actual, const char *expected, const char *file, unsigned line,
                          const char *text)
{
    char buffer[4096];

    if (actual && expected ? strcmp(actual, expected) == 0 : actual == expected)
        return report(true, file, line, text);
    snprintf(buffer, sizeof(buffer), "%s\n  actual:   %s\n  expected: %s", text,
             actual ? actual : "(null)", expected ? expected : "(null)");
    return report(false, file, line, buffer);
}

bool harness_check_contains(const char *actual, const char *part, const char *file, unsigned line,
                            const char *text)
{
    char buffer[4096];

    if (actual && part && strstr(actual, part))
        return report(true, file, line, text);
    snprintf(buffer, sizeof(buffer), "%s\n  actual: %s\n  part:   %s", text,
             actual ? actual : "(null)", part ? part : "(null)");
    return report(false, file, line, buffer);
}

bool harness_check_memory(const void *actual, const void *expected, size_t size, const char *file,
                          unsigned line, const char *text)
{
    const unsigned char *left = actual, *right = expected;
    char buffer[512];
    size_t i;

    if (size == 0 || (left && right && memcmp(left, right, size) == 0))
        return report(true, file, line, text);
    if (!left || !right)
        return report(false, file, line, text);
    for (i = 0; left[i] == right[i];)
        i++;
    snprintf(buffer, sizeof(buffer), "%s (byte %llu of %llu: %02x and %02x)", text,
             (unsigned long long)i, (unsigned long long)size, left[i], right[i]);
    return report(false, file, line, buffer);
}

bool harness_check_result(int32_t actual, int32_t expected, const char *file, unsigned line,
                          const char *text)
{
    char buffer[512];

    if (actual == expected)
        return report(true, file, line, text);
    snprintf(buffer, sizeof(buffer), "%s (0x%08" PRIX32 " and 0x%08" PRIX32 ")", text,
             (uint32_t)actual, (uint32_t)expected);
    return report(false, file, line, buffer);
}

void harness_fail(const char *file, unsigned line, const char *format, ...)
{
    char buffer[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(buffer, sizeof(buffer), format, arguments);
    va_end(arguments);
    report(false, file, line, buffer);
}

void harness_skip(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(skip_text, sizeof(skip_text), format, arguments);
    va_end(arguments);
    skipped = true;
}

void harness_note(const char *format, ...)
{
    va_list arguments;

    acquire();
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
    release();
}
