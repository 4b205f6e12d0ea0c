/* The frame decoder: what is accepted is written again and must be the same. */
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/block.h"
#include "core/wire/frame.h"
#include "core/wire/hello.h"
#include "core/wire/numbers.h"
#include "core/wire/records.h"
#include "core/wire/reference.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const struct wire_limits limits = {WIRE_MAX_FRAME, WIRE_MAX_MESSAGE, WIRE_MAX_REFERENCES,
                                          WIRE_MAX_HANDLES};

/* Texts of a hello are where they should be, and a hello that is written again can be read again.
 */
static void check_hello(const struct wire_parts *parts)
{
    struct wire_hello hello, again;
    struct buffer out;
    if (FAILED(wire_hello_read(parts->body, parts->payload, parts->payload_size, &hello)))
        return;
    buffer_init(&out, 1 << 20);
    wire_hello_write(&out, &hello);
    size_t fixed = wire_body_size(WIRE_HELLO);
    if (FAILED(buffer_result(&out)) || out.size < fixed ||
        FAILED(wire_hello_read(out.data, out.data + fixed, out.size - fixed, &again)) ||
        memcmp(hello.node, again.node, sizeof(hello.node)) ||
        hello.agent_size != again.agent_size || hello.n_addresses != again.n_addresses)
        fuzz_fail("a hello changes when it is written again");
    buffer_deinit(&out);
}

/* Reads every byte: nothing may lie outside. Volatile, so that no compiler leaves the reads out. */
static void touch(const uint8_t *bytes, size_t size)
{
    const volatile uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        (void)at[i];
}

static bool references_equal(const struct wire_reference *a, const struct wire_reference *b)
{
    if (a->kind != b->kind || a->object != b->object)
        return false;
    return a->kind != WIRE_REFERENCE_THIRD ||
           (memcmp(a->owner, b->owner, sizeof(a->owner)) == 0 &&
            memcmp(a->t1, b->t1, sizeof(a->t1)) == 0 && memcmp(a->t2, b->t2, sizeof(a->t2)) == 0 &&
            a->process_id == b->process_id && a->n_addresses == b->n_addresses &&
            a->addresses_size == b->addresses_size &&
            memcmp(a->addresses, b->addresses, a->addresses_size) == 0);
}

/* What is in frames, and in packets for other processes (com/remote/packet.h). */
static void check_references(const uint8_t *table, size_t size, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct wire_reference reference, again;
        uint8_t entry[WIRE_REFERENCE_MAX_ENTRY];
        const uint8_t *at = entry;
        if (FAILED(wire_reference_next(&table, &size, &reference)))
            fuzz_fail("a reference of a table that was good is not");
        size_t left = wire_reference_size(&reference);
        if (left > sizeof(entry))
            fuzz_fail("a reference is larger than any can be");
        wire_reference_write(entry, &reference);
        if (FAILED(wire_reference_next(&at, &left, &again)) || left != 0 ||
            !references_equal(&reference, &again))
            fuzz_fail("a reference changes when it is written again");
    }
    if (size != 0)
        fuzz_fail("a table of references has more than they say");
}

static bool texts_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool help_equal(const struct error_help *a, const struct error_help *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return memcmp(&a->iid, &b->iid, sizeof(a->iid)) == 0 && a->context == b->context &&
           texts_equal(a->file, b->file);
}

static bool records_equal(const struct error_record *a, const struct error_record *b)
{
    for (; a != NULL && b != NULL; a = a->cause, b = b->cause)
        if (a->code != b->code || !texts_equal(a->text, b->text) ||
            !texts_equal(a->source, b->source) || !help_equal(a->help, b->help))
            return false;
    return a == b;
}

/* What was read can be sent on, and arrives as it is. */
static void check_records(const struct wire_parts *parts)
{
    struct error_record *record = wire_records_read(parts->payload, parts->payload_size);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    wire_records_write(&out, record, true);
    struct error_record *again = wire_records_read(out.data, out.size);
    if (FAILED(out.result) || !records_equal(record, again))
        fuzz_fail("an error changes when it is written again");
    error_record_free(again);
    error_record_free(record);
    buffer_deinit(&out);
}

static void check_parts(const struct wire_header *header, const struct wire_parts *parts)
{
    check_references(parts->references, header->reference_size, header->n_references);
    touch(parts->body, parts->body_size + parts->payload_size);
    bool is_whole = !(header->flags & WIRE_FLAG_CONTINUED);
    if (is_whole && (header->kind == WIRE_HELLO || header->kind == WIRE_HELLO_ANSWER))
        check_hello(parts);
    if (is_whole && header->kind == WIRE_ERROR)
        check_records(parts);
    if (is_whole && header->kind == WIRE_CALL) {
        struct wire_call call;
        wire_call_read(parts->body, &call);
    }
    for (uint32_t i = 0; i < parts->n_blocks; i++) {
        struct wire_block block;
        wire_block_read(parts->blocks, i, &block);
        touch((const uint8_t *)&block, sizeof(block));
    }
    for (uint32_t i = 0; i < parts->n_numbers; i++)
        (void)wire_number_read(parts->numbers, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_header header, again;
    struct wire_parts parts;
    uint8_t bytes[WIRE_HEADER_SIZE];
    if (size >= WIRE_HEADER_SIZE && SUCCEEDED(wire_header_read(data, &limits, &header)) &&
        header.size <= size) {
        wire_header_write(bytes, &header);
        /* All but the reserved field, which is ignored. */
        if (FAILED(wire_header_read(bytes, &limits, &again)) || memcmp(bytes, data, 28) != 0)
            fuzz_fail("a header changes when it is written again");
        if (SUCCEEDED(wire_frame_split(data, &header, &parts))) {
            fuzz_accepted = true;
            check_parts(&header, &parts);
        }
    }
    error_clear();
    return 0;
}

/* --- the corpus --- */

static void write_frame(const char *directory, uint8_t kind, const uint8_t *references,
                        uint32_t reference_size, uint16_t n_references, const void *body,
                        size_t body_size)
{
    struct wire_header header = {.kind = kind,
                                 .n_references = n_references,
                                 .reference_size = reference_size,
                                 .body_size = (uint32_t)body_size,
                                 .call_id = 1};
    uint8_t frame[1024] = {0};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    if (reference_size)
        memcpy(frame + WIRE_HEADER_SIZE, references, reference_size);
    memcpy(frame + WIRE_HEADER_SIZE + reference_size, body, body_size);
    fuzz_write_file(directory, wire_kind_name(kind), frame, header.size);
}

static void write_call_with_blocks(const char *directory)
{
    static const struct wire_block blocks[] = {{1, 8, 0, 4096}, {2, 16, 65536, 7}};
    struct wire_header header = {.kind = WIRE_CALL,
                                 .extension_size = (uint16_t)wire_blocks_size(2),
                                 .body_size = wire_body_size(WIRE_CALL),
                                 .call_id = 1};
    uint8_t frame[1024] = {0};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    wire_blocks_write(frame + WIRE_HEADER_SIZE, blocks, 2);
    fuzz_write_file(directory, "blocks", frame, header.size);
}

static void write_reply_with_numbers(const char *directory)
{
    static const intptr_t numbers[] = {16, 260, 4};
    struct wire_header header = {.kind = WIRE_REPLY,
                                 .extension_size = (uint16_t)wire_numbers_size(3),
                                 .body_size = wire_body_size(WIRE_REPLY),
                                 .call_id = 1};
    uint8_t frame[256] = {0};
    header.size = (uint32_t)wire_frame_size(&header);
    wire_header_write(frame, &header);
    wire_numbers_write(frame + WIRE_HEADER_SIZE, numbers, 3);
    fuzz_write_file(directory, "numbers", frame, header.size);
}

/* One of each kind of reference; the third party's has two addresses. */
static uint32_t make_references(uint8_t table[256])
{
    static const char addresses[] = "unix:/a\0pipe:b";
    memset(table, 0, 256);
    table[0] = 8;
    table[8] = 16;
    table[10] = 1;
    table[24] = 16;
    table[26] = 2;
    uint8_t *third = table + 40;
    third[0] = 88;
    third[2] = 3;
    third[68] = 2;
    third[70] = sizeof(addresses);
    memcpy(third + 72, addresses, sizeof(addresses));
    return 128;
}

void fuzz_write_corpus(const char *directory)
{
    uint8_t body[256] = {0};
    uint8_t table[256];
    struct buffer out;
    struct wire_hello hello = {.min_version = 1,
                               .max_version = 1,
                               .limits = limits,
                               .agent = "fuzz",
                               .agent_size = 4,
                               .n_addresses = 1,
                               .addresses = "unix:/x",
                               .addresses_size = 8};
    uint32_t table_size = make_references(table);
    for (uint8_t kind = WIRE_CALL; kind <= WIRE_TAKEN; kind++) {
        bool has_table = kind == WIRE_CALL || kind == WIRE_REPLY || kind == WIRE_ONEWAY;
        write_frame(directory, kind, table, has_table ? table_size : 0, has_table ? 4 : 0, body,
                    wire_body_size(kind) + 16);
    }
    write_call_with_blocks(directory);
    write_reply_with_numbers(directory);
    buffer_init(&out, 1 << 16);
    wire_hello_write(&out, &hello);
    write_frame(directory, WIRE_HELLO, NULL, 0, 0, out.data, out.size);
    write_frame(directory, WIRE_HELLO_ANSWER, NULL, 0, 0, out.data, out.size);
    buffer_clear(&out);
    buffer_append(&out, body, 8);
    error_set(E_FAIL, "inner");
    error_set_source("source");
    error_wrap(E_ABORT, "outer");
    error_set_help(&(GUID){1, 2, 3, {4}}, "help", 2);
    wire_records_write(&out, error_get(), true);
    write_frame(directory, WIRE_ERROR, NULL, 0, 0, out.data, out.size);
    buffer_deinit(&out);
    error_clear();
}
