/*
 * Bad peers that are processes of their own, on real sockets: they send half a frame, too much or
 * noise, never finish their hello, stop reading, or come when no descriptor is left. The node goes
 * on serving the connection that it had, and lets go of the others.
 */
#include "core/os/clock.h"
#include "core/util/buffer.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"
#include "tests/link/fixture.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ECHO_SIZE 16384u

/* Made before the fork: a child of a process with threads only makes system calls. */
struct script {
    struct sockaddr_un address;
    int go[2]; /* the child starts when a byte arrives */
    uint8_t hello[256];
    size_t hello_size;
    uint8_t frame[WIRE_HEADER_SIZE + 56 + ECHO_SIZE]; /* a call to echo */
    uint8_t noise[4096];
};

static void make_script(struct script *script, const struct pair *pair)
{
    struct wire_hello hello = {.min_version = 1,
                               .max_version = 1,
                               .process_id = 1,
                               .node = {0x42},
                               .limits = {WIRE_MAX_FRAME, WIRE_MAX_MESSAGE, 16, 4}};
    struct wire_call call = {.remaining_ms = WIRE_NO_LIMIT_MS, .chain = {0x17}};
    struct wire_header header = {
        .kind = WIRE_CALL, .call_id = 1, .body_size = sizeof script->frame - WIRE_HEADER_SIZE};
    struct buffer out;
    uint32_t state = 1;
    memset(script, 0, sizeof *script);
    script->address.sun_family = AF_UNIX;
    strncpy(script->address.sun_path, strchr(pair->address, ':') + 1,
            sizeof script->address.sun_path - 1);
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(script->frame, &header);
    wire_call_write(script->frame + WIRE_HEADER_SIZE, &call);
    script->frame[WIRE_HEADER_SIZE + 20] = METHOD_ECHO;
    buffer_init(&out, 1024);
    wire_hello_write(&out, &hello);
    header = (struct wire_header){.kind = WIRE_HELLO, .body_size = (uint32_t)out.size};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(script->hello, &header);
    memcpy(script->hello + WIRE_HEADER_SIZE, out.data, out.size);
    script->hello_size = header.size;
    buffer_deinit(&out);
    for (size_t i = 0; i < sizeof script->noise; i++) {
        state = state * 1664525u + 1013904223u;
        script->noise[i] = (uint8_t)(state >> 24);
    }
}

static bool put(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size != 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* Reads until the end of the stream; false: nothing came for 10 s. */
static bool reaches_end(int fd)
{
    uint8_t bytes[4096];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (poll(&wait, 1, 10000) > 0)
        if (read(fd, bytes, sizeof bytes) <= 0)
            return true;
    return false;
}

static bool reads_answer(int fd)
{
    uint8_t header[WIRE_HEADER_SIZE];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 10000) > 0 && read(fd, header, sizeof header) == sizeof header &&
           header[4] == WIRE_HELLO_ANSWER;
}

typedef bool peer_fn(struct script *script, int fd);

static pid_t start_peer(struct script *script, peer_fn *peer)
{
    if (!CHECK_EQ(pipe(script->go), 0))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        uint8_t byte;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        bool ok = read(script->go[0], &byte, 1) == 1 &&
                  connect(fd, (struct sockaddr *)&script->address, sizeof script->address) == 0 &&
                  peer(script, fd);
        _exit(ok ? 0 : 1);
    }
    return pid;
}

static void expect_success(struct script *script, pid_t pid)
{
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    close(script->go[0]);
    close(script->go[1]);
}

static void expect_service(struct pair *pair)
{
    uint32_t sum = 0;
    CHECK_OK(call_add(pair->connection, 20, 22, &sum));
    CHECK_EQ(sum, 42);
}

static bool dies_in_a_frame(struct script *script, int fd)
{
    return put(fd, script->hello, script->hello_size) && reads_answer(fd) &&
           put(fd, script->frame, sizeof script->frame / 2);
}

static bool sends_too_much(struct script *script, int fd)
{
    memset(script->frame, 0xF8, 4);
    return put(fd, script->hello, script->hello_size) && put(fd, script->frame, WIRE_HEADER_SIZE) &&
           reaches_end(fd);
}

static bool corrupts_a_frame(struct script *script, int fd)
{
    script->frame[24] = 64; /* a reference table that the size has no room for */
    return put(fd, script->hello, script->hello_size) &&
           put(fd, script->frame, sizeof script->frame) && reaches_end(fd);
}

static bool sends_noise(struct script *script, int fd)
{
    put(fd, script->noise, sizeof script->noise);
    return reaches_end(fd);
}

static bool never_finishes_hello(struct script *script, int fd)
{
    return put(fd, script->hello, script->hello_size - 8) && reaches_end(fd);
}

/* Calls that are answered with as much as they bring; nobody takes the answers. */
static bool stops_reading(struct script *script, int fd)
{
    if (!put(fd, script->hello, script->hello_size))
        return false;
    for (uint32_t id = 1; id < 65536; id++) {
        memcpy(script->frame + 16, &id, sizeof id);
        if (!put(fd, script->frame, sizeof script->frame))
            return true; /* cut off */
    }
    return false;
}

static bool is_turned_away(struct script *script, int fd)
{
    put(fd, script->hello, script->hello_size);
    return reaches_end(fd);
}

static bool is_answered(struct script *script, int fd)
{
    return put(fd, script->hello, script->hello_size) && reads_answer(fd);
}

TEST(lets_bad_processes_go)
{
    static peer_fn *const peers[] = {dies_in_a_frame, sends_too_much,       corrupts_a_frame,
                                     sends_noise,     never_finishes_hello, stops_reading};
    struct link_settings settings;
    struct pair pair;
    link_settings_default(&settings);
    settings.hello_timeout_ms = 200;
    settings.drain_timeout_ms = 200;
    if (!pair_open(&pair, "unix", &settings))
        return;
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        struct script script;
        make_script(&script, &pair);
        pid_t pid = start_peer(&script, peers[i]);
        if (!CHECK(pid > 0) || !CHECK_EQ(write(script.go[1], "g", 1), 1))
            break;
        expect_service(&pair);
        expect_success(&script, pid);
        expect_service(&pair);
    }
    /* Of all that were let in, the client alone is left. */
    for (int i = 0; i < 5000 && pair.server.n_closed + 1 != pair.server.n_opened; i++)
        os_sleep_ms(1);
    CHECK_EQ(pair.server.n_closed + 1, pair.server.n_opened);
    pair_close(&pair);
}

/* A newcomer is turned away; who is there already is served; later others are let in again. */
TEST(serves_when_descriptors_are_exhausted)
{
    struct script script;
    struct rlimit limit;
    struct pair pair;
    if (!pair_open(&pair, "unix", NULL))
        return;
    make_script(&script, &pair);
    pid_t pid = start_peer(&script, is_turned_away);
    getrlimit(RLIMIT_NOFILE, &limit);
    int lowest = dup(0);
    close(lowest);
    struct rlimit low = {(rlim_t)lowest, limit.rlim_max};
    if (CHECK(pid > 0) && CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0) &&
        CHECK_EQ(write(script.go[1], "g", 1), 1)) {
        uint64_t until_ns = os_deadline_ms(300);
        while (os_now_ns() < until_ns)
            expect_service(&pair);
        CHECK_EQ(pair.server.n_opened, 1);
    }
    setrlimit(RLIMIT_NOFILE, &limit);
    if (pid > 0)
        expect_success(&script, pid);
    pid = start_peer(&script, is_answered);
    if (CHECK(pid > 0) && CHECK_EQ(write(script.go[1], "g", 1), 1)) {
        expect_success(&script, pid);
        wait_for(&pair.server.n_opened, 2);
    }
    expect_service(&pair);
    pair_close(&pair);
}

HARNESS_MAIN("hostile", TEST_ENTRY(lets_bad_processes_go),
             TEST_ENTRY(serves_when_descriptors_are_exhausted))
