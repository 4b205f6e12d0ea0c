/*
 * Between the files of the harness: harness.c (the run), checks.c (assertions), allocations.c
 * (counted and failing allocations) and system_posix.c / system_windows.c (what the systems do
 * differently).
 */
#ifndef TESTS_HARNESS_INTERNAL_H
#define TESTS_HARNESS_INTERNAL_H

#include "tests/harness/harness.h"

#include <setjmp.h>

/* ---- checks.c ---- */

/* Where a fatal assertion goes: set by the test's thread before each run. */
extern jmp_buf checks_leave_test;

/* Makes the calling thread the one whose fatal assertions leave the test; forgets earlier failures.
 */
void checks_begin(void);
bool checks_failed(void);
/* The reason that harness_skip() gave, or NULL. */
const char *checks_skip_reason(void);

/* ---- allocations.c ---- */

/* A point in the history of allocations. */
struct allocations_mark {
    uint64_t serial;
    uint64_t n_live;
};

void allocations_mark(struct allocations_mark *mark);
/* True if nothing that was allocated after the mark is still live. Under LeakSanitizer: if nothing
 * is lost. */
bool allocations_settled(const struct allocations_mark *mark);
/* Prints what is left since the mark. */
void allocations_report(const struct allocations_mark *mark);

/* ---- system_*.c ---- */

#define SYSTEM_DESCRIPTORS_MAX 4096

/* Open descriptors by number; on Windows handles by number / 4. */
struct system_descriptors {
    unsigned count;
    uint8_t open[SYSTEM_DESCRIPTORS_MAX / 8];
};

void system_descriptors(struct system_descriptors *now);
void system_descriptors_report(const struct system_descriptors *before);

uint64_t system_now_ms(void);
void system_sleep_ms(unsigned ms);
/* For how long the system itself keeps open what a test has made it open. */
extern const unsigned system_lingers_ms;
void system_yield(void);

/* Starts a thread that runs for as long as the process. */
void system_thread(void (*run)(void));

/* Says on a crash which test it was, and where; then the process ends as it would have. */
void system_catch_crashes(const char *(*current_test)(void));
/* Prints where every thread stands, as far as the system can tell. */
void system_print_threads(void);
/* Ends the process at once, as a crash would. */
void system_abort(void) __attribute__((noreturn));

/* "program+0x123", for addr2line. */
void system_describe_address(const void *address, char *buffer, size_t size);

/* UTF-8 paths, owned by the caller's buffer; false on failure. */
bool system_program_directory(char *buffer, size_t size);
bool system_make_temporary_directory(char *buffer, size_t size);
void system_remove_tree(const char *path);

#endif
