/*
 * Every transport keeps the contract: the conformance suite, each of its tests as a test of this
 * program.
 */
#include "tests/harness/harness.h"

#include "core/os/module.h"
#include "core/os/path.h"
#include "core/plugin/conformance.h"
#include "core/plugin/loopback.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned n_reported;

static void report(void *context, const char *test, enum plugin_conformance_result result,
                   const char *message)
{
    const char *plugin = context;
    n_reported++;
    if (result == PLUGIN_CONFORMANCE_FAIL)
        FAIL("%s: %s: %s", plugin, test, message);
    else if (result == PLUGIN_CONFORMANCE_SKIP)
        harness_note("%s: %s: skipped: %s", plugin, test, message);
}

static void run_file(const char *name)
{
    char path[1200];
    char text[ERROR_TEXT_SIZE];
    unsigned n_failed = 0;
    snprintf(path, sizeof path, "%s%c%s%s", plugin_reactor_plugin_directory(), os_path_separator,
             name, os_module_suffix);
    n_reported = 0;
    HRESULT hr =
        plugin_conformance_run_file(path, NULL, report, (void *)(uintptr_t)name, &n_failed);
    if (FAILED(hr))
        FAIL("%s: %s", name, error_format(error_get(), hr, text, sizeof text));
    CHECK_EQ(n_failed, 0);
    CHECK(n_reported > 40);
    error_clear();
}

TEST(loopback)
{
    struct plugin_reactor reactor;
    unsigned n_failed = 0;
    n_reported = 0;
    REQUIRE(plugin_reactor_start(&reactor));
    CHECK_OK(plugin_conformance_run(&plugin_loopback, reactor.poller, NULL, report, "loopback",
                                    &n_failed));
    CHECK_EQ(n_failed, 0);
    CHECK(n_reported > 40);
    error_clear();
    plugin_reactor_stop(&reactor);
}

TEST(unixsock)
{
    run_file("viaduct-unix");
}

TEST(namedpipe)
{
    run_file("viaduct-pipe");
}

TEST(shm)
{
    run_file("viaduct-shm");
}

TEST(tcp)
{
    run_file("viaduct-tcp");
}

HARNESS_MAIN("conformance", TEST_ENTRY_LIMIT(loopback, 60000), TEST_ENTRY_LIMIT(unixsock, 60000),
             TEST_ENTRY_LIMIT(namedpipe, 60000), TEST_ENTRY_LIMIT(shm, 60000),
             TEST_ENTRY_LIMIT(tcp, 60000))
