/*
 * A hash table of things that carry their own link: exports, imports, capability entries.
 *
 * The table owns nothing and allocates only its slots. Hashes are mixed with a number that each
 * process draws at random, since a peer chooses some of the keys. The caller compares keys:
 * table_find() gives the first link with a hash, table_again() the next one. No locking; whoever
 * owns the table says which lock guards it.
 *
 * A table that grows moves a few chains with each insertion, so that none takes long, however many
 * links there are: until all have moved it has two sets of slots.
 */
#ifndef COM_REMOTE_TABLE_H
#define COM_REMOTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_link {
    struct table_link *next;
    uint64_t hash;
};

struct table {
    struct table_link **slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n_links;
    struct table_link **old_slots; /* half as many, while it grows; else NULL */
    size_t n_moved;                /* of those, from the first on */
};

#define TABLE_ENTRY(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

uint64_t table_hash(const void *key, size_t size);
static inline uint64_t table_hash_u64(uint64_t key)
{
    return table_hash(&key, sizeof key);
}

/* False when memory is short; nothing has changed then. */
bool table_insert(struct table *table, struct table_link *link, uint64_t hash);
void table_remove(struct table *table, struct table_link *link);
struct table_link *table_find(const struct table *table, uint64_t hash);
struct table_link *table_again(const struct table_link *link);
/* The links in no order: NULL starts, NULL ends. The current one may be removed after its successor
 * was taken; nothing may be inserted meanwhile. */
struct table_link *table_walk(const struct table *table, const struct table_link *previous);
/* Frees the slots; the table must be empty. */
void table_deinit(struct table *table);

#endif
