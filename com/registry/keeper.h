/*
 * The keeper of a registry holds its catalogue, keeps it fresh (registry.h says how fresh), and
 * keeps the index file.
 */
#ifndef COM_REGISTRY_KEEPER_H
#define COM_REGISTRY_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct catalogue;
struct keeper;

/* `directories` is borrowed. */
HRESULT keeper_new(const char *const *directories, const char *index_place, struct keeper **keeper);
/* Writes the index if there is something new. Takes NULL. */
void keeper_free(struct keeper *keeper);

/* Lets the thread look at every file. */
void keeper_wake(struct keeper *keeper);
/* For one who asks for what is probably there; with a reference. */
HRESULT keeper_get(struct keeper *keeper, struct catalogue **catalogue);
enum keeper_need {
    KEEPER_DIRECTORIES,  /* as the directories are now, no earlier than the call */
    KEEPER_FILES_LATELY, /* and every file, as it was within REGISTRY_FRESH_MS */
    KEEPER_FILES         /* and every file, as it is now */
};
/* Blocks. With a reference. */
HRESULT keeper_refresh(struct keeper *keeper, enum keeper_need need, struct catalogue **catalogue);

#endif
