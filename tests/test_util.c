/* core/util: errors, buffers, maps, lists, reference counts and the log. */
#include "core/util/buffer.h"
#include "core/util/chacha.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/list.h"
#include "core/util/log.h"
#include "core/util/map.h"
#include "core/util/ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "tests/harness/harness.h"

TEST(error_keeps_code_text_and_cause)
{
    char text[200];
    CHECK_HR(error_set(E_ACCESSDENIED, "file %s", "a"), E_ACCESSDENIED);
    CHECK_HR(error_wrap(E_FAIL, "cannot start"), E_FAIL);
    error_set_source("tester");
    const struct error_record *record = error_get();
    REQUIRE_NOT_NULL(record);
    CHECK_HR(record->code, E_FAIL);
    CHECK_STR_EQ(record->source, "tester");
    REQUIRE_NOT_NULL(record->cause);
    CHECK_HR(record->cause->code, E_ACCESSDENIED);
    CHECK_STR_EQ(error_format(record, E_FAIL, text, sizeof(text)), "cannot start: file a");
    CHECK_STR_EQ(error_format(record, E_FAIL, text, 8), "cannot ");
    error_clear();
    CHECK_NULL(error_get());
    CHECK_STR_EQ(error_format(NULL, E_FAIL, text, sizeof(text)), "E_FAIL (0x80004005)");
    CHECK_STR_EQ(error_format(NULL, (HRESULT)0x81234567, text, sizeof(text)), "error 0x81234567");
}

TEST(error_keeps_where_help_is)
{
    static const GUID iid = {1, 2, 3, {4}};
    error_set_help(&iid, "x", 1); /* of no error */
    error_set(E_FAIL, "failed");
    CHECK_NULL(error_get()->help);
    error_set_help(&iid, "first.hlp", 1);
    error_set_help(&iid, "lab.hlp", 77);
    error_wrap(E_FAIL, "more");
    CHECK_NULL(error_get()->help);
    struct error_record *copy = error_record_copy(error_get());
    error_clear();
    REQUIRE_NOT_NULL(copy);
    const struct error_help *help = copy->cause != NULL ? copy->cause->help : NULL;
    if (CHECK_NOT_NULL(help)) {
        CHECK_STR_EQ(help->file, "lab.hlp");
        CHECK_EQ(help->context, 77);
        CHECK(IsEqualGUID(&help->iid, &iid));
    }
    error_record_free(copy);
}

TEST(error_text_is_cut_at_a_character)
{
    char long_text[3 * ERROR_TEXT_SIZE + 1];
    for (size_t i = 0; i < sizeof(long_text) - 1; i += 3)
        memcpy(long_text + i, "\xE2\x82\xAC", 3); /* the euro sign */
    long_text[sizeof(long_text) - 1] = 0;
    for (size_t shift = 0; shift < 3; shift++) {
        error_set(E_FAIL, "%.*s%s", (int)shift, "ab", long_text);
        size_t size = strlen(error_get()->text);
        size_t letters = shift < 2 ? shift : 2;
        CHECK(size < ERROR_TEXT_SIZE && size > ERROR_TEXT_SIZE - 4);
        CHECK_EQ((size - letters) % 3, 0);
    }
    error_clear();
}

static void set_error_there(void *argument)
{
    struct error_record **carried = argument;
    CHECK_NULL(error_get());
    error_set(E_ABORT, "from the other thread");
    *carried = error_take();
    CHECK_NULL(error_get());
    error_set(E_FAIL, "freed with its thread");
}

TEST(error_belongs_to_its_thread_and_can_be_carried)
{
    struct error_record *carried = NULL;
    struct os_thread *thread;
    error_set(E_FAIL, "here");
    REQUIRE_OK(os_thread_start(set_error_there, &carried, "error", &thread));
    os_thread_join(thread);
    CHECK_STR_EQ(error_get()->text, "here");
    REQUIRE_NOT_NULL(carried);
    struct error_record *copy = error_record_copy(carried);
    error_give(carried);
    CHECK_STR_EQ(error_get()->text, "from the other thread");
    error_clear();
    REQUIRE_NOT_NULL(copy);
    CHECK_STR_EQ(copy->text, "from the other thread");
    error_record_free(copy);
}

TEST(error_without_memory_keeps_the_code)
{
    for (size_t n = 0;; n++) {
        harness_fail_allocation(n);
        CHECK_HR(error_set(E_ACCESSDENIED, "text"), E_ACCESSDENIED);
        error_set_help(&(GUID){1, 2, 3, {4}}, "help", 1);
        CHECK_HR(error_wrap(E_FAIL, "more"), E_FAIL);
        if (!harness_allocation_failed())
            break;
        error_clear();
    }
    error_clear();
}

TEST(buffer_grows_aligns_and_prints)
{
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    for (unsigned i = 0; i < 1000; i++)
        buffer_append(&buffer, &i, sizeof(i));
    buffer_append(&buffer, "x", 1);
    buffer_align(&buffer, 8);
    CHECK_EQ(buffer.size, 4008);
    CHECK_EQ(buffer.data[4007], 0);
    buffer_align(&buffer, 8);
    CHECK_EQ(buffer.size, 4008);
    unsigned last;
    memcpy(&last, buffer.data + 3996, sizeof(last));
    CHECK_EQ(last, 999);
    CHECK_OK(buffer_result(&buffer));
    buffer_clear(&buffer);
    buffer_print(&buffer, "%d-%s", 7, "seven");
    CHECK_EQ(buffer.size, 7);
    char *text = buffer_take_text(&buffer);
    CHECK_STR_EQ(text, "7-seven");
    free(text);
    CHECK_EQ(buffer.size, 0);
    buffer_deinit(&buffer);
}

TEST(buffer_leaves_borrowed_memory_when_it_is_full)
{
    char few[8];
    struct buffer buffer;
    buffer_init_in(&buffer, 1 << 20, few, sizeof(few));
    harness_fail_allocation(0);
    buffer_append(&buffer, "12345678", 8);
    CHECK(!harness_allocation_failed());
    CHECK_PTR_EQ(buffer.data, few);
    buffer_append(&buffer, "9", 1);
    CHECK_EQ(buffer.size, 9);
    CHECK_MEM_EQ(buffer.data, "123456789", 9);
    CHECK_MEM_EQ(few, "12345678", 8);
    buffer_deinit(&buffer);
    buffer_init_in(&buffer, 1 << 20, few, sizeof(few));
    buffer_append(&buffer, "123", 3);
    char *text = buffer_take_text(&buffer);
    CHECK_STR_EQ(text, "123");
    free(text);
    buffer_deinit(&buffer);
}

TEST(buffer_stays_broken_after_its_limit)
{
    struct buffer buffer;
    buffer_init(&buffer, 10);
    buffer_append(&buffer, "12345678", 8);
    CHECK_NULL(buffer_extend(&buffer, 3));
    buffer_append(&buffer, "9", 1);
    CHECK_EQ(buffer.size, 8);
    CHECK_HR(buffer_result(&buffer), VIA_E_LIMIT);
    CHECK_STR_HAS(error_get()->text, "10 bytes");
    CHECK_NULL(buffer_take_text(&buffer));
    buffer_clear(&buffer);
    CHECK_NULL(buffer_extend(&buffer, SIZE_MAX));
    buffer_fail(&buffer, E_ABORT);
    CHECK_HR(buffer_result(&buffer), VIA_E_LIMIT);
    buffer_deinit(&buffer);
    error_clear();
}

TEST(buffer_and_map_survive_every_failed_allocation)
{
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        struct buffer buffer;
        struct map map;
        uint64_t filled = 0;
        buffer_init(&buffer, 1 << 20);
        map_init(&map);
        harness_fail_allocation(n);
        for (int i = 0; i < 300; i++)
            buffer_print(&buffer, "%d ", i);
        for (uint64_t i = 1; i <= 100; i++)
            if (SUCCEEDED(map_set(&map, map_key_u64(i), &map)))
                filled++;
        failed = harness_allocation_failed();
        HRESULT hr = buffer_result(&buffer);
        CHECK(hr == S_OK || hr == E_OUTOFMEMORY);
        CHECK_EQ(map.n, filled);
        for (uint64_t i = 1; i <= 100; i++)
            filled -= map_get(&map, map_key_u64(i)) != NULL;
        CHECK_EQ(filled, 0);
        map_deinit(&map);
        buffer_deinit(&buffer);
    }
    error_clear();
}

/* Against an array that says what has to be there. */
TEST(map_agrees_with_a_plain_table)
{
    enum { N_KEYS = 500 };
    static int values[N_KEYS];
    static bool present[N_KEYS];
    struct map map;
    uint32_t random = 12345;
    size_t n = 0;
    memset(present, 0, sizeof(present));
    map_init(&map);
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned i = (random >> 8) % N_KEYS;
        struct map_key key = {.low = i * 4096u, .high = i & 3};
        if (random >> 31) {
            CHECK_OK(map_set(&map, key, &values[i]));
            n += !present[i];
            present[i] = true;
        } else {
            CHECK_PTR_EQ(map_remove(&map, key), present[i] ? &values[i] : NULL);
            n -= present[i];
            present[i] = false;
        }
    }
    CHECK_EQ(map.n, n);
    for (unsigned i = 0; i < N_KEYS; i++) {
        struct map_key key = {.low = i * 4096u, .high = i & 3};
        CHECK_PTR_EQ(map_get(&map, key), present[i] ? &values[i] : NULL);
    }
    size_t position = 0, n_seen = 0;
    for (int *value; (value = map_next(&map, &position));)
        n_seen += present[value - values];
    CHECK_EQ(n_seen, n);
    map_deinit(&map);
}

TEST(map_replaces_and_knows_sixteen_byte_keys)
{
    struct map map;
    int one, two;
    uint8_t id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    map_init(&map);
    CHECK_NULL(map_get(&map, map_key_bytes(id)));
    CHECK_NULL(map_remove(&map, map_key_bytes(id)));
    CHECK_OK(map_set(&map, map_key_bytes(id), &one));
    CHECK_OK(map_set(&map, map_key_bytes(id), &two));
    CHECK_EQ(map.n, 1);
    CHECK_PTR_EQ(map_get(&map, map_key_bytes(id)), &two);
    id[15]++;
    CHECK_NULL(map_get(&map, map_key_bytes(id)));
    map_deinit(&map);
}

struct element {
    int value;
    struct list link;
};

TEST(list_keeps_order_and_forgets_what_is_removed)
{
    struct list head;
    struct element elements[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    list_init(&head);
    CHECK(list_is_empty(&head));
    CHECK_NULL(list_pop(&head));
    for (int i = 1; i < 4; i++)
        list_append(&head, &elements[i].link);
    list_prepend(&head, &elements[0].link);
    list_remove(&elements[2].link);
    list_remove(&elements[2].link);
    CHECK_FALSE(list_is_linked(&elements[2].link));
    CHECK(list_is_linked(&elements[1].link));
    static const int expected[] = {0, 1, 3};
    for (int i = 0; i < 3; i++) {
        struct list *link = list_pop(&head);
        REQUIRE_NOT_NULL(link);
        CHECK_EQ(list_entry(link, struct element, link)->value, expected[i]);
    }
    CHECK(list_is_empty(&head));
}

struct counted {
    struct ref ref;
    _Atomic int n_frees;
    int plain; /* written by each thread before its last decrement, read by who frees */
};

static void use_reference(void *argument)
{
    struct counted *object = argument;
    for (int i = 0; i < 10000; i++) {
        ref_inc(&object->ref);
        if (ref_inc_unless_zero(&object->ref))
            CHECK(ref_dec(&object->ref) > 0);
        CHECK(ref_dec(&object->ref) > 0);
    }
    if (ref_dec(&object->ref) == 0) {
        object->plain++;
        object->n_frees++;
    }
}

TEST(reference_is_freed_once)
{
    struct counted object = {.plain = 0};
    struct os_thread *threads[4];
    ref_init(&object.ref);
    object.plain = 41;
    for (int i = 0; i < 4; i++) {
        ref_inc(&object.ref);
        REQUIRE_OK(os_thread_start(use_reference, &object, "ref", &threads[i]));
    }
    if (ref_dec(&object.ref) == 0)
        object.n_frees++;
    for (int i = 0; i < 4; i++)
        os_thread_join(threads[i]);
    CHECK_EQ(object.n_frees, 1);
    CHECK_FALSE(ref_inc_unless_zero(&object.ref));
}

static void free_text(char *const *text)
{
    free(*text);
}

static char *take_out(void)
{
    CLEANUP(free_text) char *kept = strdup("kept");
    CLEANUP(cleanup_free) void *dropped = malloc(10);
    (void)dropped;
    return TAKE(kept);
}

TEST(cleanup_frees_and_take_keeps)
{
    char *kept = take_out();
    CHECK_STR_EQ(kept, "kept");
    free(kept);
}

static void write_lines(void *argument)
{
    for (int i = 0; i < 100; i++)
        log_warning("writer", "thread %s line %d end", (const char *)argument, i);
}

static char *read_log(const char *path)
{
    char *text = NULL;
    size_t size;
    return CHECK_OK(os_file_read(path, 1 << 20, &text, &size)) ? text : NULL;
}

TEST(log_writes_whole_lines)
{
    CLEANUP(cleanup_free) char *path = os_path_join(harness_temporary_directory(), "log.txt");
    struct os_thread *threads[2];
    REQUIRE_OK(log_set_file(path));
    log_set_level(VIA_LOG_WARNING);
    REQUIRE_OK(os_thread_start(write_lines, "A", "log", &threads[0]));
    REQUIRE_OK(os_thread_start(write_lines, "B", "log", &threads[1]));
    os_thread_join(threads[0]);
    os_thread_join(threads[1]);
    log_info("writer", "too quiet");
    log_error("writer", "two\nlines");
    REQUIRE_OK(log_set_file(NULL));
    CLEANUP(cleanup_free) char *text = read_log(path);
    REQUIRE_NOT_NULL(text);
    int n_lines = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, n_lines++) {
        *end = 0;
        if (n_lines == 200) {
            CHECK_STR_HAS(line, "Z error writer: two?lines");
            continue;
        }
        CHECK_STR_HAS(line, "Z warning writer: thread ");
        size_t size = strcspn(line, "\r");
        CHECK(size > 4 && memcmp(line + size - 4, " end", 4) == 0);
    }
    CHECK_EQ(n_lines, 201);
}

/* The published stream of ChaCha with 8 rounds, a key of zeros and a nonce of zeros: its first
 * words, little-endian. */
TEST(chacha_agrees_with_the_published_stream)
{
    static const uint32_t first[] = {0x2fef003e, 0xd6405f89, 0xe8b85b7f, 0xa1a5091f,
                                     0xc30e842c, 0x3b7f9ace, 0x88e11b18, 0x1e1a71ef};
    uint32_t words[CHACHA_WORDS] = {0};
    uint32_t later[CHACHA_WORDS];
    chacha_fill(words, 1, later);
    chacha_fill(words, 0, words); /* in place */
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(words[4 * i], first[i]);
    for (unsigned i = 0; i < 16; i++) /* the second block from 0 is the first from 1 */
        CHECK_EQ(words[4 * i + 1], later[4 * i]);
    words[0] ^= 1;
    chacha_fill(words, 0, words);
    CHECK(memcmp(words, later, sizeof words) != 0);
}

TEST(log_levels_have_names)
{
    enum via_log_level level = VIA_LOG_ERROR;
    CHECK(log_level_parse("debug", &level));
    CHECK_EQ(level, VIA_LOG_DEBUG);
    CHECK_FALSE(log_level_parse("loud", &level));
    log_set_level(VIA_LOG_INFO);
    CHECK(log_is_on(VIA_LOG_INFO));
    CHECK_FALSE(log_is_on(VIA_LOG_DEBUG));
    log_set_level(VIA_LOG_WARNING);
    CHECK_HR(log_set_file(harness_temporary_directory()), VIA_E_CONFIG);
    char text[ERROR_TEXT_SIZE];
    CHECK_STR_HAS(error_format(error_get(), E_FAIL, text, sizeof(text)),
                  harness_temporary_directory());
    error_clear();
}

HARNESS_MAIN("util", TEST_ENTRY(error_keeps_code_text_and_cause),
             TEST_ENTRY(error_keeps_where_help_is), TEST_ENTRY(error_text_is_cut_at_a_character),
             TEST_ENTRY(error_belongs_to_its_thread_and_can_be_carried),
             TEST_ENTRY(error_without_memory_keeps_the_code),
             TEST_ENTRY(buffer_grows_aligns_and_prints),
             TEST_ENTRY(buffer_leaves_borrowed_memory_when_it_is_full),
             TEST_ENTRY(buffer_stays_broken_after_its_limit),
             TEST_ENTRY(buffer_and_map_survive_every_failed_allocation),
             TEST_ENTRY(map_agrees_with_a_plain_table),
             TEST_ENTRY(map_replaces_and_knows_sixteen_byte_keys),
             TEST_ENTRY(list_keeps_order_and_forgets_what_is_removed),
             TEST_ENTRY(reference_is_freed_once), TEST_ENTRY(cleanup_frees_and_take_keeps),
             TEST_ENTRY(chacha_agrees_with_the_published_stream),
             TEST_ENTRY(log_writes_whole_lines), TEST_ENTRY(log_levels_have_names))
