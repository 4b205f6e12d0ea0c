#include "com/remote/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/random.h"

#define FIRST_SLOTS 16

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

static bool grow(struct table *table)
{
    size_t n_slots = table->n_slots == 0 ? FIRST_SLOTS : table->n_slots * 2;
    struct table_link **slots = calloc(n_slots, sizeof(struct table_link *));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < table->n_slots; i++) {
        struct table_link *link = table->slots[i];
        while (link != NULL) {
            struct table_link *next = link->next;
            link->next = slots[link->hash & (n_slots - 1)];
            slots[link->hash & (n_slots - 1)] = link;
            link = next;
        }
    }
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

bool table_insert(struct table *table, struct table_link *link, uint64_t hash)
{
    if (table->n_links >= table->n_slots && !grow(table) && table->n_slots == 0)
        return false;
    struct table_link **slot = &table->slots[hash & (table->n_slots - 1)];
    link->hash = hash;
    link->next = *slot;
    *slot = link;
    table->n_links++;
    return true;
}

void table_remove(struct table *table, struct table_link *link)
{
    struct table_link **slot = &table->slots[link->hash & (table->n_slots - 1)];
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
    struct table_link *link = table->slots[hash & (table->n_slots - 1)];
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

struct table_link *table_walk(const struct table *table, const struct table_link *previous)
{
    size_t slot = 0;
    if (previous != NULL) {
        if (previous->next != NULL)
            return previous->next;
        slot = (previous->hash & (table->n_slots - 1)) + 1;
    }
    for (; slot < table->n_slots; slot++)
        if (table->slots[slot] != NULL)
            return table->slots[slot];
    return NULL;
}

void table_deinit(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}
