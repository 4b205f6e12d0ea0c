/*
 * Versions of a class: "Viaduct.Calculator.1" and "Viaduct.Calculator.2" are two classes, each with
 * a CLSID of its own; "Viaduct.Calculator" means the newest of them, the one with the highest
 * number, unless a class has exactly that ProgID. Nothing else says which belong together, so that
 * installing a version is installing a file, as for every class.
 */
#ifndef COM_REGISTRY_VERSIONS_H
#define COM_REGISTRY_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "com/registry/catalogue.h"

/* The length of a ProgID without its version, "Viaduct.Calculator"; 0: it has none. */
size_t version_stem(const char *progid);
/* Of numbers in decimal digits, as long as a ProgID may be. */
bool version_is_higher(const char *version, const char *other);
/* The class that a ProgID without a version means where no class has just that one, or
 * CATALOGUE_NONE. Looks at every version that there is. */
uint32_t version_newest(const struct catalogue *catalogue, const char *progid);
/* Whether a class with a version is what its ProgID without the version means. */
bool version_is_current(const struct catalogue *catalogue, uint32_t class);

#endif
