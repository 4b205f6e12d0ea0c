/* See config.h. */
#include "core/config/config.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/position.h"
#include "core/os/file.h"
#include "core/util/error.h"

struct config {
    char *name;
    char *text; /* with a zero behind it */
    json_t *root;
};

static json_t *json_of(const struct config_node *node)
{
    return node->json;
}

static const char *type_name(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array",  [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return names[json_typeof(json)];
}

/* "peers[0].address"; "" for the root. */
static void write_way(const struct config_node *node, char *buffer, size_t size)
{
    size_t used;

    buffer[0] = 0;
    if (!node->parent)
        return;
    write_way(node->parent, buffer, size);
    used = strlen(buffer);
    if (node->key)
        snprintf(buffer + used, size - used, "%s%s", used ? "." : "", node->key);
    else
        snprintf(buffer + used, size - used, "[%zu]", node->index);
}

HRESULT config_fail(const struct config_node *node, const char *format, ...)
{
    struct position position = position_find(node->config->text, node);
    char way[256], text[768];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    write_way(node, way, sizeof(way));
    if (!way[0])
        return error_set(VIA_E_CONFIG, "%s:%u:%u: %s", node->config->name, position.line,
                         position.column, text);
    return error_set(VIA_E_CONFIG, "%s:%u:%u: key \"%s\": %s", node->config->name, position.line,
                     position.column, way, text);
}

/* --- documents --- */

HRESULT config_parse(const char *text, size_t size, const char *name, struct config **out)
{
    struct config *config = calloc(1, sizeof(*config));
    json_error_t error;

    if (config) {
        config->name = strdup(name);
        config->text = malloc(size + 1);
    }
    if (!config || !config->name || !config->text) {
        config_free(config);
        return error_set(E_OUTOFMEMORY, "no memory for %s", name);
    }
    memcpy(config->text, text, size);
    config->text[size] = 0;
    config->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!config->root) {
        bool has_zero = json_error_code(&error) == json_error_null_character ||
                        json_error_code(&error) == json_error_null_byte_in_key;

        config_free(config);
        return error_set(VIA_E_CONFIG, "%s:%d:%d: %s", name, error.line > 0 ? error.line : 1,
                         error.column > 0 ? error.column : 1,
                         has_zero ? "a text with \\u0000 is not allowed" : error.text);
    }
    if (!json_is_object(config->root)) {
        const char *type = type_name(config->root);

        config_free(config);
        return error_set(VIA_E_CONFIG, "%s:1:1: expected an object, not %s", name, type);
    }
    *out = config;
    return S_OK;
}

HRESULT config_load(const char *path, struct config **config)
{
    char *text;
    size_t size;
    HRESULT hr = os_file_read(path, CONFIG_MAX_SIZE, &text, &size);

    if (FAILED(hr))
        return hr;
    hr = config_parse(text, size, path, config);
    free(text);
    return hr;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    json_decref(config->root);
    free(config->name);
    free(config->text);
    free(config);
}

struct config_node config_root(struct config *config)
{
    return (struct config_node){.config = config, .json = config->root};
}

/* --- objects and arrays --- */

bool config_find(const struct config_node *node, const char *key, struct config_node *child)
{
    json_t *json = json_object_get(json_of(node), key);

    if (!json)
        return false;
    *child = (struct config_node){.config = node->config, .parent = node, .key = key, .json = json};
    return true;
}

HRESULT config_require(const struct config_node *node, const char *key, struct config_node *child)
{
    if (!config_find(node, key, child))
        return config_fail(node, "the key \"%s\" is missing", key);
    return S_OK;
}

static bool is_known(const char *key, const char *const *known)
{
    while (*known && strcmp(*known, key) != 0)
        known++;
    return *known != NULL;
}

HRESULT config_check_keys(const struct config_node *node, const char *const *known)
{
    const char *key;
    json_t *value;
    char list[512];
    size_t used = 0;

    if (!json_is_object(json_of(node)))
        return config_fail(node, "expected an object, not %s", type_name(json_of(node)));
    list[0] = 0;
    for (size_t i = 0; known[i] && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", known[i]);
    json_object_foreach(json_of(node), key, value)
    {
        struct config_node child = {node->config, node, key, 0, value};

        if (!is_known(key, known))
            return config_fail(&child, "unknown key; known here: %s", list);
    }
    return S_OK;
}

HRESULT config_count(const struct config_node *node, size_t limit, size_t *count)
{
    size_t size = json_array_size(json_of(node));

    if (!json_is_array(json_of(node)))
        return config_fail(node, "expected an array, not %s", type_name(json_of(node)));
    if (size > limit)
        return config_fail(node, "expected at most %zu elements, not %zu", limit, size);
    *count = size;
    return S_OK;
}

void config_element(const struct config_node *node, size_t index, struct config_node *child)
{
    *child = (struct config_node){.config = node->config,
                                  .parent = node,
                                  .index = index,
                                  .json = json_array_get(json_of(node), index)};
}

/* --- values --- */

HRESULT config_string(const struct config_node *node, const char **text)
{
    if (!json_is_string(json_of(node)))
        return config_fail(node, "expected a string, not %s", type_name(json_of(node)));
    *text = json_string_value(json_of(node));
    return S_OK;
}

HRESULT config_text(const struct config_node *node, char **copy)
{
    const char *text = NULL;
    HRESULT hr = config_string(node, &text);

    if (FAILED(hr))
        return hr;
    *copy = strdup(text);
    return *copy ? S_OK : error_set(E_OUTOFMEMORY, "no memory for the text of a setting");
}

HRESULT config_integer(const struct config_node *node, int64_t min, int64_t max, int64_t *value)
{
    json_int_t read = json_integer_value(json_of(node));

    if (!json_is_integer(json_of(node)))
        return config_fail(node, "expected a whole number, not %s", type_name(json_of(node)));
    if (read < min || read > max)
        return config_fail(node, "expected a number from %lld to %lld, not %lld", (long long)min,
                           (long long)max, (long long)read);
    *value = read;
    return S_OK;
}

HRESULT config_boolean(const struct config_node *node, bool *value)
{
    if (!json_is_boolean(json_of(node)))
        return config_fail(node, "expected true or false, not %s", type_name(json_of(node)));
    *value = json_is_true(json_of(node));
    return S_OK;
}

HRESULT config_word(const struct config_node *node, const char *const *words, unsigned *index)
{
    const char *text = NULL;
    char list[256];
    size_t used = 0;
    HRESULT hr = config_string(node, &text);

    if (FAILED(hr))
        return hr;
    list[0] = 0;
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *index = i;
            return S_OK;
        }
        if (used < sizeof(list))
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", i ? ", " : "",
                                     words[i]);
    }
    return config_fail(node, "expected one of %s, not \"%.64s\"", list, text);
}
