/*
 * What the plugin `namedpipe` promises on POSIX beyond the contract of transports: where its names
 * are, and that they mean the same as on Windows.
 */
#include "tests/harness/harness.h"

#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct plugin_reactor reactor;
static struct plugin_set *set;
static const struct via_transport *t;

static bool set_up(const char *runtime_directory)
{
    char file[1200];
    snprintf(file, sizeof file, "%s/viaduct-pipe.so", plugin_reactor_plugin_directory());
    return plugin_reactor_start(&reactor) &&
           CHECK_OK(plugin_set_new(reactor.poller, runtime_directory, &set)) &&
           CHECK_OK(plugin_set_load(set, file)) && CHECK_OK(plugin_set_find(set, "pipe", &t));
}

static void tear_down(void)
{
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

static void on_ready(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

static HRESULT start(const char *name, struct via_listener **listener)
{
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 8, 0};
    return t->listen(name, &options, on_ready, NULL, listener);
}

static const char *message(HRESULT hr)
{
    static char text[ERROR_TEXT_SIZE];
    return error_format(error_get(), hr, text, sizeof text);
}

TEST(names_live_in_a_private_directory)
{
    struct via_listener *listener;
    struct stat status;
    char directory[600];
    char path[700];
    snprintf(directory, sizeof directory, "%s/run", harness_temporary_directory());
    REQUIRE(set_up(directory));
    mode_t before = umask(0);
    CHECK_OK(start("some-name", &listener));
    umask(before);
    CHECK_EQ(stat(directory, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/pipes", directory);
    CHECK_EQ(stat(path, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/pipes/some-name", directory);
    CHECK_EQ(stat(path, &status), 0);
    CHECK(S_ISSOCK(status.st_mode));
    t->listener_close(listener);
    tear_down();
}

TEST(open_directory_is_refused)
{
    struct via_listener *listener;
    char directory[600];
    snprintf(directory, sizeof directory, "%s/run", harness_temporary_directory());
    mkdir(directory, 0700);
    chmod(directory, 0755);
    REQUIRE(set_up(directory));
    CHECK_HR(start("name", &listener), E_ACCESSDENIED);
    CHECK_STR_HAS(message(E_ACCESSDENIED), "mode 0700");
    tear_down();
}

TEST(names_do_not_distinguish_case)
{
    struct via_listener *listener;
    struct via_listener *second;
    struct via_stream *stream;
    struct via_connect_options options = {sizeof options, 1, 0};
    REQUIRE(set_up(harness_temporary_directory()));
    REQUIRE_OK(start("Viaduct", &listener));
    CHECK_HR(start("viaduct", &second), VIA_E_ADDRESS_IN_USE);
    if (CHECK_OK(t->connect("VIADUCT", &options, &stream)))
        t->close(stream);
    t->listener_close(listener);
    tear_down();
}

TEST(bad_names_are_refused)
{
    static const char *const bad[] = {"",     ".",   "..",  ".hidden", "a/b",
                                      "a\\b", "a b", "a:b", "\xc3\xa4"};
    struct via_listener *listener;
    struct via_stream *stream;
    struct via_connect_options options = {sizeof options, 0, 0};
    char longer[80];
    REQUIRE(set_up(harness_temporary_directory()));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_HR(start(bad[i], &listener), VIA_E_ADDRESS);
        CHECK_HR(t->connect(bad[i], &options, &stream), VIA_E_ADDRESS);
    }
    memset(longer, 'x', 65);
    longer[65] = 0;
    CHECK_HR(start(longer, &listener), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "more than 64 bytes");
    tear_down();
}

TEST(long_and_missing_directories_are_named)
{
    struct via_listener *listener;
    char directory[160];
    memset(directory, 'd', sizeof directory);
    directory[0] = '/';
    directory[100] = 0;
    REQUIRE(set_up(directory));
    CHECK_HR(start("name", &listener), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "a socket's path has 107 at most");
    tear_down();
    REQUIRE(set_up(NULL));
    CHECK_HR(start("name", &listener), E_UNEXPECTED);
    CHECK_STR_HAS(message(E_UNEXPECTED), "no runtime directory");
    tear_down();
}

HARNESS_MAIN("namedpipe", TEST_ENTRY(names_live_in_a_private_directory),
             TEST_ENTRY(open_directory_is_refused), TEST_ENTRY(names_do_not_distinguish_case),
             TEST_ENTRY(bad_names_are_refused), TEST_ENTRY(long_and_missing_directories_are_named))
