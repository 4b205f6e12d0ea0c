/* COM classes of Windows that the configuration exposes ("com": {"expose": [...]}): each gets a
 * manifest, whose program is viaduct-com. */
#ifndef HOST_EXPOSED_H
#define HOST_EXPOSED_H

#include <viaduct/hresult.h>

/* `patterns`: ProgIDs, in which '*' stands for anything, and CLSIDs; NULL at the end. Writes a
 * manifest for each class that one of them means into the directory. What a pattern means nothing
 * by is logged. VIA_E_CONFIG where there is no COM. */
HRESULT exposed_write_manifests(char *const *patterns, const char *directory);

#endif
