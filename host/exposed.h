/* COM classes of Windows that the configuration exposes ("com": {"expose": [...]}): each gets a
 * manifest, whose program is viaduct-com. */
#ifndef HOST_EXPOSED_H
#define HOST_EXPOSED_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct class_name;
struct configuration;

/* Sees to it that the directory, which it makes, has a manifest for each COM class that the
 * configuration exposes, and nothing else; what is there already is left as it is. What a pattern
 * means nothing by is logged. VIA_E_CONFIG where there is no COM, or a side file is wrong. */
HRESULT exposed_write_manifests(const struct configuration *configuration, const char *directory);

/* Says what is wrong with what the configuration exposes, and writes nothing: the same failures,
 * and the same lines in the log. */
HRESULT exposed_check(const struct configuration *configuration);

/* Whether the name, which the registry does not know, is one of Windows' COM classes. */
bool exposed_is_com_class(const struct class_name *name);

#endif
