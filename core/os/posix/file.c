#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/posix/trust.h"
#include "core/util/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static HRESULT fail(const char *path, const char *what)
{
    HRESULT code = E_FAIL;
    if (errno == ENOENT || errno == ENOTDIR)
        code = VIA_WIN32(2);
    else if (errno == EACCES || errno == EPERM || errno == EROFS)
        code = E_ACCESSDENIED;
    else if (errno == ENOSPC || errno == EDQUOT)
        code = VIA_WIN32(112);
    return error_set(code, "%s: cannot %s: %s", path, what, strerror(errno));
}

static HRESULT read_all(int descriptor, const char *path, size_t limit, char **text, size_t *size)
{
    size_t room = 4096;
    size_t have = 0;
    char *data = malloc(room + 1);
    while (data) {
        ssize_t n = read(descriptor, data + have, room - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            HRESULT hr = fail(path, "read");
            free(data);
            return hr;
        }
        have += (size_t)n;
        if (have > limit) {
            free(data);
            return error_set(VIA_E_LIMIT, "%s has more than %zu bytes", path, limit);
        }
        if (n == 0) {
            data[have] = 0;
            *text = data;
            *size = have;
            return S_OK;
        }
        if (have == room) {
            room *= 2;
            char *larger = realloc(data, room + 1);
            if (!larger)
                free(data);
            data = larger;
        }
    }
    return error_set(E_OUTOFMEMORY, "no memory to read %s", path);
}

HRESULT os_file_read(const char *path, size_t limit, char **text, size_t *size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return fail(path, "open");
    struct stat info;
    HRESULT hr;
    if (fstat(descriptor, &info))
        hr = fail(path, "look at");
    else if (!S_ISREG(info.st_mode))
        hr = error_set(E_INVALIDARG, "%s is a %s, and no file", path,
                       S_ISDIR(info.st_mode) ? "directory" : "pipe or a device");
    else
        hr = read_all(descriptor, path, limit, text, size);
    close(descriptor);
    return hr;
}

static HRESULT write_all(int descriptor, const char *path, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(descriptor, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(path, "write");
        data += n;
        size -= (size_t)n;
    }
    return S_OK;
}

/* The new name is on the disk only when its directory is. */
static void sync_directory(const char *path)
{
    char *directory = os_path_directory(path);
    int descriptor = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(directory);
}

/* What is not `kept` need not outlive a power failure, and is this user's only. */
static HRESULT replace_file(const char *path, const void *data, size_t size, bool is_kept)
{
    size_t path_size = strlen(path);
    struct stat before;
    /* root would otherwise replace /dev/stdout, a link, by a file. */
    if (lstat(path, &before) == 0 && !S_ISREG(before.st_mode))
        return error_set(E_INVALIDARG, "%s: not replaced: it is a link or a device, and no file",
                         path);
    char *temporary = malloc(path_size + sizeof(".XXXXXX"));
    if (!temporary)
        return error_set(E_OUTOFMEMORY, "no memory to write %s", path);
    memcpy(temporary, path, path_size);
    memcpy(temporary + path_size, ".XXXXXX", sizeof(".XXXXXX"));
    int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0) {
        HRESULT hr = fail(path, "create");
        free(temporary);
        return hr;
    }
    HRESULT hr = write_all(descriptor, path, data, size);
    if (SUCCEEDED(hr) && is_kept && fsync(descriptor))
        hr = fail(path, "write");
    if (SUCCEEDED(hr) && fchmod(descriptor, is_kept ? 0644 : 0600))
        hr = fail(path, "set the mode of");
    if (close(descriptor) && SUCCEEDED(hr))
        hr = fail(path, "write");
    if (SUCCEEDED(hr) && rename(temporary, path))
        hr = fail(path, "replace");
    if (FAILED(hr))
        unlink(temporary);
    else if (is_kept)
        sync_directory(path);
    free(temporary);
    return hr;
}

HRESULT os_file_write(const char *path, const void *data, size_t size)
{
    return replace_file(path, data, size, true);
}

HRESULT os_file_write_private(const char *path, const void *data, size_t size)
{
    return replace_file(path, data, size, false);
}

static HRESULT check_private_file(const char *path, const struct stat *info, size_t limit)
{
    if (!S_ISREG(info->st_mode))
        return error_set(E_ACCESSDENIED, "%s is no file", path);
    if (info->st_uid != geteuid())
        return error_set(E_ACCESSDENIED, "%s belongs to user %u", path, (unsigned)info->st_uid);
    if (info->st_mode & 022)
        return error_set(E_ACCESSDENIED, "%s can be written by other users", path);
    if ((uint64_t)info->st_size > limit)
        return error_set(VIA_E_LIMIT, "%s has more than %zu bytes", path, limit);
    return S_OK;
}

/* What grows or shrinks meanwhile is read as far as it goes. */
static HRESULT read_exactly(int descriptor, const char *path, size_t room, void **out, size_t *size)
{
    char *data = malloc(room + 1);
    size_t have = 0;
    ssize_t n = 1;
    if (!data)
        return error_set(E_OUTOFMEMORY, "no memory to read %s", path);
    while (n != 0 && have < room) {
        n = read(descriptor, data + have, room - have);
        if (n < 0 && errno != EINTR) {
            HRESULT hr = fail(path, "read");
            free(data);
            return hr;
        }
        have += n > 0 ? (size_t)n : 0;
    }
    *out = data;
    *size = have;
    return S_OK;
}

HRESULT os_file_read_private(const char *path, size_t limit, void **data, size_t *size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor < 0 && errno == ELOOP)
        return error_set(E_ACCESSDENIED, "%s is a link", path);
    if (descriptor < 0)
        return fail(path, "open");
    struct stat info;
    HRESULT hr =
        fstat(descriptor, &info) ? fail(path, "look at") : check_private_file(path, &info, limit);
    if (SUCCEEDED(hr))
        hr = read_exactly(descriptor, path, (size_t)info.st_size, data, size);
    close(descriptor);
    return hr;
}

HRESULT os_file_remove(const char *path)
{
    if (unlink(path) == 0)
        return S_OK;
    return errno == ENOENT ? S_FALSE : fail(path, "remove");
}

HRESULT os_directory_remove(const char *path)
{
    if (rmdir(path) == 0)
        return S_OK;
    return errno == ENOENT ? S_FALSE : fail(path, "remove");
}

bool os_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool os_file_is_same(const char *left, const char *right)
{
    struct stat one, other;
    return stat(left, &one) == 0 && stat(right, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

HRESULT os_file_append(const char *path, FILE **file)
{
    /* Non-blocking for a pipe that nobody reads; files and terminals do not care. */
    int descriptor =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    struct stat info;
    if (descriptor < 0 && errno == ENXIO)
        return error_set(E_INVALIDARG, "%s is a pipe or a socket, and no file", path);
    if (descriptor < 0)
        return fail(path, "open");
    HRESULT hr = S_OK;
    if (fstat(descriptor, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode))
        hr = error_set(E_INVALIDARG, "%s is a pipe or a socket, and no file", path);
    else if (!(*file = fdopen(descriptor, "a")))
        hr = fail(path, "open");
    if (FAILED(hr))
        close(descriptor);
    return hr;
}

void os_names_free(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static HRESULT add_name(char ***names, size_t *n, const char *name)
{
    char **larger = realloc(*names, (*n + 2) * sizeof(**names));
    if (!larger)
        return E_OUTOFMEMORY;
    *names = larger;
    larger[*n] = strdup(name);
    larger[*n + 1] = NULL;
    return larger[(*n)++] ? S_OK : E_OUTOFMEMORY;
}

HRESULT os_directory_list(const char *path, char ***names)
{
    char **list = calloc(1, sizeof(*list));
    if (!list)
        return error_set(E_OUTOFMEMORY, "no memory to list %s", path);
    DIR *directory = opendir(path);
    if (!directory && errno == ENOENT) {
        *names = list;
        return S_FALSE;
    }
    if (!directory) {
        free(list);
        return fail(path, "list");
    }
    HRESULT hr = S_OK;
    size_t n = 0;
    struct dirent *entry;
    while (SUCCEEDED(hr) && (entry = readdir(directory)))
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            hr = add_name(&list, &n, entry->d_name);
    closedir(directory);
    if (FAILED(hr)) {
        os_names_free(list);
        return error_set(hr, "no memory to list %s", path);
    }
    qsort(list, n, sizeof(*list), compare_names);
    *names = list;
    return S_OK;
}

static HRESULT make_directories(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return S_OK;
    if (errno != ENOENT)
        return fail(path, "create directory");
    char *parent = os_path_directory(path);
    if (!parent)
        return error_set(E_OUTOFMEMORY, "no memory to create %s", path);
    HRESULT hr =
        strcmp(parent, path) ? make_directories(parent, 0755) : fail(path, "create directory");
    free(parent);
    if (SUCCEEDED(hr) && mkdir(path, mode) && errno != EEXIST)
        hr = fail(path, "create directory");
    return hr;
}

HRESULT os_directory_make(const char *path)
{
    return make_directories(path, 0755);
}

HRESULT os_directory_make_private(const char *path)
{
    HRESULT hr = make_directories(path, 0700);
    struct stat info;
    if (SUCCEEDED(hr) && lstat(path, &info))
        hr = fail(path, "look at");
    if (FAILED(hr))
        return hr;
    if (!S_ISDIR(info.st_mode))
        return error_set(E_ACCESSDENIED, "%s is not a directory", path);
    if (info.st_uid != geteuid())
        return error_set(E_ACCESSDENIED,
                         "%s belongs to user %u; remove it, or set VIADUCT_RUNTIME_DIR", path,
                         (unsigned)info.st_uid);
    if (info.st_mode & 077)
        return error_set(E_ACCESSDENIED, "%s is open to other users; run chmod 700 on it", path);
    return S_OK;
}

HRESULT os_directory_check(const char *path)
{
    char *real = realpath(path, NULL);
    if (!real)
        return fail(path, "look at");
    HRESULT hr = trust_check(real);
    free(real);
    return hr;
}
