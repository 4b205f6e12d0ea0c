/*
 * The winelib module's calls, on Linux itself: what happens when the process is out of descriptors,
 * which a test under Wine could not bring about.
 */
#include "core/os/windows/unix_module.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* As the module compiles them. */
#define MODULE_CALL __attribute__((ms_abi))
typedef int32_t(MODULE_CALL *entry_fn)(struct unix_module *module);
typedef int64_t(MODULE_CALL *send_fn)(int32_t descriptor, const void *data, uint64_t size,
                                      const int32_t *descriptors, uint32_t n_descriptors);
typedef int64_t(MODULE_CALL *receive_fn)(int32_t descriptor, void *data, uint64_t size,
                                         int32_t *descriptors, uint32_t *n_descriptors);

int32_t MODULE_CALL viaduct_unix_module(struct unix_module *module);

TEST(descriptors_that_are_lost_are_noticed)
{
    struct unix_module module = {.version = UNIX_MODULE_VERSION, .size = sizeof module};
    struct rlimit limit;
    int pair[2];
    char bytes[4];
    int32_t sent[3] = {0, 0, 0};
    int32_t received[4];
    uint32_t n = 4;
    module.calls.size = sizeof module.calls;
    REQUIRE_EQ(viaduct_unix_module(&module), 0);
    send_fn send_bytes = (send_fn)(void *)module.calls.send;
    receive_fn receive = (receive_fn)(void *)module.calls.receive;
    REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(send_bytes(pair[0], "one", 3, sent, 3), 3);
    getrlimit(RLIMIT_NOFILE, &limit);
    int lowest = dup(0);
    close(lowest);
    struct rlimit low = {(rlim_t)lowest + 1, limit.rlim_max}; /* room for one of three */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    CHECK_EQ(receive(pair[1], bytes, sizeof bytes, received, &n), -EMFILE);
    CHECK_EQ(n, 0);
    setrlimit(RLIMIT_NOFILE, &limit);
    /* That one was closed again. */
    int again = dup(0);
    CHECK_EQ(again, lowest);
    close(again);
    n = 4;
    CHECK_EQ(send_bytes(pair[0], "two", 3, sent, 3), 3);
    CHECK_EQ(receive(pair[1], bytes, sizeof bytes, received, &n), 3);
    CHECK_EQ(n, 3);
    for (uint32_t i = 0; i < n; i++)
        close(received[i]);
    close(pair[0]);
    close(pair[1]);
}

HARNESS_MAIN("unix_module", TEST_ENTRY(descriptors_that_are_lost_are_noticed))
