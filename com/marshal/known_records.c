/*
 * The structs of all libraries that this process knows, by hash and by name.
 *
 * A hash is worked out when a record of the struct is first sent or looked for, and kept as long as
 * the process, like the plans that it belongs to. Equal hashes are equal structs, so it does not
 * matter which library's the look-up gives.
 */
#include "com/marshal/records.h"
#include "core/os/thread.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/map.h"

#include <stdlib.h>
#include <string.h>

struct known {
    const struct plan_struct *record;
    uint8_t hash[TYPELIB_HASH_SIZE];
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static bool is_ready;      /* under lock, as the rest */
static struct map records; /* address -> struct known */
static struct map hashes;  /* hash -> struct known, the first one */
static struct map learned; /* address of a library whose structs are all known -> itself */

static void get_ready_locked(void)
{
    if (is_ready)
        return;
    map_init(&records);
    map_init(&hashes);
    map_init(&learned);
    is_ready = true;
}

/* NULL without memory. */
static const struct known *know_locked(const struct plan_struct *record)
{
    struct map_key key = map_key_u64((uint64_t)(uintptr_t)record);
    struct known *known = map_get(&records, key);
    if (known)
        return known;
    known = calloc(1, sizeof(*known));
    if (!known)
        return NULL;
    known->record = record;
    if (FAILED(typelib_struct_hash(record->lib, record->index, known->hash)) ||
        FAILED(map_set(&records, key, known))) {
        free(known);
        return NULL;
    }
    if (!map_get(&hashes, map_key_bytes(known->hash)))
        map_set(&hashes, map_key_bytes(known->hash), known); /* else the next look-up fails */
    return known;
}

static void learn_library_locked(const struct via_typelib *lib)
{
    struct map_key key = map_key_u64((uint64_t)(uintptr_t)lib);
    if (map_get(&learned, key))
        return;
    const struct plan_struct *structs = plan_structs(lib);
    bool is_whole = structs != NULL;
    for (uint16_t i = 0; is_whole && i < lib->n_structs; i++)
        is_whole = know_locked(&structs[i]) != NULL;
    if (is_whole)
        map_set(&learned, key, (void *)lib);
}

static void learn_all_locked(void)
{
    CLEANUP(cleanup_free) struct typelib_entry *list = NULL;
    size_t n = 0;
    if (FAILED(typelib_catalog_list(&list, &n)))
        return;
    for (size_t i = 0; i < n; i++)
        learn_library_locked(list[i].lib);
}

const uint8_t *records_hash(const struct plan_struct *record)
{
    os_mutex_lock(&lock);
    get_ready_locked();
    const struct known *known = know_locked(record);
    os_mutex_unlock(&lock);
    return known ? known->hash : NULL;
}

bool records_match(const struct plan_struct *left, const struct plan_struct *right)
{
    if (left == right)
        return true;
    const uint8_t *a = records_hash(left), *b = records_hash(right);
    return a && b && !memcmp(a, b, TYPELIB_HASH_SIZE);
}

const struct plan_struct *records_find(const uint8_t hash[TYPELIB_HASH_SIZE])
{
    os_mutex_lock(&lock);
    get_ready_locked();
    const struct known *known = map_get(&hashes, map_key_bytes(hash));
    if (!known) {
        learn_all_locked();
        known = map_get(&hashes, map_key_bytes(hash));
    }
    os_mutex_unlock(&lock);
    return known ? known->record : NULL;
}

/* --- names --- */

static const struct plan_struct *named_in(const struct via_typelib *lib, const char *name)
{
    const struct plan_struct *structs = plan_structs(lib);
    for (uint16_t i = 0; structs && i < lib->n_structs; i++)
        if (!strcmp(structs[i].name, name))
            return &structs[i];
    return NULL;
}

/* Of all libraries, or those of the name in front of the dot. */
static const struct plan_struct *named_anywhere(const char *name, const char **why)
{
    CLEANUP(cleanup_free) struct typelib_entry *list = NULL;
    const struct plan_struct *found = NULL;
    const char *dot = strrchr(name, '.');
    size_t n = 0;
    *why = "no struct of that name is described here";
    if (FAILED(typelib_catalog_list(&list, &n)))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const char *library = list[i].lib->name;
        size_t length = strlen(library);
        if (dot && (length != (size_t)(dot - name) || strncmp(library, name, length)))
            continue;
        const struct plan_struct *record = named_in(list[i].lib, dot ? dot + 1 : name);
        if (record && found && !records_match(record, found)) {
            *why = "several structs have that name: say \"Library.Struct\"";
            return NULL;
        }
        found = record ? record : found;
    }
    return found;
}

const struct plan_struct *records_named(const struct via_typelib *lib, const char *name,
                                        const char **why)
{
    const struct plan_struct *own = strchr(name, '.') ? NULL : named_in(lib, name);
    return own ? own : named_anywhere(name, why);
}
