/* The hash table of exports and imports: that it grows without a pause, and loses nothing
 * meanwhile. */
#include "com/remote/table.h"
#include "tests/harness/harness.h"

#include <stdlib.h>

#define N_THINGS 20000u

struct thing {
    struct table_link link;
    uint64_t key;
    bool is_in;
    unsigned n_seen;
};

static struct thing *find(const struct table *table, uint64_t key)
{
    struct table_link *link = table_find(table, table_hash_u64(key));
    while (link != NULL && TABLE_ENTRY(link, struct thing, link)->key != key)
        link = table_again(link);
    return link != NULL ? TABLE_ENTRY(link, struct thing, link) : NULL;
}

static void check_all(const struct table *table, struct thing *things)
{
    size_t n = 0;
    for (struct table_link *l = table_walk(table, NULL); l != NULL; l = table_walk(table, l))
        TABLE_ENTRY(l, struct thing, link)->n_seen++;
    for (unsigned i = 0; i < N_THINGS; i++) {
        if (things[i].n_seen != things[i].is_in ||
            find(table, i) != (things[i].is_in ? &things[i] : NULL)) {
            FAIL("thing %u of %u has been lost, or found too often", i, (unsigned)table->n_links);
            return;
        }
        n += things[i].is_in;
        things[i].n_seen = 0;
    }
    CHECK_EQ(n, table->n_links);
}

TEST(keeps_all_while_it_grows)
{
    struct table table = {0};
    struct thing *things = calloc(N_THINGS, sizeof(*things));
    REQUIRE_NOT_NULL(things);
    for (unsigned i = 0; i < N_THINGS; i++) {
        things[i].key = i;
        things[i].is_in = table_insert(&table, &things[i].link, table_hash_u64(i));
        CHECK(things[i].is_in);
        if (i % 3 == 2) { /* those that have moved, and those that have not */
            unsigned gone = (unsigned)(table_hash_u64(i) % i);
            if (things[gone].is_in)
                table_remove(&table, &things[gone].link);
            things[gone].is_in = false;
        }
        if (i % 1999 == 0)
            check_all(&table, things);
    }
    check_all(&table, things);
    /* Each is taken out when the next one is known. */
    struct table_link *next;
    for (struct table_link *l = table_walk(&table, NULL); l != NULL; l = next) {
        next = table_walk(&table, l);
        table_remove(&table, l);
    }
    CHECK_EQ(table.n_links, 0);
    table_deinit(&table);
    free(things);
}

/* The insertion that makes it grow moves no more than any other. */
TEST(grows_step_by_step)
{
    struct table table = {0};
    struct thing *things = calloc(N_THINGS, sizeof(*things));
    REQUIRE_NOT_NULL(things);
    unsigned n_grown = 0;
    for (unsigned i = 0; i < N_THINGS; i++) {
        size_t n_slots = table.n_slots;
        CHECK(table_insert(&table, &things[i].link, table_hash_u64(i)));
        if (table.n_slots == n_slots || n_slots < 64)
            continue;
        n_grown++;
        CHECK_NOT_NULL(table.old_slots);
        CHECK(table.n_moved < 16);
    }
    CHECK(n_grown > 5);
    for (unsigned i = 0; i < N_THINGS; i++)
        table_remove(&table, &things[i].link);
    CHECK_NULL(table_walk(&table, NULL));
    table_deinit(&table);
    free(things);
}

HARNESS_MAIN("table", TEST_ENTRY(keeps_all_while_it_grows), TEST_ENTRY(grows_step_by_step))
