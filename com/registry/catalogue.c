/* See catalogue.h. Text 0 is the empty one. */
#include "com/registry/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/path.h"
#include "core/os/random.h"
#include "core/util/error.h"
#include "core/util/strings.h"

#define MIN_SLOTS 16u

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for the registry");
}

struct catalogue *catalogue_ref(struct catalogue *catalogue)
{
    atomic_fetch_add_explicit(&catalogue->refs, 1, memory_order_relaxed);
    return catalogue;
}

void catalogue_unref(struct catalogue *catalogue)
{
    if (!catalogue || atomic_fetch_sub_explicit(&catalogue->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (catalogue->has_own_arrays) {
        free(catalogue->directories);
        free(catalogue->files);
        free(catalogue->classes);
        free((char *)catalogue->text);
        free(catalogue->order);
    }
    free(catalogue->by_clsid);
    free(catalogue->by_progid);
    free(catalogue->block);
    free(catalogue);
}

/* --- hash tables --- */

static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ (hash >> 32)) * 0xD6E8FEB86659FD93u;
    return hash ^ (hash >> 29);
}

static uint64_t hash_bytes(uint64_t seed, const void *data, size_t size)
{
    const char *bytes = data;
    uint64_t hash = seed ^ size, word;

    for (; size >= sizeof(word); size -= sizeof(word), bytes += sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, bytes, size);
    return mix(hash ^ word);
}

/* The slot with the class of this key, or the empty one where it would be. */
static uint32_t slot_of_clsid(const struct catalogue *catalogue, const GUID *clsid)
{
    uint32_t mask = catalogue->n_slots - 1;
    uint32_t slot = (uint32_t)hash_bytes(catalogue->seed, clsid, sizeof(*clsid)) & mask;

    while (catalogue->by_clsid[slot] &&
           memcmp(&catalogue->classes[catalogue->by_clsid[slot] - 1].clsid, clsid,
                  sizeof(*clsid)) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t slot_of_progid(const struct catalogue *catalogue, const char *progid)
{
    uint32_t mask = catalogue->n_slots - 1;
    uint32_t slot = (uint32_t)hash_bytes(catalogue->seed, progid, strlen(progid)) & mask;

    while (
        catalogue->by_progid[slot] &&
        strcmp(catalogue_text(catalogue, catalogue->classes[catalogue->by_progid[slot] - 1].progid),
               progid) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static HRESULT make_slots(struct catalogue *catalogue)
{
    HRESULT hr = os_random(&catalogue->seed, sizeof(catalogue->seed));

    catalogue->n_slots = MIN_SLOTS;
    while (catalogue->n_slots / 2 < catalogue->n_classes)
        catalogue->n_slots *= 2;
    catalogue->by_clsid = calloc(catalogue->n_slots, sizeof(uint32_t));
    catalogue->by_progid = calloc(catalogue->n_slots, sizeof(uint32_t));
    if (!catalogue->by_clsid || !catalogue->by_progid)
        return no_memory();
    return hr;
}

HRESULT catalogue_derive(struct catalogue *catalogue)
{
    HRESULT hr = make_slots(catalogue);

    catalogue->n_used = 0;
    for (uint32_t i = 0; SUCCEEDED(hr) && i < catalogue->n_classes; i++) {
        struct catalogue_class *class = &catalogue->classes[i];
        uint32_t by_progid = slot_of_progid(catalogue, catalogue_text(catalogue, class->progid));
        uint32_t by_clsid = slot_of_clsid(catalogue, &class->clsid);

        class->flags &= ~(uint32_t)CATALOGUE_IS_USED;
        if (catalogue->by_progid[by_progid] || catalogue->by_clsid[by_clsid])
            continue;
        class->flags |= CATALOGUE_IS_USED;
        catalogue->by_progid[by_progid] = catalogue->by_clsid[by_clsid] = i + 1;
        catalogue->n_used++;
    }
    return hr;
}

/* --- asking --- */

uint32_t catalogue_find(const struct catalogue *catalogue, const struct class_name *name)
{
    uint32_t found = name->by_clsid ? catalogue->by_clsid[slot_of_clsid(catalogue, &name->clsid)]
                                    : catalogue->by_progid[slot_of_progid(catalogue, name->progid)];

    return found ? found - 1 : CATALOGUE_NONE;
}

uint32_t catalogue_behind(const struct catalogue *catalogue, const char *progid)
{
    uint32_t first = 0, end = catalogue->n_used;

    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        const struct catalogue_class *class = &catalogue->classes[catalogue->order[middle]];

        if (strcmp(catalogue_text(catalogue, class->progid), progid) > 0)
            end = middle;
        else
            first = middle + 1;
    }
    return first;
}

char *catalogue_path(const struct catalogue *catalogue, uint32_t index)
{
    const struct catalogue_file *file = &catalogue->files[index];

    return os_path_join(catalogue_text(catalogue, catalogue->directories[file->directory].path),
                        catalogue_text(catalogue, file->name));
}

struct os_stamp catalogue_stamp_of(const struct catalogue_stamp *stamp, uint32_t flags)
{
    return (struct os_stamp){stamp->changed_ns, stamp->size, stamp->file_id,
                             (flags & CATALOGUE_IS_SETTLED) != 0};
}

bool catalogue_is_settled(const struct catalogue *catalogue)
{
    uint32_t flags = CATALOGUE_IS_SETTLED;

    for (uint32_t i = 0; i < catalogue->n_directories; i++)
        flags &= catalogue->directories[i].flags;
    for (uint32_t i = 0; i < catalogue->n_files; i++)
        flags &= catalogue->files[i].flags;
    return flags != 0;
}

/* --- problems --- */

struct problems {
    char **list; /* has room for all and a NULL */
    size_t count;
};

static HRESULT add_problem(struct problems *problems, const char *text)
{
    char *copy;

    if (problems->count == CATALOGUE_MAX_PROBLEMS)
        return S_OK;
    copy = strdup(problems->count < CATALOGUE_MAX_PROBLEMS - 1 ? text : "and more like these");
    for (char *at = copy; copy && *at; at++) {
        if ((unsigned char)*at < ' ') /* file names can hold line ends; a problem is one line */
            *at = '?';
    }
    problems->list[problems->count] = copy;
    problems->count += copy != NULL;
    return copy ? S_OK : no_memory();
}

/* Of a class that is not used. */
static HRESULT add_rival(const struct catalogue *catalogue, const struct catalogue_class *class,
                         struct problems *problems)
{
    const char *progid = catalogue_text(catalogue, class->progid);
    uint32_t rival = catalogue->by_progid[slot_of_progid(catalogue, progid)];
    char *path = catalogue_path(catalogue, class->file), *rival_path = NULL;
    char text[1024];
    HRESULT hr = S_OK;

    if (!rival)
        rival = catalogue->by_clsid[slot_of_clsid(catalogue, &class->clsid)];
    if (rival)
        rival_path = catalogue_path(catalogue, catalogue->classes[rival - 1].file);
    if (!path || !rival_path)
        hr = no_memory();
    if (SUCCEEDED(hr)) {
        snprintf(text, sizeof(text), "%s: class %s is not used, because %s has it too", path,
                 progid, rival_path);
        hr = add_problem(problems, text);
    }
    free(path);
    free(rival_path);
    return hr;
}

static HRESULT add_problems_of_file(const struct catalogue *catalogue,
                                    const struct catalogue_file *file, struct problems *problems)
{
    const char *problem = catalogue_text(catalogue, file->problem);
    HRESULT hr = *problem ? add_problem(problems, problem) : S_OK;

    for (uint32_t i = 0; SUCCEEDED(hr) && i < file->n_classes; i++) {
        const struct catalogue_class *class = &catalogue->classes[file->first_class + i];

        if (!(class->flags & CATALOGUE_IS_USED))
            hr = add_rival(catalogue, class, problems);
    }
    return hr;
}

HRESULT catalogue_problems(const struct catalogue *catalogue, char ***out)
{
    struct problems problems = {.list = calloc(CATALOGUE_MAX_PROBLEMS + 1, sizeof(char *))};
    HRESULT hr = problems.list ? S_OK : no_memory();
    uint32_t file = 0;

    for (uint32_t i = 0; SUCCEEDED(hr) && i < catalogue->n_directories; i++) {
        const struct catalogue_directory *directory = &catalogue->directories[i];
        const char *problem = catalogue_text(catalogue, directory->problem);

        if (*problem)
            hr = add_problem(&problems, problem);
        for (uint32_t j = 0; SUCCEEDED(hr) && j < directory->n_files; j++)
            hr = add_problems_of_file(catalogue, &catalogue->files[file++], &problems);
    }
    if (FAILED(hr))
        strings_free(problems.list);
    else
        *out = problems.list;
    return hr;
}

/* --- making one --- */

void catalogue_begin(struct catalogue_builder *builder)
{
    buffer_init(&builder->directories, CATALOGUE_MAX_TEXT);
    buffer_init(&builder->files, CATALOGUE_MAX_TEXT);
    buffer_init(&builder->classes, CATALOGUE_MAX_TEXT);
    buffer_init(&builder->text, CATALOGUE_MAX_TEXT);
    buffer_append(&builder->text, "", 1);
}

static uint32_t add_text(struct catalogue_builder *builder, const char *text)
{
    uint32_t offset = (uint32_t)builder->text.size;

    if (!*text)
        return 0;
    buffer_append(&builder->text, text, strlen(text) + 1);
    return offset;
}

static uint32_t count_of(const struct buffer *records, size_t size)
{
    return (uint32_t)(records->size / size);
}

static struct catalogue_stamp stamp_from(const struct os_stamp *stamp, uint32_t *flags)
{
    *flags = stamp->is_settled ? CATALOGUE_IS_SETTLED : 0;
    return (struct catalogue_stamp){stamp->changed_ns, stamp->size, stamp->file_id};
}

void catalogue_add_directory(struct catalogue_builder *builder, const char *path,
                             const char *problem, const struct os_stamp *stamp)
{
    struct catalogue_directory directory = {.path = add_text(builder, path),
                                            .problem = add_text(builder, problem)};

    directory.stamp = stamp_from(stamp, &directory.flags);
    buffer_append(&builder->directories, &directory, sizeof(directory));
}

/* Into the directory that was added last. */
static void append_file(struct catalogue_builder *builder, struct catalogue_file *file,
                        const char *name)
{
    struct catalogue_directory *directory;
    uint32_t n_directories = count_of(&builder->directories, sizeof(*directory));

    if (FAILED(builder->directories.result))
        return;
    directory = (struct catalogue_directory *)builder->directories.data + n_directories - 1;
    directory->n_files++;
    file->directory = n_directories - 1;
    file->name = add_text(builder, name);
    file->first_class = count_of(&builder->classes, sizeof(struct catalogue_class));
    buffer_append(&builder->files, file, sizeof(*file));
}

static void append_class(struct catalogue_builder *builder, const GUID *clsid, const char *progid,
                         const char *description, uint32_t flags)
{
    struct catalogue_class class = {
        .clsid = *clsid,
        .progid = add_text(builder, progid),
        .description = add_text(builder, description),
        .file = count_of(&builder->files, sizeof(struct catalogue_file)) - 1,
        .flags = flags,
    };

    buffer_append(&builder->classes, &class, sizeof(class));
}

void catalogue_add_file(struct catalogue_builder *builder, const char *name,
                        const struct os_stamp *stamp, const struct manifest *manifest,
                        const char *problem)
{
    struct catalogue_file file = {.problem = add_text(builder, problem)};

    file.stamp = stamp_from(stamp, &file.flags);
    if (manifest) {
        file.component = add_text(builder, manifest->component);
        file.activation = (uint32_t)manifest->activation;
        file.n_classes = (uint32_t)manifest->n_classes;
    }
    append_file(builder, &file, name);
    for (uint32_t i = 0; i < file.n_classes; i++) {
        const struct manifest_class *class = &manifest->classes[i];

        append_class(builder, &class->clsid, class->progid, class->description,
                     class->threading == MANIFEST_SERIAL ? CATALOGUE_IS_SERIAL : 0);
    }
}

void catalogue_copy_file(struct catalogue_builder *builder, const struct catalogue *from,
                         uint32_t index)
{
    struct catalogue_file file = from->files[index];
    const struct catalogue_class *classes = &from->classes[file.first_class];

    file.component = add_text(builder, catalogue_text(from, file.component));
    file.problem = add_text(builder, catalogue_text(from, file.problem));
    append_file(builder, &file, catalogue_text(from, file.name));
    for (uint32_t i = 0; i < file.n_classes; i++)
        append_class(builder, &classes[i].clsid, catalogue_text(from, classes[i].progid),
                     catalogue_text(from, classes[i].description), classes[i].flags);
}

struct sort_key {
    const char *progid;
    uint32_t class;
};

static int compare_keys(const void *left, const void *right)
{
    return strcmp(((const struct sort_key *)left)->progid,
                  ((const struct sort_key *)right)->progid);
}

static HRESULT sort(struct catalogue *catalogue)
{
    struct sort_key *keys = calloc(catalogue->n_used + 1, sizeof(*keys));
    uint32_t n = 0;

    catalogue->order = calloc(catalogue->n_used + 1, sizeof(*catalogue->order));
    if (!keys || !catalogue->order) {
        free(keys);
        return no_memory();
    }
    for (uint32_t i = 0; i < catalogue->n_classes; i++) {
        if (catalogue->classes[i].flags & CATALOGUE_IS_USED)
            keys[n++] =
                (struct sort_key){catalogue_text(catalogue, catalogue->classes[i].progid), i};
    }
    qsort(keys, n, sizeof(*keys), compare_keys);
    for (uint32_t i = 0; i < n; i++)
        catalogue->order[i] = keys[i].class;
    free(keys);
    return S_OK;
}

/* What a buffer has, without the room that is left; NULL where it has nothing. */
static void *take(struct buffer *buffer)
{
    void *data = buffer->data, *smaller = buffer->size ? realloc(data, buffer->size) : NULL;

    if (buffer->size == 0)
        return NULL;
    buffer->data = NULL;
    return smaller ? smaller : data;
}

static HRESULT take_arrays(struct catalogue_builder *builder, struct catalogue *catalogue)
{
    struct buffer *buffers[] = {&builder->directories, &builder->files, &builder->classes,
                                &builder->text};

    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
        if (buffer_result(buffers[i]) == VIA_E_LIMIT)
            return error_set(VIA_E_LIMIT, "the manifests hold more text than %u MiB",
                             CATALOGUE_MAX_TEXT >> 20);
        if (FAILED(buffers[i]->result))
            return no_memory();
    }
    catalogue->has_own_arrays = true;
    catalogue->n_directories = count_of(&builder->directories, sizeof(*catalogue->directories));
    catalogue->n_files = count_of(&builder->files, sizeof(*catalogue->files));
    catalogue->n_classes = count_of(&builder->classes, sizeof(*catalogue->classes));
    catalogue->text_size = builder->text.size;
    catalogue->directories = take(&builder->directories);
    catalogue->files = take(&builder->files);
    catalogue->classes = take(&builder->classes);
    catalogue->text = take(&builder->text);
    return S_OK;
}

void catalogue_drop(struct catalogue_builder *builder)
{
    buffer_deinit(&builder->directories);
    buffer_deinit(&builder->files);
    buffer_deinit(&builder->classes);
    buffer_deinit(&builder->text);
}

HRESULT catalogue_build(struct catalogue_builder *builder, struct catalogue **out)
{
    struct catalogue *catalogue = calloc(1, sizeof(*catalogue));
    HRESULT hr = catalogue ? S_OK : no_memory();

    if (SUCCEEDED(hr)) {
        catalogue->refs = 1;
        hr = take_arrays(builder, catalogue);
    }
    catalogue_drop(builder);
    if (SUCCEEDED(hr))
        hr = catalogue_derive(catalogue);
    if (SUCCEEDED(hr))
        hr = sort(catalogue);
    if (FAILED(hr)) {
        catalogue_unref(catalogue);
        return hr;
    }
    *out = catalogue;
    return S_OK;
}
