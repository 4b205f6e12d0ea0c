/* Who besides us may do something with a file or directory. */
#ifndef CORE_OS_WINDOWS_ACCESS_H
#define CORE_OS_WINDOWS_ACCESS_H

#include <stdint.h>
#include <viaduct/hresult.h>

/* Nobody but this user, the system, administrators and the installer owns what is at `path` or has
 * any of `rights` to it; else E_ACCESSDENIED, whose text says that it `complaint` other users ("can
 * be written by"). */
HRESULT access_check(const char *path, uint32_t rights, const char *complaint);

#endif
