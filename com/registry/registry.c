/*
 * See registry.h. The lock guards which snapshot is current; files are read outside it, by whoever
 * finds the snapshot too old. Two threads may then read at once; what was begun later wins, however
 * long it takes, since what was begun earlier may still have seen what is gone.
 */
#include "com/registry/registry.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/strings.h"

struct snapshot {
    atomic_uint refs;
    uint64_t read_ns;
    uint64_t number; /* of the read: later ones are larger */
    size_t n_entries;
    struct registry_entry *entries; /* sorted by ProgID */
    size_t n_problems;
    char **problems; /* NULL at the end */
};

struct registry {
    char **directories; /* read-only; NULL at the end */
    struct os_mutex lock;
    uint64_t n_reads;         /* lock; begun */
    struct snapshot *current; /* lock; NULL before the first read */
};

void registry_entry_deinit(struct registry_entry *entry)
{
    manifest_unref(entry->manifest);
    entry->manifest = NULL;
    entry->class = NULL;
}

static void snapshot_unref(struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    registry_list_free(snapshot->entries, snapshot->n_entries);
    strings_free(snapshot->problems);
    free(snapshot);
}

HRESULT registry_new(const char *const *directories, struct registry **out)
{
    struct registry *registry = calloc(1, sizeof(*registry));

    if (!registry)
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    os_mutex_init(&registry->lock);
    registry->directories = strings_copy(directories);
    if (!registry->directories) {
        registry_free(registry);
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    }
    *out = registry;
    return S_OK;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    snapshot_unref(registry->current);
    strings_free(registry->directories);
    os_mutex_deinit(&registry->lock);
    free(registry);
}

const char *const *registry_directories(const struct registry *registry)
{
    return (const char *const *)registry->directories;
}

/* --- reading the directories --- */

static HRESULT add_problem(struct snapshot *snapshot, const char *text)
{
    char **larger = realloc(snapshot->problems, (snapshot->n_problems + 2) * sizeof(char *));
    char *copy = strdup(text);

    if (larger)
        snapshot->problems = larger;
    if (!larger || !copy) {
        free(copy);
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    }
    for (char *at = copy; *at; at++) {
        if ((unsigned char)*at < ' ') /* file names can hold line ends; a problem is one line */
            *at = '?';
    }
    larger[snapshot->n_problems++] = copy;
    larger[snapshot->n_problems] = NULL;
    return S_OK;
}

static const struct registry_entry *snapshot_find(const struct snapshot *snapshot,
                                                  const struct class_name *name)
{
    for (size_t i = 0; i < snapshot->n_entries; i++) {
        const struct manifest_class *class = snapshot->entries[i].class;

        if (name->by_clsid ? IsEqualGUID(&class->clsid, &name->clsid)
                           : strcmp(class->progid, name->progid) == 0)
            return &snapshot->entries[i];
    }
    return NULL;
}

/* A class that is there already stays with the manifest that came first. */
static HRESULT add_class(struct snapshot *snapshot, struct manifest *manifest,
                         const struct manifest_class *class)
{
    struct class_name by_progid = {0}, by_clsid = {.by_clsid = true, .clsid = class->clsid};
    const struct registry_entry *other;
    struct registry_entry *larger;
    char text[1024];

    snprintf(by_progid.progid, sizeof(by_progid.progid), "%s", class->progid);
    other = snapshot_find(snapshot, &by_progid);
    if (!other)
        other = snapshot_find(snapshot, &by_clsid);
    if (other) {
        snprintf(text, sizeof(text), "%s: class %s is not used, because %s has it too",
                 manifest->path, class->progid, other->manifest->path);
        return add_problem(snapshot, text);
    }
    larger = realloc(snapshot->entries, (snapshot->n_entries + 1) * sizeof(*larger));
    if (!larger)
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    snapshot->entries = larger;
    larger[snapshot->n_entries].manifest = manifest_ref(manifest);
    larger[snapshot->n_entries++].class = class;
    return S_OK;
}

static HRESULT read_manifest(struct snapshot *snapshot, const char *path)
{
    struct manifest *manifest;
    char text[2048];
    HRESULT hr = manifest_load(path, &manifest);

    if (FAILED(hr)) {
        error_format(error_get(), hr, text, sizeof(text));
        error_clear();
        return add_problem(snapshot, text);
    }
    for (size_t i = 0; SUCCEEDED(hr) && i < manifest->n_classes; i++)
        hr = add_class(snapshot, manifest, &manifest->classes[i]);
    manifest_unref(manifest);
    return hr;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);

    return length > tail && strcmp(text + length - tail, suffix) == 0;
}

static HRESULT read_directory(struct snapshot *snapshot, const char *directory)
{
    char **names = NULL;
    char text[2048];
    HRESULT hr = os_directory_list(directory, &names);

    if (FAILED(hr)) {
        error_format(error_get(), hr, text, sizeof(text));
        error_clear();
        return add_problem(snapshot, text);
    }
    for (size_t i = 0; SUCCEEDED(hr) && names[i]; i++) {
        char *path;

        if (names[i][0] == '.' || !has_suffix(names[i], ".json"))
            continue;
        path = os_path_join(directory, names[i]);
        hr = path ? read_manifest(snapshot, path)
                  : error_set(E_OUTOFMEMORY, "no memory for the registry");
        free(path);
    }
    os_names_free(names);
    return hr;
}

static int compare_entries(const void *a, const void *b)
{
    const struct registry_entry *left = a, *right = b;

    return strcmp(left->class->progid, right->class->progid);
}

static struct snapshot *begin_read(struct registry *registry)
{
    struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (!snapshot)
        return NULL;
    snapshot->refs = 1;
    snapshot->read_ns = os_now_ns();
    os_mutex_lock(&registry->lock);
    snapshot->number = ++registry->n_reads;
    os_mutex_unlock(&registry->lock);
    return snapshot;
}

/* Makes the snapshot current unless a later one is; takes its reference. Returns what is current,
 * with a reference. */
static struct snapshot *end_read(struct registry *registry, struct snapshot *snapshot)
{
    struct snapshot *left = snapshot;

    os_mutex_lock(&registry->lock);
    if (!registry->current || registry->current->number < snapshot->number) {
        left = registry->current;
        registry->current = snapshot;
    }
    snapshot = registry->current;
    atomic_fetch_add(&snapshot->refs, 1);
    os_mutex_unlock(&registry->lock);
    snapshot_unref(left);
    return snapshot;
}

/* Reads everything; `out` is current, with a reference. */
static HRESULT read_all(struct registry *registry, struct snapshot **out)
{
    struct snapshot *snapshot = begin_read(registry);
    HRESULT hr = S_OK;

    if (!snapshot)
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    for (size_t i = 0; SUCCEEDED(hr) && registry->directories[i]; i++)
        hr = read_directory(snapshot, registry->directories[i]);
    if (FAILED(hr)) {
        snapshot_unref(snapshot);
        return hr;
    }
    if (snapshot->n_entries)
        qsort(snapshot->entries, snapshot->n_entries, sizeof(*snapshot->entries), compare_entries);
    *out = end_read(registry, snapshot);
    return S_OK;
}

/* The current snapshot if it is fresh, with a reference; else NULL. */
static struct snapshot *fresh(struct registry *registry)
{
    struct snapshot *snapshot;

    os_mutex_lock(&registry->lock);
    snapshot = registry->current;
    if (snapshot && os_now_ns() - snapshot->read_ns < REGISTRY_FRESH_MS * 1000000ull)
        atomic_fetch_add(&snapshot->refs, 1);
    else
        snapshot = NULL;
    os_mutex_unlock(&registry->lock);
    return snapshot;
}

/* --- looking up --- */

static HRESULT not_registered(const struct registry *registry, const struct snapshot *snapshot,
                              const struct class_name *name)
{
    char class[CLASS_NAME_PROGID_SIZE], text[ERROR_TEXT_SIZE];
    size_t used = 0;

    text[0] = 0;
    for (size_t i = 0; registry->directories[i] && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                                 registry->directories[i]);
    for (size_t i = 0; i < snapshot->n_problems && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                 i ? "; " : "; not usable there: ", snapshot->problems[i]);
    return error_set(REGDB_E_CLASSNOTREG, "class %s is not registered; searched %s",
                     class_name_format(name, class), text);
}

static void entry_copy(const struct registry_entry *from, struct registry_entry *to)
{
    to->manifest = manifest_ref(from->manifest);
    to->class = from->class;
}

HRESULT registry_find(struct registry *registry, const struct class_name *name,
                      struct registry_entry *entry)
{
    struct snapshot *snapshot = fresh(registry);
    const struct registry_entry *found = snapshot ? snapshot_find(snapshot, name) : NULL;
    HRESULT hr = S_OK;

    if (!found) {
        snapshot_unref(snapshot);
        hr = read_all(registry, &snapshot);
        if (FAILED(hr))
            return hr;
        found = snapshot_find(snapshot, name);
    }
    if (found)
        entry_copy(found, entry);
    else
        hr = not_registered(registry, snapshot, name);
    snapshot_unref(snapshot);
    return hr;
}

HRESULT registry_list(struct registry *registry, struct registry_entry **out, size_t *n_entries)
{
    struct snapshot *snapshot;
    struct registry_entry *entries;
    HRESULT hr = read_all(registry, &snapshot);

    if (FAILED(hr))
        return hr;
    entries = calloc(snapshot->n_entries + 1, sizeof(*entries));
    if (!entries) {
        hr = error_set(E_OUTOFMEMORY, "no memory for the list of classes");
    } else {
        for (size_t i = 0; i < snapshot->n_entries; i++)
            entry_copy(&snapshot->entries[i], &entries[i]);
        *out = entries;
        *n_entries = snapshot->n_entries;
    }
    snapshot_unref(snapshot);
    return hr;
}

void registry_list_free(struct registry_entry *entries, size_t n_entries)
{
    for (size_t i = 0; i < n_entries; i++)
        registry_entry_deinit(&entries[i]);
    free(entries);
}

HRESULT registry_problems(struct registry *registry, char ***out)
{
    struct snapshot *snapshot;
    HRESULT hr = read_all(registry, &snapshot);
    char **problems;

    if (FAILED(hr))
        return hr;
    problems = snapshot->problems ? strings_copy((const char *const *)snapshot->problems)
                                  : calloc(1, sizeof(char *));
    snapshot_unref(snapshot);
    if (!problems)
        return error_set(E_OUTOFMEMORY, "no memory for the list of problems");
    *out = problems;
    return S_OK;
}

void registry_problems_free(char **problems)
{
    strings_free(problems);
}

/* --- installing --- */

/* Whether another manifest than the one at `path` has one of the classes. */
static HRESULT check_free(const struct snapshot *snapshot, const struct manifest *manifest,
                          const char *path)
{
    for (size_t i = 0; i < manifest->n_classes; i++) {
        struct class_name by_clsid = {.by_clsid = true, .clsid = manifest->classes[i].clsid};
        struct class_name by_progid = {0};
        const struct registry_entry *other;

        snprintf(by_progid.progid, sizeof(by_progid.progid), "%s", manifest->classes[i].progid);
        other = snapshot_find(snapshot, &by_progid);
        if (!other)
            other = snapshot_find(snapshot, &by_clsid);
        if (other && strcmp(other->manifest->path, path) != 0)
            return error_set(VIA_E_CONFIG,
                             "class %s is registered already, by %s; unregister it first",
                             manifest->classes[i].progid, other->manifest->path);
    }
    return S_OK;
}

HRESULT registry_install(struct registry *registry, const struct manifest *manifest, char **out)
{
    const char *directory = registry->directories[0];
    char name[CLASS_NAME_PROGID_SIZE + 8];
    struct snapshot *snapshot = NULL;
    char *text = NULL, *path;
    HRESULT hr;

    snprintf(name, sizeof(name), "%s.json", manifest->classes[0].progid);
    path = os_path_join(directory, name);
    hr = path ? read_all(registry, &snapshot) : error_set(E_OUTOFMEMORY, "no memory for a path");
    if (SUCCEEDED(hr))
        hr = check_free(snapshot, manifest, path);
    if (SUCCEEDED(hr) && !(text = manifest_format(manifest)))
        hr = error_set(E_OUTOFMEMORY, "no memory for a manifest");
    if (SUCCEEDED(hr))
        hr = os_directory_make(directory);
    if (SUCCEEDED(hr))
        hr = os_file_write(path, text, strlen(text));
    snapshot_unref(snapshot);
    snapshot = NULL;
    if (SUCCEEDED(hr))
        hr = read_all(registry, &snapshot);
    snapshot_unref(snapshot);
    free(text);
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
    struct snapshot *snapshot = NULL;
    char class[CLASS_NAME_PROGID_SIZE];
    char *directory;
    HRESULT hr = registry_find(registry, name, &entry);

    if (FAILED(hr))
        return hr;
    directory = os_path_directory(entry.manifest->path);
    if (!directory)
        hr = error_set(E_OUTOFMEMORY, "no memory for a path");
    else if (strcmp(directory, registry->directories[0]) != 0)
        hr = error_set(
            E_ACCESSDENIED,
            "class %s was not registered by a user but installed, as %s; remove what installed it",
            class_name_format(name, class), entry.manifest->path);
    else
        hr = os_file_remove(entry.manifest->path);
    if (SUCCEEDED(hr))
        hr = read_all(registry, &snapshot);
    snapshot_unref(snapshot);
    free(directory);
    registry_entry_deinit(&entry);
    return SUCCEEDED(hr) ? S_OK : hr;
}
