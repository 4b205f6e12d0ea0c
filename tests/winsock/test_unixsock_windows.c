/*
 * `unixsock` on winsock: the contract of transports, and what else it promises of names and users.
 *
 * All but the last test run the plugin's sources over TCP (family_inet_windows.c), with a file that
 * holds the port in place of the socket's; the last needs winsock's AF_UNIX itself.
 */
#include "tests/harness/harness.h"

#include "core/os/identity.h"
#include "core/os/module.h"
#include "core/plugin/conformance.h"
#include "core/plugin/host_table.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <tlhelp32.h>

#define LONGEST_PATH 107

/* A file as the family makes them, with a port where nobody listens. */
static const uint8_t dead_record[8] = {'i', 'n', 'e', 't', ':', 0, 0, 1};

static struct plugin_reactor reactor;
static struct plugin_set *set;
static const struct via_transport *t;
static char path[MAX_PATH];

static bool is_wine(void)
{
    return GetProcAddress(GetModuleHandleA("ntdll"), "wine_get_version") != NULL;
}

static const char *inet_plugin(void)
{
    static char file[1200];
    snprintf(file, sizeof file, "%s\\winsock-inet.dll", plugin_reactor_path("tests/winsock"));
    return file;
}

static bool set_up(void)
{
    snprintf(path, sizeof path, "%s\\x.sock", harness_temporary_directory());
    return plugin_reactor_start(&reactor) && CHECK_OK(plugin_set_new(reactor.poller, NULL, &set)) &&
           CHECK_OK(plugin_set_load(set, inet_plugin())) &&
           CHECK_OK(plugin_set_find(set, "inet", &t));
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

static HRESULT start(const char *address, uint32_t access, struct via_listener **listener)
{
    struct via_listen_options options = {sizeof options, access, 64, 0};
    return t->listen(address, &options, on_ready, NULL, listener);
}

static HRESULT connect_once(const char *address, struct via_stream **stream)
{
    struct via_connect_options options = {sizeof options, 1, 0};
    return t->connect(address, &options, stream);
}

static HRESULT connect_to(const char *address, struct via_stream **stream)
{
    HRESULT hr;
    while ((hr = connect_once(address, stream)) == VIA_S_WOULD_BLOCK)
        os_sleep_ms(1);
    return hr;
}

static HRESULT accept_from(struct via_listener *listener, struct via_stream **stream)
{
    HRESULT hr;
    while ((hr = t->listener_accept(listener, stream)) == VIA_S_WOULD_BLOCK)
        os_sleep_ms(1);
    return hr;
}

/* Four bytes from one end to the other. */
static void check_passes(struct via_stream *from, struct via_stream *to, uint32_t value)
{
    uint8_t *span;
    const uint8_t *seen;
    size_t size;
    REQUIRE_OK(t->reserve(from, sizeof value, &span, &size));
    memcpy(span, &value, sizeof value);
    REQUIRE_OK(t->commit(from, sizeof value, NULL, 0, VIA_COMMIT_FLUSH));
    CHECK_OK(t->wait(to, os_deadline_ms(10000)));
    REQUIRE_OK(t->peek(to, sizeof value, &seen, &size));
    CHECK_MEM_EQ(seen, &value, sizeof value);
    t->consume(to, sizeof value);
}

/* Whether somebody can connect to the listener at `address`, and is served. */
static void check_serves(const char *address, struct via_listener *listener)
{
    struct via_stream *client;
    struct via_stream *server;
    REQUIRE_OK(connect_to(address, &client));
    if (CHECK_OK(accept_from(listener, &server))) {
        check_passes(client, server, 1);
        check_passes(server, client, 2);
        t->close(server);
    }
    t->close(client);
}

static void write_file(const char *name, const void *data, DWORD size)
{
    DWORD n = 0;
    HANDLE file = CreateFileA(name, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    CHECK(WriteFile(file, data, size, &n, NULL));
    CloseHandle(file);
}

static bool exists(const char *name)
{
    return GetFileAttributesA(name) != INVALID_FILE_ATTRIBUTES;
}

static const char *lock_path(void)
{
    static char lock[MAX_PATH + 8];
    snprintf(lock, sizeof lock, "%s.lock", path);
    return lock;
}

/* --- the contract --- */

static unsigned n_reported;

static void report(void *context, const char *test, enum plugin_conformance_result result,
                   const char *message)
{
    (void)context;
    n_reported++;
    if (result == PLUGIN_CONFORMANCE_FAIL)
        FAIL("%s: %s", test, message);
    else if (result == PLUGIN_CONFORMANCE_SKIP)
        harness_note("%s: skipped: %s", test, message);
}

TEST(conformance)
{
    char prefix[MAX_PATH];
    unsigned n_failed = 0;
    snprintf(prefix, sizeof prefix, "%s/c-", harness_temporary_directory());
    struct plugin_conformance_options options = {.address_prefix = prefix};
    n_reported = 0;
    CHECK_OK(plugin_conformance_run_file(inet_plugin(), &options, report, NULL, &n_failed));
    CHECK_EQ(n_failed, 0);
    CHECK(n_reported > 40);
    error_clear();
}

/* --- names --- */

TEST(close_leaves_no_file)
{
    struct via_listener *listener;
    REQUIRE(set_up());
    if (CHECK_OK(start(path, VIA_ACCESS_SAME_USER, &listener))) {
        CHECK(exists(path));
        CHECK(exists(lock_path()));
        check_serves(path, listener);
        t->listener_close(listener);
        CHECK(!exists(path));
        CHECK(!exists(lock_path()));
    }
    tear_down();
}

/* What a server leaves that was ended, and what it leaves when the whole system was. */
TEST(stale_socket_is_replaced)
{
    struct via_listener *listener;
    struct via_stream *stream;
    REQUIRE(set_up());
    for (int lock_is_left = 0; lock_is_left < 2; lock_is_left++) {
        write_file(path, dead_record, sizeof dead_record);
        if (lock_is_left)
            write_file(lock_path(), "", 0);
        CHECK_HR(connect_once(path, &stream), VIA_WIN32(2));
        CHECK(exists(path));
        if (CHECK_OK(start(path, VIA_ACCESS_SAME_USER, &listener))) {
            check_serves(path, listener);
            t->listener_close(listener);
        }
        CHECK(!exists(path));
    }
    tear_down();
}

TEST(other_file_is_kept)
{
    struct via_listener *listener;
    struct via_stream *stream;
    REQUIRE(set_up());
    write_file(path, "mine", 4);
    CHECK_HR(start(path, VIA_ACCESS_SAME_USER, &listener), VIA_E_ADDRESS);
    CHECK_HR(connect_once(path, &stream), VIA_E_ADDRESS);
    CHECK(exists(path));
    CHECK(!exists(lock_path()));
    tear_down();
}

/* A full backlog refuses exactly as a dead server does. */
TEST(refusal_by_a_living_server_is_busy)
{
    struct via_listener *listener;
    struct via_stream *stream;
    REQUIRE(set_up());
    if (CHECK_OK(start(path, VIA_ACCESS_SAME_USER, &listener))) {
        write_file(path, dead_record, sizeof dead_record);
        CHECK_HR(connect_once(path, &stream), VIA_S_WOULD_BLOCK);
        t->listener_close(listener);
        CHECK_HR(connect_once(path, &stream), VIA_WIN32(2));
    }
    tear_down();
}

static void check_refused(const char *address, const char *why)
{
    struct via_listener *listener;
    struct via_stream *stream;
    char text[ERROR_TEXT_SIZE];
    if (CHECK_HR(start(address, VIA_ACCESS_SAME_USER, &listener), VIA_E_ADDRESS))
        CHECK_STR_HAS(error_format(error_get(), VIA_E_ADDRESS, text, sizeof text), why);
    CHECK_HR(connect_once(address, &stream), VIA_E_ADDRESS);
}

TEST(malformed_paths_are_refused)
{
    REQUIRE(set_up());
    check_refused("x.sock", "absolute");
    check_refused("/run/x.sock", "absolute");
    check_refused("\\\\server\\share\\x.sock", "absolute");
    check_refused("C:x.sock", "absolute");
    check_refused("C:\\windows\\", "directory");
    check_refused("C:\\windows\\*.sock", "character");
    check_refused("C:\\windows\\x:stream", "character");
    check_refused("C:\\windows\\\xff.sock", "UTF-8");
    tear_down();
}

TEST(longest_path)
{
    char address[LONGEST_PATH + 2];
    struct via_listener *listener;
    REQUIRE(set_up());
    size_t length = (size_t)snprintf(address, sizeof address, "%s/", harness_temporary_directory());
    REQUIRE(length < LONGEST_PATH);
    memset(address + length, 'x', LONGEST_PATH + 1 - length);
    address[LONGEST_PATH + 1] = 0;
    check_refused(address, "107 at most");
    address[LONGEST_PATH] = 0;
    if (CHECK_OK(start(address, VIA_ACCESS_SAME_USER, &listener))) {
        check_serves(address, listener);
        t->listener_close(listener);
    }
    tear_down();
}

TEST(path_is_utf_8)
{
    char address[MAX_PATH];
    WCHAR wide[MAX_PATH];
    struct via_listener *listener;
    REQUIRE(set_up());
    snprintf(address, sizeof address, "%s\\gr\xc3\xbc\xc3\x9f.sock", harness_temporary_directory());
    if (CHECK_OK(start(address, VIA_ACCESS_SAME_USER, &listener))) {
        MultiByteToWideChar(CP_UTF8, 0, address, -1, wide, MAX_PATH);
        CHECK(GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES);
        check_serves(address, listener);
        t->listener_close(listener);
    }
    tear_down();
}

TEST(missing_directory_is_named)
{
    char address[MAX_PATH];
    char text[ERROR_TEXT_SIZE];
    struct via_listener *listener;
    REQUIRE(set_up());
    snprintf(address, sizeof address, "%s\\none\\x.sock", harness_temporary_directory());
    HRESULT hr = start(address, VIA_ACCESS_SAME_USER, &listener);
    CHECK_HR(hr, VIA_WIN32(3));
    CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "no such directory");
    tear_down();
}

/* --- users --- */

/* The access list of the socket's file, as text. */
static void read_list(char *list, size_t size)
{
    PSECURITY_DESCRIPTOR descriptor;
    LPSTR text;
    list[0] = 0;
    REQUIRE_EQ(GetNamedSecurityInfoA(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                     NULL, NULL, &descriptor),
               0);
    if (CHECK(ConvertSecurityDescriptorToStringSecurityDescriptorA(
            descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL))) {
        snprintf(list, size, "%s", text);
        LocalFree(text);
    }
    LocalFree(descriptor);
}

/* Wine makes a file's mode of its list, and a list of the mode again: those who may only connect
 * get lost on the way. */
TEST(access_list_names_the_user)
{
    struct via_listener *listener;
    struct via_peer_identity own = {.size = sizeof own};
    char list[512];
    char entry[256];
    REQUIRE(set_up());
    os_identity_self(&own);
    snprintf(entry, sizeof entry, ";%s)", own.sid);
    REQUIRE_OK(start(path, VIA_ACCESS_SAME_USER, &listener));
    read_list(list, sizeof list);
    t->listener_close(listener);
    CHECK_STR_HAS(list, entry);
    CHECK_NULL(strstr(list, ";WD)"));
    CHECK_NULL(strstr(list, ";AU)"));
    REQUIRE_OK(start(path, VIA_ACCESS_EVERYONE, &listener));
    read_list(list, sizeof list);
    t->listener_close(listener);
    CHECK_STR_HAS(list, entry);
    if (is_wine())
        harness_note("not verifiable under Wine 8: that every user may connect to such a socket, "
                     "and others are kept out of the rest");
    else
        CHECK_STR_HAS(list, ";AU)");
    tear_down();
}

/* --- how many --- */

static DWORD count_threads(void)
{
    DWORD n = 0;
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry))
        n += entry.th32OwnerProcessID == GetCurrentProcessId();
    CloseHandle(snapshot);
    return n;
}

/* All of them connected at once, and answered, with no thread per client. */
TEST(serves_two_hundred_clients)
{
    enum { N = 200 };
    static struct via_stream *clients[N];
    static struct via_stream *servers[N];
    struct via_listener *listener;
    unsigned n = 0;
    REQUIRE(set_up());
    REQUIRE_OK(start(path, VIA_ACCESS_SAME_USER, &listener));
    DWORD before = count_threads();
    for (; n < N; n++) {
        if (!CHECK_OK(connect_to(path, &clients[n])) ||
            !CHECK_OK(accept_from(listener, &servers[n])))
            break;
        CHECK_OK(t->set_ready(servers[n], on_ready, NULL));
        CHECK_OK(t->arm(servers[n], VIA_READY_READ));
    }
    CHECK_EQ(n, N);
    CHECK_EQ(count_threads(), before);
    for (unsigned i = 0; i < n; i++)
        check_passes(clients[i], servers[i], i);
    for (unsigned i = 0; i < n; i++) {
        t->close(clients[i]);
        t->close(servers[i]);
    }
    t->listener_close(listener);
    tear_down();
}

/* --- winsock's AF_UNIX itself --- */

/* The plugin is up: one connection, and who is at its ends. */
static void check_af_unix(void)
{
    struct via_listener *listener;
    struct via_stream *client;
    struct via_stream *server;
    struct via_peer_identity own = {.size = sizeof own};
    struct via_peer_identity peer = {.size = sizeof peer};
    os_identity_self(&own);
    CHECK_EQ(t->max_handles, 0);
    REQUIRE_OK(start(path, VIA_ACCESS_SAME_USER, &listener));
    if (CHECK_OK(connect_to(path, &client))) {
        if (CHECK_OK(accept_from(listener, &server))) {
            check_passes(client, server, 3);
            CHECK_OK(t->peer_identity(server, &peer));
            CHECK_EQ(peer.pid, own.pid);
            CHECK_STR_EQ(peer.sid, own.sid);
            t->close(server);
        }
        t->close(client);
    }
    t->listener_close(listener);
}

/* Without the host's unix_calls, as on Windows itself. */
TEST(af_unix)
{
    char file[1200];
    char text[ERROR_TEXT_SIZE];
    struct os_module *module;
    const struct via_plugin *plugin;
    const struct via_plugin_host *host;
    REQUIRE(plugin_reactor_start(&reactor));
    snprintf(file, sizeof file, "%s\\viaduct-unix.dll", plugin_reactor_plugin_directory());
    snprintf(path, sizeof path, "%s\\x.sock", harness_temporary_directory());
    REQUIRE_OK(plugin_open(file, &module, &plugin));
    REQUIRE_OK(plugin_host_acquire(reactor.poller, NULL, &host));
    struct via_plugin_host without_calls = *host;
    without_calls.unix_calls = NULL;
    HRESULT hr = plugin->init(&without_calls);
    bool has_no_af_unix = hr == E_NOTIMPL && is_wine();
    if (has_no_af_unix) {
        error_format(error_get(), hr, text, sizeof text);
        CHECK_STR_HAS(text, "AF_UNIX");
        CHECK_STR_HAS(text, "viaduct-unix.dll.so");
        CHECK_STR_HAS(text, "pipe:NAME");
    } else if (CHECK_OK(hr)) {
        t = plugin->transport;
        check_af_unix();
        plugin->deinit();
    }
    plugin_host_release();
    os_module_close(module);
    plugin_reactor_stop(&reactor);
    error_clear();
    if (has_no_af_unix)
        SKIP("not verifiable under Wine 8: its winsock has no AF_UNIX");
}

HARNESS_MAIN("unixsock", TEST_ENTRY_LIMIT(conformance, 60000), TEST_ENTRY(close_leaves_no_file),
             TEST_ENTRY(stale_socket_is_replaced), TEST_ENTRY(other_file_is_kept),
             TEST_ENTRY(refusal_by_a_living_server_is_busy),
             TEST_ENTRY(malformed_paths_are_refused), TEST_ENTRY(longest_path),
             TEST_ENTRY(path_is_utf_8), TEST_ENTRY(missing_directory_is_named),
             TEST_ENTRY(access_list_names_the_user), TEST_ENTRY(serves_two_hundred_clients),
             TEST_ENTRY(af_unix))
