/*
 * What this process knows by IID. Libraries live as long as the process once they have been known,
 * so a result stays valid; the lock is held for a look-up in a hash table. What the process itself
 * registers is fixed. What came from a peer is that peer's word: it yields to what is registered
 * later.
 */
#include "com/abi/guid.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    const struct via_typelib *lib;
    uint16_t index;
    uint8_t hash[TYPELIB_HASH_SIZE];
    bool is_adopted;              /* it is a peer's word */
    const struct entry *replaced; /* of such a word, for who may still read it; or NULL */
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static struct map entries; /* IID -> struct entry; under lock */
static bool is_ready;      /* under lock */

static struct entry *find_locked(const GUID *iid)
{
    if (!is_ready) {
        map_init(&entries);
        is_ready = true;
    }
    return map_get(&entries, map_key_bytes(iid));
}

static void hash_text(const uint8_t *hash, char text[2 * TYPELIB_HASH_SIZE + 1])
{
    for (size_t i = 0; i < TYPELIB_HASH_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static HRESULT mismatch(const struct via_interface *iface, const struct entry *known,
                        const uint8_t *hash)
{
    char iid[GUID_TEXT_SIZE], ours[2 * TYPELIB_HASH_SIZE + 1], other[2 * TYPELIB_HASH_SIZE + 1];
    hash_text(known->hash, ours);
    hash_text(hash, other);
    return error_set(
        VIA_E_MISMATCH,
        "interface %s %s is known with another description (%s, now %s): an interface that "
        "changes needs a new IID",
        iface->name, guid_format(&iface->iid, iid), ours, other);
}

/* S_OK: to be added, as *fresh, perhaps in the place of another; S_FALSE: known, or nothing to add.
 */
static HRESULT prepare(const struct via_typelib *lib, uint16_t index, bool is_adopted,
                       struct entry **fresh)
{
    const struct via_interface *iface = &lib->interfaces[index];
    if (iface->flags & VIA_INTERFACE_EXTERNAL)
        return S_FALSE;
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry)
        return error_set(E_OUTOFMEMORY, "no memory to know interface %s", iface->name);
    *entry = (struct entry){.lib = lib, .index = index, .is_adopted = is_adopted};
    HRESULT hr = typelib_hash(lib, index, entry->hash);
    const struct entry *known = SUCCEEDED(hr) ? find_locked(&iface->iid) : NULL;
    if (known && !memcmp(known->hash, entry->hash, sizeof(entry->hash)) &&
        known->is_adopted <= is_adopted)
        hr = S_FALSE;
    else if (known && (!known->is_adopted || is_adopted))
        hr = mismatch(iface, known, entry->hash);
    entry->replaced = known;
    if (hr == S_OK)
        *fresh = entry;
    else
        free(entry);
    return hr;
}

/* Of what a peer describes, interfaces that are known otherwise are left as they are known, and
 * their calls fail. The others are none the worse: libraries of Windows repeat what is in others.
 */
static HRESULT prepare_all(const struct via_typelib *lib, bool is_adopted, struct entry **fresh)
{
    bool differs = false;
    bool adds = false;
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < lib->n_interfaces && SUCCEEDED(hr); i++) {
        hr = prepare(lib, i, is_adopted, &fresh[i]);
        bool is_other = hr == VIA_E_MISMATCH && is_adopted;
        differs |= is_other;
        adds |= fresh[i] != NULL;
        if (is_other)
            hr = S_FALSE;
    }
    if (differs && !adds && SUCCEEDED(hr))
        return VIA_E_MISMATCH; /* whose text is there */
    if (differs)
        error_clear();
    return hr;
}

/* All or nothing; what is not added is freed. */
static HRESULT add_locked(const struct via_typelib *lib, bool is_adopted, struct entry **fresh)
{
    HRESULT hr = prepare_all(lib, is_adopted, fresh);
    uint16_t n_added = 0;
    for (uint16_t i = 0; i < lib->n_interfaces && SUCCEEDED(hr); i++, n_added++)
        if (fresh[i])
            hr = map_set(&entries, map_key_bytes(&lib->interfaces[i].iid), fresh[i]);
    if (SUCCEEDED(hr))
        return S_OK;
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        struct map_key key = map_key_bytes(&lib->interfaces[i].iid);
        if (i < n_added && fresh[i] && fresh[i]->replaced)
            map_set(&entries, key, (void *)fresh[i]->replaced); /* takes no memory */
        else if (i < n_added && fresh[i])
            map_remove(&entries, key);
        free(fresh[i]);
    }
    return hr;
}

static HRESULT add(const struct via_typelib *lib, bool is_adopted)
{
    HRESULT hr = typelib_check(lib);
    if (FAILED(hr))
        return hr;
    struct entry **fresh = calloc((size_t)lib->n_interfaces + 1, sizeof(struct entry *));
    if (!fresh)
        return error_set(E_OUTOFMEMORY, "no memory to know type library %s", lib->name);
    os_mutex_lock(&lock);
    hr = add_locked(lib, is_adopted, fresh);
    os_mutex_unlock(&lock);
    free(fresh);
    return hr;
}

HRESULT typelib_catalog_add(const struct via_typelib *lib)
{
    return add(lib, false);
}

HRESULT typelib_catalog_adopt(struct via_typelib *lib)
{
    HRESULT hr = add(lib, true);
    bool is_used = false;
    os_mutex_lock(&lock);
    for (uint16_t i = 0; i < lib->n_interfaces && !is_used; i++) {
        /* Another thread may have registered the interface meanwhile. */
        const struct entry *entry = find_locked(&lib->interfaces[i].iid);
        while (entry && entry->lib != lib)
            entry = entry->replaced;
        is_used = entry != NULL;
    }
    os_mutex_unlock(&lock);
    if (!is_used)
        typelib_free(lib);
    return hr;
}

HRESULT typelib_catalog_list(struct typelib_entry **list, size_t *n)
{
    size_t position = 0;
    size_t used = 0;
    const struct entry *entry;
    os_mutex_lock(&lock);
    size_t max = is_ready ? entries.n : 0;
    struct typelib_entry *all = calloc(max + 1, sizeof(*all));
    while (all && used < max && (entry = map_next(&entries, &position)))
        all[used++] = (struct typelib_entry){entry->lib, entry->index};
    os_mutex_unlock(&lock);
    if (!all)
        return error_set(E_OUTOFMEMORY, "no memory to list the known interfaces");
    *list = all;
    *n = used;
    return S_OK;
}

HRESULT typelib_catalog_find(const GUID *iid, const struct via_typelib **lib, uint16_t *index)
{
    os_mutex_lock(&lock);
    const struct entry *entry = find_locked(iid);
    os_mutex_unlock(&lock);
    if (!entry) {
        char text[GUID_TEXT_SIZE];
        return error_set(
            REGDB_E_IIDNOTREG,
            "interface %s is not known here: register the type library that describes it",
            guid_format(iid, text));
    }
    *lib = entry->lib;
    *index = entry->index;
    return S_OK;
}
