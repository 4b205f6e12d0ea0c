/*
 * What the plugin `shm` promises beyond the contract of transports: streams by offer and attach,
 * clear errors at set-up, an end that is noticed, and no wake-up that is lost.
 */
#include "tests/shm/fixture.h"
#include "tests/shm/raw_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static HRESULT dial(struct shm_fixture *f, struct via_stream **stream)
{
    struct via_connect_options options = {sizeof options, 1, 0};
    return f->t->connect(f->path, &options, stream);
}

static bool join(struct shm_fixture *f, struct via_stream *ends[2])
{
    return CHECK_OK(dial(f, &ends[0])) && CHECK_OK(f->t->listener_accept(f->listener, &ends[1]));
}

/* --- offers --- */

static void close_offer(const struct via_offer *offer)
{
    for (uint32_t i = 0; i < offer->n_handles; i++)
        close((int)offer->handles[i]);
}

/* What a host does on the way: the handles get other numbers. */
static void carry_offer(const struct via_offer *from, struct via_offer *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->n_handles; i++)
        to->handles[i] = fcntl((int)from->handles[i], F_DUPFD_CLOEXEC, 3);
}

TEST(an_offer_is_a_stream_like_any_other)
{
    struct shm_fixture f;
    struct via_peer_identity self = {.size = sizeof self};
    struct via_peer_identity seen = {.size = sizeof seen};
    struct via_offer offer = {.size = sizeof offer};
    struct via_offer carried;
    struct via_stream *ends[2];
    const uint8_t *span;
    size_t size;
    REQUIRE(shm_set_up(&f));
    os_identity_self(&self);
    REQUIRE_OK(f.t->offer(&self, &offer, &ends[0]));
    CHECK(shm_put(f.t, ends[0], 'a', 100)); /* before anybody has attached */
    carry_offer(&offer, &carried);
    close_offer(&offer);
    REQUIRE_OK(f.t->attach(&self, &carried, &ends[1]));
    CHECK_OK(f.t->wait(ends[1], shm_deadline(5000)));
    REQUIRE_OK(f.t->peek(ends[1], 100, &span, &size));
    CHECK_EQ(span[99], 'a');
    f.t->consume(ends[1], 100);
    CHECK_OK(f.t->peer_identity(ends[1], &seen));
    CHECK_EQ(seen.pid, getpid());
    /* A handle, through the socket pair. */
    int pipe_ends[2];
    via_os_handle handle;
    uint8_t *room;
    REQUIRE_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    REQUIRE_OK(f.t->reserve(ends[1], 1, &room, &size));
    handle = pipe_ends[1];
    CHECK_OK(f.t->commit(ends[1], 1, &handle, 1, VIA_COMMIT_FLUSH));
    REQUIRE_OK(f.t->peek(ends[0], 1, &span, &size));
    REQUIRE_OK(f.t->take_handles(ends[0], &handle, 1));
    CHECK_EQ(write((int)handle, "x", 1), 1);
    close((int)handle);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    f.t->consume(ends[0], 1);
    f.t->close(ends[1]);
    CHECK_OK(f.t->wait(ends[0], shm_deadline(5000)));
    CHECK_HR(f.t->peek(ends[0], 1, &span, &size), RPC_E_DISCONNECTED);
    f.t->close(ends[0]);
    shm_tear_down(&f);
}

TEST(an_offer_of_somebody_else_is_refused)
{
    struct shm_fixture f;
    struct via_peer_identity self = {.size = sizeof self};
    struct via_offer offer = {.size = sizeof offer};
    struct via_stream *stream;
    struct via_stream *none;
    REQUIRE(shm_set_up(&f));
    os_identity_self(&self);
    REQUIRE_OK(f.t->offer(&self, &offer, &stream));
    self.pid++;
    CHECK_HR(f.t->attach(&self, &offer, &none), VIA_E_IDENTITY);
    f.t->close(stream);
    self.flags = 0;
    CHECK_HR(f.t->offer(&self, &offer, &stream), E_NOTIMPL);
    shm_tear_down(&f);
}

TEST(a_spoiled_offer_is_refused_whole)
{
    struct shm_fixture f;
    struct via_peer_identity self = {.size = sizeof self};
    struct via_stream *stream;
    struct via_stream *none;
    REQUIRE(shm_set_up(&f));
    os_identity_self(&self);
    for (int spoil = 0; spoil < 7; spoil++) {
        struct via_offer offer = {.size = sizeof offer};
        REQUIRE_OK(f.t->offer(&self, &offer, &stream));
        int replaced = spoil == 0 ? SETUP_MEMORY : spoil == 1 ? OFFER_CARRIER : -1;
        if (replaced >= 0) {
            close((int)offer.handles[replaced]);
            offer.handles[replaced] = open("/dev/null", O_RDWR | O_CLOEXEC);
        }
        if (spoil == 2)
            close((int)offer.handles[--offer.n_handles]);
        if (spoil == 3)
            offer.n_bytes--;
        if (spoil >= 4)
            offer.bytes[(spoil - 4) * 4] ^= 3; /* magic, version, capacity */
        CHECK_HR(f.t->attach(&self, &offer, &none), VIA_E_PROTOCOL);
        f.t->close(stream);
    }
    shm_tear_down(&f); /* and the harness finds what was not closed */
}

/* --- set-up --- */

TEST(no_memory_is_an_error_of_connecting)
{
    struct shm_fixture f;
    struct via_stream *stream;
    struct rlimit before;
    REQUIRE(shm_set_up(&f));
    /* The limit of a file's size counts for memory of this kind too. */
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit low = {65536, before.rlim_max};
    void (*action)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    CHECK_HR(dial(&f, &stream), VIA_E_LIMIT);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, action);
    char text[ERROR_TEXT_SIZE];
    CHECK_STR_HAS(error_format(error_get(), VIA_E_LIMIT, text, sizeof text), "shared memory");
    struct via_stream *server;
    CHECK_OK(f.t->listener_accept(f.listener, &server)); /* who did not get through */
    f.t->close(server);
    shm_tear_down(&f);
}

TEST(a_server_may_speak_before_the_setup)
{
    struct shm_fixture f;
    struct via_stream *server;
    const uint8_t *span;
    size_t size;
    _Atomic unsigned n_reports = 0;
    struct raw_peer peer;
    REQUIRE(shm_set_up(&f));
    REQUIRE(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY));
    REQUIRE(raw_connect(&peer, f.path));
    REQUIRE_OK(f.t->listener_accept(f.listener, &server));
    CHECK_OK(f.t->set_ready(server, shm_count, &n_reports));
    /* Its bytes wait, and so do waits. */
    uint8_t *room;
    REQUIRE_OK(f.t->reserve(server, 100, &room, &size));
    memset(room, 's', 100);
    CHECK_HR(f.t->commit(server, 100, NULL, 0, VIA_COMMIT_FLUSH), VIA_S_WOULD_BLOCK);
    CHECK_HR(f.t->peek(server, 1, &span, &size), VIA_S_WOULD_BLOCK);
    CHECK_EQ(size, 0);
    CHECK_HR(f.t->wait(server, os_now_ns() + 30000000), RPC_E_TIMEOUT);
    f.t->interrupt(server);
    CHECK_HR(f.t->wait(server, shm_deadline(5000)), VIA_S_INTERRUPTED);
    CHECK_OK(f.t->arm(server, VIA_READY_READ));
    struct setup setup = raw_peer_setup(&peer);
    int handles[SETUP_N_HANDLES] = {peer.memory, peer.events[0], peer.events[1]};
    memcpy(peer.base, "hello", 5);
    atomic_store(&peer.out->head, 5);
    CHECK(raw_send(peer.carrier, &setup, sizeof setup, handles, SETUP_N_HANDLES));
    uint64_t deadline = shm_deadline(5000);
    while (n_reports == 0 && os_now_ns() < deadline)
        os_sleep_ms(1);
    CHECK_EQ(n_reports, 1);
    CHECK_OK(f.t->peek(server, 5, &span, &size));
    CHECK_MEM_EQ(span, "hello", 5);
    CHECK_OK(f.t->commit(server, 0, NULL, 0, VIA_COMMIT_FLUSH));
    CHECK_EQ(atomic_load(&peer.in->head), 100);
    CHECK_EQ(peer.base[peer.capacity + 99], 's');
    f.t->close(server);
    raw_peer_deinit(&peer);
    shm_tear_down(&f);
}

/* --- the end --- */

struct victim {
    struct shm_fixture f;
    struct via_stream *server;
    pid_t pid;
    int keeper; /* the write end of a pipe that a grandchild holds open for as long as it lives */
};

/* A child connects, sends half of something, and is killed; a grandchild may keep its socket. */
static bool start_victim(struct victim *v, bool with_grandchild)
{
    struct raw_peer peer;
    int hold[2];
    if (!shm_set_up(&v->f) || !CHECK(raw_peer_init(&peer, SEGMENT_MIN_CAPACITY)) ||
        !CHECK_EQ(pipe2(hold, O_CLOEXEC), 0))
        return false;
    v->pid = fork();
    if (v->pid == 0) {
        char byte;
        struct setup setup = raw_peer_setup(&peer);
        int handles[SETUP_N_HANDLES] = {peer.memory, peer.events[0], peer.events[1]};
        close(hold[1]);
        if (raw_connect(&peer, v->f.path)) {
            atomic_store(&peer.out->head, 10);
            raw_send(peer.carrier, &setup, sizeof setup, handles, SETUP_N_HANDLES);
            if (with_grandchild && fork() == 0)
                _exit((int)read(hold[0], &byte, 1)); /* until the test is over */
        }
        read(hold[0], &byte, 1);
        _exit(1);
    }
    close(hold[0]);
    v->keeper = hold[1];
    raw_peer_deinit(&peer);
    uint64_t deadline = shm_deadline(10000);
    HRESULT hr;
    do
        hr = v->f.t->listener_accept(v->f.listener, &v->server);
    while (hr == VIA_S_WOULD_BLOCK && os_now_ns() < deadline);
    const uint8_t *span;
    size_t size = 0;
    return CHECK_OK(hr) && CHECK_OK(v->f.t->wait(v->server, shm_deadline(10000))) &&
           CHECK_HR(v->f.t->peek(v->server, 11, &span, &size), VIA_S_WOULD_BLOCK) &&
           CHECK_EQ(size, 10);
}

static void kill_peer(struct victim *v)
{
    kill(v->pid, SIGKILL);
    waitpid(v->pid, NULL, 0);
}

static void end_victim(struct victim *v)
{
    const uint8_t *span;
    size_t size;
    CHECK_HR(v->f.t->peek(v->server, 11, &span, &size), RPC_E_DISCONNECTED);
    CHECK_EQ(size, 10);
    v->f.t->close(v->server);
    close(v->keeper);
    shm_tear_down(&v->f);
}

struct waiting {
    struct victim *v;
    uint64_t deadline_ns;
    _Atomic bool entered;
    HRESULT result;
    uint64_t ended_ns;
};

static void wait_once(void *argument)
{
    struct waiting *w = argument;
    w->entered = true;
    w->result = w->v->f.t->wait(w->v->server, w->deadline_ns);
    w->ended_ns = os_now_ns();
    error_clear();
}

static void wait_for_the_end(bool with_grandchild, uint64_t deadline_ns)
{
    struct victim v;
    struct os_thread *thread;
    REQUIRE(start_victim(&v, with_grandchild));
    struct waiting w = {.v = &v, .deadline_ns = deadline_ns};
    REQUIRE_OK(os_thread_start(wait_once, &w, "waiting", &thread));
    while (!w.entered)
        os_sleep_ms(1);
    os_sleep_ms(700); /* sleeps are as long as they get */
    uint64_t killed_ns = os_now_ns();
    kill_peer(&v);
    os_thread_join(thread);
    CHECK_OK(w.result);
    CHECK(w.ended_ns < killed_ns + (uint64_t)1000000000 * harness_time_factor());
    end_victim(&v);
}

TEST(a_wait_ends_when_the_peer_is_killed)
{
    for (int with_grandchild = 0; with_grandchild < 2; with_grandchild++) {
        wait_for_the_end(with_grandchild, shm_deadline(15000));
        wait_for_the_end(with_grandchild, OS_NEVER);
    }
}

TEST(the_reactor_reports_that_the_peer_was_killed)
{
    for (int with_grandchild = 0; with_grandchild < 2; with_grandchild++) {
        struct victim v;
        _Atomic unsigned n_reports = 0;
        REQUIRE(start_victim(&v, with_grandchild));
        CHECK_OK(v.f.t->set_ready(v.server, shm_count, &n_reports));
        CHECK_OK(v.f.t->arm(v.server, VIA_READY_READ));
        os_sleep_ms(20);
        CHECK_EQ(n_reports, 0);
        kill_peer(&v);
        uint64_t deadline = shm_deadline(1000);
        while (n_reports == 0 && os_now_ns() < deadline)
            os_sleep_ms(1);
        CHECK_EQ(n_reports, 1);
        end_victim(&v);
    }
}

/* --- waking --- */

#define N_FLOW 100000u

/* Reads N_FLOW numbers, and sleeps between them in all the ways there are. */
struct flow {
    const struct via_transport *t;
    struct via_stream *from;
    struct via_stream *to;
    bool deadlines;
    _Atomic unsigned n_reports;
    _Atomic unsigned n_writable;
    _Atomic bool over;
    _Atomic unsigned n_read;
    HRESULT result;
};

static void on_writer_ready(void *token, uint32_t events)
{
    struct flow *flow = token;
    if (events & VIA_READY_WRITE)
        flow->n_writable++;
}

static void sleep_somehow(struct flow *flow, uint64_t *random)
{
    const struct via_transport *t = flow->t;
    unsigned before = flow->n_reports;
    switch (raw_random(random) % 4) {
    case 0: /* parked; a report of an earlier arm may still come */
        t->arm(flow->to, VIA_READY_READ);
        for (uint64_t end = shm_deadline(10000); flow->n_reports == before;) {
            if (os_now_ns() > end)
                flow->result = E_UNEXPECTED;
            if (FAILED(flow->result))
                break;
            os_thread_yield();
        }
        t->disarm(flow->to, VIA_READY_READ);
        break;
    case 1: /* parked, and thought better of it */
        t->arm(flow->to, VIA_READY_READ);
        t->disarm(flow->to, VIA_READY_READ);
        break;
    default: {
        HRESULT hr = t->wait(flow->to, flow->deadlines ? shm_deadline(10000) : OS_NEVER);
        if (FAILED(hr))
            flow->result = hr;
    }
    }
}

static void read_flow(void *argument)
{
    struct flow *flow = argument;
    uint64_t random = 3;
    size_t want = sizeof(uint32_t);
    while (flow->n_read < N_FLOW && SUCCEEDED(flow->result)) {
        const uint8_t *span;
        size_t size;
        uint32_t number = 0;
        HRESULT hr = flow->t->peek(flow->to, want, &span, &size);
        if (hr == VIA_S_WOULD_BLOCK) {
            sleep_somehow(flow, &random);
            continue;
        }
        if (hr == S_OK)
            memcpy(&number, span, sizeof number);
        if (FAILED(hr) || number != flow->n_read) {
            flow->result = FAILED(hr) ? hr : E_FAIL;
        } else if (size < sizeof number + number % 5000) {
            want = sizeof number + number % 5000;
        } else {
            flow->t->consume(flow->to, sizeof number + number % 5000);
            flow->n_read++;
            want = sizeof number;
        }
    }
    error_clear();
    flow->over = true;
}

static void interrupt_flow(void *argument)
{
    struct flow *flow = argument;
    while (!flow->over) {
        flow->t->interrupt(flow->to);
        os_sleep_ms(1);
    }
}

/* Until the reader has nothing left, and then to a moment in which it is about to sleep. */
static void let_it_starve(struct flow *flow, uint32_t number, unsigned moment)
{
    for (unsigned tries = 0; flow->n_read < number && !flow->over; tries++) {
        if (tries > 1000)
            os_thread_yield();
    }
    for (_Atomic unsigned i = 0; i < moment; i++)
        ;
}

/* Sends a number and what it says behind it; false: the reader has failed. */
static bool send_number(struct flow *flow, uint32_t number)
{
    uint8_t *span;
    size_t size;
    size_t n = sizeof number + number % 5000;
    HRESULT hr = flow->t->reserve(flow->from, n, &span, &size);
    if (hr == S_OK) {
        memcpy(span, &number, sizeof number);
        hr = flow->t->commit(flow->from, n, NULL, 0, VIA_COMMIT_FLUSH);
    } else {
        CHECK(false);
    }
    uint64_t end = shm_deadline(10000);
    while (hr == VIA_S_WOULD_BLOCK && !flow->over && os_now_ns() < end) {
        unsigned before = flow->n_writable;
        CHECK_OK(flow->t->arm(flow->from, VIA_READY_WRITE));
        while (flow->n_writable == before && !flow->over && os_now_ns() < end)
            os_thread_yield();
        hr = flow->t->commit(flow->from, 0, NULL, 0, VIA_COMMIT_FLUSH);
    }
    return hr == S_OK;
}

/* Interrupts would hide that a wake-up was lost, and so would deadlines; so there are flows
 * without. */
static void run_flow(struct shm_fixture *f, bool with_interrupts)
{
    struct via_stream *ends[2];
    struct os_thread *reader;
    struct os_thread *interrupter = NULL;
    uint64_t random = 17;
    REQUIRE(join(f, ends));
    struct flow flow = {.t = f->t, .from = ends[0], .to = ends[1], .deadlines = with_interrupts};
    CHECK_OK(f->t->set_ready(ends[0], on_writer_ready, &flow));
    CHECK_OK(f->t->set_ready(ends[1], shm_count, &flow.n_reports));
    REQUIRE_OK(os_thread_start(read_flow, &flow, "reader", &reader));
    if (with_interrupts)
        REQUIRE_OK(os_thread_start(interrupt_flow, &flow, "interrupter", &interrupter));
    for (uint32_t i = 0; i < N_FLOW && send_number(&flow, i); i++) {
        if (raw_random(&random) % 2 == 0)
            let_it_starve(&flow, i, raw_random(&random) % 100);
    }
    uint64_t deadline = shm_deadline(5000);
    while (!flow.over && os_now_ns() < deadline)
        os_sleep_ms(1);
    CHECK(flow.over);
    f->t->shutdown(ends[1]); /* the reader ends in any case */
    os_thread_join(reader);
    if (interrupter != NULL)
        os_thread_join(interrupter);
    CHECK_OK(flow.result);
    CHECK_EQ(flow.n_read, N_FLOW);
    f->t->close(ends[0]);
    f->t->close(ends[1]);
}

TEST(no_wakeup_is_lost)
{
    struct shm_fixture f;
    REQUIRE(shm_set_up(&f));
    run_flow(&f, false);
    run_flow(&f, true);
    shm_tear_down(&f);
}

HARNESS_MAIN("shm", TEST_ENTRY(an_offer_is_a_stream_like_any_other),
             TEST_ENTRY(an_offer_of_somebody_else_is_refused),
             TEST_ENTRY(a_spoiled_offer_is_refused_whole),
             TEST_ENTRY(no_memory_is_an_error_of_connecting),
             TEST_ENTRY(a_server_may_speak_before_the_setup),
             TEST_ENTRY(a_wait_ends_when_the_peer_is_killed),
             TEST_ENTRY(the_reactor_reports_that_the_peer_was_killed),
             TEST_ENTRY_LIMIT(no_wakeup_is_lost, 60000))
