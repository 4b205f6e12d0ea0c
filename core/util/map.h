/*
 * A hash map from 64-bit or 16-byte keys to pointers. Keys may come from peers: the hash is seeded
 * at random when the map is made. Not locked.
 */
#ifndef CORE_UTIL_MAP_H
#define CORE_UTIL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct map_key {
    uint64_t low;
    uint64_t high;
};

struct map_slot {
    struct map_key key;
    void *value; /* NULL: empty */
};

struct map {
    struct map_slot *slots;
    size_t n_slots; /* a power of two, or 0 */
    size_t n;
    uint64_t seed;
};

static inline struct map_key map_key_u64(uint64_t value)
{
    return (struct map_key){.low = value};
}
struct map_key map_key_bytes(const void *sixteen_bytes);

void map_init(struct map *map);
/* The values are the caller's. */
void map_deinit(struct map *map);
void *map_get(const struct map *map, struct map_key key);
/* `value` is not NULL. Replaces what was there. E_OUTOFMEMORY leaves the map as it was. */
HRESULT map_set(struct map *map, struct map_key key, void *value);
/* The value, taken out; NULL when there was none. */
void *map_remove(struct map *map, struct map_key key);
/* Steps through the values in no order: start with *position = 0; NULL at the end. The map must not
 * change meanwhile. */
void *map_next(const struct map *map, size_t *position);

#endif
