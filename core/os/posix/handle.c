#include "core/os/handle.h"

#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool os_handle_is_none(intptr_t handle)
{
    return handle < 0;
}

HRESULT os_handle_duplicate(intptr_t handle, intptr_t *duplicate)
{
    int descriptor = fcntl((int)handle, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
        return error_set(errno == EMFILE ? VIA_E_LIMIT : E_HANDLE,
                         "cannot duplicate descriptor %d: %s", (int)handle, strerror(errno));
    *duplicate = descriptor;
    return S_OK;
}

void os_handle_close(intptr_t handle)
{
    if (handle >= 0)
        close((int)handle);
}

/* An event descriptor is an anonymous inode: only its name tells it from others. */
static bool is_event(int descriptor)
{
    static const char expected[] = "anon_inode:[eventfd]";
    char path[48];
    char target[sizeof expected];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(path, target, sizeof target);
    return n == (ssize_t)sizeof expected - 1 && memcmp(target, expected, (size_t)n) == 0;
}

bool os_handle_is(intptr_t handle, enum os_handle_kind kind)
{
    struct stat status;
    if (fstat((int)handle, &status) != 0)
        return false;
    switch (kind) {
    case OS_HANDLE_FILE:
        return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISCHR(status.st_mode) ||
               S_ISBLK(status.st_mode) || S_ISFIFO(status.st_mode);
    case OS_HANDLE_PIPE:
        return S_ISFIFO(status.st_mode);
    case OS_HANDLE_SOCKET:
        return S_ISSOCK(status.st_mode);
    case OS_HANDLE_SECTION:
        return S_ISREG(status.st_mode);
    case OS_HANDLE_EVENT:
        return is_event((int)handle);
    }
    return false;
}
