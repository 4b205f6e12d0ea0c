/* Stamps from the times of change, which Windows' plain calls do not give. */
#include "core/os/path.h"
#include "core/os/stamp.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define TICKS_TO_1970 116444736000000000ull /* of 100 ns, since 1601 */
#define BLOCK_SIZE    65536u

static HRESULT out_of_memory(const char *path)
{
    return error_set(E_OUTOFMEMORY, "no memory to look at %s", path);
}

static uint64_t ns_from_ticks(uint64_t ticks)
{
    return ticks > TICKS_TO_1970 ? (ticks - TICKS_TO_1970) * 100 : 0;
}

static uint64_t now_ns(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return ns_from_ticks((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
}

static struct os_stamp stamp_from(LARGE_INTEGER changed, uint64_t size, uint64_t file_id,
                                  uint64_t seen_ns)
{
    struct os_stamp stamp = {.size = size, .file_id = file_id};
    stamp.changed_ns = ns_from_ticks((uint64_t)changed.QuadPart);
    /* A file system that keeps no such time says 0, which never changes. */
    stamp.is_settled =
        stamp.changed_ns && stamp.changed_ns + OS_STAMP_SETTLE_MS * 1000000ull <= seen_ns;
    return stamp;
}

static bool is_absence(DWORD error)
{
    return error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND;
}

static HANDLE open_to_look(const char *path, DWORD rights)
{
    wchar_t *wide = wide_from_text(path);
    HANDLE handle = INVALID_HANDLE_VALUE;
    if (wide)
        handle = CreateFileW(wide, rights, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                             NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    else
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    free(wide);
    return handle;
}

HRESULT os_stamp_of(const char *path, struct os_stamp *stamp)
{
    uint64_t seen_ns = now_ns();
    HANDLE handle = open_to_look(path, FILE_READ_ATTRIBUTES);
    BY_HANDLE_FILE_INFORMATION info;
    FILE_BASIC_INFO times;
    memset(stamp, 0, sizeof(*stamp));
    if (handle == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        stamp->is_settled = is_absence(error);
        return stamp->is_settled ? S_FALSE : windows_fail(error, path, "look at");
    }
    HRESULT hr = S_OK;
    if (!GetFileInformationByHandle(handle, &info) ||
        !GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof(times)))
        hr = windows_fail(GetLastError(), path, "look at");
    else
        *stamp =
            stamp_from(times.ChangeTime, (uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow,
                       (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow, seen_ns);
    CloseHandle(handle);
    return hr;
}

/* --- directories --- */

struct scan {
    const char *path, *suffix;
    uint64_t seen_ns;
    struct os_entry *entries;
    size_t n_entries, room;
};

/* What is known of a link is the link's own; what counts is what it leads to. */
static void follow(struct scan *scan, struct os_entry *entry)
{
    char *path = os_path_join(scan->path, entry->name);
    memset(&entry->stamp, 0, sizeof(entry->stamp));
    if (path && os_stamp_of(path, &entry->stamp) != S_OK)
        entry->stamp.is_settled = false;
    error_clear();
    free(path);
}

static bool add(struct scan *scan, const FILE_ID_BOTH_DIR_INFO *info, char *name)
{
    if (scan->n_entries == scan->room) {
        size_t room = scan->room ? scan->room * 2 : 64;
        struct os_entry *larger = realloc(scan->entries, room * sizeof(*larger));
        if (!larger) {
            free(name);
            return false;
        }
        scan->entries = larger;
        scan->room = room;
    }
    struct os_entry *entry = &scan->entries[scan->n_entries++];
    entry->name = name;
    entry->stamp = stamp_from(info->ChangeTime, (uint64_t)info->EndOfFile.QuadPart,
                              (uint64_t)info->FileId.QuadPart, scan->seen_ns);
    if (info->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        follow(scan, entry);
    return true;
}

static char *name_of(const FILE_ID_BOTH_DIR_INFO *info)
{
    size_t n_units = info->FileNameLength / sizeof(wchar_t);
    wchar_t *wide = malloc((n_units + 1) * sizeof(*wide));
    if (!wide)
        return NULL;
    memcpy(wide, info->FileName, n_units * sizeof(*wide));
    wide[n_units] = L'\0';
    char *name = text_from_wide(wide);
    free(wide);
    return name;
}

static bool add_block(struct scan *scan, const char *block)
{
    size_t tail = strlen(scan->suffix);
    for (;;) {
        const FILE_ID_BOTH_DIR_INFO *info = (const void *)block;
        char *name = name_of(info);
        size_t length = name ? strlen(name) : 0;
        if (!name)
            return false;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || length < tail ||
            strcmp(name + length - tail, scan->suffix) != 0)
            free(name);
        else if (!add(scan, info, name))
            return false;
        if (!info->NextEntryOffset)
            return true;
        block += info->NextEntryOffset;
    }
}

static HRESULT scan_all(struct scan *scan, HANDLE directory)
{
    char *block = malloc(BLOCK_SIZE);
    HRESULT hr = block ? S_OK : out_of_memory(scan->path);
    while (SUCCEEDED(hr) &&
           GetFileInformationByHandleEx(directory, FileIdBothDirectoryInfo, block, BLOCK_SIZE))
        if (!add_block(scan, block))
            hr = out_of_memory(scan->path);
    if (SUCCEEDED(hr) && GetLastError() != ERROR_NO_MORE_FILES)
        hr = windows_fail(GetLastError(), scan->path, "list");
    free(block);
    return hr;
}

static int compare_entries(const void *left, const void *right)
{
    return strcmp(((const struct os_entry *)left)->name, ((const struct os_entry *)right)->name);
}

HRESULT os_directory_scan(const char *path, const char *suffix, struct os_entry **entries,
                          size_t *n_entries)
{
    struct scan scan = {.path = path, .suffix = suffix, .seen_ns = now_ns()};
    HANDLE directory = open_to_look(path, FILE_LIST_DIRECTORY);
    HRESULT hr = S_FALSE;
    if (directory != INVALID_HANDLE_VALUE) {
        hr = scan_all(&scan, directory);
        CloseHandle(directory);
    } else if (!is_absence(GetLastError())) {
        hr = windows_fail(GetLastError(), path, "list");
    }
    if (FAILED(hr)) {
        os_entries_free(scan.entries, scan.n_entries);
        return hr;
    }
    if (scan.n_entries)
        qsort(scan.entries, scan.n_entries, sizeof(*scan.entries), compare_entries);
    *entries = scan.entries;
    *n_entries = scan.n_entries;
    return hr;
}

void os_entries_free(struct os_entry *entries, size_t n_entries)
{
    for (size_t i = 0; i < n_entries; i++)
        free(entries[i].name);
    free(entries);
}
