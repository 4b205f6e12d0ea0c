#include "core/os/stamp.h"
#include "core/util/error.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static HRESULT fail(const char *path, const char *what)
{
    HRESULT code = errno == EACCES || errno == EPERM ? E_ACCESSDENIED : E_FAIL;
    return error_set(code, "%s: cannot %s: %s", path, what, strerror(errno));
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The time of the inode's change, since programs set the other one as they like (cp -p, rsync). */
static struct os_stamp stamp_from(const struct stat *info, uint64_t seen_ns)
{
    struct os_stamp stamp = {.size = (uint64_t)info->st_size, .file_id = info->st_ino};
    stamp.changed_ns =
        (uint64_t)info->st_ctim.tv_sec * 1000000000u + (uint64_t)info->st_ctim.tv_nsec;
    stamp.is_settled = stamp.changed_ns + OS_STAMP_SETTLE_MS * 1000000ull <= seen_ns;
    return stamp;
}

HRESULT os_stamp_of(const char *path, struct os_stamp *stamp)
{
    uint64_t seen_ns = now_ns();
    struct stat info;
    if (stat(path, &info) == 0) {
        *stamp = stamp_from(&info, seen_ns);
        return S_OK;
    }
    *stamp = (struct os_stamp){.is_settled = errno == ENOENT || errno == ENOTDIR};
    return stamp->is_settled ? S_FALSE : fail(path, "look at");
}

/* --- directories --- */

struct scan {
    struct os_entry *entries;
    size_t n_entries, room;
};

static bool add(struct scan *scan, int directory, const char *name, uint64_t seen_ns)
{
    if (scan->n_entries == scan->room) {
        size_t room = scan->room ? scan->room * 2 : 64;
        struct os_entry *larger = realloc(scan->entries, room * sizeof(*larger));
        if (!larger)
            return false;
        scan->entries = larger;
        scan->room = room;
    }
    struct os_entry *entry = &scan->entries[scan->n_entries];
    struct stat info;
    *entry = (struct os_entry){.name = strdup(name)};
    if (!entry->name)
        return false;
    if (fstatat(directory, name, &info, 0) == 0)
        entry->stamp = stamp_from(&info, seen_ns);
    scan->n_entries++;
    return true;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length >= tail && strcmp(name + length - tail, suffix) == 0;
}

static int compare_entries(const void *left, const void *right)
{
    return strcmp(((const struct os_entry *)left)->name, ((const struct os_entry *)right)->name);
}

HRESULT os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                          size_t *n_entries)
{
    uint64_t seen_ns = now_ns();
    struct scan scan = {.n_entries = 0};
    DIR *directory = opendir(path);
    if (!directory && errno != ENOENT)
        return fail(path, "list");
    bool failed = false;
    struct dirent *entry;
    while (directory && !failed && (entry = readdir(directory)))
        if (has_suffix(entry->d_name, suffix))
            failed = !add(&scan, dirfd(directory), entry->d_name, seen_ns);
    if (directory)
        closedir(directory);
    if (failed) {
        os_entries_free(scan.entries, scan.n_entries);
        return error_set(E_OUTOFMEMORY, "no memory to list %s", path);
    }
    if (scan.n_entries)
        qsort(scan.entries, scan.n_entries, sizeof(*scan.entries), compare_entries);
    *entries = scan.entries;
    *n_entries = scan.n_entries;
    return directory ? S_OK : S_FALSE;
}

void os_entries_free(struct os_entry *entries, size_t n_entries)
{
    for (size_t i = 0; i < n_entries; i++)
        free(entries[i].name);
    free(entries);
}
