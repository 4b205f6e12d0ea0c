/*
 * The conformance suite finds each planted fault, by the test that it is for, and by no other.
 */
#include "tests/harness/harness.h"

#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/unix_calls.h"
#include "core/plugin/conformance.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <stdio.h>
#include <string.h>

struct findings {
    const char *expected;
    unsigned n_expected;
    unsigned n_others;
};

static void report(void *context, const char *test, enum plugin_conformance_result result,
                   const char *message)
{
    struct findings *findings = context;
    if (result != PLUGIN_CONFORMANCE_FAIL)
        return;
    if (strcmp(test, findings->expected) == 0) {
        findings->n_expected++;
        harness_note("found: %s: %s", test, message);
    } else {
        findings->n_others++;
        FAIL("%s failed too: %s", test, message);
    }
}

static void expect(const char *fault, const char *test)
{
    char path[1200];
    char text[ERROR_TEXT_SIZE];
    struct findings findings = {.expected = test};
    unsigned n_failed = 0;
    if (os_is_wine() && os_unix_calls() == NULL)
        SKIP("no Unix sockets here: %s", os_unix_calls_reason());
    snprintf(path, sizeof path, "%s%cfaulty-%s%s", plugin_reactor_path("tests/faulty"),
             os_path_separator, fault, os_module_suffix);
    HRESULT hr = plugin_conformance_run_file(path, NULL, report, &findings, &n_failed);
    if (FAILED(hr))
        FAIL("%s: %s", path, error_format(error_get(), hr, text, sizeof text));
    CHECK_EQ(findings.n_expected, 1);
    CHECK_EQ(findings.n_others, 0);
    CHECK_EQ(n_failed, 1);
    error_clear();
}

#define FAULT(fault, test)    \
    TEST(fault)               \
    {                         \
        expect(#fault, test); \
    }

FAULT(closed_once, "closed_when_peer_is_gone")
FAULT(closed_too_soon, "closed_is_not_early")
FAULT(closed_unreported, "closed_when_peer_is_gone")
FAULT(commit_blocks, "full_stream_never_blocks")
FAULT(decided_too_soon, "connection_is_decided")
FAULT(disarm_closed_ignored, "closed_is_disarmed")
FAULT(disarm_ignored, "disarm")
FAULT(end_before_data, "end_comes_after_data")
FAULT(finish_ends_both, "finish_ends_one_direction")
FAULT(handle_lost, "handles_of_gathered_commits")
FAULT(handles_taken_when_few, "too_few_handles")
FAULT(init_once, "init_repeats")
FAULT(interrupt_lost, "interrupt_next_wait")
FAULT(name_stolen, "address_in_use")
FAULT(ready_twice, "arm_once_ready_once")
FAULT(refusal_forgotten, "refusal_is_kept")
FAULT(short_read_dropped, "random_sizes")
FAULT(wait_early, "wait_deadline")
FAULT(wrong_identity, "identity")

HARNESS_MAIN("faulty", TEST_ENTRY_LIMIT(closed_once, 90000),
             TEST_ENTRY_LIMIT(closed_too_soon, 60000), TEST_ENTRY_LIMIT(closed_unreported, 90000),
             TEST_ENTRY_LIMIT(commit_blocks, 90000), TEST_ENTRY_LIMIT(decided_too_soon, 60000),
             TEST_ENTRY_LIMIT(disarm_closed_ignored, 60000),
             TEST_ENTRY_LIMIT(disarm_ignored, 60000), TEST_ENTRY_LIMIT(end_before_data, 60000),
             TEST_ENTRY_LIMIT(finish_ends_both, 60000), TEST_ENTRY_LIMIT(handle_lost, 60000),
             TEST_ENTRY_LIMIT(handles_taken_when_few, 60000), TEST_ENTRY_LIMIT(init_once, 60000),
             TEST_ENTRY_LIMIT(interrupt_lost, 60000), TEST_ENTRY_LIMIT(name_stolen, 60000),
             TEST_ENTRY_LIMIT(ready_twice, 60000), TEST_ENTRY_LIMIT(refusal_forgotten, 60000),
             TEST_ENTRY_LIMIT(short_read_dropped, 60000), TEST_ENTRY_LIMIT(wait_early, 60000),
             TEST_ENTRY_LIMIT(wrong_identity, 60000))
