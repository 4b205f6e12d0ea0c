/*
 * Index files of the registry: what is accepted can be asked for everything, and be written and
 * read again. The checksum is put right first, since otherwise it would refuse nearly all.
 */
#include "com/registry/catalogue.h"
#include "com/registry/index.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/strings.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const directories[] = {"/a", "/b", NULL};

static void check_class(const struct catalogue *catalogue, uint32_t index)
{
    const struct catalogue_class *class = &catalogue->classes[index];
    struct class_name name = {.by_clsid = true, .clsid = class->clsid};
    char *path = catalogue_path(catalogue, class->file);
    if (!path || (strncmp(path, "/a/", 3) && strncmp(path, "/b/", 3)) || strchr(path + 3, '/'))
        fuzz_fail("a manifest lies outside the directories");
    free(path);
    if (catalogue_find(catalogue, &name) != index)
        fuzz_fail("a class is not found by its CLSID");
    name.by_clsid = false;
    snprintf(name.progid, sizeof(name.progid), "%s", catalogue_text(catalogue, class->progid));
    if (catalogue_find(catalogue, &name) != index)
        fuzz_fail("a class is not found by its ProgID");
}

static void check(const struct catalogue *catalogue, size_t size)
{
    struct catalogue *copy;
    struct buffer again;
    char **problems;
    for (uint32_t i = 0; i < catalogue->n_used; i++)
        check_class(catalogue, catalogue->order[i]);
    if (SUCCEEDED(catalogue_problems(catalogue, &problems)))
        strings_free(problems);
    buffer_init(&again, size + 64);
    index_write(&again, catalogue);
    if (again.size != size || FAILED(index_parse(again.data, size, directories, &copy)))
        fuzz_fail("an index that is written again cannot be read");
    if (copy->n_used != catalogue->n_used || copy->n_classes != catalogue->n_classes)
        fuzz_fail("an index changes when it is written again");
    catalogue_unref(copy);
    buffer_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct catalogue *catalogue;
    uint8_t *data = malloc(size ? size : 1);
    if (!data)
        fuzz_fail("no memory");
    memcpy(data, bytes, size);
    if (size >= 64 && size % 8 == 0)
        index_seal(data, size);
    if (SUCCEEDED(index_parse(data, size, directories, &catalogue))) {
        fuzz_accepted = true;
        check(catalogue, size);
        catalogue_unref(catalogue);
    }
    free(data);
    error_clear();
    return 0;
}

/* --- the corpus --- */

static void add_file(struct catalogue_builder *builder, const char *name, const char *progid,
                     uint32_t number)
{
    struct os_stamp stamp = {number, 100, number, number % 2};
    struct manifest_class classes[2] = {
        {.clsid = {.Data1 = number}, .progid = (char *)progid, .description = (char *)"one"},
        {.clsid = {.Data1 = number + 1},
         .threading = MANIFEST_SERIAL,
         .progid = (char *)"A.Shared",
         .description = (char *)""},
    };
    struct manifest manifest = {
        .component = (char *)"/lib/x.so", .n_classes = 2, .classes = classes};
    catalogue_add_file(builder, name, &stamp, number ? &manifest : NULL, number ? "" : "broken");
}

static void write_one(const char *directory, const char *name, unsigned n_files)
{
    struct os_stamp stamp = {5, 4096, 6, true};
    struct catalogue_builder builder;
    struct catalogue *catalogue;
    struct buffer out;
    catalogue_begin(&builder);
    for (unsigned i = 0; i < 2; i++) {
        catalogue_add_directory(&builder, directories[i], i ? "cannot be listed" : "", &stamp);
        for (unsigned j = 0; j < n_files; j++) {
            char file[32], progid[32];
            snprintf(file, sizeof(file), "file%u.json", j);
            snprintf(progid, sizeof(progid), "A.Class%u", j);
            add_file(&builder, file, progid, 10 * j);
        }
    }
    if (FAILED(catalogue_build(&builder, &catalogue)))
        fuzz_fail("no catalogue");
    buffer_init(&out, 1 << 16);
    index_write(&out, catalogue);
    fuzz_write_file(directory, name, out.data, out.size);
    buffer_deinit(&out);
    catalogue_unref(catalogue);
}

void fuzz_write_corpus(const char *directory)
{
    write_one(directory, "empty", 0);
    write_one(directory, "few", 2);
    write_one(directory, "more", 9);
}
