/* Open addressing with linear probing, at most three quarters full; removal closes the gap, so that
 * there are no tombstones. */
#include "core/util/map.h"
#include "core/os/random.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 16

struct map_key map_key_bytes(const void *sixteen_bytes)
{
    struct map_key key;
    memcpy(&key, sixteen_bytes, sizeof(key));
    return key;
}

void map_init(struct map *map)
{
    *map = (struct map){0};
    if (FAILED(os_random(&map->seed, sizeof(map->seed)))) {
        /* Ids are random anyway; a fixed seed only makes collisions easier to provoke. */
        map->seed = 0x9E3779B97F4A7C15u;
        error_clear();
    }
}

void map_deinit(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static size_t home(const struct map *map, struct map_key key)
{
    return (size_t)mix(mix(key.low ^ map->seed) + key.high) & (map->n_slots - 1);
}

static bool is_equal(struct map_key left, struct map_key right)
{
    return left.low == right.low && left.high == right.high;
}

/* The key's slot, or the empty one where it belongs. There is always an empty one. */
static size_t find(const struct map *map, struct map_key key)
{
    size_t i = home(map, key);
    while (map->slots[i].value && !is_equal(map->slots[i].key, key))
        i = (i + 1) & (map->n_slots - 1);
    return i;
}

void *map_get(const struct map *map, struct map_key key)
{
    return map->n_slots ? map->slots[find(map, key)].value : NULL;
}

static HRESULT grow(struct map *map)
{
    struct map larger = *map;
    larger.n_slots = map->n_slots ? map->n_slots * 2 : FIRST_SLOTS;
    larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
    if (!larger.slots)
        return error_set(E_OUTOFMEMORY, "no memory for a table of %zu entries", larger.n_slots);
    for (size_t i = 0; i < map->n_slots; i++)
        if (map->slots[i].value)
            larger.slots[find(&larger, map->slots[i].key)] = map->slots[i];
    free(map->slots);
    *map = larger;
    return S_OK;
}

HRESULT map_set(struct map *map, struct map_key key, void *value)
{
    if ((map->n + 1) * 4 > map->n_slots * 3) {
        HRESULT hr = grow(map);
        if (FAILED(hr))
            return hr;
    }
    struct map_slot *slot = &map->slots[find(map, key)];
    if (!slot->value)
        map->n++;
    *slot = (struct map_slot){.key = key, .value = value};
    return S_OK;
}

void *map_remove(struct map *map, struct map_key key)
{
    if (!map->n_slots)
        return NULL;
    size_t mask = map->n_slots - 1;
    size_t gap = find(map, key);
    void *value = map->slots[gap].value;
    if (!value)
        return NULL;
    map->n--;
    map->slots[gap].value = NULL;
    for (size_t i = (gap + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
        size_t distance_home = (i - home(map, map->slots[i].key)) & mask;
        size_t distance_gap = (i - gap) & mask;
        if (distance_home < distance_gap)
            continue;
        map->slots[gap] = map->slots[i];
        map->slots[i].value = NULL;
        gap = i;
    }
    return value;
}

void *map_next(const struct map *map, size_t *position)
{
    while (*position < map->n_slots) {
        void *value = map->slots[(*position)++].value;
        if (value)
            return value;
    }
    return NULL;
}
