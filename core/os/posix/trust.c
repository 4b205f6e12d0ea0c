#include "core/os/posix/trust.h"

#include "core/os/path.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted_owner(uid_t owner)
{
    return owner == 0 || owner == geteuid();
}

static HRESULT check_entry(const char *path)
{
    struct stat info;
    if (stat(path, &info))
        return error_set(VIA_WIN32(errno == ENOENT ? 2 : 5), "%s: %s", path, strerror(errno));
    if (!is_trusted_owner(info.st_uid))
        return error_set(E_ACCESSDENIED,
                         "%s belongs to user %u, who could change it; give it to root or to you",
                         path, (unsigned)info.st_uid);
    bool others_write = info.st_mode & S_IWOTH;
    bool group_writes = (info.st_mode & S_IWGRP) && info.st_gid != 0 && info.st_gid != getegid();
    bool is_sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX);
    if ((others_write || group_writes) && !is_sticky)
        return error_set(E_ACCESSDENIED,
                         "%s can be written by other users; take that right away (chmod go-w)",
                         path);
    return S_OK;
}

HRESULT trust_check(const char *path)
{
    HRESULT hr = check_entry(path);
    char *entry = os_path_directory(path);
    while (entry && SUCCEEDED(hr)) {
        hr = check_entry(entry);
        if (!strcmp(entry, "/") || !strcmp(entry, "."))
            break;
        char *parent = os_path_directory(entry);
        free(entry);
        entry = parent;
    }
    free(entry);
    return hr;
}
