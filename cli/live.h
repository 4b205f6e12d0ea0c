/* An object that runs under a name: found in the host's table, described by its owner. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <viaduct/com.h>

#include "com/typelib/typelib.h"

#define LIVE_MAX_INTERFACES 16

struct live {
    const char *name;                                  /* borrowed */
    IUnknown *object;                                  /* a reference */
    struct typelib_entry entries[LIVE_MAX_INTERFACES]; /* the default interface first */
    unsigned n;
};

/* The NAME of "running:NAME"; NULL: the word is no such name, but a class'. */
const char *live_name(const char *word);
/* -1, or the exit code after a message. */
int live_open(const char *name, struct live *live);
void live_close(struct live *live);
/* "Method" of the first interface that has it, or "Interface.Method". -1, or the exit code after a
 * message that lists what there is. */
int live_find_method(const struct live *live, const char *name, unsigned forms,
                     const struct via_interface **itf, struct typelib_method *method);

#endif
