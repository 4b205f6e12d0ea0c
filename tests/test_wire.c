/*
 * The wire: golden bytes of every kind of frame, and what malformed ones are answered with.
 */
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/block.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"
#include "core/wire/numbers.h"
#include "core/wire/records.h"
#include "core/wire/reference.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

static const struct wire_limits limits = {WIRE_MAX_FRAME, WIRE_MAX_MESSAGE, 16, 4};

/* One row for each kind: the bytes of its header with the smallest body. */
struct golden {
    uint8_t kind;
    const char *name;
    uint32_t body_size;
    bool reserved;
    uint8_t header[16]; /* size, kind, flags, extensions, references, handles, body */
};

#define HEADER(size, kind, body)                                      \
    {                                                                 \
        (size), 0, 0, 0, (kind), 0, 0, 0, 0, 0, 0, 0, (body), 0, 0, 0 \
    }

static const struct golden golden[] = {
    {1, "hello", 72, false, HEADER(104, 1, 72)},
    {2, "hello-answer", 72, false, HEADER(104, 2, 72)},
    {3, "call", 56, false, HEADER(88, 3, 56)},
    {4, "one-way", 56, false, HEADER(88, 4, 56)},
    {5, "reply", 8, false, HEADER(40, 5, 8)},
    {6, "error", 8, false, HEADER(40, 6, 8)},
    {7, "cancel", 8, false, HEADER(40, 7, 8)},
    {8, "finish", 0, false, HEADER(32, 8, 0)},
    {9, "release", 8, false, HEADER(40, 9, 8)},
    {10, "interface", 40, false, HEADER(72, 10, 40)},
    {11, "query-interface", 24, false, HEADER(56, 11, 24)},
    {12, "provide", 64, false, HEADER(96, 12, 64)},
    {13, "accept", 24, false, HEADER(56, 13, 24)},
    {14, "withdraw", 16, false, HEADER(48, 14, 16)},
    {15, "switch", 8, false, HEADER(40, 15, 8)},
    {16, "credit", 8, true, HEADER(40, 16, 8)},
    {17, "death-watch", 16, true, HEADER(48, 17, 16)},
    {18, "ping", 16, false, HEADER(48, 18, 16)},
    {19, "goodbye", 8, false, HEADER(40, 19, 8)},
    {20, "memory", 16, false, HEADER(48, 20, 16)},
    {21, "handles", 8, false, HEADER(40, 21, 8)},
    {22, "taken", 8, false, HEADER(40, 22, 8)},
};

TEST(writes_golden_headers)
{
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const struct golden *g = &golden[i];
        struct wire_header header = {
            .kind = g->kind, .body_size = g->body_size, .call_id = 0x1122334455667788u};
        uint8_t bytes[WIRE_HEADER_SIZE];
        static const uint8_t rest[16] = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
        header.size = (uint32_t)wire_frame_size(&header);
        wire_header_write(bytes, &header);
        CHECK_MEM_EQ(bytes, g->header, sizeof g->header);
        CHECK_MEM_EQ(bytes + 16, rest, sizeof rest);
        CHECK_STR_EQ(wire_kind_name(g->kind), g->name);
        CHECK_EQ(wire_body_size(g->kind), g->body_size);
        CHECK_EQ(wire_kind_is_reserved(g->kind), g->reserved);
        struct wire_header read;
        CHECK_OK(wire_header_read(bytes, &limits, &read));
        CHECK_EQ(read.kind, g->kind);
        CHECK_EQ(read.size, header.size);
        CHECK_EQ(read.call_id, header.call_id);
        if (g->body_size == 0)
            continue;
        bytes[0] = (uint8_t)(bytes[0] - 8);
        bytes[12] = (uint8_t)(bytes[12] - 8);
        CHECK_HR(wire_header_read(bytes, &limits, &read), VIA_E_PROTOCOL);
    }
    CHECK_FALSE(wire_kind_is_known(0));
    CHECK_FALSE(wire_kind_is_known(23));
    CHECK_FALSE(wire_kind_is_known(255));
    CHECK_EQ(wire_body_size(200), 0);
}

/* A reply with two references, an extension, and a payload of 5 bytes. */
static const uint8_t full_frame[] = {
    112, 0, 0, 0, 5, 0, 16, 0, 2,   0,   0,   0,   13,  0, 0, 0, /* size ... body_size */
    1,   0, 0, 0, 0, 0, 0,  0, 32,  0,   0,   0,   0,   0, 0, 0, /* call id, reference_size */
    9,   0, 8, 0, 0, 0, 0,  0, 1,   2,   3,   4,   5,   6, 7, 8, /* extension 9 of 8 bytes */
    16,  0, 1, 0, 0, 0, 0,  0, 42,  0,   0,   0,   0,   0, 0, 0, /* mine 42 */
    16,  0, 2, 0, 0, 0, 0,  0, 43,  0,   0,   0,   0,   0, 0, 0, /* yours 43 */
    0,   0, 0, 0, 0, 0, 0,  0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, /* code, payload, padding */
    0,   0, 0, 0, 0, 0, 0,  0, 0,   0,   0,   0,   0,   0, 0, 0,
};

static HRESULT read_frame(const uint8_t *bytes, struct wire_header *header,
                          struct wire_parts *parts)
{
    HRESULT hr = wire_header_read(bytes, &limits, header);
    return FAILED(hr) ? hr : wire_frame_split(bytes, header, parts);
}

TEST(splits_a_full_frame)
{
    uint8_t bytes[sizeof full_frame];
    struct wire_header header;
    struct wire_parts parts;
    memcpy(bytes, full_frame, sizeof bytes);
    bytes[0] = 96;
    REQUIRE_OK(read_frame(bytes, &header, &parts));
    CHECK_EQ(header.n_references, 2);
    CHECK_PTR_EQ(parts.references, bytes + 48);
    CHECK_PTR_EQ(parts.body, bytes + 80);
    CHECK_EQ(parts.body_size, 8);
    CHECK_EQ(parts.payload_size, 5);
    CHECK_MEM_EQ(parts.payload, "hello", 5);
    /* The same extension, but it has to be understood. */
    bytes[36] = 1;
    CHECK_HR(read_frame(bytes, &header, &parts), S_FALSE);
    bytes[36] = 0;
    /* It goes beyond its room. */
    bytes[34] = 9;
    CHECK_HR(read_frame(bytes, &header, &parts), VIA_E_PROTOCOL);
}

/* A reply that names handles 16 and 0x104 by number. */
static const uint8_t reply_with_numbers[64] = {
    [0] = 64,  [4] = 5,   [6] = 24, [12] = 8, [16] = 1, /* size, kind, extensions, body, id */
    [32] = 4,  [34] = 16, [36] = 1,                     /* of 16 bytes, to be understood */
    [40] = 16, [48] = 4,  [49] = 1,
};

TEST(reads_and_writes_numbers_of_handles)
{
    uint8_t bytes[sizeof reply_with_numbers];
    uint8_t extension[24];
    static const intptr_t handles[] = {16, 0x104};
    struct wire_header header;
    struct wire_parts parts;
    memcpy(bytes, reply_with_numbers, sizeof bytes);
    REQUIRE_OK(read_frame(bytes, &header, &parts));
    REQUIRE_EQ(parts.n_numbers, 2);
    CHECK_EQ(wire_number_read(parts.numbers, 0), 16);
    CHECK_EQ(wire_number_read(parts.numbers, 1), 0x104);
    CHECK_EQ(wire_numbers_size(0), 0);
    CHECK_EQ(wire_numbers_size(2), sizeof extension);
    memset(extension, 0xFF, sizeof extension);
    wire_numbers_write(extension, handles, 2);
    CHECK_MEM_EQ(extension, bytes + WIRE_HEADER_SIZE, sizeof extension);
    bytes[4] = WIRE_RELEASE; /* which has none */
    CHECK_HR(read_frame(bytes, &header, &parts), S_FALSE);
    bytes[4] = WIRE_REPLY;
    bytes[34] = 12;
    CHECK_HR(read_frame(bytes, &header, &parts), VIA_E_PROTOCOL);
    bytes[34] = 0;
    CHECK_HR(read_frame(bytes, &header, &parts), VIA_E_PROTOCOL);
    uint32_t n;
    CHECK_HR(wire_numbers_check(17 * sizeof(uint64_t), &n), VIA_E_PROTOCOL);
    CHECK_OK(wire_numbers_check(16 * sizeof(uint64_t), &n));
    CHECK_EQ(n, 16);
}

TEST(only_some_kinds_have_handles)
{
    static const uint8_t have[] = {WIRE_CALL,   WIRE_ONEWAY, WIRE_REPLY,
                                   WIRE_SWITCH, WIRE_MEMORY, 200 /* unknown */};
    for (unsigned kind = 1; kind <= 200; kind++) {
        struct wire_header header = {
            .kind = (uint8_t)kind, .n_handles = 1, .body_size = wire_body_size((uint8_t)kind)};
        uint8_t bytes[WIRE_HEADER_SIZE];
        header.size = (uint32_t)wire_frame_size(&header);
        wire_header_write(bytes, &header);
        bool is_good = !wire_kind_is_known((uint8_t)kind) || memchr(have, (int)kind, sizeof have);
        CHECK_HR(wire_header_read(bytes, &limits, &header), is_good ? S_OK : VIA_E_PROTOCOL);
    }
}

/* A call with two blocks beside its payload, which is empty. */
static const uint8_t call_with_blocks[144] = {
    [0] = 144, [4] = 3,   [6] = 56,  [12] = 56, [16] = 1, /* size, kind, extensions, body, id */
    [32] = 3,  [34] = 48, [36] = 1,                       /* extension 3, to be understood */
    [40] = 1,  [44] = 8,  [49] = 16, [57] = 32,           /* 8192 bytes at 4096 of arena 1 */
    [64] = 2,  [68] = 16, [72] = 64, [80] = 7,            /* 7 bytes at 64 of arena 2 */
};

TEST(carries_blocks)
{
    static const struct wire_block blocks[] = {{1, 8, 4096, 8192}, {2, 16, 64, 7}};
    uint8_t bytes[sizeof call_with_blocks];
    struct wire_header header;
    struct wire_parts parts;
    memcpy(bytes, call_with_blocks, sizeof bytes);
    CHECK_EQ(wire_blocks_size(2), 56);
    memset(bytes + 32, 0xEE, 56);
    wire_blocks_write(bytes + 32, blocks, 2);
    CHECK_MEM_EQ(bytes, call_with_blocks, sizeof bytes);
    REQUIRE_OK(read_frame(bytes, &header, &parts));
    REQUIRE_EQ(parts.n_blocks, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct wire_block block;
        wire_block_read(parts.blocks, i, &block);
        CHECK_MEM_EQ(&block, &blocks[i], sizeof block);
    }
    /* Not in a one-way call, whose end nobody is told of. */
    bytes[4] = 4;
    CHECK_HR(read_frame(bytes, &header, &parts), S_FALSE);
    CHECK_EQ(parts.n_blocks, 0);
    bytes[4] = 3;
    /* A part of a block, and none. */
    bytes[34] = 47;
    CHECK_HR(read_frame(bytes, &header, &parts), VIA_E_PROTOCOL);
    bytes[34] = 0;
    CHECK_HR(read_frame(bytes, &header, &parts), VIA_E_PROTOCOL);
}

TEST(refuses_two_lists_and_long_ones)
{
    uint8_t bytes[512] = {0};
    uint32_t n_blocks;
    struct wire_header header = {.kind = WIRE_CALL, .body_size = 56, .extension_size = 64};
    struct wire_parts parts;
    static const struct wire_block block = {1, 0, 0, 8};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(bytes, &header);
    wire_blocks_write(bytes + 32, &block, 1);
    wire_blocks_write(bytes + 64, &block, 1);
    CHECK_HR(read_frame(bytes, &header, &parts), S_FALSE);
    CHECK_OK(wire_blocks_check(WIRE_MAX_BLOCKS * sizeof block, &n_blocks));
    CHECK_EQ(n_blocks, WIRE_MAX_BLOCKS);
    CHECK_HR(wire_blocks_check((WIRE_MAX_BLOCKS + 1) * sizeof block, &n_blocks), VIA_E_PROTOCOL);
}

struct change {
    size_t at;
    uint8_t value;
    HRESULT result;
};

TEST(refuses_contradicting_headers)
{
    static const struct change changes[] = {
        {0, 97, VIA_E_PROTOCOL},   /* not a multiple of 8 */
        {0, 104, VIA_E_PROTOCOL},  /* more than the sum */
        {0, 24, VIA_E_PROTOCOL},   /* less than a header */
        {2, 255, VIA_E_LIMIT},     /* 16 MiB */
        {5, 8, VIA_E_PROTOCOL},    /* an unknown flag */
        {5, 4, VIA_E_PROTOCOL},    /* continued, with tables */
        {6, 12, VIA_E_PROTOCOL},   /* extensions not a multiple of 8 */
        {8, 17, VIA_E_LIMIT},      /* more references than we take */
        {8, 5, VIA_E_PROTOCOL},    /* more than there is room for */
        {10, 5, VIA_E_LIMIT},      /* more handles than we take */
        {15, 255, VIA_E_PROTOCOL}, /* a body of 4 GiB */
        {24, 36, VIA_E_PROTOCOL},  {27, 255, VIA_E_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t bytes[sizeof full_frame];
        struct wire_header header;
        struct wire_parts parts;
        memcpy(bytes, full_frame, sizeof bytes);
        bytes[0] = 96;
        bytes[changes[i].at] = changes[i].value;
        CHECK_HR(read_frame(bytes, &header, &parts), changes[i].result);
    }
}

TEST(checks_reference_tables)
{
    uint8_t third[88] = {88, 0, 3};
    third[68] = 2;  /* addresses */
    third[70] = 10; /* their bytes */
    memcpy(third + 72, "unix:a\0b:\0", 10);
    CHECK_OK(wire_references_check(third, sizeof third, 1));
    third[68] = 3;
    CHECK_HR(wire_references_check(third, sizeof third, 1), VIA_E_PROTOCOL);
    third[68] = 2;
    third[70] = 200;
    CHECK_HR(wire_references_check(third, sizeof third, 1), VIA_E_PROTOCOL);
    third[70] = 9; /* the last one has no end */
    CHECK_HR(wire_references_check(third, sizeof third, 1), VIA_E_PROTOCOL);
    third[70] = 10;
    third[72] = '\x1B'; /* it would reach logs and terminals */
    CHECK_HR(wire_references_check(third, sizeof third, 1), VIA_E_PROTOCOL);
    third[72] = 0x7F;
    CHECK_HR(wire_references_check(third, sizeof third, 1), VIA_E_PROTOCOL);
    uint8_t mine[16] = {16, 0, 1};
    CHECK_OK(wire_references_check(mine, sizeof mine, 1));
    CHECK_HR(wire_references_check(mine, sizeof mine, 2), VIA_E_PROTOCOL);
    CHECK_HR(wire_references_check(mine, sizeof mine, 0), VIA_E_PROTOCOL);
    CHECK_HR(wire_references_check(mine, 8, 1), VIA_E_PROTOCOL);
    mine[0] = 8; /* no room for the object's id */
    CHECK_HR(wire_references_check(mine, 8, 1), VIA_E_PROTOCOL);
    mine[0] = 0;
    CHECK_HR(wire_references_check(mine, sizeof mine, 1), VIA_E_PROTOCOL);
    mine[0] = 16;
    mine[2] = 4;
    CHECK_HR(wire_references_check(mine, sizeof mine, 1), VIA_E_PROTOCOL);
}

TEST(carries_error_records)
{
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    error_set(E_ACCESSDENIED, "inner");
    error_wrap(E_FAIL, "outer");
    error_set_source("test");
    wire_records_write(&buffer, error_get(), true);
    error_clear();
    static const uint8_t bytes[] = {
        0x05, 0x40, 0x00, 0x80, 4,    0,   0,    0,    5,   0,   0,   0, 0, 0,
        0,    0,    't',  'e',  's',  't', 'o',  'u',  't', 'e', 'r', 0, 0, 0,
        0,    0,    0,    0,    0x05, 0,   0x07, 0x80, 0,   0,   0,   0, 5, 0,
        0,    0,    0,    0,    0,    0,   'i',  'n',  'n', 'e', 'r', 0, 0, 0};
    CHECK_EQ(buffer.size, sizeof bytes);
    if (buffer.size == sizeof bytes)
        CHECK_MEM_EQ(buffer.data, bytes, sizeof bytes);
    struct error_record *record = wire_records_read(buffer.data, buffer.size);
    REQUIRE_NOT_NULL(record);
    CHECK_HR(record->code, E_FAIL);
    CHECK_STR_EQ(record->text, "outer");
    CHECK_STR_EQ(record->source, "test");
    if (CHECK_NOT_NULL(record->cause))
        CHECK_STR_EQ(record->cause->text, "inner");
    error_record_free(record);
    /* Cut off anywhere: no more than what was whole. */
    for (size_t size = 0; size < buffer.size; size++)
        error_record_free(wire_records_read(buffer.data, size));
    buffer_deinit(&buffer);
}

TEST(carries_help_to_peers_that_take_it)
{
    static const GUID iid = {0x04030201, 0x0605, 0x0807, {9, 10, 11, 12, 13, 14, 15, 16}};
    static const uint8_t bytes[] = {
        0x05, 0x40, 0,  0x80, 0,  0,   0,   0,   1,   0,   0,    0,   29,  0,   0,  0, /* sizes */
        'a',  77,   0,  0,    0,  1,   2,   3,   4,   5,   6,    7,   8,   9,   10, 11,
        12,   13,   14, 15,   16, 'a', '.', 'h', 'l', 'p', 0xFF, 'x', 'y', 'z', 0,  0};
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    error_set(E_FAIL, "a");
    error_set_help(&iid, "a.hlp\xFFxyz", 77);
    wire_records_write(&buffer, error_get(), true);
    CHECK_EQ(buffer.size, sizeof bytes);
    if (buffer.size == sizeof bytes)
        CHECK_MEM_EQ(buffer.data, bytes, sizeof bytes);
    struct error_record *record = wire_records_read(buffer.data, buffer.size);
    REQUIRE_NOT_NULL(record);
    if (CHECK_NOT_NULL(record->help)) {
        CHECK_EQ(record->help->context, 77);
        CHECK(IsEqualGUID(&record->help->iid, &iid));
        CHECK_STR_EQ(record->help->file, "a.hlp?xyz");
    }
    error_record_free(record);
    for (size_t size = 0; size < buffer.size; size++)
        error_record_free(wire_records_read(buffer.data, size));
    buffer_clear(&buffer);
    wire_records_write(&buffer, error_get(), false);
    CHECK_EQ(buffer.size, 24);
    error_clear();
    buffer_deinit(&buffer);
}

TEST(takes_no_help_that_is_not_there)
{
    uint8_t bytes[64] = {5, 0x40, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 47, 0, 0, 0, 'a'};
    struct error_record *record = wire_records_read(bytes, sizeof bytes);
    if (CHECK_NOT_NULL(record))
        CHECK_NOT_NULL(record->help);
    error_record_free(record);
    bytes[12] = 48; /* one more than are left */
    CHECK_NULL(wire_records_read(bytes, sizeof bytes));
    memset(bytes + 12, 0xFF, 4);
    CHECK_NULL(wire_records_read(bytes, sizeof bytes));
    memset(bytes + 12, 0, 4);
    bytes[12] = 19; /* too few: the error arrives without */
    record = wire_records_read(bytes, 40);
    if (CHECK_NOT_NULL(record))
        CHECK_NULL(record->help);
    error_record_free(record);
}

TEST(cleans_texts_of_peers)
{
    static const uint8_t bytes[] = {5, 0x40, 0, 0x80, 0,   0,  0,   0,    7,    0,    0,   0,
                                    0, 0,    0, 0,    'a', 27, 'b', 0xC3, 0xA9, 0xFF, 'c', 0};
    struct error_record *record = wire_records_read(bytes, sizeof bytes);
    REQUIRE_NOT_NULL(record);
    CHECK_STR_EQ(record->text, "a?b\xC3\xA9?c");
    error_record_free(record);
}

static void write_hello(struct buffer *buffer, struct wire_hello *hello)
{
    *hello = (struct wire_hello){.min_version = 1,
                                 .max_version = 1,
                                 .process_id = 77,
                                 .limits = {65536, 65536 * 2, 10, 5},
                                 .flags = WIRE_HELLO_WINDOWS,
                                 .agent = "test 1",
                                 .agent_size = 6,
                                 .n_addresses = 1,
                                 .addresses = "unix:/x",
                                 .addresses_size = 8};
    memset(hello->node, 0xAB, sizeof hello->node);
    buffer_init(buffer, 1024);
    wire_hello_write(buffer, hello);
}

TEST(carries_hello)
{
    struct buffer buffer;
    struct wire_hello hello;
    write_hello(&buffer, &hello);
    static const uint8_t start[24] = {0x56, 0x49, 0x41, 0x44, 1, 0, 1, 0};
    static const uint8_t rest[32] = {77, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 10, 0, 5, 0,
                                     1,  0, 0, 0, 6, 0, 1, 0, 8, 0, 0, 0, 0,  0, 0, 0};
    REQUIRE_EQ(buffer.size, 72 + 6 + 8);
    CHECK_MEM_EQ(buffer.data, start, sizeof start);
    CHECK_MEM_EQ(buffer.data + 24, hello.node, 16);
    CHECK_MEM_EQ(buffer.data + 40, rest, sizeof rest);
    struct wire_hello read;
    CHECK_OK(wire_hello_read(buffer.data, buffer.data + 72, buffer.size - 72, &read));
    CHECK_EQ(read.process_id, 77);
    CHECK_EQ(read.limits.max_message, 65536 * 2);
    CHECK_EQ(read.agent_size, 6);
    CHECK_STR_EQ(read.addresses, "unix:/x");
    CHECK_EQ(wire_hello_version(&read), 1);
    buffer_deinit(&buffer);
}

/* A call on result 1 of call 7, whose own results are kept. */
TEST(has_a_golden_call_on_a_result)
{
    static const uint8_t expected[56] = {
        1, 0,  0,  0,  1,  0,  0,  0,
        7, 0,  0,  0,  0,  0,  0,  0, /* target kind, result, call */
        3, 0,  0,  0,  9,  0,  2,  0,
        5, 0,  0,  0,  1,  0,  0,  0, /* interface, slot, depth, time, flags */
        1, 2,  3,  4,  5,  6,  7,  8,
        9, 10, 11, 12, 13, 14, 15, 16, /* chain */
        0, 0,  0,  0,  0,  0,  0,  0};
    struct wire_call_body body = {.target_kind = WIRE_TARGET_RESULT,
                                  .reference_index = 1,
                                  .object = 7,
                                  .interface_index = 3,
                                  .slot = 9,
                                  .flags = WIRE_CALL_KEEP};
    struct wire_call call = {.depth = 2, .remaining_ms = 5};
    for (uint8_t i = 0; i < 16; i++)
        call.chain[i] = (uint8_t)(i + 1);
    uint8_t bytes[56];
    memcpy(bytes, &body, sizeof bytes);
    wire_call_write(bytes, &call);
    CHECK_MEM_EQ(bytes, expected, sizeof expected);
    CHECK_EQ(WIRE_FEATURE_RESULT, 4);
    CHECK_EQ(WIRE_FEATURE_HANDLES, 8);
    CHECK_EQ(WIRE_FEATURE_HELP, 32);
}

TEST(refuses_what_does_not_fit)
{
    static const struct change changes[] = {
        {0, 0, VIA_E_PROTOCOL},           /* magic */
        {4, 2, RPC_E_VERSION_MISMATCH},   /* from version 2 on */
        {6, 0, RPC_E_VERSION_MISMATCH},   /* up to version 0 */
        {16, 16, RPC_E_VERSION_MISMATCH}, /* a required feature that nobody knows */
        {46, 0, VIA_E_LIMIT},             /* frames of 0 bytes */
        {50, 0, VIA_E_LIMIT},             /* messages smaller than frames */
        {60, 200, VIA_E_PROTOCOL},        /* the agent is cut off */
        {62, 2, VIA_E_PROTOCOL},          /* more addresses than there are */
        {64, 7, VIA_E_PROTOCOL},          /* the last one has no end */
        {67, 255, VIA_E_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct buffer buffer;
        struct wire_hello hello;
        write_hello(&buffer, &hello);
        buffer.data[changes[i].at] = changes[i].value;
        CHECK_HR(wire_hello_read(buffer.data, buffer.data + 72, buffer.size - 72, &hello),
                 changes[i].result);
        buffer_deinit(&buffer);
    }
    /* Optional features and newer versions are nothing to refuse. */
    struct buffer buffer;
    struct wire_hello hello;
    write_hello(&buffer, &hello);
    buffer.data[6] = 9;
    buffer.data[8] = 0xFF;
    CHECK_OK(wire_hello_read(buffer.data, buffer.data + 72, buffer.size - 72, &hello));
    CHECK_EQ(wire_hello_version(&hello), 1);
    buffer_deinit(&buffer);
}

TEST(carries_the_fields_of_a_call)
{
    uint8_t body[56] = {0};
    uint8_t expected[56] = {0};
    struct wire_call call = {.depth = 3, .remaining_ms = 0x01020304};
    memset(call.chain, 0xCD, sizeof call.chain);
    wire_call_write(body, &call);
    expected[22] = 3;
    memcpy(expected + 24, "\x04\x03\x02\x01", 4);
    memset(expected + 32, 0xCD, 16);
    CHECK_MEM_EQ(body, expected, sizeof body);
    struct wire_call read;
    wire_call_read(body, &read);
    CHECK_EQ(read.depth, 3);
    CHECK_EQ(read.remaining_ms, 0x01020304);
    CHECK_MEM_EQ(read.chain, call.chain, sizeof read.chain);
}

HARNESS_MAIN("wire", TEST_ENTRY(writes_golden_headers), TEST_ENTRY(splits_a_full_frame),
             TEST_ENTRY(reads_and_writes_numbers_of_handles),
             TEST_ENTRY(only_some_kinds_have_handles), TEST_ENTRY(carries_blocks),
             TEST_ENTRY(refuses_two_lists_and_long_ones), TEST_ENTRY(refuses_contradicting_headers),
             TEST_ENTRY(checks_reference_tables), TEST_ENTRY(carries_error_records),
             TEST_ENTRY(carries_help_to_peers_that_take_it),
             TEST_ENTRY(takes_no_help_that_is_not_there), TEST_ENTRY(cleans_texts_of_peers),
             TEST_ENTRY(carries_hello), TEST_ENTRY(has_a_golden_call_on_a_result),
             TEST_ENTRY(refuses_what_does_not_fit), TEST_ENTRY(carries_the_fields_of_a_call))
