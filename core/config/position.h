/* Where in a JSON text a value stands. Only asked when there is something to complain about. */
#ifndef CORE_CONFIG_POSITION_H
#define CORE_CONFIG_POSITION_H

#include <stddef.h>

struct config_node;

struct position {
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in bytes */
};

/* `text` is valid JSON with a zero behind it, in which the node's way leads to a value. */
struct position position_find(const char *text, const struct config_node *node);

#endif
