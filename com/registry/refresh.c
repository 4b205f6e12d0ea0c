/*
 * See refresh.h. Stamps are taken before what they stand for is read: a change in between gives
 * another stamp next time, or the stamp is not settled and says nothing.
 */
#include "com/registry/refresh.h"

#include <stdlib.h>
#include <string.h>

#include "com/registry/catalogue.h"
#include "core/os/path.h"
#include "core/os/stamp.h"
#include "core/util/error.h"

#define PROBLEM_SIZE 2048u

/* What a directory has now. */
struct scan {
    const char *path;
    struct os_stamp stamp;
    bool is_as_before; /* by its stamp: not listed */
    struct os_entry *entries;
    size_t n_entries;
    char *problem;   /* why it cannot be listed, or NULL */
    uint32_t before; /* index of its first file in the catalogue before */
    uint32_t n_before;
};

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for the registry");
}

/* The thread's error as the text of a problem, for free(). */
static char *take_problem(HRESULT hr)
{
    char text[PROBLEM_SIZE];

    error_format(error_get(), hr, text, sizeof(text));
    error_clear();
    return strdup(text);
}

/* Hidden files are none: editors and os_file_write() make such. */
static void drop_hidden(struct scan *scan)
{
    size_t n = 0;

    for (size_t i = 0; i < scan->n_entries; i++) {
        if (scan->entries[i].name[0] == '.')
            free(scan->entries[i].name);
        else
            scan->entries[n++] = scan->entries[i];
    }
    scan->n_entries = n;
}

static bool has_stamp(const struct catalogue_directory *directory, const struct os_stamp *now)
{
    struct os_stamp stamp = catalogue_stamp_of(&directory->stamp, directory->flags);

    return os_stamp_is_same(&stamp, now);
}

static HRESULT scan_directory(struct scan *scan, const struct catalogue_directory *before,
                              enum refresh_depth depth)
{
    HRESULT hr = os_stamp_of(scan->path, &scan->stamp);

    scan->is_as_before =
        SUCCEEDED(hr) && before && depth == REFRESH_DIRECTORIES && has_stamp(before, &scan->stamp);
    if (scan->is_as_before)
        return S_OK;
    if (SUCCEEDED(hr))
        hr = os_directory_scan(scan->path, ".json", &scan->entries, &scan->n_entries);
    drop_hidden(scan);
    if (SUCCEEDED(hr))
        return S_OK;
    scan->stamp.is_settled = false;
    scan->problem = take_problem(hr);
    return scan->problem ? S_OK : no_memory();
}

/* Whether the catalogue before says the same, as far as stamps tell. */
static bool is_unchanged(const struct scan *scan, const struct catalogue *before,
                         const struct catalogue_directory *directory)
{
    if (scan->is_as_before)
        return true;
    if (!has_stamp(directory, &scan->stamp) || scan->n_before != scan->n_entries)
        return false;
    for (size_t i = 0; i < scan->n_entries; i++) {
        const struct catalogue_file *file = &before->files[scan->before + i];
        struct os_stamp stamp = catalogue_stamp_of(&file->stamp, file->flags);

        if (!os_stamp_is_same(&stamp, &scan->entries[i].stamp) ||
            strcmp(catalogue_text(before, file->name), scan->entries[i].name) != 0)
            return false;
    }
    return true;
}

/* S_FALSE: nothing has changed. */
static HRESULT scan_all(struct scan *scans, size_t n_scans, const struct catalogue *before,
                        enum refresh_depth depth)
{
    bool is_same = before != NULL;
    uint32_t n_files = 0;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < n_scans; i++) {
        const struct catalogue_directory *directory = before ? &before->directories[i] : NULL;

        scans[i].before = n_files;
        scans[i].n_before = directory ? directory->n_files : 0;
        n_files += scans[i].n_before;
        hr = scan_directory(&scans[i], directory, depth);
        is_same = SUCCEEDED(hr) && is_same && is_unchanged(&scans[i], before, directory);
    }
    return SUCCEEDED(hr) && is_same ? S_FALSE : hr;
}

/* --- what has changed --- */

static HRESULT read_file(struct catalogue_builder *builder, const struct scan *scan,
                         const struct os_entry *entry)
{
    struct os_stamp stamp = entry->stamp;
    struct manifest *manifest = NULL;
    char *path = os_path_join(scan->path, entry->name), *problem = NULL;
    HRESULT hr = path ? manifest_load(path, &manifest) : no_memory();

    free(path);
    if (hr == E_OUTOFMEMORY)
        return hr;
    if (FAILED(hr)) {
        /* What cannot be read now may be readable soon, without any change of the file. */
        stamp.is_settled = stamp.is_settled && hr == VIA_E_CONFIG;
        problem = take_problem(hr);
        if (!problem)
            return no_memory();
    }
    catalogue_add_file(builder, entry->name, &stamp, manifest, problem ? problem : "");
    manifest_unref(manifest);
    free(problem);
    return S_OK;
}

/* Both lists are sorted by name. */
static HRESULT merge(struct catalogue_builder *builder, const struct scan *scan,
                     const struct catalogue *before, const atomic_bool *is_stopping)
{
    uint32_t file = scan->before, end = scan->before + scan->n_before;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < scan->n_entries; i++) {
        const struct os_entry *entry = &scan->entries[i];
        struct os_stamp stamp = {.is_settled = false};
        int order = 1;

        while (file < end &&
               (order = strcmp(catalogue_text(before, before->files[file].name), entry->name)) < 0)
            file++;
        if (file < end && order == 0)
            stamp = catalogue_stamp_of(&before->files[file].stamp, before->files[file].flags);
        if (os_stamp_is_same(&stamp, &entry->stamp))
            catalogue_copy_file(builder, before, file);
        else if (atomic_load(is_stopping))
            hr = error_set(E_ABORT, "the registry is being closed");
        else
            hr = read_file(builder, scan, entry);
    }
    return hr;
}

static HRESULT build(const struct scan *scans, size_t n_scans, const struct catalogue *before,
                     const atomic_bool *is_stopping, struct catalogue **after)
{
    struct catalogue_builder builder;
    HRESULT hr = S_OK;

    catalogue_begin(&builder);
    for (size_t i = 0; SUCCEEDED(hr) && i < n_scans; i++) {
        const struct scan *scan = &scans[i];

        catalogue_add_directory(&builder, scan->path, scan->problem ? scan->problem : "",
                                &scan->stamp);
        for (uint32_t j = 0; scan->is_as_before && j < scan->n_before; j++)
            catalogue_copy_file(&builder, before, scan->before + j);
        if (!scan->is_as_before)
            hr = merge(&builder, scan, before, is_stopping);
    }
    if (FAILED(hr)) {
        catalogue_drop(&builder);
        return hr;
    }
    return catalogue_build(&builder, after);
}

HRESULT refresh_catalogue(const char *const *directories, const struct catalogue *before,
                          enum refresh_depth depth, const atomic_bool *is_stopping,
                          struct catalogue **after)
{
    size_t n_scans = 0;
    struct scan *scans;
    HRESULT hr;

    while (directories[n_scans])
        n_scans++;
    scans = calloc(n_scans + 1, sizeof(*scans));
    if (!scans)
        return no_memory();
    for (size_t i = 0; i < n_scans; i++)
        scans[i].path = directories[i];
    hr = scan_all(scans, n_scans, before, depth);
    if (hr == S_OK)
        hr = build(scans, n_scans, before, is_stopping, after);
    for (size_t i = 0; i < n_scans; i++) {
        os_entries_free(scans[i].entries, scans[i].n_entries);
        free(scans[i].problem);
    }
    free(scans);
    return hr;
}

bool refresh_is_needed(const char *const *directories, const struct catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->n_directories; i++) {
        struct os_stamp stamp;

        if (FAILED(os_stamp_of(directories[i], &stamp)) ||
            !has_stamp(&catalogue->directories[i], &stamp)) {
            error_clear();
            return true;
        }
    }
    return false;
}
