/*
 * See registry.h. Manifests that were asked for lately are kept in slots, by their paths, so that
 * getting an object of a class again reads no file.
 */
#include "com/registry/registry.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/registry/keeper.h"
#include "com/registry/versions.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/strings.h"

/* Components that are used at the same time, with a margin; a manifest has 1 KiB as a rule. */
#define N_SLOTS 256u

struct slot {
    struct manifest *manifest; /* NULL: free */
    struct os_stamp stamp;     /* from before it was read */
    uint64_t looked_ns;        /* when its file had this stamp */
};

struct registry {
    char **directories; /* read-only; NULL at the end */
    struct keeper *keeper;
    struct os_mutex lock;
    struct slot slots[N_SLOTS]; /* lock */
};

void registry_entry_deinit(struct registry_entry *entry)
{
    manifest_unref(entry->manifest);
    entry->manifest = NULL;
    entry->class = NULL;
}

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for the registry");
}

HRESULT registry_new(const char *const *directories, const char *index_place, struct registry **out)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    HRESULT hr = S_OK;

    if (!registry)
        return no_memory();
    os_mutex_init(&registry->lock);
    registry->directories = strings_copy(directories);
    if (!registry->directories)
        hr = no_memory();
    if (SUCCEEDED(hr))
        hr = keeper_new(registry_directories(registry), index_place, &registry->keeper);
    if (FAILED(hr)) {
        registry_free(registry);
        return hr;
    }
    *out = registry;
    return S_OK;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    keeper_free(registry->keeper);
    for (size_t i = 0; i < N_SLOTS; i++)
        manifest_unref(registry->slots[i].manifest);
    strings_free(registry->directories);
    os_mutex_deinit(&registry->lock);
    free(registry);
}

void registry_warm(struct registry *registry)
{
    keeper_wake(registry->keeper);
}

const char *const *registry_directories(const struct registry *registry)
{
    return (const char *const *)registry->directories;
}

/* --- manifests --- */

static struct slot *slot_locked(struct registry *registry, const char *path)
{
    uint32_t hash = 2166136261u;

    while (*path)
        hash = (hash ^ (unsigned char)*path++) * 16777619u;
    return &registry->slots[hash % N_SLOTS];
}

/* What is in the slot for this file, with a reference; else NULL. */
static struct manifest *take_slot(struct registry *registry, const char *path, struct slot *copy)
{
    struct slot *slot;

    os_mutex_lock(&registry->lock);
    slot = slot_locked(registry, path);
    *copy = *slot;
    if (copy->manifest && strcmp(copy->manifest->path, path) == 0)
        manifest_ref(copy->manifest);
    else
        copy->manifest = NULL;
    os_mutex_unlock(&registry->lock);
    return copy->manifest;
}

/* `manifest` NULL empties it. */
static void set_slot(struct registry *registry, const char *path, struct manifest *manifest,
                     const struct os_stamp *stamp, uint64_t looked_ns)
{
    struct manifest *left;
    struct slot *slot;

    os_mutex_lock(&registry->lock);
    slot = slot_locked(registry, path);
    left = slot->manifest;
    slot->manifest = manifest ? manifest_ref(manifest) : NULL;
    slot->stamp = *stamp;
    slot->looked_ns = looked_ns;
    os_mutex_unlock(&registry->lock);
    manifest_unref(left);
}

/* As the file is now, or was within REGISTRY_FRESH_MS. */
static HRESULT get_manifest(struct registry *registry, const char *path, struct manifest **manifest)
{
    uint64_t now_ns = os_now_ns();
    struct os_stamp stamp;
    struct slot slot;
    HRESULT hr;

    *manifest = take_slot(registry, path, &slot);
    if (*manifest && now_ns - slot.looked_ns < REGISTRY_FRESH_MS * 1000000ull)
        return S_OK;
    hr = os_stamp_of(path, &stamp);
    if (FAILED(hr) || !*manifest || !os_stamp_is_same(&slot.stamp, &stamp)) {
        manifest_unref(*manifest);
        *manifest = NULL;
        hr = manifest_load(path, manifest);
    }
    if (SUCCEEDED(hr))
        set_slot(registry, path, *manifest, &stamp, now_ns);
    return SUCCEEDED(hr) ? S_OK : hr;
}

/* --- looking up --- */

/* `progid`: of the class that a name without a version means. */
static const struct manifest_class *class_in(const struct manifest *manifest,
                                             const struct class_name *name, const char *progid)
{
    for (size_t i = 0; i < manifest->n_classes; i++) {
        const struct manifest_class *class = &manifest->classes[i];

        if (name->by_clsid ? IsEqualGUID(&class->clsid, &name->clsid)
                           : strcmp(class->progid, progid) == 0)
            return class;
    }
    return NULL;
}

enum answer { FOUND, ABSENT, CONTRADICTED /* by the manifest */ };

static HRESULT find_in(struct registry *registry, const struct catalogue *catalogue,
                       const struct class_name *name, struct registry_entry *entry,
                       enum answer *answer)
{
    uint32_t class = catalogue_find(catalogue, name);
    HRESULT hr;
    char *path;

    if (class == CATALOGUE_NONE && !name->by_clsid)
        class = version_newest(catalogue, name->progid);
    *answer = class == CATALOGUE_NONE ? ABSENT : CONTRADICTED;
    if (class == CATALOGUE_NONE)
        return S_OK;
    path = catalogue_path(catalogue, catalogue->classes[class].file);
    hr = path ? get_manifest(registry, path, &entry->manifest) : no_memory();
    free(path);
    if (hr == E_OUTOFMEMORY)
        return hr;
    if (FAILED(hr)) {
        error_clear();
        return S_OK;
    }
    entry->class = class_in(entry->manifest, name,
                            catalogue_text(catalogue, catalogue->classes[class].progid));
    entry->is_current = version_is_current(catalogue, class);
    if (entry->class)
        *answer = FOUND;
    else
        registry_entry_deinit(entry);
    return S_OK;
}

static HRESULT not_registered(const struct registry *registry, const struct catalogue *catalogue,
                              const struct class_name *name)
{
    char class[CLASS_NAME_PROGID_SIZE], text[ERROR_TEXT_SIZE], **problems;
    HRESULT hr = catalogue_problems(catalogue, &problems);
    size_t used = 0;

    if (FAILED(hr))
        return hr;
    text[0] = 0;
    for (size_t i = 0; registry->directories[i] && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                                 registry->directories[i]);
    for (size_t i = 0; problems[i] && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                 i ? "; " : "; not usable there: ", problems[i]);
    strings_free(problems);
    return error_set(REGDB_E_CLASSNOTREG, "class %s is not registered; searched %s",
                     class_name_format(name, class), text);
}

HRESULT registry_find(struct registry *registry, const struct class_name *name,
                      struct registry_entry *entry)
{
    struct catalogue *catalogue;
    enum answer answer = ABSENT;
    HRESULT hr = keeper_get(registry->keeper, &catalogue);

    if (SUCCEEDED(hr)) {
        hr = find_in(registry, catalogue, name, entry, &answer);
        catalogue_unref(catalogue);
    }
    if (FAILED(hr) || answer == FOUND)
        return hr;
    hr = keeper_refresh(registry->keeper,
                        answer == CONTRADICTED ? KEEPER_FILES : KEEPER_FILES_LATELY, &catalogue);
    if (FAILED(hr))
        return hr;
    hr = find_in(registry, catalogue, name, entry, &answer);
    if (SUCCEEDED(hr) && answer != FOUND)
        hr = not_registered(registry, catalogue, name);
    catalogue_unref(catalogue);
    return hr;
}

HRESULT registry_list(struct registry *registry, bool is_next, struct catalogue **catalogue)
{
    return is_next ? keeper_get(registry->keeper, catalogue)
                   : keeper_refresh(registry->keeper, KEEPER_FILES_LATELY, catalogue);
}

/* --- installing --- */

/* Whether another manifest than the one at `path` has one of the classes. */
static HRESULT check_free(const struct catalogue *catalogue, const struct manifest *manifest,
                          const char *path)
{
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < manifest->n_classes; i++) {
        struct class_name by_clsid = {.by_clsid = true, .clsid = manifest->classes[i].clsid};
        struct class_name by_progid = {0};
        uint32_t other;
        char *other_path;

        snprintf(by_progid.progid, sizeof(by_progid.progid), "%s", manifest->classes[i].progid);
        other = catalogue_find(catalogue, &by_progid);
        if (other == CATALOGUE_NONE)
            other = catalogue_find(catalogue, &by_clsid);
        if (other == CATALOGUE_NONE)
            continue;
        other_path = catalogue_path(catalogue, catalogue->classes[other].file);
        if (!other_path)
            hr = no_memory();
        else if (strcmp(other_path, path) != 0)
            hr = error_set(VIA_E_CONFIG,
                           "class %s is registered already, by %s; unregister it first",
                           manifest->classes[i].progid, other_path);
        free(other_path);
    }
    return hr;
}

/* The file at `path` is not what it was; whoever asks for a class of it next finds that out. */
static void forget(struct registry *registry, const char *path)
{
    struct os_stamp none = {.is_settled = false};

    set_slot(registry, path, NULL, &none, 0);
}

static HRESULT write_manifest(struct registry *registry, const struct manifest *manifest,
                              const char *path)
{
    char *text = manifest_format(manifest);
    HRESULT hr = text ? os_directory_make(registry->directories[0]) : no_memory();

    if (SUCCEEDED(hr))
        hr = os_file_write(path, text, strlen(text));
    if (SUCCEEDED(hr))
        forget(registry, path);
    free(text);
    return hr;
}

HRESULT registry_install(struct registry *registry, const struct manifest *manifest, char **out)
{
    char name[CLASS_NAME_PROGID_SIZE + 8];
    struct catalogue *catalogue;
    HRESULT hr = S_OK;
    char *path;

    snprintf(name, sizeof(name), "%s.json", manifest->classes[0].progid);
    path = os_path_join(registry->directories[0], name);
    hr = path ? keeper_refresh(registry->keeper, KEEPER_DIRECTORIES, &catalogue) : no_memory();
    if (SUCCEEDED(hr)) {
        hr = check_free(catalogue, manifest, path);
        catalogue_unref(catalogue);
    }
    if (SUCCEEDED(hr))
        hr = write_manifest(registry, manifest, path);
    if (FAILED(hr)) {
        free(path);
        return hr;
    }
    *out = path;
    return S_OK;
}

HRESULT registry_uninstall(struct registry *registry, const struct class_name *name)
{
    struct registry_entry entry;
    char class[CLASS_NAME_PROGID_SIZE];
    char *directory;
    HRESULT hr = registry_find(registry, name, &entry);

    if (FAILED(hr))
        return hr;
    directory = os_path_directory(entry.manifest->path);
    if (!directory)
        hr = no_memory();
    else if (!name->by_clsid && strcmp(entry.class->progid, name->progid) != 0)
        hr = error_set(REGDB_E_CLASSNOTREG,
                       "%s is the newest of several versions, %s; name the one that is to go",
                       name->progid, entry.class->progid);
    else if (strcmp(directory, registry->directories[0]) != 0)
        hr = error_set(
            E_ACCESSDENIED,
            "class %s was not registered by a user but installed, as %s; remove what installed it",
            class_name_format(name, class), entry.manifest->path);
    else
        hr = os_file_remove(entry.manifest->path);
    if (SUCCEEDED(hr))
        forget(registry, entry.manifest->path);
    free(directory);
    registry_entry_deinit(&entry);
    return SUCCEEDED(hr) ? S_OK : hr;
}
