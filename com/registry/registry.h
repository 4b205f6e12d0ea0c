/*
 * The registry: which classes there are, from the manifests in a list of directories.
 *
 * Directories come in order of precedence, the user's own first; where two manifests name the same
 * class the one that comes first is used and the other is a problem that is reported. What was read
 * is a snapshot, counted and immutable; a look-up reads the directories again when the class is not
 * in it or when it is older than REGISTRY_FRESH_MS, so that installing a component is installing a
 * file.
 */
#ifndef COM_REGISTRY_REGISTRY_H
#define COM_REGISTRY_REGISTRY_H

#include <stddef.h>
#include <viaduct/hresult.h>

#include "com/registry/class_name.h"
#include "com/registry/manifest.h"

#define REGISTRY_FRESH_MS 1000u

struct registry;

/* A class and the manifest that has it, to which it holds a reference. */
struct registry_entry {
    struct manifest *manifest;
    const struct manifest_class *class;
};
void registry_entry_deinit(struct registry_entry *entry);

/* `directories`: absolute paths, NULL at the end; copied. The first is where registry_install
 * writes. Directories that do not exist are no problem. */
HRESULT registry_new(const char *const *directories, struct registry **registry);
void registry_free(struct registry *registry);

/* Looks at the class' name only, not at its host. REGDB_E_CLASSNOTREG lists the directories that
 * were searched and every manifest that could not be used, with the reason. */
HRESULT registry_find(struct registry *registry, const struct class_name *name,
                      struct registry_entry *entry);
/* All classes, sorted by ProgID, from fresh manifests; for registry_list_free(). */
HRESULT registry_list(struct registry *registry, struct registry_entry **entries,
                      size_t *n_entries);
void registry_list_free(struct registry_entry *entries, size_t n_entries);
/* What is wrong with manifests, one line each, NULL at the end; for registry_problems_free(). */
HRESULT registry_problems(struct registry *registry, char ***problems);
void registry_problems_free(char **problems);

const char *const *registry_directories(const struct registry *registry);

/* Writes a manifest, in one step, into the user's directory under the name of its first class;
 * replaces the one that was there. `path` is for free(). VIA_E_CONFIG when one of its classes is
 * another component's. */
HRESULT registry_install(struct registry *registry, const struct manifest *manifest, char **path);
/* Removes the manifest that has the class. E_ACCESSDENIED when it is not in the directory that
 * registry_install writes to. */
HRESULT registry_uninstall(struct registry *registry, const struct class_name *name);

#endif
