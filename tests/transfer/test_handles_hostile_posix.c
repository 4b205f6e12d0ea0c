/*
 * OS handles from a peer that breaks the rules. First frames, written past core/link, whose
 * descriptors are fewer or more than they announce, or belong to a kind that has none. Then calls
 * by core/link alone on an object of another process: handles that are named twice or not at all,
 * and of other kinds than the description says. Whatever comes, not one descriptor is left of it.
 */
#include "core/wire/frame.h"
#include "core/wire/numbers.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "com/remote/frames.h"
#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/util/error.h"
#include "tests/transfer/fixture.h"

#define AT_SLOT      20
#define BODY_SIZE    56u
#define ROOM         4u /* handles of a frame that the server of these tests takes */
#define MOST_AT_ONCE 64u
/* Of ITransfer. */
#define SLOT_WRITE    5
#define SLOT_POST     7
#define SLOT_KEEP     9
#define SLOT_GET_KEPT 10
#define SLOT_SIGNAL   14
#define SLOT_JOIN     32

/* Of this process, or of another one. */
static int count_of(unsigned pid)
{
    char path[64];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%u/fd", pid);
    DIR *directory = opendir(path);
    while (directory != NULL && readdir(directory) != NULL)
        n++;
    if (directory != NULL)
        closedir(directory);
    return n;
}

/* What threads close comes a moment later; they may close what is their own, too. */
static void expect_of(unsigned pid, int expected)
{
    for (int i = 0; i < 500 && count_of(pid) > expected; i++)
        os_sleep_ms(10);
    CHECK(count_of(pid) <= expected);
}

static int count_descriptors(void)
{
    return count_of(os_process_id());
}

static void expect_descriptors(int expected)
{
    expect_of(os_process_id(), expected);
}

/* --- frames --- */

static bool open_pair(struct pair *pair, const char *scheme)
{
    struct link_settings settings;
    link_settings_default(&settings);
    settings.max_handles = ROOM;
    return pair_open(pair, scheme, &settings);
}

/* A frame that announces handles, and so many that are sent with it. */
static void send_frame(struct raw *raw, struct wire_header header, uint32_t n_sent)
{
    via_os_handle handles[MOST_AT_ONCE];
    uint8_t frame[256] = {0};
    uint16_t slot = METHOD_TAKE;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (uint32_t i = 0; i < MOST_AT_ONCE; i++)
        handles[i] = file;
    if (header.body_size == 0)
        header.body_size = wire_body_size(header.kind);
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    if (header.kind == WIRE_CALL) {
        struct wire_call call = {.depth = 1, .remaining_ms = WIRE_NO_LIMIT_MS};
        wire_call_write(frame + WIRE_HEADER_SIZE, &call);
        memcpy(frame + WIRE_HEADER_SIZE + AT_SLOT, &slot, sizeof slot);
    }
    raw_send_with(raw, frame, header.size, handles, n_sent);
    close(file);
}

static void expect_taken(struct raw *raw, uint32_t expected)
{
    char text[64] = "";
    uint32_t n = UINT32_MAX;
    CHECK_EQ(raw_receive(raw, text, sizeof text), WIRE_REPLY);
    memcpy(&n, text, sizeof n);
    CHECK_EQ(n, expected);
}

/* Announced handles that have not come end the connection, and those that have come are closed. */
static void announce_too_many(const char *scheme)
{
    static const uint16_t counts[][2] = {{1, 0}, {2, 1}, {ROOM, ROOM - 1}};
    struct pair pair;
    if (!open_pair(&pair, scheme))
        return;
    int before = count_descriptors();
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct raw raw;
        if (!raw_joined(&raw, &pair))
            continue;
        send_frame(&raw,
                   (struct wire_header){.kind = WIRE_CALL, .n_handles = counts[i][0], .call_id = 1},
                   counts[i][1]);
        raw_expect_end(&raw, &pair, "handles are expected");
        expect_descriptors(before);
    }
    pair_close(&pair);
}

TEST(ends_who_announces_what_does_not_come)
{
    announce_too_many("unix");
    announce_too_many("shm");
}

/* By the limit that this side's hello has named. */
TEST(ends_who_sends_more_than_is_taken)
{
    struct pair pair;
    struct raw raw;
    if (!open_pair(&pair, "unix"))
        return;
    int before = count_descriptors();
    if (raw_joined(&raw, &pair)) {
        send_frame(&raw,
                   (struct wire_header){.kind = WIRE_CALL, .n_handles = ROOM + 1, .call_id = 1},
                   ROOM + 1);
        raw_expect_end(&raw, &pair, "0 references and 5 handles; at most");
    }
    if (raw_joined(&raw, &pair)) {
        send_frame(&raw,
                   (struct wire_header){.kind = WIRE_CALL, .n_handles = UINT16_MAX, .call_id = 1},
                   0);
        raw_expect_end(&raw, &pair, "65535 handles");
    }
    expect_descriptors(before);
    pair_close(&pair);
}

/* They are the peer's loss: a later frame of its own may claim them, and its end closes them. */
static void send_unannounced(const char *scheme)
{
    struct pair pair;
    struct raw raw;
    if (!open_pair(&pair, scheme))
        return;
    int before = count_descriptors();
    if (raw_joined(&raw, &pair)) {
        send_frame(&raw, (struct wire_header){.kind = WIRE_CALL, .n_handles = 1, .call_id = 1}, 3);
        expect_taken(&raw, 1);
        send_frame(&raw, (struct wire_header){.kind = WIRE_CALL, .call_id = 2}, 2);
        expect_taken(&raw, 0);
        raw.transport->close(raw.stream);
    }
    expect_descriptors(before);
    pair_close(&pair);
}

TEST(keeps_no_handles_that_nobody_claims)
{
    send_unannounced("unix");
    send_unannounced("shm");
}

TEST(ends_who_sends_ever_more_that_nobody_claims)
{
    struct pair pair;
    struct raw raw;
    if (!open_pair(&pair, "unix"))
        return;
    int before = count_descriptors();
    if (raw_joined(&raw, &pair)) {
        for (uint64_t i = 1; i <= 10; i++)
            send_frame(&raw, (struct wire_header){.kind = WIRE_CALL, .call_id = i}, MOST_AT_ONCE);
        raw_expect_end(&raw, &pair, "handles that no frame claims");
    }
    expect_descriptors(before);
    pair_close(&pair);
}

TEST(ends_kinds_that_have_none)
{
    static const uint8_t kinds[] = {WIRE_ERROR,   WIRE_CANCEL,    WIRE_FINISH,
                                    WIRE_RELEASE, WIRE_INTERFACE, WIRE_QUERY_INTERFACE,
                                    WIRE_PROVIDE, WIRE_ACCEPT,    WIRE_WITHDRAW,
                                    WIRE_PING,    WIRE_GOODBYE,   WIRE_CREDIT};
    struct pair pair;
    struct raw raw;
    if (!open_pair(&pair, "unix"))
        return;
    int before = count_descriptors();
    for (size_t i = 0; i < sizeof kinds; i++) {
        char reason[64];
        snprintf(reason, sizeof reason, "kind %s has no handles", wire_kind_name(kinds[i]));
        if (!raw_joined(&raw, &pair))
            continue;
        send_frame(&raw, (struct wire_header){.kind = kinds[i], .n_handles = 1, .call_id = 1}, 1);
        raw_expect_end(&raw, &pair, reason);
    }
    if (raw_open(&raw, &pair)) {
        send_frame(&raw, (struct wire_header){.kind = WIRE_HELLO, .n_handles = 1}, 1);
        raw_expect_end(&raw, &pair, "kind hello has no handles");
    }
    if (raw_joined(&raw, &pair)) {
        send_frame(
            &raw,
            (struct wire_header){
                .kind = WIRE_CALL, .flags = WIRE_FLAG_CONTINUED, .n_handles = 1, .call_id = 1},
            1);
        raw_expect_end(&raw, &pair, "a continued frame of kind call has tables");
    }
    expect_descriptors(before);
    pair_close(&pair);
}

/* Closed at once, not when the connection ends. */
TEST(closes_what_came_with_refused_frames)
{
    struct pair pair;
    struct raw raw;
    char text[512];
    uint8_t body[16] = {0};
    if (!open_pair(&pair, "unix"))
        return;
    if (raw_joined(&raw, &pair)) {
        int before = count_descriptors();
        /* An unknown kind that may be skipped: what it means by its handles is not known either. */
        send_frame(&raw,
                   (struct wire_header){
                       .kind = 77, .flags = WIRE_FLAG_IGNORABLE, .n_handles = 2, .body_size = 8},
                   2);
        /* A call that nobody waits for any more, since it comes in parts whose last never does. */
        send_frame(&raw,
                   (struct wire_header){
                       .kind = WIRE_CALL, .flags = WIRE_FLAG_MORE, .n_handles = 2, .call_id = 9},
                   2);
        raw_frame(&raw, WIRE_PING, 0, 0, body, sizeof body);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_PING);
        expect_descriptors(before + 2); /* the parts' */
        send_frame(&raw, (struct wire_header){.kind = WIRE_REPLY, .n_handles = 2, .call_id = 99},
                   2);
        raw_expect_end(&raw, &pair, "was not made");
    }
    pair_close(&pair);
}

TEST(closes_what_came_with_half_a_frame)
{
    struct pair pair;
    struct raw raw;
    if (!open_pair(&pair, "unix"))
        return;
    int before = count_descriptors();
    for (int i = 0; i < 20; i++) {
        uint8_t frame[WIRE_HEADER_SIZE];
        struct wire_header header = {
            .kind = WIRE_CALL, .n_handles = 2, .call_id = 1, .body_size = BODY_SIZE};
        int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        const via_os_handle handles[2] = {file, file};
        if (raw_joined(&raw, &pair)) {
            header.size = (uint32_t)wire_frame_size(&header);
            wire_header_write(frame, &header);
            raw_send_with(&raw, frame, sizeof frame, handles, 2);
            raw.transport->close(raw.stream);
        }
        close(file);
    }
    expect_descriptors(before);
    pair_close(&pair);
}

/* By number, which only Windows programs say that they take. */
TEST(ends_who_names_handles_by_number)
{
    struct pair pair;
    struct raw raw;
    static const uint32_t taken[2] = {1, 0};
    if (!open_pair(&pair, "unix"))
        return;
    if (raw_joined(&raw, &pair)) {
        uint8_t frame[128] = {0};
        static const intptr_t numbers[] = {0, 1};
        struct wire_header header = {.kind = WIRE_CALL,
                                     .extension_size = (uint16_t)wire_numbers_size(2),
                                     .body_size = BODY_SIZE,
                                     .call_id = 1};
        header.size = (uint32_t)wire_frame_size(&header);
        wire_header_write(frame, &header);
        wire_numbers_write(frame + WIRE_HEADER_SIZE, numbers, 2);
        raw_send(&raw, frame, header.size);
        raw_expect_end(&raw, &pair, "by number, which hello has not announced");
    }
    if (raw_joined(&raw, &pair)) {
        raw_frame(&raw, WIRE_TAKEN, 0, 0, taken, sizeof taken);
        raw_expect_end(&raw, &pair, "of more messages than had any");
    }
    pair_close(&pair);
}

/* --- calls on an object --- */

static struct {
    struct pair pair;         /* of which the client calls the victim, too */
    struct peer_process peer; /* the victim: has an ITransfer */
    struct link_connection *connection;
    int file;
    int event;
} the;

static int count_victims(void)
{
    return count_of(peer_pid(&the.peer));
}

static void expect_victims(int expected)
{
    expect_of(peer_pid(&the.peer), expected);
}

static bool connect_victim(void)
{
    const char *const addresses[] = {the.peer.address, NULL};
    uint64_t until_ns = os_deadline_ms(10000 * harness_time_factor());
    HRESULT hr;
    do {
        hr = link_node_connect(the.pair.client.node, addresses, until_ns, &the.connection);
        if (FAILED(hr))
            os_sleep_ms(5);
    } while (FAILED(hr) && os_now_ns() < until_ns);
    return CHECK_OK(hr);
}

static bool begin(void)
{
    char address[256];
    uint8_t hash[TYPELIB_HASH_SIZE];
    uint16_t number = typelib_find_interface(&transfer_typelib, &IID_ITransfer);
    memset(&the, 0, sizeof the);
    the.file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    the.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fresh_address(address, sizeof address, "victim");
    return peer_launch_at(&the.peer, "transfer_peer", address, "victim") &&
           pair_open(&the.pair, "unix", NULL) && connect_victim() &&
           CHECK_OK(typelib_hash(&transfer_typelib, number, hash)) &&
           CHECK_OK(frame_post_interface(the.connection, 1, &IID_ITransfer, hash));
}

static void end(void)
{
    link_connection_unref(the.connection);
    if (the.pair.plugins != NULL)
        pair_close(&the.pair);
    peer_end(&the.peer);
    close(the.file);
    close(the.event);
    error_clear();
}

static HRESULT shoot(uint8_t kind, uint16_t slot, const uint32_t *payload, size_t n_words,
                     const via_os_handle *handles, uint16_t n_handles)
{
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, 0, 1, slot);
    struct link_request request = {.kind = kind,
                                   .n_handles = n_handles,
                                   .handles = handles,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload,
                                   .payload_size = n_words * sizeof *payload};
    struct link_message reply;
    if (kind == WIRE_ONEWAY)
        return link_post(the.connection, &request, os_deadline_ms(20000));
    HRESULT hr = link_call(the.connection, &request, os_deadline_ms(20000), &reply);
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

static void expect_refusal(HRESULT hr, const char *reason)
{
    char text[ERROR_TEXT_SIZE];
    CHECK_HR(hr, RPC_E_INVALID_DATA);
    CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), reason);
}

/* Handles count from 0; Write's text is NULL. */
TEST(refuses_indexes_that_are_wrong)
{
    if (begin()) {
        static const uint32_t first[] = {0, UINT32_MAX}, second[] = {1, UINT32_MAX},
                              far_away[] = {0xFFFFFFFE, UINT32_MAX}, none[] = {UINT32_MAX};
        const via_os_handle handles[] = {the.file, the.file};
        CHECK_OK(shoot(WIRE_CALL, SLOT_WRITE, first, 2, handles, 1));
        int before = count_victims();
        for (int i = 0; i < 10; i++) {
            expect_refusal(shoot(WIRE_CALL, SLOT_WRITE, second, 2, handles, 1),
                           "ITransfer.Write: argument file");
            expect_refusal(shoot(WIRE_CALL, SLOT_WRITE, far_away, 2, handles, 2),
                           "handle 4294967294, which did not come");
            expect_refusal(shoot(WIRE_CALL, SLOT_WRITE, first, 2, NULL, 0), "did not come");
            /* There are more than the method has arguments for. */
            expect_refusal(shoot(WIRE_CALL, SLOT_WRITE, first, 2, handles, 2),
                           "belongs to no argument");
            expect_refusal(shoot(WIRE_CALL, SLOT_KEEP, none, 1, handles, 1),
                           "belongs to no argument");
            expect_refusal(shoot(WIRE_CALL, SLOT_GET_KEPT, NULL, 0, handles, 1),
                           "belongs to no argument");
        }
        expect_victims(before);
        CHECK_OK(shoot(WIRE_CALL, SLOT_WRITE, first, 2, handles, 1));
    }
    end();
}

TEST(refuses_a_handle_that_is_named_twice)
{
    if (begin()) {
        static const uint32_t twice[] = {0, 0}, each[] = {1, 0};
        const via_os_handle handles[] = {the.file, the.file};
        int before = count_victims();
        for (int i = 0; i < 10; i++)
            expect_refusal(shoot(WIRE_CALL, SLOT_JOIN, twice, 2, handles, 2), "is named twice");
        CHECK_OK(shoot(WIRE_CALL, SLOT_JOIN, each, 2, handles, 2));
        expect_victims(before);
    }
    end();
}

TEST(refuses_other_kinds)
{
    if (begin()) {
        static const uint32_t first[] = {0, UINT32_MAX};
        const via_os_handle file[] = {the.file};
        const via_os_handle event[] = {the.event};
        CHECK_OK(shoot(WIRE_CALL, SLOT_SIGNAL, first, 1, event, 1));
        int before = count_victims();
        for (int i = 0; i < 10; i++) {
            expect_refusal(shoot(WIRE_CALL, SLOT_SIGNAL, first, 1, file, 1), "is no event");
            expect_refusal(shoot(WIRE_CALL, SLOT_WRITE, first, 2, event, 1), "is no file");
        }
        expect_victims(before);
    }
    end();
}

/* Nobody is told, and nothing is left. */
TEST(closes_what_a_refused_one_way_call_brings)
{
    if (begin()) {
        static const uint32_t first[] = {0, UINT32_MAX};
        const via_os_handle handles[] = {the.file, the.event};
        CHECK_OK(shoot(WIRE_CALL, SLOT_WRITE, first, 2, handles, 1));
        int before = count_victims();
        for (int i = 0; i < 50; i++) {
            CHECK_OK(shoot(WIRE_ONEWAY, SLOT_POST, first, 2, handles, 2));
            CHECK_OK(shoot(WIRE_ONEWAY, SLOT_POST, first, 2, handles + 1, 1));
            CHECK_OK(shoot(WIRE_ONEWAY, SLOT_SIGNAL, first, 1, handles, 1)); /* it is not one-way */
            CHECK_OK(shoot(WIRE_ONEWAY, UINT16_MAX, first, 1, handles, 2));
        }
        CHECK_OK(shoot(WIRE_CALL, SLOT_WRITE, first, 2, handles, 1));
        expect_victims(before);
    }
    end();
}

HARNESS_MAIN(
    "handles_hostile", TEST_ENTRY(ends_who_announces_what_does_not_come),
    TEST_ENTRY(ends_who_sends_more_than_is_taken), TEST_ENTRY(keeps_no_handles_that_nobody_claims),
    TEST_ENTRY(ends_who_sends_ever_more_that_nobody_claims), TEST_ENTRY(ends_kinds_that_have_none),
    TEST_ENTRY(closes_what_came_with_refused_frames),
    TEST_ENTRY(closes_what_came_with_half_a_frame), TEST_ENTRY(ends_who_names_handles_by_number),
    TEST_ENTRY(refuses_indexes_that_are_wrong), TEST_ENTRY(refuses_a_handle_that_is_named_twice),
    TEST_ENTRY(refuses_other_kinds), TEST_ENTRY(closes_what_a_refused_one_way_call_brings))
