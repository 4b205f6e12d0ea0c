/*
 * What the plugin `unixsock` promises beyond the contract of transports, on POSIX: names in the
 * file system, who may connect, exhausted descriptors, hostile peers, and its use of SIGURG.
 */
#include "tests/harness/harness.h"

#include "core/os/clock.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plugin_reactor reactor;
static struct plugin_set *set;
static const struct via_transport *t;
static char path[108];

static bool set_up(void)
{
    char file[1200];
    snprintf(file, sizeof file, "%s/viaduct-unix.so", plugin_reactor_plugin_directory());
    snprintf(path, sizeof path, "%s/x.sock", harness_temporary_directory());
    return plugin_reactor_start(&reactor) && CHECK_OK(plugin_set_new(reactor.poller, NULL, &set)) &&
           CHECK_OK(plugin_set_load(set, file)) && CHECK_OK(plugin_set_find(set, "unix", &t));
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

static atomic_uint n_reports;

static void count_report(void *token, uint32_t events)
{
    (void)token;
    if (events & VIA_READY_READ)
        atomic_fetch_add(&n_reports, 1);
}

static HRESULT start(uint32_t access, struct via_listener **listener)
{
    struct via_listen_options options = {sizeof options, access, 8, 0};
    return t->listen(path, &options, on_ready, NULL, listener);
}

static HRESULT dial(struct via_stream **stream)
{
    struct via_connect_options options = {sizeof options, 1, 0};
    return t->connect(path, &options, stream);
}

static bool join(struct via_listener *listener, struct via_stream *ends[2])
{
    return CHECK_OK(dial(&ends[0])) && CHECK_OK(t->listener_accept(listener, &ends[1]));
}

static const char *message(HRESULT hr)
{
    static char text[ERROR_TEXT_SIZE];
    return error_format(error_get(), hr, text, sizeof text);
}

static int raw_socket(bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (listening)
        CHECK_EQ(listen(fd, 4), 0);
    return fd;
}

static int raw_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

TEST(name_has_the_right_mode)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    struct via_listener *listener;
    struct stat status;
    REQUIRE(set_up());
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        mode_t before = umask(masks[i]);
        CHECK_OK(start(VIA_ACCESS_SAME_USER, &listener));
        CHECK_EQ(stat(path, &status), 0);
        CHECK_EQ(status.st_mode & 0777, 0600);
        t->listener_close(listener);
        CHECK_OK(start(VIA_ACCESS_EVERYONE, &listener));
        CHECK_EQ(stat(path, &status), 0);
        CHECK_EQ(status.st_mode & 0777, 0666);
        t->listener_close(listener);
        umask(before);
    }
    tear_down();
}

TEST(nothing_is_left_behind)
{
    struct via_listener *listener;
    char lock[128];
    REQUIRE(set_up());
    snprintf(lock, sizeof lock, "%s.lock", path);
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(access(lock, F_OK), 0);
    t->listener_close(listener);
    CHECK_EQ(access(path, F_OK), -1);
    CHECK_EQ(access(lock, F_OK), -1);
    tear_down();
}

TEST(stale_socket_is_replaced)
{
    struct via_listener *listener;
    struct via_stream *ends[2];
    REQUIRE(set_up());
    close(raw_socket(true));
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    if (join(listener, ends)) {
        t->close(ends[0]);
        t->close(ends[1]);
    }
    t->listener_close(listener);
    tear_down();
}

TEST(foreign_server_keeps_its_name)
{
    struct via_listener *listener;
    REQUIRE(set_up());
    int fd = raw_socket(true);
    CHECK_HR(start(VIA_ACCESS_SAME_USER, &listener), VIA_E_ADDRESS_IN_USE);
    CHECK_STR_HAS(message(VIA_E_ADDRESS_IN_USE), path);
    CHECK_EQ(access(path, F_OK), 0);
    close(fd);
    tear_down();
}

TEST(other_files_are_not_touched)
{
    struct via_listener *listener;
    struct stat status;
    REQUIRE(set_up());
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_HR(start(VIA_ACCESS_SAME_USER, &listener), VIA_E_ADDRESS);
    CHECK_STR_HAS(message(VIA_E_ADDRESS), "not a socket");
    CHECK_EQ(stat(path, &status), 0);
    CHECK(S_ISREG(status.st_mode));
    tear_down();
}

TEST(paths_are_checked)
{
    static const char *const bad[] = {"relative.sock", "/tmp/", "./x.sock"};
    struct via_listen_options options = {sizeof options, 0, 8, 0};
    struct via_listener *listener;
    REQUIRE(set_up());
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_HR(t->listen(bad[i], &options, on_ready, NULL, &listener), VIA_E_ADDRESS);
    CHECK_HR(t->listen("/nonexistent/x.sock", &options, on_ready, NULL, &listener), E_FAIL);
    CHECK_STR_HAS(message(E_FAIL), "/nonexistent/x.sock");
    tear_down();
}

TEST(client_is_turned_away_without_descriptors)
{
    struct via_listener *listener;
    struct via_stream *clients[2];
    struct via_stream *server;
    struct rlimit limit;
    const uint8_t *span;
    size_t size;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    REQUIRE_OK(dial(&clients[0]));
    REQUIRE_OK(dial(&clients[1]));
    int taken[128];
    size_t n_taken = 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    struct rlimit low = {sizeof taken / sizeof taken[0], limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    while ((taken[n_taken] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n_taken++;
    CHECK_HR(t->listener_accept(listener, &server), VIA_E_LIMIT);
    CHECK_STR_HAS(message(VIA_E_LIMIT), "turned away");
    while (n_taken > 0)
        close(taken[--n_taken]);
    setrlimit(RLIMIT_NOFILE, &limit);
    /* The first learned of it at once, the other one is served. */
    CHECK_HR(t->peek(clients[0], 1, &span, &size), RPC_E_DISCONNECTED);
    REQUIRE_OK(t->listener_accept(listener, &server));
    t->close(server);
    t->close(clients[0]);
    t->close(clients[1]);
    t->listener_close(listener);
    tear_down();
}

/* Sends one byte with 250 descriptors. */
static void send_many(int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(250 * sizeof(int))];
    } control;
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    memset(&control, 0, sizeof control);
    struct cmsghdr *item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(250 * sizeof(int));
    for (size_t i = 0; i < 250; i++)
        memcpy(CMSG_DATA(item) + i * sizeof fd, &fd, sizeof fd);
    CHECK_EQ(sendmsg(fd, &header, MSG_NOSIGNAL), 1);
}

TEST(flood_of_descriptors_ends_the_stream)
{
    struct via_listener *listener;
    struct via_stream *server;
    const uint8_t *span;
    size_t size;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    int fd = raw_client();
    REQUIRE_OK(t->listener_accept(listener, &server));
    for (int i = 0; i < 4; i++)
        send_many(fd);
    CHECK_HR(t->peek(server, 4, &span, &size), VIA_E_LIMIT);
    CHECK_STR_HAS(message(VIA_E_LIMIT), "handles that no frame claims");
    CHECK_HR(t->peek(server, 4, &span, &size), VIA_E_LIMIT);
    close(fd);
    t->close(server);
    t->listener_close(listener);
    tear_down();
}

/* --- SIGURG --- */

struct waiting {
    struct via_stream *stream;
    bool block_signal;
    uint64_t deadline_ns;
    _Atomic bool entered;
    HRESULT result;
};

static void wait_once(void *argument)
{
    struct waiting *w = argument;
    if (w->block_signal) {
        sigset_t urgent;
        sigemptyset(&urgent);
        sigaddset(&urgent, SIGURG);
        pthread_sigmask(SIG_BLOCK, &urgent, NULL);
    }
    w->entered = true;
    w->result = t->wait(w->stream, w->deadline_ns);
    error_clear();
}

static bool start_waiting(struct waiting *w, struct os_thread **thread)
{
    if (!CHECK_OK(os_thread_start(wait_once, w, "waiting", thread)))
        return false;
    while (!w->entered)
        os_sleep_ms(1);
    os_sleep_ms(30);
    return true;
}

TEST(thread_that_blocks_the_signal_is_interrupted)
{
    struct via_listener *listener;
    struct via_stream *ends[2];
    struct os_thread *thread;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    REQUIRE(join(listener, ends));
    struct waiting w = {.stream = ends[1], .block_signal = true, .deadline_ns = OS_NEVER};
    if (start_waiting(&w, &thread)) {
        t->interrupt(ends[1]);
        os_thread_join(thread);
        CHECK_HR(w.result, VIA_S_INTERRUPTED);
    }
    t->close(ends[0]);
    t->close(ends[1]);
    t->listener_close(listener);
    tear_down();
}

/* A thread that blocks the signal after its first waits, which took it for open. */
struct blocking_late {
    struct via_stream *stream;
    _Atomic unsigned n_done;
};

#define N_LATE 12u

static void block_late(void *argument)
{
    struct blocking_late *b = argument;
    sigset_t urgent;
    /* Nothing comes: the receive timeout grows to its longest. */
    CHECK_HR(t->wait(b->stream, os_deadline_ms(1500)), RPC_E_TIMEOUT);
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urgent, NULL);
    for (unsigned i = 0; i < N_LATE; i++) {
        CHECK_HR(t->wait(b->stream, OS_NEVER), VIA_S_INTERRUPTED);
        b->n_done++;
    }
    error_clear();
}

TEST(thread_that_blocks_the_signal_late_is_interrupted)
{
    struct via_listener *listener;
    struct via_stream *ends[2];
    struct os_thread *thread;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    REQUIRE(join(listener, ends));
    struct blocking_late b = {.stream = ends[1]};
    REQUIRE_OK(os_thread_start(block_late, &b, "late", &thread));
    os_sleep_ms(1600);
    uint64_t started_ns = os_now_ns();
    for (unsigned i = 0; i < N_LATE; i++) {
        os_sleep_ms(10); /* it waits */
        t->interrupt(ends[1]);
        while (b.n_done == i)
            os_sleep_ms(1);
    }
    /* The first may take the longest timeout, 400 ms, and all others would. */
    CHECK((os_now_ns() - started_ns) / 1000000u < 2500u * harness_time_factor());
    os_thread_join(thread);
    t->close(ends[0]);
    t->close(ends[1]);
    t->listener_close(listener);
    tear_down();
}

static _Atomic int n_foreign;

static void foreign_handler(int number)
{
    (void)number;
    n_foreign++;
}

TEST(handler_that_was_there_is_called)
{
    struct sigaction foreign = {.sa_handler = foreign_handler};
    struct sigaction before;
    struct sigaction now;
    n_foreign = 0;
    sigaction(SIGURG, &foreign, &before);
    REQUIRE(set_up());
    raise(SIGURG);
    CHECK_EQ(n_foreign, 1);
    tear_down();
    /* And it is there again afterwards. */
    sigaction(SIGURG, NULL, &now);
    CHECK(now.sa_handler == foreign_handler);
    sigaction(SIGURG, &before, NULL);
}

TEST(stray_signal_does_not_end_a_wait)
{
    struct via_listener *listener;
    struct via_stream *ends[2];
    struct os_thread *thread;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    REQUIRE(join(listener, ends));
    uint64_t deadline = os_now_ns() + 300000000u;
    struct waiting w = {.stream = ends[1], .deadline_ns = deadline};
    if (start_waiting(&w, &thread)) {
        for (int i = 0; i < 20; i++) {
            kill(getpid(), SIGURG);
            os_sleep_ms(5);
        }
        os_thread_join(thread);
        CHECK_HR(w.result, RPC_E_TIMEOUT);
        CHECK(os_now_ns() >= deadline);
    }
    t->close(ends[0]);
    t->close(ends[1]);
    t->listener_close(listener);
    tear_down();
}

TEST(wait_outlasts_its_first_timeouts)
{
    struct via_listener *listener;
    struct via_stream *ends[2];
    struct os_thread *thread;
    uint8_t *span;
    size_t size;
    REQUIRE(set_up());
    REQUIRE_OK(start(VIA_ACCESS_SAME_USER, &listener));
    REQUIRE(join(listener, ends));
    struct waiting w = {.stream = ends[1], .deadline_ns = OS_NEVER};
    if (start_waiting(&w, &thread)) {
        os_sleep_ms(400); /* 10, 20, 40, 80, 160 ms have run out */
        CHECK_OK(t->reserve(ends[0], 1, &span, &size));
        CHECK_OK(t->commit(ends[0], 1, NULL, 0, VIA_COMMIT_FLUSH));
        os_thread_join(thread);
        CHECK_HR(w.result, S_OK);
    }
    t->close(ends[0]);
    t->close(ends[1]);
    t->listener_close(listener);
    tear_down();
}

/* --- a peer that ends and leaves its socket to a child --- */

/* A process that connects, sends a byte, and leaves the socket to a child of its own, which stays
 * until `keep` is closed. Only async-signal-safe calls: this process has threads. */
static void heir_of_a_socket(int fd, int keep)
{
    char byte = 'x';
    if (write(fd, &byte, 1) == 1 && fork() == 0)
        while (read(keep, &byte, 1) > 0)
            ;
    _exit(0);
}

struct orphan {
    struct via_listener *listener;
    struct via_stream *stream; /* of this side */
    int keep;                  /* closed, the child ends */
};

/* The parent has ended by the time this returns. */
static bool make_orphan(struct orphan *self)
{
    int ends[2];
    if (!set_up() || !CHECK_OK(start(VIA_ACCESS_SAME_USER, &self->listener)) ||
        !CHECK_EQ(pipe(ends), 0))
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        heir_of_a_socket(raw_client(), ends[0]);
    }
    close(ends[0]);
    self->keep = ends[1];
    HRESULT hr;
    while ((hr = t->listener_accept(self->listener, &self->stream)) == VIA_S_WOULD_BLOCK)
        usleep(1000);
    return CHECK_EQ(waitpid(pid, NULL, 0), pid) && CHECK_OK(hr) &&
           CHECK_OK(t->set_ready(self->stream, count_report, NULL));
}

static void end_orphan(struct orphan *self)
{
    close(self->keep);
    t->close(self->stream);
    t->listener_close(self->listener);
    tear_down();
}

/* What was sent is read first; then comes the end, though the socket is open. */
static void check_last_byte_and_end(struct via_stream *stream)
{
    const uint8_t *span;
    size_t size;
    CHECK_OK(t->peek(stream, 1, &span, &size));
    CHECK_EQ(size, 1);
    t->consume(stream, 1);
    uint64_t deadline_ns = os_deadline_ms(5000);
    HRESULT hr;
    while ((hr = t->peek(stream, 1, &span, &size)) == VIA_S_WOULD_BLOCK &&
           CHECK_OK(t->wait(stream, deadline_ns)))
        ;
    CHECK_HR(hr, RPC_E_DISCONNECTED);
    CHECK_STR_HAS(message(hr), "process has ended");
}

TEST(sees_that_the_process_has_ended_though_a_child_keeps_the_socket)
{
    struct orphan orphan;
    REQUIRE(make_orphan(&orphan));
    uint64_t started_ns = os_now_ns();
    check_last_byte_and_end(orphan.stream);
    CHECK(os_now_ns() - started_ns < 1000000000u * harness_time_factor());
    end_orphan(&orphan);
}

TEST(reports_the_end_of_the_process_when_armed)
{
    struct orphan orphan;
    const uint8_t *span;
    size_t size;
    REQUIRE(make_orphan(&orphan));
    CHECK_OK(t->peek(orphan.stream, 1, &span, &size));
    t->consume(orphan.stream, 1);
    CHECK_HR(t->peek(orphan.stream, 1, &span, &size), VIA_S_WOULD_BLOCK);
    atomic_store(&n_reports, 0);
    CHECK_OK(t->arm(orphan.stream, VIA_READY_READ));
    for (int i = 0; i < 1000 && atomic_load(&n_reports) == 0; i++)
        usleep(1000);
    CHECK_EQ(atomic_load(&n_reports), 1);
    CHECK_HR(t->peek(orphan.stream, 1, &span, &size), RPC_E_DISCONNECTED);
    /* Armed again, the end is reported again. */
    CHECK_OK(t->arm(orphan.stream, VIA_READY_READ));
    for (int i = 0; i < 1000 && atomic_load(&n_reports) == 1; i++)
        usleep(1000);
    CHECK_EQ(atomic_load(&n_reports), 2);
    end_orphan(&orphan);
}

HARNESS_MAIN("unixsock", TEST_ENTRY(name_has_the_right_mode), TEST_ENTRY(nothing_is_left_behind),
             TEST_ENTRY(stale_socket_is_replaced), TEST_ENTRY(foreign_server_keeps_its_name),
             TEST_ENTRY(other_files_are_not_touched), TEST_ENTRY(paths_are_checked),
             TEST_ENTRY(client_is_turned_away_without_descriptors),
             TEST_ENTRY(flood_of_descriptors_ends_the_stream),
             TEST_ENTRY(thread_that_blocks_the_signal_is_interrupted),
             TEST_ENTRY(thread_that_blocks_the_signal_late_is_interrupted),
             TEST_ENTRY(handler_that_was_there_is_called),
             TEST_ENTRY(stray_signal_does_not_end_a_wait),
             TEST_ENTRY(wait_outlasts_its_first_timeouts),
             TEST_ENTRY(sees_that_the_process_has_ended_though_a_child_keeps_the_socket),
             TEST_ENTRY(reports_the_end_of_the_process_when_armed))
