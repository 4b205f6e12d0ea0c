/* com/typelib: the JSON form, as strangers may write it. */
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/typelib/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static HRESULT read_json(const char *text)
{
    struct via_typelib *lib;
    HRESULT hr = typelib_from_json(text, strlen(text), &lib);

    if (SUCCEEDED(hr))
        typelib_free(lib);
    error_clear();
    return hr;
}

TEST(json_that_is_no_type_library_is_refused)
{
    static const char *const bad[] = {"",
                                      "null",
                                      "[]",
                                      "{}",
                                      "{\"viaduct_typelib\": 1}",
                                      "{\"viaduct_typelib\": 2, \"name\": \"x\"}",
                                      "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                                      "\"{}\", \"version\": [1, 0], \"enums\": [], "
                                      "\"structs\": [], \"interfaces\": [], \"coclasses\": []}",
                                      "{\"viaduct_typelib\": 1, \"name\": 5, \"libid\": "
                                      "\"1a2b3c4d-0001-4000-8000-000000000001\", "
                                      "\"version\": [1, 0], \"enums\": [], \"structs\": [], "
                                      "\"interfaces\": [], \"coclasses\": []}",
                                      "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                                      "\"1a2b3c4d-0001-4000-8000-000000000001\", "
                                      "\"version\": [1, 0], \"enums\": [5], \"structs\": [], "
                                      "\"interfaces\": [], \"coclasses\": []}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_HR(read_json(bad[i]), VIA_E_TYPE);
}

/* Each struct holds the one before it twice: 2^40 fields, if somebody looked at them one by one. */
TEST(doubling_structs_are_refused_at_once)
{
    struct buffer text;

    buffer_init(&text, 1 << 20);
    buffer_print(&text,
                 "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                 "\"1a2b3c4d-0001-4000-8000-000000000001\", \"version\": [1, 0], \"enums\": [], "
                 "\"interfaces\": [], \"coclasses\": [], \"structs\": ["
                 "{\"name\": \"s0\", \"fields\": [{\"name\": \"a\", \"type\": \"i32\"}]}");
    for (unsigned i = 1; i <= 40; i++)
        buffer_print(&text,
                     ", {\"name\": \"s%u\", \"fields\": [{\"name\": \"a\", \"type\": {\"struct\": "
                     "\"s%u\"}}, "
                     "{\"name\": \"b\", \"type\": {\"struct\": \"s%u\"}}]}",
                     i, i - 1, i - 1);
    buffer_print(&text, "]}");
    char *json = buffer_take_text(&text);
    buffer_deinit(&text);
    REQUIRE_NOT_NULL(json);
    CHECK_HR(read_json(json), VIA_E_TYPE);
    free(json);
}

/* What types need to know of their neighbours: sizes that are computed, lengths, discriminants,
 * IIDs. */
static const char needy_json[] =
    "{\"viaduct_typelib\": 1, \"name\": \"needy\", \"libid\": "
    "\"1a2b3c4d-0001-4000-8000-000000000002\", \"version\": [1, 0], \"enums\": [], \"structs\": ["
    "{\"name\": \"Record\", \"fields\": [{\"name\": \"n\", \"type\": \"i32\"}, {\"name\": \"c\", "
    "\"type\": {\"sized\": \"bstr\", \"size_is\": [[\"n\", \"*\", 2], \"+\", 1], \"length_is\": "
    "\"n\", "
    "\"nullable\": true}}, {\"name\": \"u\", \"type\": {\"union\": \"U\", \"switch_is\": \"n\"}}, "
    "{\"name\": \"a\", \"type\": {\"array\": \"i32\", \"count\": 4, \"length_is\": [\"n\", \"%\", "
    "5]}}]}], \"unions\": [{\"name\": \"U\", \"arms\": [{\"cases\": [1, 2], \"name\": \"a\", "
    "\"type\": "
    "\"i32\"}, {\"cases\": [], \"default\": true}, {\"cases\": [-3], \"name\": \"s\", \"type\": "
    "{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}}]}], \"interfaces\": [{\"name\": "
    "\"IUnknown\", \"iid\": \"00000000-0000-0000-c000-000000000046\", \"external\": true, "
    "\"methods\": "
    "[]}, {\"name\": \"IOne\", \"iid\": \"1a2b3c4d-0001-4000-8000-000000000003\", \"base\": "
    "\"IUnknown\", \"methods\": [{\"name\": \"M\", \"dispid\": 1, \"params\": [{\"name\": \"iid\", "
    "\"type\": \"guid\", \"in\": true, \"by_ref\": true}, {\"name\": \"n\", \"type\": \"u32\", "
    "\"in\": "
    "true}, {\"name\": \"object\", \"type\": {\"interface\": \"IUnknown\", \"iid_is\": \"iid\"}, "
    "\"out\": true, \"by_ref\": true}, {\"name\": \"list\", \"type\": {\"sized\": {\"struct\": "
    "\"Record\"}, \"size_is\": [\"n\", \"<<\", 1]}, \"in\": true}, {\"name\": \"u\", \"type\": "
    "{\"union\": "
    "\"U\", \"switch_is\": \"n\"}, \"in\": true}]}]}], \"coclasses\": []}";

static char *needy_copy(void)
{
    char *text = malloc(sizeof(needy_json));
    return text ? memcpy(text, needy_json, sizeof(needy_json)) : NULL;
}

/* One part is replaced. */
static void check_needy(const char *part, const char *other, const char *expected)
{
    char text[2 * sizeof(needy_json)], message[ERROR_TEXT_SIZE];
    struct via_typelib *lib;
    const char *at = strstr(needy_json, part);
    REQUIRE_NOT_NULL(at);
    int size = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - needy_json), needy_json, other,
                        at + strlen(part));
    if (!CHECK_HR(typelib_from_json(text, (size_t)size, &lib), VIA_E_TYPE))
        harness_note("accepted: %s instead of %s", other, part);
    CHECK_STR_HAS(error_format(error_get(), VIA_E_TYPE, message, sizeof(message)), expected);
    error_clear();
}

TEST(what_types_need_has_to_be_there)
{
    CHECK_OK(read_json(needy_json));
    check_needy("[\"n\", \"*\", 2]", "[\"x\", \"*\", 2]", "a reference names nothing");
    check_needy("[\"n\", \"*\", 2]", "[\"u\", \"*\", 2]", "its size is not an integer");
    check_needy("[\"n\", \"*\", 2]", "[\"n\", \"^\", 2]", "an expression is neither");
    check_needy("[\"n\", \"*\", 2]", "[\"n\", \"*\"]", "an expression is neither");
    check_needy("\"length_is\": \"n\"", "\"length_is\": \"c\"", "its length is not an integer");
    check_needy("\"switch_is\": \"n\"", "\"switch_is\": \"c\"",
                "its discriminant is not an integer");
    check_needy("\"switch_is\": \"n\"", "\"switch_is\": 5", "does not say where");
    check_needy("\"iid_is\": \"iid\"", "\"iid_is\": \"n\"", "its IID is not a GUID");
    check_needy("\"union\": \"U\"", "\"union\": \"V\"", "a reference names nothing");
    check_needy("[1, 2]", "[1, -3]", "has two arms for -3");
    check_needy("[1, 2]", "[1, 4294967296]", "a union's case is out of range");
    check_needy("{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}",
                "{\"struct\": \"Record\"}", "holds itself");
    check_needy("{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}",
                "{\"sized\": \"i32\", \"size_is\": \"n\"}", "a reference names nothing");
    check_needy("\"name\": \"n\", \"type\": \"u32\", \"in\": true",
                "\"name\": \"n\", \"type\": \"u32\", \"out\": true, \"by_ref\": true",
                "is not an [in] parameter");
}

static char *sample_json(void)
{
    struct sample s;
    char *text = NULL;

    sample_init(&s);
    CHECK_OK(typelib_to_json(&s.lib, 0, &text));
    return text;
}

/* One part of the sample's JSON is replaced. */
static void check_sample(const char *part, const char *other, const char *expected)
{
    struct via_typelib *lib;
    char message[ERROR_TEXT_SIZE];
    char *good = sample_json();
    const char *at = good ? strstr(good, part) : NULL;
    char *text = good ? malloc(strlen(good) + strlen(other) + 1) : NULL;
    if (!CHECK_NOT_NULL(at) || !text)
        harness_note("no %s in %s", part, good);
    else {
        sprintf(text, "%.*s%s%s", (int)(at - good), good, other, at + strlen(part));
        if (CHECK_HR(typelib_from_json(text, strlen(text), &lib), VIA_E_TYPE))
            CHECK_STR_HAS(error_format(error_get(), VIA_E_TYPE, message, sizeof(message)),
                          expected);
        error_clear();
    }
    free(text);
    free(good);
}

static const char counts_json[] = "{\"name\":\"Counts\",\"type\":{\"pointer\":{\"type\":\"i32\","
                                  "\"alias\":\"Count\"},\"nullable\":true},\"help\":";

TEST(aliases_are_checked)
{
    check_sample("\"alias\":\"Count\"", "\"alias\":\"Nobody\"", "a reference names nothing");
    check_sample("\"alias\":\"Count\"", "\"alias\":5", "a reference names nothing");
    check_sample("\"alias\":\"Count\"", "\"alias\":\"Counts\"", "alias that is not in front");
    check_sample("\"alias\":\"Counts\"", "\"alias\":\"Count\"", "stands for no pointer");
    check_sample("\"name\":\"Count\",\"type\":\"i32\"", "\"name\":\"Count\",\"type\":\"bstr\"",
                 "is not what its alias Count stands for");
    check_sample("\"name\":\"Count\",\"type\":\"i32\"", "\"name\":\"Count\"",
                 "an unknown form of type");
    check_sample("\"name\":\"Count\"", "\"name\":5", "a name is missing");
    check_sample("\"public\":true", "\"uuid\":\"?\"", "a GUID is missing or malformed");
    check_sample("\"aliases\":[", "\"aliases\":5,\"others\":[", "a list is missing or too long");
    check_sample(counts_json,
                 "{\"name\":\"Counts\",\"type\":{\"sized\":\"i32\",\"size_is\":\"n\"},"
                 "\"help\":",
                 "a reference names nothing");
    check_sample(counts_json,
                 "{\"name\":\"Counts\",\"type\":{\"sized\":\"i32\",\"size_is\":5},"
                 "\"help\":",
                 "needs more than a name");
    check_sample(counts_json, "{\"name\":\"Count\",\"type\":\"i32\",\"help\":", "");
}

/* What is accepted after a change can be used: described, hashed, written again. */
static void use(const struct via_typelib *lib)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    char *again = NULL;

    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        typelib_hash(lib, i, hash);
    for (uint16_t i = 0; i < lib->n_types; i++)
        typelib_layout(lib, i);
    if (SUCCEEDED(typelib_to_json(lib, 0, &again)))
        free(again);
}

#define N_MUTANTS 20000

/* How many of the mutants of a text are accepted. */
static unsigned mutate(const char *good)
{
    static const char *const words[] = {"\"i32\"",   "\"bstr\"",  "\"Record\"", "\"IOne\"", "\"n\"",
                                        "\"sum\"",   "0",         "4294967296", "true",     "{}",
                                        "\"sized\"", "\"array\"", "\"record\"", "[]",       "-1",
                                        "\"Count\"", "\"Counts\""};
    size_t size = strlen(good);
    char *text = malloc(size + 64);
    uint32_t state = 20260102;
    unsigned n_accepted = 0;

    for (unsigned i = 0; text && i < N_MUTANTS; i++) {
        struct via_typelib *lib;
        state = state * 1664525u + 1013904223u;
        const char *word = words[(state >> 8) % (sizeof(words) / sizeof(words[0]))];
        state = state * 1664525u + 1013904223u;
        /* A string or number is replaced by another. */
        const char *at = good + (state >> 8) % size;
        at = at + strcspn(at, "\":,");
        const char *from = *at ? at + (*at != '"') : at;
        size_t n = *from == '"' ? strcspn(from + 1, "\"") + 2 : strcspn(from, ",]}");
        if (from + n > good + size)
            continue;
        int length =
            snprintf(text, size + 64, "%.*s%s%s", (int)(from - good), good, word, from + n);
        if (SUCCEEDED(typelib_from_json(text, (size_t)length, &lib))) {
            n_accepted++;
            use(lib);
            typelib_free(lib);
        }
        error_clear();
    }
    free(text);
    return n_accepted;
}

TEST(mutated_json_brings_nothing_down)
{
    char *good = sample_json();
    REQUIRE_NOT_NULL(good);
    harness_note("%u of %u mutants accepted", mutate(good), N_MUTANTS);
    harness_note("%u of %u mutants accepted", mutate(needy_json), N_MUTANTS);
    free(good);
}

static void fail_every_allocation(char *text)
{
    HRESULT hr;
    size_t n = 0;

    REQUIRE_NOT_NULL(text);
    do {
        struct via_typelib *lib = NULL;
        harness_fail_allocation(n);
        hr = typelib_from_json(text, strlen(text), &lib);
        bool failed = harness_allocation_failed();
        if (SUCCEEDED(hr))
            typelib_free(lib);
        error_clear();
        if (!failed)
            break;
        n++;
    } while (n < 1000);
    CHECK_OK(hr);
    CHECK(n > 5 && n < 1000);
    free(text);
}

TEST(no_memory_is_an_error_at_every_allocation)
{
    fail_every_allocation(sample_json());
    fail_every_allocation(needy_copy());
}

HARNESS_MAIN("typelib_json", TEST_ENTRY(json_that_is_no_type_library_is_refused),
             TEST_ENTRY(doubling_structs_are_refused_at_once),
             TEST_ENTRY(what_types_need_has_to_be_there), TEST_ENTRY(aliases_are_checked),
             TEST_ENTRY_LIMIT(mutated_json_brings_nothing_down, 60000),
             TEST_ENTRY(no_memory_is_an_error_at_every_allocation))
