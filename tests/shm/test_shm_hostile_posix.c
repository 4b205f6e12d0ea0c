/*
 * Peers of the plugin `shm` that are hostile: set-ups that are none, and processes that write
 * anything anywhere into the memory, take its pages away and send noise, while the victim goes on.
 * The victim's operations end, in time, with results that make sense.
 */
#include "tests/shm/fixture.h"
#include "tests/shm/raw_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* --- bad set-ups --- */

struct bad_setup {
    struct setup message;
    size_t size;
    int handles[SETUP_N_HANDLES + 1];
    size_t n_handles;
};

typedef bool spoil_fn(struct bad_setup *bad, const struct raw_peer *peer);

static bool replace_memory(struct bad_setup *bad, int fd)
{
    bad->handles[SETUP_MEMORY] = fd;
    return fd >= 0;
}

static bool has_other_magic(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->message.magic++;
    return true;
}

static bool has_other_version(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->message.version = 77;
    return true;
}

static bool is_cut_off(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->size -= 4;
    return true;
}

static bool has_no_handles(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->n_handles = 0;
    return true;
}

static bool has_too_few_handles(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->n_handles--;
    return true;
}

static bool has_too_many_handles(struct bad_setup *bad, const struct raw_peer *peer)
{
    bad->handles[bad->n_handles++] = peer->events[0];
    return true;
}

static bool has_odd_capacity(struct bad_setup *bad, const struct raw_peer *peer)
{
    bad->message.capacity = 3 * SEGMENT_MIN_CAPACITY;
    (void)peer;
    return replace_memory(
        bad, raw_memory(6 * SEGMENT_MIN_CAPACITY + SEGMENT_CONTROL_SIZE, GOOD_SEALS, 0));
}

static bool has_no_capacity(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->message.capacity = 0;
    return true;
}

static bool has_huge_capacity(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    bad->message.capacity = 0x80000000u;
    return true;
}

static bool memory_is_too_short(struct bad_setup *bad, const struct raw_peer *peer)
{
    return replace_memory(bad, raw_memory(peer->size - 4096, GOOD_SEALS, 0));
}

static bool memory_is_too_long(struct bad_setup *bad, const struct raw_peer *peer)
{
    return replace_memory(bad, raw_memory(peer->size + 4096, GOOD_SEALS, 0));
}

static bool memory_can_shrink(struct bad_setup *bad, const struct raw_peer *peer)
{
    return replace_memory(bad, raw_memory(peer->size, F_SEAL_GROW | F_SEAL_SEAL, 0));
}

static bool memory_can_be_sealed_further(struct bad_setup *bad, const struct raw_peer *peer)
{
    return replace_memory(bad, raw_memory(peer->size, F_SEAL_GROW | F_SEAL_SHRINK, 0));
}

static bool memory_cannot_be_written(struct bad_setup *bad, const struct raw_peer *peer)
{
    return replace_memory(bad, raw_memory(peer->size, GOOD_SEALS | F_SEAL_WRITE, 0));
}

static bool memory_is_a_file(struct bad_setup *bad, const struct raw_peer *peer)
{
    int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return replace_memory(bad, fd) && ftruncate(fd, (off_t)peer->size) == 0;
}

static bool memory_is_a_socket(struct bad_setup *bad, const struct raw_peer *peer)
{
    (void)peer;
    return replace_memory(bad, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static bool memory_is_of_huge_pages(struct bad_setup *bad, const struct raw_peer *peer)
{
    int fd = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
    (void)peer;
    bad->message.capacity = SEGMENT_MAX_CAPACITY;
    return replace_memory(bad, fd) && ftruncate(fd, 4 * 2 * (off_t)(1 << 20)) == 0 &&
           fcntl(fd, F_ADD_SEALS, GOOD_SEALS) == 0;
}

static const struct {
    const char *name;
    spoil_fn *spoil;
} bad_setups[] = {
    {"other magic", has_other_magic},
    {"other version", has_other_version},
    {"cut off", is_cut_off},
    {"no handles", has_no_handles},
    {"too few handles", has_too_few_handles},
    {"too many handles", has_too_many_handles},
    {"odd capacity", has_odd_capacity},
    {"no capacity", has_no_capacity},
    {"huge capacity", has_huge_capacity},
    {"memory too short", memory_is_too_short},
    {"memory too long", memory_is_too_long},
    {"memory can shrink", memory_can_shrink},
    {"memory can be sealed further", memory_can_be_sealed_further},
    {"memory cannot be written", memory_cannot_be_written},
    {"a file for memory", memory_is_a_file},
    {"a socket for memory", memory_is_a_socket},
    {"huge pages for memory", memory_is_of_huge_pages},
};

static void try_bad_setup(struct shm_fixture *f, size_t index)
{
    struct raw_peer peer;
    struct via_stream *server;
    const uint8_t *span;
    size_t size;
    REQUIRE(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY));
    struct bad_setup bad = {raw_peer_setup(&peer),
                            sizeof bad.message,
                            {peer.memory, peer.events[0], peer.events[1]},
                            SETUP_N_HANDLES};
    if (!bad_setups[index].spoil(&bad, &peer)) {
        harness_note("%s: this system has no such thing", bad_setups[index].name);
        raw_peer_deinit(&peer);
        return;
    }
    CHECK(raw_connect(&peer, f->path));
    CHECK(raw_send(peer.carrier, &bad.message, bad.size, bad.handles, bad.n_handles));
    REQUIRE_OK(f->t->listener_accept(f->listener, &server));
    if (!CHECK_HR(f->t->peek(server, 1, &span, &size), VIA_E_PROTOCOL))
        harness_note("%s", bad_setups[index].name);
    CHECK_EQ(size, 0);
    CHECK_HR(f->t->peek(server, 1, &span, &size), VIA_E_PROTOCOL);
    uint8_t *room;
    CHECK_HR(f->t->reserve(server, 1, &room, &size), VIA_E_PROTOCOL);
    CHECK_OK(f->t->wait(server, shm_deadline(5000)));
    f->t->close(server);
    if (bad.handles[SETUP_MEMORY] != peer.memory)
        close(bad.handles[SETUP_MEMORY]);
    raw_peer_deinit(&peer);
}

TEST(bad_setups_are_refused)
{
    struct shm_fixture f;
    REQUIRE(shm_set_up(&f));
    for (size_t i = 0; i < sizeof bad_setups / sizeof bad_setups[0]; i++)
        try_bad_setup(&f, i);
    shm_tear_down(&f);
}

TEST(peers_that_never_set_up_hold_nobody)
{
    struct shm_fixture f;
    struct raw_peer peer;
    struct via_stream *server;
    const uint8_t *span;
    size_t size;
    REQUIRE(shm_set_up(&f));
    REQUIRE(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY));
    REQUIRE(raw_connect(&peer, f.path));
    REQUIRE_OK(f.t->listener_accept(f.listener, &server));
    uint64_t start = os_now_ns();
    CHECK_HR(f.t->wait(server, start + 50000000), RPC_E_TIMEOUT);
    CHECK(os_now_ns() - start >= 50000000);
    close(peer.carrier);
    peer.carrier = -1;
    CHECK_OK(f.t->wait(server, shm_deadline(5000)));
    CHECK_HR(f.t->peek(server, 1, &span, &size), RPC_E_DISCONNECTED);
    f.t->close(server);
    raw_peer_deinit(&peer);
    shm_tear_down(&f);
}

/* Events that are none are not used: the peer is woken, and wakes, over the carrier. */
TEST(events_that_could_block_are_not_touched)
{
    struct shm_fixture f;
    struct raw_peer peer;
    struct via_stream *server;
    _Atomic unsigned n_reports = 0;
    int ends[2];
    struct record record;
    REQUIRE(shm_set_up(&f));
    REQUIRE(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY));
    REQUIRE_EQ(pipe2(ends, O_CLOEXEC), 0);
    REQUIRE(raw_connect(&peer, f.path));
    struct setup setup = raw_peer_setup(&peer);
    int handles[SETUP_N_HANDLES] = {peer.memory, ends[1], ends[0]};
    CHECK(raw_send(peer.carrier, &setup, sizeof setup, handles, SETUP_N_HANDLES));
    REQUIRE_OK(f.t->listener_accept(f.listener, &server));
    CHECK_OK(f.t->set_ready(server, shm_count, &n_reports));
    CHECK_OK(f.t->arm(server, VIA_READY_READ));
    CHECK_EQ(atomic_load(&peer.out->reader_sleep), RING_CARRIER);
    atomic_store(&peer.out->head, 1);
    record = (struct record){RECORD_WAKE, 0, 0};
    CHECK(raw_send(peer.carrier, &record, sizeof record, NULL, 0));
    uint64_t deadline = shm_deadline(5000);
    while (n_reports == 0 && os_now_ns() < deadline)
        os_sleep_ms(1);
    CHECK_EQ(n_reports, 1);
    atomic_store(&peer.in->reader_sleep, RING_PARKED);
    shm_put(f.t, server, 'w', 10);
    CHECK_EQ(recv(peer.carrier, &record, sizeof record, MSG_DONTWAIT), sizeof record);
    CHECK_EQ(record.kind, RECORD_WAKE);
    f.t->close(server);
    close(ends[0]);
    close(ends[1]);
    raw_peer_deinit(&peer);
    shm_tear_down(&f);
}

/* --- noise --- */

/* Writes into the controls, so that some of it looks right. */
static void spoil_controls(struct raw_peer *peer, uint64_t *random)
{
    struct ring_control *control = raw_random(random) % 2 ? peer->in : peer->out;
    uint64_t head = atomic_load(&control->head);
    uint64_t value = raw_random(random) % 3
                         ? head + raw_random(random) % 5000
                         : (uint64_t)raw_random(random) << raw_random(random) % 33;
    switch (raw_random(random) % 8) {
    case 0:
        atomic_store(&control->head, value);
        break;
    case 1:
        atomic_store(&control->tail, value);
        break;
    case 2:
        atomic_store(&control->reader_closed, raw_random(random) % 64 == 0);
        break;
    case 3:
        atomic_store(&control->writer_sleep, raw_random(random) % 5);
        break;
    case 4:
    case 5:
        atomic_store(&control->reader_sleep, raw_random(random) % 5);
        break;
    default:
        break;
    }
}

/* What an honest peer does. */
static void go_on(struct raw_peer *peer, uint64_t *random)
{
    uint64_t head = atomic_load(&peer->out->tail) + raw_random(random) % 60000;
    if (head > atomic_load(&peer->out->head))
        atomic_store(&peer->out->head, head);
    atomic_store(&peer->in->tail, atomic_load(&peer->in->head));
}

static void send_noise(struct raw_peer *peer, uint64_t *random, bool violates)
{
    struct record record = {RECORD_WAKE, 0, 0};
    int handle = peer->events[0];
    size_t size = sizeof record;
    size_t n = 0;
    switch (violates ? raw_random(random) % 4096 : 4095) {
    case 0:
        record.kind = raw_random(random);
        break;
    case 1:
        size = 5;
        break;
    case 2:
        record = (struct record){RECORD_HANDLES, 1, raw_random(random)};
        n = raw_random(random) % 3 != 0;
        break;
    default:
        break;
    }
    raw_send(peer->carrier, &record, size, &handle, n);
}

/* In a child: only system calls and writes, until it is killed. */
static void make_noise(struct raw_peer *peer, const char *path, uint64_t random, bool violates)
{
    struct setup setup = raw_peer_setup(peer);
    int handles[SETUP_N_HANDLES] = {peer->memory, peer->events[0], peer->events[1]};
    if (!raw_connect(peer, path) ||
        !raw_send(peer->carrier, &setup, sizeof setup, handles, SETUP_N_HANDLES))
        _exit(1);
    for (;;) {
        switch (raw_random(&random) % 16) {
        case 0:
            raw_punch(peer, raw_random(&random) % (2 * peer->capacity) & ~4095u, 4096);
            break;
        case 1: /* without the controls all positions would be 0 */
            raw_punch(peer, 0, violates && random % 512 == 0 ? peer->size : 2 * peer->capacity);
            break;
        case 2:
            send_noise(peer, &random, violates);
            break;
        case 3: /* the event, in ways that are not ours */
            eventfd_write(peer->events[raw_random(&random) % 2], raw_random(&random));
            break;
        case 4:
            memset(peer->base + raw_random(&random) % (2 * peer->capacity - 4096), (int)random,
                   4096);
            break;
        default:
            if (violates && raw_random(&random) % 256 == 0)
                spoil_controls(peer, &random);
            else
                go_on(peer, &random);
        }
    }
}

/* What the victim does; FAILED: the stream is broken. */
static HRESULT use_stream(const struct via_transport *t, struct via_stream *stream,
                          uint64_t *random)
{
    static uint8_t bulk[100000];
    const uint8_t *span;
    uint8_t *room;
    size_t size = 0;
    size_t want = raw_random(random) % SHM_MAX_SPAN;
    via_os_handle handles[4];
    HRESULT hr = S_OK;
    switch (raw_random(random) % 8) {
    case 0:
        hr = t->reserve(stream, want, &room, &size);
        if (hr == S_OK && CHECK(size >= want)) {
            memset(room, 'v', size);
            hr = t->commit(stream, want, NULL, 0, VIA_COMMIT_FLUSH);
        }
        break;
    case 1:
        hr = t->read_into(stream, bulk, 1 + raw_random(random) % sizeof bulk, &size);
        CHECK(size <= sizeof bulk);
        break;
    case 2: {
        uint64_t start = os_now_ns();
        uint64_t limit = raw_random(random) % 3000000;
        hr = t->wait(stream, start + limit);
        CHECK(hr != RPC_E_TIMEOUT || os_now_ns() >= start + limit);
        CHECK(os_now_ns() < start + limit + 2000000000ull * harness_time_factor());
        return hr == RPC_E_TIMEOUT ? S_OK : hr;
    }
    case 3:
        if (t->take_handles(stream, handles, 1) == S_OK)
            close((int)handles[0]);
        break;
    case 4:
        hr = t->arm(stream, VIA_READY_READ | VIA_READY_WRITE);
        break;
    case 5:
        t->disarm(stream, VIA_READY_READ);
        break;
    default:
        hr = t->peek(stream, want, &span, &size);
        CHECK(hr != S_OK || size >= want);
        if (size > 0 && CHECK(size <= SEGMENT_MIN_CAPACITY)) {
            memcpy(bulk, span, size); /* all of it can be read */
            t->consume(stream, raw_random(random) % (size + 1));
        }
    }
    return hr;
}

static bool is_sensible(HRESULT hr)
{
    return CHECK(SUCCEEDED(hr) || hr == VIA_E_PROTOCOL || hr == VIA_E_LIMIT ||
                 hr == RPC_E_DISCONNECTED);
}

/* One peer; how many operations its victim came to. */
static unsigned survive(struct shm_fixture *f, uint64_t seed, bool violates, unsigned most)
{
    struct raw_peer peer;
    struct via_stream *server;
    _Atomic unsigned n_reports = 0;
    uint64_t random = seed;
    unsigned n = 0;
    HRESULT hr;
    if (!CHECK(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY)))
        return 0;
    pid_t pid = fork();
    if (pid == 0)
        make_noise(&peer, f->path, seed * 7, violates);
    uint64_t deadline = shm_deadline(10000);
    while ((hr = f->t->listener_accept(f->listener, &server)) == VIA_S_WOULD_BLOCK &&
           os_now_ns() < deadline)
        os_thread_yield();
    if (CHECK_OK(hr)) {
        CHECK_OK(f->t->set_ready(server, shm_count, &n_reports));
        while (n < most && SUCCEEDED(hr)) {
            hr = use_stream(f->t, server, &random);
            n += SUCCEEDED(hr);
        }
        is_sensible(hr);
        for (unsigned i = 0; i < 20; i++)
            is_sensible(use_stream(f->t, server, &random));
        f->t->close(server);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    raw_peer_deinit(&peer);
    return n;
}

TEST(noise_in_the_memory_breaks_one_stream_only)
{
    struct shm_fixture f;
    unsigned n = 0;
    REQUIRE(shm_set_up(&f));
    for (uint64_t seed = 1; seed <= 100; seed++)
        n += survive(&f, seed, true, 300);
    harness_note("%u operations", n);
    CHECK(n > 100);
    shm_tear_down(&f);
}

/* A peer that keeps to the positions, but takes the pages away all the time. */
TEST(pages_that_are_taken_away_come_back)
{
    struct shm_fixture f;
    unsigned n = 0;
    REQUIRE(shm_set_up(&f));
    for (uint64_t seed = 1; seed <= 5; seed++)
        n += survive(&f, seed, false, 1000);
    harness_note("%u operations", n);
    CHECK_EQ(n, 5000);
    shm_tear_down(&f);
}

/* A peer that is slow to look at its handles can hold up one who sends them, and nothing else. */
TEST(handles_that_nobody_takes_fill_the_carrier)
{
    struct shm_fixture f;
    struct via_connect_options options = {sizeof options, 1, 0};
    struct via_stream *ends[2];
    uint8_t *room;
    const uint8_t *span;
    size_t size;
    unsigned n = 0;
    HRESULT hr = S_OK;
    REQUIRE(shm_set_up(&f));
    REQUIRE_OK(f.t->connect(f.path, &options, &ends[0]));
    REQUIRE_OK(f.t->listener_accept(f.listener, &ends[1]));
    via_os_handle handle = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (; hr == S_OK && n < 5000; n++) {
        hr = f.t->reserve(ends[0], 4, &room, &size);
        if (hr == S_OK) {
            memset(room, 'h', 4);
            hr = f.t->commit(ends[0], 4, &handle, 1, VIA_COMMIT_FLUSH);
        }
    }
    CHECK_HR(hr, VIA_S_WOULD_BLOCK);
    /* Those who waited come in order, and each with its byte. */
    unsigned n_taken = 0;
    uint64_t deadline = shm_deadline(10000);
    while (n_taken < n && SUCCEEDED(hr) && os_now_ns() < deadline) {
        f.t->commit(ends[0], 0, NULL, 0, VIA_COMMIT_FLUSH);
        hr = f.t->peek(ends[1], 4, &span, &size);
        if (hr != S_OK)
            continue;
        via_os_handle taken;
        hr = f.t->take_handles(ends[1], &taken, 1);
        if (CHECK_OK(hr)) {
            close((int)taken);
            n_taken++;
        }
        f.t->consume(ends[1], 4);
    }
    CHECK_EQ(n_taken, n);
    close((int)handle);
    f.t->close(ends[0]);
    f.t->close(ends[1]);
    shm_tear_down(&f);
}

HARNESS_MAIN("shm_hostile", TEST_ENTRY(bad_setups_are_refused),
             TEST_ENTRY(peers_that_never_set_up_hold_nobody),
             TEST_ENTRY(events_that_could_block_are_not_touched),
             TEST_ENTRY_LIMIT(noise_in_the_memory_breaks_one_stream_only, 60000),
             TEST_ENTRY_LIMIT(pages_that_are_taken_away_come_back, 60000),
             TEST_ENTRY(handles_that_nobody_takes_fill_the_carrier))
