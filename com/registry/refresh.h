/*
 * Making a catalogue what the directories say now, from what another one knows of them: only what
 * has changed is read.
 */
#ifndef COM_REGISTRY_REFRESH_H
#define COM_REGISTRY_REFRESH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <viaduct/hresult.h>

struct catalogue;

enum refresh_depth {
    /* Looks at the directories alone: finds files that were added, removed or replaced (which is
     * how programs install files), and costs the same however many there are. */
    REFRESH_DIRECTORIES,
    /* Looks at every file: finds those that were written in place too. */
    REFRESH_FILES
};

/* `before` may be NULL. S_FALSE, and nothing in `after`: all is as it was. Manifests that cannot be
 * used are problems in the catalogue and no failures. E_ABORT soon after `is_stopping` is set. */
HRESULT refresh_catalogue(const char *const *directories, const struct catalogue *before,
                          enum refresh_depth depth, const atomic_bool *is_stopping,
                          struct catalogue **after);
/* Whether REFRESH_DIRECTORIES would find something. */
bool refresh_is_needed(const char *const *directories, const struct catalogue *catalogue);

#endif
