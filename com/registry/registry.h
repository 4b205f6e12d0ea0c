/*
 * The registry: which classes there are, from the manifests in a list of directories.
 *
 * Directories come in order of precedence, the user's own first; where two manifests name the same
 * class the one that comes first is used and the other is a problem that is reported. Installing a
 * component is installing a file: what is known of the directories is a catalogue (catalogue.h),
 * and whoever asks for a class sees to it that the catalogue is not too old:
 *
 *   - Within REGISTRY_FRESH_MS of the last look at the directories nothing is looked at again,
 * unless the class is not there.
 *   - Then the directories' own stamps are looked at, and what they say has changed is read.
 *   - What they cannot say, that a manifest was written in place, is found by looking at every
 *     manifest's stamp: before it is said that there is no such class, and before classes are
 *     listed, if that has not been done within REGISTRY_FRESH_MS. For classes that are there it is
 *     done as often, by the asking thread if it takes no time, else by the keeper, and then more
 *     seldom: so that it takes 1 % of the time, but every 10 s.
 *   - The manifest of a class that is asked for is itself looked at in any case, and read if it has
 *     changed: what is run is what it says.
 *
 * The keeper is a thread that runs when there is something to do: it looks at manifests, and writes
 * the index file (index.h), so that nobody waits for that.
 */
#ifndef COM_REGISTRY_REGISTRY_H
#define COM_REGISTRY_REGISTRY_H

#include <stddef.h>
#include <viaduct/hresult.h>

#include "com/registry/catalogue.h"
#include "com/registry/class_name.h"
#include "com/registry/manifest.h"

#define REGISTRY_FRESH_MS 1000u

struct registry;

/* A class and the manifest that has it, to which it holds a reference. */
struct registry_entry {
    struct manifest *manifest;
    const struct manifest_class *class;
    bool is_current; /* it has a version, and is what its ProgID without that means (versions.h) */
};
void registry_entry_deinit(struct registry_entry *entry);

/* `directories`: absolute paths, NULL at the end; copied. The first is where registry_install
 * writes. Directories that do not exist are no problem. `index_place`: the directory of the index
 * file; NULL: there is none. */
HRESULT registry_new(const char *const *directories, const char *index_place,
                     struct registry **registry);
/* Writes the index if there is something new. Takes NULL. */
void registry_free(struct registry *registry);
/* Lets the keeper find out what there is, so that the first who asks need not wait for it. */
void registry_warm(struct registry *registry);

/* Looks at the class' name only, not at its host; without a version it may be that of the newest
 * one (versions.h). REGDB_E_CLASSNOTREG lists the directories that
 * were searched and every manifest that could not be used, with the reason. */
HRESULT registry_find(struct registry *registry, const struct class_name *name,
                      struct registry_entry *entry);
/* What there is now; `is_next`: for somebody who has just seen it, and wants the next page. With a
 * reference. */
HRESULT registry_list(struct registry *registry, bool is_next, struct catalogue **catalogue);

const char *const *registry_directories(const struct registry *registry);

/* Writes a manifest, in one step, into the user's directory under the name of its first class;
 * replaces the one that was there. `path` is for free(). VIA_E_CONFIG when one of its classes is
 * another component's. */
HRESULT registry_install(struct registry *registry, const struct manifest *manifest, char **path);
/* Removes the manifest that has the class, whose version is named if it has one. E_ACCESSDENIED
 * when it is not in the directory that registry_install writes to. */
HRESULT registry_uninstall(struct registry *registry, const struct class_name *name);

#endif
