/* Who could change or replace what is at a path. */
#ifndef CORE_OS_POSIX_TRUST_H
#define CORE_OS_POSIX_TRUST_H

#include <viaduct/hresult.h>

/* S_OK when what is at `path` (absolute, without symbolic links) and every directory above it
 * belong to root or to this user, and other users cannot write there; but they may where a
 * directory is sticky (/tmp): there they can create names and not replace ours. Else
 * E_ACCESSDENIED, or why it cannot be looked at; the text says which one, and what to do. */
HRESULT trust_check(const char *path);

#endif
