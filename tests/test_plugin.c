/*
 * Loading, checking and finding plugins, and the host table.
 */
#include "tests/harness/harness.h"

#include "core/os/module.h"
#include "core/os/path.h"
#include "core/plugin/host_table.h"
#include "core/plugin/loopback.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *message(HRESULT hr)
{
    static char text[ERROR_TEXT_SIZE];
    return error_format(error_get(), hr, text, sizeof text);
}

static const char *plugin_path(const char *name)
{
    static char path[1200];
    snprintf(path, sizeof path, "%s%c%s%s", plugin_reactor_plugin_directory(), os_path_separator,
             name, os_module_suffix);
    return path;
}

/* A copy of the loopback's tables that a test may spoil. */
struct spoiled {
    struct via_plugin plugin;
    struct via_transport transport;
};

static void make_spoiled(struct spoiled *s)
{
    s->plugin = plugin_loopback;
    s->transport = *plugin_loopback.transport;
    s->plugin.transport = &s->transport;
}

static void expect_refused(const struct spoiled *s, const char *part)
{
    HRESULT hr = plugin_check(&s->plugin, "/plugins/bad.so");
    CHECK_HR(hr, VIA_E_PLUGIN);
    CHECK_STR_HAS(message(hr), "/plugins/bad.so");
    CHECK_STR_HAS(message(hr), part);
}

TEST(good_tables_pass)
{
    CHECK_OK(plugin_check(&plugin_loopback, "loopback"));
}

TEST(bad_plugin_tables_are_refused)
{
    static const char *const none[] = {NULL};
    static const char *const upper[] = {"Unix", NULL};
    static const char *const twice[] = {"a", "b", "a", NULL};
    static const char *const longer[] = {"abcdefghijklmnop", NULL};
    struct spoiled s;
#define REFUSED(assignment, part) \
    make_spoiled(&s);             \
    assignment;                   \
    expect_refused(&s, part)
    REFUSED(s.plugin.abi = 2, "ABI version is 2, this program's is 1");
    REFUSED(s.plugin.size--, "size");
    REFUSED(s.plugin.name = NULL, "name is missing");
    REFUSED(s.plugin.name = "", "name is empty");
    REFUSED(s.plugin.name = "a\nb", "name has characters");
    REFUSED(s.plugin.version = NULL, "version is missing");
    REFUSED(s.plugin.schemes = NULL, "schemes");
    REFUSED(s.plugin.schemes = none, "schemes");
    REFUSED(s.plugin.schemes = upper, "lower-case");
    REFUSED(s.plugin.schemes = longer, "lower-case");
    REFUSED(s.plugin.schemes = twice, "twice");
    REFUSED(s.plugin.init = NULL, "init is missing");
    REFUSED(s.plugin.deinit = NULL, "deinit is missing");
    REFUSED(s.plugin.transport = NULL, "transport is missing");
}

TEST(bad_transport_tables_are_refused)
{
    struct spoiled s;
    REFUSED(s.transport.size = offsetof(struct via_transport, offer) - 1, "transport.size");
    REFUSED(s.transport.version = 0, "transport.version");
    REFUSED(s.transport.max_span = 65535, "transport.max_span");
    REFUSED(s.transport.max_span = 0x7fffffff, "transport.max_span");
    REFUSED(s.transport.max_handles = 0, "transport.max_handles");
    REFUSED(s.transport.max_handles = 10000, "transport.max_handles");
    REFUSED(s.transport.capabilities = 0, "transport.max_handles");
    REFUSED(s.transport.listen = NULL, "transport.listen is missing");
    REFUSED(s.transport.wait = NULL, "transport.wait is missing");
    REFUSED(s.transport.park = NULL, "transport.park is missing");
    REFUSED(s.transport.close = NULL, "transport.close is missing");
}

TEST(addresses_are_split)
{
    char scheme[PLUGIN_SCHEME_SIZE];
    const char *rest;
    char longest[PLUGIN_ADDRESS_SIZE + 1];
    REQUIRE_OK(plugin_address_split("unix:/run/a:b.sock", scheme, &rest));
    CHECK_STR_EQ(scheme, "unix");
    CHECK_STR_EQ(rest, "/run/a:b.sock");
    REQUIRE_OK(plugin_address_split("x9:y", scheme, &rest));
    CHECK_STR_EQ(scheme, "x9");
    CHECK_HR(plugin_address_split("", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("/run/x.sock", scheme, &rest), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "has no scheme");
    CHECK_HR(plugin_address_split("unix:", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split(":x", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("C:\\pipe", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("1x:y", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("un ix:y", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("unix:/a\nb", scheme, &rest), VIA_E_ADDRESS);
    CHECK_HR(plugin_address_split("abcdefghijklmnop:x", scheme, &rest), VIA_E_ADDRESS);
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    longest[1] = ':';
    CHECK_HR(plugin_address_split(longest, scheme, &rest), VIA_E_ADDRESS);
    longest[sizeof longest - 2] = 0;
    CHECK_OK(plugin_address_split(longest, scheme, &rest));
}

TEST(set_finds_by_scheme)
{
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *transport;
    const char *rest;
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_set_new(reactor.poller, "/run/nowhere", &set));
    CHECK_HR(plugin_set_resolve(set, "loop:a", &transport, &rest), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "no plugin is loaded");
    REQUIRE_OK(plugin_set_add(set, &plugin_loopback));
    REQUIRE_OK(plugin_set_resolve(set, "loop:a", &transport, &rest));
    CHECK_PTR_EQ(transport, plugin_loopback.transport);
    CHECK_STR_EQ(rest, "a");
    CHECK_HR(plugin_set_find(set, "shm", &transport), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "\"shm\"; the schemes here are: loop");
    CHECK_HR(plugin_set_add(set, &plugin_loopback), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "serves the scheme \"loop\"");
    CHECK_PTR_EQ(plugin_set_get(set, 0), &plugin_loopback);
    CHECK_NULL(plugin_set_get(set, 1));
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

/* A plugin whose init puts another table in place, and whether it is up. */
static struct spoiled choosing;
static struct via_transport chosen;
static bool choosing_is_up;

static HRESULT choose(const struct via_plugin_host *host)
{
    (void)host;
    choosing.plugin.transport = &chosen;
    choosing_is_up = true;
    return S_OK;
}

static void unchoose(void)
{
    choosing_is_up = false;
}

TEST(init_may_choose_the_transport)
{
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *transport;
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_set_new(reactor.poller, NULL, &set));
    make_spoiled(&choosing);
    choosing.plugin.init = choose;
    choosing.plugin.deinit = unchoose;
    chosen = choosing.transport;
    chosen.wait = NULL;
    CHECK_HR(plugin_set_add(set, &choosing.plugin), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "transport.wait is missing");
    CHECK(!choosing_is_up);
    chosen = choosing.transport;
    chosen.capabilities = chosen.max_handles = 0;
    choosing.plugin.transport = &choosing.transport;
    REQUIRE_OK(plugin_set_add(set, &choosing.plugin));
    REQUIRE_OK(plugin_set_find(set, "loop", &transport));
    CHECK_PTR_EQ(transport, &chosen);
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

TEST(sets_share_one_poller)
{
    struct plugin_reactor reactors[2];
    struct plugin_set *sets[3];
    REQUIRE(plugin_reactor_start(&reactors[0]));
    REQUIRE(plugin_reactor_start(&reactors[1]));
    REQUIRE_OK(plugin_set_new(reactors[0].poller, NULL, &sets[0]));
    REQUIRE_OK(plugin_set_new(reactors[0].poller, NULL, &sets[1]));
    CHECK_HR(plugin_set_new(reactors[1].poller, NULL, &sets[2]), E_UNEXPECTED);
    CHECK_OK(plugin_set_add(sets[0], &plugin_loopback));
    CHECK_OK(plugin_set_add(sets[1], &plugin_loopback));
    plugin_set_free(sets[0]);
    plugin_set_free(sets[1]);
    REQUIRE_OK(plugin_set_new(reactors[1].poller, NULL, &sets[2]));
    plugin_set_free(sets[2]);
    plugin_reactor_stop(&reactors[0]);
    plugin_reactor_stop(&reactors[1]);
    error_clear();
}

TEST(files_are_loaded)
{
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *transport;
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_set_new(reactor.poller, NULL, &set));
    CHECK_OK(plugin_set_load(set, plugin_path("viaduct-unix")));
    CHECK_OK(plugin_set_find(set, "unix", &transport));
    CHECK_HR(plugin_set_load(set, plugin_path("viaduct-unix")), VIA_E_PLUGIN);
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

TEST(directories_are_searched)
{
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *transport;
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_set_new(reactor.poller, NULL, &set));
    CHECK_HR(plugin_set_search(set, "relative"), VIA_E_PLUGIN);
    CHECK_HR(plugin_set_search(set, harness_temporary_directory()), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "there is no plugin");
    CHECK_OK(plugin_set_search(set, plugin_reactor_plugin_directory()));
    CHECK_OK(plugin_set_find(set, "unix", &transport));
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

TEST(what_is_no_plugin_is_refused)
{
    struct plugin_reactor reactor;
    struct plugin_set *set;
    char path[1024];
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_set_new(reactor.poller, NULL, &set));
    CHECK_HR(plugin_set_load(set, "viaduct-unix.so"), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "not absolute");
    CHECK_HR(plugin_set_load(set, plugin_path("viaduct-missing")), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "viaduct-missing");
    snprintf(path, sizeof path, "%s%cviaduct-text%s", harness_temporary_directory(),
             os_path_separator, os_module_suffix);
    FILE *file = fopen(path, "w");
    REQUIRE_NOT_NULL(file);
    fputs("this is no module\n", file);
    fclose(file);
    CHECK_HR(plugin_set_load(set, path), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "viaduct-text");
    CHECK_HR(plugin_set_search(set, harness_temporary_directory()), VIA_E_PLUGIN);
    CHECK_STR_HAS(message(VIA_E_PLUGIN), "none of the 1 plugins");
    plugin_set_free(set);
    plugin_reactor_stop(&reactor);
    error_clear();
}

TEST(buffers_are_recycled)
{
    struct plugin_reactor reactor;
    const struct via_plugin_host *host;
    struct via_plugin_buffer first;
    struct via_plugin_buffer second;
    REQUIRE(plugin_reactor_start(&reactor));
    REQUIRE_OK(plugin_host_acquire(reactor.poller, NULL, &host));
    REQUIRE_OK(host->buffer_get(100000, &first));
    CHECK(first.size >= 100000);
    CHECK_EQ((uintptr_t)first.data % 64, 0);
    CHECK_EQ(plugin_host_buffers_lent(), 1);
    uint8_t *data = first.data;
    memset(data, 1, first.size);
    host->buffer_put(&first);
    CHECK_NULL(first.data);
    REQUIRE_OK(host->buffer_get(131072, &second));
    CHECK_PTR_EQ(second.data, data);
    host->buffer_put(&second);
    CHECK_EQ(plugin_host_buffers_lent(), 0);
    CHECK_HR(host->buffer_get((size_t)17 << 20, &first), E_OUTOFMEMORY);
    CHECK_HR(host->set_error(VIA_E_LIMIT, "a plugin's text"), VIA_E_LIMIT);
    CHECK_STR_HAS(message(VIA_E_LIMIT), "a plugin's text");
    plugin_host_release();
    plugin_reactor_stop(&reactor);
    error_clear();
}

HARNESS_MAIN("plugin", TEST_ENTRY(good_tables_pass), TEST_ENTRY(bad_plugin_tables_are_refused),
             TEST_ENTRY(bad_transport_tables_are_refused), TEST_ENTRY(addresses_are_split),
             TEST_ENTRY(set_finds_by_scheme), TEST_ENTRY(init_may_choose_the_transport),
             TEST_ENTRY(sets_share_one_poller), TEST_ENTRY(files_are_loaded),
             TEST_ENTRY(directories_are_searched), TEST_ENTRY(what_is_no_plugin_is_refused),
             TEST_ENTRY(buffers_are_recycled))
