/*
 * The catalogue: what all manifests say at one moment, as far as look-ups and lists need it.
 *
 * It is a few arrays of records, which refer to each other by index and to one block of text by
 * offset: a hundred thousand classes are four blocks of memory, and an index file is these blocks
 * one behind the other (index.h). Directories and their files stand in order of precedence. Where
 * two files name the same class the first is used and the other one is a problem; which classes are
 * used, the order by ProgID and the hash tables are derived from the records when a catalogue is
 * made. It is immutable then, and counted.
 *
 * It never says what to run: for that the class' manifest is read.
 */
#ifndef COM_REGISTRY_CATALOGUE_H
#define COM_REGISTRY_CATALOGUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <viaduct/guid.h>
#include <viaduct/hresult.h>

#include "com/registry/class_name.h"
#include "com/registry/manifest.h"
#include "core/os/stamp.h"
#include "core/util/buffer.h"

#define CATALOGUE_NONE UINT32_MAX
/* All texts together; offsets have 32 bits. */
#define CATALOGUE_MAX_TEXT 0x40000000u
/* Problems that are told; the last one stands for those that are not. */
#define CATALOGUE_MAX_PROBLEMS 1000u

/* Records are as they stand in an index file: fixed widths, no gaps. Texts are offsets. */

struct catalogue_stamp {
    uint64_t changed_ns;
    uint64_t size;
    uint64_t file_id;
};

enum { CATALOGUE_IS_SETTLED = 1 }; /* flags of directories and files: see core/os/stamp.h */

struct catalogue_directory {
    struct catalogue_stamp stamp;
    uint32_t path;
    uint32_t problem; /* why it cannot be listed, or "" */
    uint32_t n_files; /* one behind the other, in this order */
    uint32_t flags;
};

struct catalogue_file {
    struct catalogue_stamp stamp;
    uint32_t directory;
    uint32_t name;
    uint32_t component;
    uint32_t problem; /* why it cannot be used, or "" */
    uint32_t first_class;
    uint32_t n_classes;
    uint32_t activation; /* enum manifest_activation */
    uint32_t flags;
};

enum {
    CATALOGUE_IS_SERIAL = 1,
    CATALOGUE_IS_USED = 2 /* derived */
};

struct catalogue_class {
    GUID clsid;
    uint32_t progid;
    uint32_t description;
    uint32_t file;
    uint32_t flags;
};

_Static_assert(sizeof(struct catalogue_directory) == 40 && sizeof(struct catalogue_file) == 56 &&
                   sizeof(struct catalogue_class) == 32,
               "records of index files have gaps");

struct catalogue {
    atomic_uint refs;
    void *block; /* holds the arrays if they are not allocated one by one; may be NULL then too */
    bool has_own_arrays;
    struct catalogue_directory *directories;
    struct catalogue_file *files;
    struct catalogue_class *classes;
    const char *text;
    uint32_t n_directories, n_files, n_classes;
    size_t text_size;
    /* Derived: */
    uint32_t n_used;
    uint32_t *order;    /* classes that are used, by ProgID */
    uint32_t *by_clsid; /* hash tables: a class + 1, or 0 */
    uint32_t *by_progid;
    uint32_t n_slots; /* of each; a power of two */
    uint64_t seed;    /* whoever installs components shall not choose their slots */
};

struct catalogue *catalogue_ref(struct catalogue *catalogue);
/* Takes NULL. */
void catalogue_unref(struct catalogue *catalogue);

/* --- asking --- */

/* The class that is used, or CATALOGUE_NONE. Constant time. */
uint32_t catalogue_find(const struct catalogue *catalogue, const struct class_name *name);
/* The first place in `order` whose ProgID is greater; n_used behind the last. */
uint32_t catalogue_behind(const struct catalogue *catalogue, const char *progid);
/* For free(); NULL without memory. */
char *catalogue_path(const struct catalogue *catalogue, uint32_t file);
/* What is wrong with manifests, one line each, for strings_free(). */
HRESULT catalogue_problems(const struct catalogue *catalogue, char ***problems);
/* Whether every stamp can be relied on. */
bool catalogue_is_settled(const struct catalogue *catalogue);

static inline const char *catalogue_text(const struct catalogue *catalogue, uint32_t offset)
{
    return catalogue->text + offset;
}

struct os_stamp catalogue_stamp_of(const struct catalogue_stamp *stamp, uint32_t flags);

/* --- making one --- */

/* Failures are kept until catalogue_build(). */
struct catalogue_builder {
    struct buffer directories, files, classes, text;
};

void catalogue_begin(struct catalogue_builder *builder);
/* The files that are added next are in this directory. */
void catalogue_add_directory(struct catalogue_builder *builder, const char *path,
                             const char *problem, const struct os_stamp *stamp);
/* In the order of their names; `manifest` NULL: it cannot be used. */
void catalogue_add_file(struct catalogue_builder *builder, const char *name,
                        const struct os_stamp *stamp, const struct manifest *manifest,
                        const char *problem);
/* What another catalogue says of a file. */
void catalogue_copy_file(struct catalogue_builder *builder, const struct catalogue *from,
                         uint32_t file);
void catalogue_drop(struct catalogue_builder *builder);
/* Drops the builder, on failure too. */
HRESULT catalogue_build(struct catalogue_builder *builder, struct catalogue **catalogue);

/* Finds out which classes are used, and makes the hash tables. */
HRESULT catalogue_derive(struct catalogue *catalogue);

#endif
