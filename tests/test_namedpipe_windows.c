/*
 * What the plugin `namedpipe` promises on Windows beyond the contract of transports: who may open a
 * pipe, that nobody squats on its name, and how many clients it serves.
 */
#include "tests/harness/harness.h"

#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <tlhelp32.h>

static struct plugin_reactor reactor;
static struct plugin_set *set;
static const struct via_transport *t;
static char name[64];

static bool set_up(void)
{
    char file[1200];
    snprintf(file, sizeof file, "%s\\viaduct-pipe.dll", plugin_reactor_plugin_directory());
    snprintf(name, sizeof name, "viaduct-test-%lu", GetCurrentProcessId());
    return plugin_reactor_start(&reactor) && CHECK_OK(plugin_set_new(reactor.poller, NULL, &set)) &&
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

static HRESULT start(uint32_t access, struct via_listener **listener)
{
    struct via_listen_options options = {sizeof options, access, 64, 0};
    return t->listen(name, &options, on_ready, NULL, listener);
}

static void own_sid(char sid[188])
{
    union {
        TOKEN_USER user;
        BYTE bytes[512];
    } information;
    DWORD size;
    HANDLE token;
    LPSTR text;
    REQUIRE(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, &information, sizeof information, &size));
    CloseHandle(token);
    REQUIRE(ConvertSidToStringSidA(information.user.User.Sid, &text));
    snprintf(sid, 188, "%s", text);
    LocalFree(text);
}

/* The pipe's owner and access list as text, read through a client's handle. */
static void read_descriptor(char *owner, char *list, size_t size)
{
    char path[128];
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner_sid;
    LPSTR text;
    owner[0] = list[0] = 0;
    snprintf(path, sizeof path, "\\\\.\\pipe\\%s", name);
    HANDLE pipe = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    REQUIRE(pipe != INVALID_HANDLE_VALUE);
    DWORD error = GetSecurityInfo(pipe, SE_KERNEL_OBJECT,
                                  OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                  &owner_sid, NULL, NULL, NULL, &descriptor);
    CloseHandle(pipe);
    REQUIRE_EQ(error, 0);
    REQUIRE(ConvertSidToStringSidA(owner_sid, &text));
    snprintf(owner, size, "%s", text);
    LocalFree(text);
    REQUIRE(ConvertSecurityDescriptorToStringSecurityDescriptorA(
        descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
    snprintf(list, size, "%s", text);
    LocalFree(text);
    LocalFree(descriptor);
}

/* Wine stores descriptors and does not enforce them: what was set can be shown there, the access
 * not. */
TEST(descriptor_names_the_user_and_the_system)
{
    struct via_listener *listener;
    char sid[188] = "";
    char owner[512];
    char list[512];
    char entry[256];
    REQUIRE(set_up());
    own_sid(sid);
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    read_descriptor(owner, list, sizeof owner);
    t->listener_close(listener);
    CHECK_STR_EQ(owner, sid);
    snprintf(entry, sizeof entry, ";%s)", sid);
    CHECK_STR_HAS(list, entry);
    CHECK_STR_HAS(list, ";SY)");
    CHECK_STR_HAS(list, ";BA)");
    CHECK_NULL(strstr(list, ";AU)"));
    CHECK_NULL(strstr(list, ";WD)"));
    REQUIRE_OK(start(VIA_ACCESS_EVERYONE, &listener));
    read_descriptor(owner, list, sizeof owner);
    t->listener_close(listener);
    CHECK_STR_HAS(list, ";AU)");
    harness_note("not verifiable under Wine: that others are kept out");
    tear_down();
}

TEST(names_do_not_distinguish_case)
{
    struct via_listener *listener;
    struct via_stream *stream;
    struct via_connect_options options = {sizeof options, 1, 0};
    char upper[64];
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    snprintf(upper, sizeof upper, "VIADUCT-Test-%lu", GetCurrentProcessId());
    if (CHECK_OK(t->connect(upper, &options, &stream)))
        t->close(stream);
    t->listener_close(listener);
    tear_down();
}

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
    struct via_connect_options options = {sizeof options, 1, 0};
    unsigned n = 0;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    DWORD before = count_threads();
    for (; n < N; n++) {
        HRESULT hr;
        while ((hr = t->connect(name, &options, &clients[n])) == VIA_S_WOULD_BLOCK)
            os_sleep_ms(1);
        if (!CHECK_OK(hr))
            break;
        while ((hr = t->listener_accept(listener, &servers[n])) == VIA_S_WOULD_BLOCK)
            os_sleep_ms(1);
        CHECK_OK(hr);
        CHECK_OK(t->set_ready(servers[n], on_ready, NULL));
        CHECK_OK(t->arm(servers[n], VIA_READY_READ));
    }
    CHECK_EQ(n, N);
    CHECK_EQ(count_threads(), before);
    for (unsigned i = 0; i < n; i++) {
        uint8_t *span;
        const uint8_t *seen;
        size_t size;
        CHECK_OK(t->reserve(clients[i], 4, &span, &size));
        memcpy(span, &i, sizeof i);
        CHECK_OK(t->commit(clients[i], 4, NULL, 0, VIA_COMMIT_FLUSH));
        CHECK_OK(t->wait(servers[i], os_deadline_ms(5000)));
        if (CHECK_OK(t->peek(servers[i], 4, &seen, &size)))
            CHECK_MEM_EQ(seen, &i, sizeof i);
    }
    for (unsigned i = 0; i < n; i++) {
        t->close(clients[i]);
        t->close(servers[i]);
    }
    t->listener_close(listener);
    tear_down();
}

HARNESS_MAIN("namedpipe", TEST_ENTRY(descriptor_names_the_user_and_the_system),
             TEST_ENTRY(names_do_not_distinguish_case), TEST_ENTRY(serves_two_hundred_clients))
