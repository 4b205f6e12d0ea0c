/* Parts of the host that need neither a runtime nor processes: remembered ends, and what processes
 * are started with. */
#include "host/exits.h"
#include "host/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/registry/manifest.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "host/peers.h"
#include "host/server.h"
#include "tests/harness/harness.h"

static GUID node_of(uint32_t number)
{
    GUID node = {.Data1 = number, .Data2 = 1};

    return node;
}

/* A process that has checked in. */
static void start(struct exits *exits, uint32_t pid, const char *what, uint32_t number)
{
    GUID node = node_of(number);

    exits_started(exits, pid, what);
    exits_named(exits, pid, &node);
}

static bool find(struct exits *exits, uint32_t number, struct exit_record *record)
{
    GUID node = node_of(number);

    return exits_find(exits, &node, record);
}

TEST(an_end_is_remembered_with_its_description)
{
    static const GUID none;
    struct exits *exits = exits_new();
    struct os_exit_status killed = {.by_signal = true, .code = 9};
    struct exit_record record;

    REQUIRE_NOT_NULL(exits);
    CHECK_FALSE(find(exits, 1, &record));
    exits_started(exits, 4711, "calculator.so");
    CHECK_FALSE(exits_find(exits, &none, &record)); /* it has not checked in */
    exits_ended(exits, 4711, &killed);
    CHECK_FALSE(exits_find(exits, &none, &record));
    start(exits, 4711, "calculator.so", 1);
    exits_ended(exits, 4711, &killed);
    REQUIRE(find(exits, 1, &record));
    CHECK_FALSE(record.running);
    CHECK_STR_HAS(record.description, "calculator.so, process 4711, ");
    CHECK_EQ(record.status.code, 9);
    exits_free(exits);
}

static void end_soon(void *argument)
{
    struct os_exit_status status = {.code = 3};

    os_sleep_ms(50);
    exits_ended(argument, 12, &status);
}

TEST(a_question_waits_for_an_end_that_is_near)
{
    struct exits *exits = exits_new();
    struct os_thread *thread;
    struct exit_record record;
    uint64_t began;

    REQUIRE_NOT_NULL(exits);
    start(exits, 12, "x.so", 1);
    REQUIRE_OK(os_thread_start(end_soon, exits, "test", &thread));
    REQUIRE(find(exits, 1, &record));
    CHECK_FALSE(record.running);
    os_thread_join(thread);
    /* One that goes on is told as running, after the wait. */
    start(exits, 13, "y.so", 2);
    began = os_now_ns();
    REQUIRE(find(exits, 2, &record));
    CHECK(record.running);
    CHECK(os_now_ns() - began >= EXITS_WAIT_MS * 900000ull);
    exits_free(exits);
}

TEST(the_oldest_end_is_forgotten_first)
{
    struct exits *exits = exits_new();
    struct os_exit_status status = {.code = 0};
    struct exit_record record;

    REQUIRE_NOT_NULL(exits);
    start(exits, 1, "still running", 1);
    for (uint32_t pid = 2; pid < 2 * EXITS_MAX; pid++) {
        start(exits, pid, "x", pid);
        exits_ended(exits, pid, &status);
    }
    CHECK_FALSE(find(exits, 2, &record));
    CHECK(find(exits, 2 * EXITS_MAX - 1, &record));
    exits_ended(exits, 1, &status);
    CHECK(find(exits, 1, &record));
    exits_free(exits);
}

TEST(a_process_id_that_comes_again_is_another_node)
{
    struct exits *exits = exits_new();
    struct os_exit_status status = {.code = 5};
    struct exit_record record;

    REQUIRE_NOT_NULL(exits);
    start(exits, 8, "first", 1);
    exits_ended(exits, 8, &status);
    start(exits, 8, "second", 2);
    status.code = 6;
    exits_ended(exits, 8, &status);
    REQUIRE(find(exits, 1, &record));
    CHECK_EQ(record.status.code, 5);
    CHECK_STR_HAS(record.description, "first");
    REQUIRE(find(exits, 2, &record));
    CHECK_EQ(record.status.code, 6);
    CHECK_STR_HAS(record.description, "second");
    exits_free(exits);
}

TEST(a_launch_has_its_own_token_and_addresses)
{
    static const char *const listen[] = {"unix:/run/x/host.sock", "pipe:viaduct", NULL};
    char *component = os_path_join(harness_temporary_directory(), "c.so");
    struct manifest manifest = {.component = component, .path = (char *)"m.json"};
    struct server_settings settings = {.listen = listen,
                                       .scratch_directory = harness_temporary_directory()};
    struct launch first, second;

    CHECK_HR(launch_prepare(&first, &settings, &manifest), CO_E_DLLNOTFOUND);
    CHECK_STR_HAS(error_get()->text, "c.so");
    CHECK_OK(os_file_write(component, "", 0));
    REQUIRE_OK(launch_prepare(&first, &settings, &manifest));
    REQUIRE_OK(launch_prepare(&second, &settings, &manifest));
    CHECK_EQ(strlen(first.token), LAUNCH_TOKEN_SIZE - 1);
    CHECK(strcmp(first.token, second.token) != 0);
    CHECK_STR_HAS(first.listen, "unix:/run/x/c-");
    CHECK_STR_HAS(first.listen, ".sock\npipe:viaduct-c-");
    CHECK(strcmp(first.listen, second.listen) != 0);
    CHECK_NULL(strstr(first.listen, first.token));
    launch_deinit(&first);
    launch_deinit(&second);
    error_clear();
    free(component);
}

/* A socket's path is the system's own, on Windows too; what a killed process leaves there goes. */
TEST(a_launch_has_its_sockets_beside_the_hosts)
{
    char *component = os_path_join(harness_temporary_directory(), "c.so");
    char *beside = os_path_join(harness_temporary_directory(), "c-");
    char address[1024];
    const char *listen[] = {address, NULL};
    struct manifest manifest = {.component = component, .path = (char *)"m.json"};
    struct server_settings settings = {.listen = listen,
                                       .scratch_directory = harness_temporary_directory()};
    struct launch launch;

    snprintf(address, sizeof(address), "unix:%s%chost.sock", harness_temporary_directory(),
             os_path_separator);
    CHECK_OK(os_file_write(component, "", 0));
    REQUIRE_OK(launch_prepare(&launch, &settings, &manifest));
    CHECK_STR_HAS(launch.listen, beside);
    char *left = strdup(launch.listen + strlen("unix:"));
    CHECK_OK(os_file_write(left, "", 0));
    launch_deinit(&launch);
    CHECK(!os_file_exists(left));
    error_clear();
    free(left);
    free(component);
    free(beside);
}

TEST(the_last_line_of_standard_error_is_found)
{
    struct launch launch = {.token = "x"};
    char line[32];

    launch.stderr_path = os_path_join(harness_temporary_directory(), "stderr");
    launch_last_line(&launch, line, sizeof(line));
    CHECK_STR_EQ(line, "");
    CHECK_OK(os_file_write(launch.stderr_path, "one\ntwo\tthree\r\n\n", 16));
    launch_last_line(&launch, line, sizeof(line));
    CHECK_STR_EQ(line, "two three");
    CHECK_OK(os_file_write(launch.stderr_path, "no line end, and too long for the buffer", 40));
    launch_last_line(&launch, line, sizeof(line));
    CHECK_STR_EQ(line, "no line end, and too long for t");
    launch_deinit(&launch);
}

/* --- starting processes --- */

HRESULT __real_os_process_spawn(const struct os_spawn_options *options,
                                struct os_process **process);
HRESULT __wrap_os_process_spawn(const struct os_spawn_options *options,
                                struct os_process **process);

static struct {
    struct os_mutex lock;
    struct os_cond changed;
    bool is_spawning;              /* lock */
    bool may_go_on;                /* lock */
    bool starts_sleeper;           /* of the test's thread, before anything is started */
    char token[LAUNCH_TOKEN_SIZE]; /* lock; of the process that was started, or "" */
} the_spawn = {.lock = OS_MUTEX_INITIALIZER};

/* A process that knows nothing of the host, and stays; its token is noted. */
static HRESULT start_sleeper(const struct os_spawn_options *options, struct os_process **process)
{
    static const char name[] = "VIADUCT_TOKEN=";
    char program[1024], address[512];
    const char *const arguments[] = {program, address, NULL};
    const struct os_spawn_options sleeper = {.arguments = arguments};

    snprintf(program, sizeof(program), "%s/tests/remote_peer%s", TEST_BINARY_DIRECTORY,
             os_path_separator == '\\' ? ".exe" : "");
    if (os_path_separator == '\\')
        snprintf(address, sizeof(address), "pipe:viaduct-test-sleeper-%u", os_process_id());
    else
        snprintf(address, sizeof(address), "unix:%s/sleeper.sock", harness_temporary_directory());
    os_mutex_lock(&the_spawn.lock);
    for (const char *const *each = options->environment; *each; each++)
        if (strncmp(*each, name, sizeof(name) - 1) == 0)
            snprintf(the_spawn.token, sizeof(the_spawn.token), "%s", *each + sizeof(name) - 1);
    os_mutex_unlock(&the_spawn.lock);
    return __real_os_process_spawn(&sleeper, process);
}

/* Starts the sleeper, or nothing, and takes its time for that. */
HRESULT __wrap_os_process_spawn(const struct os_spawn_options *options, struct os_process **process)
{
    if (the_spawn.starts_sleeper)
        return start_sleeper(options, process);
    os_mutex_lock(&the_spawn.lock);
    the_spawn.is_spawning = true;
    os_cond_broadcast(&the_spawn.changed);
    while (!the_spawn.may_go_on)
        os_cond_wait(&the_spawn.changed, &the_spawn.lock, OS_NEVER);
    os_mutex_unlock(&the_spawn.lock);
    return error_set(E_FAIL, "this system starts nothing");
}

struct start {
    struct servers *servers;
    struct manifest *manifest;
    HRESULT hr;
    char text[256];
};

static void start_server(void *argument)
{
    struct start *start = argument;
    IViaductSurrogate *surrogate;

    start->hr = servers_get(start->servers, start->manifest, &surrogate);
    error_format(error_get(), start->hr, start->text, sizeof(start->text));
    error_clear();
}

static struct manifest *existing_component(void)
{
    char text[1024];
    struct manifest *manifest = NULL;

    snprintf(text, sizeof(text),
             "{\"component\": \"%s/test_host_parts.c\", \"classes\": [{\"clsid\": "
             "\"{58835546-2EF3-452B-BFF4-565F4ACC8C42}\", \"progid\": \"A.B\"}]}",
             TEST_SOURCE_DIRECTORY "/tests");
    CHECK_OK(manifest_parse(text, strlen(text), "/a/b.json", &manifest));
    return manifest;
}

TEST(a_process_that_is_being_started_holds_nobody_up)
{
    static const char *const none[] = {NULL};
    struct server_settings settings = {.program = "viaductd",
                                       .host_address = "unix:/h",
                                       .listen = none,
                                       .plugins = none,
                                       .scratch_directory = harness_temporary_directory(),
                                       .start_timeout_ms = 60000,
                                       .exits = exits_new()};
    struct start start = {.manifest = existing_component()};
    struct server_status status;
    struct os_thread *thread;

    os_cond_init(&the_spawn.changed);
    the_spawn.is_spawning = the_spawn.may_go_on = false;
    REQUIRE_OK(servers_new(&settings, &start.servers));
    REQUIRE_OK(os_thread_start(start_server, &start, "start", &thread));
    os_mutex_lock(&the_spawn.lock);
    while (!the_spawn.is_spawning)
        os_cond_wait(&the_spawn.changed, &the_spawn.lock, OS_NEVER);
    os_mutex_unlock(&the_spawn.lock);
    servers_status(start.servers, start.manifest->path, &status);
    CHECK_EQ(status.state, CLASS_STARTING);
    CHECK_EQ(status.process_id, 0);
    os_mutex_lock(&the_spawn.lock);
    the_spawn.may_go_on = true;
    os_cond_broadcast(&the_spawn.changed);
    os_mutex_unlock(&the_spawn.lock);
    os_thread_join(thread);
    CHECK_HR(start.hr, E_FAIL);
    CHECK_STR_HAS(start.text, "this system starts nothing");
    servers_status(start.servers, start.manifest->path, &status);
    CHECK_EQ(status.state, CLASS_BACKING_OFF);
    servers_stop(start.servers);
    servers_free(start.servers);
    exits_free(settings.exits);
    manifest_unref(start.manifest);
    os_cond_deinit(&the_spawn.changed);
}

/* --- ending processes --- */

static HRESULT STDMETHODCALLTYPE Provider_QueryInterface(IViaductSurrogate *iface, REFIID iid,
                                                         void **object)
{
    (void)iface;
    (void)iid;
    *object = NULL;
    return E_NOINTERFACE;
}

/* The one provider is static. */
static ULONG STDMETHODCALLTYPE Provider_Count(IViaductSurrogate *iface)
{
    (void)iface;
    return 2;
}

/* It has its own idea of that. */
static HRESULT STDMETHODCALLTYPE Provider_Shutdown(IViaductSurrogate *iface)
{
    (void)iface;
    return S_OK;
}

static IViaductSurrogateVtbl provider_vtable = {
    .QueryInterface = Provider_QueryInterface,
    .AddRef = Provider_Count,
    .Release = Provider_Count,
    .Shutdown = Provider_Shutdown,
};
static IViaductSurrogate provider = {&provider_vtable};

/* The process has checked in as the provider. */
static bool start_checked_in(struct start *start)
{
    struct os_thread *thread;
    char token[LAUNCH_TOKEN_SIZE] = "";

    the_spawn.starts_sleeper = true;
    the_spawn.token[0] = 0;
    if (!CHECK_OK(os_thread_start(start_server, start, "start", &thread)))
        return false;
    for (int i = 0; i < 1000 && !token[0]; i++) {
        os_sleep_ms(5);
        os_mutex_lock(&the_spawn.lock);
        memcpy(token, the_spawn.token, sizeof(token));
        os_mutex_unlock(&the_spawn.lock);
    }
    CHECK_OK(servers_check_in(start->servers, token, &provider));
    os_thread_join(thread);
    the_spawn.starts_sleeper = false;
    return CHECK_OK(start->hr);
}

/* Whoever has been told that it is ending waits for that, and no longer than it may take. */
TEST(a_process_that_says_it_ends_and_stays_is_killed)
{
    static const char *const none[] = {NULL};
    struct server_settings settings = {.program = "viaductd",
                                       .host_address = "unix:/h",
                                       .listen = none,
                                       .plugins = none,
                                       .scratch_directory = harness_temporary_directory(),
                                       .start_timeout_ms = 60000,
                                       .back_off_max_ms = 60000,
                                       .settle_ms = 100,
                                       .exits = exits_new()};
    struct start start = {.manifest = existing_component()};
    struct server_status status;

    REQUIRE_OK(servers_new(&settings, &start.servers));
    if (start_checked_in(&start)) {
        uint64_t began = os_now_ns();

        CHECK_FALSE(servers_settle(start.servers, start.manifest, &provider, E_FAIL));
        servers_status(start.servers, start.manifest->path, &status);
        CHECK_EQ(status.state, CLASS_RUNNING);
        CHECK_FALSE(servers_settle(start.servers, start.manifest, &provider, CO_E_SERVER_STOPPING));
        CHECK(os_now_ns() - began >= settings.settle_ms * 1000000ull);
        for (int i = 0; i < 1000 && status.state == CLASS_RUNNING; i++) {
            os_sleep_ms(5);
            servers_status(start.servers, start.manifest->path, &status);
        }
        CHECK_EQ(status.process_id, 0);
        CHECK_STR_HAS(status.failure, "test_host_parts.c ");
    }
    servers_stop(start.servers);
    servers_free(start.servers);
    exits_free(settings.exits);
    manifest_unref(start.manifest);
    error_clear();
}

/* --- peers --- */

TEST(a_peer_that_ends_each_connection_at_once_is_tried_more_and_more_rarely)
{
    uint64_t second = 1000000000ull;
    uint32_t wait_ms = peers_retry_ms(0, 0);

    CHECK_EQ(wait_ms, 100);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(peers_retry_ms(wait_ms, second / 10), wait_ms * 2);
        wait_ms = peers_retry_ms(wait_ms, 0);
    }
    CHECK_EQ(peers_retry_ms(4000, second), 5000);
    CHECK_EQ(peers_retry_ms(5000, 9 * second), 5000);
    CHECK_EQ(peers_retry_ms(5000, 10 * second), 100);
}

HARNESS_MAIN("host_parts", TEST_ENTRY(an_end_is_remembered_with_its_description),
             TEST_ENTRY(a_question_waits_for_an_end_that_is_near),
             TEST_ENTRY(the_oldest_end_is_forgotten_first),
             TEST_ENTRY(a_process_id_that_comes_again_is_another_node),
             TEST_ENTRY(a_launch_has_its_own_token_and_addresses),
             TEST_ENTRY(a_launch_has_its_sockets_beside_the_hosts),
             TEST_ENTRY(the_last_line_of_standard_error_is_found),
             TEST_ENTRY(a_process_that_is_being_started_holds_nobody_up),
             TEST_ENTRY(a_process_that_says_it_ends_and_stays_is_killed),
             TEST_ENTRY(a_peer_that_ends_each_connection_at_once_is_tried_more_and_more_rarely))
