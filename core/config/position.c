/*
 * See position.h. Jansson does not keep positions, so that the text is walked again along the
 * node's way; it has been parsed before, and is known to be valid and not nested too deeply.
 */
#include "core/config/position.h"

#include <stdbool.h>
#include <string.h>

#include "core/config/config.h"

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* `at` is at the opening quote. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
    }
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    unsigned depth = 0;

    at = skip_space(at);
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        if (depth == 0 && *at != '}' && *at != ']')
            return at + strcspn(at, ",]} \t\r\n");
        at += *at != 0;
    } while (depth > 0 && *at);
    return at;
}

/* Keys with escapes are compared as they are written: a wrong position is then the object's own. */
static bool key_is(const char *at, const char *key)
{
    size_t length = strlen(key);

    return strncmp(at + 1, key, length) == 0 && at[1 + length] == '"';
}

/* The member's value; NULL when it is not found. */
static const char *find_member(const char *at, const char *key)
{
    at = skip_space(at + 1);
    while (*at == '"') {
        bool found = key_is(at, key);

        at = skip_space(skip_string(at));
        at = skip_space(at + (*at == ':'));
        if (found)
            return at;
        at = skip_space(skip_value(at));
        at = skip_space(at + (*at == ','));
    }
    return NULL;
}

static const char *find_element(const char *at, size_t index)
{
    at = skip_space(at + 1);
    for (size_t i = 0; i < index && *at && *at != ']'; i++) {
        at = skip_space(skip_value(at));
        at = skip_space(at + (*at == ','));
    }
    return *at ? at : NULL;
}

static const char *find(const char *text, const struct config_node *node)
{
    const char *parent, *found = NULL;

    if (!node->parent)
        return skip_space(text);
    parent = find(text, node->parent);
    if (node->key && *parent == '{')
        found = find_member(parent, node->key);
    else if (!node->key && *parent == '[')
        found = find_element(parent, node->index);
    return found ? found : parent;
}

struct position position_find(const char *text, const struct config_node *node)
{
    const char *found = find(text, node);
    struct position position = {1, 1};

    for (const char *at = text; at < found; at++) {
        position.column++;
        if (*at == '\n') {
            position.line++;
            position.column = 1;
        }
    }
    return position;
}
