/* core/os: clock, random bytes, threads and waiting, paths, files, identities, modules. */
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/identity.h"
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/os/stamp.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

#define MS 1000000u

static const char *message(void)
{
    return error_get() ? error_get()->text : "";
}

static char *temporary(const char *name)
{
    return os_path_join(harness_temporary_directory(), name);
}

/* ---- clock, random ---- */

TEST(clock_is_monotonic_and_sleeps_long_enough)
{
    uint64_t start = os_now_ns();
    os_sleep_ms(20);
    uint64_t end = os_now_ns();
    CHECK(end - start >= 19 * MS);
    for (int i = 0; i < 1000; i++) {
        uint64_t now = os_now_ns();
        CHECK(now >= end);
        end = now;
    }
    CHECK(os_deadline_ms(UINT32_MAX) == OS_NEVER);
    CHECK(os_deadline_ms(1000) > start + 900 * (uint64_t)MS);
}

TEST(random_bytes_differ)
{
    uint8_t one[64] = {0}, two[64] = {0};
    CHECK_OK(os_random(one, sizeof(one)));
    CHECK_OK(os_random(two, sizeof(two)));
    CHECK(memcmp(one, two, sizeof(one)) != 0);
    CHECK_OK(os_random(one, 0));
}

/* ---- threads ---- */

struct shared {
    struct os_mutex mutex;
    struct os_cond cond;
    int count; /* under mutex */
    uint64_t id;
};

static void add_thousand(void *argument)
{
    struct shared *shared = argument;
    for (int i = 0; i < 1000; i++) {
        os_mutex_lock(&shared->mutex);
        shared->count++;
        os_mutex_unlock(&shared->mutex);
    }
    os_mutex_lock(&shared->mutex);
    shared->id = os_thread_id();
    os_cond_broadcast(&shared->cond);
    os_mutex_unlock(&shared->mutex);
}

TEST(mutex_excludes_and_condition_wakes)
{
    struct shared shared = {.mutex = OS_MUTEX_INITIALIZER};
    struct os_thread *threads[3];
    os_cond_init(&shared.cond);
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(os_thread_start(add_thousand, &shared, "adds", &threads[i]));
    os_mutex_lock(&shared.mutex);
    while (shared.count < 3000)
        REQUIRE(os_cond_wait(&shared.cond, &shared.mutex, os_deadline_ms(10000)));
    os_mutex_unlock(&shared.mutex);
    for (int i = 0; i < 3; i++)
        os_thread_join(threads[i]);
    CHECK_EQ(shared.count, 3000);
    CHECK(shared.id != 0 && shared.id != os_thread_id());
    CHECK(os_thread_id() == os_thread_id());
    CHECK(os_cpu_count() >= 1);
    os_cond_deinit(&shared.cond);
    os_mutex_deinit(&shared.mutex);
}

TEST(condition_wait_ends_at_its_deadline_and_not_before)
{
    struct shared shared = {.mutex = OS_MUTEX_INITIALIZER};
    os_cond_init(&shared.cond);
    os_mutex_lock(&shared.mutex);
    uint64_t deadline = os_deadline_ms(30);
    while (os_cond_wait(&shared.cond, &shared.mutex, deadline))
        CHECK(os_now_ns() < deadline);
    uint64_t now = os_now_ns();
    CHECK(now >= deadline && now < deadline + (uint64_t)2000 * MS * harness_time_factor());
    CHECK_FALSE(os_cond_wait(&shared.cond, &shared.mutex, 1));
    os_mutex_unlock(&shared.mutex);
    os_cond_deinit(&shared.cond);
    os_mutex_deinit(&shared.mutex);
}

static void wake_later(void *argument)
{
    os_sleep_ms(20);
    os_waiter_wake(argument);
}

TEST(waiter_is_woken_times_out_and_keeps_an_early_wake)
{
    struct os_waiter waiter;
    struct os_thread *thread;
    os_waiter_init(&waiter);
    CHECK_HR(os_waiter_wait(&waiter, 0), RPC_E_TIMEOUT);
    uint64_t deadline = os_deadline_ms(20);
    CHECK_HR(os_waiter_wait(&waiter, deadline), RPC_E_TIMEOUT);
    CHECK(os_now_ns() >= deadline);
    os_waiter_wake(&waiter);
    os_waiter_wake(&waiter);
    CHECK_OK(os_waiter_wait(&waiter, 0));
    CHECK_HR(os_waiter_wait(&waiter, 0), RPC_E_TIMEOUT);
    os_waiter_wake(&waiter);
    CHECK_OK(os_waiter_wait(&waiter, OS_NEVER));
    REQUIRE_OK(os_thread_start(wake_later, &waiter, "wakes", &thread));
    CHECK_OK(os_waiter_wait(&waiter, OS_NEVER));
    os_thread_join(thread);
    os_waiter_deinit(&waiter);
    CHECK_FALSE(os_thread_is_apartment());
}

struct ping {
    struct os_waiter here, there;
    int n_rounds;
    bool late;
};

static void answer(void *argument)
{
    struct ping *ping = argument;
    for (int i = 0; i < ping->n_rounds; i++) {
        if (os_waiter_wait(&ping->there, os_deadline_ms(15000)) != S_OK)
            ping->late = true;
        os_waiter_wake(&ping->here);
    }
}

TEST(waiters_lose_no_wake)
{
    struct ping ping = {.n_rounds = 1000};
    struct os_thread *thread;
    os_waiter_init(&ping.here);
    os_waiter_init(&ping.there);
    REQUIRE_OK(os_thread_start(answer, &ping, "answers", &thread));
    for (int i = 0; i < ping.n_rounds; i++) {
        os_waiter_wake(&ping.there);
        REQUIRE_OK(os_waiter_wait(&ping.here, os_deadline_ms(15000)));
    }
    os_thread_join(thread);
    CHECK_FALSE(ping.late);
    os_waiter_deinit(&ping.here);
    os_waiter_deinit(&ping.there);
}

/* ---- paths ---- */

static void check_path(char *path, const char *expected)
{
    CHECK_STR_EQ(path, expected);
    free(path);
}

TEST(paths_are_joined_and_taken_apart)
{
    char expected[] = "a?b";
    expected[1] = os_path_separator;
    check_path(os_path_join("a", "b"), expected);
    check_path(os_path_join("/run/x", "b"), "/run/x/b");
    check_path(os_path_join("/", "b"), "/b");
    check_path(os_path_directory("/run/x/b"), "/run/x");
    check_path(os_path_directory("/run"), "/");
    check_path(os_path_directory("name"), ".");
    CHECK_STR_EQ(os_path_name("/run/x/b.txt"), "b.txt");
    CHECK_STR_EQ(os_path_name("name"), "name");
    CHECK_FALSE(os_path_is_absolute("a/b"));
    CHECK_FALSE(os_path_is_absolute(""));
    CLEANUP(cleanup_free) char *absolute = os_path_absolute("some name");
    REQUIRE_NOT_NULL(absolute);
    CHECK(os_path_is_absolute(absolute));
    CHECK_STR_EQ(os_path_name(absolute), "some name");
    CHECK(os_path_is_absolute(harness_temporary_directory()));
}

TEST(program_knows_its_place)
{
    CLEANUP(cleanup_free) char *program = os_path_program();
    CLEANUP(cleanup_free) char *directory = os_path_program_directory();
    REQUIRE_NOT_NULL(program);
    REQUIRE_NOT_NULL(directory);
    CHECK(os_file_exists(program));
    CHECK(memcmp(os_path_name(program), "test_os", 7) == 0);
    CHECK_EQ(memcmp(program, directory, strlen(directory)), 0);
    CLEANUP(cleanup_free) char *system = os_path_configuration(true);
    CLEANUP(cleanup_free) char *user = os_path_configuration(false);
    CHECK(os_path_is_absolute(system) && os_path_is_absolute(user));
    CHECK(strcmp(system, user) != 0);
    CLEANUP(cleanup_free) char *temporary_files = os_path_temporary();
    CHECK(os_path_is_absolute(temporary_files) && os_file_exists(temporary_files));
    CLEANUP(cleanup_free) char *runtime = os_path_runtime(false);
    CHECK(runtime[0] == '/' || os_path_is_absolute(runtime));
    CHECK_NULL(os_environment("VIADUCT_NOT_SET_ANYWHERE"));
    CLEANUP(cleanup_free) char *path = os_environment("PATH");
    CHECK_NOT_NULL(path);
}

/* ---- files ---- */

TEST(file_is_written_read_and_replaced)
{
    CLEANUP(cleanup_free) char *path = temporary("gr\xC3\xBC\xC3\x9F.json");
    char *text = NULL;
    size_t size = 0;
    CHECK_HR(os_file_read(path, 100, &text, &size), VIA_WIN32(2));
    CHECK_STR_HAS(message(), "gr\xC3\xBC\xC3\x9F.json: cannot open");
    CHECK_FALSE(os_file_exists(path));
    REQUIRE_OK(os_file_write(path, "first text", 10));
    REQUIRE_OK(os_file_write(path, "second\0text", 11));
    REQUIRE_OK(os_file_read(path, 11, &text, &size));
    CHECK_EQ(size, 11);
    CHECK_MEM_EQ(text, "second\0text", 12);
    free(text);
    text = NULL;
    CHECK_HR(os_file_read(path, 10, &text, &size), VIA_E_LIMIT);
    CHECK_STR_HAS(message(), "more than 10 bytes");
    CHECK_NULL(text);
    REQUIRE_OK(os_file_write(path, "", 0));
    REQUIRE_OK(os_file_read(path, 0, &text, &size));
    CHECK_EQ(size, 0);
    free(text);
    char **names;
    REQUIRE_OK(os_directory_list(harness_temporary_directory(), &names));
    CHECK_STR_EQ(names[0], "gr\xC3\xBC\xC3\x9F.json");
    CHECK_NULL(names[1]); /* nothing temporary is left */
    os_names_free(names);
    CHECK_OK(os_file_remove(path));
    CHECK_HR(os_file_remove(path), S_FALSE);
    CHECK_HR(os_file_read(harness_temporary_directory(), 100, &text, &size), E_INVALIDARG);
    error_clear();
}

TEST(large_file_survives_every_failed_allocation)
{
    enum { SIZE = 100000 };
    CLEANUP(cleanup_free) char *path = temporary("large");
    CLEANUP(cleanup_free) char *data = malloc(SIZE);
    REQUIRE_NOT_NULL(data);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 7 + i / 251);
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        char *text = NULL;
        size_t size = 0;
        harness_fail_allocation(n);
        HRESULT written = os_file_write(path, data, SIZE);
        HRESULT read = SUCCEEDED(written) ? os_file_read(path, SIZE, &text, &size) : written;
        failed = harness_allocation_failed();
        if (!failed) {
            CHECK_OK(read);
            CHECK(size == SIZE && memcmp(text, data, SIZE) == 0);
        } else {
            CHECK(SUCCEEDED(read) || read == E_OUTOFMEMORY);
        }
        free(text);
    }
    error_clear();
}

TEST(private_file_is_written_and_read)
{
    CLEANUP(cleanup_free) char *path = temporary("private");
    CLEANUP(cleanup_free) void *data = NULL;
    size_t size = 0;
    CHECK_HR(os_file_read_private(path, 100, &data, &size), VIA_WIN32(2));
    REQUIRE_OK(os_file_write_private(path, "first", 5));
    REQUIRE_OK(os_file_write_private(path, "second\0text", 11));
    REQUIRE_OK(os_file_read_private(path, 11, &data, &size));
    CHECK_EQ(size, 11);
    CHECK_MEM_EQ(data, "second\0text", 11);
    free(TAKE(data));
    CHECK_HR(os_file_read_private(path, 10, &data, &size), VIA_E_LIMIT);
    CHECK(FAILED(os_file_read_private(harness_temporary_directory(), 100, &data, &size)));
    error_clear();
}

/* Written in place, as an editor may. */
static void overwrite(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (CHECK_NOT_NULL(file)) {
        fputs(text, file);
        fclose(file);
    }
}

/* The same file after it has settled. */
static struct os_stamp settled_stamp(const char *path)
{
    struct os_stamp stamp;
    do
        CHECK_OK(os_stamp_of(path, &stamp));
    while (!stamp.is_settled && (os_sleep_ms(50), true));
    return stamp;
}

TEST(stamps_tell_what_has_changed)
{
    CLEANUP(cleanup_free) char *directory = temporary("stamped");
    CLEANUP(cleanup_free) char *path = os_path_join(directory, "a.json");
    CLEANUP(cleanup_free) char *other = os_path_join(directory, "b.json");
    struct os_stamp absent, young, file, folder, now;
    CHECK_HR(os_stamp_of(path, &absent), S_FALSE);
    CHECK(os_stamp_is_same(&absent, &absent));
    REQUIRE_OK(os_directory_make(directory));
    REQUIRE_OK(os_file_write(path, "one", 3));
    REQUIRE_OK(os_stamp_of(path, &young));
    CHECK_FALSE(young.is_settled);
    CHECK_FALSE(os_stamp_is_same(&young, &young));
    file = settled_stamp(path);
    folder = settled_stamp(directory);
    CHECK_EQ(file.size, 3);
    CHECK_EQ(file.changed_ns, young.changed_ns);
    now = settled_stamp(path);
    CHECK(os_stamp_is_same(&file, &now));
    overwrite(path, "two");
    REQUIRE_OK(os_stamp_of(path, &now));
    CHECK(now.changed_ns > file.changed_ns);
    CHECK_FALSE(os_stamp_is_same(&file, &now));
    REQUIRE_OK(os_stamp_of(directory, &now));
    CHECK(os_stamp_is_same(&folder, &now)); /* it does not see that */
    REQUIRE_OK(os_file_write(other, "", 0));
    REQUIRE_OK(os_stamp_of(directory, &now));
    CHECK(now.changed_ns > folder.changed_ns);
    CHECK_FALSE(os_stamp_is_same(&folder, &now));
    folder = now;
    os_sleep_ms(50); /* a tick */
    REQUIRE_OK(os_file_remove(other));
    REQUIRE_OK(os_stamp_of(directory, &now));
    CHECK(now.changed_ns > folder.changed_ns);
}

TEST(directory_is_scanned_with_stamps)
{
    static const char *const made[] = {"b.json", "a.json", "c.txt", ".json", "json"};
    CLEANUP(cleanup_free) char *absent = temporary("absent");
    struct os_entry *entries = NULL;
    size_t n_entries = 1;
    for (int i = 0; i < 5; i++) {
        CLEANUP(cleanup_free) char *path = temporary(made[i]);
        REQUIRE_OK(os_file_write(path, "text", (size_t)i));
    }
    REQUIRE_OK(os_directory_scan(harness_temporary_directory(), ".json", &entries, &n_entries));
    REQUIRE(n_entries == 3);
    CHECK_STR_EQ(entries[0].name, ".json");
    CHECK_STR_EQ(entries[1].name, "a.json");
    CHECK_STR_EQ(entries[2].name, "b.json");
    for (size_t i = 0; i < n_entries; i++) {
        CLEANUP(cleanup_free) char *path = temporary(entries[i].name);
        struct os_stamp stamp;
        CHECK_OK(os_stamp_of(path, &stamp));
        CHECK_EQ(entries[i].stamp.changed_ns, stamp.changed_ns);
        CHECK_EQ(entries[i].stamp.file_id, stamp.file_id);
        CHECK_EQ(entries[i].stamp.size, stamp.size);
    }
    os_entries_free(entries, n_entries);
    CHECK_HR(os_directory_scan(absent, ".json", &entries, &n_entries), S_FALSE);
    CHECK_EQ(n_entries, 0);
    os_entries_free(entries, n_entries);
}

TEST(write_into_an_absent_directory_says_so)
{
    CLEANUP(cleanup_free) char *directory = temporary("absent");
    CLEANUP(cleanup_free) char *path = os_path_join(directory, "file");
    CHECK_HR(os_file_write(path, "x", 1), VIA_WIN32(2));
    CHECK_STR_HAS(message(), "cannot create");
    CHECK_HR(os_file_remove(path), S_FALSE);
    CHECK_HR(os_directory_remove(directory), S_FALSE);
    char **names = NULL;
    CHECK_HR(os_directory_list(directory, &names), S_FALSE);
    REQUIRE_NOT_NULL(names);
    CHECK_NULL(names[0]);
    os_names_free(names);
    error_clear();
}

TEST(directory_is_listed_sorted)
{
    static const char *const wanted[] = {"10", "9", "B", "a", "b.json"};
    static const char *const made[] = {"b.json", "9", "a", "10", "B"};
    for (int i = 0; i < 5; i++) {
        /* On Windows "B" is no "b.json", but names differ in case only nowhere here. */
        CLEANUP(cleanup_free) char *path = temporary(made[i]);
        REQUIRE_OK(os_file_write(path, "", 0));
    }
    char **names;
    REQUIRE_OK(os_directory_list(harness_temporary_directory(), &names));
    for (int i = 0; i < 5; i++)
        CHECK_STR_EQ(names[i], wanted[i]);
    CHECK_NULL(names[5]);
    os_names_free(names);
}

TEST(directories_are_made_with_their_parents)
{
    CLEANUP(cleanup_free) char *one = temporary("one");
    CLEANUP(cleanup_free) char *two = os_path_join(one, "two");
    CLEANUP(cleanup_free) char *private = os_path_join(two, "private");
    CHECK_OK(os_directory_make_private(private));
    CHECK_OK(os_directory_make_private(private));
    CHECK_OK(os_directory_make(two));
    CHECK(FAILED(os_directory_remove(two)));
    CHECK_OK(os_directory_remove(private));
    CHECK_OK(os_directory_remove(two));
    CLEANUP(cleanup_free) char *file = os_path_join(one, "file");
    REQUIRE_OK(os_file_write(file, "x", 1));
    CHECK(FAILED(os_directory_make_private(file)));
    CHECK_STR_HAS(message(), "file");
    error_clear();
}

/* ---- identity, modules ---- */

TEST(identity_is_our_own)
{
    struct via_peer_identity self, other;
    char text[256];
    os_identity_self(&self);
    CHECK_EQ(self.size, sizeof(self));
    CHECK_EQ(self.pid, os_process_id());
    CHECK(self.flags & VIA_PEER_HAS_PID);
    CHECK(self.flags & (VIA_PEER_HAS_UNIX | VIA_PEER_HAS_SID));
    CHECK(os_identity_is_self(&self));
    os_identity_format(&self, text, sizeof(text));
    CHECK_STR_HAS(text, ", process ");
    other = self;
    other.uid++;
    other.sid[strlen(other.sid) > 0 ? strlen(other.sid) - 1 : 0] ^= 1;
    CHECK_FALSE(os_identity_is_self(&other));
    other.flags = VIA_PEER_HAS_PID;
    CHECK_FALSE(os_identity_is_self(&other));
    CHECK_FALSE(os_identity_is_privileged(&other));
    CHECK(strncmp(os_identity_format(&other, text, sizeof(text)), "unknown user", 12) == 0);
    CHECK_EQ(strlen(os_identity_format(&self, text, 4)), 3);
    other = (struct via_peer_identity){.size = sizeof(other), .flags = VIA_PEER_HAS_UNIX};
    CHECK(os_identity_is_privileged(&other));
    other.uid = 1000;
    CHECK_FALSE(os_identity_is_privileged(&other));
}

TEST(module_is_loaded_by_absolute_path_only)
{
    struct os_module *module = NULL;
    char name[64];
    CHECK_HR(os_module_open("libc.so.6", &module), E_INVALIDARG);
    CHECK_STR_HAS(message(), "absolute path");
    snprintf(name, sizeof(name), "absent%s", os_module_suffix);
    CLEANUP(cleanup_free) char *absent = temporary(name);
    CHECK_HR(os_module_open(absent, &module), VIA_WIN32(2));
    CHECK_STR_HAS(message(), "absent");
    snprintf(name, sizeof(name), "text%s", os_module_suffix);
    CLEANUP(cleanup_free) char *text = temporary(name);
    REQUIRE_OK(os_file_write(text, "not a module", 12));
    CHECK_HR(os_module_open(text, &module), CO_E_DLLNOTFOUND);
    CHECK_STR_HAS(message(), text);
    CHECK_NULL(module);
    error_clear();
}

/* A copy that a full disk has ended is refused, and ends nobody. */
TEST(module_that_is_cut_off_is_refused)
{
    struct os_module *module = NULL;
    char name[64];
    snprintf(name, sizeof(name), "test_os_module%s", os_module_suffix);
    CLEANUP(cleanup_free) char *directory = os_path_program_directory();
    CLEANUP(cleanup_free) char *whole = os_path_join(directory, name);
    CLEANUP(cleanup_free) char *part = temporary(name);
    CLEANUP(cleanup_free) char *data = NULL;
    size_t size;
    REQUIRE_OK(os_file_read(whole, 1 << 24, &data, &size));
    for (unsigned eighths = 0; eighths < 4; eighths++) {
        REQUIRE_OK(os_file_write(part, data, size * eighths / 8 + 100));
        CHECK_HR(os_module_open(part, &module), CO_E_DLLNOTFOUND);
    }
    CHECK_NULL(module);
    error_clear();
}

TEST(file_is_appended_to_and_known_again)
{
    CLEANUP(cleanup_free) char *path = temporary("log");
    CLEANUP(cleanup_free) char *same = temporary("../");
    CLEANUP(cleanup_free) char *other = temporary("other");
    CLEANUP(cleanup_free) char *text = NULL;
    size_t size;
    FILE *file;
    for (int i = 0; i < 2; i++) {
        REQUIRE_OK(os_file_append(path, &file));
        CHECK_EQ(fwrite("line\n", 1, 5, file), 5);
        fclose(file);
    }
    REQUIRE_OK(os_file_read(path, 100, &text, &size));
    CHECK_EQ(size, 10);
    CHECK_FALSE(os_file_is_same(path, other));
    REQUIRE_OK(os_file_write(other, "x", 1));
    CHECK_FALSE(os_file_is_same(path, other));
    CHECK_FALSE(os_file_is_same(path, same));
    free(TAKE(same));
    same = temporary("./log");
    CHECK(os_file_is_same(path, same));
    CHECK(FAILED(os_file_append(harness_temporary_directory(), &file)));
    error_clear();
}

TEST(module_gives_its_symbols)
{
    struct os_module *module = NULL;
    char name[64];
    snprintf(name, sizeof(name), "test_os_module%s", os_module_suffix);
    CLEANUP(cleanup_free) char *directory = os_path_program_directory();
    CLEANUP(cleanup_free) char *path = os_path_join(directory, name);
    REQUIRE_OK(os_module_open(path, &module));
    int (*twice)(int);
    void *symbol = os_module_symbol(module, "test_module_twice");
    memcpy(&twice, &symbol, sizeof(twice));
    REQUIRE_NOT_NULL(symbol);
    CHECK_EQ(twice(21), 42);
    CHECK_NULL(os_module_symbol(module, "test_module_absent"));
    os_module_close(module);
    os_module_close(NULL);
}

TEST(unix_calls_say_why_they_are_absent)
{
    CHECK(os_unix_calls() ? !*os_unix_calls_reason() : *os_unix_calls_reason() != 0);
    CHECK_FALSE(os_is_forked());
}

HARNESS_MAIN("os", TEST_ENTRY(clock_is_monotonic_and_sleeps_long_enough),
             TEST_ENTRY(random_bytes_differ), TEST_ENTRY(mutex_excludes_and_condition_wakes),
             TEST_ENTRY(condition_wait_ends_at_its_deadline_and_not_before),
             TEST_ENTRY(waiter_is_woken_times_out_and_keeps_an_early_wake),
             TEST_ENTRY(waiters_lose_no_wake), TEST_ENTRY(paths_are_joined_and_taken_apart),
             TEST_ENTRY(program_knows_its_place), TEST_ENTRY(file_is_written_read_and_replaced),
             TEST_ENTRY(large_file_survives_every_failed_allocation),
             TEST_ENTRY(private_file_is_written_and_read), TEST_ENTRY(stamps_tell_what_has_changed),
             TEST_ENTRY(directory_is_scanned_with_stamps),
             TEST_ENTRY(write_into_an_absent_directory_says_so),
             TEST_ENTRY(directory_is_listed_sorted),
             TEST_ENTRY(directories_are_made_with_their_parents), TEST_ENTRY(identity_is_our_own),
             TEST_ENTRY(module_is_loaded_by_absolute_path_only),
             TEST_ENTRY(module_that_is_cut_off_is_refused),
             TEST_ENTRY(file_is_appended_to_and_known_again), TEST_ENTRY(module_gives_its_symbols),
             TEST_ENTRY(unix_calls_say_why_they_are_absent))
