/*
 * A peer that lies about memory for arguments: arenas that are none, blocks that lie nowhere, and
 * bytes that change or vanish while they are read. Whatever comes, the node answers with a goodbye,
 * or with an error, and goes on serving others.
 */
#include "core/link/connection.h"
#include "core/link/memory.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"
#include "tests/link/fixture.h"
#include "tests/link/raw.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define UNIT      WIRE_ARENA_UNIT
#define AT_SLOT   20
#define SEAL_SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static bool join(struct raw *raw, struct pair *pair)
{
    char text[512];
    if (!raw_open(raw, pair))
        return false;
    raw_hello_with(raw, 1, NULL, WIRE_FEATURE_MEMORY);
    return CHECK_EQ(raw_receive(raw, text, sizeof text), WIRE_HELLO_ANSWER);
}

static int make_memory(size_t size, unsigned seals)
{
    int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (!CHECK(descriptor >= 0 && ftruncate(descriptor, (off_t)size) == 0 &&
               fcntl(descriptor, F_ADD_SEALS, seals) == 0))
        exit(1);
    return descriptor;
}

static void send_memory(struct raw *raw, uint32_t step, uint32_t arena, uint64_t size,
                        const via_os_handle *handles, uint16_t n_handles)
{
    struct wire_memory body = {step, arena, size};
    struct wire_header header = {
        .kind = WIRE_MEMORY, .n_handles = n_handles, .body_size = sizeof body};
    uint8_t frame[64] = {0};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    memcpy(frame + WIRE_HEADER_SIZE, &body, sizeof body);
    raw_send_with(raw, frame, header.size, handles, n_handles);
}

static void offer(struct raw *raw, uint32_t arena, uint64_t size, int descriptor)
{
    via_os_handle handle = descriptor;
    send_memory(raw, WIRE_MEMORY_OFFER, arena, size, &handle, 1);
    close(descriptor);
}

static void send_call(struct raw *raw, uint64_t id, const struct wire_block *blocks, uint32_t n,
                      bool in_place)
{
    struct wire_header header = {.kind = WIRE_CALL,
                                 .extension_size = (uint16_t)wire_blocks_size(n),
                                 .body_size = 56 + 8,
                                 .call_id = id};
    uint8_t frame[1024] = {0};
    uint16_t slot = METHOD_BLOCKS;
    struct wire_call call = {.depth = 1, .remaining_ms = WIRE_NO_LIMIT_MS};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    wire_blocks_write(frame + WIRE_HEADER_SIZE, blocks, n);
    uint8_t *body = frame + WIRE_HEADER_SIZE + header.extension_size;
    memset(call.chain, 7, sizeof call.chain);
    wire_call_write(body, &call);
    memcpy(body + AT_SLOT, &slot, sizeof slot);
    body[56] = in_place;
    raw_send(raw, frame, header.size);
}

TEST(refuses_memory_that_hello_has_not_announced)
{
    struct pair pair;
    struct raw raw;
    static const struct wire_block block = {1, 8, 0, 8};
    if (!pair_open(&pair, "unix", NULL))
        return;
    if (raw_joined(&raw, &pair)) {
        send_memory(&raw, WIRE_MEMORY_WITHDRAW, 1, 0, NULL, 0);
        raw_expect_end(&raw, &pair, "hello has not announced");
    }
    if (raw_joined(&raw, &pair)) {
        send_call(&raw, 1, &block, 1, true);
        raw_expect_end(&raw, &pair, "hello has not announced");
    }
    pair_close(&pair);
}

static void expect_refusal(struct pair *pair, uint32_t arena, uint64_t size, int descriptor,
                           const char *reason)
{
    struct raw raw;
    if (!join(&raw, pair))
        return;
    offer(&raw, arena, size, descriptor);
    raw_expect_end(&raw, pair, reason);
}

TEST(refuses_arenas_that_are_none)
{
    struct pair pair;
    struct raw raw;
    int ends[2];
    if (!pair_open(&pair, "unix", NULL))
        return;
    expect_refusal(&pair, 1, UNIT, make_memory(UNIT, 0), "not sealed");
    expect_refusal(&pair, 1, UNIT, make_memory(UNIT, F_SEAL_SHRINK), "not sealed");
    expect_refusal(&pair, 1, 2 * UNIT, make_memory(UNIT, SEAL_SIZE), "not the size");
    expect_refusal(&pair, 1, UNIT, make_memory(2 * UNIT, SEAL_SIZE), "not the size");
    expect_refusal(&pair, 1, UNIT, make_memory(UNIT, SEAL_SIZE | F_SEAL_WRITE), "not sealed");
    if (CHECK_EQ(pipe(ends), 0)) {
        close(ends[1]);
        expect_refusal(&pair, 1, UNIT, ends[0], "not sealed");
    }
    expect_refusal(&pair, 0, UNIT, make_memory(UNIT, SEAL_SIZE), "out of turn");
    expect_refusal(&pair, 1, 0, make_memory(UNIT, SEAL_SIZE), "out of turn");
    expect_refusal(&pair, 1, UNIT + 8, make_memory(UNIT + 8, SEAL_SIZE), "out of turn");
    expect_refusal(&pair, 1, UINT64_MAX - UNIT + 1, make_memory(UNIT, SEAL_SIZE), "out of turn");
    expect_refusal(&pair, 1, WIRE_MAX_ARENA_BYTES + UNIT, make_memory(UNIT, SEAL_SIZE),
                   "out of turn");
    if (join(&raw, &pair)) {
        send_memory(&raw, WIRE_MEMORY_OFFER, 1, UNIT, NULL, 0);
        raw_expect_end(&raw, &pair, "out of turn");
    }
    if (join(&raw, &pair)) {
        send_memory(&raw, WIRE_MEMORY_WITHDRAW, 1, 0, NULL, 0);
        raw_expect_end(&raw, &pair, "has not offered");
    }
    if (join(&raw, &pair)) {
        send_memory(&raw, 9, 1, 0, NULL, 0);
        raw_expect_end(&raw, &pair, "unknown step 9");
    }
    pair_close(&pair);
}

TEST(refuses_more_than_it_takes)
{
    struct pair pair;
    struct raw raw;
    if (!pair_open(&pair, "unix", NULL))
        return;
    if (join(&raw, &pair)) {
        offer(&raw, 1, UNIT, make_memory(UNIT, SEAL_SIZE));
        offer(&raw, 1, UNIT, make_memory(UNIT, SEAL_SIZE));
        raw_expect_end(&raw, &pair, "arena 1 of");
    }
    if (join(&raw, &pair)) {
        for (uint32_t i = 1; i <= WIRE_MAX_ARENAS + 1; i++)
            offer(&raw, i, UNIT, make_memory(UNIT, SEAL_SIZE));
        raw_expect_end(&raw, &pair, "arena 17 of");
    }
    if (join(&raw, &pair)) {
        offer(&raw, 1, WIRE_MAX_ARENA_BYTES, make_memory(WIRE_MAX_ARENA_BYTES, SEAL_SIZE));
        offer(&raw, 2, UNIT, make_memory(UNIT, SEAL_SIZE));
        raw_expect_end(&raw, &pair, "arena 2 of");
    }
    pair_close(&pair);
}

TEST(refuses_blocks_that_lie_nowhere)
{
    static const struct wire_block blocks[] = {
        {2, 8, 0, 8},                   /* an arena that is not there */
        {0, 8, 0, 8},                   /* one that cannot be */
        {1, 8, UNIT, 8},                /* behind its end */
        {1, 8, UNIT - 8, 9},            /* beyond it */
        {1, 8, 0, UNIT + 1},            /* too large */
        {1, 8, 0, 0},                   /* empty */
        {1, 8, UINT64_MAX, 8},          /* far away */
        {1, 8, 8, UINT64_MAX},          /* larger than everything */
        {1, 8, UINT64_MAX - 7, UNIT},   /* around the end of numbers */
        {UINT32_MAX, 8, 0, UINT64_MAX}, /* all at once */
    };
    struct pair pair;
    if (!pair_open(&pair, "unix", NULL))
        return;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct raw raw;
        if (!join(&raw, &pair))
            continue;
        const struct wire_block both[] = {{1, 8, 0, UNIT}, blocks[i]};
        offer(&raw, 1, UNIT, make_memory(UNIT, SEAL_SIZE));
        send_call(&raw, 1, both, 2, i % 2);
        raw_expect_end(&raw, &pair, "which are not there");
    }
    pair_close(&pair);
}

static atomic_bool scribbles;

struct scribbler {
    int descriptor;
    uint8_t *bytes;
    size_t size;
};

/* Writes, and takes pages away, as the honest side's own memory could not. */
static void scribble(void *argument)
{
    struct scribbler *self = argument;
    uint32_t x = 1;
    while (scribbles) {
        x = x * 1664525u + 1013904223u;
        self->bytes[x % self->size] = (uint8_t)(x >> 24);
        if (x % 64 == 0)
            fallocate(self->descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                      (off_t)self->size);
    }
}

TEST(survives_bytes_that_change_and_vanish)
{
    struct pair pair;
    struct raw raw;
    struct os_thread *thread;
    char text[64];
    if (!pair_open(&pair, "unix", NULL))
        return;
    struct scribbler scribbler = {make_memory(16 * UNIT, SEAL_SIZE), NULL, 16 * UNIT};
    scribbler.bytes =
        mmap(NULL, scribbler.size, PROT_READ | PROT_WRITE, MAP_SHARED, scribbler.descriptor, 0);
    REQUIRE(scribbler.bytes != MAP_FAILED);
    scribbles = true;
    CHECK_OK(os_thread_start(scribble, &scribbler, "scribbler", &thread));
    if (join(&raw, &pair)) {
        offer(&raw, 1, scribbler.size, dup(scribbler.descriptor));
        for (uint64_t i = 1; i <= 40; i++) {
            const struct wire_block block = {1, 8, 0, scribbler.size};
            send_call(&raw, i, &block, 1, i % 2);
            if (!CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_REPLY))
                break;
        }
        /* An arena that is withdrawn while a call reads it stays until that is over. */
        const struct wire_block block = {1, 8, 0, scribbler.size};
        send_call(&raw, 41, &block, 1, true);
        send_memory(&raw, WIRE_MEMORY_WITHDRAW, 1, 0, NULL, 0);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_REPLY);
        send_call(&raw, 42, &block, 1, true);
        raw_expect_end(&raw, &pair, "which are not there");
    }
    scribbles = false;
    os_thread_join(thread);
    munmap(scribbler.bytes, scribbler.size);
    close(scribbler.descriptor);
    pair_close(&pair);
}

/* One large block in many calls at once: copies of it have a limit. */
TEST(copies_have_a_limit)
{
    struct pair pair;
    struct raw raw;
    char text[512];
    if (!pair_open(&pair, "unix", NULL))
        return;
    if (join(&raw, &pair)) {
        struct wire_block blocks[WIRE_MAX_BLOCKS];
        size_t size = 17u << 18; /* of which sixteen are more than the limit */
        offer(&raw, 1, size, make_memory(size, SEAL_SIZE));
        for (uint32_t i = 0; i < WIRE_MAX_BLOCKS; i++)
            blocks[i] = (struct wire_block){1, 8, 0, size};
        send_call(&raw, 1, blocks, WIRE_MAX_BLOCKS, false);
        /* The method answers that it could not read all of them. */
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_REPLY);
        uint32_t sum = 0;
        memcpy(&sum, text + 4, sizeof sum);
        CHECK_EQ(sum, UINT32_MAX);
        send_call(&raw, 2, blocks, 4, false);
        CHECK_EQ(raw_receive(&raw, text, sizeof text), WIRE_REPLY);
        memcpy(&sum, text + 4, sizeof sum);
        CHECK_EQ(sum, 0);
        raw.transport->close(raw.stream);
    }
    pair_close(&pair);
}

HARNESS_MAIN("memory_hostile", TEST_ENTRY(refuses_memory_that_hello_has_not_announced),
             TEST_ENTRY(refuses_arenas_that_are_none), TEST_ENTRY(refuses_more_than_it_takes),
             TEST_ENTRY(refuses_blocks_that_lie_nowhere),
             TEST_ENTRY(survives_bytes_that_change_and_vanish), TEST_ENTRY(copies_have_a_limit))
