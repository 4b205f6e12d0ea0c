/*
 * What tells whether a file or a directory is still what it was when it was last looked at, without
 * reading it.
 *
 * A directory's stamp changes when a name in it is added, removed or replaced, and not when a file
 * in it is written in place; for that the file has its own. A stamp that was taken in the moment of
 * a change says little: a second change in the same tick of the file system's clock would give the
 * same one. Only a settled stamp (the change was OS_STAMP_SETTLE_MS ago when it was looked at) can
 * be relied on. A clock that is behind the file system's makes stamps that never settle, which
 * costs time and gives no wrong answer.
 */
#ifndef CORE_OS_STAMP_H
#define CORE_OS_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

/* FAT counts in 2 s; everything else in less. */
#define OS_STAMP_SETTLE_MS 2000u

/* All zero, and settled: there is nothing. */
struct os_stamp {
    uint64_t changed_ns; /* since 1970; of content, name, owner or rights: cannot be set back */
    uint64_t size;
    uint64_t file_id;
    bool is_settled;
};

/* Whether both are settled and the same: nothing has changed between them. */
static inline bool os_stamp_is_same(const struct os_stamp *left, const struct os_stamp *right)
{
    return left->is_settled && right->is_settled && left->changed_ns == right->changed_ns &&
           left->size == right->size && left->file_id == right->file_id;
}

/* Of what the path leads to, links followed. S_FALSE when there is nothing. */
HRESULT os_stamp_of(const char *path, struct os_stamp *stamp);

struct os_entry {
    char *name;
    struct os_stamp stamp; /* never settled when it could not be had */
};

/* The names in the directory that end in `suffix`, sorted by bytes, with their stamps: cheaper than
 * one after the other. For os_entries_free(). S_FALSE, and none, when there is no such directory.
 * On Windows a file that is open for writing may have the stamp from before it was opened. */
HRESULT os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                          size_t *n_entries);
void os_entries_free(struct os_entry *entries, size_t n_entries);

#endif
