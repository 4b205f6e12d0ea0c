/*
 * JSON configuration files, with errors that name file, line, column and key.
 *
 * A document is parsed as a whole (duplicate keys are refused). A node stands for one value in it
 * and knows the way to it; nodes are small values on the stack, and a child is valid as long as its
 * parent is. Every function that fails returns VIA_E_CONFIG with a text such as
 *
 *     /etc/viaduct/viaductd.json:7:16: key "peers[0].address": expected a string, not a number
 *
 * Not locked: a document is read by one thread.
 */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#include "core/util/printf.h"

/* A configuration file that is longer is refused. */
#define CONFIG_MAX_SIZE (1024u * 1024)

struct config;

struct config_node {
    struct config *config;
    const struct config_node *parent; /* NULL: the document's root */
    const char *key;                  /* in the parent, if that is an object */
    size_t index;                     /* in the parent, if that is an array */
    void *json;                       /* borrowed from the document */
};

/* VIA_WIN32(2) when there is no such file. */
HRESULT config_load(const char *path, struct config **config);
/* `name` stands for the file in messages. The root has to be an object. */
HRESULT config_parse(const char *text, size_t size, const char *name, struct config **config);
/* Takes NULL. */
void config_free(struct config *config);

struct config_node config_root(struct config *config);

/* False when the object has no such key. The node itself has to be an object (config_check_keys
 * says so). */
bool config_find(const struct config_node *node, const char *key, struct config_node *child);
/* The same, for a key that has to be there. */
HRESULT config_require(const struct config_node *node, const char *key, struct config_node *child);
/* The node is an object, and has no key but these (NULL at the end); an unknown one is named, with
 * the known ones. */
HRESULT config_check_keys(const struct config_node *node, const char *const *known);

/* The node is an array, of at most `limit` elements. */
HRESULT config_count(const struct config_node *node, size_t limit, size_t *count);
void config_element(const struct config_node *node, size_t index, struct config_node *child);

/* Borrowed from the document. */
HRESULT config_string(const struct config_node *node, const char **text);
/* A copy of it, for free(). E_OUTOFMEMORY besides. */
HRESULT config_text(const struct config_node *node, char **text);
HRESULT config_integer(const struct config_node *node, int64_t min, int64_t max, int64_t *value);
HRESULT config_boolean(const struct config_node *node, bool *value);
/* One of `words` (NULL at the end); gives its index. */
HRESULT config_word(const struct config_node *node, const char *const *words, unsigned *index);

/* What else is wrong with a value: VIA_E_CONFIG with its position and key in front. */
HRESULT config_fail(const struct config_node *node, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
