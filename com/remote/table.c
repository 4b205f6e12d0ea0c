#include "com/remote/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/random.h"

#define FIRST_SLOTS 16
/* Chains that move with one insertion. */
#define MOVED_AT_ONCE 4

static _Atomic uint64_t the_seed;

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static uint64_t seed(void)
{
    uint64_t value = atomic_load_explicit(&the_seed, memory_order_relaxed);
    if (value != 0)
        return value;
    uint64_t drawn = 0;
    os_random(&drawn, sizeof drawn);
    drawn |= 1;
    uint64_t expected = 0;
    if (atomic_compare_exchange_strong(&the_seed, &expected, drawn))
        return drawn;
    return expected;
}

uint64_t table_hash(const void *key, size_t size)
{
    const uint8_t *bytes = key;
    uint64_t hash = seed();
    while (size > 0) {
        uint64_t word = 0;
        size_t n = size < sizeof word ? size : sizeof word;
        memcpy(&word, bytes, n);
        hash = mix(hash ^ word);
        bytes += n;
        size -= n;
    }
    return hash;
}

/* The chain that a hash belongs to. */
static struct table_link **chain_of(const struct table *table, uint64_t hash)
{
    if (table->old_slots != NULL) {
        size_t old = hash & (table->n_slots / 2 - 1);
        if (old >= table->n_moved)
            return &table->old_slots[old];
    }
    return &table->slots[hash & (table->n_slots - 1)];
}

static void move(struct table *table, size_t n_chains)
{
    size_t n_old = table->n_slots / 2;
    while (table->old_slots != NULL && n_chains-- > 0) {
        struct table_link *link = table->old_slots[table->n_moved++];
        while (link != NULL) {
            struct table_link *next = link->next;
            struct table_link **slot = &table->slots[link->hash & (table->n_slots - 1)];
            link->next = *slot;
            *slot = link;
            link = next;
        }
        if (table->n_moved < n_old)
            continue;
        free(table->old_slots);
        table->old_slots = NULL;
    }
}

static bool grow(struct table *table)
{
    size_t n_slots = table->n_slots == 0 ? FIRST_SLOTS : table->n_slots * 2;
    struct table_link **slots = calloc(n_slots, sizeof(struct table_link *));
    if (slots == NULL)
        return false;
    move(table, table->n_slots); /* as many insertions as there were slots have moved all */
    table->old_slots = table->slots;
    table->n_moved = 0;
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

bool table_insert(struct table *table, struct table_link *link, uint64_t hash)
{
    if (table->n_links >= table->n_slots && !grow(table) && table->n_slots == 0)
        return false;
    move(table, MOVED_AT_ONCE);
    struct table_link **slot = chain_of(table, hash);
    link->hash = hash;
    link->next = *slot;
    *slot = link;
    table->n_links++;
    return true;
}

void table_remove(struct table *table, struct table_link *link)
{
    struct table_link **slot = chain_of(table, link->hash);
    while (*slot != link)
        slot = &(*slot)->next;
    *slot = link->next;
    link->next = NULL;
    table->n_links--;
}

struct table_link *table_find(const struct table *table, uint64_t hash)
{
    if (table->n_slots == 0)
        return NULL;
    struct table_link *link = *chain_of(table, hash);
    while (link != NULL && link->hash != hash)
        link = link->next;
    return link;
}

struct table_link *table_again(const struct table_link *link)
{
    struct table_link *next = link->next;
    while (next != NULL && next->hash != link->hash)
        next = next->next;
    return next;
}

/* The first link of the chains from `from` on, those that have not moved first; NULL: none. */
static struct table_link *first_of(const struct table *table, size_t from, bool is_old)
{
    size_t n_old = table->old_slots != NULL ? table->n_slots / 2 : 0;
    if (is_old) {
        for (size_t slot = from; slot < n_old; slot++)
            if (table->old_slots[slot] != NULL)
                return table->old_slots[slot];
        from = 0;
    }
    for (size_t slot = from; slot < table->n_slots; slot++)
        if (table->slots[slot] != NULL)
            return table->slots[slot];
    return NULL;
}

struct table_link *table_walk(const struct table *table, const struct table_link *previous)
{
    if (previous == NULL)
        return first_of(table, table->n_moved, true);
    if (previous->next != NULL)
        return previous->next;
    size_t old = previous->hash & (table->n_slots / 2 - 1);
    if (table->old_slots != NULL && old >= table->n_moved)
        return first_of(table, old + 1, true);
    return first_of(table, (previous->hash & (table->n_slots - 1)) + 1, false);
}

void table_deinit(struct table *table)
{
    free(table->old_slots);
    free(table->slots);
    *table = (struct table){0};
}
