/* COM classes of Windows that the configuration exposes ("com": {"expose": [...]}): each gets a
 * manifest, whose program is viaduct-com. */
#ifndef HOST_EXPOSED_H
#define HOST_EXPOSED_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct class_name;

/* `patterns`: ProgIDs, in which '*' stands for anything, and CLSIDs; NULL at the end. Writes a
 * manifest for each class that one of them means into the directory. What a pattern means nothing
 * by is logged. `hang_ms`: for viaduct-com. VIA_E_CONFIG where there is no COM. */
HRESULT exposed_write_manifests(char *const *patterns, uint32_t hang_ms, const char *directory);

/* Whether the name, which the registry does not know, is one of Windows' COM classes. */
bool exposed_is_com_class(const struct class_name *name);

#endif
