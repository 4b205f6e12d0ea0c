/* core/config: what is accepted, and that every complaint names its place. */
#include "core/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

static const char sample[] = "{\n"
                             "  \"name\": \"a \\\"b\\\" c\",\n"
                             "  \"limits\": { \"calls\": 12, \"on\": true },\n"
                             "  \"peers\": [ { \"name\": \"one\" },\n"
                             "             { \"name\": 2 } ]\n"
                             "}\n";

static struct config *parse(const char *text)
{
    struct config *config = NULL;

    CHECK_OK(config_parse(text, strlen(text), "sample.json", &config));
    return config;
}

static const char *message(void)
{
    return error_get() ? error_get()->text : "";
}

TEST(reads_values)
{
    struct config *config = parse(sample);
    struct config_node root, node, child;
    const char *text;
    int64_t number;
    bool on = false;
    size_t count;

    REQUIRE_NOT_NULL(config);
    root = config_root(config);
    CHECK(config_find(&root, "name", &node));
    CHECK_OK(config_string(&node, &text));
    CHECK_STR_EQ(text, "a \"b\" c");
    CHECK(config_find(&root, "limits", &node) && config_find(&node, "calls", &child));
    CHECK_OK(config_integer(&child, 1, 100, &number));
    CHECK_EQ(number, 12);
    CHECK(config_find(&node, "on", &child));
    CHECK_OK(config_boolean(&child, &on));
    CHECK(on);
    CHECK(config_find(&root, "peers", &node));
    CHECK_OK(config_count(&node, 2, &count));
    CHECK_EQ(count, 2);
    CHECK_FALSE(config_find(&root, "absent", &child));
    config_free(config);
}

TEST(complaints_name_line_column_and_key)
{
    static const char *const known[] = {"name", "limits", NULL};
    struct config *config = parse(sample);
    struct config_node root, node, child, grandchild;
    const char *text;
    int64_t number;
    size_t count;

    REQUIRE_NOT_NULL(config);
    root = config_root(config);
    CHECK_HR(config_check_keys(&root, known), VIA_E_CONFIG);
    CHECK_STR_HAS(message(),
                  "sample.json:4:12: key \"peers\": unknown key; known here: name, limits");
    CHECK(config_find(&root, "peers", &node));
    config_element(&node, 1, &child);
    CHECK(config_find(&child, "name", &grandchild));
    CHECK_HR(config_string(&grandchild, &text), VIA_E_CONFIG);
    CHECK_STR_EQ(message(),
                 "sample.json:5:24: key \"peers[1].name\": expected a string, not a number");
    CHECK_HR(config_count(&node, 1, &count), VIA_E_CONFIG);
    CHECK_HR(config_require(&child, "address", &grandchild), VIA_E_CONFIG);
    CHECK_STR_EQ(message(), "sample.json:5:14: key \"peers[1]\": the key \"address\" is missing");
    CHECK(config_find(&root, "limits", &node) && config_find(&node, "calls", &child));
    CHECK_HR(config_integer(&child, 20, 30, &number), VIA_E_CONFIG);
    CHECK_STR_EQ(message(), "sample.json:3:24: key \"limits.calls\": expected a number from 20 to "
                            "30, not 12");
    error_clear();
    config_free(config);
}

TEST(refuses_what_is_no_json)
{
    struct config *config = NULL;
    const char *broken = "{\n \"a\": 1,\n \"b\" 2\n}";

    CHECK_HR(config_parse(broken, strlen(broken), "x.json", &config), VIA_E_CONFIG);
    CHECK_STR_HAS(message(), "x.json:3:");
    CHECK_HR(config_parse("[1]", 3, "x.json", &config), VIA_E_CONFIG);
    CHECK_STR_EQ(message(), "x.json:1:1: expected an object, not an array");
    CHECK_HR(config_parse("{\"a\":1,\"a\":2}", 13, "x.json", &config), VIA_E_CONFIG);
    CHECK_STR_HAS(message(), "duplicate");
    CHECK_HR(config_parse("", 0, "x.json", &config), VIA_E_CONFIG);
    CHECK_STR_HAS(message(), "x.json:1:");
    CHECK_NULL(config);
    error_clear();
}

TEST(files_are_loaded_and_missing_ones_named)
{
    char *path = os_path_join(harness_temporary_directory(), "a.json");
    struct config *config = NULL;

    CHECK_HR(config_load(path, &config), VIA_WIN32(2));
    CHECK_STR_HAS(message(), "a.json");
    CHECK_OK(os_file_write(path, "{}", 2));
    CHECK_OK(config_load(path, &config));
    config_free(config);
    error_clear();
    free(path);
}

TEST(out_of_memory_is_reported)
{
    for (size_t n = 0;; n++) {
        struct config *config = NULL;
        HRESULT hr;

        harness_fail_allocation(n);
        hr = config_parse(sample, sizeof(sample) - 1, "sample.json", &config);
        if (!harness_allocation_failed()) {
            CHECK_OK(hr);
            config_free(config);
            break;
        }
        CHECK(FAILED(hr));
        error_clear();
    }
}

HARNESS_MAIN("config", TEST_ENTRY(reads_values), TEST_ENTRY(complaints_name_line_column_and_key),
             TEST_ENTRY(refuses_what_is_no_json),
             TEST_ENTRY(files_are_loaded_and_missing_ones_named),
             TEST_ENTRY(out_of_memory_is_reported))
