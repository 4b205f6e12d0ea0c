/* com/registry: index files, and when the registry reads what. */
#include "com/registry/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/registry/refresh.h"
#include "com/registry/registry.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/stamp.h"
#include "core/os/thread.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "tests/harness/harness.h"

/* --- manifests that are read are counted --- */

static atomic_uint n_loads;

HRESULT __real_manifest_load(const char *path, struct manifest **manifest);
HRESULT __wrap_manifest_load(const char *path, struct manifest **manifest);

HRESULT __wrap_manifest_load(const char *path, struct manifest **manifest)
{
    n_loads++;
    return __real_manifest_load(path, manifest);
}

/* --- a registry with two directories and a place for its index --- */

struct fixture {
    char *directories[3];
    char *place, *index, *log;
    struct registry *registry;
};

static const char *const *directories_of(const struct fixture *fixture)
{
    return (const char *const *)fixture->directories;
}

static void fixture_init(struct fixture *fixture)
{
    const char *base = harness_temporary_directory();

    memset(fixture, 0, sizeof(*fixture));
    fixture->directories[0] = os_path_join(base, "user");
    fixture->directories[1] = os_path_join(base, "package");
    fixture->place = os_path_join(base, "cache");
    fixture->log = os_path_join(base, "log");
    fixture->index = index_path(fixture->place, directories_of(fixture));
    CHECK_OK(os_directory_make(fixture->directories[0]));
    CHECK_OK(os_directory_make(fixture->directories[1]));
    CHECK_OK(log_set_file(fixture->log));
}

static void fixture_deinit(struct fixture *fixture)
{
    registry_free(fixture->registry);
    log_set_file(NULL);
    free(fixture->directories[0]);
    free(fixture->directories[1]);
    free(fixture->place);
    free(fixture->index);
    free(fixture->log);
    error_clear();
}

static void open_registry(struct fixture *fixture)
{
    registry_free(fixture->registry);
    fixture->registry = NULL;
    n_loads = 0;
    CHECK_OK(registry_new(directories_of(fixture), fixture->place, &fixture->registry));
}

static void make_text(char text[512], const char *progid, unsigned number)
{
    snprintf(text, 512,
             "{ \"component\": \"../lib/x.so\",\n  \"classes\": [ { \"clsid\": "
             "\"{6e710ce2-04ce-46d5-ba6b-%012x}\", \"progid\": \"%s\" } ] }",
             number, progid);
}

static void add_class(const char *directory, const char *progid, unsigned number)
{
    char text[512], name[128];
    char *path;

    make_text(text, progid, number);
    snprintf(name, sizeof(name), "%s.json", progid);
    path = os_path_join(directory, name);
    CHECK_OK(os_file_write(path, text, strlen(text)));
    free(path);
}

static void remove_class(const char *directory, const char *progid)
{
    char name[128];
    char *path;

    snprintf(name, sizeof(name), "%s.json", progid);
    path = os_path_join(directory, name);
    CHECK_OK(os_file_remove(path));
    free(path);
}

/* The same file, written again: its directory does not change. */
static void write_in_place(const char *directory, const char *file, const char *progid,
                           unsigned number)
{
    char text[512], name[128];
    char *path;
    FILE *stream;

    make_text(text, progid, number);
    snprintf(name, sizeof(name), "%s.json", file);
    path = os_path_join(directory, name);
    stream = fopen(path, "r+b");
    if (CHECK_NOT_NULL(stream)) {
        fwrite(text, 1, strlen(text), stream);
        fputs("          ", stream); /* over what a longer one leaves */
        fclose(stream);
    }
    free(path);
}

static bool has_class(struct registry *registry, const char *progid)
{
    struct registry_entry entry;
    struct class_name name;
    HRESULT hr;

    CHECK_OK(class_name_parse(progid, &name));
    hr = registry_find(registry, &name, &entry);
    if (SUCCEEDED(hr)) {
        CHECK_STR_EQ(entry.class->progid, progid);
        registry_entry_deinit(&entry);
    } else {
        CHECK_HR(hr, REGDB_E_CLASSNOTREG);
        error_clear();
    }
    return SUCCEEDED(hr);
}

/* Waits until what was written a moment ago has settled. */
static void settle(void)
{
    os_sleep_ms(OS_STAMP_SETTLE_MS + 50);
}

static size_t count_lines(const struct fixture *fixture, const char *needle)
{
    size_t size, count = 0;
    char *text;

    if (FAILED(os_file_read(fixture->log, 1 << 20, &text, &size)))
        return 0;
    for (const char *at = text; (at = strstr(at, needle)); at++)
        count++;
    free(text);
    return count;
}

/* A directory with classes, and the index that a registry leaves of it. */
static void make_index(struct fixture *fixture, unsigned n_classes)
{
    for (unsigned i = 0; i < n_classes; i++) {
        char progid[32];

        snprintf(progid, sizeof(progid), "A.Class%u", i);
        add_class(fixture->directories[1], progid, i);
    }
    settle();
    open_registry(fixture);
    CHECK(has_class(fixture->registry, "A.Class0"));
    open_registry(fixture); /* the one before has written the index */
    CHECK(os_file_exists(fixture->index));
}

TEST(an_index_saves_reading_manifests)
{
    struct fixture fixture;

    fixture_init(&fixture);
    make_index(&fixture, 20);
    CHECK(has_class(fixture.registry, "A.Class7"));
    CHECK_EQ(n_loads, 1); /* its own */
    CHECK(has_class(fixture.registry, "A.Class7"));
    CHECK_FALSE(has_class(fixture.registry, "A.Class77"));
    CHECK_EQ(n_loads, 1);
    CHECK_EQ(count_lines(&fixture, "registry"), 0);
    fixture_deinit(&fixture);
}

TEST(what_has_changed_while_nobody_looked_is_read)
{
    struct fixture fixture;

    fixture_init(&fixture);
    make_index(&fixture, 20);
    registry_free(fixture.registry);
    fixture.registry = NULL;
    add_class(fixture.directories[0], "A.New", 100);
    remove_class(fixture.directories[1], "A.Class3");
    write_in_place(fixture.directories[1], "A.Class4", "A.Edited", 4);
    open_registry(&fixture);
    CHECK(has_class(fixture.registry, "A.New"));
    CHECK_FALSE(has_class(fixture.registry, "A.Class3"));
    CHECK(has_class(fixture.registry, "A.Class5"));
    CHECK(has_class(fixture.registry, "A.Edited"));
    CHECK_FALSE(has_class(fixture.registry, "A.Class4"));
    /* What is young is read again whenever somebody looks. */
    CHECK(n_loads < 15);
    fixture_deinit(&fixture);
}

TEST(what_changes_meanwhile_is_noticed)
{
    struct fixture fixture;

    fixture_init(&fixture);
    make_index(&fixture, 5);
    CHECK(has_class(fixture.registry, "A.Class0"));
    add_class(fixture.directories[1], "A.New", 100);
    CHECK(has_class(fixture.registry, "A.New"));
    write_in_place(fixture.directories[1], "A.Class1", "A.Edited", 1);
    os_sleep_ms(REGISTRY_FRESH_MS + 50);
    CHECK(has_class(fixture.registry, "A.Edited"));
    CHECK_FALSE(has_class(fixture.registry, "A.Class1"));
    remove_class(fixture.directories[1], "A.Class2");
    os_sleep_ms(REGISTRY_FRESH_MS + 50);
    CHECK_FALSE(has_class(fixture.registry, "A.Class2"));
    CHECK(has_class(fixture.registry, "A.Class3"));
    fixture_deinit(&fixture);
}

static bool is_in(struct registry *registry, const char *progid, const char *directory)
{
    struct registry_entry entry;
    struct class_name name;
    bool is_it;

    CHECK_OK(class_name_parse(progid, &name));
    if (!CHECK_OK(registry_find(registry, &name, &entry)))
        return true;
    is_it = strncmp(entry.manifest->path, directory, strlen(directory)) == 0;
    registry_entry_deinit(&entry);
    return is_it;
}

/* The same class in the directory that comes first, by a file that was there before. On a slow
 * machine that is left to the keeper, and takes a moment. */
TEST(a_manifest_that_is_edited_takes_a_class_over)
{
    struct fixture fixture;
    uint64_t deadline = os_deadline_ms(20000);

    fixture_init(&fixture);
    add_class(fixture.directories[0], "A.Mine", 100);
    make_index(&fixture, 5);
    CHECK(has_class(fixture.registry, "A.Class1"));
    write_in_place(fixture.directories[0], "A.Mine", "A.Class1", 101);
    while (!is_in(fixture.registry, "A.Class1", fixture.directories[0]) && os_now_ns() < deadline)
        os_sleep_ms(100);
    CHECK(os_now_ns() < deadline);
    fixture_deinit(&fixture);
}

TEST(other_directories_have_another_index)
{
    static const char *const some[] = {"/a", "/b", NULL}, *const other[] = {"/a/b", NULL};
    static const char *const swapped[] = {"/b", "/a", NULL};
    CLEANUP(cleanup_free) char *one = index_path("/c", some);
    CLEANUP(cleanup_free) char *two = index_path("/c", other);
    CLEANUP(cleanup_free) char *three = index_path("/c", swapped);

    CHECK(strcmp(one, two) != 0);
    CHECK(strcmp(one, three) != 0);
    CHECK(strcmp(two, three) != 0);
}

/* --- files that are not what they should be --- */

/* A small index in memory, aligned. */
static uint8_t *make_bytes(struct fixture *fixture, size_t *size)
{
    void *data = NULL;

    add_class(fixture->directories[0], "A.Mine", 1);
    add_class(fixture->directories[1], "A.Rival", 1);
    open_registry(fixture);
    CHECK(has_class(fixture->registry, "A.Mine"));
    open_registry(fixture);
    CHECK_OK(os_file_read_private(fixture->index, 1 << 20, &data, size));
    return data;
}

static HRESULT parse_copy(const struct fixture *fixture, const void *bytes, size_t size)
{
    struct catalogue *catalogue = NULL;
    void *copy = malloc(size + 1);
    HRESULT hr;

    memcpy(copy, bytes, size);
    hr = index_parse(copy, size, directories_of(fixture), &catalogue);
    if (SUCCEEDED(hr))
        catalogue_unref(catalogue);
    free(copy);
    return hr;
}

TEST(every_flipped_bit_is_found)
{
    struct fixture fixture;
    size_t size = 0, n_missed = 0;
    uint8_t *bytes;

    fixture_init(&fixture);
    bytes = make_bytes(&fixture, &size);
    REQUIRE_NOT_NULL(bytes);
    CHECK_OK(parse_copy(&fixture, bytes, size));
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        n_missed += parse_copy(&fixture, bytes, size) != VIA_E_CONFIG;
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    CHECK_EQ(n_missed, 0);
    free(bytes);
    fixture_deinit(&fixture);
}

TEST(every_other_length_is_found)
{
    struct fixture fixture;
    size_t size = 0, n_missed = 0;
    uint8_t *bytes;

    fixture_init(&fixture);
    bytes = make_bytes(&fixture, &size);
    REQUIRE_NOT_NULL(bytes);
    for (size_t i = 0; i < size; i++)
        n_missed += parse_copy(&fixture, bytes, i) != VIA_E_CONFIG;
    bytes = realloc(bytes, size + 64);
    REQUIRE_NOT_NULL(bytes);
    memset(bytes + size, 0, 64);
    for (size_t i = 1; i <= 64; i++)
        n_missed += parse_copy(&fixture, bytes, size + i) != VIA_E_CONFIG;
    CHECK_EQ(n_missed, 0);
    free(bytes);
    fixture_deinit(&fixture);
}

static void check_made_again(struct fixture *fixture, const char *complaint)
{
    settle();
    open_registry(fixture);
    CHECK(has_class(fixture->registry, "A.Class2"));
    CHECK(n_loads >= 5);
    CHECK_EQ(count_lines(fixture, "will be made again"), 1);
    CHECK_EQ(count_lines(fixture, complaint), 1);
    open_registry(fixture);
    CHECK(has_class(fixture->registry, "A.Class2"));
    CHECK_EQ(n_loads, 1);
    CHECK_EQ(count_lines(fixture, "will be made again"), 1);
}

TEST(a_damaged_index_is_made_again_with_one_line_in_the_log)
{
    struct fixture fixture;
    void *data;
    size_t size;

    fixture_init(&fixture);
    make_index(&fixture, 5);
    registry_free(fixture.registry);
    fixture.registry = NULL;
    REQUIRE_OK(os_file_read_private(fixture.index, 1 << 20, &data, &size));
    ((uint8_t *)data)[size / 2] ^= 1;
    CHECK_OK(os_file_write_private(fixture.index, data, size));
    free(data);
    check_made_again(&fixture, "its checksum is wrong");
    fixture_deinit(&fixture);
}

TEST(an_empty_index_is_made_again)
{
    struct fixture fixture;

    fixture_init(&fixture);
    make_index(&fixture, 5);
    registry_free(fixture.registry);
    fixture.registry = NULL;
    CHECK_OK(os_file_write_private(fixture.index, "", 0));
    check_made_again(&fixture, "it is cut off");
    fixture_deinit(&fixture);
}

TEST(without_a_place_for_the_index_everything_works)
{
    struct fixture fixture;

    fixture_init(&fixture);
    CHECK_OK(os_file_write(fixture.place, "in the way", 10));
    add_class(fixture.directories[0], "A.One", 1);
    open_registry(&fixture);
    CHECK(has_class(fixture.registry, "A.One"));
    add_class(fixture.directories[0], "A.Two", 2);
    CHECK(has_class(fixture.registry, "A.Two"));
    registry_free(fixture.registry);
    fixture.registry = NULL;
    CHECK_EQ(count_lines(&fixture, "there is no index of classes"), 1);
    fixture_deinit(&fixture);
}

TEST(what_a_killed_writer_leaves_is_removed)
{
    CLEANUP(cleanup_free) char *leftover = NULL;
    struct fixture fixture;
    size_t size;

    fixture_init(&fixture);
    size = strlen(fixture.index) + 16;
    leftover = malloc(size);
    snprintf(leftover, size, "%s.a1B2c3", fixture.index);
    CHECK_OK(os_directory_make_private(fixture.place));
    CHECK_OK(os_file_write_private(leftover, "half", 4));
    make_index(&fixture, 3);
    CHECK_FALSE(os_file_exists(leftover));
    CHECK(os_file_exists(fixture.index));
    fixture_deinit(&fixture);
}

/* --- several at once --- */

static void use_registry(void *argument)
{
    struct fixture *fixture = argument;
    struct registry *registry;

    for (int i = 0; i < 20; i++) {
        if (!CHECK_OK(registry_new(directories_of(fixture), fixture->place, &registry)))
            return;
        registry_warm(registry);
        CHECK(has_class(registry, "A.Class1"));
        registry_free(registry);
    }
}

TEST(hosts_that_share_an_index_do_not_disturb_each_other)
{
    struct fixture fixture;
    struct os_thread *threads[3];

    fixture_init(&fixture);
    make_index(&fixture, 5);
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(os_thread_start(use_registry, &fixture, "host", &threads[i]));
    for (unsigned i = 0; i < 20; i++) {
        add_class(fixture.directories[0], "A.Fleeting", 100 + i);
        os_sleep_ms(3);
        remove_class(fixture.directories[0], "A.Fleeting");
    }
    for (int i = 0; i < 3; i++)
        os_thread_join(threads[i]);
    CHECK_EQ(count_lines(&fixture, "will be made again"), 0);
    settle();
    open_registry(&fixture);
    CHECK(has_class(fixture.registry, "A.Class4"));
    CHECK_FALSE(has_class(fixture.registry, "A.Fleeting"));
    fixture_deinit(&fixture);
}

/* --- the catalogue --- */

TEST(many_classes_are_found_and_come_in_order)
{
    enum { N = 5000 };
    struct catalogue_builder builder;
    struct catalogue *catalogue;
    struct os_stamp stamp = {.is_settled = true};

    catalogue_begin(&builder);
    catalogue_add_directory(&builder, "/a", "", &stamp);
    for (unsigned i = 0; i < N; i++) {
        char progid[32], file[40];
        struct manifest_class class = {
            .clsid = {.Data1 = i * 7919u}, .progid = progid, .description = (char *)""};
        struct manifest manifest = {.component = (char *)"/x", .n_classes = 1, .classes = &class};

        snprintf(progid, sizeof(progid), "A.C%u", i * 2654435761u);
        snprintf(file, sizeof(file), "%08u.json", i);
        catalogue_add_file(&builder, file, &stamp, &manifest, "");
    }
    REQUIRE_OK(catalogue_build(&builder, &catalogue));
    CHECK_EQ(catalogue->n_used, N);
    for (uint32_t i = 0; i < N; i++) {
        struct class_name name = {.by_clsid = true, .clsid = catalogue->classes[i].clsid};

        CHECK_EQ(catalogue_find(catalogue, &name), i);
        name.by_clsid = false;
        strcpy(name.progid, catalogue_text(catalogue, catalogue->classes[i].progid));
        CHECK_EQ(catalogue_find(catalogue, &name), i);
        CHECK_EQ(catalogue->order[catalogue_behind(catalogue, name.progid) - 1], i);
    }
    catalogue_unref(catalogue);
}

HARNESS_MAIN("registry_index", TEST_ENTRY(an_index_saves_reading_manifests),
             TEST_ENTRY(what_has_changed_while_nobody_looked_is_read),
             TEST_ENTRY(what_changes_meanwhile_is_noticed),
             TEST_ENTRY(a_manifest_that_is_edited_takes_a_class_over),
             TEST_ENTRY(other_directories_have_another_index),
             TEST_ENTRY(every_flipped_bit_is_found), TEST_ENTRY(every_other_length_is_found),
             TEST_ENTRY(a_damaged_index_is_made_again_with_one_line_in_the_log),
             TEST_ENTRY(an_empty_index_is_made_again),
             TEST_ENTRY(without_a_place_for_the_index_everything_works),
             TEST_ENTRY(what_a_killed_writer_leaves_is_removed),
             TEST_ENTRY(hosts_that_share_an_index_do_not_disturb_each_other),
             TEST_ENTRY(many_classes_are_found_and_come_in_order))
