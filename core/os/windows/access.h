/* Who besides us may do something with a file or directory. */
#ifndef CORE_OS_WINDOWS_ACCESS_H
#define CORE_OS_WINDOWS_ACCESS_H

#include <stdint.h>
#include <viaduct/hresult.h>

/* Rights (of winnt.h) to change or replace what is there. */
#define ACCESS_TO_CHANGE                                                                         \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER | \
     GENERIC_WRITE | GENERIC_ALL)

/* Nobody but this user, the system, administrators and the installer owns what is at `path` or has
 * any of `rights` to it; else E_ACCESSDENIED, whose text says that it `complaint` other users ("can
 * be written by"). */
HRESULT access_check(const char *path, uint32_t rights, const char *complaint);

#endif
