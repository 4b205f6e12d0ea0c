/* Unix calls of Windows programs under Wine: the winelib module, as plugins and the OS layer see
 * it. */
#include "core/os/file.h"
#include "core/os/identity.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "core/os/clock.h"
#include "core/os/unix_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

#define LINUX_EAGAIN       11
#define LINUX_EINVAL       22
#define LINUX_EPIPE        32
#define LINUX_ENOENT       2
#define LINUX_EADDRINUSE   98
#define LINUX_ENAMETOOLONG 36
#define LINUX_ETIMEDOUT    110
#define LINUX_ECONNREFUSED 111
#define LINUX_S_IFMT       0170000u
#define LINUX_S_IFDIR      0040000u
#define LINUX_S_IFSOCK     0140000u

/* Under Wine the module has to be there: it is built with the tests. */
#define CALLS(name)                                             \
    const struct via_plugin_unix_calls *name = os_unix_calls(); \
    if (!os_is_wine())                                          \
        SKIP("%s", os_unix_calls_reason());                     \
    if (!name)                                                  \
        FAIL("%s", os_unix_calls_reason());                     \
    REQUIRE_NOT_NULL(name)

static int64_t receive_bytes(const struct via_plugin_unix_calls *calls, int32_t socket, char *data,
                             size_t size)
{
    uint32_t none = 0;
    return calls->receive(socket, data, size, NULL, &none);
}

TEST(bytes_and_the_end_pass_through_a_pair)
{
    CALLS(calls);
    int32_t pair[2];
    char data[16] = "";
    REQUIRE_EQ(calls->socket_pair(pair), 0);
    CHECK_EQ(receive_bytes(calls, pair[0], data, sizeof(data)), -LINUX_EAGAIN);
    CHECK_EQ(calls->wait_readable(pair[0], -1, 0), 0);
    CHECK_EQ(calls->send(pair[1], "hello", 6, NULL, 0), 6);
    CHECK_EQ(calls->wait_readable(pair[0], -1, -1), 1);
    CHECK_EQ(receive_bytes(calls, pair[0], data, sizeof(data)), 6);
    CHECK_STR_EQ(data, "hello");
    CHECK_EQ(calls->shutdown_both(pair[1]), 0);
    CHECK_EQ(calls->wait_readable(pair[0], pair[1], -1), 3);
    CHECK_EQ(receive_bytes(calls, pair[0], data, sizeof(data)), 0);
    CHECK_EQ(calls->send(pair[0], "x", 1, NULL, 0), -LINUX_EPIPE);
    CHECK_EQ(calls->close(pair[0]), 0);
    CHECK_EQ(calls->close(pair[1]), 0);
    CHECK(calls->close(pair[1]) < 0);
}

TEST(descriptors_arrive_and_those_without_room_are_closed)
{
    CALLS(calls);
    int32_t pair[2], event, sent[3], received[2] = {-1, -1};
    uint32_t n_received = 2;
    char byte = 0;
    REQUIRE_EQ(calls->socket_pair(pair), 0);
    event = calls->event_new();
    REQUIRE(event >= 0);
    int32_t free_before = calls->duplicate(event);
    CHECK_EQ(calls->close(free_before), 0);
    for (int i = 0; i < 3; i++)
        sent[i] = event;
    CHECK_EQ(calls->send(pair[0], "d", 1, sent, 3), 1);
    CHECK_EQ(calls->receive(pair[1], &byte, 1, received, &n_received), 1);
    CHECK_EQ(n_received, 2);
    /* The same event, behind another number. */
    CHECK(received[0] >= 0 && received[0] != event);
    CHECK_EQ(calls->wait_readable(event, -1, 0), 0);
    CHECK_EQ(calls->event_set(received[0]), 0);
    CHECK_EQ(calls->wait_readable(event, pair[1], 0), 1);
    CHECK_EQ(calls->event_clear(event), 0);
    CHECK_EQ(calls->event_clear(event), -LINUX_EAGAIN);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(calls->close(received[i]), 0);
    int32_t free_after = calls->duplicate(event);
    CHECK_EQ(free_after, free_before);
    CHECK_EQ(calls->close(free_after), 0);
    CHECK_EQ(calls->close(event), 0);
    CHECK_EQ(calls->close(pair[0]), 0);
    CHECK_EQ(calls->close(pair[1]), 0);
}

/* A Unix path for the running test, in a directory made by the product's own code. */
static bool make_unix_directory(char *path, size_t size)
{
    snprintf(path, size, "/tmp/viaduct-test-%u-%llx", os_unix_calls()->user_id(),
             (unsigned long long)os_now_ns());
    return CHECK_OK(os_directory_make_private(path));
}

TEST(sockets_listen_connect_and_know_the_peer)
{
    CALLS(calls);
    char directory[64], path[100];
    uint32_t mode = 0, owner = 0, pid = 0, uid = 0, gid = 0;
    REQUIRE(make_unix_directory(directory, sizeof(directory)));
    CHECK_EQ(calls->stat(directory, &mode, &owner), 0);
    CHECK_EQ(mode, LINUX_S_IFDIR | 0700u);
    CHECK_EQ(owner, calls->user_id());
    snprintf(path, sizeof(path), "%s/socket", directory);
    uint32_t size = (uint32_t)strlen(path);
    int32_t listener = calls->socket_stream();
    int32_t client = calls->socket_stream();
    REQUIRE(listener >= 0 && client >= 0);
    CHECK_EQ(calls->connect_path(client, path, size), -LINUX_ENOENT);
    CHECK_EQ(calls->bind_path(listener, path, size), 0);
    CHECK_EQ(calls->connect_path(client, path, size), -LINUX_ECONNREFUSED);
    CHECK_EQ(calls->listen(listener, 5), 0);
    CHECK_EQ(calls->chmod(path, 0600), 0);
    CHECK_EQ(calls->stat(path, &mode, &owner), 0);
    CHECK_EQ(mode, LINUX_S_IFSOCK | 0600u);
    CHECK_EQ(calls->accept(listener), -LINUX_EAGAIN);
    CHECK_EQ(calls->connect_path(client, path, size), 0);
    int32_t server = calls->accept(listener);
    REQUIRE(server >= 0);
    CHECK_EQ(calls->peer_credentials(server, &pid, &uid, &gid), 0);
    CHECK_EQ(uid, calls->user_id());
    CHECK(pid != 0);
    struct via_peer_identity peer = {.size = sizeof(peer), .flags = VIA_PEER_HAS_UNIX, .uid = uid};
    CHECK(os_identity_is_self(&peer));
    CHECK_EQ(calls->bind_path(client, path, 200), -LINUX_ENAMETOOLONG);
    CHECK_EQ(calls->close(server), 0);
    CHECK_EQ(calls->close(client), 0);
    CHECK_EQ(calls->close(listener), 0);
    int32_t again = calls->socket_stream();
    CHECK_EQ(calls->bind_path(again, path, size), -LINUX_EADDRINUSE);
    CHECK_EQ(calls->close(again), 0);
    CHECK_EQ(calls->unlink(path), 0);
    CHECK_EQ(calls->unlink(path), -LINUX_ENOENT);
    CHECK_OK(os_directory_remove(directory));
    CHECK_HR(os_directory_remove(directory), S_FALSE);
}

TEST(lock_file_has_one_owner)
{
    CALLS(calls);
    char directory[64], path[100];
    REQUIRE(make_unix_directory(directory, sizeof(directory)));
    snprintf(path, sizeof(path), "%s/lock", directory);
    int32_t first = calls->lock_file(path);
    CHECK(first >= 0);
    CHECK_EQ(calls->lock_file(path), -LINUX_EAGAIN);
    CHECK_EQ(calls->close(first), 0);
    int32_t second = calls->lock_file(path);
    CHECK(second >= 0);
    CHECK_EQ(calls->close(second), 0);
    CHECK_EQ(calls->unlink(path), 0);
    CHECK_OK(os_directory_remove(directory));
}

TEST(open_directory_is_refused)
{
    CALLS(calls);
    char directory[64];
    REQUIRE(make_unix_directory(directory, sizeof(directory)));
    CHECK_EQ(calls->chmod(directory, 0755), 0);
    CHECK_HR(os_directory_make_private(directory), E_ACCESSDENIED);
    CHECK_STR_HAS(error_get() ? error_get()->text : "", "chmod 700");
    CHECK_OK(os_directory_check(directory));
    CHECK_EQ(calls->chmod(directory, 0777), 0);
    CHECK_HR(os_directory_check(directory), E_ACCESSDENIED);
    CHECK_STR_HAS(error_get() ? error_get()->text : "", "chmod go-w");
    CHECK_EQ(calls->chmod(directory, 01777), 0);
    CHECK_OK(os_directory_check(directory));
    CHECK_OK(os_directory_remove(directory));
    error_clear();
}

struct sleeper {
    const struct via_plugin_unix_calls *calls;
    int32_t socket, event;
    _Atomic int32_t result;
};

static void sleep_in_module(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->result = sleeper->calls->wait_readable(sleeper->socket, sleeper->event, -1);
}

TEST(another_thread_ends_a_wait)
{
    CALLS(calls);
    int32_t pair[2];
    struct os_thread *thread;
    REQUIRE_EQ(calls->socket_pair(pair), 0);
    struct sleeper sleeper = {.calls = calls, .socket = pair[0], .event = calls->event_new()};
    REQUIRE_OK(os_thread_start(sleep_in_module, &sleeper, "sleeps", &thread));
    os_sleep_ms(20);
    CHECK_EQ(sleeper.result, 0);
    CHECK_EQ(calls->event_set(sleeper.event), 0);
    os_thread_join(thread);
    CHECK_EQ(sleeper.result, 2);
    uint64_t deadline = os_deadline_ms(20);
    CHECK_EQ(calls->wait_readable(pair[0], -1, 20), 0);
    CHECK(os_now_ns() + 1000000u >= deadline);
    CHECK_EQ(calls->close(sleeper.event), 0);
    CHECK_EQ(calls->close(pair[0]), 0);
    CHECK_EQ(calls->close(pair[1]), 0);
}

TEST(runtime_directory_is_a_unix_path)
{
    CALLS(calls);
    CLEANUP(cleanup_free) char *user = os_path_runtime(false);
    CLEANUP(cleanup_free) char *system = os_path_runtime(true);
    CHECK(user && user[0] == '/');
    CHECK(system && system[0] == '/');
    CHECK_EQ(calls->size, sizeof(*calls));
}

TEST(memory_is_checked_and_mapped_twice)
{
    CALLS(calls);
    int32_t memory = calls->memory_new(131072);
    REQUIRE(memory >= 0);
    CHECK_EQ(calls->memory_check(memory, 131072), 0);
    CHECK_EQ(calls->memory_check(memory, 65536), -LINUX_EINVAL);
    int32_t event = calls->event_new();
    REQUIRE(event >= 0);
    CHECK_EQ(calls->memory_check(event, 131072), -LINUX_EINVAL);
    CHECK_EQ(calls->is_event(event), 1);
    CHECK_EQ(calls->is_event(memory), 0);
    CHECK_EQ(calls->close(event), 0);
    int64_t at = calls->memory_reserve(262144);
    REQUIRE(at > 0);
    char *base = (char *)(intptr_t)at;
    CHECK_EQ(calls->memory_place(base, memory, 0, 131072, 1), 0);
    CHECK_EQ(calls->memory_place(base + 131072, memory, 0, 131072, 0), 0);
    base[131071] = 'm';
    CHECK_EQ(base[131072 + 131071], 'm');
    CHECK_EQ(calls->memory_unmap(base, 262144), 0);
    CHECK_EQ(calls->close(memory), 0);
}

struct word_sleeper {
    const struct via_plugin_unix_calls *calls;
    _Atomic uint32_t word;
    int32_t result;
};

static void sleep_on_word(void *argument)
{
    struct word_sleeper *sleeper = argument;
    while (sleeper->word == 1)
        sleeper->result =
            sleeper->calls->futex_wait((uint32_t *)(uintptr_t)&sleeper->word, 1, UINT64_MAX);
}

TEST(threads_sleep_on_a_word)
{
    CALLS(calls);
    struct word_sleeper sleeper = {.calls = calls, .word = 1, .result = -1};
    struct os_thread *thread;
    uint32_t *word = (uint32_t *)(uintptr_t)&sleeper.word;
    CHECK_EQ(calls->futex_wait(word, 2, UINT64_MAX), 0); /* it has another value */
    uint64_t start = os_now_ns();
    CHECK_EQ(calls->futex_wait(word, 1, 20000000), -LINUX_ETIMEDOUT);
    CHECK(os_now_ns() - start >= 19000000);
    REQUIRE_OK(os_thread_start(sleep_on_word, &sleeper, "sleeper", &thread));
    os_sleep_ms(20);
    sleeper.word = 0;
    CHECK(calls->futex_wake(word, 1) >= 0);
    os_thread_join(thread);
    CHECK_EQ(sleeper.result, 0);
}

HARNESS_MAIN("wine_module", TEST_ENTRY(bytes_and_the_end_pass_through_a_pair),
             TEST_ENTRY(descriptors_arrive_and_those_without_room_are_closed),
             TEST_ENTRY(sockets_listen_connect_and_know_the_peer),
             TEST_ENTRY(lock_file_has_one_owner), TEST_ENTRY(open_directory_is_refused),
             TEST_ENTRY(another_thread_ends_a_wait), TEST_ENTRY(runtime_directory_is_a_unix_path),
             TEST_ENTRY(memory_is_checked_and_mapped_twice), TEST_ENTRY(threads_sleep_on_a_word))
