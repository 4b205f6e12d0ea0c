/*
 * Shared memory by sections, as on Windows itself: set-ups that are wrong, a peer that writes
 * anything anywhere at any time, one that takes the signals of events away, and the end of one that
 * says no good-bye. Runs with VIADUCT_UNIX_CALLS=0.
 */
#include "tests/harness/harness.h"

#include "core/os/identity.h"
#include "core/os/unix_calls.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "plugins/shm/segment.h"
#include "tests/plugin_reactor.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* The first message; setup_section_windows.c. */
enum { MEMORY, MAKER_EVENT, MAKER_BELL, OTHER_EVENT, OTHER_BELL, N_HANDLES };
struct message {
    uint32_t magic;
    uint32_t version;
    uint32_t capacity;
    int32_t handles[N_HANDLES];
    uint64_t mark;
};

struct fixture {
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *t;
    struct via_listener *listener;
    char name[64];
};

static void do_nothing(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

static bool set_up(struct fixture *f)
{
    static unsigned n;
    char file[1200];
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 8, 0};
    snprintf(file, sizeof file, "%s\\viaduct-shm.dll", plugin_reactor_plugin_directory());
    snprintf(f->name, sizeof f->name, "section-%lu-%u", GetCurrentProcessId(), n++);
    return plugin_reactor_start(&f->reactor) &&
           CHECK_OK(plugin_set_new(f->reactor.poller, NULL, &f->set)) &&
           CHECK_OK(plugin_set_load(f->set, file)) &&
           CHECK_OK(plugin_set_find(f->set, "shm", &f->t)) &&
           CHECK_OK(f->t->listen(f->name, &options, do_nothing, NULL, &f->listener));
}

static void tear_down(struct fixture *f)
{
    f->t->listener_close(f->listener);
    plugin_set_free(f->set);
    plugin_reactor_stop(&f->reactor);
    error_clear();
}

static uint64_t deadline(unsigned ms)
{
    return os_now_ns() + (uint64_t)ms * 1000000 * harness_time_factor();
}

/* --- a peer that keeps no rule --- */

struct peer {
    HANDLE pipe;
    HANDLE handles[N_HANDLES];
    uint8_t *base; /* the whole segment, once */
    struct ring_control *controls;
    struct message message;
};

static HANDLE new_section(DWORD kind, uint64_t size)
{
    return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | kind, 0, (DWORD)size,
                              NULL);
}

static bool peer_open(struct peer *peer, const struct fixture *f)
{
    char path[128];
    snprintf(path, sizeof path, "\\\\.\\pipe\\%s.shm", f->name);
    uint32_t capacity = SEGMENT_MIN_CAPACITY;
    uint32_t size = 2 * capacity + SEGMENT_CONTROL_SIZE;
    peer->message =
        (struct message){.magic = 0x54434553u, .version = 1, .capacity = capacity, .mark = 77};
    peer->handles[MEMORY] = new_section(SEC_COMMIT, size);
    for (unsigned i = MAKER_EVENT; i < N_HANDLES; i++)
        peer->handles[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (unsigned i = 0; i < N_HANDLES; i++)
        peer->message.handles[i] = (int32_t)(intptr_t)peer->handles[i];
    peer->base = MapViewOfFile(peer->handles[MEMORY], FILE_MAP_WRITE, 0, 0, 0);
    peer->controls = (struct ring_control *)(void *)(peer->base + 2 * capacity);
    memcpy(peer->base + size - sizeof peer->message.mark, &peer->message.mark,
           sizeof peer->message.mark);
    peer->pipe = CreateFileA(path, GENERIC_READ | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING, 0, NULL);
    return CHECK(peer->pipe != INVALID_HANDLE_VALUE) && CHECK_NOT_NULL(peer->base);
}

static void peer_send(struct peer *peer, DWORD size)
{
    DWORD n;
    CHECK(WriteFile(peer->pipe, &peer->message, size, &n, NULL));
}

static void peer_close(struct peer *peer)
{
    CloseHandle(peer->pipe);
    UnmapViewOfFile(peer->base);
    for (unsigned i = 0; i < N_HANDLES; i++)
        CloseHandle(peer->handles[i]);
}

static struct via_stream *accept_one(struct fixture *f)
{
    struct via_stream *stream = NULL;
    uint64_t end = deadline(10000);
    HRESULT hr;
    while ((hr = f->t->listener_accept(f->listener, &stream)) == VIA_S_WOULD_BLOCK &&
           os_now_ns() < end)
        os_sleep_ms(1);
    if (!CHECK_OK(hr))
        return NULL;
    CHECK_OK(f->t->set_ready(stream, do_nothing, NULL));
    return stream;
}

/* --- set-ups --- */

struct wrong {
    const char *what;
    void (*spoil)(struct peer *peer);
    bool is_gone; /* it may as well have been right, and be closed by now */
};

/* Puts another thing in the place of a handle; the old one is closed. */
static void replace(struct peer *peer, unsigned which, HANDLE handle)
{
    CloseHandle(peer->handles[which]);
    peer->handles[which] = handle;
    peer->message.handles[which] = (int32_t)(intptr_t)handle;
}

static uint64_t size_of(const struct peer *peer)
{
    return 2 * (uint64_t)peer->message.capacity + SEGMENT_CONTROL_SIZE;
}

static void spoil_magic(struct peer *peer)
{
    peer->message.magic++;
}

static void spoil_version(struct peer *peer)
{
    peer->message.version++;
}

static void spoil_capacity(struct peer *peer)
{
    peer->message.capacity = SEGMENT_MIN_CAPACITY + 4096;
}

static void spoil_large_capacity(struct peer *peer)
{
    peer->message.capacity = 0x80000000u;
}

static void spoil_larger_capacity(struct peer *peer)
{
    peer->message.capacity *= 2; /* than the section has */
}

static void spoil_number(struct peer *peer)
{
    peer->message.handles[MEMORY] = 0x7ffffffc;
}

static void spoil_own_process(struct peer *peer)
{
    peer->message.handles[OTHER_BELL] = -1;
}

static void spoil_zero(struct peer *peer)
{
    peer->message.handles[MAKER_EVENT] = 0;
}

static void spoil_section(struct peer *peer)
{
    peer->message.handles[MEMORY] = peer->message.handles[MAKER_BELL];
}

static void spoil_event(struct peer *peer)
{
    peer->message.handles[MAKER_BELL] = peer->message.handles[MEMORY];
}

static void spoil_event_kind(struct peer *peer)
{
    replace(peer, OTHER_EVENT, CreateEventW(NULL, TRUE, FALSE, NULL));
}

static void spoil_size(struct peer *peer)
{
    replace(peer, MEMORY, new_section(SEC_COMMIT, size_of(peer) + 4096));
}

static void spoil_reserved(struct peer *peer)
{
    replace(peer, MEMORY, new_section(SEC_RESERVE, size_of(peer)));
}

static void spoil_file(struct peer *peer)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s\\memory", harness_temporary_directory());
    HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                              FILE_FLAG_DELETE_ON_CLOSE, NULL);
    replace(peer, MEMORY,
            CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, (DWORD)size_of(peer), NULL));
    CloseHandle(file);
}

static void spoil_access(struct peer *peer)
{
    HANDLE self = GetCurrentProcess();
    HANDLE lesser;
    CHECK(DuplicateHandle(self, peer->handles[MEMORY], self, &lesser,
                          SECTION_MAP_READ | SECTION_QUERY, FALSE, 0));
    replace(peer, MEMORY, lesser);
}

static void spoil_mark(struct peer *peer)
{
    peer->message.mark++;
}

static const struct wrong wrongs[] = {
    {"magic", spoil_magic, false},
    {"version", spoil_version, false},
    {"a capacity that is no power of two", spoil_capacity, false},
    {"a capacity that is too large", spoil_large_capacity, false},
    {"a capacity that is larger than the section", spoil_larger_capacity, false},
    {"a number without a handle", spoil_number, true},
    {"the number of a pseudo-handle", spoil_own_process, false},
    {"no handle", spoil_zero, false},
    {"an event for the section", spoil_section, false},
    {"the section for an event", spoil_event, false},
    {"an event that stays set", spoil_event_kind, false},
    {"a section of another size", spoil_size, false},
    {"a section that is not committed", spoil_reserved, false},
    {"a section of a file", spoil_file, false},
    {"another mark", spoil_mark, true},
};

static void expect_refusal(struct fixture *f, const char *what, HRESULT expected)
{
    const uint8_t *span;
    size_t size;
    struct via_stream *stream = accept_one(f);
    REQUIRE(stream != NULL);
    f->t->wait(stream, deadline(5000));
    HRESULT hr = f->t->peek(stream, 1, &span, &size);
    if (hr != expected)
        FAIL("%s: 0x%08lx", what, (unsigned long)hr);
    f->t->close(stream);
}

TEST(wrong_set_ups_are_refused)
{
    struct fixture f;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(set_up(&f));
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct peer peer;
        REQUIRE(peer_open(&peer, &f));
        wrongs[i].spoil(&peer);
        peer_send(&peer, sizeof peer.message);
        expect_refusal(&f, wrongs[i].what, wrongs[i].is_gone ? RPC_E_DISCONNECTED : VIA_E_PROTOCOL);
        peer_close(&peer);
    }
    struct peer peer;
    REQUIRE(peer_open(&peer, &f));
    peer_send(&peer, 7);
    expect_refusal(&f, "a part of a message", VIA_E_PROTOCOL);
    peer_close(&peer);
    tear_down(&f);
}

/* Whoever may only read the section cannot pass it on as one to write to. On Windows the access is
 * checked against the section's own list. */
TEST(a_section_that_is_read_only_is_refused_or_usable)
{
    struct fixture f;
    struct peer peer;
    const uint8_t *span;
    size_t size;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(set_up(&f));
    REQUIRE(peer_open(&peer, &f));
    spoil_access(&peer);
    peer_send(&peer, sizeof peer.message);
    struct via_stream *stream = accept_one(&f);
    REQUIRE(stream != NULL);
    f.t->wait(stream, deadline(100));
    HRESULT hr = f.t->peek(stream, 1, &span, &size);
    CHECK(hr == VIA_E_PROTOCOL || hr == VIA_E_LIMIT || hr == VIA_S_WOULD_BLOCK);
    f.t->close(stream);
    peer_close(&peer);
    tear_down(&f);
}

TEST(a_spoiled_offer_is_refused)
{
    struct fixture f;
    struct via_peer_identity self = {.size = sizeof self};
    struct via_stream *stream;
    struct via_stream *none;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(set_up(&f));
    os_identity_self(&self);
    for (unsigned i = 0; i < 4; i++) {
        struct via_offer offer = {.size = sizeof offer};
        struct via_peer_identity peer = self;
        REQUIRE_OK(f.t->offer(&self, &offer, &stream));
        CHECK_EQ(offer.n_handles, 0);
        if (i == 0)
            offer.bytes[0]++;
        else if (i == 1)
            offer.n_bytes--;
        else if (i == 2)
            f.t->close(stream); /* its handles have no meaning any more */
        else
            peer.pid = 0x7ffffffc;
        HRESULT hr = f.t->attach(&peer, &offer, &none);
        if (i != 2 || hr != RPC_E_DISCONNECTED) /* unless its numbers name others by now */
            CHECK_HR(hr, i == 3 ? VIA_E_IDENTITY : VIA_E_PROTOCOL);
        if (i != 2)
            f.t->close(stream);
    }
    self.flags = 0;
    struct via_offer offer = {.size = sizeof offer};
    CHECK_HR(f.t->offer(&self, &offer, &stream), E_NOTIMPL);
    tear_down(&f);
}

/* --- a peer that writes anything --- */

struct scribbler {
    struct peer *peer;
    _Atomic bool over;
};

static uint32_t random_of(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static void scribble(void *argument)
{
    struct scribbler *self = argument;
    struct peer *peer = self->peer;
    uint64_t random = 5;
    uint32_t size = (uint32_t)size_of(peer);
    while (!self->over) {
        uint32_t what = random_of(&random);
        switch (what % 8) {
        case 0: /* a plausible step of the ring that the victim reads */
            atomic_fetch_add(&peer->controls[0].head, what % 3000);
            break;
        case 1:
            atomic_fetch_add(&peer->controls[1].tail, what % 3000);
            break;
        case 2:
            atomic_store(&peer->controls[what % 2].reader_sleep, what % 5);
            break;
        case 3: /* a bell that is taken away, or rung */
            WaitForSingleObject(peer->handles[OTHER_BELL], 0);
            SetEvent(peer->handles[OTHER_EVENT]);
            break;
        case 4:
            memset((void *)&peer->controls[what / 8 % 2], (int)(what / 16), 64);
            break;
        default:
            memset(peer->base + what / 8 % (size - 64), (int)what, 64);
        }
    }
}

/* Uses the stream in every way for a while, or until it breaks. */
static void use(const struct via_transport *t, struct via_stream *stream, uint64_t end)
{
    HRESULT hr = S_OK;
    for (unsigned i = 0; SUCCEEDED(hr) && os_now_ns() < end; i++) {
        uint8_t *room;
        const uint8_t *span;
        size_t size;
        hr = t->reserve(stream, 100, &room, &size);
        if (hr == S_OK) {
            memset(room, 1, 100);
            hr = t->commit(stream, 100, NULL, 0, VIA_COMMIT_FLUSH);
        }
        if (SUCCEEDED(hr))
            hr = t->peek(stream, 1 + i % 2000, &span, &size);
        if (SUCCEEDED(hr) && size > 0) {
            volatile uint8_t sum = 0;
            for (size_t at = 0; at < size; at += 97)
                sum += span[at];
            t->consume(stream, 1 + i % size);
        }
        if (SUCCEEDED(hr) && i % 7 == 0)
            t->arm(stream, VIA_READY_READ | VIA_READY_WRITE);
        if (SUCCEEDED(hr) && i % 5 == 0) {
            uint64_t until = os_now_ns() + 2000000;
            t->wait(stream, until);
            CHECK(os_now_ns() < until + 1000000000u * harness_time_factor());
        }
    }
}

TEST(a_peer_that_writes_anything_does_no_harm)
{
    struct fixture f;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(set_up(&f));
    for (int i = 0; i < 30; i++) {
        struct peer peer;
        struct os_thread *thread;
        REQUIRE(peer_open(&peer, &f));
        peer_send(&peer, sizeof peer.message);
        struct via_stream *stream = accept_one(&f);
        REQUIRE(stream != NULL);
        struct scribbler scribbler = {&peer, false};
        REQUIRE_OK(os_thread_start(scribble, &scribbler, "scribbler", &thread));
        use(f.t, stream, os_now_ns() + 100000000u);
        f.t->interrupt(stream);
        f.t->shutdown(stream);
        scribbler.over = true;
        os_thread_join(thread);
        f.t->close(stream);
        peer_close(&peer);
        error_clear();
    }
    tear_down(&f);
}

/* --- the end --- */

TEST(the_end_of_the_pipe_is_the_end)
{
    struct fixture f;
    const uint8_t *span;
    size_t size;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(set_up(&f));
    for (int forever = 0; forever < 2; forever++) {
        struct peer peer;
        REQUIRE(peer_open(&peer, &f));
        peer_send(&peer, sizeof peer.message);
        struct via_stream *stream = accept_one(&f);
        REQUIRE(stream != NULL);
        CHECK_HR(f.t->peek(stream, 1, &span, &size), VIA_S_WOULD_BLOCK);
        peer_close(&peer); /* and the rings say nothing of it */
        CHECK_OK(f.t->wait(stream, forever ? UINT64_MAX : deadline(10000)));
        CHECK_HR(f.t->peek(stream, 1, &span, &size), RPC_E_DISCONNECTED);
        f.t->close(stream);
    }
    tear_down(&f);
}

/* --- what the host watches --- */

static void count(void *argument, uint32_t events)
{
    _Atomic unsigned *n = argument;
    CHECK(events == VIA_READY_READ);
    ++*n;
}

static bool reaches(_Atomic unsigned *n, unsigned wanted)
{
    uint64_t end = deadline(5000);
    while (*n < wanted && os_now_ns() < end)
        os_sleep_ms(1);
    return CHECK_EQ(*n, wanted);
}

TEST(the_reactor_watches_events)
{
    struct plugin_reactor reactor;
    struct os_watch *watch;
    _Atomic unsigned n = 0;
    if (os_unix_calls() != NULL)
        SKIP("the winelib module is used; VIADUCT_UNIX_CALLS=0 does without it");
    REQUIRE(plugin_reactor_start(&reactor));
    for (int stays = 0; stays < 2; stays++) {
        HANDLE event = CreateEventW(NULL, stays, FALSE, NULL);
        n = 0;
        REQUIRE_OK(os_watch_open(reactor.poller, (intptr_t)event, count, &n, &watch));
        SetEvent(event); /* nothing is armed yet */
        os_sleep_ms(20);
        CHECK_EQ(n, 0);
        for (unsigned i = 1; i <= 5; i++) {
            CHECK_OK(stays ? os_watch_arm(watch, VIA_READY_READ) : os_watch_arm_edges(watch));
            if (i > 1 && !stays)
                SetEvent(event);
            if (!reaches(&n, i))
                break;
        }
        os_watch_disarm(watch);
        SetEvent(event);
        os_sleep_ms(20);
        CHECK_EQ(n, 5);
        os_watch_close(watch);
        CloseHandle(event);
    }
    plugin_reactor_stop(&reactor);
}

HARNESS_MAIN("section", TEST_ENTRY(wrong_set_ups_are_refused),
             TEST_ENTRY(a_section_that_is_read_only_is_refused_or_usable),
             TEST_ENTRY(a_spoiled_offer_is_refused),
             TEST_ENTRY_LIMIT(a_peer_that_writes_anything_does_no_harm, 60000),
             TEST_ENTRY(the_end_of_the_pipe_is_the_end), TEST_ENTRY(the_reactor_watches_events))
