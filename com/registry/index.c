/* See index.h. */
#include "com/registry/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/registry/catalogue.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/stamp.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#define INDEX_MAGIC   0x5845444E49414956ull /* "VIAINDEX" */
#define INDEX_VERSION 1u
/* Text and records of more classes than anybody has. */
#define INDEX_MAX_SIZE 0x60000000u
#define INDEX_SUFFIX   ".index"

struct header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size;
    uint64_t file_size;
    uint64_t checksum; /* of everything else */
    uint32_t n_directories;
    uint32_t n_files;
    uint32_t n_classes;
    uint32_t n_used;
    uint64_t text_size; /* with the zeroes behind it */
    uint64_t reserved;
};

_Static_assert(sizeof(struct header) == 64, "the header of index files has gaps");

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for the index of classes");
}

static HRESULT damaged(const char *what)
{
    return error_set(VIA_E_CONFIG, "it is damaged: %s", what);
}

/* --- the checksum --- */

/* Four lanes, for speed. Each step maps the words one to one, so that a single wrong word is always
 * found; against forgery it does nothing. */
static uint64_t step(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * 0x9E3779B97F4A7C15u;
    return lane << 29 | lane >> 35;
}

/* `size` is a multiple of 8. */
static uint64_t checksum_of(const void *data, size_t size, uint64_t start)
{
    const char *bytes = data;
    uint64_t lanes[4] = {start, 1, 2, 3}, word;
    size_t i = 0;

    for (; i + 32 <= size; i += 32) {
        for (size_t lane = 0; lane < 4; lane++) {
            memcpy(&word, bytes + i + 8 * lane, sizeof(word));
            lanes[lane] = step(lanes[lane], word);
        }
    }
    for (; i < size; i += 8) {
        memcpy(&word, bytes + i, sizeof(word));
        lanes[0] = step(lanes[0], word);
    }
    return step(step(step(step(size, lanes[0]), lanes[1]), lanes[2]), lanes[3]);
}

static uint64_t checksum_of_file(const void *data, size_t size)
{
    struct header header;

    memcpy(&header, data, sizeof(header));
    header.checksum = 0;
    return checksum_of((const char *)data + sizeof(header), size - sizeof(header),
                       checksum_of(&header, sizeof(header), 0));
}

/* --- reading --- */

static uint64_t rounded(uint64_t size)
{
    return (size + 7) & ~7ull;
}

static HRESULT check_header(const struct header *header, size_t size)
{
    if (header->magic != INDEX_MAGIC)
        return damaged("it does not begin as an index does");
    if (header->version != INDEX_VERSION || header->header_size != sizeof(*header))
        return error_set(VIA_E_CONFIG, "it is of version %u, not %u", header->version,
                         INDEX_VERSION);
    if (header->file_size != size)
        return damaged("it is cut off or has something behind its end");
    if (checksum_of_file(header, size) != header->checksum)
        return damaged("its checksum is wrong");
    if (header->n_used > header->n_classes || header->reserved)
        return damaged("its counts contradict each other");
    return S_OK;
}

/* Finds the parts; no sum can overflow: counts have 32 bits, and the text is no longer than the
 * file. */
static HRESULT find_parts(const struct header *header, size_t size, struct catalogue *catalogue)
{
    uint64_t at = sizeof(*header), files, classes, order, text;
    char *data = (char *)header;

    files = at + header->n_directories * (uint64_t)sizeof(*catalogue->directories);
    classes = files + header->n_files * (uint64_t)sizeof(*catalogue->files);
    order = classes + header->n_classes * (uint64_t)sizeof(*catalogue->classes);
    text = rounded(order + header->n_used * (uint64_t)sizeof(*catalogue->order));
    if (text > size || header->text_size != size - text || header->text_size == 0)
        return damaged("its parts are not as long as it says");
    catalogue->directories = (void *)(data + at);
    catalogue->files = (void *)(data + files);
    catalogue->classes = (void *)(data + classes);
    catalogue->order = (void *)(data + order);
    catalogue->text = data + text;
    catalogue->text_size = header->text_size;
    catalogue->n_directories = header->n_directories;
    catalogue->n_files = header->n_files;
    catalogue->n_classes = header->n_classes;
    if (catalogue->text[0] || catalogue->text[catalogue->text_size - 1])
        return damaged("its text does not end");
    return S_OK;
}

static bool has_texts(const struct catalogue *catalogue, uint32_t one, uint32_t other)
{
    return one < catalogue->text_size && other < catalogue->text_size;
}

static HRESULT check_directories(const struct catalogue *catalogue, const char *const *directories)
{
    uint64_t n_files = 0;
    uint32_t i = 0;

    for (; i < catalogue->n_directories && directories[i]; i++) {
        const struct catalogue_directory *directory = &catalogue->directories[i];

        if (!has_texts(catalogue, directory->path, directory->problem) ||
            (directory->flags & ~(uint32_t)CATALOGUE_IS_SETTLED))
            return damaged("a directory's record is not valid");
        if (strcmp(catalogue_text(catalogue, directory->path), directories[i]) != 0)
            return error_set(VIA_E_CONFIG, "it is for other directories");
        n_files += directory->n_files;
    }
    if (i != catalogue->n_directories || directories[i])
        return error_set(VIA_E_CONFIG, "it is for other directories");
    return n_files == catalogue->n_files ? S_OK : damaged("its directories lack files");
}

/* Names lead nowhere else, and are sorted in each directory. */
static bool is_file_name(const struct catalogue *catalogue, uint32_t index, bool is_first)
{
    const struct catalogue_file *file = &catalogue->files[index];
    const char *name = catalogue_text(catalogue, file->name);

    return *name && *name != '.' && !strpbrk(name, "/\\:") &&
           (is_first || strcmp(catalogue_text(catalogue, file[-1].name), name) < 0);
}

static HRESULT check_files(const struct catalogue *catalogue)
{
    uint32_t index = 0, n_classes = 0;

    for (uint32_t i = 0; i < catalogue->n_directories; i++) {
        for (uint32_t j = 0; j < catalogue->directories[i].n_files; j++, index++) {
            const struct catalogue_file *file = &catalogue->files[index];

            if (!has_texts(catalogue, file->name, file->component) ||
                !has_texts(catalogue, file->problem, 0) || file->directory != i ||
                file->activation > MANIFEST_IN_PROGRAM || file->first_class != n_classes ||
                file->n_classes > MANIFEST_MAX_CLASSES ||
                file->n_classes > catalogue->n_classes - n_classes ||
                (file->flags & ~(uint32_t)CATALOGUE_IS_SETTLED) ||
                !is_file_name(catalogue, index, j == 0))
                return damaged("a file's record is not valid");
            n_classes += file->n_classes;
        }
    }
    return n_classes == catalogue->n_classes ? S_OK : damaged("its files lack classes");
}

static HRESULT check_classes(const struct catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->n_files; i++) {
        const struct catalogue_file *file = &catalogue->files[i];

        for (uint32_t j = 0; j < file->n_classes; j++) {
            const struct catalogue_class *class = &catalogue->classes[file->first_class + j];

            if (!has_texts(catalogue, class->progid, class->description) || class->file != i ||
                (class->flags & ~(uint32_t)(CATALOGUE_IS_SERIAL | CATALOGUE_IS_USED)) ||
                !class_name_is_progid(catalogue_text(catalogue, class->progid)))
                return damaged("a class' record is not valid");
        }
    }
    return S_OK;
}

/* As many as there are, all used and rising: these are all, each once. */
static HRESULT check_order(const struct catalogue *catalogue, uint32_t n_used)
{
    const char *last = "";

    if (n_used != catalogue->n_used)
        return damaged("its order lacks classes");
    for (uint32_t i = 0; i < n_used; i++) {
        uint32_t index = catalogue->order[i];
        const char *progid;

        if (index >= catalogue->n_classes || !(catalogue->classes[index].flags & CATALOGUE_IS_USED))
            return damaged("its order names no class");
        progid = catalogue_text(catalogue, catalogue->classes[index].progid);
        if (strcmp(last, progid) >= 0)
            return damaged("its order is none");
        last = progid;
    }
    return S_OK;
}

HRESULT index_parse(void *data, size_t size, const char *const *directories, struct catalogue **out)
{
    const struct header *header = data;
    struct catalogue *catalogue;
    HRESULT hr;

    if (size < sizeof(*header) || size % 8 != 0)
        return damaged("it is cut off");
    hr = check_header(header, size);
    if (FAILED(hr))
        return hr;
    catalogue = calloc(1, sizeof(*catalogue));
    if (!catalogue)
        return no_memory();
    catalogue->refs = 1;
    hr = find_parts(header, size, catalogue);
    if (SUCCEEDED(hr))
        hr = check_directories(catalogue, directories);
    if (SUCCEEDED(hr))
        hr = check_files(catalogue);
    if (SUCCEEDED(hr))
        hr = check_classes(catalogue);
    if (SUCCEEDED(hr))
        hr = catalogue_derive(catalogue);
    if (SUCCEEDED(hr))
        hr = check_order(catalogue, header->n_used);
    if (FAILED(hr)) {
        catalogue_unref(catalogue);
        return hr;
    }
    *out = catalogue;
    return S_OK;
}

HRESULT index_load(const char *path, const char *const *directories, struct catalogue **catalogue)
{
    char *place = os_path_directory(path);
    void *data = NULL;
    size_t size;
    HRESULT hr = place ? S_OK : no_memory();

    if (SUCCEEDED(hr) && !os_file_exists(path))
        hr = error_set(VIA_WIN32(2), "there is no %s", path);
    if (SUCCEEDED(hr))
        hr = os_directory_check(place);
    if (SUCCEEDED(hr))
        hr = os_file_read_private(path, INDEX_MAX_SIZE, &data, &size);
    if (SUCCEEDED(hr))
        hr = index_parse(data, size, directories, catalogue);
    if (SUCCEEDED(hr))
        (*catalogue)->block = data;
    else
        free(data);
    free(place);
    return hr;
}

/* --- writing --- */

void index_seal(void *data, size_t size)
{
    struct header header;

    memcpy(&header, data, sizeof(header));
    header.file_size = size;
    memcpy(data, &header, sizeof(header));
    header.checksum = checksum_of_file(data, size);
    memcpy(data, &header, sizeof(header));
}

void index_write(struct buffer *out, const struct catalogue *catalogue)
{
    struct header header = {
        .magic = INDEX_MAGIC,
        .version = INDEX_VERSION,
        .header_size = sizeof(header),
        .n_directories = catalogue->n_directories,
        .n_files = catalogue->n_files,
        .n_classes = catalogue->n_classes,
        .n_used = catalogue->n_used,
    };
    size_t text;

    buffer_append(out, &header, sizeof(header));
    buffer_append(out, catalogue->directories,
                  catalogue->n_directories * sizeof(*catalogue->directories));
    buffer_append(out, catalogue->files, catalogue->n_files * sizeof(*catalogue->files));
    buffer_append(out, catalogue->classes, catalogue->n_classes * sizeof(*catalogue->classes));
    buffer_append(out, catalogue->order, catalogue->n_used * sizeof(*catalogue->order));
    buffer_align(out, 8);
    text = out->size;
    buffer_append(out, catalogue->text, catalogue->text_size);
    buffer_align(out, 8);
    if (FAILED(out->result))
        return;
    header.text_size = out->size - text;
    memcpy(out->data, &header, sizeof(header));
    index_seal(out->data, out->size);
}

/* A writer that was killed leaves a file of its own; one that still writes has changed it lately.
 */
static void remove_leftovers(const char *place)
{
    struct os_entry *entries;
    size_t n_entries;

    if (FAILED(os_directory_scan(place, "", &entries, &n_entries))) {
        error_clear();
        return;
    }
    for (size_t i = 0; i < n_entries; i++) {
        const char *name = entries[i].name, *suffix = strstr(name, INDEX_SUFFIX ".");
        char *path = suffix && entries[i].stamp.is_settled ? os_path_join(place, name) : NULL;

        if (path && FAILED(os_file_remove(path)))
            error_clear();
        free(path);
    }
    os_entries_free(entries, n_entries);
}

HRESULT index_save(const char *path, const struct catalogue *catalogue)
{
    char *place = os_path_directory(path);
    struct buffer out;
    HRESULT hr = place ? S_OK : no_memory();

    buffer_init(&out, INDEX_MAX_SIZE);
    if (SUCCEEDED(hr) && !os_file_exists(place))
        hr = os_directory_make_private(place);
    if (SUCCEEDED(hr))
        hr = os_directory_check(place);
    if (SUCCEEDED(hr)) {
        remove_leftovers(place);
        index_write(&out, catalogue);
        hr = buffer_result(&out);
    }
    if (SUCCEEDED(hr))
        hr = os_file_write_private(path, out.data, out.size);
    buffer_deinit(&out);
    free(place);
    return hr;
}

char *index_path(const char *place, const char *const *directories)
{
    uint64_t hash = 0;
    char name[64];

    for (; *directories; directories++) {
        const char *at = *directories;

        do
            hash = step(hash, (unsigned char)*at);
        while (*at++);
    }
    snprintf(name, sizeof(name), "classes-%016llx" INDEX_SUFFIX, (unsigned long long)hash);
    return os_path_join(place, name);
}
