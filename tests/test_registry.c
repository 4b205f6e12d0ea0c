/* com/registry: names, manifests, directories. */
#include "com/registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/strings.h"
#include "tests/harness/harness.h"

#define CLSID_A "{6e710ce2-04ce-46d5-ba6b-ac571b96b4b9}"
#define CLSID_B "{8d767448-1e08-404e-9e1f-b6deac10e475}"

static const char *message(void)
{
    return error_get() ? error_get()->text : "";
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char *path = os_path_join(directory, name);

    CHECK_OK(os_directory_make(directory));
    CHECK_OK(os_file_write(path, text, strlen(text)));
    free(path);
}

static void write_manifest(const char *directory, const char *file, const char *progid,
                           const char *clsid)
{
    char text[512];

    snprintf(text, sizeof(text),
             "{ \"component\": \"../lib/x.so\",\n  \"classes\": [ { \"clsid\": \"%s\", \"progid\": "
             "\"%s\" } ] }",
             clsid, progid);
    write_file(directory, file, text);
}

static struct class_name name_of(const char *text)
{
    struct class_name name;

    CHECK_OK(class_name_parse(text, &name));
    return name;
}

TEST(names_are_parsed)
{
    struct class_name name = name_of("Viaduct.SysInfo@wine");

    CHECK_STR_EQ(name.progid, "Viaduct.SysInfo");
    CHECK_STR_EQ(name.host, "wine");
    CHECK_FALSE(name.by_clsid);
    name = name_of(CLSID_A);
    CHECK(name.by_clsid);
    CHECK_EQ(name.clsid.Data1, 0x6e710ce2);
    CHECK_STR_EQ(name.host, "");
    name = name_of(CLSID_A "@a-b_1");
    CHECK_STR_EQ(name.host, "a-b_1");
}

TEST(bad_names_are_refused)
{
    static const char *const bad[] = {
        "",          "@wine", "A..B",      ".A",  "A.", "A B",  "A@",       "A@b@c",      "A@b c",
        "{6e710ce2", "{}",    CLSID_A "x", "A/B", "_A", "A.@x", "\xc3\xa4", "A@\xc3\xa4", "A\nB"};
    char long_name[400];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct class_name name;

        if (!CHECK_HR(class_name_parse(bad[i], &name), CO_E_CLASSSTRING))
            harness_note("name: %s", bad[i]);
    }
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = 0;
    {
        struct class_name name;

        CHECK_HR(class_name_parse(long_name, &name), CO_E_CLASSSTRING);
        long_name[1] = '@';
        CHECK_HR(class_name_parse(long_name, &name), CO_E_CLASSSTRING);
    }
    error_clear();
}

TEST(a_manifest_is_read_and_written)
{
    static const char text[] = "{ \"component\": \"bin/x\", \"activation\": \"program\", "
                               "\"arguments\": [\"-a\", \"b c\"],\n"
                               "  \"classes\": [ { \"clsid\": \"" CLSID_A
                               "\", \"progid\": \"A.B\", \"description\": \"d\",\n"
                               "                 \"threading\": \"serial\" } ] }";
    struct manifest *manifest = NULL, *again = NULL;
    char *path = os_path_join(harness_temporary_directory(), "m.json"), *written;

    REQUIRE_OK(manifest_parse(text, sizeof(text) - 1, path, &manifest));
    CHECK_EQ(manifest->activation, MANIFEST_IN_PROGRAM);
    CHECK_STR_EQ(manifest->arguments[1], "b c");
    CHECK_NULL(manifest->arguments[2]);
    CHECK_EQ(manifest->classes[0].threading, MANIFEST_SERIAL);
    CHECK(os_path_is_absolute(manifest->component));
    written = manifest_format(manifest);
    REQUIRE_NOT_NULL(written);
    REQUIRE_OK(manifest_parse(written, strlen(written), path, &again));
    CHECK_STR_EQ(again->component, manifest->component);
    CHECK_STR_EQ(again->classes[0].progid, "A.B");
    CHECK_STR_EQ(again->arguments[1], "b c");
    CHECK_MEM_EQ(&again->classes[0].clsid, &manifest->classes[0].clsid, sizeof(GUID));
    manifest_unref(again);
    manifest_unref(manifest);
    free(written);
    free(path);
}

TEST(bad_manifests_are_refused_with_their_place)
{
    static const struct {
        const char *text, *complaint;
    } bad[] = {
        {"{ \"classes\": [] }", "m.json:1:1: the key \"component\" is missing"},
        {"{ \"component\": \"x\" }", "m.json:1:1: the key \"classes\" is missing"},
        {"{ \"component\": \"x\", \"classes\": [] }", "at least one class"},
        {"{ \"component\": \"\", \"classes\": [] }", "is empty"},
        {"{ \"component\": \"x\",\n \"classes\": [ { \"clsid\": \"{1}\", \"progid\": \"A\" } ] }",
         "m.json:2:26: key \"classes[0].clsid\": \"{1}\" is not a CLSID"},
        {"{ \"component\": \"x\", \"classes\": [ { \"clsid\": \"" CLSID_A "\" } ] }",
         "the key \"progid\" is missing"},
        {"{ \"component\": \"x\", \"klasses\": [] }", "key \"klasses\": unknown key"},
        {"{ \"component\": \"x\", \"activation\": \"shell\", \"classes\": [] }",
         "expected one of \"host\", \"surrogate\", \"program\""},
        {"{ \"component\": \"x\", \"arguments\": [\"a\"], \"classes\": [] }",
         "only a program has arguments"},
        {"{ \"component\": \"x\", \"classes\": [ { \"clsid\": \"" CLSID_A
         "\", \"progid\": \"A\" }, { \"clsid\": \"" CLSID_A "\", \"progid\": \"B\" } ] }",
         "key \"classes[1]\": class B has the name or the CLSID of class A"},
        {"{ \"component\": ", "m.json:1:"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct manifest *manifest = NULL;

        CHECK_HR(manifest_parse(bad[i].text, strlen(bad[i].text), "m.json", &manifest),
                 VIA_E_CONFIG);
        CHECK_STR_HAS(message(), bad[i].complaint);
        CHECK_NULL(manifest);
    }
    error_clear();
}

/* Two directories below the test's own: the user's, and a package's. */
struct directories {
    char *paths[3];
    struct registry *registry;
};

static void directories_init(struct directories *directories)
{
    const char *base = harness_temporary_directory();

    directories->registry = NULL;
    directories->paths[0] = os_path_join(base, "user");
    directories->paths[1] = os_path_join(base, "package");
    directories->paths[2] = NULL;
    CHECK_OK(registry_new((const char *const *)directories->paths, NULL, &directories->registry));
}

static void directories_deinit(struct directories *directories)
{
    registry_free(directories->registry);
    free(directories->paths[0]);
    free(directories->paths[1]);
    error_clear();
}

/* --- a read that takes long --- */

HRESULT __real_os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                                 size_t *n_entries);
HRESULT __wrap_os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                                 size_t *n_entries);

static struct {
    struct os_mutex lock;
    struct os_cond changed;
    const char *path; /* lock; where the next read of it stops, once */
    bool is_stopped;  /* lock */
    bool may_go_on;   /* lock */
} the_stop = {.lock = OS_MUTEX_INITIALIZER};

HRESULT __wrap_os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                                 size_t *n_entries)
{
    os_mutex_lock(&the_stop.lock);
    if (the_stop.path && strcmp(the_stop.path, path) == 0) {
        the_stop.path = NULL;
        the_stop.is_stopped = true;
        os_cond_broadcast(&the_stop.changed);
        while (!the_stop.may_go_on)
            os_cond_wait(&the_stop.changed, &the_stop.lock, OS_NEVER);
    }
    os_mutex_unlock(&the_stop.lock);
    return __real_os_directory_scan(path, suffix, entries, n_entries);
}

static void list_classes(void *argument)
{
    struct catalogue *catalogue;

    if (CHECK_OK(registry_list(argument, false, &catalogue)))
        catalogue_unref(catalogue);
}

static void uninstall(void *argument)
{
    struct class_name name = name_of("A.Fleeting");

    CHECK_OK(registry_uninstall(argument, &name));
}

TEST(a_read_that_was_begun_before_a_class_was_removed_does_not_bring_it_back)
{
    struct directories directories;
    struct os_thread *thread, *remover;
    struct registry_entry entry;
    struct class_name name = name_of("A.Fleeting");

    directories_init(&directories);
    os_cond_init(&the_stop.changed);
    the_stop.is_stopped = the_stop.may_go_on = false;
    write_manifest(directories.paths[0], "fleeting.json", "A.Fleeting", CLSID_A);
    the_stop.path = directories.paths[1];
    REQUIRE_OK(os_thread_start(list_classes, directories.registry, "reader", &thread));
    os_mutex_lock(&the_stop.lock);
    while (!the_stop.is_stopped)
        os_cond_wait(&the_stop.changed, &the_stop.lock, OS_NEVER);
    os_mutex_unlock(&the_stop.lock);
    REQUIRE_OK(os_thread_start(uninstall, directories.registry, "remover", &remover));
    os_sleep_ms(20); /* it may wait for the reader, or not */
    os_mutex_lock(&the_stop.lock);
    the_stop.may_go_on = true;
    os_cond_broadcast(&the_stop.changed);
    os_mutex_unlock(&the_stop.lock);
    os_thread_join(thread);
    os_thread_join(remover);
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    os_cond_deinit(&the_stop.changed);
    directories_deinit(&directories);
}

TEST(a_file_that_appears_is_a_class_and_one_that_goes_is_none)
{
    struct directories directories;
    struct registry_entry entry;
    struct class_name name = name_of("A.One");
    char *path;

    directories_init(&directories);
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    CHECK_STR_HAS(message(), "class A.One is not registered; searched ");
    CHECK_STR_HAS(message(), directories.paths[0]);
    CHECK_STR_HAS(message(), directories.paths[1]);
    write_manifest(directories.paths[1], "one.json", "A.One", CLSID_A);
    REQUIRE_OK(registry_find(directories.registry, &name, &entry));
    CHECK_STR_EQ(entry.class->progid, "A.One");
    registry_entry_deinit(&entry);
    name = name_of(CLSID_A);
    CHECK_OK(registry_find(directories.registry, &name, &entry));
    registry_entry_deinit(&entry);
    path = os_path_join(directories.paths[1], "one.json");
    CHECK_OK(os_file_remove(path));
    free(path);
    os_sleep_ms(REGISTRY_FRESH_MS + 50);
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    directories_deinit(&directories);
}

static void check_class_is(struct directories *directories, const char *asked, const char *progid,
                           bool is_current)
{
    struct registry_entry entry;
    struct class_name name = name_of(asked);

    if (!CHECK_OK(registry_find(directories->registry, &name, &entry)))
        return;
    CHECK_STR_EQ(entry.class->progid, progid);
    CHECK_EQ(entry.is_current, is_current);
    registry_entry_deinit(&entry);
}

TEST(a_name_without_a_version_means_the_newest)
{
    static const char *const versions[] = {"A.One.2", "A.One.10", "A.One.1", "A.One.9"};
    struct directories directories;
    struct registry_entry entry;
    struct class_name name = name_of("A.One");

    directories_init(&directories);
    for (int i = 0; i < 4; i++) {
        char clsid[64], file[32];

        snprintf(clsid, sizeof(clsid), "{6e710ce2-04ce-46d5-ba6b-ac571b96%04d}", i);
        snprintf(file, sizeof(file), "%d.json", i);
        write_manifest(directories.paths[i == 2], file, versions[i], clsid);
    }
    /* Neighbours in the order that are no versions of it. */
    write_manifest(directories.paths[0], "a.json", "A.One.11.B",
                   "{6e710ce2-04ce-46d5-ba6b-ac571b960010}");
    write_manifest(directories.paths[0], "b.json", "A.One.B",
                   "{6e710ce2-04ce-46d5-ba6b-ac571b960011}");
    write_manifest(directories.paths[0], "c.json", "A.One.99x",
                   "{6e710ce2-04ce-46d5-ba6b-ac571b960012}");
    check_class_is(&directories, "A.One", "A.One.10", true);
    check_class_is(&directories, "A.One.10", "A.One.10", true);
    check_class_is(&directories, "A.One.9", "A.One.9", false);
    check_class_is(&directories, "{6e710ce2-04ce-46d5-ba6b-ac571b960001}", "A.One.10", true);
    CHECK_HR(registry_uninstall(directories.registry, &name), REGDB_E_CLASSNOTREG);
    CHECK_STR_HAS(message(), "A.One is the newest of several versions, A.One.10");
    name = name_of("A.One.3");
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    name = name_of("A.One.10");
    CHECK_OK(registry_uninstall(directories.registry, &name));
    check_class_is(&directories, "A.One", "A.One.9", true);
    /* Who has just that name is meant by it. */
    write_manifest(directories.paths[0], "plain.json", "A.One",
                   "{6e710ce2-04ce-46d5-ba6b-ac571b960020}");
    os_sleep_ms(REGISTRY_FRESH_MS + 50);
    check_class_is(&directories, "A.One", "A.One", false);
    check_class_is(&directories, "A.One.9", "A.One.9", false);
    directories_deinit(&directories);
}

TEST(the_first_directory_wins_and_the_other_is_reported)
{
    struct directories directories;
    struct catalogue *catalogue;
    char **problems, *path;

    directories_init(&directories);
    write_manifest(directories.paths[0], "mine.json", "A.One", CLSID_A);
    write_manifest(directories.paths[1], "theirs.json", "A.One", CLSID_B);
    write_manifest(directories.paths[1], "two.json", "A.Two", CLSID_B);
    REQUIRE_OK(registry_list(directories.registry, false, &catalogue));
    REQUIRE(catalogue->n_used == 2);
    path = catalogue_path(catalogue, catalogue->classes[catalogue->order[0]].file);
    CHECK_STR_HAS(path, "mine.json");
    free(path);
    CHECK_STR_EQ(catalogue_text(catalogue, catalogue->classes[catalogue->order[1]].progid),
                 "A.Two");
    REQUIRE_OK(catalogue_problems(catalogue, &problems));
    catalogue_unref(catalogue);
    REQUIRE_NOT_NULL(problems[0]);
    CHECK_STR_HAS(problems[0], "theirs.json: class A.One is not used, because ");
    CHECK_NULL(problems[1]);
    strings_free(problems);
    directories_deinit(&directories);
}

TEST(a_broken_manifest_is_named_when_a_class_is_missing)
{
    struct directories directories;
    struct registry_entry entry;
    struct class_name name = name_of("A.One");

    directories_init(&directories);
    write_file(directories.paths[0], "broken.json", "{ \"component\": 3 }");
    write_file(directories.paths[0], "ignored.txt", "not json");
    write_manifest(directories.paths[1], "two.json", "A.Two", CLSID_B);
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    CHECK_STR_HAS(message(),
                  "broken.json:1:16: key \"component\": expected a string, not a number");
    name = name_of("A.Two");
    CHECK_OK(registry_find(directories.registry, &name, &entry));
    registry_entry_deinit(&entry);
    directories_deinit(&directories);
}

TEST(installing_writes_a_file_and_uninstalling_removes_it)
{
    struct directories directories;
    struct manifest *manifest, *rival;
    struct registry_entry entry;
    struct class_name name = name_of("A.One");
    static const char text[] =
        "{ \"component\": \"/x/y.so\", \"classes\": [ { \"clsid\": \"" CLSID_A
        "\", \"progid\": \"A.One\" } ] }";
    char *path = NULL;

    directories_init(&directories);
    REQUIRE_OK(manifest_parse(text, sizeof(text) - 1, "given", &manifest));
    REQUIRE_OK(registry_install(directories.registry, manifest, &path));
    CHECK(os_file_exists(path));
    free(path);
    CHECK_OK(registry_find(directories.registry, &name, &entry));
    registry_entry_deinit(&entry);
    /* Again: the same file. */
    CHECK_OK(registry_install(directories.registry, manifest, &path));
    free(path);
    CHECK_OK(registry_uninstall(directories.registry, &name));
    CHECK_HR(registry_find(directories.registry, &name, &entry), REGDB_E_CLASSNOTREG);
    CHECK_HR(registry_uninstall(directories.registry, &name), REGDB_E_CLASSNOTREG);
    /* A package's class can be neither taken over nor removed. */
    write_manifest(directories.paths[1], "one.json", "A.Other", CLSID_A);
    rival = manifest;
    CHECK_HR(registry_install(directories.registry, rival, &path), VIA_E_CONFIG);
    CHECK_STR_HAS(message(), "one.json");
    name = name_of("A.Other");
    CHECK_HR(registry_uninstall(directories.registry, &name), E_ACCESSDENIED);
    manifest_unref(manifest);
    directories_deinit(&directories);
}

HARNESS_MAIN("registry", TEST_ENTRY(names_are_parsed), TEST_ENTRY(bad_names_are_refused),
             TEST_ENTRY(a_manifest_is_read_and_written),
             TEST_ENTRY(bad_manifests_are_refused_with_their_place),
             TEST_ENTRY(a_read_that_was_begun_before_a_class_was_removed_does_not_bring_it_back),
             TEST_ENTRY(a_file_that_appears_is_a_class_and_one_that_goes_is_none),
             TEST_ENTRY(a_name_without_a_version_means_the_newest),
             TEST_ENTRY(the_first_directory_wins_and_the_other_is_reported),
             TEST_ENTRY(a_broken_manifest_is_named_when_a_class_is_missing),
             TEST_ENTRY(installing_writes_a_file_and_uninstalling_removes_it))
